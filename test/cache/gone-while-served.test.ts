/** An entry that its own loader removes while it is served, before the loader's first `await`. */
import { expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { bench, tierOf } from './support.ts';

const BOUND = 100_000;
const TEXT = 'x'.repeat(1_000);

const policies: readonly (readonly [string, Partial<TierPolicy>])[] = [
  ['stale-while-revalidate', { ttlMs: 5, staleWhileRevalidateMs: 60_000 }],
  ['refresh-ahead', { ttlMs: 60_000, refreshAheadRatio: 0.0001 }],
  ['an early refresh', { ttlMs: 10_000, earlyRefreshBeta: 1_000_000 }],
];
const removals: readonly (readonly [string, (cache: Cache) => unknown])[] = [
  ['invalidates it', (cache) => cache.invalidate('page::*')],
  ['deletes it', (cache) => cache.delete('page::1')],
  ['sets it', (cache) => cache.set('page::1', 'set')],
  ['clears the cache', (cache) => cache.clear()],
  [
    'evicts it by reading others',
    (cache) => {
      for (let i = 0; i < 200; i++) cache.getOrLoadSync(`row::${i}`, () => TEXT + i);
    },
  ],
];

it.each(
  policies.flatMap(([policy, rules]) =>
    removals.map(([removal, remove]) => ({ policy, rules, removal, remove })),
  ),
)(
  'I5: $policy, and a loader that $removal: it is not held any more, and the figures are true',
  async ({ rules, remove }) => {
    const { cache, clock } = bench({
      maxWeightBytes: BOUND,
      random: () => 0.5,
      tiers: [tierOf('page', ['page'], rules), tierOf('row', ['row'])],
    });
    const read = () =>
      cache.getOrLoad('page::1', async ({ stale }) => {
        if (stale !== undefined) remove(cache);
        return TEXT;
      });
    for (let round = 0; round < 50; round++) {
      await read();
      await clock.advanceAsync(7);
      expect(typeof (await read())).toBe('string');
      await clock.settle();
    }
    for (let i = 0; i < 500; i++) cache.set(`row::${i % 300}`, TEXT);
    const kept = ['page::1', ...Array.from({ length: 300 }, (_, i) => `row::${i}`)].flatMap(
      (key) => cache.inspect(key) ?? [],
    );
    const weightBytes = kept.reduce((sum, report) => sum + report.weightBytes, 0);
    expect(cache.stats().total).toMatchObject({ entries: kept.length, weightBytes });
    expect(weightBytes).toBeLessThanOrEqual(BOUND);
  },
);
