/**
 * The fill: decides whether a value is kept, for how long, and in which form, and puts it into memory.
 *
 * A value that cannot be kept can still be served, so nothing here throws (I4): what is refused is counted under its
 * reason. What is kept can be changed by nobody: it is frozen, or where that does not protect it, a copy of our own (I6).
 */
import type { BurstLog } from '../burst-log.ts';
import type { Clock } from '../clock.ts';
import { Entry, NO_EXTRAS } from '../entry.ts';
import type { Emitter } from '../events.ts';
import type { RefusalReason } from '../statistics/stats.ts';
import type { Rules } from '../tiers/rules.ts';
import { cloneValue } from '../values/clone.ts';
import { WORTH_RATIO } from '../values/compression.ts';
import { deepFreeze } from '../values/freeze.ts';
import { type Packed, pack } from '../values/packed.ts';
import { entryOverheadBytes, packedBytes, weigh } from '../values/weigher.ts';
import type { Load } from './load.ts';
import type { Room } from './room.ts';
import { lifetimeOf } from './ttl.ts';

/** In place of a load's duration: the value was written. */
export const WRITTEN = -1;

export interface FillerOptions {
  readonly room: Room;
  readonly clock: Clock;
  readonly random: () => number;
  readonly bursts: BurstLog;
  readonly events: Emitter;
  readonly onKept: (entry: Entry, rules: Rules) => void;
}

export class Filler {
  readonly #room: Room;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #bursts: BurstLog;
  readonly #events: Emitter;
  readonly #onKept: FillerOptions['onKept'];

  constructor({ room, clock, random, bursts, events, onKept }: FillerOptions) {
    this.#room = room;
    this.#clock = clock;
    this.#random = random;
    this.#bursts = bursts;
    this.#events = events;
    this.#onKept = onKept;
  }

  /**
   * True when the value is kept. `position` is the invalidation position from which on it is up to date; `loadMicros`
   * the load's duration in whole microseconds, or {@link WRITTEN}.
   */
  keep(load: Load, position: number, value: unknown, loadMicros: number): boolean {
    try {
      const { key, counters, rules } = load;
      const { kind, weightBytes } = weigh(value);
      if (kind === 'frozen') deepFreeze(value);
      const stored = kind === 'copied' ? cloneValue(value) : value;
      if (kind === 'copied') load.original = { value: stored };
      const { ttlMs, adaptation } = lifetimeOf(load, rules, value, weightBytes, this.#random);
      if (load.isVoid) return this.#refuse(load, 'invalidated');
      if (kind === 'unsafe' || load.faultyLink !== undefined) return this.#refuse(load, 'unsafe');
      if (kind === 'too-large') this.#sayTooLarge(load);
      if (kind === 'too-large' || weightBytes > rules.maxEntryBytes) return this.#refuse(load, 'too-large');
      if (ttlMs <= 0 || load.isSkipped || !isWanted(value, rules)) return this.#refuse(load, 'not-wanted');
      const packed = weightBytes > rules.compressAboveBytes ? packedIfLighter(value, weightBytes) : undefined;
      const copied = kind === 'copied' || packed !== undefined;
      const { links } = load;
      const cost = rules.cost === undefined ? 0 : this.#told(key, rules.cost, value);
      // The author's functions may have invalidated it, or written something newer.
      if (load.isVoid) return this.#refuse(load, 'invalidated');
      const hasExtras = copied || links !== undefined || adaptation !== undefined || cost !== 0;
      const extras = hasExtras ? { ...NO_EXTRAS, copied, links, adaptation, cost } : undefined;
      const weight =
        (packed === undefined ? weightBytes : packedBytes(packed)) + entryOverheadBytes(key, extras);
      const now = this.#clock.now();
      const staleAt = now + ttlMs;
      const entry = new Entry({
        key,
        value: packed ?? stored,
        counters,
        createdAt: now,
        staleAt,
        expiresAt: staleAt + rules.holdMs,
        position,
        weightBytes: weight,
        loadMicros,
        extras,
      });
      if (!this.#room.take(entry)) return this.#refuse(load, 'too-large');
      if (load.isUnmodified || wasUnchanged(load.previous, entry)) counters.unchanged++;
      this.#onKept(entry, rules);
      return true;
    } catch (error) {
      this.#bursts.warn('keep', 'A value is served but could not be kept.', { key: load.key, error });
      return this.#refuse(load, 'unsafe');
    }
  }

  #sayTooLarge({ key, counters }: Load): void {
    this.#bursts.warn(
      `too-large ${counters.namespace}`,
      'A value is served but not kept: it holds too much to be weighed in bounded time. Keep parts of it under keys of their own.',
      { key },
    );
  }

  #refuse(load: Load, reason: RefusalReason): false {
    const { namespace, policy, refusals } = load.counters;
    refusals[reason]++;
    if (load.faultyLink !== undefined) {
      const text = `A value is served but not kept. ${load.faultyLink}`;
      this.#bursts.warn(`link ${namespace}`, text, { key: load.key });
    } else if (reason === 'unsafe') {
      this.#bursts.warn(
        `unsafe ${namespace}`,
        'A value is served but not kept: it holds a function, a class instance or the like. Cache plain data.',
        { key: load.key },
      );
    }
    this.#events.emit('refused', { key: load.key, tier: policy.tier, reason });
    return false;
  }

  /** What the author's function says it costs. One that fails must neither spoil the sum nor what is kept (I4). */
  #told(key: string, costOf: (value: unknown) => number, value: unknown): number {
    try {
      const cost = costOf(value);
      if (Number.isFinite(cost)) return cost;
      this.#bursts.warn('cost', 'The cost of a value is no number; it counts as none.', { key, cost });
    } catch (error) {
      this.#bursts.warn('cost', 'The cost of a value could not be told; it counts as none.', { key, error });
    }
    return 0;
  }
}

/** Text that compresses well may still be more than the value takes on the heap: short rows, bytes in a string. */
function packedIfLighter(value: unknown, weightBytes: number): Packed | undefined {
  const packed = pack(value);
  return packed !== undefined && packedBytes(packed) <= weightBytes * WORTH_RATIO ? packed : undefined;
}

/** The conditions of the policies; see {@link LoadingPolicy}. */
function isWanted(value: unknown, { when, skipEmpty }: Rules): boolean {
  if (skipEmpty && isEmpty(value)) return false;
  return when === undefined || when(value);
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map || value instanceof Set) return value.size === 0;
  return (
    typeof value === 'object' &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.keys(value).length === 0
  );
}

/** Whether an adaptive ttl has found the value as it was. */
function wasUnchanged(previous: Entry | undefined, { extras }: Entry): boolean {
  const before = previous?.extras?.adaptation?.unchanged;
  return before !== undefined && extras?.adaptation !== undefined && extras.adaptation.unchanged > before;
}
