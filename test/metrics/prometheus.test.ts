/** The statistics as Prometheus reads them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheStats, DiskStats, Figures } from '../../src/cache/statistics/stats.ts';
import { DISK_METRICS } from '../../src/metrics/disk-figures.ts';
import { FEED_METRICS } from '../../src/metrics/feed-figures.ts';
import { FIGURE_METRICS } from '../../src/metrics/figures.ts';
import { cacheMetrics } from '../../src/metrics/prometheus.ts';
import { bench, heldLoader, tierOf } from '../cache/support.ts';
import { handClock } from '../support/hand-clock.ts';
import { parseExposition } from './exposition.ts';

function exported(cache: Pick<Cache, 'stats' | 'clock'>) {
  const registry = new Registry();
  const metrics = cacheMetrics(cache, registry);
  onTestFinished(() => metrics.stop());
  const families = async () => parseExposition(await registry.metrics());
  /** The value of the one series with these labels, and perhaps more. */
  const value = async (name: string, labels: Record<string, string> = {}) => {
    const all = [...(await families()).values()].flatMap(({ series }) => series);
    const found = all.filter(
      (one) => one.name === name && Object.entries(labels).every(([key, text]) => one.labels[key] === text),
    );
    expect(found, name).toHaveLength(1);
    return found[0]?.value;
  };
  return { registry, families, value };
}

/** A number of its own for each figure, so that none can stand for another. */
function numbered(): Figures {
  let next = 1_000;
  const fresh = bench().cache.stats().total;
  const fill = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fill(one)]))
      : ++next;
  const figures = fill({ ...fresh, hitRate: 0 }) as Figures; // the same fields
  return {
    ...figures,
    diskHits: 400,
    loadTimes: { count: 3, meanMs: 2_000, p50Ms: 1, p99Ms: 1, maxMs: 1, buckets: [] },
  };
}

/** The same for the disk layer, from one that is there. */
function numberedDisk(): DiskStats {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-metrics-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { cache } = bench({ disk: { path: join(folder, 'cache.db') } });
  onTestFinished(() => cache.stop());
  const { disk } = cache.stats();
  if (disk === null) throw new Error('There is no disk layer.');
  let next = 5_000;
  return Object.fromEntries(
    Object.entries(disk).map(([name, value]) => [name, typeof value === 'number' ? ++next : value]),
  ) as unknown as DiskStats; // the same fields
}

