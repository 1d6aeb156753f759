/**
 * The statistics of several processes as one. Counters and histograms add up, rates and quantiles are computed anew from
 * the sums. Entries of two shards are copies, and count twice.
 */
import type {
  CacheStats,
  DiskStats,
  FeedStats,
  Figures,
  LoadTimeBucket,
  LoadTimes,
  TopKey,
  WarmedFigures,
  WarmthStats,
  WindowFigures,
} from '../../cache/statistics/stats.ts';

/** Buckets of load times are a quarter of an octave wide (see `load-times.ts`); half of that back from their bound. */
const MIDDLE_OF_BUCKET = 2 ** (-0.5 / 4);

/** The whole of it. Of one, it is that one. @param limit how many of the most used keys are kept */
export function mergeStats(
  all: readonly [CacheStats, ...CacheStats[]],
  limit: number = Number.POSITIVE_INFINITY,
): CacheStats {
  const [first] = all;
  return {
    enabled: all.some((one) => one.enabled),
    sinceAt: Math.min(...all.map((one) => one.sinceAt)),
    at: Math.max(...all.map((one) => one.at)),
    maxWeightBytes: sum(all, (one) => one.maxWeightBytes),
    total: mergeFigures(all.map((one) => one.total)) ?? first.total,
    tiers: mergeRows(
      all.flatMap((one) => one.tiers),
      (row) => row.tier,
    ),
    namespaces: mergeRows(
      all.flatMap((one) => one.namespaces),
      (row) => JSON.stringify([row.namespace, row.tier]),
    ),
    windows: mergeWindows(all.flatMap((one) => one.windows)),
    topKeys: mergeTopKeys(all.flatMap((one) => one.topKeys)).slice(0, limit),
    disk: mergeDisks(all.flatMap((one) => (one.disk === null ? [] : [one.disk]))),
    feed: mergeFeeds(all.flatMap((one) => one.feed ?? [])),
    warmth: mergeWarmth(all.flatMap((one) => one.warmth ?? [])),
    loading: sum(all, (one) => one.loading),
    lastFailure: all
      .map((one) => one.lastFailure)
      .reduce((a, b) => (a === null || (b !== null && b.at > a.at) ? b : a)),
    lastUnsafe: all.map((one) => one.lastUnsafe).find((last) => last !== null) ?? null,
  };
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}

function mergeWarmth(all: readonly WarmthStats[]): WarmthStats | null {
  const [first] = all;
  if (first === undefined) return null;
  const figures = (of: (one: WarmthStats) => WarmedFigures): WarmedFigures => {
    const { warmed, used, unused } = sums(all.map(of), ['warmed', 'used', 'unused']);
    return { warmed, used, unused, precision: warmed === 0 ? null : used / warmed };
  };
  return {
    ...first,
    ...sums(all, ['damaged']),
    start: figures((one) => one.start),
    predicted: figures((one) => one.predicted),
  };
}

/** Adds up what is under the same names. */
function sums<Name extends string>(
  list: readonly Readonly<Record<Name, number>>[],
  names: readonly Name[],
): Record<Name, number> {
  // Every name is given a number.
  return Object.fromEntries(names.map((name) => [name, sum(list, (one) => one[name])])) as Record<
    Name,
    number
  >;
}

function mergeRows<Row extends Figures>(rows: readonly Row[], nameOf: (row: Row) => string): Row[] {
  return [...Map.groupBy(rows, nameOf).values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ ...first, ...mergeFigures(same) }];
  });
}

function mergeFigures(all: readonly Figures[]): Figures | undefined {
  const [first] = all;
  if (first === undefined) return undefined;
  const lookups = sum(all, (one) => one.lookups);
  const hits = sum(all, (one) => one.hits);
  return {
    lookups,
    hits,
    diskHits: sum(all, (one) => one.diskHits),
    misses: sum(all, (one) => one.misses),
    hitRate: lookups === 0 ? null : hits / lookups,
    joined: sum(all, (one) => one.joined),
    loads: sum(all, (one) => one.loads),
    refreshes: sum(all, (one) => one.refreshes),
    failures: sum(all, (one) => one.failures),
    timeouts: sum(all, (one) => one.timeouts),
    unchanged: sum(all, (one) => one.unchanged),
    stale: sums(
      all.map((one) => one.stale),
      ['revalidating', 'backing-off', 'failed', 'slow'],
    ),
    sets: sum(all, (one) => one.sets),
    fills: sum(all, (one) => one.fills),
    writes: sum(all, (one) => one.writes),
    refusals: sums(
      all.map((one) => one.refusals),
      ['invalidated', 'too-large', 'unsafe', 'not-wanted'],
    ),
    removals: sums(
      all.map((one) => one.removals),
      ['evicted', 'expired', 'invalidated', 'replaced'],
    ),
    entries: sum(all, (one) => one.entries),
    weightBytes: sum(all, (one) => one.weightBytes),
    loadTimes: mergeLoadTimes(all.flatMap((one) => (one.loadTimes === null ? [] : [one.loadTimes]))),
    savedMs: sum(all, (one) => one.savedMs),
    savedCost: sum(all, (one) => one.savedCost),
  };
}

