/** What a loader is, and what it may know and say of its load. */
import type { StaleReason } from '../statistics/stats.ts';

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
