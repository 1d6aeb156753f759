/**
 * The durations of loads as a Prometheus histogram. prom-client's own takes observations one by one; these are counted
 * already, so this is a metric of its own kind, as a registry asks for it.
 */
import type { Metric } from 'prom-client';
import type { CacheStats, LoadTimes } from '../cache/statistics/stats.ts';
import { PREFIX } from './figures.ts';

const NAME = `${PREFIX}load_duration_seconds`;

/** From 16 µs, a quick query, to 67 s, doubling: each is a bound of the cache's own buckets, so the counts are exact. */
const BOUNDS_MS = Array.from({ length: 23 }, (_, i) => 0.001 * 2 ** (i + 4));

interface Value {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** For `registry.registerMetric`. */
export function loadTimeMetric(tiers: () => CacheStats['tiers']): Metric {
  const metric = {
    name: NAME,
    help: 'How long loads took.',
    type: 'histogram',
    aggregator: 'sum',
    labelNames: ['tier'],
    get: async () => ({
      name: NAME,
      help: metric.help,
      type: metric.type,
      aggregator: metric.aggregator,
      values: tiers().flatMap(({ tier, loadTimes }) => valuesOf(tier, loadTimes)),
    }),
    // The cache counts since its start, whatever is done to a registry.
    reset: () => undefined,
  };
  // prom-client's type knows its own four classes alone; its registry uses what is above.
  return metric as unknown as Metric;
}

function valuesOf(tier: string, times: LoadTimes | null): Value[] {
  const count = times?.count ?? 0;
  const upTo = (boundMs: number) =>
    (times?.buckets ?? []).reduce((sum, { upToMs, loads }) => (upToMs <= boundMs ? sum + loads : sum), 0);
  const bucket = (le: string, value: number) => ({
    metricName: `${NAME}_bucket`,
    labels: { le, tier },
    value,
  });
  return [
    ...BOUNDS_MS.map((boundMs) => bucket(secondsText(boundMs), upTo(boundMs))),
    bucket('+Inf', count),
    { metricName: `${NAME}_sum`, labels: { tier }, value: ((times?.meanMs ?? 0) * count) / 1_000 },
    { metricName: `${NAME}_count`, labels: { tier }, value: count },
  ];
}

/** Without the last digits that a division brings in. */
function secondsText(ms: number): string {
  return String(Number((ms / 1_000).toPrecision(12)));
}
