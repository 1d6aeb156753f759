/**
 * Room for heavy values. Where more entries would have to leave for one than may at once (I12), it is served and not
 * kept, and room is made behind, in slices: its next load is kept. For what would take a large part of the bound none is
 * made, since most of what the cache is for would leave for an accident.
 */
import type { BurstLog } from '../burst-log.ts';
import type { Clock } from '../clock.ts';
import type { Entry } from '../entry.ts';
import type { MemoryLayer } from '../layers/memory.ts';
import { inSlices } from '../slices.ts';

/** Of the bound: 12.5 MB of the usual 100. */
const LARGEST_PART = 1 / 8;

export interface RoomParts {
  readonly memory: MemoryLayer;
  readonly maxWeightBytes: number;
  readonly clock: Clock;
  readonly bursts: BurstLog;
  readonly isClosed: () => boolean;
}

export class Room {
  readonly #memory: MemoryLayer;
  readonly #maxWeightBytes: number;
  readonly #clock: Clock;
  readonly #bursts: BurstLog;
  readonly #isClosed: () => boolean;
  /** What the heaviest of those that wait for room weighs. */
  #wantedBytes = 0;

  constructor({ memory, maxWeightBytes, clock, bursts, isClosed }: RoomParts) {
    this.#memory = memory;
    this.#maxWeightBytes = maxWeightBytes;
    this.#clock = clock;
    this.#bursts = bursts;
    this.#isClosed = isClosed;
  }

  /** Takes an entry into memory, if it can be at once. */
  take(entry: Entry): boolean {
    if (entry.weightBytes <= this.#maxWeightBytes && this.#memory.put(entry)) return true;
    if (entry.weightBytes <= this.#maxWeightBytes * LARGEST_PART) this.#makeFor(entry.weightBytes);
    else {
      this.#bursts.warn(
        'room',
        'A value is served but not kept: it is too heavy for this cache. Keep parts of it under keys of their own, or raise max_size_mb (maxWeightBytes).',
        { key: entry.key, weightBytes: entry.weightBytes, maxWeightBytes: this.#maxWeightBytes },
      );
    }
    return false;
  }

  #makeFor(weightBytes: number): void {
    const isMaking = this.#wantedBytes > 0;
    this.#wantedBytes = Math.max(this.#wantedBytes, weightBytes);
    if (!isMaking) void this.#make();
  }

  async #make(): Promise<void> {
    await this.#clock.yield();
    await inSlices(this.#clock, this.#leaving(), () => undefined, this.#isClosed);
    this.#wantedBytes = 0;
  }

  *#leaving(): Generator<void, void, undefined> {
    while (this.#memory.weightBytes + this.#wantedBytes > this.#maxWeightBytes && this.#memory.evictOne())
      yield;
  }
}
