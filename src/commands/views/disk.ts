/**
 * The cache on disk in words: what a restart brought back, what was refused and why, when entries are written, and what
 * is wrong with the file. For `/cache-info`, and in short for the others.
 */

import type { DiskStats, Figures } from '../../cache/statistics/stats.ts';
import type { PersistenceLevel } from '../../cache/tiers/policy.ts';
import type { TierPolicy } from '../../cache/tiers/tier.ts';
import { shownError } from '../../logger/secrets.ts';
import { capitalised, entriesText, type Format } from './format.ts';
import { keyText } from './key-text.ts';
import { fileName } from './redacted.ts';
import type { Block } from './view.ts';

export interface DiskModel {
  readonly disk: DiskStats;
  readonly policies: readonly TierPolicy[];
  /** How often entries of level `periodic` are written; `undefined` where it is not known. */
  readonly intervalMs: number | undefined;
}

/** @param beside lines for shards that differ */
export function diskBlock(model: DiskModel, format: Format, beside?: readonly string[]): Block {
  const { disk } = model;
  const problem = diskProblem(disk);
  return {
    heading: '💽 Disk',
    lines: [
      `**File:** ${keyText(fileName(disk.path), 60)} — ${STATES[disk.state]} · ${sizeText(disk, format)}`,
      ...(problem === undefined || beside !== undefined ? [] : [`-# ${capitalised(problem)}.`]),
      ...(beside ?? []),
      ...(disk.state === 'off' ? [] : restartLines(disk, format)),
      `**Written:** ${levelsText(model, format)}`,
      ...(disk.setAside === undefined ? [] : [setAsideLine(disk.setAside)]),
      `-# Since the start: ${countsText(disk, format)}`,
    ],
  };
}

const STATES: Readonly<Record<DiskStats['state'], string>> = {
  ready: 'ready',
  failing: '⚠️ takes no writes',
  off: '⚠️ off',
};

/** Where there is none. */
export const NO_DISK =
  '-# No disk layer: a restart begins with an empty cache. `cache.disk_path` in config.json adds one.';

/** `312 entries, 4.2 MB of 256 MB` */
export function sizeText({ entries, bytes, maxBytes }: DiskStats, format: Format): string {
  return `${entriesText(format, entries)}, ${format.bytes(bytes)} of ${format.bytes(maxBytes)}`;
}

/** For the overview: `312 entries · 298 entries found at the start, **87** read back and believed so far · refused 3 changed meanwhile (removed)` */
export function diskLine(disk: DiskStats, format: Format): string {
  const state = disk.state === 'ready' ? '' : ` ${STATES[disk.state]} ·`;
  return `**Disk:**${state} ${entriesText(format, disk.entries)} · ${startText(disk, format)}`;
}

function startText(disk: DiskStats, format: Format): string {
  if (disk.found === 0) return 'empty at the start';
  const found = `${entriesText(format, disk.found)} found at the start`;
  const refused = refusedParts(disk, format);
  return [
    `${found}, **${format.count(disk.restored)}** read back and believed so far`,
    ...(refused.length === 0 ? [] : [`refused ${refused.join(', ')}`]),
  ].join(' · ');
}

/** @param path where a damaged file went */
export function setAsideLine(path: string): string {
  return `-# It was damaged at the start, renamed to ${keyText(fileName(path), 60)}, and begun anew: nothing but warmth was lost.`;
}

/** What was there when the process began, and what became of it. */
function restartLines(disk: DiskStats, format: Format): string[] {
  if (disk.found === 0) return ['**After the start:** it was empty, so nothing was restored.'];
  const refused = refusedParts(disk, format);
  return [
    `**After the start:** ${entriesText(format, disk.found)} found · **${format.count(disk.restored)}** read back and believed so far`,
    `-# ${PROOFS[disk.proof]}`,
    `**Refused:** ${refused.length === 0 ? 'nothing so far' : refused.join(' · ')}`,
  ];
}

