/** An entry: a value with its metadata. Its instants are computed once, at the fill, and are of the cache's clock. */
import type { Clock } from './clock.ts';
import { cloneValue } from './clone.ts';
import type { Counters } from './counters.ts';
import type { RecencyLinks } from './eviction.ts';
import type { EntryReport } from './types.ts';

export interface EntryLinks {
  readonly tags: readonly string[];
  /** Keys whose invalidation invalidates this entry, those they depended on themselves included. */
  readonly dependsOn: readonly string[];
}

/** What few entries have, kept apart so that the many stay small. */
export interface EntryExtras {
  readonly links: EntryLinks | undefined;
  /**
   * For a busy entry: a promise that is settled already, made once and given to every awaited hit. It spares them
   * their own, for about 90 bytes that few entries take.
   */
  settled: Promise<unknown> | undefined;
}

/** From so many hits on an entry is busy. A power of two. */
export const BUSY_HITS = 16;

const NEVER_QUIET = -1;

export class Entry implements RecencyLinks {
  // What every hit reads comes first, so that it lies in one line of the processor's cache.
  readonly value: unknown;
  readonly counters: Counters;
  /**
   * Until then a hit needs no look at expiry, the eviction policy or the kind of the value: at most `expiresAt`, and
   * {@link NEVER_QUIET} for a value that is copied for every reader.
   */
  quietUntil: number;
  hits = 0;
  extras: EntryExtras | undefined;
  /** The neighbours in the order of use, kept by the eviction policy. */
  newer: RecencyLinks | undefined = undefined;
  older: RecencyLinks | undefined = undefined;

  readonly key: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** The invalidation position at which the load began. */
  readonly position: number;
  readonly weightBytes: number;
  /** Duration of the load in whole microseconds; -1 for a value that was written. */
  readonly loadMicros: number;

  constructor(
    key: string,
    value: unknown,
    counters: Counters,
    createdAt: number,
    expiresAt: number,
    position: number,
    weightBytes: number,
    loadMicros: number,
    copied: boolean,
    extras: EntryExtras | undefined,
  ) {
    this.key = key;
    this.value = value;
    this.quietUntil = copied ? NEVER_QUIET : 0;
    this.counters = counters;
    this.createdAt = createdAt;
    this.expiresAt = expiresAt;
    this.position = position;
    this.weightBytes = weightBytes;
    this.loadMicros = loadMicros;
    this.extras = extras;
  }

  /** To be called when the hits have reached {@link BUSY_HITS}. */
  becomeBusy(): void {
    if (this.copied) return;
    this.extras ??= { links: undefined, settled: undefined };
    this.extras.settled = Promise.resolve(this.value);
  }

  /** The value holds a kind that cannot be frozen, so every hit gets a copy. */
  get copied(): boolean {
    return this.quietUntil === NEVER_QUIET;
  }

  get links(): EntryLinks | undefined {
    return this.extras?.links;
  }
}

/** What a caller gets: the value itself, which nobody can change, or a copy of his own. */
export function servedValue(entry: Entry): unknown {
  return entry.copied ? cloneValue(entry.value) : entry.value;
}

/** The same as a promise that is settled already. */
export function servedPromise(entry: Entry): Promise<unknown> {
  return entry.extras?.settled ?? Promise.resolve(servedValue(entry));
}

/** What is shown of an entry: everything but its value. */
export function reportOf(entry: Entry, clock: Clock): EntryReport {
  const { key, counters, expiresAt, links, loadMicros } = entry;
  return {
    key,
    namespace: counters.namespace,
    tier: counters.policy.tier,
    createdAt: clock.epochAt(entry.createdAt),
    staleAt: expiresAt === Number.POSITIVE_INFINITY ? expiresAt : clock.epochAt(expiresAt),
    ttlReason: undefined,
    uncompressedBytes: undefined,
    expiresAt: expiresAt === Number.POSITIVE_INFINITY ? expiresAt : clock.epochAt(expiresAt),
    hits: entry.hits,
    weightBytes: entry.weightBytes,
    loadMs: loadMicros < 0 ? undefined : loadMicros / 1_000,
    shape: shapeOf(entry.value),
    tags: links?.tags ?? [],
    dependsOn: links?.dependsOn ?? [],
  };
}

/** What kind of thing a value is, for people: `object (7 fields)`. */
function shapeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array (${value.length} items)`;
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name} (${value.size} items)`;
  if (value instanceof Uint8Array) return `bytes (${value.length})`;
  if (value instanceof Date) return 'date';
  if (typeof value === 'object') return `object (${Object.keys(value).length} fields)`;
  return typeof value === 'string' ? `text (${value.length} characters)` : typeof value;
}
