/** `/cache-stats`, first page: how well the cache works, what it holds, what is used most. */

import type { CacheStats, Figures, TopKey, WindowFigures } from '../../cache/statistics/stats.ts';
import { shownError } from '../../logger/secrets.ts';
import { beyondParts } from './beyond.ts';
import { diskProblem, hitsByLayer, sizeText } from './disk.ts';
import { bar, capitalised, entriesText, type Format, instant, NOTHING, plural } from './format.ts';
import { keyText } from './key-text.ts';
import { emptyCache } from './states.ts';
import { FEW_LOOKUPS } from './verdict.ts';
import type { Block, Mention, Tone, View } from './view.ts';
import { warmedLine } from './warmed.ts';

export interface OverviewModel {
  readonly stats: CacheStats;
  /** Show one tier only. */
  readonly tier?: string;
  /** Epoch ms of the next warming, when one is due. */
  readonly nextWarmAt: number | null;
}

/** How many of the most used entries are shown. */
const TOP_ENTRIES = 5;

export function overviewView(model: OverviewModel, format: Format, mention: Mention): View {
  const { stats } = model;
  const tier = stats.tiers.find((row) => row.tier === model.tier);
  const figures = tier ?? stats.total;
  const hour = tier === undefined ? stats.windows.find((row) => row.window === 'hour') : undefined;
  const scope = tier === undefined ? 'all tiers' : `${tier.label} tier`;
  const top = stats.topKeys.filter((row) => tier === undefined || row.tier === tier.tier);
  return {
    tone: toneOf(stats, figures),
    title: '📊 Cache Statistics',
    subtitle: `Since start ${instant(stats.sinceAt)} · ${scope}`,
    blocks: [
      ...(stats.enabled ? [] : [offBlock(stats, format)]),
      performanceBlock(
        figures,
        { hour, hasDisk: stats.disk !== null, warmed: tier ? undefined : warmedLine(stats, format) },
        format,
      ),
      memoryBlock(stats, figures, format),
      topBlock(stats, top, format, mention),
    ],
    notes: notes(model, format),
  };
}

function offBlock(stats: CacheStats, format: Format): Block {
  return {
    lines: [
      '**The cache is off** (`cache.enabled` is false in config.json): every read goes to the database. Set it to true and restart.',
      `Database reads so far: ${format.count(stats.total.loads)}`,
    ],
  };
}

/** A hit rate in a word, so that the colour is not alone. */
function rateWord(figures: Figures): string {
  if (figures.hitRate === null || figures.lookups < FEW_LOOKUPS) return '';
  if (figures.hitRate >= 0.8) return ' — good';
  return figures.hitRate >= 0.5 ? ' — fair' : ' — low';
}

function toneOf(stats: CacheStats, figures: Figures): Tone {
  if (!stats.enabled) return 'degraded';
  if (figures.hitRate === null || figures.lookups < FEW_LOOKUPS) return 'normal';
  if (figures.hitRate >= 0.8) return 'good';
  return figures.hitRate >= 0.5 ? 'normal' : 'degraded';
}

function performanceBlock(
  figures: Figures,
  beside: {
    readonly hour: WindowFigures | undefined;
    readonly hasDisk: boolean;
    readonly warmed: string | undefined;
  },
  format: Format,
): Block {
  const { hits, misses, loadTimes } = figures;
  const { hour, hasDisk, warmed } = beside;
  const times =
    loadTimes === null
      ? NOTHING
      : `p50 ${format.duration(loadTimes.p50Ms)} · p99 ${format.duration(loadTimes.p99Ms)} · slowest ${format.duration(loadTimes.maxMs)}`;
  const beyond = beyondParts(figures, format);
  return {
    heading: '🎯 Performance',
    lines: [
      `**Hit Rate:** ${hitRateText(figures, format)}${lastHour(figures, hour, format)}`,
      `**Total Hits:** ${format.count(hits)}${hasDisk ? ` (${hitsByLayer(figures, format)})` : ''}`,
      `**Total Misses:** ${format.count(misses)} (loads ${format.count(figures.loads - figures.refreshes)} · joined ${format.count(figures.joined)} · failed ${format.count(figures.failures)})`,
      `**Total Sets:** ${format.count(figures.sets)} (fills ${format.count(figures.fills)} · writes ${format.count(figures.writes)})`,
      `**Load Time:** ${times}`,
      `**Database Time Saved:** ${saved(figures.savedMs, format)} · **Queries Saved:** ${format.count(hits + figures.joined)}`,
      ...(warmed === undefined ? [] : [warmed]),
      ...(beyond.length === 0 ? [] : [`-# ${capitalised(beyond.join(' · '))}`]),
    ],
  };
}

function saved(ms: number, format: Format): string {
  return ms > 0 ? `≈ ${format.duration(ms)}` : NOTHING;
}