const DISK_STATES: readonly DiskStats['state'][] = ['off', 'failing', 'ready'];

/** What each process did adds up; a file that several share is counted once, and told of by the one worst off. */
export function mergeDisks(all: readonly DiskStats[]): DiskStats | null {
  const worst = DISK_STATES.flatMap((state) => all.filter((one) => one.state === state))[0];
  if (worst === undefined) return null;
  const files = [...Map.groupBy(all, (one) => one.path).values()];
  const most = (of: (one: DiskStats) => number) =>
    sum(files, (same) => Math.max(...same.map((one) => of(one))));
  return {
    ...worst,
    entries: most((one) => one.entries),
    bytes: most((one) => one.bytes),
    maxBytes: most((one) => one.maxBytes),
    found: most((one) => one.found),
    outdated: most((one) => one.outdated),
    ...sums(all, [
      ...(['hits', 'restored', 'unproven', 'expired', 'written'] as const),
      ...(['refused', 'damaged', 'evicted', 'failures'] as const),
    ]),
  };
}

const BEGINNINGS: readonly FeedStats['beginning'][] = ['gap', 'new', 'resumed'];

/** What each process applied adds up; it began as the one worst off did, and all have applied what the last one has. */
function mergeFeeds(all: readonly FeedStats[]): FeedStats | null {
  const [first] = all;
  if (first === undefined) return null;
  return {
    beginning: BEGINNINGS.find((each) => all.some(({ beginning }) => beginning === each)) ?? first.beginning,
    position: Math.min(...all.map(({ position }) => position)),
    readers: Math.max(...all.map(({ readers }) => readers)),
    ...sums(all, ['changes', 'invalidations', 'widened', 'gaps']),
  };
}

/** Quantiles are read from the histograms together, as the cache reads its own. */
function mergeLoadTimes(all: readonly LoadTimes[]): LoadTimes | null {
  const [first] = all;
  if (first === undefined || all.length === 1) return first ?? null;
  const count = sum(all, (one) => one.count);
  const maxMs = Math.max(...all.map((one) => one.maxMs));
  const loads = new Map<number, number>();
  for (const { upToMs, loads: more } of all.flatMap((one) => one.buckets ?? [])) {
    loads.set(upToMs, (loads.get(upToMs) ?? 0) + more);
  }
  const buckets = [...loads]
    .map(([upToMs, each]): LoadTimeBucket => ({ upToMs, loads: each }))
    .sort((a, b) => a.upToMs - b.upToMs);
  return {
    count,
    meanMs: sum(all, (one) => one.meanMs * one.count) / count,
    p50Ms: quantileMs(buckets, 0.5, maxMs),
    p99Ms: quantileMs(buckets, 0.99, maxMs),
    maxMs,
    buckets,
  };
}

function quantileMs(buckets: readonly LoadTimeBucket[], share: number, maxMs: number): number {
  const rank = Math.ceil(share * sum(buckets, (bucket) => bucket.loads));
  let seen = 0;
  for (const { upToMs, loads } of buckets) {
    seen += loads;
    if (seen >= rank) return Math.min(maxMs, upToMs * MIDDLE_OF_BUCKET);
  }
  return maxMs;
}

function mergeWindows(rows: readonly WindowFigures[]): WindowFigures[] {
  return [...Map.groupBy(rows, (row) => row.window)].map(([window, same]) => {
    const lookups = sum(same, (row) => row.lookups);
    const hits = sum(same, (row) => row.hits);
    return {
      window,
      coveredMs: Math.max(...same.map((row) => row.coveredMs)),
      lookups,
      hits,
      misses: sum(same, (row) => row.misses),
      hitRate: lookups === 0 ? null : hits / lookups,
      loads: sum(same, (row) => row.loads),
      failures: sum(same, (row) => row.failures),
      lookupsPerSecond: sum(same, (row) => row.lookupsPerSecond),
    };
  });
}

/** A key's hits add up; its size and freshness are those of its largest and freshest copy. */
function mergeTopKeys(rows: readonly TopKey[]): TopKey[] {
  const merged = [...Map.groupBy(rows, (row) => row.key).values()].flatMap((same): TopKey[] => {
    const [first] = same;
    if (first === undefined) return [];
    const most = (of: (row: TopKey) => number | undefined) =>
      same.map(of).reduce((a, b) => (a === undefined || (b !== undefined && b > a) ? b : a), undefined);
    return [
      {
        key: first.key,
        tier: first.tier,
        hits: sum(same, (row) => row.hits),
        weightBytes: most((row) => row.weightBytes),
        freshForMs: most((row) => row.freshForMs),
      },
    ];
  });
  return merged.sort((a, b) => b.hits - a.hits);
}
