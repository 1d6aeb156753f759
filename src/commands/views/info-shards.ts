/**
 * What `/cache-info` says of disk, change feed and write-behind where a bot is several processes: one sum, and a line for
 * those that differ or have trouble. What they share (a file, the database) is not added up.
 */
import type { DiskStats, FeedStats } from '../../cache/statistics/stats.ts';
import { mergeDisks } from '../shards/merge-stats.ts';
import { mergeWrites } from '../shards/merge-writes.ts';
import type { ShardInfo, ShardReply } from '../shards/shards.ts';
import { diskProblem, PROOFS } from './disk.ts';
import { capitalised, type Format, plural } from './format.ts';
import { troubleLines } from './shards.ts';
import { writesTrouble } from './writes.ts';

export type InfoRows = readonly ShardReply<ShardInfo>[];

/** Changes by which a shard may be behind: they were asked one after another, while others write. */
const ALLOWED_LAG = 100;

function told(rows: InfoRows): ShardInfo[] {
  return rows.flatMap((row) => (row.ok ? [row.value] : []));
}

/** The disk of all shards together, and lines for those that differ; `null` where none has one. */
export function diskOfAll(rows: InfoRows): {
  readonly disk: DiskStats;
  readonly beside: readonly string[];
  readonly files: string | undefined;
} | null {
  const all = told(rows);
  const disks = all.flatMap(({ disk }) => disk ?? []);
  const disk = mergeDisks(disks);
  if (disk === null) return null;
  const files = new Set(disks.map(({ path }) => path)).size;
  const shared =
    files === 1 ? `One file for all ${disks.length} shards.` : `${files} files for ${disks.length} shards.`;
  const proof = commonest(disks.map((one) => one.proof)) ?? disk.proof;
  const trouble = troubleLines(rows, (info) => {
    if (info.disk === null) return 'no disk layer.';
    const problem = diskProblem(info.disk);
    if (problem !== undefined) return `${problem}.`;
    return info.disk.proof === proof ? undefined : PROOFS[info.disk.proof];
  });
  return { disk: { ...disk, proof }, beside: trouble, files: all.length < 2 ? undefined : shared };
}

/** The change feed of all: of one database, so that its changes are those of the shard that is farthest. */
export function feedOfAll(
  rows: InfoRows,
  format: Format,
): { readonly feed: FeedStats; readonly beside: readonly string[] } | null {
  const all = told(rows);
  const feeds = all.flatMap(({ feed }) => feed ?? []);
  const [first] = feeds;
  if (first === undefined) return null;
  const most = (of: (feed: FeedStats) => number) => Math.max(...feeds.map(of));
  const position = most((feed) => feed.position);
  const [farthest = first] = feeds.filter((feed) => feed.position === position);
  const beginning = commonest(feeds.map((feed) => feed.beginning)) ?? first.beginning;
  // Gaps are told of by shard.
  const feed = { ...farthest, beginning, readers: most(({ readers }) => readers), gaps: 0 };
  const trouble = troubleLines(rows, (info) => {
    if (info.feed === null) return 'does not follow the change feed.';
    const { gaps, position: at } = info.feed;
    const parts = [
      ...(position - at > ALLOWED_LAG ? [`${plural(format, position - at, 'change')} behind`] : []),
      ...(gaps > 0 ? [`cleared whole ${plural(format, gaps, 'time')}, since changes were missing`] : []),
      ...(info.feed.beginning === beginning ? [] : [`began ${BEGAN[info.feed.beginning]}`]),
    ];
    return parts.length === 0 ? undefined : `${parts.join(' · ')}.`;
  });
  return { feed, beside: trouble };
}

const BEGAN: Readonly<Record<FeedStats['beginning'], string>> = {
  new: 'anew',
  resumed: 'where the last process stopped',
  gap: 'with a gap',
};

/** The pending writes of all, journal by journal; `undefined` where there is no write-behind. */
export function writesOfAll(rows: InfoRows, format: Format) {
  const all = told(rows).flatMap(({ writes }) => writes ?? []);
  const figures = mergeWrites(all);
  if (figures === undefined) return undefined;
  const beside = troubleLines(rows, ({ writes }) => {
    if (writes === null) return 'no write-behind.';
    // What waits is nothing to worry about by itself.
    return writes.dead === 0 ? undefined : capitalised(writesTrouble(writes, format) ?? '');
  });
  return { figures, journals: all.length, beside };
}

/** What most of them are: those that differ are told of one by one. */
function commonest<T>(all: readonly T[]): T | undefined {
  const groups = [...Map.groupBy(all, (one) => one)];
  return groups.sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}
