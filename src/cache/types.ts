/**
 * The words of the engine as types: what goes in, what comes out, and what is counted.
 * Behaviour lives in the other files of this folder; nothing here does anything.
 */
import type { Logger } from '../logger.ts';
import type { Clock } from './clock.ts';
import type { Provenance } from './layers/disk/disk.ts';
import type { OpenDatabase } from './layers/disk/file.ts';
import type { StoredEntries } from './layers/disk/stored-entries.ts';
import type { Unsaved } from './loading/unsaved.ts';
import type { LoadingPolicy } from './tiers/policy.ts';
import type { Recipes } from './warmth/recipes.ts';
import type { Warmth } from './warmth/warmth.ts';

/** The four classes of data every cache has. Authors may add more, hence {@link TierName}. */
export type BuiltInTier = 'config' | 'reference' | 'user' | 'query';
export type TierName = BuiltInTier | (string & {});

/** How one class of data is cached. Every number is already in milliseconds or a ratio. */
export interface TierPolicy extends LoadingPolicy {
  readonly tier: TierName;
  /** For people: `Configuration`, `Reference`. */
  readonly label: string;
  /** For people: what belongs here, in a few words. */
  readonly description: string;
  /** How long an entry is fresh. `0`: served to those who wait for the load, never kept. `Infinity`: until evicted or invalidated. */
  readonly ttlMs: number;
  /** The same for "no such row" (`null` and `undefined`). */
  readonly negativeTtlMs: number;
  readonly jitterRatio: number;
  /** The first key segments that belong to this tier unless a call says otherwise. */
  readonly namespaces: readonly string[];
}

export interface CacheOptions {
  /** With `false` nothing is kept and every read goes to its loader. @default true */
  readonly enabled?: boolean;
  /** The bound of the memory layer. */
  readonly maxWeightBytes: number;
  readonly tiers: readonly TierPolicy[];
  /** How often expired entries are looked for. */
  readonly cleanupIntervalMs: number;
  /** @default the machine's monotonic clock */
  readonly clock?: Clock;
  /** @default `console` */
  readonly logger?: Logger;
  /** Entries that outlive the process: see `docs/disk.md`. @default none */
  readonly disk?: DiskOptions;
  /** Random numbers from 0 to 1, for jitter. @default `Math.random` */
  readonly random?: () => number;
}

export interface DiskOptions {
  /** A SQLite file of its own, such as `cache.db`. */
  readonly path: string;
  /** Its bound; what was written longest ago leaves first. @default 256 MiB */
  readonly maxBytes?: number;
  /** How often entries of level `periodic` are written. @default 30 s */
  readonly intervalMs?: number;
  /**
   * Of the author's code: raise it when a release changes what cached reads return. What other versions have written
   * counts as expired. @default ''
   */
  readonly version?: string;
  /**
   * `'wrapped-writes'` is the author's word that the source is written to by this one process only, through
   * `invalidates`, `invalidatesAfter`, `write` and `writeSync`: then entries from before its start are believed without
   * a change feed, also after a crash. @default without a feed they count as stale
   */
  readonly trust?: 'wrapped-writes';
  /** Whether what is used most, and how it is loaded, is remembered there: see `docs/warming.md`. @default true */
  readonly remembersUse?: boolean;
  /** Opens a database. @default better-sqlite3 */
  readonly open?: OpenDatabase;
}

/** What a loader may say about its load while it runs. */
export interface LoadContext {
  readonly key: string;
  /** Fires at the hard timeout, and when the cache is closed. */
  readonly signal: AbortSignal;
  /** The value that this load will replace, where it is still there: fresh, stale, or just expired. */
  readonly stale: { readonly value: unknown; readonly ageMs: number } | undefined;
  /** Adds tags learnt from the value. With one that is no text the value is served and not kept. */
  tag(...tags: readonly string[]): void;
  /** Adds keys whose invalidation invalidates this entry too. With one that can be no key the value is not kept. */
  dependsOn(...keys: readonly string[]): void;
  /** Overrides the ttl of this one entry. */
  setTtl(ttlMs: number): void;
  /** The value is served to those who wait and not kept. */
  skip(): void;
  /**
   * The source says that the old value still holds: `return notModified()` serves and keeps it for another ttl.
   * @throws CacheError `ERR_LOAD_FAILED` where there is no `stale` value
   */
  notModified(): never;
  /** Somebody was given the old value by rules of the loader's own, such as HTTP's: it counts as served stale. */
  servedStale(reason: StaleReason): void;
}

export type Loader<T> = (context: LoadContext) => T | PromiseLike<T>;

export interface EntryOptions extends LoadingPolicy {
  /** @default the tier of the key's namespace, else `query` */
  readonly tier?: TierName;
  /** Overrides the tier's ttl. */
  readonly ttlMs?: number;
  /** Overrides the tier's ttl for `null` and `undefined`. */
  readonly negativeTtlMs?: number;
  readonly tags?: readonly string[];
  /** Invalidating one of these keys invalidates this entry too. */
  readonly dependsOn?: readonly string[];
}

