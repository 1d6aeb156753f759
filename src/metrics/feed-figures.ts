/**
 * The change feed as metrics: which each of its figures is. The compiler holds that none is forgotten. Without a feed
 * there are no samples.
 */
import type { FeedStats } from '../cache/statistics/stats.ts';
import { PREFIX } from './figures.ts';

export interface FeedMetric {
  readonly type: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  readonly read: (feed: FeedStats) => number;
}

const metric = (
  type: FeedMetric['type'],
  name: string,
  help: string,
  read: FeedMetric['read'],
): FeedMetric => ({
  type,
  name: `${PREFIX}feed_${name}`,
  help,
  read,
});

export const FEED_METRICS: Readonly<Record<keyof FeedStats, FeedMetric>> = {
  beginning: metric('gauge', 'resumed', '1 where it continued where the last process stopped.', (feed) =>
    Number(feed.beginning === 'resumed'),
  ),
  position: metric('gauge', 'position', 'The last change that is applied.', (feed) => feed.position),
  readers: metric('gauge', 'readers', 'Processes that read the feed.', (feed) => feed.readers),
  changes: metric('counter', 'changes_total', 'Changes applied.', (feed) => feed.changes),
  invalidations: metric(
    'counter',
    'invalidations_total',
    'Targets invalidated by changes.',
    (feed) => feed.invalidations,
  ),
  widened: metric(
    'counter',
    'widened_total',
    'Writes too large to be followed row by row.',
    (feed) => feed.widened,
  ),
  gaps: metric(
    'counter',
    'gaps_total',
    'Times the cache was cleared, since changes were missing.',
    (feed) => feed.gaps,
  ),
};
