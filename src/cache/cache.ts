/** The contract of a cache: what bots call. What answers is in `cache-manager.ts`. */
import type { Clock } from './clock.ts';
import type { EntryOptions, LoadOptions } from './entry-options.ts';
import type { EntryReport } from './entry-report.ts';
import type { CacheEvents } from './events.ts';
import type { Preview } from './index/preview.ts';
import type { InvalidationTarget } from './keys/target.ts';
import type { Provenance } from './layers/disk/disk.ts';
import type { StoredEntries } from './layers/disk/stored-entries.ts';
import type { LoadContext, Loader } from './loading/load-context.ts';
import type { Unsaved } from './loading/unsaved.ts';
import type { Forgotten, Removal } from './removal.ts';
import type { CacheStats, RefusalReason } from './statistics/stats.ts';
import type { TierPolicy } from './tiers/tier.ts';
import type { DeepReadonly, Frozen } from './values/deep-readonly.ts';
import type { Values } from './values/values.ts';
import type { Recipes } from './warmth/recipes.ts';
import type { Warmth } from './warmth/warmth.ts';

export type Lookup<T> = { readonly state: 'hit'; readonly value: T } | { readonly state: 'miss' };

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
  /** How values are copied for those who keep some beside the cache. */
  readonly values: Values;
  /** What lies on disk, for people to look at; `undefined` without a disk layer. */
  readonly stored: StoredEntries | undefined;

  /**
   * The fresh value of `key`, or what `load` gives; concurrent misses share one load. What it gives is its caller's own,
   * or with `values: 'frozen'` one frozen value that all share (`docs/values.md`).
   */
  getOrLoad<T>(key: string, load: Loader<T>, options: LoadOptions & Frozen): Promise<DeepReadonly<T>>;
  getOrLoad<T>(key: string, load: Loader<T>, options?: LoadOptions): Promise<T>;
  /** The same for synchronous loaders, such as better-sqlite3's: nothing is awaited. */
  getOrLoadSync<T>(
    key: string,
    load: (context: LoadContext) => T,
    options: LoadOptions & Frozen,
  ): DeepReadonly<T>;
  getOrLoadSync<T>(key: string, load: (context: LoadContext) => T, options?: LoadOptions): T;
  /**
   * One load for all keys that miss. The loader gives a value for each key it was asked for; a key it leaves out is
   * `undefined`. Very many keys are looked up and kept in slices, so that the event loop turns.
   */
  getOrLoadMany<T>(
    keys: readonly string[],
    loadMissing: (missing: readonly string[]) => ReadonlyMap<string, T> | PromiseLike<ReadonlyMap<string, T>>,
    options: LoadOptions & Frozen,
  ): Promise<Map<string, DeepReadonly<T>>>;
  getOrLoadMany<T>(
    keys: readonly string[],
    loadMissing: (missing: readonly string[]) => ReadonlyMap<string, T> | PromiseLike<ReadonlyMap<string, T>>,
    options?: LoadOptions,
  ): Promise<Map<string, T>>;

  /**
   * @param options as those of a read: its value comes as `values` of them or of its tier says. Without them it comes as it
   *   is kept.
   * @throws CacheError `ERR_KEY_INVALID` for a key that is no text, as every call
   */
  lookup<T>(key: string, options?: LoadOptions): Lookup<T>;
  /** The fresh value, or `undefined`. Where `undefined` may be a value, use {@link lookup}. */
  get<T>(key: string): T | undefined;
  /** The fresh values; keys that miss are absent. Synchronous, so that 10,000 keys hold the event loop for some 8 ms. */
  getMany<T>(keys: readonly string[]): Map<string, T>;
  /** Whether a read would hit. Not counted as a lookup. */
  has(key: string): boolean;

  /**
   * Write-through: `save` is awaited first, then the cache holds the new value; a failed save changes nothing here.
   * Writes to one key run one after another; one within the `save` of another does not wait for it, and the key is
   * invalidated then in place of filled. A load in flight never overwrites the new value.
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
  /** How many were kept. Synchronous, so that 10,000 values hold the event loop for some 25 ms. */
  setMany<T>(entries: Iterable<readonly [key: string, value: T]>, options?: EntryOptions): number;
  /** Invalidates one key; true when it was resident. */
  delete(key: string): boolean;

  /**
   * Removes what the targets cover, and what depends on it; loads in flight for it fill nothing. Lists beyond some ten
   * thousand targets need several calls, since JavaScript takes no more arguments; the wrappers of mutations take any list.
   */
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

  /** Logs a warning about how the cache is used; the same text at most once a minute. */
  warn(text: string): void;
  /** Ends timers and loads. Reads after it go to their loaders; writes and invalidations do nothing. */
  stop(): Promise<void>;
}
