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

const SWR_MS = 30_000;

noUnhandledRejections();

describe('stale-while-revalidate is off', () => {
  it('unless asked for: whoever comes after the ttl waits for the load', async () => {
    const { cache, clock, figures } = withPolicy();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    expect(await cache.getOrLoad(KEY, () => 'new')).toBe('new');
    expect(figures()).toMatchObject({ misses: 1, refreshes: 0, stale: { revalidating: 0 } });
  });

  it('for a call that says 0', async () => {
    const { cache, clock } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    expect(await cache.getOrLoad(KEY, () => 'new', { staleWhileRevalidateMs: 0 })).toBe('new');
  });

  it('for `get`, which could not load anew', () => {
    const { cache, clock } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    expect(cache.get(KEY)).toBeUndefined();
  });
});

describe.each(WAYS)('stale-while-revalidate, for %s reads,', (_name, read) => {
  it('serves the old value at once and the new one when its load has ended', async () => {
    const { cache, clock, figures } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    await read(cache, () => 'old');
    clock.advance(TTL_MS);
    expect(await read(cache, () => 'new')).toBe('old');
    await clock.settle();
    expect(await read(cache, fails)).toBe('new');
    expect(figures()).toMatchObject({
      hits: 2,
      misses: 1,
      loads: 2,
      refreshes: 1,
      stale: { revalidating: 1 },
    });
  });

  it('serves it to the last millisecond of its time, and waits from then on', async () => {
    const { cache, clock } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    await read(cache, () => 'old');
    clock.advance(TTL_MS + SWR_MS);
    expect(await read(cache, () => 'new')).toBe('new');
    clock.advance(TTL_MS + SWR_MS - 1);
    expect(await read(cache, () => 'newer')).toBe('new');
  });

  it('may be asked for by a call alone', async () => {
    const { cache, clock } = withPolicy();
    const options = { staleWhileRevalidateMs: SWR_MS };
    await read(cache, () => 'old', options);
    clock.advance(TTL_MS);
    expect(await read(cache, () => 'new', options)).toBe('old');
  });

  it('goes on serving the old value when the load behind fails, says so, and leaves the source alone', async () => {
    const { cache, clock, figures, said } = withPolicy({
      staleWhileRevalidateMs: SWR_MS,
      graceBackoffMs: 5_000,
    });
    await read(cache, () => 'old');
    clock.advance(TTL_MS);
    expect(await read(cache, fails)).toBe('old');
    await clock.settle();
    expect(await read(cache, () => 'new')).toBe('old');
    await clock.settle();
    expect(figures()).toMatchObject({ loads: 2, failures: 1, stale: { revalidating: 1, 'backing-off': 1 } });
    expect(said).toEqual(['A value could not be loaded anew; the old one goes on being served.']);
    clock.advance(5_000);
    await read(cache, () => 'new');
    await clock.settle();
    expect(await read(cache, fails)).toBe('new');
  });

  it('I1 and I6: holds for `null` and for kinds that are copied', async () => {
    const { cache, clock } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    await read<Date | null>(cache, () => new Date(1));
    clock.advance(TTL_MS);
    (await read<Date | null>(cache, () => null))?.setTime(5);
    await clock.settle();
    expect(await read<Date | null>(cache, fails)).toBeNull();
  });

  it.each(INVALIDATIONS)('I2: never serves what was invalidated by %s', async (_target, invalidate) => {
    const { cache, clock } = withPolicy({ staleWhileRevalidateMs: SWR_MS, graceMs: SWR_MS });
    await read(cache, () => 'old', LINKS);
    clock.advance(TTL_MS);
    invalidate(cache);
    expect(await read(cache, () => 'new', LINKS)).toBe('new');
  });
});

