import { describe, expect, it } from 'vitest';
import type { CacheEvents } from '../../src/cache/events.ts';
import { Windows } from '../../src/cache/statistics/windows.ts';
import { bench, heldLoader, TTL_MS } from './support.ts';

const totals = (hits: number, misses = 0) => ({ hits, misses, loads: misses, failures: 0 });

describe('figures', () => {
  it('count a forced load as a refresh and not as a lookup, since nothing could have been a hit', async () => {
    const { cache } = bench();
    await cache.getOrLoad('user::1::profile', () => 1, { fresh: true });
    expect(cache.stats().total).toMatchObject({ lookups: 0, misses: 0, loads: 1, refreshes: 1, fills: 1 });
  });

  it('count each lookup once, as a hit or as a miss', async () => {
    const { cache } = bench();
    expect(cache.stats().total).toMatchObject({ lookups: 0, hitRate: null, loadTimes: null });
    await cache.getOrLoad('query::x', () => 1);
    await cache.getOrLoad('query::x', () => 1);
    cache.get('query::x');
    cache.lookup('query::y');
    cache.getMany(['query::x', 'query::y']);
    cache.has('query::x');
    cache.inspect('query::x');
    expect(cache.stats().total).toMatchObject({ lookups: 6, hits: 3, misses: 3, hitRate: 0.5, loads: 1 });
  });

  it('are told by tier and namespace, and sum up to the total', async () => {
    const { cache } = bench();
    cache.set('config::a', 1);
    cache.set('products::1', 1);
    cache.set('categories::1', 1);
    cache.set('mine::1', 1, { tier: 'user' });
    cache.get('mine::1');
    const { total, tiers, namespaces } = cache.stats();
    expect(tiers.map(({ tier, entries }) => [tier, entries])).toEqual([
      ['config', 1],
      ['reference', 2],
      ['user', 1],
      ['query', 0],
    ]);
    for (const parts of [tiers, namespaces]) {
      for (const figure of ['entries', 'weightBytes', 'sets', 'lookups', 'hits'] as const) {
        expect(parts.reduce((sum, each) => sum + each[figure], 0)).toBe(total[figure]);
      }
    }
  });

  it('name why a value was served but not kept', async () => {
    const { cache } = bench({ maxWeightBytes: 5_000 });
    await cache.getOrLoad('query::a', ({ skip }) => skip());
    await cache.getOrLoad('query::b', () => 'x'.repeat(10_000));
    await cache.getOrLoad('query::c', () => () => 1);
    await cache.getOrLoad('query::d', () => cache.invalidate('query::d').entries);
    await cache.getOrLoad('query::e', ({ setTtl }) => setTtl(0));
    expect(cache.stats().total).toMatchObject({
      fills: 0,
      refusals: { 'not-wanted': 2, 'too-large': 1, unsafe: 1, invalidated: 1 },
    });
  });

  it('name why an entry was removed, and the last failure', async () => {
    const { cache, clock } = bench({ maxWeightBytes: 1_500 });
    cache.set('query::a', 1);
    cache.set('query::a', 2);
    cache.invalidate('query::a');
    cache.set('query::b', 1, { ttlMs: 10 });
    clock.advance(10);
    cache.get('query::b');
    for (let i = 0; cache.stats().total.removals.evicted === 0; i++) cache.set(`query::${i}`, i);
    expect(cache.stats().total.removals).toEqual({ replaced: 1, invalidated: 1, expired: 1, evicted: 1 });
    await cache.getOrLoad('query::f', () => Promise.reject(new Error('down'))).catch(() => undefined);
    expect(cache.stats().lastFailure).toEqual({ key: 'query::f', message: 'down', at: clock.epochAt(10) });
  });

  it('measure loads and the time that hits saved', async () => {
    const { cache, clock } = bench();
    const loader = heldLoader();
    const read = cache.getOrLoad('query::x', loader.load);
    clock.advance(40);
    expect(cache.stats().loading).toBe(1);
    loader.give(1);
    await read;
    for (let i = 0; i < 10; i++) cache.get('query::x');
    const { total } = cache.stats();
    expect(total.loadTimes).toMatchObject({ count: 1, meanMs: 40, maxMs: 40 });
    expect(total.savedMs).toBe(400);
    expect(cache.inspect('query::x')).toMatchObject({ loadMs: 40, hits: 10, shape: 'number' });
  });

  it('stay bounded however many namespaces hostile text makes', () => {
    const { cache } = bench();
    for (let i = 0; i < 2_000; i++) cache.set(`n${i}::x`, i);
    expect(cache.stats().namespaces.length).toBeLessThan(520);
    expect(cache.stats().total).toMatchObject({ writes: 2_000, entries: 2_000 });
    cache.set('__proto__::constructor', 1);
    expect(cache.get('__proto__::constructor')).toBe(1);
  });
});

