/**
 * Which entry leaves when there is no room: a seam of its own. Today it is the least recently used one; another policy
 * is another implementation of {@link Residents}, and nothing else changes.
 */
import type { Entry } from '../entry.ts';
import { SplitMap } from '../index/split-map.ts';

/** The entries in memory, bounded by their weight. */
export interface Residents {
  readonly size: number;
  readonly weightBytes: number;
  /** Looks up without counting as a use. */
  get(key: string): Entry | undefined;
  /** Whether an entry that was resident still is. */
  has(entry: Entry): boolean;
  /** Counts as a use of a resident entry. */
  touch(entry: Entry): void;
  /** Whether no more need leave for an entry, in place of `old`, than may at once (I12). */
  hasRoomFor(entry: Entry, old: Entry | undefined): boolean;
  /** The one that leaves next. */
  readonly next: Entry | undefined;
  /**
   * Takes an entry in, in place of the one that has its key; whatever else must leave for it is told to `onEvicted`.
   * Its weight is at most the bound.
   */
  put(entry: Entry): void;
  /** A resident entry weighs so much more. */
  grow(bytes: number): void;
  /** Removes a resident entry. */
  delete(entry: Entry): void;
}

/** So many leave at once: 2 to 5 ms. */
const MOST_AT_ONCE = 500;

export type OnEvicted = (entry: Entry) => void;

/** What a place in the order of use knows: entries are linked in a ring, which one place that is no entry holds together. */
export interface RecencyLinks {
  newer: RecencyLinks | undefined;
  older: RecencyLinks | undefined;
}

/** Least recently used first: a ring of entries in the order of their use. */
export class LeastRecentlyUsed implements Residents {
  readonly #maxWeightBytes: number;
  readonly #onEvicted: OnEvicted;
  readonly #entries = new SplitMap<Entry>();
  /** Between the newest entry and the oldest. */
  readonly #seam: RecencyLinks = { newer: undefined, older: undefined };
  #weightBytes = 0;

  constructor(maxWeightBytes: number, onEvicted: OnEvicted) {
    this.#maxWeightBytes = maxWeightBytes;
    this.#onEvicted = onEvicted;
    this.#seam.newer = this.#seam;
    this.#seam.older = this.#seam;
  }

  get size(): number {
    return this.#entries.size;
  }

  get weightBytes(): number {
    return this.#weightBytes;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  has(entry: Entry): boolean {
    return entry.newer !== undefined;
  }

  touch(entry: Entry): void {
    unlink(entry);
    this.#linkNewest(entry);
  }

  get next(): Entry | undefined {
    // The ring holds entries and the seam alone.
    return this.#seam.newer === this.#seam ? undefined : (this.#seam.newer as Entry);
  }

  hasRoomFor({ weightBytes }: Entry, old: Entry | undefined): boolean {
    let free = this.#maxWeightBytes - this.#weightBytes + (old?.weightBytes ?? 0);
    let place = this.#seam.newer;
    for (let i = 0; free < weightBytes && place !== this.#seam; i++) {
      if (i === MOST_AT_ONCE) return false;
      const entry = place as Entry;
      if (entry !== old) free += entry.weightBytes;
      place = entry.newer;
    }
    return true;
  }

  grow(bytes: number): void {
    this.#weightBytes += bytes;
    this.#makeRoomFor(0);
  }

  put(entry: Entry): void {
    const old = this.#entries.get(entry.key);
    if (old !== undefined) {
      unlink(old);
      this.#weightBytes -= old.weightBytes;
    }
    this.#makeRoomFor(entry.weightBytes);
    this.#entries.set(entry.key, entry);
    this.#weightBytes += entry.weightBytes;
    this.#linkNewest(entry);
  }

  #makeRoomFor(weightBytes: number): void {
    while (this.#weightBytes + weightBytes > this.#maxWeightBytes) {
      const { next } = this;
      if (next === undefined) break;
      this.delete(next);
      this.#onEvicted(next);
    }
  }

  delete(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#weightBytes -= entry.weightBytes;
    unlink(entry);
  }

  #linkNewest(entry: Entry): void {
    const newest = this.#seam.older as RecencyLinks;
    newest.newer = entry;
    entry.older = newest;
    entry.newer = this.#seam;
    this.#seam.older = entry;
  }
}

function unlink(entry: RecencyLinks): void {
  const { newer, older } = entry;
  if (newer !== undefined) newer.older = older;
  if (older !== undefined) older.newer = newer;
  entry.newer = undefined;
  entry.older = undefined;
}