function hitRateText(figures: Figures, format: Format): string {
  if (figures.lookups === 0 || figures.hitRate === null) return NOTHING;
  const few =
    figures.lookups < FEW_LOOKUPS ? ` (only ${plural(format, figures.lookups, 'lookup')} so far)` : '';
  return `${format.percent(figures.hitRate)}${few}${rateWord(figures)}`;
}

function lastHour(figures: Figures, hour: WindowFigures | undefined, format: Format): string {
  if (hour?.hitRate == null || figures.hitRate === null || hour.lookups === 0) return '';
  // Within the first hour the two are the same figure.
  if (hour.lookups >= figures.lookups) return '';
  const difference = hour.hitRate - figures.hitRate;
  const isSame = Math.abs(difference) < 0.0005;
  const change = isSame ? 'unchanged' : `${difference > 0 ? '▲' : '▼'} ${format.points(difference)} points`;
  return ` · last hour ${format.percent(hour.hitRate)} (${change})`;
}

function memoryBlock(stats: CacheStats, figures: Figures, format: Format): Block {
  const usage = stats.maxWeightBytes > 0 ? figures.weightBytes / stats.maxWeightBytes : 0;
  const { removals, refusals } = figures;
  const refused = Object.values(refusals).reduce((sum, count) => sum + count, 0);
  const lines = [
    `**Used:** ${figures.weightBytes > 0 ? '≈ ' : ''}${format.bytes(figures.weightBytes)}`,
    `**Max:** ${format.bytes(stats.maxWeightBytes)}`,
    `**Usage:** ${format.percent(usage)} ${bar(usage)}`,
    `**Entries:** ${format.count(figures.entries)}`,
    `-# Removed: evicted ${format.count(removals.evicted)} · expired ${format.count(removals.expired)} · invalidated ${format.count(removals.invalidated)} · replaced ${format.count(removals.replaced)}`,
  ];
  if (refused > 0) {
    lines.push(
      `-# Served but not kept: outdated while loading ${format.count(refusals.invalidated)} · too large ${format.count(refusals['too-large'])} · unsafe ${format.count(refusals.unsafe)} · not wanted ${format.count(refusals['not-wanted'])}`,
    );
  }
  if (stats.disk !== null) lines.push(`-# On disk: ${sizeText(stats.disk, format)}`);
  return { heading: '💾 Memory Usage', lines };
}

function topBlock(stats: CacheStats, top: readonly TopKey[], format: Format, mention: Mention): Block {
  const heading = '🔥 Top Cached Entries';
  if (top.length === 0) {
    if (!stats.enabled) return { heading, lines: ['Nothing is kept while the cache is off.'] };
    const isEmpty = stats.total.entries === 0;
    const stored = stats.disk?.entries ? entriesText(format, stats.disk.entries) : undefined;
    const words = isEmpty ? emptyCache(stats.sinceAt, mention, stored) : 'No entry has been used yet.';
    return { heading, lines: [words] };
  }
  return { heading, lines: top.slice(0, TOP_ENTRIES).map((row, i) => `${i + 1}. ${topLine(row, format)}`) };
}

/** `products::gaming` — 234 hits · 12 kB · fresh for 11 h. @param place said in place of the hits */
export function topLine(
  row: Omit<TopKey, 'tier'>,
  format: Format,
  place = plural(format, row.hits, 'hit'),
): string {
  const parts = [place];
  if (row.weightBytes === undefined) parts.push('not cached now');
  else parts.push(format.bytes(row.weightBytes), freshness(row.freshForMs, format));
  return `${keyText(row.key)} — ${parts.join(' · ')}`;
}

function freshness(freshForMs: number | undefined, format: Format): string {
  if (freshForMs === Number.POSITIVE_INFINITY) return 'never expires';
  if (freshForMs === undefined) return 'expired';
  return freshForMs <= 0 ? 'stale' : `fresh for ${format.duration(freshForMs)}`;
}

function notes(model: OverviewModel, format: Format): string[] {
  const { stats } = model;
  const lines: string[] = [];
  const now: string[] = [];
  if (stats.loading > 0) now.push(`${plural(format, stats.loading, 'load')} in flight`);
  if (model.nextWarmAt !== null) now.push(`next warming ${instant(model.nextWarmAt)}`);
  if (now.length > 0) lines.push(capitalised(now.join(' · ')));
  if (stats.lastFailure !== null) {
    const { at, key, message } = stats.lastFailure;
    lines.push(
      `${plural(format, stats.total.failures, 'load failure')}, last ${instant(at)}: ${keyText(key, 40)} — ${keyText(shownError(message), 80)}`,
    );
  }
  if (stats.lastUnsafe !== null) {
    const { namespace, text } = stats.lastUnsafe;
    lines.push(`Not kept: ${keyText(`${namespace}: ${text}`, 120)}`);
  }
  const problem = stats.disk === null ? undefined : diskProblem(stats.disk);
  if (problem !== undefined) lines.push(`⚠️ Disk: ${problem}`);
  lines.push('Hit rate = hits ÷ (hits + misses)');
  return lines;
}
