/** The words of write-behind as types: what a saver is given, what may be set, and what is told of it. */
import type { Lookup } from '../cache/cache.ts';
import type { EntryOptions } from '../cache/entry-options.ts';
import type { InvalidationTarget } from '../cache/keys/target.ts';

/** One write on its way to the source. */
export interface SaveItem<V> {
  readonly key: string;
  /** As it was when it was written; a copy that is the saver's own. */
  readonly value: V;
  /** The same at every attempt, also after a restart, and never that of another write. */
  readonly idempotencyKey: string;
  /** 1 only when it cannot have been tried before. */
  readonly attempt: number;
}

export interface SaveContext {
  /** Fires at `saveTimeoutMs`, and at the end of `stop`'s deadline. The next batch waits for the save to end all the same. */
  readonly signal: AbortSignal;
}

/**
 * Brings a batch to the source: all of it when it returns or resolves, none of it as far as is known when it throws or
 * rejects. A key is at most once in a batch. It must be idempotent: see {@link SaveItem.idempotencyKey}.
 */
export type Save<V> = (batch: readonly SaveItem<V>[], context: SaveContext) => unknown;

export interface WriterOptions<V = unknown> {
  /** Of several writes to a key that wait, only the last is saved. Where each counts, such as increments: `false`. @default true */
  readonly coalesce?: boolean | undefined;
  /** Writes handed to one save at most. @default 100 */
  readonly maxBatch?: number | undefined;
  /** How long a write waits for company. @default 100 */
  readonly maxDelayMs?: number | undefined;
  /** Batches in flight at once; a key is in one of them at most. @default 1 */
  readonly concurrency?: number | undefined;
  /** After so many failed attempts a write goes to the list of those that can't be saved. @default 15, about half an hour */
  readonly maxAttempts?: number | undefined;
  /** The pause after the first failure; it doubles with each further one, less up to a half by chance. @default 250 */
  readonly backoffMs?: number | undefined;
  /** The longest pause. @default 300000 */
  readonly maxBackoffMs?: number | undefined;
  /** When the signal of a save fires. @default Infinity */
  readonly saveTimeoutMs?: number | undefined;
  /** Writes that wait or are being saved. @default 10000 */
  readonly maxPending?: number | undefined;
  /** How long a write waits for room before it is refused. `0`: not at all. @default 5000 */
  readonly maxWaitMs?: number | undefined;
  /** Writes on the list of those that can't be saved; when it is full, further ones go on being tried. @default 1000 */
  readonly maxDead?: number | undefined;
  /** How the cache holds the value: tier, ttl, tags. In memory alone: before the source has it, nothing else may believe it. */
  readonly entry?: Omit<EntryOptions, 'persist'> | undefined;
  /** What else shows the value, such as lists: invalidated once it is saved. @default nothing */
  readonly invalidates?: ((key: string, value: V) => readonly InvalidationTarget[]) | undefined;
}

/** Writes values of one kind. */
export interface Writer<V> {
  /**
   * Resolves once the write is journalled: at once where there is room, so that it is on the disk when the call
   * returns. From then on reads see it.
   * @throws CacheError (as a rejection) `ERR_BACKLOG_FULL`, `ERR_STORE_FAILED`, `ERR_KEY_INVALID`, `ERR_CLOSED`; then
   * nothing was written
   */
  (key: string, value: V): Promise<void>;
  readonly writerName: string;
  /** The same for synchronous code: journalled when it returns. Never waits for room. */
  sync(key: string, value: V): void;
  /** The last write to the key that the source may not have yet. */
  pending(key: string): Lookup<V>;
  /** Saves without waiting for company; resolves when all that was written so far is saved, or on the list. Within `save` that never comes. */
  flush(): Promise<void>;
}

/** A write that could not be saved, and waits for a decision. Instants are epoch milliseconds. */
export interface DeadLetter {
  readonly id: number;
  /** Of the writer. */
  readonly name: string;
  readonly key: string;
  /** `undefined` also where it cannot be read; then `error` says so. */
  readonly value: unknown;
  readonly idempotencyKey: string;
  readonly attempts: number;
  readonly error: string;
  readonly writtenAt: number;
  readonly deadAt: number;
}

/** Of one writer. Counters count since start, the rest is now. */
export interface WriterStats {
  readonly name: string;
  /** False where the journal holds writes of a name that no `writeBehind` has taken: they are kept. */
  readonly isClaimed: boolean;
  /** Journalled and not saved yet, those in flight included. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Of the waiting, those that wait for a decision on an earlier write of their key. */
  readonly held: number;
  readonly saved: number;
  /** Not saved, since a later write to the key took their place. */
  readonly coalesced: number;
  /** Failed attempts that were, or will be, followed by another. */
  readonly retried: number;
  /** Never acknowledged: no room, or the journal did not take them. */
  readonly refused: number;
  /** On the list of those that can't be saved. */
  readonly dead: number;
  /** Of the keys that wait, since when the one that has waited longest does, epoch milliseconds. */
  readonly oldestAt: number | null;
  readonly lastFailure: { readonly message: string; readonly at: number } | null;
}

export interface WriteBehindStats {
  /** The journal's file. */
  readonly journal: string;
  /** What an acknowledged write survives: a kill of the process, or a power cut as well. */
  readonly survives: 'kill' | 'power-cut';
  readonly writers: readonly WriterStats[];
  /** Sums over the writers. */
  readonly waiting: number;
  readonly dead: number;
  readonly saved: number;
  readonly oldestAt: number | null;
}

/** Which of the writes that can't be saved: by id or ids, those of a writer, or all. */
export type DeadSelection = number | readonly number[] | 'all' | { readonly name: string };

export interface StopReport {
  /** What is left in the journal for the next start. */
  readonly left: number;
}

/** What was removed of a person who is to be forgotten. */
export interface ForgottenWrites {
  /** How many are nowhere any more. */
  readonly writes: number;
  /** The file did not give up all: it is tried again every five seconds and at `stop`. After a kill it is replayed. */
  readonly isUnfinished: boolean;
}

export interface WriteBehind {
  /**
   * Takes a name, and replays what the journal holds under it.
   * @param name stays the same over restarts, or the journal cannot know whose writes these are
   * @throws CacheError `ERR_ARGUMENT_INVALID` for a name that is taken, and for options that make no sense
   */
  writeBehind<V>(name: string, save: Save<V>, options?: WriterOptions<V>): Writer<V>;
  stats(): WriteBehindStats;
  /** The writes that can't be saved, oldest first. @default 100 of them */
  list(options?: { readonly name?: string; readonly limit?: number }): DeadLetter[];
  /** Puts them back to those that wait. @returns how many */
  retry(which: DeadSelection): number;
  /** Gives them up. A name that nobody has taken loses all its writes. @returns how many */
  drop(which: DeadSelection): number;
  /**
   * Removes the writes whose key is, or matches, one of these, wherever they stand: for a person who is to be forgotten.
   * What is being saved at the moment is saved, and not tried again.
   */
  forget(...keys: readonly string[]): ForgottenWrites;
  /** Of every writer. */
  flush(): Promise<void>;
  /**
   * Takes no more, saves what waits (each once more at most), and resolves within the deadline. What is left stays in
   * the journal. Close the database afterwards.
   */
  stop(options?: { readonly deadlineMs?: number }): Promise<StopReport>;
}
