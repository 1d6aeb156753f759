/** What a loader is told, and what it may say: `{ key, signal, stale, setTtl, tag, dependsOn, skip, notModified }`. */
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { LoadOptions } from '../../src/cache/entry-options.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import { Down, fails, KEY, noUnhandledRejections, withPolicy } from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';

noUnhandledRejections();

/** The reads whose loader is given a context. A batch load is for many keys, so it has none. */
const READS: readonly (readonly [
  name: string,
  read: <T>(cache: Cache, load: (context: LoadContext) => T, options?: LoadOptions) => Promise<T>,
])[] = [
  ['awaited', (cache, load, options) => cache.getOrLoad(KEY, load, options)],
  ['synchronous', async (cache, load, options) => cache.getOrLoadSync(KEY, load, options)],
];

describe.each(READS)('the loader of an %s read', (_name, read) => {
  it('is told its key, and of no old value where there is none', async () => {
    const { cache } = withPolicy();
    await read(cache, ({ key, stale, signal }) => {
      expect([key, stale, signal.aborted]).toEqual([KEY, undefined, false]);
      return 1;
    });
  });

  it.each([
    ['without', {}],
    ['with', { hardTimeoutMs: 1_000 }],
  ])('leaves nothing behind that the cache holds on to, %s a hard timeout', async (_, options) => {
    const { cache } = withPolicy();
    let fired = 0;
    const signals: AbortSignal[] = [];
    const listening = ({ signal }: LoadContext) => {
      signal.addEventListener('abort', () => fired++);
      signals.push(signal);
      return 1;
    };
    await read(cache, listening, options);
    await read(cache, (context) => Promise.reject(listening(context)), { ...options, fresh: true }).catch(
      () => undefined,
    );
    await cache.stop();
    expect([fired, signals.some(({ aborted }) => aborted)]).toEqual([0, false]);
  });

  it('is told the value that it will replace, and its age', async () => {
    const { cache, clock } = withPolicy({ graceMs: TTL_MS });
    await read(cache, () => ({ version: 1 }));
    clock.advance(TTL_MS + 5);
    const { stale } = await read(cache, ({ stale: old }) => ({ stale: old }));
    expect(stale).toEqual({ value: { version: 1 }, ageMs: TTL_MS + 5 });
  });

  it('is told it also when it has just expired, or is fresh and the load forced', async () => {
    const { cache, clock } = withPolicy();
    await read(cache, () => 'first');
    clock.advance(TTL_MS);
    expect(await read(cache, ({ stale }) => `${stale?.value}, second`)).toBe('first, second');
    clock.advance(5);
    const forced = await read(cache, ({ stale }) => `${stale?.value} (${stale?.ageMs})`, { fresh: true });
    expect(forced).toBe('first, second (5)');
  });

  it('I6: cannot spoil the old value: it is frozen, or a copy', async () => {
    const { cache, clock } = withPolicy({ graceMs: TTL_MS, graceBackoffMs: 0 });
    await read(cache, () => new Map([['list', [1]]]));
    clock.advance(TTL_MS);
    const spoil = ({ stale }: LoadContext) => {
      if (stale?.value instanceof Map) stale.value.clear();
      return fails();
    };
    expect(await read<unknown>(cache, spoil)).toEqual(new Map([['list', [1]]]));
  });

  it('I2: is not told what was invalidated', async () => {
    const { cache, clock } = withPolicy({ graceMs: TTL_MS });
    await read(cache, () => 'old');
    clock.advance(TTL_MS);
    cache.invalidate(KEY);
    expect(await read(cache, ({ stale }) => stale)).toBeUndefined();
  });

  it('may set the ttl of this entry; the last word counts, and outranks the call', async () => {
    const { cache, clock } = withPolicy();
    const load = ({ setTtl }: LoadContext) => {
      setTtl(1);
      setTtl(500);
      return 'short';
    };
    await read(cache, load, { ttlMs: 10 });
    clock.advance(499);
    expect(cache.get(KEY)).toBe('short');
    clock.advance(1);
    expect(cache.get(KEY)).toBeUndefined();
  });

  it('may set it to 0, which keeps nothing, or to Infinity, which keeps', async () => {
    const { cache, clock } = withPolicy();
    const loadWith =
      (ttlMs: number) =>
      ({ setTtl }: LoadContext) => {
        setTtl(ttlMs);
        return 1;
      };
    await read(cache, loadWith(0));
    expect(cache.has(KEY)).toBe(false);
    await read(cache, loadWith(Number.POSITIVE_INFINITY));
    clock.advance(TTL_MS * 100);
    expect(cache.has(KEY)).toBe(true);
  });

  it.each([-1, Number.NaN, '5' as unknown as number])('fails for a ttl of %o', async (ttlMs) => {
    const { cache } = withPolicy();
    const read1 = read(cache, ({ setTtl }) => setTtl(ttlMs));
    await expect(read1).rejects.toMatchObject({ code: 'ERR_ARGUMENT_INVALID' });
  });

  it('may tag the entry and say what it depends on, from what it has loaded', async () => {
    const { cache } = withPolicy();
    const load = ({ tag, dependsOn }: LoadContext) => {
      tag('guild:1', 'vip');
      dependsOn('query::source');
      return 'linked';
    };
    await read(cache, load, { tags: ['own'] });
    expect(cache.inspect(KEY)).toMatchObject({
      tags: ['own', 'guild:1', 'vip'],
      dependsOn: ['query::source'],
    });
    for (const target of [{ tag: 'guild:1' }, { tag: 'own' }, 'query::source']) {
      await read(cache, load, { tags: ['own'] });
      expect(cache.invalidate(target).entries).toBe(1);
      expect(cache.has(KEY)).toBe(false);
    }
  });

  it('may skip: its value is served and not kept, and says nothing about the old one', async () => {
    const { cache, clock, figures } = withPolicy({ graceMs: TTL_MS });
    await read(cache, () => 'old');
    clock.advance(TTL_MS);
    const makeshift = ({ skip }: LoadContext) => {
      skip();
      return 'makeshift';
    };
    expect(await read(cache, makeshift)).toBe('makeshift');
    expect(await read(cache, fails)).toBe('old');
    expect(figures().refusals['not-wanted']).toBe(1);
  });

  it('may say `notModified`: the old value is served and fresh again for a whole ttl', async () => {
    const { cache, clock, figures } = withPolicy();
    await read(cache, () => ({ version: 1 }));
    clock.advance(TTL_MS);
    expect(await read<{ version: number }>(cache, ({ notModified }) => notModified())).toEqual({
      version: 1,
    });
    clock.advance(TTL_MS - 1);
    expect(await read<unknown>(cache, fails)).toEqual({ version: 1 });
    expect(figures()).toMatchObject({ loads: 2, fills: 2, unchanged: 1 });
  });

  it('`notModified` keeps what the old value stemmed from, and adds what this load says', async () => {
    const { cache, clock } = withPolicy();
    const first = ({ tag, dependsOn }: LoadContext) => {
      tag('a');
      dependsOn('query::source');
      return 1;
    };
    await read(cache, first);
    clock.advance(TTL_MS);
    await read<number>(cache, ({ notModified, tag }) => {
      tag('b');
      return notModified();
    });
    expect(cache.inspect(KEY)).toMatchObject({ tags: ['b', 'a'], dependsOn: ['query::source'] });
    expect(cache.invalidate('query::source').entries).toBe(1);
  });

  it('`notModified` fails where there is no old value, and says what to do', async () => {
    const { cache } = withPolicy();
    await expect(read(cache, ({ notModified }) => notModified())).rejects.toMatchObject({
      code: 'ERR_LOAD_FAILED',
      message: expect.stringContaining('load it'),
    });
  });

  it('says into the wind once its load has ended', async () => {
    const { cache } = withPolicy();
    let late: LoadContext | undefined;
    await read(cache, (context) => {
      late = context;
      context.tag('in-time');
      return 1;
    });
    const before = cache.inspect(KEY);
    late?.tag('late');
    late?.dependsOn('query::late');
    late?.setTtl(1);
    late?.skip();
    expect(cache.inspect(KEY)).toEqual(before);
    expect(cache.invalidate({ tag: 'late' }, 'query::late').entries).toBe(0);
  });
});

