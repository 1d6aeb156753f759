/** The pages of the `/cache-stats` panel: reads the cache and hands the figures to the views. */

import type { CommandServices } from './command.ts';
import { keyRows } from './key-rows.ts';
import { reloadOf } from './reload.ts';
import type { Session } from './sessions.ts';
import { nearestKey } from './target.ts';
import { type Format, formatFor } from './views/format.ts';
import { absentView, inspectionView } from './views/inspection.ts';
import { type KeyOrder, keysView, pageOf } from './views/keys.ts';
import { overviewView } from './views/overview.ts';
import { tiersView } from './views/tiers.ts';
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
  /** The keys of the page that is shown, so that a pick means what the reader saw. */
  listed: readonly string[];
  /** The key under inspection. */
  key: string | undefined;
  /** Whether the inspection was opened from the list. */
  hasBack: boolean;
  shown: View | undefined;
}

/** The page as the panel's state asks for it. */
export function show(session: Session<Panel>, locale: string, services: CommandServices): View {
  const { state } = session;
  const format = formatFor(locale);
  const view =
    state.key === undefined
      ? pageView(session, format, services)
      : keyView(session, state.key, format, services);
  state.shown = view;
  return view;
}

function pageView(session: Session<Panel>, format: Format, services: CommandServices): View {
  const { state, id } = session;
  const view = PAGE_VIEWS[state.page](session, format, services);
  return { ...view, rows: [...(view.rows ?? []), ...panelRows(state.page, id)] };
}

const PAGE_VIEWS: Readonly<
  Record<Page, (session: Session<Panel>, format: Format, services: CommandServices) => View>
> = {
  overview({ state }, format, { cache, warmers, mention }) {
    const due = warmers.status().flatMap((warmer) => (warmer.nextAt === null ? [] : [warmer.nextAt]));
    const nextWarmAt = due.length === 0 ? null : Math.min(...due);
    // Enough for a tier's own top five to be among them.
    const stats = cache.stats(state.tier === undefined ? 5 : 100);
    return overviewView({ stats, nextWarmAt, ...tierOf(state) }, format, mention);
  },
  tiers({ state }, format, { cache }) {
    const ttlMs = (name: string) => cache.tiers.find((policy) => policy.tier === name)?.ttlMs;
    return tiersView({ stats: cache.stats(0), ttlMs, ...tierOf(state) }, format);
  },
  keys({ state, id }, format, { cache }) {
    const rows = keyRows(cache, state.tier);
    const page = pageOf({ rows, order: state.order, page: state.keyPage });
    state.keyPage = page.page;
    state.listed = page.rows.map((row) => row.key);
    const { tiers, total } = cache.stats(0);
    const own = tiers.find((row) => row.tier === state.tier);
    const tierLabel = own === undefined ? {} : { tierLabel: `${own.label} tier` };
    const resident = (own ?? total).entries;
    return keysView({ rows, order: state.order, page: page.page, resident, ...tierLabel }, format, id);
  },
};

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
  const report = cache.inspect(key);
  if (report === undefined) return absentView(key, nearestKey(cache, key), session.id);
  const tierLabel = cache.tiers.find((policy) => policy.tier === report.tier)?.label ?? report.tier;
  const reloads = reloadOf(report, services)?.label;
  return inspectionView({ report, tierLabel, reloads, hasBack: session.state.hasBack }, format, session.id);
}
