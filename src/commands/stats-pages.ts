/** The pages of the `/cache-stats` panel: reads the cache and hands the figures to the views. */
import type { CacheStats } from '../cache/statistics/stats.ts';
import { tierLabel } from './clear-figures.ts';
import type { CommandServices } from './command.ts';
import { keyRows } from './key-rows.ts';
import { reloadOf } from './reload.ts';
import type { Session } from './sessions.ts';
import { type ShardRows, statsEverywhere } from './shards/everywhere.ts';
import { nearestKey } from './target.ts';
import { type Format, formatFor } from './views/format.ts';
import { absentView, inspectionView, storedView } from './views/inspection.ts';
import { type KeyOrder, keysView, pageOf } from './views/keys.ts';
import { overviewView } from './views/overview.ts';
import { paged } from './views/pager.ts';
import { policyNames } from './views/policies.ts';
import { ofOneShard, silentShardView, withStatsRows } from './views/shards.ts';
import { TIERS_A_PAGE, tiersView } from './views/tiers.ts';
import type { ControlRow, View } from './views/view.ts';

export const PAGES = ['overview', 'tiers', 'keys'] as const;
export type Page = (typeof PAGES)[number];

export const PAGE_LABELS: Readonly<Record<Page, string>> = {
  overview: 'Overview',
  tiers: 'Tiers',
  keys: 'Top keys',
};

/** What a panel of `/cache-stats` shows at the moment. */
export interface Panel {
  page: Page;
  tier: string | undefined;
  order: KeyOrder;
  keyPage: number;
  tierPage: number;
  /** The keys of the page that is shown, so that a pick means what the reader saw. */
  listed: readonly string[];
  /** The key under inspection. */
  key: string | undefined;
  /** What became of the key under inspection, where it was cleared from here. */
  cleared: string | undefined;
  /** Whether the inspection was opened from the list. */
  hasBack: boolean;
  /** The shard whose figures are shown; `undefined`: the sums of all. */
  shard: number | undefined;
  shown: View | undefined;
}

/** The page as the panel's state asks for it. Takes up to five seconds where other shards are asked. */
export async function show(
  session: Session<Panel>,
  locale: string,
  services: CommandServices,
): Promise<View> {
  const { state } = session;
  const format = formatFor(locale);
  const view =
    state.key === undefined
      ? await pageView(session, format, services)
      : ofOneShard(keyView(session, state.key, format, services), services.shards);
  state.shown = view;
  return view;
}

async function pageView(session: Session<Panel>, format: Format, services: CommandServices): Promise<View> {
  const { state, id } = session;
  const view =
    state.page === 'keys'
      ? ofOneShard(keysPage(session, format, services), services.shards)
      : await figuresPage(state.page, session, format, services);
  return { ...view, rows: [...(view.rows ?? []), ...panelRows(state.page, id)] };
}

/** The pages whose figures add up over shards. */
async function figuresPage(
  page: Exclude<Page, 'keys'>,
  { state, id }: Session<Panel>,
  format: Format,
  services: CommandServices,
): Promise<View> {
  // Enough for a tier's own top five to be among them.
  const topKeys = page === 'tiers' ? 0 : state.tier === undefined ? 5 : 100;
  const { stats: all, rows } = await statsEverywhere(services, topKeys);
  const chosen = rows?.find((row) => row.shard === state.shard);
  const choice = shardRows(rows, state.shard, id);
  if (chosen?.ok === false) {
    return { ...silentShardView('📊 Cache Statistics', chosen.shard, chosen.problem), rows: choice };
  }
  const stats = chosen?.value ?? all;
  const view = FIGURES[page](stats, { state, id }, format, services);
  const spread = withStatsRows(view, rows, chosen?.shard, format);
  return { ...spread, rows: [...(view.rows ?? []), ...choice] };
}