describe('the load behind', () => {
  it('I3: is one, however many read', async () => {
    const { cache, clock, figures } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    for (let i = 0; i < 100; i++) expect(await cache.getOrLoad(KEY, loader.load)).toBe('old');
    expect(cache.getOrLoadSync(KEY, fails)).toBe('old');
    expect(loader.calls).toBe(1);
    loader.give('new');
    await clock.settle();
    expect(await cache.getOrLoad(KEY, loader.load)).toBe('new');
    expect(figures()).toMatchObject({ hits: 102, misses: 0, loads: 1, stale: { revalidating: 101 } });
  });

  it('is joined by those for whom the old value has become too old', async () => {
    const { cache, clock, figures } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    await cache.getOrLoad(KEY, loader.load);
    clock.advance(SWR_MS);
    const read = cache.getOrLoad(KEY, loader.load);
    loader.give('new');
    expect(await read).toBe('new');
    expect(loader.calls).toBe(1);
    expect(figures()).toMatchObject({ hits: 1, misses: 1, joined: 1 });
  });

  it.each(INVALIDATIONS)('I2: fills nothing once %s has invalidated its key', async (_name, invalidate) => {
    const { cache, clock, figures } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old', LINKS);
    clock.advance(TTL_MS);
    await cache.getOrLoad(KEY, loader.load, LINKS);
    invalidate(cache);
    loader.give('read before the invalidation');
    await clock.settle();
    expect(await cache.getOrLoad(KEY, () => 'new')).toBe('new');
    expect(figures().refusals.invalidated).toBe(1);
  });

  it('I2: fills nothing where it learns its tag only at its end', async () => {
    const { cache, clock } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old', { tags: ['t'] });
    clock.advance(TTL_MS);
    await cache.getOrLoad(KEY, loader.load);
    cache.invalidate({ tag: 't' });
    loader.contexts[0]?.tag('t');
    loader.give('read before the invalidation');
    await clock.settle();
    expect(await cache.getOrLoad(KEY, () => 'new')).toBe('new');
  });

  it('never overwrites a newer `set`', async () => {
    const { cache, clock } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    await cache.getOrLoad(KEY, loader.load);
    cache.set(KEY, 'written');
    loader.give('loaded');
    await clock.settle();
    expect(cache.get(KEY)).toBe('written');
  });

  it('of a synchronous loader runs in a later turn of the event loop, so that its reader does not wait', async () => {
    const { cache, clock } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    let calls = 0;
    const load = () => ++calls;
    cache.set(KEY, 0);
    clock.advance(TTL_MS);
    expect(cache.getOrLoadSync(KEY, load)).toBe(0);
    expect(calls).toBe(0);
    await clock.settle();
    expect(calls).toBe(1);
    expect(cache.getOrLoadSync(KEY, load)).toBe(1);
  });

  it('I13: is not begun any more when `stop` came first, and says nothing', async () => {
    const { cache, clock, said } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    let calls = 0;
    cache.getOrLoadSync(KEY, () => ++calls);
    await cache.stop();
    await clock.settle();
    expect(calls).toBe(0);
    expect(said).toEqual([]);
  });

  it('I13: that `stop` aborts, says nothing', async () => {
    const { cache, clock, said } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    await cache.getOrLoad(KEY, loader.load);
    await cache.stop();
    expect(loader.contexts[0]?.signal.aborted).toBe(true);
    loader.fail(loader.contexts[0]?.signal.reason);
    await clock.settle();
    expect(said).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('with grace', () => {
  it('the shorter serves at once, and the longer when the load fails', async () => {
    const { cache, clock } = withPolicy({
      staleWhileRevalidateMs: SWR_MS,
      graceMs: SWR_MS * 2,
      graceBackoffMs: 0,
    });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS + SWR_MS);
    expect(await cache.getOrLoad(KEY, fails)).toBe('old');
    clock.advance(SWR_MS);
    await expect(cache.getOrLoad(KEY, fails)).rejects.toThrow(Down);
  });

  it('the batch loads what is stale and what is missing in one call, and gives the stale at once', async () => {
    const { cache, clock, figures } = withPolicy({ staleWhileRevalidateMs: SWR_MS });
    cache.set('query::1', 'old');
    clock.advance(TTL_MS);
    const asked: string[][] = [];
    const load = (missing: readonly string[]) => {
      asked.push([...missing]);
      return new Map(missing.map((key) => [key, 'new']));
    };
    const found = await cache.getOrLoadMany(['query::1', 'query::2'], load);
    expect([...found]).toEqual([
      ['query::1', 'old'],
      ['query::2', 'new'],
    ]);
    expect(asked).toEqual([['query::1', 'query::2']]);
    await clock.settle();
    expect(cache.get('query::1')).toBe('new');
    expect(figures()).toMatchObject({ loads: 2, refreshes: 1, stale: { revalidating: 1 } });
  });
});