export interface LoadOptions extends EntryOptions {
  /** Loads even when there is a fresh entry and puts the new value in its place; nobody waits meanwhile. @default false */
  readonly fresh?: boolean;
}

export type Lookup<T> = { readonly state: 'hit'; readonly value: T } | { readonly state: 'miss' };

/**
 * What to remove. A string with `*` in it is a pattern, any other is a key.
 * `*` stands for any run of characters, `:` included.
 */
export type InvalidationTarget = string | { readonly tag: string };

/** What an invalidation removed, or would remove. */
export interface Removal {
  readonly entries: number;
  readonly weightBytes: number;
  /** Loads in flight whose result will not be kept. */
  readonly loads: number;
  /**
   * There when more is covered than may be removed without holding up the event loop: none of it is served any more,
   * the memory is given back in slices, and this resolves with the whole count.
   */
  readonly pending?: Promise<Removal>;
}

/** What was held of something that is to be forgotten, layer by layer. */
export interface Forgotten {
  readonly entries: number;
  readonly weightBytes: number;
  /** Loads in flight whose result will not be kept. */
  readonly loads: number;
  /** Entries on disk. */
  readonly stored: number;
  /** Names of keys in the statistics. */
  readonly topKeys: number;
  /** Keys that were remembered, with the arguments that load them. */
  readonly hotKeys: number;
  /**
   * A file did not give up all of it: another program has it locked, or it cannot be written. What is left is not counted
   * here and not used any more, and is removed as soon as the file lets. `docs/privacy.md` says what stays if it never does.
   */
  readonly isUnfinished: boolean;
}

/** What a pattern covers at the moment, without removing it. */
export interface Preview extends Omit<Removal, 'pending'> {
  /** Entries on disk, many of them the same as those in memory; 0 without a disk layer. */
  readonly stored: number;
  /** Some of the keys, for people to see. */
  readonly examples: readonly string[];
  /** By tier, largest first. */
  readonly tiers: readonly {
    readonly tier: TierName;
    readonly entries: number;
    readonly weightBytes: number;
  }[];
}

export type RemovalReason = 'evicted' | 'expired' | 'invalidated' | 'replaced';

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
  /** Holds a function, a class instance or another kind that can be neither frozen nor copied; or has a tag that is no text. */
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
export interface FeedFigures {
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
  readonly feed: FeedFigures | null;
  /** `null` where no use is remembered. */
  readonly warmth: WarmthStats | null;
  /** Loads in flight now. */
  readonly loading: number;
  /** The last failed load, for people to find in the log. */
  readonly lastFailure: { readonly key: string; readonly message: string; readonly at: number } | null;
}

/** One entry, without its value. Instants are epoch milliseconds. */
export interface EntryReport {
  readonly key: string;
  readonly namespace: string;
  readonly tier: TierName;
  readonly createdAt: number;
  /** Until then it is fresh. `Infinity` where the ttl is. */
  readonly staleAt: number;
  /** Until then it may be served stale, by the policies that allow it; `staleAt` where none does. */
  readonly expiresAt: number;
  /** Why its ttl is what it is, for people: `adaptive: unchanged at 3 reloads, 30 min became 4 h`. Absent: the tier's own. */
  readonly ttlReason: string | undefined;
  /** Bytes before compression; `undefined` where it is kept as it is. */
  readonly uncompressedBytes: number | undefined;
  readonly hits: number;
  readonly weightBytes: number;
  /** How long its load took; `undefined` for a value that was written. */
  readonly loadMs: number | undefined;
  /** `object (7 fields)`, `array (40 items)`, `null`. */
  readonly shape: string;
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
}

/** One entry on disk, without its value. Instants are epoch milliseconds. */
export interface StoredReport {
  readonly key: string;
  readonly namespace: string;
  readonly tier: TierName;
  readonly createdAt: number;
  readonly staleAt: number;
  readonly expiresAt: number;
  /** Of the value as it is stored. */
  readonly bytes: number;
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
  /** False: nothing proves that it has not been changed since, so that it counts as stale. */
  readonly isProven: boolean;
}

/** One entry to be warmed. `run` loads it and puts it in place of what was there. */
export interface WarmJob {
  readonly key: string;
  /** True when the entry is resident and fresh, so that the job may be skipped. */
  isFresh(): boolean;
  run(): unknown;
}

/** What the cache tells its listeners. Lookups are not among them: they are counted, since a hit must cost nothing more. */
export interface CacheEvents {
  loaded: { readonly key: string; readonly tier: TierName; readonly loadMs: number; readonly kept: boolean };
  failed: { readonly key: string; readonly tier: TierName; readonly loadMs: number; readonly error: unknown };
  refused: { readonly key: string; readonly tier: TierName; readonly reason: RefusalReason };
  invalidated: { readonly target: InvalidationTarget | 'all'; readonly removal: Removal };
}

