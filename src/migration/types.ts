/** The words of a migration: what a bot hands in, what it calls meanwhile, and what the report says. */
import type { EntryOptions } from '../cache/entry-options.ts';
import type { Logger } from '../logger.ts';

/**
 * How far a namespace has moved.
 * - `shadow`: reads come from the old cache. Writes go to both, and each read is compared with the new cache.
 * - `mirror`: reads come from the new cache. Writes go to both, and each read is compared with the old cache.
 * - `done`: the old cache is let go. It is not called any more for keys of this namespace.
 */
export type MigrationPhase = 'shadow' | 'mirror' | 'done';

/** A cache made by hand that answers at once: a `Map`, discord.js's `Collection`, node-cache, lru-cache. */
export interface OldCache<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): unknown;
  delete?(key: K): unknown;
  /** What node-cache and cache-manager call `delete`. */
  del?(key: K): unknown;
  has?(key: K): boolean;
  clear?(): unknown;
  /** What node-cache calls `clear`. */
  flushAll?(): unknown;
}

/** A cache made by hand that answers with promises: Keyv, cache-manager, a memo over Redis. */
export interface OldAsyncCache<K, V> {
  get(key: K): PromiseLike<V | undefined>;
  set(key: K, value: V): PromiseLike<unknown>;
  delete?(key: K): PromiseLike<unknown>;
  del?(key: K): PromiseLike<unknown>;
  has?(key: K): PromiseLike<boolean>;
  clear?(): PromiseLike<unknown>;
}

/** Which keys of the old cache belong to a namespace, and what they are called in the new one. */
export interface NamespaceMigration<K = string> {
  /**
   * What the old keys look like, such as `user:{id}`. A key that does not fit belongs to another namespace.
   * @default every key, which is `{0}` in `to`
   */
  readonly from?: string | undefined;
  /**
   * The new key, in this namespace: `user::{id}::profile` with the placeholders of `from`, `user::{0}::profile` for the
   * whole old key, or a function of the old key. A function gives `undefined` for a key of another namespace. A read
   * that is wrapped with `cached` has the function already: `(id) => getUser.key(id)`.
   */
  readonly to: string | ((oldKey: K) => string | undefined);
  /** Where to begin. @default 'shadow' */
  readonly phase?: MigrationPhase | undefined;
  /**
   * Options of the entries in the new cache, or a function of what the bot gives `set` after the value:
   * `(seconds) => ({ ttlMs: seconds * 1000 })` for node-cache, `(ttlMs) => ({ ttlMs })` for Keyv.
   * @default those of the namespace's tier
   */
  readonly entry?: EntryOptions | ((...rest: never[]) => EntryOptions) | undefined;
}

export interface MigrateOptions<K = string, N extends string = string> {
  /** One property a namespace; the first whose `from` fits a key takes it. */
  readonly namespaces: Readonly<Record<N, NamespaceMigration<K>>>;
  /** Told of differences (the key and the path, never a value) and of failures, each kind once a minute. @default `console` */
  readonly logger?: Logger | undefined;
}

/** A place where the two caches differ. It holds no value: what is named is where, and of which kinds. */
export interface MigrationDifference {
  /** The key in the new cache. */
  readonly key: string;
  /** The first place that differs, such as `inventory[0].count`; `''` for the whole value. */
  readonly path: string;
  /** The kind of what stands there in the old cache: `number`, `Date`, `nothing`. */
  readonly old: string;
  /** The same in the new cache. */
  readonly new: string;
  /** How many reads found it. */
  readonly times: number;
  /** Epoch milliseconds of the last of them. */
  readonly lastAt: number;
}

/** Counts since the start of the process. */
export interface NamespaceReport {
  readonly phase: MigrationPhase;
  /** Reads that were answered, compared or not. */
  readonly reads: number;
  /** Compared reads where both caches had equal values, or neither had one. */
  readonly same: number;
  /** Compared reads where the values differ. */
  readonly different: number;
  /** Compared reads where the old cache alone had a value: expired, evicted or invalidated in the new one, or not written yet. */
  readonly onlyOld: number;
  /** Compared reads where the new cache alone had a value: removed from the old one by code that has not moved yet, or expired there. */
  readonly onlyNew: number;
  /** Writes that the new cache did not keep, such as class instances and what is too large. */
  readonly refused: number;
  /** Calls of the old cache that threw or rejected. */
  readonly oldFailures: number;
  /** The keys that differed last, 100 at most, newest first. */
  readonly differences: readonly MigrationDifference[];
}

export interface MigrationReport<N extends string = string> {
  readonly namespaces: Readonly<Record<N, NamespaceReport>>;
  /** Calls with keys of no namespace: the old cache alone answered them. */
  readonly unmapped: number;
}

interface MigrationControls<N extends string> {
  /** Where a namespace is. */
  phase(namespace: N): MigrationPhase;
  /**
   * Moves a namespace. From `shadow` to `mirror` and back as often as you like, since writes go to both.
   * @throws CacheError `ERR_ARGUMENT_INVALID` for a namespace or a phase that does not exist, and for a way back from
   * `done`: the old cache has missed writes since
   */
  phase(namespace: N, next: MigrationPhase): void;
  /** What was compared so far. */
  report(): MigrationReport<N>;
}

/**
 * What the bot calls in place of its old cache. It answers at once, as the old one did. A list of keys is refused with
 * `ERR_ARGUMENT_INVALID`.
 */
export interface MigratingCache<K, V, N extends string = string> extends MigrationControls<N> {
  /** `undefined` where there is nothing. */
  get(key: K): V | undefined;
  has(key: K): boolean;
  /** @param rest is handed to the old cache, and to `entry` */
  set(key: K, value: V, ...rest: readonly unknown[]): void;
  /** True where there was something. */
  delete(key: K): boolean;
  /** Clears the old cache, and the namespaces that migrate in the new one. */
  clear(): void;
}

/**
 * What the bot calls in place of its old cache. It answers with promises, as the old one did. A list of keys is refused
 * with `ERR_ARGUMENT_INVALID`, which is thrown at once.
 */
export interface MigratingAsyncCache<K, V, N extends string = string> extends MigrationControls<N> {
  /** `undefined` where there is nothing. */
  get(key: K): Promise<V | undefined>;
  has(key: K): Promise<boolean>;
  /** @param rest is handed to the old cache, and to `entry` */
  set(key: K, value: V, ...rest: readonly unknown[]): Promise<void>;
  /** True where there was something. */
  delete(key: K): Promise<boolean>;
  /** Clears the old cache, and the namespaces that migrate in the new one. */
  clear(): Promise<void>;
}
