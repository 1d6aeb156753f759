import { describe, expect, it } from 'vitest';
import {
  Down,
  fails,
  INVALIDATIONS,
  KEY,
  LINKS,
  noUnhandledRejections,
  WAYS,
  withPolicy,
} from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';

const GRACE_MS = 300_000;
const BACKOFF_MS = 10_000;

noUnhandledRejections();

describe('grace is off', () => {
  it('unless a tier or a call asks for it: a failed load rejects, and the entry leaves with its ttl', async () => {
    const { cache, clock, figures } = withPolicy();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    await expect(cache.getOrLoad(KEY, fails)).rejects.toThrow(Down);
    expect(cache.inspect(KEY)).toBeUndefined();
    expect(figures()).toMatchObject({
      misses: 1,
      failures: 1,
      stale: { failed: 0 },
      removals: { expired: 1 },
    });
  });

  it('for a call that says 0, whatever its tier says', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    await expect(cache.getOrLoad(KEY, fails, { graceMs: 0 })).rejects.toThrow(Down);
  });

  it('for `get` and `lookup`, which have no load that could fail: they give what is fresh', () => {
    const { cache, clock, figures } = withPolicy({ graceMs: GRACE_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS - 1);
    expect(cache.get(KEY)).toBe('old');
    clock.advance(1);
    expect(cache.lookup(KEY)).toEqual({ state: 'miss' });
    expect(cache.has(KEY)).toBe(false);
    expect(cache.inspect(KEY)).toBeDefined();
    expect(figures()).toMatchObject({ hits: 1, misses: 1 });
  });
});

describe.each(WAYS)('grace, for %s reads,', (_name, read) => {
  it('serves the old value when the load fails, counted as a miss under `failed`', async () => {
    const { cache, clock, figures } = withPolicy({ graceMs: GRACE_MS });
    await read(cache, () => 'old');
    clock.advance(TTL_MS);
    expect(await read(cache, fails)).toBe('old');
    expect(figures()).toMatchObject({
      lookups: 2,
      hits: 0,
      misses: 2,
      loads: 2,
      failures: 1,
      stale: { failed: 1 },
    });
  });

  it('serves it from the last millisecond of the ttl to the last of grace, and not a millisecond longer', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS, graceBackoffMs: 0 });
    await read(cache, () => 'old');
    clock.advance(TTL_MS - 1);
    expect(await read(cache, fails)).toBe('old');
    clock.advance(1);
    expect(await read(cache, fails)).toBe('old');
    clock.advance(GRACE_MS - 1);
    expect(await read(cache, fails)).toBe('old');
    clock.advance(1);
    await expect(read(cache, fails)).rejects.toThrow(Down);
  });

  it('leaves a failing source alone for the back-off, and asks it again at its end', async () => {
    const { cache, clock, figures } = withPolicy({ graceMs: GRACE_MS });
    await read(cache, () => 'old');
    clock.advance(TTL_MS);
    let asked = 0;
    const ask = () => {
      asked++;
      return fails();
    };
    await read(cache, ask);
    clock.advance(BACKOFF_MS - 1);
    expect(await read(cache, ask)).toBe('old');
    expect(asked).toBe(1);
    expect(figures()).toMatchObject({ hits: 1, stale: { failed: 1, 'backing-off': 1 } });
    clock.advance(1);
    expect(await read(cache, ask)).toBe('old');
    expect(asked).toBe(2);
    clock.advance(BACKOFF_MS);
    expect(await read(cache, () => 'new')).toBe('new');
    expect(await read(cache, fails)).toBe('new');
  });

  it('ends the back-off with grace: an old value is never served past `expiresAt`', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS, graceBackoffMs: GRACE_MS * 10 });
    await read(cache, () => 'old');
    clock.advance(TTL_MS);
    await read(cache, fails);
    clock.advance(GRACE_MS - 1);
    expect(await read(cache, fails)).toBe('old');
    clock.advance(1);
    await expect(read(cache, fails)).rejects.toThrow(Down);
  });

  it('may be asked for by a call alone, where that call filled the entry', async () => {
    const { cache, clock } = withPolicy();
    await read(cache, () => 'old', { graceMs: GRACE_MS });
    clock.advance(TTL_MS);
    expect(await read(cache, fails, { graceMs: GRACE_MS })).toBe('old');
    // The entry is still held; a call that did not ask for grace gets the error all the same.
    await expect(read(cache, fails)).rejects.toThrow(Down);
  });

  it('I1: covers `null`, which is a value', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    await read<string | null>(cache, () => null);
    clock.advance(TTL_MS);
    expect(await read<string | null>(cache, fails)).toBeNull();
  });

  it('I6: gives each reader a Date and a Map of his own', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    const value = () => new Map([['at', new Date(5)]]);
    await read(cache, value);
    clock.advance(TTL_MS);
    (await read<ReturnType<typeof value>>(cache, fails)).get('at')?.setTime(9);
    (await read<ReturnType<typeof value>>(cache, fails)).clear();
    expect(await read<ReturnType<typeof value>>(cache, fails)).toEqual(value());
  });

  it.each(INVALIDATIONS)('I2: never serves what was invalidated by %s', async (_target, invalidate) => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    await read(cache, () => 'old', LINKS);
    clock.advance(TTL_MS);
    invalidate(cache);
    await expect(read(cache, fails, LINKS)).rejects.toThrow(Down);
  });

  it.each(INVALIDATIONS)('I2: nor while backing off, by %s', async (_target, invalidate) => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    await read(cache, () => 'old', LINKS);
    clock.advance(TTL_MS);
    expect(await read(cache, fails, LINKS)).toBe('old');
    invalidate(cache);
    await expect(read(cache, fails, LINKS)).rejects.toThrow(Down);
  });

  it('tells who forces a load that it failed', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    await read(cache, () => 'old');
    clock.advance(TTL_MS);
    await expect(read(cache, fails, { fresh: true })).rejects.toThrow(Down);
    expect(await read(cache, fails)).toBe('old');
  });
});