export interface Cache {
  readonly enabled: boolean;
  readonly maxWeightBytes: number;
  readonly cleanupIntervalMs: number;
  readonly tiers: readonly TierPolicy[];
  readonly clock: Clock;
  /** True between a `stop` and the end of everything. */
  readonly closed: boolean;
  /** The cached reads of this cache by name. */
  readonly recipes: Recipes;
  /** What was used most, to be warmed; `undefined` where no use is remembered. */
  readonly warmth: Warmth | undefined;
  /** What is written and not in the source yet: loads give it. */
  readonly unsaved: Unsaved;
  /** What lies on disk, for people to look at; `undefined` without a disk layer. */
  readonly stored: StoredEntries | undefined;

  /** The fresh value of `key`, or what `load` gives; concurrent misses share one load. */
  getOrLoad<T>(key: string, load: Loader<T>, options?: LoadOptions): Promise<T>;
  /** The same for synchronous loaders, such as better-sqlite3's: nothing is awaited. */
  getOrLoadSync<T>(key: string, load: (context: LoadContext) => T, options?: LoadOptions): T;
  /** One load for all keys that miss. The loader gives a value for each key it was asked for; a key it leaves out is `undefined`. */
  getOrLoadMany<T>(
    keys: readonly string[],
    loadMissing: (missing: readonly string[]) => ReadonlyMap<string, T> | PromiseLike<ReadonlyMap<string, T>>,
    options?: LoadOptions,
  ): Promise<Map<string, T>>;

  lookup<T>(key: string): Lookup<T>;
  /** The fresh value, or `undefined`. Where `undefined` may be a value, use {@link lookup}. */
  get<T>(key: string): T | undefined;
  /** The fresh values; keys that miss are absent. */
  getMany<T>(keys: readonly string[]): Map<string, T>;
  /** Whether a read would hit. Not counted as a lookup. */
  has(key: string): boolean;

  /**
   * Write-through: `save` is awaited first, then the cache holds the new value; a failed save changes nothing here.
   * Writes to one key run one after another, so that one within the `save` of another waits for ever. A load in flight
   * never overwrites the new value.
   * @throws whatever `save` rejects with
   */
  write<T, R>(
    key: string,
    value: T,
    save: (value: T) => R | PromiseLike<R>,
    options?: EntryOptions,
  ): Promise<R>;
  /** The same for a synchronous `save`, such as better-sqlite3's. */
  writeSync<T, R>(key: string, value: T, save: (value: T) => R, options?: EntryOptions): R;
  /** Stores a value that is newer than any load in flight. False when it was not kept (see {@link RefusalReason}). */
  set<T>(key: string, value: T, options?: EntryOptions): boolean;
  /** How many were kept. */
  setMany<T>(entries: Iterable<readonly [key: string, value: T]>, options?: EntryOptions): number;
  /** Invalidates one key; true when it was resident. */
  delete(key: string): boolean;

  /** Removes what the targets cover, and what depends on it; loads in flight for it fill nothing. */
  invalidate(...targets: readonly InvalidationTarget[]): Removal;
  clear(): Removal;
  /**
   * Writes down on disk what is about to be invalidated, so that a process which is killed before it is leaves nothing
   * stale behind (I9). The wrappers of mutations call it. Does nothing without a disk layer, and where a change feed tells
   * of changes; `targets` is only called where it does something.
   * @returns what crosses it out; to be called after the invalidation, or when nothing was changed
   */
  intend(targets: () => readonly InvalidationTarget[]): () => void;
  /**
   * Removes what the targets cover from every layer and from the statistics, names of keys included, and resolves when
   * nothing of it is left. For what people have a right to have forgotten.
   */
  forget(...targets: readonly InvalidationTarget[]): Promise<Forgotten>;
  /** What {@link invalidate} would remove now (dependants not counted). Works in slices, so it is awaited. */
  preview(target: InvalidationTarget): Promise<Preview>;

  /**
   * Says what proves the entries on disk, once it has applied what was missed; until then those from before this process
   * count as stale. Its figures are in the statistics from then on, with a disk layer or without.
   */
  provenBy(feed: Provenance): void;
  /** Where the feed stood when the disk was last right, for a feed to continue there; `undefined` where that is not known. */
  readonly feedPosition: unknown;
  /** Writes what waits to be written to disk. */
  persist(): Promise<void>;

  stats(topKeys?: number): CacheStats;
  inspect(key: string): EntryReport | undefined;
  /** Resident keys that start with `prefix`, at most `limit`, most used first among those seen. For completion. */
  keys(prefix: string, limit: number): string[];
  on<E extends keyof CacheEvents>(event: E, listener: (event: CacheEvents[E]) => void): () => void;

  /** Ends timers and loads. Reads after it go to their loaders; writes and invalidations do nothing. */
  stop(): Promise<void>;
}