describe('the metrics', () => {
  it('leave out no figure of the statistics', async () => {
    const figures = numbered();
    const stats: CacheStats = {
      ...bench().cache.stats(),
      tiers: [{ tier: 'user', label: 'User', ...figures }],
    };
    const { families } = exported({ stats: () => stats, clock: handClock() });
    const all = [...(await families()).values()].flatMap(({ series }) => series);
    const values = new Set(all.filter(({ labels }) => labels.tier === 'user').map((one) => one.value));
    const expected = Object.entries(figures).flatMap(([name, value]): [string, number][] => {
      if (name === 'loadTimes') return [[name, 3]];
      if (name === 'hits') return [[name, figures.hits - figures.diskHits]];
      if (name === 'savedMs') return [[name, figures.savedMs / 1_000]];
      if (typeof value === 'number') return [[name, value]];
      return Object.entries(value as Record<string, number>).map(([reason, count]) => [
        `${name}.${reason}`,
        count,
      ]);
    });
    expect(expected.length).toBeGreaterThan(25);
    expect(expected.filter(([, value]) => !values.has(value)).map(([name]) => name)).toEqual([]);
    const { diskHits: _hitsOfALayer, ...others } = figures;
    expect(Object.keys(FIGURE_METRICS).sort()).toEqual(Object.keys(others).sort());
  });

  it('fit the format, say what they are, and name counters as such', async () => {
    const { cache } = bench();
    await cache.getOrLoad('query::x', () => 1);
    const { families, registry } = exported(cache);
    expect(registry.contentType).toContain('version=0.0.4');
    const found = await families();
    expect(found.size).toBe(
      Object.keys(FIGURE_METRICS).length +
        Object.keys(DISK_METRICS).length +
        Object.keys(FEED_METRICS).length +
        6,
    );
    for (const [name, { type, help }] of found) {
      expect(name).toMatch(/^cachecord_[a-z_]+$/);
      expect(help).toMatch(/^[A-Z0-9].+\.$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
    }
  });

  it('are by tier, own tiers included, with the layer of what belongs to one', async () => {
    const { cache } = bench({ tiers: [tierOf('query', ['query']), tierOf('odd "tier"\\', ['odd'])] });
    await cache.getOrLoad('query::x', () => 1);
    await cache.getOrLoad('odd::x', () => 1);
    cache.get('odd::x');
    const { value } = exported(cache);
    expect(await value('cachecord_hits_total', { tier: 'odd "tier"\\', layer: 'memory' })).toBe(1);
    expect(await value('cachecord_hits_total', { tier: 'query', layer: 'memory' })).toBe(0);
    expect(await value('cachecord_entries', { tier: 'query', layer: 'memory' })).toBe(1);
    expect(await value('cachecord_max_weight_bytes', { layer: 'memory' })).toBe(10_000_000);
  });

  it('leave out no figure of the disk layer', async () => {
    const numbers = { ...numberedDisk(), state: 'ready' as const };
    const stats: CacheStats = { ...bench().cache.stats(), disk: numbers };
    const { value } = exported({ stats: () => stats, clock: handClock() });
    for (const [name, figure] of Object.entries(numbers)) {
      if (typeof figure !== 'number') continue;
      const metric = DISK_METRICS[name as keyof typeof DISK_METRICS]; // the compiler holds that it is there
      expect(await value(metric.name, { layer: 'disk' }), name).toBe(figure);
    }
    expect(await value('cachecord_disk_up', { layer: 'disk' })).toBe(1);
  });

  it('say that the disk layer fails, and nothing of one that is not there', async () => {
    const stats = bench().cache.stats();
    const failing: CacheStats = { ...stats, disk: { ...numberedDisk(), state: 'failing' } };
    const { value } = exported({ stats: () => failing, clock: handClock() });
    expect(await value('cachecord_disk_up')).toBe(0);
    const { families } = exported({ stats: () => stats, clock: handClock() });
    expect((await families()).get('cachecord_disk_up')?.series).toEqual([]);
  });

  it('leave out no figure of the change feed, and say nothing of one that is not there', async () => {
    const feed = {
      ...({ beginning: 'resumed', position: 42, readers: 2 } as const),
      ...{ changes: 31, invalidations: 17, widened: 3, gaps: 4 },
    };
    const stats: CacheStats = { ...bench().cache.stats(), feed };
    const { value } = exported({ stats: () => stats, clock: handClock() });
    for (const [name, { name: metric }] of Object.entries(FEED_METRICS)) {
      expect(await value(metric), name).toBe(name === 'beginning' ? 1 : Reflect.get(feed, name));
    }
    const without = await exported(bench().cache).families();
    const samples = [...without.values()].flatMap(({ series }) => series.map(({ name }) => name));
    expect(samples.filter((name) => name.startsWith('cachecord_feed_'))).toEqual([]);
  });

  it('tell hits of memory from those of the disk', async () => {
    const stats = bench().cache.stats();
    const tiers = stats.tiers.map((figures) => ({ ...figures, hits: 10, diskHits: 3 }));
    const { value } = exported({ stats: () => ({ ...stats, tiers }), clock: handClock() });
    expect(await value('cachecord_hits_total', { tier: 'query', layer: 'memory' })).toBe(7);
    expect(await value('cachecord_hits_total', { tier: 'query', layer: 'disk' })).toBe(3);
  });

  it('count on from scrape to scrape, and no scrape counts twice', async () => {
    const { cache } = bench();
    const { value, registry } = exported(cache);
    await cache.getOrLoad('query::x', () => 1);
    for (let hits = 1; hits <= 3; hits++) {
      cache.get('query::x');
      await Promise.all([registry.metrics(), registry.metrics()]);
      expect(await value('cachecord_hits_total', { tier: 'query', layer: 'memory' })).toBe(hits);
    }
  });

  it('tell failures and what was removed and refused, by reason', async () => {
    const { cache, clock } = bench();
    const { value } = exported(cache);
    await cache.getOrLoad('query::x', () => Promise.reject(new Error('down'))).catch(() => undefined);
    cache.set('query::a', 1);
    cache.set('query::a', 2);
    cache.invalidate('query::a');
    await cache.getOrLoad('query::b', () => 1, { ttlMs: 0 });
    clock.advance(5_000);
    expect(await value('cachecord_load_failures_total', { tier: 'query' })).toBe(1);
    expect(await value('cachecord_removals_total', { tier: 'query', reason: 'replaced' })).toBe(1);
    expect(await value('cachecord_removals_total', { tier: 'query', reason: 'invalidated' })).toBe(1);
    expect(await value('cachecord_refusals_total', { tier: 'query', reason: 'not-wanted' })).toBe(1);
    expect(await value('cachecord_last_load_failure_timestamp_seconds')).toBe(clock.epochAt(0) / 1_000);
    expect(await value('cachecord_start_time_seconds')).toBe(clock.epochAt(0) / 1_000);
  });

  it('hold the durations of loads in a histogram whose counts are exact', async () => {
    const { cache, clock } = bench();
    const { families, value } = exported(cache);
    for (const [i, ms] of [0.016, 4, 4.096, 5, 8.192, 200_000].entries()) {
      const { load, give } = heldLoader<number>();
      const loaded = cache.getOrLoad(`query::${i}`, load);
      clock.advance(ms);
      give(i);
      await loaded;
    }
    const at = (le: string) => value('cachecord_load_duration_seconds_bucket', { tier: 'query', le });
    expect(await at('0.000016')).toBe(1);
    expect(await at('0.004096')).toBe(3);
    expect(await at('0.008192')).toBe(5);
    expect(await at('67.108864')).toBe(5);
    expect(await at('+Inf')).toBe(6);
    expect(await value('cachecord_load_duration_seconds_count', { tier: 'query' })).toBe(6);
    expect(await value('cachecord_load_duration_seconds_sum', { tier: 'query' })).toBeCloseTo(200.0213);
    const histogram = (await families()).get('cachecord_load_duration_seconds');
    expect(histogram?.type).toBe('histogram');
    for (const tier of ['config', 'query']) {
      const counts = histogram?.series.filter(
        ({ name, labels }) => name.endsWith('_bucket') && labels.tier === tier,
      );
      const bounds = counts?.map(({ labels }) => Number(labels.le?.replace('+Inf', 'Infinity'))) ?? [];
      expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
      expect(counts?.map((one) => one.value)).toEqual(
        counts?.map((one) => one.value).toSorted((a, b) => a - b),
      );
    }
  });

  it('tell of loads in flight, and whether the cache is on', async () => {
    const { cache } = bench();
    const { load, give } = heldLoader<number>();
    const { value } = exported(cache);
    const loaded = cache.getOrLoad('query::x', load);
    expect(await value('cachecord_loads_in_flight')).toBe(1);
    give(1);
    await loaded;
    expect(await value('cachecord_loads_in_flight')).toBe(0);
    expect(await value('cachecord_enabled')).toBe(1);
    expect(await exported(bench({ enabled: false }).cache).value('cachecord_enabled')).toBe(0);
  });

  it('tell how long the event loop was held, the same to all who look within ten seconds', async () => {
    const { cache, clock } = bench();
    const { families, value } = exported(cache);
    const quantiles = async () => (await families()).get('cachecord_event_loop_delay_seconds')?.series;
    const first = await quantiles();
    expect(first?.map(({ labels }) => labels.quantile).sort()).toEqual(['0.5', '0.99', '1']);
    // The loop has to turn before it is held, for there to be a look before.
    await expect
      .poll(async () => {
        clock.advance(10_000);
        const until = performance.now() + 60;
        while (performance.now() < until);
        await new Promise((done) => setImmediate(done));
        return value('cachecord_event_loop_delay_seconds', { quantile: '1' });
      })
      .toBeGreaterThan(0.02);
    const held = await quantiles();
    clock.advance(9_999);
    expect(await quantiles()).toEqual(held);
  });
});

describe('the metrics of a second cache', () => {
  it('are refused by a registry that has those of a first, with what to do, and leave the first alone', async () => {
    const registry = new Registry();
    const first = cacheMetrics(bench().cache, registry);
    onTestFinished(() => first.stop());
    const before = registry.getMetricsAsArray().length;
    expect(() => cacheMetrics(bench().cache, registry)).toThrow(/registry of its own.*clear\(\)/);
    expect(registry.getMetricsAsArray()).toHaveLength(before);
    const own = cacheMetrics(bench().cache, new Registry());
    onTestFinished(() => own.stop());
    registry.clear();
    const again = cacheMetrics(bench().cache, registry);
    onTestFinished(() => again.stop());
    expect(await registry.metrics()).toContain('cachecord_enabled 1');
  });
});
