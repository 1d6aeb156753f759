/** An entry: a value with its metadata. Its instants are computed once, at the fill, and are of the cache's clock. */
import type { RecencyLinks } from './layers/eviction.ts';
import type { Counters } from './statistics/counters.ts';
import { cloneValue } from './values/clone.ts';
import { Packed, unpack } from './values/packed.ts';

export interface Labels {
  readonly tags: readonly string[];
  /** Keys whose invalidation invalidates this entry. */
  readonly dependsOn: readonly string[];
}

/** By what an entry is invalidated beside its key, what it has from those it depends on included. */
export interface EntryLinks extends Labels {
  /** What is its own, and what it has from where; `undefined` where all is its own, or that is not known. */
  readonly origin?:
    | {
        readonly own: Labels;
        readonly inherited: readonly (readonly [key: string, labels: Labels])[];
      }
    | undefined;
}

/** How the ttl of a key came to be, where it is adaptive. */
export interface Adaptation {
  readonly baseMs: number;
  readonly ttlMs: number;
  /** Reloads that found it as it was, and those that did not. */
  readonly unchanged: number;
  readonly changed: number;
}

/** What few entries have, kept apart so that the many stay small. */
export interface EntryExtras {
  /** Every reader gets its own copy: the value holds a kind that cannot be frozen, or is kept compressed. */
  readonly copied: boolean;
  readonly links: EntryLinks | undefined;
  readonly adaptation: Adaptation | undefined;
  /** What a load of it costs, in the author's unit. */
  readonly cost: number;
  /** A load has just failed: until then none is begun while the old value can be served. */
  retryAt: number;
  /**
   * For a busy entry: a promise that is settled already, made once and given to every awaited hit. It spares them
   * their own, for about 100 bytes that few entries take.
   */
  settled: Promise<unknown> | undefined;
}

export const NO_EXTRAS: EntryExtras = {
  copied: false,
  links: undefined,
  adaptation: undefined,
  cost: 0,
  retryAt: 0,
  settled: undefined,
};

/** From so many hits on an entry is busy. A power of two. */
export const BUSY_HITS = 16;

const NEVER_QUIET = -1;

/** What an entry is made of. */
export interface EntryParts {
  readonly key: string;
  readonly value: unknown;
  readonly counters: Counters;
  readonly createdAt: number;
  readonly staleAt: number;
  readonly expiresAt: number;
  readonly position: number;
  readonly weightBytes: number;
  readonly loadMicros: number;
  readonly extras: EntryExtras | undefined;
}

export class Entry implements RecencyLinks {
  // What every hit reads comes first, so that it lies in one line of the processor's cache.
  readonly value: unknown;
  readonly counters: Counters;
  /**
   * Until then a hit needs no look at expiry, policies, eviction or the kind of the value: at most `staleAt`, and
   * {@link NEVER_QUIET} for a value that is copied for every reader or whose hits save a cost.
   */
  quietUntil: number;
  hits = 0;
  extras: EntryExtras | undefined;
  /** The neighbours in the order of use, kept by the eviction policy. */
  newer: RecencyLinks | undefined = undefined;
  older: RecencyLinks | undefined = undefined;

  readonly key: string;
  readonly createdAt: number;
  /** Until then it is fresh. */
  readonly staleAt: number;
  /** Until then it may be served stale, where the policies say so. */
  readonly expiresAt: number;
  /** The invalidation position at which the load began. */
  readonly position: number;
  readonly weightBytes: number;
  /** Duration of the load in whole microseconds; -1 for a value that was written. */
  readonly loadMicros: number;

  constructor(parts: EntryParts) {
    this.value = parts.value;
    this.counters = parts.counters;
    this.quietUntil = isSpecial(parts.extras) ? NEVER_QUIET : 0;
    this.extras = parts.extras;
    this.key = parts.key;
    this.createdAt = parts.createdAt;
    this.staleAt = parts.staleAt;
    this.expiresAt = parts.expiresAt;
    this.position = parts.position;
    this.weightBytes = parts.weightBytes;
    this.loadMicros = parts.loadMicros;
  }

  get canBeQuiet(): boolean {
    return this.quietUntil !== NEVER_QUIET;
  }

  /** The next hit looks at everything again. */
  disturb(): void {
    if (this.canBeQuiet) this.quietUntil = 0;
  }

  /** To be called when the hits have reached {@link BUSY_HITS}. */
  becomeBusy(): void {
    if (!this.copied) this.#ownExtras().settled = Promise.resolve(this.value);
  }

  get copied(): boolean {
    return this.extras?.copied ?? false;
  }

  get links(): EntryLinks | undefined {
    return this.extras?.links;
  }

  get retryAt(): number {
    return this.extras?.retryAt ?? 0;
  }

  /** A load has failed: the source is left alone until then. */
  backOffUntil(retryAt: number): void {
    this.#ownExtras().retryAt = retryAt;
  }

  #ownExtras(): EntryExtras {
    this.extras ??= { ...NO_EXTRAS };
    return this.extras;
  }
}

function isSpecial(extras: EntryExtras | undefined): boolean {
  return extras !== undefined && (extras.copied || extras.cost !== 0);
}

/** What a caller gets: the value itself, which nobody can change, or its own copy. */
export function servedValue(entry: Entry): unknown {
  if (!entry.copied) return entry.value;
  return entry.value instanceof Packed ? unpack(entry.value) : cloneValue(entry.value);
}

/** The same as a promise that is settled already. */
export function servedPromise(entry: Entry): Promise<unknown> {
  return entry.extras?.settled ?? Promise.resolve(servedValue(entry));
}
