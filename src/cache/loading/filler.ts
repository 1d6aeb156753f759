/**
 * The fill: decides whether a value is kept, for how long, and in which form, and puts it into memory.
 *
 * A value that cannot be kept can still be served, so nothing here throws (I4): what is refused is counted under its
 * reason. What is kept is a copy of our own, so that nobody can change it (I6).
 */
import type { BurstLog } from '../burst-log.ts';
import type { Clock } from '../clock.ts';
import { Entry, NO_EXTRAS } from '../entry.ts';
import { entryOverheadBytes } from '../entry-weight.ts';
import type { Emitter } from '../events.ts';
import type { CacheStats, RefusalReason } from '../statistics/stats.ts';
import type { Rules } from '../tiers/rules.ts';
import { objectKindOf } from '../values/kinds.ts';
import { ownText } from '../values/own-text.ts';
import { packedIfLighter } from '../values/packing.ts';
import type { NotTaken, Taken } from '../values/take.ts';
import type { LiveObjects } from './live-objects.ts';
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
  readonly live: LiveObjects;
  readonly onKept: (entry: Entry, rules: Rules) => void;
}

export class Filler {
  readonly #room: Room;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #bursts: BurstLog;
  readonly #events: Emitter;
  readonly #live: LiveObjects;
  readonly #onKept: FillerOptions['onKept'];
  /** For people to find. */
  lastUnsafe: CacheStats['lastUnsafe'] = null;

  constructor({ room, clock, random, bursts, events, live, onKept }: FillerOptions) {
    this.#room = room;
    this.#clock = clock;
    this.#random = random;
    this.#bursts = bursts;
    this.#events = events;
    this.#live = live;
    this.#onKept = onKept;
  }

  /** Takes a copy of what a load gives, for those who joined it and for the entry: `load.taken`. */
  take(load: Load, value: unknown): Taken | NotTaken {
    const taken = load.counters.values.take(value, load.rules.values);
    const error = taken.refusal?.error;
    if (error !== undefined) {
      // A taught class failed.
      this.#bursts.warn('take', 'A value is served but not kept: it could not be copied.', {
        key: load.key,
        error,
      });
    }
    load.taken = taken;
    return taken;
  }

  /**
   * True when the value is kept. `position` is the invalidation position from which on it is up to date; `loadMicros`
   * the load's duration in whole microseconds, or {@link WRITTEN}.
   */
  keep(load: Load, position: number, value: unknown, loadMicros: number): boolean {
    const taken = this.take(load, value);
    try {
      const { counters, rules } = load;
      if (load.isVoid) return this.#refuse(load, 'invalidated');
      if (load.faultyLink !== undefined) return this.#refuse(load, 'unsafe');
      if (taken.refusal !== undefined)
        return this.#refuseTaking(load, taken.refusal.text, taken.refusal.reason);
      const key = ownText(load.key);
      if (loadMicros !== WRITTEN) this.#live.loaded(load, key, value);
      const { weightBytes } = taken;
      const { ttlMs, adaptation } = lifetimeOf(load, rules, taken, this.#random);
      if (weightBytes > rules.maxEntryBytes) return this.#refuse(load, 'too-large');
      if (ttlMs <= 0 || load.isSkipped || !isWanted(value, rules)) return this.#refuse(load, 'not-wanted');
      const { links } = load;
      const cost = rules.cost === undefined ? 0 : this.#told(load.key, rules.cost, value);
      // The author's functions may have invalidated it, or written something newer.
      if (load.isVoid) return this.#refuse(load, 'invalidated');
      const packed = packedIfLighter(taken, rules, counters.values.types);
      const hasExtras = links !== undefined || adaptation !== undefined || cost !== 0;
      const extras = hasExtras ? { ...NO_EXTRAS, links, adaptation, cost } : undefined;
      const now = this.#clock.now();
      const staleAt = now + ttlMs;
      const entry = new Entry({
        key,
        kept: packed?.kept ?? taken,
        counters,
        createdAt: now,
        staleAt,
        expiresAt: staleAt + rules.holdMs,
        position,
        weightBytes: (packed?.weightBytes ?? weightBytes) + entryOverheadBytes(key, extras),
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

  /** Its place may name whom somebody wants forgotten. */
  forgetUnsafe(): void {
    this.lastUnsafe = null;
  }

  #refuseTaking(load: Load, text: string, reason: 'unsafe' | 'too-large'): false {
    const { counters, key } = load;
    const remedy =
      reason === 'unsafe'
        ? 'Cache plain data (such as .lean(), .toJSON() or Number(price)), or teach the cache the class: valueTypes of createCache.'
        : 'Keep parts of it under keys of their own.';
    if (reason === 'unsafe') this.lastUnsafe = { namespace: counters.namespace, text };
    this.#bursts.warn(
      `${reason} ${counters.namespace} ${text}`,
      `A value is served but not kept: ${text}. ${remedy}`,
      { key },
    );
    return this.#refuse(load, reason, text);
  }

  #refuse(load: Load, reason: RefusalReason, detail?: string): false {
    const { namespace, policy, refusals } = load.counters;
    refusals[reason]++;
    if (load.faultyLink !== undefined) {
      const text = `A value is served but not kept. ${load.faultyLink}`;
      this.#bursts.warn(`link ${namespace}`, text, { key: load.key });
    }
    this.#events.emit('refused', { key: load.key, tier: policy.tier, reason, detail });
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

/** The conditions of the policies; see {@link LoadingPolicy}. */
function isWanted(value: unknown, { when, skipEmpty }: Rules): boolean {
  if (skipEmpty && isEmpty(value)) return false;
  return when === undefined || when(value);
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (typeof value !== 'object') return false;
  switch (objectKindOf(value)) {
    case 'array':
      return (value as readonly unknown[]).length === 0;
    case 'map':
    case 'set':
      return (value as ReadonlyMap<unknown, unknown>).size === 0;
    case 'plain':
    case 'null-prototype':
      return Object.keys(value).length === 0;
    default:
      return false;
  }
}

/** Whether an adaptive ttl has found the value as it was. */
function wasUnchanged(previous: Entry | undefined, { extras }: Entry): boolean {
  const before = previous?.extras?.adaptation?.unchanged;
  return before !== undefined && extras?.adaptation !== undefined && extras.adaptation.unchanged > before;
}