describe('while a load runs that will fail', () => {
  it.each(INVALIDATIONS)(
    'I2: an invalidation by %s takes the old value from those who wait',
    async (_name, invalidate) => {
      const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
      const loader = heldLoader();
      cache.set(KEY, 'old', LINKS);
      clock.advance(TTL_MS);
      const read = cache.getOrLoad(KEY, loader.load, LINKS);
      invalidate(cache);
      loader.fail(new Down());
      await expect(read).rejects.toThrow(Down);
    },
  );

  it('a newer `set` is what they get, and it is not counted as stale', async () => {
    const { cache, clock, figures } = withPolicy({ graceMs: GRACE_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const reads = [cache.getOrLoad(KEY, loader.load), cache.getOrLoad(KEY, loader.load)];
    cache.set(KEY, 'new');
    loader.fail(new Down());
    expect(await Promise.all(reads)).toEqual(['new', 'new']);
    expect(figures()).toMatchObject({ misses: 2, joined: 1, stale: { failed: 0 } });
    expect(await cache.getOrLoad(KEY, fails)).toBe('new');
  });

  it('who joined after an invalidation of something else gets it too, and asks the failing source no second time', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old', LINKS);
    clock.advance(TTL_MS);
    const first = cache.getOrLoad(KEY, loader.load, LINKS);
    cache.invalidate('query::else');
    const joined = cache.getOrLoad(KEY, loader.load, LINKS);
    cache.set(KEY, 'newer', LINKS);
    clock.advance(TTL_MS);
    loader.fail(new Down());
    expect(await Promise.all([first, joined])).toEqual(['newer', 'newer']);
    expect(loader.calls).toBe(1);
  });

  it('I3: all who wait share one load and its outcome, each counted once', async () => {
    const { cache, clock, figures, said } = withPolicy({ graceMs: GRACE_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const reads = [1, 2, 3].map(() => cache.getOrLoad(KEY, loader.load));
    const batch = cache.getOrLoadMany([KEY], () => new Map());
    loader.fail(new Down());
    expect(await Promise.all(reads)).toEqual(['old', 'old', 'old']);
    expect(await batch).toEqual(new Map([[KEY, 'old']]));
    expect(figures()).toMatchObject({
      lookups: 4,
      misses: 4,
      joined: 3,
      loads: 1,
      failures: 1,
      stale: { failed: 4 },
    });
    expect(said).toEqual(['A load failed; the old value is served for a while.']);
  });

  it('who joins a forced load gets the old value when it fails, and who forced it the error', async () => {
    const { cache, clock, figures } = withPolicy({ graceMs: GRACE_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const forced = cache.getOrLoad(KEY, loader.load, { fresh: true });
    const joined = cache.getOrLoad(KEY, loader.load);
    loader.fail(new Down());
    expect(await Promise.allSettled([forced, joined])).toMatchObject([
      { reason: new Down() },
      { value: 'old' },
    ]);
    expect(figures()).toMatchObject({ lookups: 1, misses: 1, stale: { failed: 1 } });
  });

  it('I13: `stop` leaves no timer, and those who wait get the error, since memory is empty', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const read = cache.getOrLoad(KEY, loader.load);
    await cache.stop();
    loader.fail(new Down());
    await expect(read).rejects.toThrow(Down);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the log', () => {
  it('is told once a burst, and how often it happened when it is told again', async () => {
    const { cache, clock, said } = withPolicy({ graceMs: GRACE_MS, graceBackoffMs: 0 });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    for (let i = 0; i < 50; i++) await cache.getOrLoad(KEY, fails);
    expect(said).toEqual(['A load failed; the old value is served for a while.']);
    clock.advance(60_000);
    await cache.getOrLoad(KEY, fails);
    expect(said).toHaveLength(2);
    expect(cache.stats().lastFailure).toMatchObject({ key: KEY, message: 'down' });
  });
});

describe('an entry that is held for grace', () => {
  it('counts as an entry with its bytes until it expires, and then leaves as expired', async () => {
    const { cache, clock, figures } = withPolicy({ graceMs: GRACE_MS });
    cache.set(KEY, 'old');
    const { weightBytes } = figures();
    clock.advance(TTL_MS + GRACE_MS - 1);
    expect(figures()).toMatchObject({ entries: 1, weightBytes });
    clock.advance(1);
    expect(cache.get(KEY)).toBeUndefined();
    expect(figures()).toMatchObject({ entries: 0, weightBytes: 0, removals: { expired: 1 } });
  });

  it('leaves when its source gives a value that is not kept: the old one is outdated', async () => {
    const { cache, clock, figures } = withPolicy({ graceMs: GRACE_MS, skipEmpty: true });
    cache.set(KEY, ['a']);
    clock.advance(TTL_MS);
    expect(await cache.getOrLoad(KEY, () => [])).toEqual([]);
    await expect(cache.getOrLoad(KEY, fails)).rejects.toThrow(Down);
    expect(figures()).toMatchObject({ entries: 0, refusals: { 'not-wanted': 1 }, removals: { replaced: 1 } });
  });

  it('stays when the loader skips: that says nothing about the old value', async () => {
    const { cache, clock } = withPolicy({ graceMs: GRACE_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const skipping = ({ skip }: { skip(): void }) => {
      skip();
      return 'makeshift';
    };
    expect(await cache.getOrLoad(KEY, skipping)).toBe('makeshift');
    expect(await cache.getOrLoad(KEY, fails)).toBe('old');
  });
});