const FIGURES: Readonly<
  Record<
    Exclude<Page, 'keys'>,
    (
      stats: CacheStats,
      session: Pick<Session<Panel>, 'state' | 'id'>,
      format: Format,
      services: CommandServices,
    ) => View
  >
> = {
  overview(stats, { state }, format, { warmers, mention }) {
    const due = warmers.status().flatMap((warmer) => (warmer.nextAt === null ? [] : [warmer.nextAt]));
    const nextWarmAt = due.length === 0 ? null : Math.min(...due);
    return overviewView({ stats, nextWarmAt, ...tierOf(state) }, format, mention);
  },
  tiers(stats, { state, id }, format, { cache }) {
    const ttlMs = (name: string) => cache.tiers.find((policy) => policy.tier === name)?.ttlMs;
    state.tierPage = paged(stats.tiers, state.tierPage, TIERS_A_PAGE).page;
    return tiersView({ stats, ttlMs, page: state.tierPage, ...tierOf(state) }, format, id);
  },
};

function keysPage({ state, id }: Session<Panel>, format: Format, { cache }: CommandServices): View {
  const rows = keyRows(cache, state.tier);
  const page = pageOf({ rows, order: state.order, page: state.keyPage });
  state.keyPage = page.page;
  state.listed = page.rows.map((row) => row.key);
  const { tiers, total, disk } = cache.stats(0);
  const own = tiers.find((row) => row.tier === state.tier);
  const labelled = own === undefined ? {} : { tierLabel: `${own.label} tier` };
  const resident = (own ?? total).entries;
  const model = { rows, order: state.order, page: page.page, resident, stored: disk?.entries ?? 0 };
  return keysView({ ...model, ...labelled }, format, id);
}

/** A select takes 25 options. */
const MAX_SHARD_CHOICES = 24;

/** Whose figures to show, where there is a choice. */
function shardRows(
  rows: ShardRows<CacheStats>,
  chosen: number | undefined,
  id: Session<Panel>['id'],
): ControlRow[] {
  if (rows === undefined) return [];
  const options = rows.slice(0, MAX_SHARD_CHOICES).map((row) => ({
    label: `Shard ${row.shard}${row.ok ? '' : ' (no answer)'}`,
    value: String(row.shard),
    selected: row.shard === chosen,
  }));
  const all = { label: `All ${rows.length} shards`, value: 'all', selected: chosen === undefined };
  return [{ id: id('shard'), placeholder: 'Shards', options: [all, ...options] }];
}

function tierOf(state: Panel): { readonly tier?: string } {
  return state.tier === undefined ? {} : { tier: state.tier };
}

function panelRows(page: Page, id: Session<Panel>['id']): ControlRow[] {
  return [
    {
      id: id('view'),
      placeholder: 'View',
      options: PAGES.map((one) => ({ label: PAGE_LABELS[one], value: one, selected: one === page })),
    },
    [
      { id: id('refresh'), label: 'Refresh', style: 'primary' },
      { id: id('export'), label: 'Download JSON', style: 'secondary' },
    ],
  ];
}

function keyView(session: Session<Panel>, key: string, format: Format, services: CommandServices): View {
  const { cache } = services;
  const { hasBack } = session.state;
  const now = cache.clock.epochAt(cache.clock.now());
  const stored = cache.stored?.inspect(key);
  const report = cache.inspect(key);
  if (report === undefined) {
    if (stored === undefined) return absentView(key, nearestKey(cache, key), session.id);
    const model = { report: stored, tierLabel: tierLabel(cache, stored.tier), now, hasBack };
    return storedView(model, format, session.id);
  }
  const policy = cache.tiers.find(({ tier }) => tier === report.tier);
  const policies = policy === undefined ? '' : policyNames(policy, format);
  const reloads = reloadOf(report, services)?.label;
  const isStored = cache.stored && stored !== undefined;
  const label = tierLabel(cache, report.tier);
  const model = { report, tierLabel: label, now, reloads, hasBack, policies, isStored };
  return inspectionView(model, format, session.id);
}
