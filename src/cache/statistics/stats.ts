/** Everything that is counted, as it is told: plain data, the same for `/cache-stats`, the metrics and authors. */
import type { Cache } from '../cache.ts';
import type { RemovalReason } from '../removal.ts';
import type { TierName } from '../tiers/tier.ts';

/** The whole cache at one moment. Plain data. */
export interface CacheStats {
  readonly enabled: boolean;
  /** Epoch milliseconds at which counting began. */
  readonly sinceAt: number;
  /** Epoch milliseconds of this snapshot. */
  readonly at: number;
  readonly maxWeightBytes: number;
  readonly total: Figures;
  readonly tiers: readonly (Figures & { readonly tier: TierName; readonly label: string })[];
  readonly namespaces: readonly (Figures & { readonly namespace: string; readonly tier: TierName })[];
  readonly windows: readonly WindowFigures[];
  /** Most used first. */
  readonly topKeys: readonly TopKey[];
  /** `null` where there is no disk layer. */
  readonly disk: DiskStats | null;
  /** `null` where no change feed was given to {@link Cache.provenBy}. */
  readonly feed: FeedStats | null;
  /** `null` where no use is remembered. */
  readonly warmth: WarmthStats | null;
  /** Loads in flight now. */
  readonly loading: number;
  /** The last failed load, for people to find in the log. */
  readonly lastFailure: { readonly key: string; readonly message: string; readonly at: number } | null;
  /** The last value that could not be copied, and so was not kept: `price is a Decimal`. */
  readonly lastUnsafe: { readonly namespace: string; readonly text: string } | null;
}

/** Everything that is counted, for the whole cache, a tier or a namespace alike. Each counter counts since start. */
export interface Figures {
  /** hits + misses */
  readonly lookups: number;
  readonly hits: number;
  /** Of the hits, those that were brought back from disk; the others were in memory. */
  readonly diskHits: number;
  /** Lookups that found nothing fresh: those that loaded, joined a load, or only asked. Forced loads (`fresh`) are no lookups. */
  readonly misses: number;
  /** hits ÷ lookups, 0 to 1; `null` before the first lookup. */
  readonly hitRate: number | null;
  /** Of the misses, those that joined a load in flight. */
  readonly joined: number;
  readonly loads: number;
  /** Of the loads, those that were forced: by a warmer, or by asking for a fresh value. */
  readonly refreshes: number;
  /** Of the loads, those that threw, rejected or were timed out. */
  readonly failures: number;
  /** Of the failures, those that the hard timeout ended. */
  readonly timeouts: number;
  /** Of the loads, those that found the old value still right: not modified, or equal where the ttl is adaptive. */
  readonly unchanged: number;
  /** Old values served, by reason. The first two are hits, the others misses, as is what a loader gave (`servedStale`). */
  readonly stale: Readonly<Record<StaleReason, number>>;
  /** Values stored: fills after loads and explicit writes. */
  readonly sets: number;
  readonly fills: number;
  readonly writes: number;
  readonly refusals: Readonly<Record<RefusalReason, number>>;
  readonly removals: Readonly<Record<RemovalReason, number>>;
  readonly entries: number;
  readonly weightBytes: number;
  /** `null` before the first load. */
  readonly loadTimes: LoadTimes | null;
  /** Database time saved: hits × the mean load time of the tier. */
  readonly savedMs: number;
  /** What the hits have saved in the unit of the `cost` option; 0 where none is given. */
  readonly savedCost: number;
}

/** Why somebody was given an old value. */
export type StaleReason =
  /** At once, while a load runs behind (stale-while-revalidate). */
  | 'revalidating'
  /** At once, since the last load failed a moment ago. */
  | 'backing-off'
  /** After the load had failed (grace). */
  | 'failed'
  /** After the load had taken too long: the soft timeout, or the hard one. */
  | 'slow';

/** Why a value was served but not kept. */
export type RefusalReason =
  /** An invalidation or a newer write came while the load ran. */
  | 'invalidated'
  /** Heavier than the bound, too big to weigh in bounded time, or so many entries would have to leave that it must wait for room. */
  | 'too-large'
  /** Holds a function, a class instance or another kind that cannot be copied; or has a tag that is no text. */
  | 'unsafe'
  /** Its ttl is 0, the loader asked to skip, or a condition (`when`, `skipEmpty`) says so. */
  | 'not-wanted';

