import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { EntryOptions } from '../../src/cache/entry-options.ts';
import {
  Down,
  fails,
  INVALIDATIONS,
  KEY,
  LINKS,
  noUnhandledRejections,
  withPolicy,
} from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';

noUnhandledRejections();

type Write = <T, R>(cache: Cache, value: T, save: (value: T) => R, options?: EntryOptions) => Promise<R>;

const WRITES: readonly (readonly [name: string, write: Write])[] = [
  ['`write`', (cache, value, save, options) => cache.write(KEY, value, save, options)],
  ['`writeSync`', async (cache, value, save, options) => cache.writeSync(KEY, value, save, options)],
];

describe.each(WRITES)('%s', (_name, write) => {
  it('saves first; then the cache holds the new value, and what `save` gave is given back', async () => {
    const { cache, figures } = withPolicy();
    cache.set(KEY, 'old');
    const seen: unknown[] = [];
    const result = await write(cache, 'new', (value) => {
      seen.push(value, cache.get(KEY));
      return 7;
    });
    expect(result).toBe(7);
    expect(seen).toEqual(['new', 'old']);
    expect(cache.get(KEY)).toBe('new');
    expect(figures()).toMatchObject({ writes: 2, loads: 0, removals: { replaced: 1 } });
  });

  it.each([null, undefined, 0, '', false])('I1: writes %o as a value', async (value) => {
    const { cache } = withPolicy();
    await write(cache, value, () => 1);
    expect(cache.lookup(KEY)).toEqual({ state: 'hit', value });
  });

  it('I7: a failed save leaves the cache as it was, and is told of as it failed', async () => {
    const { cache, figures } = withPolicy();
    cache.set(KEY, 'old');
    cache.set('query::page', 'made from it', { dependsOn: [KEY] });
    await expect(write(cache, 'new', fails)).rejects.toThrow(Down);
    expect(cache.get(KEY)).toBe('old');
    expect(cache.get('query::page')).toBe('made from it');
    expect(figures()).toMatchObject({ writes: 2, removals: { invalidated: 0 } });
  });

  it('I7: a failed save leaves nothing where there was nothing', async () => {
    const { cache } = withPolicy();
    await expect(write(cache, 'new', fails)).rejects.toThrow(Down);
    expect(cache.inspect(KEY)).toBeUndefined();
  });

  it('lets go of what depends on the key', async () => {
    const { cache } = withPolicy();
    cache.set('query::page', 'made from the old one', { dependsOn: [KEY] });
    await write(cache, 'new', () => 1);
    expect(cache.has('query::page')).toBe(false);
  });

  it('has the ttl, tags and policies of its tier and options, as a fill has', async () => {
    const { cache, clock } = withPolicy({ graceMs: TTL_MS });
    await write(cache, 'new', () => 1, { ttlMs: 1_000, tags: ['t'] });
    clock.advance(1_000);
    expect(await cache.getOrLoad(KEY, fails)).toBe('new');
    expect(cache.invalidate({ tag: 't' }).entries).toBe(1);
  });

  it('I6: holds a value that its writer cannot change any more', async () => {
    const { cache } = withPolicy();
    const date = new Date(5);
    await write(cache, { date }, () => 1);
    date.setTime(9);
    expect(cache.get(KEY)).toEqual({ date: new Date(5) });
  });

  it('refuses what makes no sense before anything is saved', async () => {
    const { cache } = withPolicy();
    let saves = 0;
    const save = () => ++saves;
    await expect(write(cache, 1, save, { ttlMs: -1 })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT_INVALID',
    });
    await expect(write(cache, 1, save, { tier: 'none' })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT_INVALID',
    });
    await expect(cache.write('', 1, save)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    expect(() => cache.writeSync('', 1, save)).toThrow();
    expect(saves).toBe(0);
  });

  it('I4: what cannot be kept is saved all the same, and the old value leaves', async () => {
    const { cache, figures } = withPolicy();
    cache.set(KEY, 'old');
    expect(await write(cache, { run: () => 1 }, () => 'saved')).toBe('saved');
    expect(cache.has(KEY)).toBe(false);
    expect(figures().refusals.unsafe).toBe(1);
  });

  it('saves with the cache switched off or stopped, and keeps nothing', async () => {
    const { cache: off } = withPolicy({}, { enabled: false });
    expect(await write(off, 1, () => 'saved')).toBe('saved');
    expect(off.has(KEY)).toBe(false);
    const { cache: stopped } = withPolicy();
    await stopped.stop();
    expect(await write(stopped, 1, () => 'saved')).toBe('saved');
    expect(stopped.has(KEY)).toBe(false);
  });

  it('is never overwritten by a load that was in flight; who waited for that gets what it gives', async () => {
    const { cache, clock } = withPolicy();
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    await write(cache, 'new', () => 1);
    loader.give('read before the save');
    expect(await read).toBe('read before the save');
    await clock.settle();
    expect(cache.get(KEY)).toBe('new');
  });

  it.each([
    ['stale-while-revalidate', { staleWhileRevalidateMs: TTL_MS }, TTL_MS],
    ['refresh-ahead', { refreshAheadRatio: 0.5 }, TTL_MS / 2],
  ])('nor by a load behind of %s', async (_policy, policy, atMs) => {
    const { cache, clock } = withPolicy(policy);
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(atMs);
    expect(await cache.getOrLoad(KEY, loader.load)).toBe('old');
    await write(cache, 'new', () => 1);
    loader.give('read before the save');
    await clock.settle();
    expect(cache.get(KEY)).toBe('new');
  });

  it('nor by one that a soft timeout has left behind, nor hidden by its old value', async () => {
    const { cache, clock } = withPolicy({ softTimeoutMs: 100, graceMs: TTL_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(100);
    expect(await read).toBe('old');
    await write(cache, 'new', () => 1);
    loader.give('read before the save');
    await clock.settle();
    expect(await cache.getOrLoad(KEY, fails)).toBe('new');
  });
});

describe('while a value is being saved', () => {
  /** A write whose save the test lets go. */
  function writing(cache: Cache, value: string) {
    const held = Promise.withResolvers<string>();
    const written = cache.write(KEY, value, () => held.promise, LINKS);
    return { written, saved: () => held.resolve('saved'), failed: () => held.reject(new Down()) };
  }

  it('reads go on with the old value', async () => {
    const { cache, clock } = withPolicy();
    cache.set(KEY, 'old');
    const { written, saved } = writing(cache, 'new');
    await clock.settle();
    expect(await cache.getOrLoad(KEY, fails)).toBe('old');
    saved();
    expect(await written).toBe('saved');
    expect(await cache.getOrLoad(KEY, fails)).toBe('new');
  });

  it('a load that begins meanwhile does not overwrite it, whether it ends before or after the save', async () => {
    for (const endsFirst of [true, false]) {
      const { cache, clock } = withPolicy();
      const { written, saved } = writing(cache, 'new');
      await clock.settle();
      const loader = heldLoader();
      const read = cache.getOrLoad(KEY, loader.load);
      if (endsFirst) loader.give('read before the save');
      await clock.settle();
      saved();
      await written;
      if (!endsFirst) loader.give('read before the save');
      expect(await read).toBe('read before the save');
      await clock.settle();
      expect(cache.get(KEY)).toBe('new');
    }
  });

  it('a load that fills meanwhile stays when the save fails', async () => {
    const { cache, clock } = withPolicy();
    const { written, failed } = writing(cache, 'new');
    await clock.settle();
    await cache.getOrLoad(KEY, () => 'loaded');
    failed();
    await expect(written).rejects.toThrow(Down);
    expect(cache.get(KEY)).toBe('loaded');
  });

  it.each(INVALIDATIONS)(
    'I2: an invalidation by %s wins: the key is loaded anew',
    async (_name, invalidate) => {
      const { cache, clock } = withPolicy();
      const { written, saved } = writing(cache, 'perhaps outdated already');
      await clock.settle();
      invalidate(cache);
      saved();
      await written;
      expect(await cache.getOrLoad(KEY, () => 'from the source')).toBe('from the source');
    },
  );

  it('a `set` or `writeSync` of the key wins as well: nobody knows which the database took last', async () => {
    const { cache, clock } = withPolicy();
    const { written, saved } = writing(cache, 'first');
    await clock.settle();
    cache.writeSync(KEY, 'second', () => 1);
    saved();
    await written;
    expect(await cache.getOrLoad(KEY, () => 'from the source')).toBe('from the source');
  });

  it('a second write of the key waits its turn, so that database and cache end up with the same', async () => {
    const { cache, clock } = withPolicy();
    const table: string[] = [];
    const first = writing(cache, 'first');
    const second = cache.write(KEY, 'second', (value) => table.push(value));
    await clock.settle();
    expect(table).toEqual([]);
    first.saved();
    await Promise.all([first.written, second]);
    expect(table).toEqual(['second']);
    expect(cache.get(KEY)).toBe('second');
  });

  it('a failed write lets the next one go on', async () => {
    const { cache } = withPolicy();
    const first = writing(cache, 'first');
    const second = cache.write(KEY, 'second', () => 'saved');
    first.failed();
    await expect(first.written).rejects.toThrow(Down);
    expect(await second).toBe('saved');
    expect(cache.get(KEY)).toBe('second');
  });

  it('writes of other keys go on beside it', async () => {
    const { cache } = withPolicy();
    const first = writing(cache, 'first');
    expect(await cache.write('query::y', 1, () => 'saved')).toBe('saved');
    first.saved();
    await first.written;
  });
});

describe('`writeSync` with a `save` that gives a promise', () => {
  it.each([
    ['fails', fails],
    ['succeeds', () => 1],
  ])('I7: is refused; what was there leaves, at once and when it %s', async (_, ends) => {
    const { cache, clock } = withPolicy();
    cache.set(KEY, 'old');
    const gate = Promise.withResolvers<void>();
    const write = () => cache.writeSync(KEY, 'new', () => gate.promise.then(ends));
    expect(write).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT_INVALID' }));
    expect(cache.has(KEY)).toBe(false);
    cache.set(KEY, 'read meanwhile');
    gate.resolve();
    await clock.settle();
    expect(cache.has(KEY)).toBe(false);
  });
});

describe('a value that is being saved', () => {
  it('I6: a value that its owner changes while it is being saved is loaded anew, since either may have been saved', async () => {
    const { cache } = withPolicy();
    const saved = Promise.withResolvers<void>();
    const value = { coins: 1 };
    const writing = cache.write('query::1', value, () => saved.promise);
    value.coins = 2;
    saved.resolve();
    await writing;
    expect(cache.has('query::1')).toBe(false);
    await cache.write('query::1', value, async () => undefined);
    value.coins = 3;
    expect(cache.get('query::1')).toEqual({ coins: 2 });
  });
});
