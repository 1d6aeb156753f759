/**
 * The statistics of a cache as metrics for Prometheus, in the host's own registry of prom-client. The package entry is
 * `cachecord/prometheus`. What each figure becomes is in figures.ts, disk-figures.ts and feed-figures.ts; here they
 * are read, once a scrape.
 *
 * Most used keys and single namespaces are left out: labels that come from data have no bound.
 */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Cache } from '../cache/cache.ts';
import { CacheError } from '../cache/errors.ts';
import type { CacheStats } from '../cache/statistics/stats.ts';
import { DISK_METRICS } from './disk-figures.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import { FEED_METRICS } from './feed-figures.ts';
import { FIGURE_METRICS, type FigureMetric, HISTOGRAM, type Labels, PREFIX, type Sample } from './figures.ts';
import { loadTimeMetric } from './load-time-metric.ts';

export interface CacheMetrics {
  /** Ends the measuring of the event loop. The metrics stay in the registry. */
  stop(): void;
}

type Stats = () => CacheStats;

/**
 * Puts the metrics of a cache into a registry. Each cache takes one of its own, served at a path of its own.
 * @throws CacheError `ERR_ARGUMENT_INVALID` where the registry has the metrics of a cache already
 * @example
 * const metrics = cacheMetrics(cache, registry);
 * app.get('/metrics', async (c) => c.text(await registry.metrics(), 200, { 'content-type': registry.contentType }));
 */
export function cacheMetrics(cache: Pick<Cache, 'stats' | 'clock'>, registry: Registry): CacheMetrics {
  assertNone(registry);
  const stats = oncePerScrape(() => cache.stats(0));
  for (const metric of Object.values(FIGURE_METRICS)) {
    if (metric === HISTOGRAM) registry.registerMetric(loadTimeMetric(() => stats().tiers));
    else register(registry, { ...metric, labels: ['tier', ...metric.labels] }, () => byTier(stats(), metric));
  }
  for (const { read, ...metric } of Object.values(DISK_METRICS)) {
    // Without its label prom-client would say 0 where there is no disk layer.
    register(registry, { ...metric, labels: ['layer'] }, () => {
      const { disk } = stats();
      return disk === null ? [] : [[{ layer: 'disk' }, read(disk)]];
    });
  }
  for (const { read, ...metric } of Object.values(FEED_METRICS)) {
    register(registry, { ...metric, labels: ['source'] }, () => {
      const { feed } = stats();
      return feed === null ? [] : [[{ source: 'feed' }, read(feed)]];
    });
  }
  const delay = new EventLoopDelay(cache.clock);
  for (const { name, help, labels = [], samples } of wholeCache(stats, delay)) {
    register(registry, { type: 'gauge', name: PREFIX + name, help, labels }, samples);
  }
  return { stop: () => delay.stop() };
}

/** Before anything is registered: what prom-client says of a name that is taken helps nobody. */
function assertNone(registry: Registry): void {
  if (registry.getSingleMetric(`${PREFIX}enabled`) === undefined) return;
  throw new CacheError(
    'ERR_ARGUMENT_INVALID',
    'This registry has the metrics of a cache already. Give each cache a registry of its own (new Registry()), served at a path of its own; where the same bot is started anew, clear() the registry first.',
  );
}

interface Whole {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly samples: () => readonly Sample[];
}

/** What is known of the cache as a whole. */
function wholeCache(stats: Stats, delay: EventLoopDelay): readonly Whole[] {
  const one = (
    name: string,
    help: string,
    read: (all: CacheStats) => number,
    labels: Labels = {},
  ): Whole => ({
    name,
    help,
    labels: Object.keys(labels),
    samples: () => [[labels, read(stats())]],
  });
  return [
    one('max_weight_bytes', 'The bound of a layer.', (all) => all.maxWeightBytes, { layer: 'memory' }),
    one('loads_in_flight', 'Loads that run now.', (all) => all.loading),
    one('enabled', '0 where every read goes to its loader.', (all) => Number(all.enabled)),
    one('start_time_seconds', 'When counting began, in epoch seconds.', (all) => all.sinceAt / 1_000),
    one(
      'last_load_failure_timestamp_seconds',
      'When a load failed last, in epoch seconds; 0 before the first.',
      (all) => (all.lastFailure?.at ?? 0) / 1_000,
    ),
    {
      name: 'event_loop_delay_seconds',
      help: 'How long the event loop was held, by quantile over the last ten seconds or more.',
      labels: ['quantile'],
      samples: () => Object.entries(delay.quantiles()).map(([quantile, value]) => [{ quantile }, value]),
    },
  ];
}

function byTier(stats: CacheStats, metric: FigureMetric): Sample[] {
  return stats.tiers.flatMap((figures) =>
    metric.samples(figures).map(([labels, value]): Sample => [{ tier: figures.tier, ...labels }, value]),
  );
}

function register(
  registry: Registry,
  { type, name, help, labels }: Omit<FigureMetric, 'samples'>,
  samples: () => readonly Sample[],
): void {
  const settings = { name, help, labelNames: labels, registers: [registry] };
  if (type === 'gauge') {
    new Gauge({
      ...settings,
      collect() {
        for (const [values, value] of samples()) this.set(values, value);
      },
    });
    return;
  }
  // A counter of prom-client grows by steps: by what the cache has counted since the last scrape.
  const seen = new Map<string, number>();
  new Counter({
    ...settings,
    collect() {
      for (const [values, value] of samples()) {
        const series = JSON.stringify(values);
        this.inc(values, Math.max(0, value - (seen.get(series) ?? 0)));
        seen.set(series, value);
      }
    },
  });
}

/** All metrics of a scrape are collected in one turn; they see the same statistics. */
function oncePerScrape<T>(read: () => T): () => T {
  let kept: { readonly value: T } | undefined;
  return () => {
    if (kept === undefined) {
      kept = { value: read() };
      queueMicrotask(() => {
        kept = undefined;
      });
    }
    return kept.value;
  };
}