/** Durations of loads, in milliseconds with fractions. */
export interface LoadTimes {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The histogram behind them, for metrics; absent where figures of several processes were put together. */
  readonly buckets?: readonly LoadTimeBucket[];
}

/** How many loads took up to so long, and longer than the bucket before. Empty buckets are left out. */
export interface LoadTimeBucket {
  /** `Infinity` for the last one there is. */
  readonly upToMs: number;
  readonly loads: number;
}

/** What happened within the last minute, hour or day. */
export interface WindowFigures {
  readonly window: 'minute' | 'hour' | 'day';
  /** How much of the window has been seen yet. */
  readonly coveredMs: number;
  readonly lookups: number;
  readonly hits: number;
  readonly misses: number;
  readonly hitRate: number | null;
  readonly loads: number;
  readonly failures: number;
  /** Lookups a second over `coveredMs`. */
  readonly lookupsPerSecond: number;
}

export interface TopKey {
  readonly key: string;
  readonly tier: TierName;
  /** Hits since the key was first seen, over refills; a bounded sketch, so rarely used keys may be missing. */
  readonly hits: number;
  /** `undefined` when it is not resident at the moment. */
  readonly weightBytes: number | undefined;
  /** Milliseconds until it goes stale; `undefined` when not resident. */
  readonly freshForMs: number | undefined;
}

/** The cache on disk. */
export interface DiskStats {
  readonly path: string;
  /** `failing`: the last write did not succeed. `off`: the file cannot be used; the cache works in memory alone. */
  readonly state: 'ready' | 'failing' | 'off';
  /** What is wrong, in the words of SQLite. */
  readonly problem: string | undefined;
  /** What proves entries from before this process: a feed that continues where it stopped (`resumed`), or nothing. */
  readonly proof: 'none' | 'new' | 'resumed' | 'gap';
  /** Where a damaged file was renamed to when this process opened it; `undefined` where it was sound. */
  readonly setAside: string | undefined;
  readonly entries: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Entries that were there when this process began. */
  readonly found: number;
  /** Of those, what had been changed meanwhile: counted as it is removed, many after the start. */
  readonly outdated: number;
  /** Reads that were answered from it. */
  readonly hits: number;
  /** Of those, by entries from before this process. */
  readonly restored: number;
  /** Reads that found an entry which nothing proves: it counts as stale. */
  readonly unproven: number;
  /** Reads that found an entry which had expired, or which another version of the author's code has written. */
  readonly expired: number;
  readonly written: number;
  /** Not written: too large, or of a kind that would not come back as it was. */
  readonly refused: number;
  /** Rows that were not what had been written, and dropped. */
  readonly damaged: number;
  readonly evicted: number;
  readonly failures: number;
}

/** The change feed: how far this process follows what anybody writes to the database. */
export interface FeedStats {
  /** `resumed`: it continued where the last process stopped. `gap`: changes in between are gone. */
  readonly beginning: 'new' | 'resumed' | 'gap';
  /** The last change that is applied. */
  readonly position: number;
  /** Changes that were applied. */
  readonly changes: number;
  /** Targets that were invalidated, after equal ones were put together. */
  readonly invalidations: number;
  /** Writes that were too large to be followed row by row: all that their tables cover was invalidated. */
  readonly widened: number;
  /** Times the whole cache was cleared, since something was missing. */
  readonly gaps: number;
  /** Processes that read the feed, those that may come back included, when this one last looked. */
  readonly readers: number;
}

/** What was loaded before anybody asked for it. */
export interface WarmedFigures {
  readonly warmed: number;
  /** Of these, how many somebody read before they left memory. */
  readonly used: number;
  /** And how many left unread. The others are still there. */
  readonly unused: number;
  /** used ÷ warmed; `null` where nothing was warmed. */
  readonly precision: number | null;
}

/** What is remembered of the use of keys, and what came of it. */
export interface WarmthStats {
  /** Cached reads that can be repeated. */
  readonly recipes: number;
  /** Keys whose use is remembered on disk. */
  readonly keys: number;
  /** Rows that were not what had been written, and dropped. */
  readonly damaged: number;
  /** Hot keys, loaded at the start. */
  readonly start: WarmedFigures;
  /** Keys that the last days used at an hour, loaded before it. */
  readonly predicted: WarmedFigures;
}
