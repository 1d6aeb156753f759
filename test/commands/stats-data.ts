/** Statistics by hand: plain data for the views, with the numbers of a bot that has been up for a day. */
import type { CacheStats, DiskStats, Figures, TopKey } from '../../src/cache/statistics/stats.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import type { WarmReport, WarmTaskReport } from '../../src/warmers/types.ts';

export const NOW = Date.UTC(2026, 0, 2);
const HOUR_MS = 3_600_000;

export function figures(over: Partial<Figures> = {}): Figures {
  return {
    lookups: 1_447,
    hits: 1_234,
    diskHits: 0,
    misses: 213,
    hitRate: 1_234 / 1_447,
    joined: 21,
    loads: 190,
    refreshes: 0,
    failures: 2,
    timeouts: 0,
    unchanged: 0,
    stale: { revalidating: 0, 'backing-off': 0, failed: 0, slow: 0 },
    sets: 456,
    fills: 190,
    writes: 266,
    refusals: { invalidated: 0, 'too-large': 0, unsafe: 0, 'not-wanted': 0 },
    removals: { evicted: 0, expired: 37, invalidated: 61, replaced: 104 },
    entries: 156,
    weightBytes: 47_395_635,
    loadTimes: { count: 190, meanMs: 33, p50Ms: 0.4, p99Ms: 104, maxMs: 131 },
    savedMs: 41_000,
    savedCost: 0,
    ...over,
  };
}

export const NO_FIGURES: Figures = figures({
  lookups: 0,
  hits: 0,
  misses: 0,
  hitRate: null,
  joined: 0,
  loads: 0,
  failures: 0,
  sets: 0,
  fills: 0,
  writes: 0,
  removals: { evicted: 0, expired: 0, invalidated: 0, replaced: 0 },
  entries: 0,
  weightBytes: 0,
  loadTimes: null,
  savedMs: 0,
});

export function policy(over: Partial<TierPolicy> = {}): TierPolicy {
  return {
    tier: 'reference',
    label: 'Reference',
    description: 'Products, categories, discounts. Cleared on change.',
    ttlMs: 12 * HOUR_MS,
    negativeTtlMs: 30_000,
    jitterRatio: 0.05,
    namespaces: ['products', 'categories', 'discounts'],
    ...over,
  };
}

export const POLICIES: readonly TierPolicy[] = [
  policy({
    tier: 'config',
    label: 'Configuration',
    description: 'VIP tiers, payment methods.',
    ttlMs: 24 * HOUR_MS,
    namespaces: ['config'],
  }),
  policy(),
  policy({
    tier: 'user',
    label: 'User',
    description: 'Profiles, balances, orders.',
    ttlMs: HOUR_MS,
    namespaces: ['user', 'user_orders'],
  }),
  policy({
    tier: 'query',
    label: 'Query',
    description: 'Searches, leaderboards.',
    ttlMs: HOUR_MS / 2,
    namespaces: ['query'],
  }),
];

export function topKey(key: string, over: Partial<TopKey> = {}): TopKey {
  return { key, tier: 'reference', hits: 234, weightBytes: 12_288, freshForMs: 11 * HOUR_MS, ...over };
}

/** A disk layer after a restart. */
export function diskStats(over: Partial<DiskStats> = {}): DiskStats {
  return {
    path: '/home/somebody/bot/data/cache.db',
    state: 'ready',
    problem: undefined,
    proof: 'resumed',
    setAside: undefined,
    entries: 312,
    bytes: 4_404_019,
    maxBytes: 256 * 1_048_576,
    found: 298,
    outdated: 0,
    hits: 134,
    restored: 87,
    unproven: 0,
    expired: 0,
    written: 120,
    refused: 0,
    damaged: 0,
    evicted: 0,
    failures: 0,
    ...over,
  };
}

export function cacheStats(over: Partial<CacheStats> = {}): CacheStats {
  const total = over.total ?? figures();
  return {
    enabled: true,
    sinceAt: NOW - 24 * HOUR_MS,
    at: NOW,
    maxWeightBytes: 100 * 1_048_576,
    total,
    tiers: POLICIES.map(({ tier, label }) => ({ ...total, tier, label })),
    namespaces: [
      { ...total, namespace: 'products', tier: 'reference', entries: 40 },
      { ...total, namespace: 'user', tier: 'user', entries: 98 },
    ],
    windows: [
      {
        window: 'hour',
        coveredMs: HOUR_MS,
        lookups: 100,
        hits: 91,
        misses: 9,
        hitRate: 0.91,
        loads: 9,
        failures: 0,
        lookupsPerSecond: 0.03,
      },
    ],
    topKeys: [
      topKey('products::gaming'),
      topKey('user::123456::profile', { tier: 'user', hits: 89, weightBytes: 920, freshForMs: 1_200_000 }),
      topKey('config::vip_tiers', { tier: 'config', hits: 45, weightBytes: 2_150, freshForMs: 23 * HOUR_MS }),
    ],
    disk: null,
    feed: null,
    warmth: null,
    loading: 0,
    lastFailure: null,
    lastUnsafe: null,
    ...over,
  };
}

export function warmTask(over: Partial<WarmTaskReport> = {}): WarmTaskReport {
  return {
    task: 'products',
    scope: 'reference',
    state: 'done',
    total: 40,
    warmed: 40,
    skipped: 0,
    failures: [],
    ms: 900,
    ...over,
  };
}

export function warmReport(over: Partial<WarmReport> = {}): WarmReport {
  return {
    id: 1,
    scope: 'reference',
    trigger: 'command',
    state: 'done',
    startedAt: NOW,
    ms: 1_800,
    total: 54,
    warmed: 40,
    skipped: 12,
    failed: 2,
    tasks: [
      warmTask(),
      warmTask({
        task: 'categories',
        total: 14,
        warmed: 0,
        skipped: 12,
        failures: [
          { key: 'products::vr', message: 'SQLITE_BUSY: database is locked' },
          { key: 'products::ar', message: 'SQLITE_BUSY: database is locked' },
        ],
        ms: 8,
      }),
    ],
    ...over,
  };
}
