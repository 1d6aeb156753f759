/**
 * Which metric each figure of the statistics is: its name, its type and its labels. The compiler holds that no figure
 * is forgotten. Names follow Prometheus's conventions: base units, and `_total` for what only grows.
 */
import type { Figures } from '../cache/statistics/stats.ts';

export const PREFIX = 'cachecord_';

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

export interface FigureMetric {
  readonly type: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  /** Besides `tier`. */
  readonly labels: readonly string[];
  /** Without `tier`. */
  readonly samples: (figures: Figures) => readonly Sample[];
}

/** What belongs to a layer says to which. Of the disk layer there is more in disk-figures.ts. */
const MEMORY: Labels = { layer: 'memory' };

type Read = (figures: Figures) => number | null;

function metric(
  type: FigureMetric['type'],
  labels: Labels,
  name: string,
  help: string,
  read: Read,
): FigureMetric {
  const samples = (figures: Figures): readonly Sample[] => {
    const value = read(figures);
    return value === null ? [] : [[labels, value]];
  };
  return { type, name: PREFIX + name, help, labels: Object.keys(labels), samples };
}

const counter = (name: string, help: string, read: Read) => metric('counter', {}, name, help, read);
const gauge = (name: string, help: string, read: Read) => metric('gauge', {}, name, help, read);
const layerCounter = (name: string, help: string, read: Read) => metric('counter', MEMORY, name, help, read);
const layerGauge = (name: string, help: string, read: Read) => metric('gauge', MEMORY, name, help, read);

function byReason(
  labels: Labels,
  name: string,
  help: string,
  read: (figures: Figures) => Readonly<Record<string, number>>,
): FigureMetric {
  return {
    type: 'counter',
    name: PREFIX + name,
    help,
    labels: [...Object.keys(labels), 'reason'],
    samples: (figures) =>
      Object.entries(read(figures)).map(([reason, count]) => [{ ...labels, reason }, count] as const),
  };
}

/** The one figure that is a histogram: `load-time-metric.ts`. */
export const HISTOGRAM = 'histogram';

/** Every figure of a tier. Hits from disk are hits of that layer. */
export const FIGURE_METRICS: Readonly<
  Record<Exclude<keyof Figures, 'diskHits'>, FigureMetric | typeof HISTOGRAM>
> = {
  lookups: counter('lookups_total', 'Lookups: hits and misses.', (all) => all.lookups),
  hits: {
    ...layerCounter(
      'hits_total',
      'Lookups answered by an entry, by the layer where it lay.',
      (all) => all.hits,
    ),
    samples: ({ hits, diskHits }) => [
      [MEMORY, hits - diskHits],
      [{ layer: 'disk' }, diskHits],
    ],
  },
  misses: counter('misses_total', 'Lookups that found nothing fresh.', (all) => all.misses),
  hitRate: gauge('hit_ratio', 'Hits by lookups since the start.', (all) => all.hitRate),
  joined: counter('joined_total', 'Misses that joined a load in flight.', (all) => all.joined),
  loads: counter('loads_total', 'Loads begun.', (all) => all.loads),
  refreshes: counter(
    'refreshes_total',
    'Loads that were forced, by a warmer or by a call.',
    (all) => all.refreshes,
  ),
  failures: counter('load_failures_total', 'Loads that failed or timed out.', (all) => all.failures),
  timeouts: counter('load_timeouts_total', 'Loads that the hard timeout ended.', (all) => all.timeouts),
  unchanged: counter(
    'loads_unchanged_total',
    'Loads that found the old value still right.',
    (all) => all.unchanged,
  ),
  stale: byReason({}, 'stale_served_total', 'Old values served, by reason.', (all) => all.stale),
  sets: layerCounter('sets_total', 'Values stored: fills and writes.', (all) => all.sets),
  fills: layerCounter('fills_total', 'Values stored after loads.', (all) => all.fills),
  writes: layerCounter('writes_total', 'Values stored by writes.', (all) => all.writes),
  refusals: byReason({}, 'refusals_total', 'Values served and not kept, by reason.', (all) => all.refusals),
  removals: byReason(MEMORY, 'removals_total', 'Entries removed, by reason.', (all) => all.removals),
  entries: layerGauge('entries', 'Entries held now.', (all) => all.entries),
  weightBytes: layerGauge('weight_bytes', 'Bytes that entries take now.', (all) => all.weightBytes),
  loadTimes: HISTOGRAM,
  // An estimate from a mean, which may fall: no counter.
  savedMs: gauge(
    'saved_seconds',
    'Loading time saved by hits: hits by the mean load time.',
    (all) => all.savedMs / 1_000,
  ),
  savedCost: counter(
    'saved_cost_total',
    'Cost saved by hits, in the unit of the `cost` option.',
    (all) => all.savedCost,
  ),
};
