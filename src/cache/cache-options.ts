/** What a cache is made of. */
import type { Logger } from '../logger.ts';
import type { Clock } from './clock.ts';
import type { OpenDatabase } from './layers/disk/file.ts';
import type { TierPolicy } from './tiers/tier.ts';
import type { ValueType } from './values/value-types.ts';

/** All of them may be left out. */
export interface CacheOptions {
  /** With `false` nothing is kept and every read goes to its loader. @default true */
  readonly enabled?: boolean | undefined;
  /** The bound of the memory layer. @default 100 MiB */
  readonly maxWeightBytes?: number | undefined;
  /** @default the four built-in ones */
  readonly tiers?: readonly TierPolicy[] | undefined;
  /** How often expired entries are looked for. @default an hour */
  readonly cleanupIntervalMs?: number | undefined;
  /** @default the machine's monotonic clock */
  readonly clock?: Clock | undefined;
  /** @default `console` */
  readonly logger?: Logger | undefined;
  /** Entries that outlive the process: see `docs/disk.md`. @default none */
  readonly disk?: DiskOptions | undefined;
  /** Classes whose instances may be kept, with how they are copied: see `docs/values.md`. @default none */
  readonly valueTypes?: readonly ValueType[] | undefined;
  /** Random numbers from 0 to 1, for jitter. @default `Math.random` */
  readonly random?: (() => number) | undefined;
}

/** The disk layer: what outlives the process. */
export interface DiskOptions {
  /** A SQLite file of its own, such as `cache.db`. */
  readonly path: string;
  /** Its bound; what was written longest ago leaves first. @default 256 MiB */
  readonly maxBytes?: number | undefined;
  /** How often entries of level `periodic` are written. @default 30 s */
  readonly intervalMs?: number | undefined;
  /**
   * Of the author's code: raise it when a release changes what cached reads return. What other versions have written
   * counts as expired. @default ''
   */
  readonly version?: string | undefined;
  /**
   * `'wrapped-writes'` is the author's word that the source is written to by this one process only, through
   * `invalidates`, `invalidatesAfter`, `write` and `writeSync`: then entries from before its start are believed without
   * a change feed, also after a crash. @default without a feed they count as stale
   */
  readonly trust?: 'wrapped-writes' | undefined;
  /** Whether what is used most, and how it is loaded, is remembered there: see `docs/warming.md`. @default true */
  readonly remembersUse?: boolean | undefined;
  /** Opens a database. @default better-sqlite3 */
  readonly open?: OpenDatabase | undefined;
}
