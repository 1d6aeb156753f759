/**
 * The memory layer: entries, and the two indexes by which they are found again (keys for patterns, labels for tags and
 * dependencies). Its invariant: the indexes hold exactly the resident entries, and every removal is counted once under
 * its reason.
 */
import type { Entry } from '../entry.ts';
import { KeyIndex } from '../index/key-index.ts';
import { LabelIndex } from '../index/label-index.ts';
import type { Pattern } from '../keys/pattern.ts';
import type { RemovalReason } from '../removal.ts';
import { LeastRecentlyUsed, type Residents } from './eviction.ts';

export interface MemoryLayerOptions {
  readonly maxWeightBytes: number;
  readonly onRemoved: (entry: Entry, reason: RemovalReason) => void;
}

export class MemoryLayer {
  readonly #maxWeightBytes: number;
  readonly #onRemoved: MemoryLayerOptions['onRemoved'];
  #residents: Residents;
  #keys = new KeyIndex<Entry>();
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

  /** Looks up without counting as a use. */
  peek(key: string): Entry | undefined {
    return this.#residents.get(key);
  }

  /** Whether this very entry is resident. */
  holds(entry: Entry): boolean {
    return this.#residents.get(entry.key) === entry;
  }

  /** The same for an entry that was resident since {@link removeAll}. */
  stillHolds(entry: Entry): boolean {
    return this.#residents.has(entry);
  }

  /** Tells the eviction policy of a use. */
  touch(entry: Entry): void {
    this.#residents.touch(entry);
  }

  /** Takes an entry in; false where so many would have to leave for it that it would hold the loop (I12). */
  put(entry: Entry): boolean {
    const old = this.#residents.get(entry.key);
    if (!this.#residents.hasRoomFor(entry, old)) return false;
    if (old !== undefined) this.#unlink(old, 'replaced');
    this.#residents.put(entry);
    this.#keys.add(entry);
    entry.counters.entries++;
    entry.counters.weightBytes += entry.weightBytes;
    if (entry.links !== undefined) {
      this.#tags.add(entry, entry.links.tags);
      this.#dependants.add(entry, entry.links.dependsOn);
    }
    return true;
  }

  /** A resident entry weighs more from now on; others leave for it. */
  grow(entry: Entry, bytes: number): void {
    entry.weightBytes += bytes;
    entry.counters.weightBytes += bytes;
    this.#residents.grow(bytes);
  }

  /** Lets go of the entry that leaves next. @returns whether there was one */
  evictOne(): boolean {
    const { next } = this.#residents;
    if (next !== undefined) this.remove(next, 'evicted');
    return next !== undefined;
  }

  /** Removes a resident entry. */
  remove(entry: Entry, reason: RemovalReason): void {
    this.#residents.delete(entry);
    this.#unlink(entry, reason);
  }

  /** Lets go of everything at once, in constant time; the caller settles its counters. */
  removeAll(): void {
    this.#residents = this.#newResidents();
    this.#keys = new KeyIndex();
    this.#tags = new LabelIndex('names');
    this.#dependants = new LabelIndex('keys');
  }

  /** See {@link KeyIndex.all}. */
  all(): Iterable<Entry> {
    return this.#keys.all();
  }

  /** See {@link KeyIndex.candidates}. */
  candidates(prefix: string): Iterable<Entry | undefined> {
    return this.#keys.candidates(prefix);
  }

  tagged(tag: string): Iterable<Entry> {
    return this.#tags.entriesOf(tag);
  }

  get hasDependants(): boolean {
    return !this.#dependants.isEmpty;
  }

  /** Whether an entry depends on the key. */
  isDependedOn(key: string): boolean {
    return !this.#dependants.isEmpty && this.#dependants.has(key);
  }

  dependantsOf(key: string): Iterable<Entry> {
    return this.#dependants.entriesOf(key);
  }

  /** The entries that depend on a key that the pattern covers, resident or not; see {@link LabelIndex.matching}. */
  dependantsOfMatching(pattern: Pattern): Iterable<Entry | undefined> {
    return this.#dependants.matching(pattern);
  }

  #newResidents(): Residents {
    return new LeastRecentlyUsed(this.#maxWeightBytes, (entry) => this.#unlink(entry, 'evicted'));
  }

  #unlink(entry: Entry, reason: RemovalReason): void {
    const { counters, links } = entry;
    this.#keys.delete(entry);
    counters.entries--;
    counters.weightBytes -= entry.weightBytes;
    counters.removals[reason]++;
    if (links !== undefined) {
      this.#tags.delete(entry, links.tags);
      this.#dependants.delete(entry, links.dependsOn);
    }
    this.#onRemoved(entry, reason);
  }
}
