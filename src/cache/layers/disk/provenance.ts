/** What the disk layer asks of a change feed. */
import type { EntryLinks } from '../../entry.ts';
import type { FeedStats } from '../../statistics/stats.ts';

export interface Provenance {
  /** `resumed`: every change since the place that was kept has been applied. */
  readonly beginning: 'new' | 'resumed' | 'gap';
  /** Applies all that is committed; false where it cannot at the moment. */
  drain(): boolean;
  /** Where it stands: plain data, to be given back at the next start. */
  position(): unknown;
  /** Whether it tells every change of such an entry. */
  tellsOf(key: string, links: EntryLinks): boolean;
  /** What it has done, for the statistics. */
  stats?(): FeedStats;
}
