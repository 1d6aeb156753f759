/**
 * What replies of a bot in several processes say beside their figures: how each shard did, and which did not answer.
 * Put onto the views of one process, so that those stay as they are. Who did not answer is never left out: such lines
 * come first, and what does not fit leaves from the end.
 */
import type { Preview } from '../../cache/index/preview.ts';
import type { CacheStats } from '../../cache/statistics/stats.ts';
import type { ClearedShard, ShardInfo, ShardReply, ShardWarming } from '../shards/shards.ts';
import type { FoundWrites } from '../writes-lookup.ts';
import { entriesText, type Format, instant, plural } from './format.ts';
import type { Block, View } from './view.ts';
import { writesTrouble } from './writes.ts';

type Rows<T> = readonly ShardReply<T>[] | undefined;

const HEADING = '🧩 Shards';

/** A reply about the shard that answers, in a bot that has more. */
export function ofOneShard(
  view: View,
  shards: { readonly ids: readonly number[]; readonly count: number } | undefined,
): View {
  if (shards === undefined) return view;
  const note = `Shard ${shards.ids.join(', ')} of ${shards.count} alone: the others have caches of their own.`;
  return { ...view, notes: [...(view.notes ?? []), note] };
}

/** @param chosen the shard whose figures are shown; without it they are sums */
export function withStatsRows(
  view: View,
  rows: Rows<CacheStats>,
  chosen: number | undefined,
  format: Format,
): View {
  if (rows === undefined) return view;
  const scope = chosen === undefined ? answered(rows) : `shard ${chosen} of ${rows.length}`;
  const spread = withRows(view, rows, (stats) => {
    const { hitRate, entries, weightBytes } = stats.total;
    return `hit rate ${format.percent(hitRate)} · ${entriesText(format, entries)} · ≈ ${format.bytes(weightBytes)}`;
  });
  return {
    ...spread,
    subtitle: [view.subtitle, scope].filter((part) => part !== undefined).join(' · '),
    notes: [
      ...(view.notes ?? []),
      ...(chosen === undefined
        ? ['Each shard has a cache of its own: entries are those of all of them, copies included.']
        : []),
    ],
  };
}

export function withPreviewRows(view: View, rows: Rows<Preview>, format: Format): View {
  return withRows(
    view,
    rows,
    (preview) => entriesText(format, preview.entries),
    'it will be tried again when you confirm',
  );
}

export function withClearedRows(view: View, rows: Rows<ClearedShard>, format: Format): View {
  if (rows === undefined) return view;
  const spread = withRows(
    view,
    rows,
    ({ entries, weightBytes }) => `${entriesText(format, entries)} cleared (≈ ${format.bytes(weightBytes)})`,
    'what it holds may be served until it expires',
  );
  return { ...spread, title: `🧹 Cleared on ${answered(rows)}` };
}

export function withWarmRows(view: View, rows: Rows<ShardWarming>, format: Format): View {
  return withRows(
    view,
    rows,
    ({ report, joined }) => {
      if (report === null) return 'has nothing to warm';
      const done = report.warmed + report.skipped + report.failed;
      const state = report.state === 'running' ? 'warming' : report.state;
      const failed = report.failed === 0 ? '' : ` · ${format.count(report.failed)} failed`;
      return `${state} · ${format.count(done)} of ${plural(format, report.total, 'key')}${failed}${joined ? ' · joined' : ''}`;
    },
    'it was not warmed, as far as is known',
  );
}

/** @param isBrief only those that did not answer */
export function withInfoRows(
  view: View,
  rows: Rows<ShardInfo>,
  own: number,
  format: Format,
  isBrief = false,
): View {
  if (rows === undefined) return view;
  const spread = withRows(view, rows, (info) => {
    if (isBrief) return undefined;
    const held = `${entriesText(format, info.entries)} · ≈ ${format.bytes(info.weightBytes)} of ${format.bytes(info.maxWeightBytes)}`;
    return `${held} · heap ${format.bytes(info.heapUsedBytes)} · ${plural(format, info.guilds, 'guild')} · up since ${instant(info.startedAt)}`;
  });
  const note = `Settings, tiers, warmers and process are of shard ${own}; the rest is of all that answered.`;
  return { ...spread, notes: [...(view.notes ?? []), note] };
}

