/**
 * The memory layer: entries, and the two indexes by which they are found again (keys for patterns, labels for tags and
 * dependencies). Its invariant: the indexes hold exactly the keys of the resident entries, and every removal is counted
 * once under its reason.
 */
import type { Entry } from '../entry.ts';
import { LeastRecentlyUsed, type Residents } from '../eviction.ts';
import { KeyIndex } from '../key-index.ts';
import { LabelIndex } from '../label-index.ts';
import type { Pattern } from '../pattern.ts';
import type { RemovalReason } from '../types.ts';

export interface MemoryLayerOptions {
  readonly maxWeightBytes: number;
  readonly onRemoved: (key: string, entry: Entry, reason: RemovalReason) => void;
}

export class MemoryLayer {
  readonly #maxWeightBytes: number;
  readonly #onRemoved: MemoryLayerOptions['onRemoved'];
  #residents: Residents;
  #keys = new KeyIndex();
  /** Entries by their tags. */
  #tags = new LabelIndex('names');
  /** Entries by the keys they depend on. */
  #dependants = new LabelIndex('keys');

  constructor(options: MemoryLayerOptions) {
    this.#maxWeightBytes = options.maxWeightBytes;
    this.#onRemoved = options.onRemoved;
    this.#residents = this.#newResidents();
  }

  get size(): number {
    return this.#residents.size;
  }

  get weightBytes(): number {
    return this.#residents.weightBytes;
  }

  /** Tells the eviction policy of a use. */
  touch(key: string): void {
    this.#residents.touch(key);
  }

  /** Looks up without counting as a use. */
  peek(key: string): Entry | undefined {
    return this.#residents.peek(key);
  }

  put(key: string, entry: Entry): void {
    const old = this.#residents.peek(key);
    if (old === undefined) this.#keys.add(key);
    else this.#unlink(key, old, 'replaced');
    this.#residents.put(key, entry);
    entry.counters.entries++;
    entry.counters.weightBytes += entry.weightBytes;
    if (entry.links !== undefined) {
      this.#tags.add(key, entry.links.tags);
      this.#dependants.add(key, entry.links.dependsOn);
    }
  }

  /** Removes a resident entry. */
  remove(key: string, entry: Entry, reason: RemovalReason): void {
    this.#residents.delete(key);
    this.#keys.delete(key);
    this.#unlink(key, entry, reason);
  }

  /** Lets go of everything at once, in constant time; the caller settles its counters. */
  removeAll(): void {
    this.#residents = this.#newResidents();
    this.#keys = new KeyIndex();
    this.#tags = new LabelIndex('names');
    this.#dependants = new LabelIndex('keys');
  }

  allKeys(): Iterable<string> {
    return this.#keys.all();
  }

  /** See {@link KeyIndex.candidates}. */
  candidates(prefix: string): Iterable<string | undefined> {
    return this.#keys.candidates(prefix);
  }

  tagged(tag: string): Iterable<string> {
    return this.#tags.keysOf(tag);
  }

  get hasDependants(): boolean {
    return !this.#dependants.isEmpty;
  }

  dependantsOf(key: string): Iterable<string> {
    return this.#dependants.keysOf(key);
  }

  /** The keys that something depends on and that the pattern covers, resident or not. */
  dependedOn(pattern: Pattern): Iterable<string> {
    return this.#dependants.labelsMatching(pattern);
  }

  /** The keys that something depends on and whose entries carry the tag. */
  *dependedOnTagged(tag: string): Generator<string, void, undefined> {
    for (const key of this.#dependants.labels()) {
      if (this.#residents.peek(key)?.links?.tags.includes(tag)) yield key;
    }
  }

  #newResidents(): Residents {
    return new LeastRecentlyUsed(this.#maxWeightBytes, (key, entry) => {
      this.#keys.delete(key);
      this.#unlink(key, entry, 'evicted');
    });
  }

  #unlink(key: string, entry: Entry, reason: RemovalReason): void {
    const { counters, links } = entry;
    counters.entries--;
    counters.weightBytes -= entry.weightBytes;
    counters.removals[reason]++;
    if (links !== undefined) {
      this.#tags.delete(key, links.tags);
      this.#dependants.delete(key, links.dependsOn);
    }
    this.#onRemoved(key, entry, reason);
  }
}
