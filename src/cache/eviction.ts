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

/** Least recently used first. */
export function leastRecentlyUsed(maxWeightBytes: number, onEvicted: OnEvicted): Residents {
  const makeEmpty = () =>
    new LRUCache<string, Entry>({
      maxSize: maxWeightBytes,
      dispose: (entry, key, reason) => {
        if (reason === 'evict') onEvicted(key, entry);
      },
    });
  let lru = makeEmpty();
  return {
    get size() {
      return lru.size;
    },
    get weightBytes() {
      return lru.calculatedSize;
    },
    peek: (key) => lru.peek(key),
    touch: (key) => {
      lru.get(key);
    },
    put: (key, entry) => {
      lru.set(key, entry, { size: entry.weightBytes });
    },
    delete: (key) => {
      // lru-cache empties its arrays when the last entry goes: 80 ms where a million entries have been.
      if (lru.size === 1 && lru.has(key)) lru = makeEmpty();
      else lru.delete(key);
    },
  };
}
