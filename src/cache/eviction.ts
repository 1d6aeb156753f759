/**
 * Which entry leaves when there is no room: a seam of its own. Today it is the least recently used one, by lru-cache;
 * another policy is another implementation of {@link Residents}, and nothing else changes.
 */
import { LRUCache } from 'lru-cache';
import type { Entry } from './entry.ts';

/** The entries in memory, bounded by their weight. */
export interface Residents {
  readonly size: number;
  readonly weightBytes: number;
  /** Looks up without counting as a use. */
  peek(key: string): Entry | undefined;
  /** Counts as a use of a resident entry. */
  touch(key: string): void;
  /** Takes an entry in; whatever must leave for it is told to `onEvicted`. Its weight is at most the bound. */
  put(key: string, entry: Entry): void;
  delete(key: string): void;
}

export type OnEvicted = (key: string, entry: Entry) => void;

/** Least recently used first, by lru-cache. */
export class LeastRecentlyUsed implements Residents {
  readonly #maxWeightBytes: number;
  readonly #onEvicted: OnEvicted;
  #lru: LRUCache<string, Entry>;

  constructor(maxWeightBytes: number, onEvicted: OnEvicted) {
    this.#maxWeightBytes = maxWeightBytes;
    this.#onEvicted = onEvicted;
    this.#lru = this.#makeEmpty();
  }

  get size(): number {
    return this.#lru.size;
  }

  get weightBytes(): number {
    return this.#lru.calculatedSize;
  }

  peek(key: string): Entry | undefined {
    return this.#lru.peek(key);
  }

  touch(key: string): void {
    this.#lru.get(key);
  }

  put(key: string, entry: Entry): void {
    this.#lru.set(key, entry, { size: entry.weightBytes });
  }

  delete(key: string): void {
    // lru-cache empties its arrays when the last entry goes: 80 ms where a million entries have been.
    if (this.#lru.size === 1 && this.#lru.has(key)) this.#lru = this.#makeEmpty();
    else this.#lru.delete(key);
  }

  #makeEmpty(): LRUCache<string, Entry> {
    return new LRUCache({
      maxSize: this.#maxWeightBytes,
      dispose: (entry, key, reason) => {
        if (reason === 'evict') this.#onEvicted(key, entry);
      },
    });
  }
}
