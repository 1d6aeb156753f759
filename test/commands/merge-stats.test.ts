/** The statistics of several shards as one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LoadTimeHistogram } from '../../src/cache/statistics/load-times.ts';
import type { CacheStats, Figures, LoadTimes } from '../../src/cache/statistics/stats.ts';
import { mergeStats } from '../../src/commands/shards/merge-stats.ts';
import { fromWire, toWire } from '../../src/commands/shards/wire.ts';
import { desk, fillShop } from './desk.ts';
import { cacheStats } from './stats-data.ts';

/** The paths of everything that is counted, so that no counter is forgotten by a merge. */
function counters(figures: Figures): Map<string, number> {
  const found = new Map<string, number>();
  for (const [name, value] of Object.entries(figures)) {
    if (typeof value === 'number' && name !== 'hitRate') found.set(name, value);
    else if (name !== 'loadTimes' && typeof value === 'object' && value !== null) {
      for (const [inner, count] of Object.entries(value)) found.set(`${name}.${inner}`, Number(count));
    }
  }
  return found;
}

/** The statistics of a cache that was used so often, in one way or another. */
async function used(reads: readonly number[]): Promise<CacheStats> {
  const one = desk();
  fillShop(one.cache);
  for (const nth of reads) one.cache.getOrLoadSync(`products::p${nth}`, () => ({ nth }));
  const stats = one.cache.stats(100);
  await one.stop();
  return stats;
}

function timesOf(durations: readonly number[]): LoadTimes | null {
  const histogram = new LoadTimeHistogram();
  for (const ms of durations) histogram.record(ms);
  return histogram.figures();
}

/** Statistics with these load times, as they come from another process. */
function withTimes(loadTimes: LoadTimes | null): CacheStats {
  const base = cacheStats();
  return fromWire(toWire({ ...base, total: { ...base.total, loadTimes } })) as CacheStats;
}

describe('statistics of several shards', () => {
  it('of one are those of that one', async () => {
    const stats = await used([1, 1, 20, 21]);
    expect(mergeStats([stats])).toEqual({
      ...stats,
      topKeys: [...stats.topKeys].sort((a, b) => b.hits - a.hits),
    });
  });

  it('add up every counter, and the hit rate is of the sums', async () => {
    const reads = fc.array(fc.nat({ max: 40 }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(reads, reads, async (here, there) => {
        const [one, other] = [await used(here), await used(there)];
        const both = mergeStats([one, other]);
        for (const [name, count] of counters(both.total)) {
          const parts = (counters(one.total).get(name) ?? 0) + (counters(other.total).get(name) ?? 0);
          expect(count, name).toBeCloseTo(parts);
        }
        const { hits, lookups, hitRate } = both.total;
        expect(hitRate).toBe(lookups === 0 ? null : hits / lookups);
        expect(both.maxWeightBytes).toBe(one.maxWeightBytes + other.maxWeightBytes);
        const sum = (list: readonly Figures[]) => list.reduce((total, row) => total + row.hits, 0);
        expect(sum(both.tiers)).toBe(hits);
        expect(sum(both.namespaces)).toBe(hits);
      }),
      { numRuns: 25 },
    );
  });

  it('have the load times that one cache with all the loads would have', () => {
    // Beyond fifty minutes the histogram has no bounds any more.
    const duration = fc.double({ min: 0.0001, max: 3e6, noNaN: true });
    const durations = fc.array(duration, { minLength: 1 });
    fc.assert(
      fc.property(durations, durations, (here, there) => {
        const [one, other, both] = [here, there, [...here, ...there]].map(timesOf);
        const merged = mergeStats([withTimes(one ?? null), withTimes(other ?? null)]).total.loadTimes;
        const near = (name: 'meanMs' | 'p50Ms' | 'p99Ms') => expect.closeTo(both?.[name] ?? 0, 3);
        expect(merged).toEqual({
          ...both,
          meanMs: near('meanMs'),
          p50Ms: near('p50Ms'),
          p99Ms: near('p99Ms'),
        });
      }),
    );
  });

  it('name a key once, with the hits of all and the size of its largest copy', () => {
    const row = (hits: number, weightBytes: number | undefined, freshForMs: number | undefined) => ({
      ...cacheStats(),
      topKeys: [{ key: 'config::limits', tier: 'config', hits, weightBytes, freshForMs }],
    });
    const { topKeys } = mergeStats([row(3, 100, 5_000), row(4, undefined, undefined), row(2, 120, 1_000)]);
    expect(topKeys).toEqual([
      { key: 'config::limits', tier: 'config', hits: 9, weightBytes: 120, freshForMs: 5_000 },
    ]);
  });

  it('tell the last failure of any, and since when the first of them counts', () => {
    const at = (sinceAt: number, failedAt: number | null): CacheStats => ({
      ...cacheStats(),
      sinceAt,
      lastFailure: failedAt === null ? null : { key: 'k', message: `at ${failedAt}`, at: failedAt },
    });
    const merged = mergeStats([at(10, 50), at(5, null), at(20, 70)]);
    expect(merged).toMatchObject({ sinceAt: 5, lastFailure: { message: 'at 70' } });
  });
});