describe('a window', () => {
  it('covers its span exactly from one sample to another', () => {
    const windows = new Windows(0);
    for (let at = 5_000; at <= 120_000; at += 5_000) windows.sample(at, totals(at / 1_000));
    expect(windows.figures(120_000, totals(120))[0]).toMatchObject({
      window: 'minute',
      coveredMs: 60_000,
      hits: 60,
      lookupsPerSecond: 1,
    });
    expect(windows.figures(124_999, totals(125))[0]).toMatchObject({ coveredMs: 64_999, hits: 65 });
    expect(windows.figures(125_000, totals(125))[0]).toMatchObject({ coveredMs: 60_000, hits: 60 });
  });

  it('covers what has been seen yet, and divides nothing by zero', () => {
    const windows = new Windows(0);
    for (const figures of windows.figures(0, totals(0))) {
      expect(figures).toMatchObject({ coveredMs: 0, lookups: 0, hitRate: null, lookupsPerSecond: 0 });
    }
    for (const figures of windows.figures(2_000, totals(3, 1))) {
      expect(figures).toMatchObject({ coveredMs: 2_000, lookups: 4, hitRate: 0.75, lookupsPerSecond: 2 });
    }
  });

  it('of an hour and a day moves on while nothing happens', () => {
    const { cache, clock } = bench();
    cache.get('query::x');
    clock.advance(3_600_000);
    expect(cache.stats().windows.map(({ lookups }) => lookups)).toEqual([0, 1, 1]);
    clock.advance(60_000);
    expect(cache.stats().windows.map(({ lookups }) => lookups)).toEqual([0, 0, 1]);
    clock.advance(86_400_000);
    expect(cache.stats().windows.map(({ lookups }) => lookups)).toEqual([0, 0, 0]);
  });
});

describe('the most used keys', () => {
  it('come first, and hits go on counting over refills', () => {
    const { cache } = bench();
    for (const [key, hits] of [
      ['query::a', 5],
      ['query::b', 9],
    ] as const) {
      cache.set(key, 1);
      for (let i = 0; i < hits; i++) cache.get(key);
    }
    cache.set('query::a', 2);
    for (let i = 0; i < 6; i++) cache.get('query::a');
    expect(cache.stats().topKeys).toMatchObject([
      { key: 'query::a', hits: 11, tier: 'query', freshForMs: TTL_MS },
      { key: 'query::b', hits: 9 },
    ]);
    expect(cache.stats(1).topKeys).toHaveLength(1);
  });

  it('show no weight and no freshness when they are not resident', () => {
    const { cache, clock } = bench();
    const gone = { weightBytes: undefined, freshForMs: undefined };
    cache.set('query::a', 1);
    cache.get('query::a');
    cache.invalidate('query::a');
    expect(cache.stats().topKeys).toMatchObject([{ hits: 1, ...gone }]);
    cache.set('query::a', 1);
    expect(cache.stats().topKeys).toMatchObject([{ hits: 1, freshForMs: TTL_MS }]);
    cache.invalidate('query::a');
    expect(cache.stats().topKeys).toMatchObject([{ hits: 1, ...gone }]);
    cache.set('query::a', 1);
    clock.advance(TTL_MS);
    expect(cache.stats().topKeys).toMatchObject([{ hits: 1, ...gone }]);
    cache.clear();
    expect(cache.stats().topKeys).toMatchObject([{ hits: 1, ...gone }]);
  });

  it('stay bounded, and a busy newcomer finds room', () => {
    const { cache } = bench();
    for (let i = 0; i < 2_000; i++) {
      cache.set(`query::${i}`, i);
      cache.get(`query::${i}`);
    }
    for (let i = 0; i < 100; i++) cache.get('query::1999');
    const top = cache.stats(10_000).topKeys;
    expect(top.length).toBeLessThanOrEqual(512);
    expect(top[0]).toMatchObject({ key: 'query::1999' });
    expect(top[0]?.hits).toBeGreaterThanOrEqual(100);
  });
});

describe('events', () => {
  it('tell of loads, failures, refusals and invalidations, until the listener leaves', async () => {
    const { cache, clock } = bench();
    const heard: unknown[] = [];
    const leave = (['loaded', 'failed', 'refused', 'invalidated'] as const).map((event) =>
      cache.on(event, (told: CacheEvents[typeof event]) => heard.push({ event, ...told })),
    );
    const everything = async () => {
      const loader = heldLoader();
      const read = cache.getOrLoad('query::x', loader.load, { fresh: true });
      clock.advance(5);
      loader.give(1);
      await read;
      const error = new Error('down');
      await cache.getOrLoad('query::y', () => Promise.reject(error)).catch(() => undefined);
      await cache.getOrLoad('query::z', () => 1, { ttlMs: 0 });
      cache.invalidate('query::x', { tag: 't' });
      cache.clear();
    };
    await everything();
    expect(heard).toMatchObject([
      { event: 'loaded', key: 'query::x', tier: 'query', loadMs: 5, kept: true },
      { event: 'failed', key: 'query::y', error: { message: 'down' } },
      { event: 'refused', key: 'query::z', reason: 'not-wanted' },
      { event: 'loaded', key: 'query::z', kept: false },
      { event: 'invalidated', target: 'query::x', removal: { entries: 1 } },
      { event: 'invalidated', target: { tag: 't' } },
      { event: 'invalidated', target: 'all', removal: { entries: 0 } },
    ]);
    for (const each of leave) each();
    await everything();
    expect(heard).toHaveLength(7);
  });

  it('a load over 30 s is said once in the log', async () => {
    const warnings: unknown[] = [];
    const warn = (_: string, fields?: object) => void warnings.push(fields);
    const { cache, clock } = bench({ logger: { debug() {}, info() {}, error() {}, warn } });
    const loader = heldLoader();
    const read = cache.getOrLoad('query::slow', loader.load);
    clock.advance(25_000);
    expect(warnings).toEqual([]);
    clock.advance(300_000);
    expect(warnings).toEqual([{ key: 'query::slow' }]);
    loader.give(1);
    await read;
  });
});
