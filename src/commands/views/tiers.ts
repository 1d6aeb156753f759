/** `/cache-stats`, second page: each tier with its verdict. Lines of text, since tables wrap on phones. */
import type { CacheStats } from '../../cache/statistics/stats.ts';
import { beyondParts } from './beyond.ts';
import { entriesText, type Format, instant, NOTHING, plural } from './format.ts';
import { keyText } from './key-text.ts';
import { paged, pagerRows } from './pager.ts';
import { verdictOf, verdictText } from './verdict.ts';
import type { Block, ControlId, Tone, View } from './view.ts';

export interface TiersModel {
  readonly stats: CacheStats;
  readonly ttlMs: (tier: string) => number | undefined;
  readonly tier?: string;
  /** From 0; brought into range. @default 0 */
  readonly page?: number;
}

/** As many as fit into one message with every line they may have, rows of controls and shards besides. */
export const TIERS_A_PAGE = 8;

export function tiersView(model: TiersModel, format: Format, id: ControlId): View {
  const { stats } = model;
  const rows = stats.tiers.filter((row) => model.tier === undefined || row.tier === model.tier);
  const page = paged(rows, model.page ?? 0, TIERS_A_PAGE);
  const isAnyCostly = rows.some((row) => verdictOf(row) === 'costly');
  const tone: Tone = !stats.enabled || isAnyCostly ? 'degraded' : 'normal';
  return {
    tone,
    title: '📊 Cache Statistics — by tier',
    subtitle: `Since start ${instant(stats.sinceAt)}${page.pages === 1 ? '' : ` · ${format.count(rows.length)} tiers`}`,
    blocks: page.items.map((row) => tierBlock(row, model.ttlMs(row.tier), stats, format)),
    notes: ['Time saved = hits × the mean load time of the tier.'],
    rows: pagerRows(page, format, id),
  };
}

function tierBlock(
  row: CacheStats['tiers'][number],
  ttlMs: number | undefined,
  stats: CacheStats,
  format: Format,
): Block {
  const namespaces = stats.namespaces
    .filter((namespace) => namespace.tier === row.tier && namespace.entries > 0)
    .sort((a, b) => b.entries - a.entries);
  const ttl = ttlMs === undefined ? '' : ` · ttl ${format.duration(ttlMs)}`;
  const heading = `${row.label} — ${verdictText(verdictOf(row))}`;
  // Of many tiers those in use should stand out.
  if (row.lookups + row.loads + row.sets + row.entries === 0) {
    return { heading, lines: [`nothing was looked up or kept${ttl}`] };
  }
  const lines = [
    `hit rate **${format.percent(row.hitRate)}** of ${plural(format, row.lookups, 'lookup')} · saved ${row.savedMs > 0 ? `≈ ${format.duration(row.savedMs)}` : NOTHING}`,
    `${entriesText(format, row.entries)} · ≈ ${format.bytes(row.weightBytes)}${ttl}`,
    `-# loads ${format.count(row.loads)} · failed ${format.count(row.failures)} · evicted ${format.count(row.removals.evicted)} · invalidated ${format.count(row.removals.invalidated)}`,
  ];
  const beyond = beyondParts(row, format);
  if (beyond.length > 0) lines.push(`-# ${beyond.join(' · ')}`);
  if (namespaces.length > 1) {
    const named = namespaces
      .slice(0, 4)
      .map((one) => `${keyText(one.namespace, 32)} ${format.count(one.entries)}`);
    lines.push(`-# ${named.join(' · ')}${namespaces.length > 4 ? ' · …' : ''}`);
  }
  return { heading, lines };
}
