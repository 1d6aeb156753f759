/** Disk, change feed and write-behind of several shards: what they share is not added up, who differs is named. */
import { describe, expect, it } from 'vitest';
import type { FeedStats } from '../../src/cache/statistics/stats.ts';
import type { ShardInfo } from '../../src/commands/shards/shards.ts';
import { formatFor } from '../../src/commands/views/format.ts';
import { diskOfAll, feedOfAll, type InfoRows } from '../../src/commands/views/info-shards.ts';
import { diskStats } from './stats-data.ts';

const en = formatFor('en-US');

const INFO: ShardInfo = {
  entries: 1,
  weightBytes: 1,
  maxWeightBytes: 1,
  heapUsedBytes: 1,
  residentBytes: 1,
  startedAt: 0,
  guilds: 1,
  disk: null,
  feed: null,
  writes: null,
};

function rows(...all: Partial<ShardInfo>[]): InfoRows {
  return all.map((over, shard) => ({ shard, ok: true, value: { ...INFO, ...over } }));
}

function feed(over: Partial<FeedStats> = {}): FeedStats {
  const counts = { changes: 10, invalidations: 5, widened: 0, gaps: 0, readers: 3 };
  return { beginning: 'resumed', position: 1_000, ...counts, ...over };
}

describe('the disk of several shards', () => {
  it('is told once where they share a file', () => {
    const all = diskOfAll(rows({ disk: diskStats() }, { disk: diskStats() }));
    expect(all?.disk.entries).toBe(312);
    expect(all?.beside).toEqual([]);
    expect(all?.files).toBe('One file for all 2 shards.');
  });

  it('names the shards that have trouble with it, or none', () => {
    const full = { state: 'failing', problem: 'database or disk is full' } as const;
    const all = diskOfAll(
      rows(
        { disk: diskStats() },
        { disk: diskStats(full) },
        { disk: diskStats(full) },
        {},
        { disk: diskStats({ proof: 'gap' }) },
        { disk: diskStats({ path: '/b/cache.db' }) },
      ),
    );
    expect(all?.beside).toEqual([
      '⚠️ **Shards 1, 2** — the disk is full; memory goes on, and it is tried again.',
      '⚠️ **Shard 3** — no disk layer.',
      '⚠️ **Shard 4** — The change feed has a gap, so nothing proves what is older: it counts as stale and is loaded anew.',
    ]);
    expect(all?.files).toBe('2 files for 5 shards.');
    expect(all?.disk.proof).toBe('resumed');
  });

  it('is none where none has one, or none answers', () => {
    expect(diskOfAll(rows({}, {}))).toBeNull();
    expect(diskOfAll([{ shard: 0, ok: false, problem: 'is not running' }])).toBeNull();
  });
});

describe('the change feed of several shards', () => {
  it('is that of the farthest, since all follow one database', () => {
    const all = feedOfAll(rows({ feed: feed() }, { feed: feed({ position: 1_040, changes: 14 }) }), en);
    expect(all?.feed).toMatchObject({ position: 1_040, changes: 14, readers: 3 });
    expect(all?.beside).toEqual([]);
  });

  it('names the shards that are behind, began otherwise, had gaps or do not follow', () => {
    const all = feedOfAll(
      rows(
        { feed: feed() },
        { feed: feed({ position: 200 }) },
        { feed: feed({ beginning: 'gap', gaps: 2 }) },
        {},
        { feed: feed() },
      ),
      en,
    );
    expect(all?.feed.beginning).toBe('resumed');
    expect(all?.beside).toEqual([
      '⚠️ **Shard 1** — 800 changes behind.',
      '⚠️ **Shard 2** — cleared whole 2 times, since changes were missing · began with a gap.',
      '⚠️ **Shard 3** — does not follow the change feed.',
    ]);
  });
});
