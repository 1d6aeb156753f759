/** `/cache-stats key:…`: one entry, without its value. */
import type { EntryReport, StoredReport } from '../../cache/entry-report.ts';
import { type Format, instant, plural } from './format.ts';
import { keyText } from './key-text.ts';
import type { Button, ControlId, View } from './view.ts';

export interface InspectionModel {
  readonly report: EntryReport;
  readonly tierLabel: string;
  /** Epoch ms of this look at it. */
  readonly now: number;
  /** What a reload would warm: `reference`, `this user`; `undefined` when no warmer covers the key. */
  readonly reloads: string | undefined;
  /** A way back to the list of keys. */
  readonly hasBack: boolean;
  /** The loading policies of its tier that are on, by name; empty where there are none. */
  readonly policies?: string;
  /** Whether it is on disk, too; `undefined` where there is no disk layer. */
  readonly isStored?: boolean | undefined;
}

const TAGS_SHOWN = 8;

export function inspectionView(model: InspectionModel, format: Format, id: ControlId): View {
  const { report } = model;
  const loaded =
    report.loadMs === undefined ? 'written, not loaded' : `loaded in ${format.duration(report.loadMs)}`;
  const lines = [
    `**Tier:** ${model.tierLabel} · **State:** ${isStale(report, model.now) ? 'stale' : 'fresh'} · **Layer:** ${layerText(model.isStored)}`,
    `**Created:** ${instant(report.createdAt)} · ${lifetimeText(report, model.now)}`,
    ...(report.ttlReason === undefined ? [] : [`**Ttl:** ${keyText(report.ttlReason, 120)}`]),
    ...(model.policies ? [`**Policies of its tier:** ${model.policies}`] : []),
    `**Used:** ${plural(format, report.hits, 'hit')} · ${loaded}`,
    `**Size:** ≈ ${sizeText(report, format)} · ${keyText(report.shape, 60)}`,
  ];
  if (report.tags.length > 0) lines.push(`**Tags:** ${listed(report.tags)}`);
  if (report.dependsOn.length > 0) lines.push(`**Depends on:** ${listed(report.dependsOn)}`);
  const buttons: Button[] = [];
  if (model.hasBack) buttons.push({ id: id('back'), label: 'Back to the keys', style: 'secondary' });
  buttons.push({ id: id('clear'), label: 'Clear this entry', style: 'danger' });
  if (model.reloads !== undefined) {
    buttons.push({ id: id('reload'), label: `Reload ${model.reloads} now`, style: 'secondary' });
  }
  return {
    tone: 'normal',
    title: '🔎 Cached entry',
    blocks: [{ lines: [keyText(report.key, 200)] }, { lines }],
    notes: ['Values are not shown.'],
    rows: [buttons],
  };
}

/** Where it lies. */
export function layerText(isStored: boolean | undefined): string {
  return isStored === true ? 'memory and on disk' : 'memory';
}

export function isStale({ staleAt }: Pick<EntryReport, 'staleAt'>, now: number): boolean {
  return now >= staleAt;
}

/** When it goes stale and when it is gone, which is one instant where no policy serves old values. */
export function lifetimeText(report: Pick<EntryReport, 'staleAt' | 'expiresAt'>, now: number): string {
  const expires = `**Expires:** ${instant(report.expiresAt)}`;
  if (report.staleAt >= report.expiresAt) return expires;
  const stale = isStale(report, now) ? '**Stale since:**' : '**Goes stale:**';
  return `${stale} ${instant(report.staleAt)} · ${expires}`;
}

/** `4 kB (16 kB before compression)` */
export function sizeText({ weightBytes, uncompressedBytes }: EntryReport, format: Format): string {
  const before =
    uncompressedBytes === undefined ? '' : ` (${format.bytes(uncompressedBytes)} before compression)`;
  return `${format.bytes(weightBytes)}${before}`;
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, TAGS_SHOWN).map((text) => keyText(text, 32));
  const more = texts.length > TAGS_SHOWN ? ` … and ${texts.length - TAGS_SHOWN} more` : '';
  return shown.join(' ') + more;
}

export interface StoredModel {
  readonly report: StoredReport;
  readonly tierLabel: string;
  /** Epoch ms of this look at it. */
  readonly now: number;
  /** A way back to the list of keys. @default false */
  readonly hasBack?: boolean;
}

/** It is on disk alone. @param id makes the `custom_id` of its buttons, where it has any */
export function storedView(
  { report, tierLabel, now, hasBack }: StoredModel,
  format: Format,
  id?: ControlId,
): View {
  const isOld = isStale(report, now);
  const state = !report.isProven ? 'counts as stale' : isOld ? 'stale' : 'fresh';
  const lines = [
    `**Tier:** ${tierLabel} · **State:** ${state} · **Layer:** disk`,
    `**Created:** ${instant(report.createdAt)} · ${lifetimeText(report, now)}`,
    `**Size:** ${format.bytes(report.bytes)} as it is stored`,
  ];
  if (report.tags.length > 0) lines.push(`**Tags:** ${listed(report.tags)}`);
  if (report.dependsOn.length > 0) lines.push(`**Depends on:** ${listed(report.dependsOn)}`);
  lines.push(NEXT_READ[report.isProven ? (isOld ? 'stale' : 'fresh') : 'unproven']);
  const buttons: Button[] =
    id === undefined
      ? []
      : [
          ...(hasBack === true
            ? [{ id: id('back'), label: 'Back to the keys', style: 'secondary' as const }]
            : []),
          { id: id('clear'), label: 'Clear this entry', style: 'danger' },
        ];
  return {
    tone: 'normal',
    title: '🔎 On disk',
    blocks: [{ lines: [keyText(report.key, 200)] }, { lines }],
    notes: ['Values are not shown.'],
    ...(buttons.length === 0 ? {} : { rows: [buttons] }),
  };
}

const NEXT_READ = {
  fresh: 'It is not in memory: the next read brings it back from disk.',
  stale: 'It is not in memory, and its ttl is over: the next read loads it anew.',
  unproven:
    'It is not in memory, and nothing proves that it has not changed since the bot last ran: the next read loads it anew.',
} as const;

/** @param closest a key that may have been meant */
export function absentView(key: string, closest: string | undefined, id?: ControlId): View {
  const lines = [`${keyText(key, 200)} is not cached.`];
  if (closest !== undefined) lines.push(`Closest: ${keyText(closest, 200)}`);
  lines.push('-# Removed entries are not remembered: it may have expired, been cleared, or never been read.');
  return {
    tone: 'degraded',
    title: '🔎 Not cached',
    blocks: [{ lines }],
    ...(closest === undefined || id === undefined
      ? {}
      : { rows: [[{ id: id('closest'), label: 'Inspect the closest', style: 'secondary' as const }]] }),
  };
}
