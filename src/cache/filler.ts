/**
 * The fill: decides whether a value is kept, for how long, and in which form, and puts it into memory.
 *
 * A value that cannot be kept can still be served, so nothing here throws (I4): what is refused is counted under its
 * reason. What is kept can be changed by nobody: it is frozen, or where that does not protect it, a copy of our own (I6).
 */
import type { BurstLog } from './burst-log.ts';
import type { Clock } from './clock.ts';
import { cloneValue } from './clone.ts';
import { Entry, type EntryLinks } from './entry.ts';
import type { Emitter } from './events.ts';
import { deepFreeze } from './freeze.ts';
import type { MemoryLayer } from './layers/memory.ts';
import type { Load } from './load.ts';
import type { RefusalReason } from './types.ts';
import { entryOverheadBytes, weigh } from './weigher.ts';

/** In place of a load's duration: the value was written. */
export const WRITTEN = -1;

export interface FillerOptions {
  readonly memory: MemoryLayer;
  readonly maxWeightBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly bursts: BurstLog;
  readonly events: Emitter;
}

export class Filler {
  readonly #memory: MemoryLayer;
  readonly #maxWeightBytes: number;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #bursts: BurstLog;
  readonly #events: Emitter;

  constructor({ memory, maxWeightBytes, clock, random, bursts, events }: FillerOptions) {
    this.#memory = memory;
    this.#maxWeightBytes = maxWeightBytes;
    this.#clock = clock;
    this.#random = random;
    this.#bursts = bursts;
    this.#events = events;
  }

  /**
   * True when the value is kept. `position` is the invalidation position from which on it is up to date; `loadMicros`
   * the load's duration in whole microseconds, or {@link WRITTEN}.
   */
  keep(load: Load, position: number, value: unknown, loadMicros: number): boolean {
    try {
      const { kind, weightBytes } = weigh(value);
      if (kind === 'frozen') deepFreeze(value);
      const copied = kind === 'copied';
      const stored = copied ? cloneValue(value) : value;
      if (copied) load.original = { value: stored };
      const ttlMs = this.#ttlOf(load, value);
      if (load.isVoid) return this.#refuse(load, 'invalidated');
      if (kind === 'unsafe') return this.#refuse(load, 'unsafe');
      const weight = weightBytes + entryOverheadBytes(load.key);
      if (kind === 'too-large' || weight > this.#maxWeightBytes) return this.#refuse(load, 'too-large');
      if (ttlMs <= 0 || load.isSkipped) return this.#refuse(load, 'not-wanted');
      const now = this.#clock.now();
      const links = this.#flatten(load.links);
      const extras = links === undefined ? undefined : { links, settled: undefined };
      const expiresAt = now + ttlMs;
      const { counters } = load;
      const entry = new Entry(
        load.key,
        stored,
        counters,
        now,
        expiresAt,
        position,
        weight,
        loadMicros,
        copied,
        extras,
      );
      this.#memory.put(entry);
      return true;
    } catch (error) {
      this.#bursts.warn('keep', 'A value is served but could not be kept.', { key: load.key, error });
      return this.#refuse(load, 'unsafe');
    }
  }

  #refuse(load: Load, reason: RefusalReason): false {
    const { namespace, policy, refusals } = load.counters;
    refusals[reason]++;
    if (reason === 'unsafe') {
      this.#bursts.warn(
        `unsafe ${namespace}`,
        'A value is served but not kept: it holds a function, a class instance or the like. Cache plain data.',
        { key: load.key },
      );
    }
    this.#events.emit('refused', { key: load.key, tier: policy.tier, reason });
    return false;
  }

  /** What the loader has set, else what the call says, else the tier; "no such row" is kept for less. */
  #ttlOf(load: Load, value: unknown): number {
    const { policy } = load.counters;
    const isNegative = value === null || value === undefined;
    const usualMs = load.options.ttlMs ?? policy.ttlMs;
    const negativeMs = load.options.negativeTtlMs ?? Math.min(policy.negativeTtlMs, usualMs);
    const ttlMs = load.ttlMs ?? (isNegative ? negativeMs : usualMs);
    if (ttlMs === Number.POSITIVE_INFINITY || policy.jitterRatio === 0) return ttlMs;
    return Math.ceil(ttlMs * (1 - this.#random() * policy.jitterRatio));
  }

  /** What the entry depends on, with what those depend on in turn, so that the link holds when one of them is evicted. */
  #flatten(links: EntryLinks | undefined): EntryLinks | undefined {
    if (links === undefined) return undefined;
    const all = new Set(links.dependsOn);
    for (const key of links.dependsOn) {
      for (const further of this.#memory.peek(key)?.links?.dependsOn ?? []) all.add(further);
    }
    // Copied: what a loader still says after its load has ended must not reach the entry.
    return { tags: [...new Set(links.tags)], dependsOn: [...all] };
  }
}