/** Pending writes: a line for each shard that has any, or trouble with them. */
export function withWritesRows(view: View, rows: Rows<FoundWrites | null>, format: Format): View {
  return withRows(
    view,
    rows,
    (found) => (found === null ? 'has no write-behind' : writesTrouble(found.figures, format)),
    'what waits there, or could not be saved, is not counted here',
    'nothing waits',
  );
}

/** What became of a retry or a drop, shard by shard. */
export function withActedRows(view: View, rows: Rows<number>, done: string, format: Format): View {
  const line = (count: number) => (count === 0 ? undefined : `${plural(format, count, 'write')} ${done}`);
  return withRows(view, rows, line, 'look at the list again');
}

/** Figures of one shard were asked for, and it does not answer. */
export function silentShardView(title: string, shard: number, problem: string): View {
  return { tone: 'degraded', title, blocks: [{ lines: [`⚠️ **Shard ${shard}** ${problem}.`] }] };
}

/** `all 4 shards`, `3 of 4 shards`, or `shard 2` where that one alone was asked. */
function answered<T>(rows: readonly ShardReply<T>[]): string {
  const count = rows.filter((row) => row.ok).length;
  const [first] = rows;
  if (rows.length === 1 && first?.ok === true) return `shard ${first.shard}`;
  return `${count === rows.length ? 'all' : `${count} of`} ${rows.length} shards`;
}

/**
 * @param line nothing for a shard that need not be told of by itself
 * @param consequence what it means that a shard did not answer
 * @param quiet what is said of those that need not be told of
 */
function withRows<T>(
  view: View,
  rows: Rows<T>,
  line: (value: T) => string | undefined,
  consequence?: string,
  quiet?: string,
): View {
  if (rows === undefined || rows.length === 0) return view;
  const answering = rows.flatMap((row) => (row.ok ? [{ shard: row.shard, text: line(row.value) }] : []));
  const spoke = answering.flatMap(({ shard, text }) =>
    text === undefined ? [] : [`**Shard ${shard}** — ${text}`],
  );
  const others = answering.flatMap(({ shard, text }) => (text === undefined ? [shard] : []));
  if (quiet !== undefined && others.length > 0) {
    const isAll = others.length === rows.length && rows.length > 1;
    spoke.push(`-# ${isAll ? `All ${rows.length} shards` : named(ranges(others))}: ${quiet}`);
  }
  const silent = silentLines(rows, consequence);
  const summary = silent.length === 0 ? [] : [`**${answered(rows)} answered.**`];
  const lines = [...summary, ...silent, ...spoke];
  if (lines.length === 0) return view;
  const block: Block = { heading: HEADING, lines };
  return {
    ...view,
    tone: silent.length > 0 ? 'degraded' : view.tone,
    blocks: [...view.blocks, block],
  };
}

/** One line for all that have the same problem, so that a hundred of them fit, too. */
function silentLines<T>(rows: readonly ShardReply<T>[], consequence: string | undefined): string[] {
  const silent = Map.groupBy(
    rows.flatMap((row) => (row.ok ? [] : [row])),
    (row) => row.problem,
  );
  return [...silent].map(([problem, same]) => {
    const numbers = ranges(same.map((row) => row.shard));
    const who = same.length === 1 ? named(numbers) : `Each of the shards ${numbers}`;
    return `⚠️ **${who}** ${problem}${consequence === undefined ? '' : `; ${consequence}`}.`;
  });
}

/** `Shard 2`, `Shards 1, 4–6`. @param numbers as `ranges` gives them */
function named(numbers: string): string {
  return /^\d+$/.test(numbers) ? `Shard ${numbers}` : `Shards ${numbers}`;
}

/** What is wrong with some of the shards that answered, or differs: a line for all of which the same is to be told. */
export function troubleLines<T>(rows: Rows<T>, troubleOf: (value: T) => string | undefined): string[] {
  const told = (rows ?? []).flatMap((row) => {
    const text = row.ok ? troubleOf(row.value) : undefined;
    return text === undefined ? [] : [{ shard: row.shard, text }];
  });
  return [...Map.groupBy(told, ({ text }) => text)].map(
    ([text, same]) => `⚠️ **${named(ranges(same.map(({ shard }) => shard)))}** — ${text}`,
  );
}

/** `1, 4–6`. @param numbers in order */
function ranges(numbers: readonly number[]): string {
  const found: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last.to === number - 1) last.to = number;
    else found.push({ from: number, to: number });
  }
  return found
    .map(({ from, to }) => (to === from ? `${from}` : to === from + 1 ? `${from}, ${to}` : `${from}–${to}`))
    .join(', ');
}
