/**
 * The read path: what is found for a key, whether it may be served, and what it sets off.
 *
 * A hit is synchronous and allocates nothing. Most hits come shortly after another one of the same entry and need no
 * look at anything but `quietUntil`; the others are judged by the policies (`freshness.ts`). Between looking a key up
 * and registering its load nothing is awaited, so nothing can slip in between.
 */
import type { Clock } from '../clock.ts';
import { BUSY_HITS, type Entry } from '../entry.ts';
import type { LoadOptions } from '../entry-options.ts';
import type { Invalidator } from '../invalidation/invalidator.ts';
import type { Disk } from '../layers/disk/disk.ts';
import { restored } from '../layers/disk/restore.ts';
import type { MemoryLayer } from '../layers/memory.ts';
import type { TopKeys } from '../statistics/top-keys.ts';
import type { Rules } from '../tiers/rules.ts';
import type { TierBook } from '../tiers/tier-book.ts';
import { judge, undisturbedUntil } from './freshness.ts';
import type { Loader } from './load-context.ts';
import type { Loading } from './loading.ts';
import type { Loads } from './loads.ts';
import type { Room } from './room.ts';
import type { Unsaved } from './unsaved.ts';

/**
 * A use within this time of the last one is not told to the eviction policy again: exact enough to choose who leaves,
 * and it spares the hits of a busy entry a third of their cost.
 */
const QUIET_MS = 4;

export interface ReaderParts {
  readonly memory: MemoryLayer;
  readonly room: Room;
  readonly disk: Disk | undefined;
  readonly loads: Loads;
  readonly book: TierBook;
  readonly invalidator: Invalidator;
  readonly loading: Loading;
  readonly top: TopKeys;
  readonly clock: Clock;
  readonly random: () => number;
  readonly unsaved: Unsaved;
}

export class Reader {
  readonly #memory: MemoryLayer;
  readonly #room: Room;
  readonly #disk: Disk | undefined;
  readonly #loads: Loads;
  readonly #book: TierBook;
  readonly #invalidator: Invalidator;
  readonly #loading: Loading;
  readonly #top: TopKeys;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #unsaved: Unsaved;

  constructor(parts: ReaderParts) {
    this.#memory = parts.memory;
    this.#room = parts.room;
    this.#disk = parts.disk;
    this.#loads = parts.loads;
    this.#book = parts.book;
    this.#invalidator = parts.invalidator;
    this.#loading = parts.loading;
    this.#top = parts.top;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#unsaved = parts.unsaved;
  }

  /**
   * The entry that is served for the key now, counted as a hit. With a loader that may be a stale one, where the
   * policies say so, and a load may begin behind: in a later turn of the event loop if the loader is synchronous.
   */
  find(
    key: string,
    options: LoadOptions,
    load: Loader<unknown> | undefined,
    isSync: boolean,
  ): Entry | undefined {
    const resident = this.#memory.peek(key);
    const entry = resident ?? this.#fromDisk(key);
    if (entry === undefined) return undefined;
    const isQuiet = this.#clock.now() < entry.quietUntil && !this.#invalidator.isSweeping;
    if (!isQuiet && !this.#mayServe(entry, options, load, isSync)) return undefined;
    entry.counters.hits++;
    if (resident === undefined) entry.counters.diskHits++;
    const hits = ++entry.hits;
    if ((hits & (hits - 1)) === 0) {
      this.#top.offer(entry);
      if (hits === BUSY_HITS && this.#memory.holds(entry)) this.#memory.grow(entry, entry.becomeBusy());
    }
    return entry;
  }

  /** Brings an entry that is on disk into memory; where a load is in flight, that is waited for. */
  #fromDisk(key: string): Entry | undefined {
    if (this.#disk === undefined || this.#loads.get(key) !== undefined) return undefined;
    // What lies there, be it another process that has written it, is from before what the source does not have yet.
    if (this.#unsaved.find(key).state === 'hit') return undefined;
    const stored = this.#disk.take(key);
    if (stored === undefined || this.#invalidator.isSweptFrom(stored.dependsOn)) return undefined;
    const entry = restored(stored, this.#invalidator.position, { book: this.#book, clock: this.#clock });
    return entry !== undefined && this.#room.take(entry) ? entry : undefined;
  }

  /** What a read would hit, in memory or on disk. */
  fresh(key: string): Entry | undefined {
    const entry = this.#memory.peek(key) ?? this.#fromDisk(key);
    return entry !== undefined && this.isFresh(entry) ? entry : undefined;
  }

  /** Whether a read would hit. */
  isFresh(entry: Entry): boolean {
    return this.#clock.now() < entry.staleAt && !this.#invalidator.isSwept(entry);
  }

  /** Whether it is still held, fresh or stale. */
  isHeld(entry: Entry): boolean {
    return this.#clock.now() < entry.expiresAt && !this.#invalidator.isSwept(entry);
  }

  #mayServe(entry: Entry, options: LoadOptions, load: Loader<unknown> | undefined, isSync: boolean): boolean {
    if (this.#invalidator.sweepNow(entry)) return false;
    const now = this.#clock.now();
    const { counters } = entry;
    const rules = this.#loading.rulesOf(counters, options);
    const verdict = judge(entry, rules, now, this.#random);
    switch (verdict) {
      case 'fresh':
        break;
      case 'refresh':
        if (load !== undefined) this.#loading.behind(entry.key, load, options, isSync);
        break;
      case 'revalidate':
      case 'back-off':
        if (load === undefined) return false;
        counters.stale[verdict === 'revalidate' ? 'revalidating' : 'backing-off']++;
        if (verdict === 'revalidate') this.#loading.behind(entry.key, load, options, isSync);
        break;
      case 'load':
        if (now >= entry.expiresAt && load === undefined) this.#memory.remove(entry, 'expired');
        return false;
    }
    this.#used(entry, rules, now);
    return true;
  }

  /** Tells the eviction policy of the use, and lets the next uses be quiet. */
  #used(entry: Entry, rules: Rules, now: number): void {
    this.#memory.touch(entry);
    if (entry.canBeQuiet) entry.quietUntil = Math.min(now + QUIET_MS, undisturbedUntil(entry, rules));
    else entry.counters.savedCost += entry.extras?.cost ?? 0;
  }
}
