import { describe, expect, it } from 'vitest';
import { bench, heldLoader } from './support.ts';

describe('I13: stop', () => {
  it('ends every timer', async () => {
    const { cache, clock } = bench();
    expect(clock.pendingTimers).toBeGreaterThan(0);
    await cache.stop();
    expect(clock.pendingTimers).toBe(0);
    expect(cache.closed).toBe(true);
  });

  it('may be called twice, and while it runs', async () => {
    const { cache } = bench();
    await Promise.all([cache.stop(), cache.stop()]);
    await cache.stop();
    expect(cache.closed).toBe(true);
  });

  it('aborts the signal of loads in flight, which answer their waiters and are not kept', async () => {
    const { cache } = bench();
    const loader = heldLoader();
    const first = cache.getOrLoad('query::x', loader.load);
    const joined = cache.getOrLoad('query::x', loader.load);
    expect(loader.contexts[0]?.signal.aborted).toBe(false);
    await cache.stop();
    expect(loader.contexts[0]?.signal.aborted).toBe(true);
    expect(loader.contexts[0]?.signal.reason).toMatchObject({ code: 'ERR_CLOSED' });
    loader.give('late');
    expect(await Promise.all([first, joined])).toEqual(['late', 'late']);
    expect(cache.stats()).toMatchObject({ loading: 0, total: { entries: 0 } });
  });

  it('lets a load that rejects on the signal reject for its waiters', async () => {
    const { cache } = bench();
    const read = cache.getOrLoad(
      'query::x',
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const [outcome] = await Promise.allSettled([read, cache.stop()]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_CLOSED' } });
  });

  it('sends reads to their loaders: no later write could outdate what memory holds', async () => {
    const { cache } = bench();
    cache.set('query::x', 'old');
    await cache.stop();
    expect(await cache.getOrLoad('query::x', () => 'new')).toBe('new');
    expect(cache.getOrLoadSync('query::x', () => 'newer')).toBe('newer');
    expect(await cache.getOrLoadMany(['query::x'], () => new Map([['query::x', 'newest']]))).toEqual(
      new Map([['query::x', 'newest']]),
    );
    expect(cache.lookup('query::x')).toEqual({ state: 'miss' });
    expect(cache.has('query::x')).toBe(false);
  });

  it('makes writes and invalidations do nothing', async () => {
    const { cache } = bench();
    await cache.stop();
    expect(cache.set('query::x', 1)).toBe(false);
    expect(cache.setMany([['query::x', 1]])).toBe(0);
    expect(cache.invalidate('*')).toEqual({ entries: 0, weightBytes: 0, loads: 0 });
    expect(cache.clear()).toEqual({ entries: 0, weightBytes: 0, loads: 0 });
    expect(cache.delete('query::x')).toBe(false);
  });

  it('waits for a cleanup under way', async () => {
    const { cache, clock } = bench();
    for (let i = 0; i < 5_000; i++) cache.set(`query::${i}`, i);
    clock.advance(600_000);
    await cache.stop();
    expect(cache.stats().total.entries).toBe(0);
  });
});

describe('a cache that is not enabled', () => {
  it('sends every read to its loader and keeps nothing', async () => {
    const { cache } = bench({ enabled: false });
    let loads = 0;
    for (let times = 0; times < 2; times++) {
      await cache.getOrLoad('query::x', () => ++loads);
      cache.getOrLoadSync('query::x', () => ++loads);
      await cache.getOrLoadMany(['query::x'], () => new Map([['query::x', ++loads]]));
    }
    expect(loads).toBe(6);
    expect(cache.set('query::x', 1)).toBe(false);
    expect(cache.stats()).toMatchObject({ enabled: false, total: { entries: 0, hits: 0, loads: 6 } });
  });
});