export const PROOFS: Readonly<Record<DiskStats['proof'], string>> = {
  resumed: 'The change feed told every change made meanwhile: the rest is believed.',
  new: 'The change feed has only begun, so nothing proves what is older: it counts as stale and is loaded anew.',
  gap: 'The change feed has a gap, so nothing proves what is older: it counts as stale and is loaded anew.',
  none: 'No change feed proves what is older than this start: it counts as stale and is loaded anew.',
};

function refusedParts({ outdated, unproven, expired, damaged }: DiskStats, format: Format): string[] {
  const all: readonly (readonly [number, string])[] = [
    [outdated, 'changed meanwhile (removed)'],
    [unproven, 'not proven (stale, loaded anew)'],
    [expired, 'expired'],
    [damaged, 'damaged (dropped)'],
  ];
  return all.filter(([count]) => count > 0).map(([count, why]) => `${format.count(count)} ${why}`);
}

const LEVELS: readonly PersistenceLevel[] = ['on_change', 'periodic', 'on_shutdown', 'memory'];
/** Named for each level; `/cache-info tier:` tells it of every tier. */
const TIERS_NAMED = 6;

/** `every 30 s: Configuration, Reference · never: User` */
function levelsText({ policies, intervalMs }: DiskModel, format: Format): string {
  const words: Readonly<Record<PersistenceLevel, string>> = {
    on_change: 'at once',
    periodic: intervalMs === undefined ? 'every so often' : `every ${format.duration(intervalMs)}`,
    on_shutdown: 'when the bot ends',
    memory: 'never',
  };
  const byLevel = Map.groupBy(policies, ({ persist }) => persist ?? 'memory');
  return LEVELS.flatMap((level) => {
    const labels = (byLevel.get(level) ?? []).map(({ label }) => label);
    if (labels.length === 0) return [];
    const more = labels.length > TIERS_NAMED ? ` and ${format.count(labels.length - TIERS_NAMED)} more` : '';
    return [`${words[level]}: ${labels.slice(0, TIERS_NAMED).join(', ')}${more}`];
  }).join(' · ');
}

function countsText({ written, refused, evicted, failures }: DiskStats, format: Format): string {
  const parts = [`${format.count(written)} written`];
  if (refused > 0) {
    parts.push(`${format.count(refused)} not written (too large, or would not come back as they were)`);
  }
  if (evicted > 0) parts.push(`${format.count(evicted)} left for room`);
  if (failures > 0) parts.push(`${format.count(failures)} failed`);
  return parts.join(' · ');
}

const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/\bfull\b|ENOSPC/i, 'the disk is full'],
  [/read-?only|EROFS|EACCES|EPERM|permission/i, 'the file may not be written'],
  [/locked|busy/i, 'another process holds the file'],
  [/malformed|not a database|corrupt|not a cache of this version/i, 'the file is damaged'],
  [/unable to open|directory|EISDIR|ENOTDIR|ENOENT|EEXIST/i, 'the file cannot be opened'],
  [/disk I\/O/i, 'the disk reports an error'],
];

const CONSEQUENCES: Readonly<Record<DiskStats['state'], string>> = {
  ready: '',
  failing: 'memory goes on, and it is tried again',
  off: 'the cache works in memory alone until the next start',
};

/** What is wrong, and what that means; `undefined` while all is well. */
export function diskProblem({ state, problem = '' }: DiskStats): string | undefined {
  if (state === 'ready') return undefined;
  const known = PROBLEMS.find(([pattern]) => pattern.test(problem))?.[1];
  const what = known ?? (problem === '' ? 'the file cannot be used' : keyText(shownError(problem), 80));
  return `${what}; ${CONSEQUENCES[state]}`;
}

/** `memory 1,200 · disk 34` */
export function hitsByLayer({ hits, diskHits }: Pick<Figures, 'hits' | 'diskHits'>, format: Format): string {
  return `memory ${format.count(hits - diskHits)} · disk ${format.count(diskHits)}`;
}
