/** The change feed in words, for `/cache-info`: how it began, how far it is, and what it could not follow exactly. */
import type { FeedStats } from '../../cache/statistics/stats.ts';
import { type Format, plural } from './format.ts';
import type { Block } from './view.ts';

/** @param beside lines for shards that differ */
export function feedBlock(feed: FeedStats, format: Format, beside: readonly string[] = []): Block {
  return {
    heading: '📡 Change feed',
    lines: [
      `**Began:** ${BEGINNINGS[feed.beginning]}`,
      `**Applied:** ${plural(format, feed.changes, 'change')}, ${plural(format, feed.invalidations, 'invalidation')} · at position ${format.exact(feed.position)} · ${plural(format, feed.readers, 'reader')}`,
      ...beside,
      ...(feed.widened === 0
        ? []
        : [
            `-# ${plural(format, feed.widened, 'large write')} not followed row by row: all that the tables cover was removed.`,
          ]),
      ...(feed.gaps === 0
        ? []
        : [
            `-# ⚠️ The whole cache was cleared ${plural(format, feed.gaps, 'time')}, since changes were missing. The log has why.`,
          ]),
    ],
  };
}

/** For the overview. */
export function feedLine(feed: FeedStats, format: Format): string {
  const gaps =
    feed.gaps === 0
      ? ''
      : ` · ⚠️ cleared whole ${plural(format, feed.gaps, 'time')}, since changes were missing`;
  return `**Change feed:** began ${BEGINNINGS[feed.beginning]} · ${plural(format, feed.changes, 'change')} applied${gaps}`;
}

const BEGINNINGS: Readonly<Record<FeedStats['beginning'], string>> = {
  new: 'anew, with nothing behind it',
  resumed: 'where the last process stopped',
  gap: 'with a gap: changes since the last process are gone',
};