describe('the signal', () => {
  it('fires when the cache is stopped while it runs', async () => {
    const { cache } = withPolicy();
    const loader = heldLoader();
    const reads = [cache.getOrLoad(KEY, loader.load), cache.getOrLoad('query::y', loader.load)];
    const [one, other] = loader.contexts.map(({ signal }) => signal);
    await cache.stop();
    expect([one?.aborted, other?.aborted]).toEqual([true, true]);
    loader.fail(new Down(), 0);
    loader.fail(new Down(), 1);
    await Promise.allSettled(reads);
  });

  it('does not fire because somebody lost interest: an invalidation lets a load end for those who wait', async () => {
    const { cache } = withPolicy({ hardTimeoutMs: 1_000 });
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    const { signal } = loader.contexts[0] as LoadContext;
    cache.invalidate(KEY);
    expect(signal.aborted).toBe(false);
    loader.give(1);
    expect(await read).toBe(1);
  });
});

describe('while the loader runs', () => {
  it('I2: `notModified` after an invalidation answers those who waited, and keeps nothing', async () => {
    const { cache, clock } = withPolicy({ graceMs: TTL_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    cache.invalidate(KEY);
    const after = cache.getOrLoad(KEY, () => 'new');
    loader.give(loader.contexts[0]?.notModified(), 0);
    expect(await read).toBe('old');
    expect(await after).toBe('new');
    expect(cache.get(KEY)).toBe('new');
  });

  it('I2: `notModified` never takes the place of a newer `set`', async () => {
    const { cache, clock } = withPolicy({ graceMs: TTL_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    cache.set(KEY, 'written');
    loader.give(loader.contexts[0]?.notModified());
    await read;
    expect(cache.get(KEY)).toBe('written');
  });
});
