/**
 * The loading policies as a plain model: what a cache of a few keys answers, and when, written down as directly as can
 * be. No promises, no layers, no single purpose of being quick; `policy-model.test.ts` runs it beside the real one.
 */
import { isDeepStrictEqual } from 'node:util';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';

/** What a read has come to. */
export type Outcome =
  | { readonly state: 'waiting' }
  | { readonly state: 'value'; readonly value: unknown }
  | { readonly state: 'failed'; readonly code: 'DOWN' | 'ERR_TIMEOUT' };

/** Somebody who waits. */
export interface Waiter {
  outcome: Outcome;
}

/** What a loader gives: a value with what it says of it, or nothing. */
export type Given =
  | { readonly value: unknown; readonly isSkipped?: boolean; readonly isUnmodified?: boolean }
  | 'DOWN'
  | 'ERR_TIMEOUT';

interface Held {
  readonly value: unknown;
  readonly createdAt: number;
  readonly staleAt: number;
  readonly expiresAt: number;
  readonly loadMs: number;
  readonly adaptedMs: number | undefined;
  retryAt: number;
  hits: number;
}

/** A load, until its end. */
export interface Flight {
  readonly key: string;
  readonly number: number;
  readonly position: number;
  readonly startedAt: number;
  readonly previous: Held | undefined;
  readonly forcedBy: Waiter | undefined;
  /** Those who wait, with the position at which they joined; the first did not join. */
  waiting: {
    readonly waiter: Waiter;
    readonly joinedAt: number | undefined;
    readonly readAnew: () => void;
  }[];
  isVoid: boolean;
  isOver: boolean;
  saidToBeSlow: boolean;
}

interface Save {
  readonly key: string;
  isVoid: boolean;
}

export interface ModelPolicy extends Omit<TierPolicy, 'when'> {
  readonly when?: ((value: unknown) => boolean) | undefined;
}

export class PolicyModel {
  now = 0;
  loads = 0;
  failures = 0;
  timeouts = 0;
  readonly entries = new Map<string, Held>();
  readonly flights = new Map<string, Flight>();
  readonly #open = new Set<Flight>();
  readonly #saves = new Set<Save>();
  readonly #policy: ModelPolicy;
  readonly #random: number;
  #position = 0;

  constructor(policy: ModelPolicy, random: number) {
    this.#policy = policy;
    this.#random = random;
  }

  /** A read. `begin` is told of the load that it sets off, if any. A synchronous read joins none. */
  read(key: string, waiter: Waiter, begin: (flight: Flight) => void, isSync = false): void {
    const entry = this.entries.get(key);
    const verdict = entry === undefined ? 'load' : this.#verdict(entry);
    if (entry !== undefined && verdict !== 'load') {
      entry.hits++;
      waiter.outcome = { state: 'value', value: entry.value };
      if (verdict === 'serve and load' && !this.flights.has(key)) begin(this.begin(key));
      return;
    }
    const readAnew = () => this.read(key, waiter, begin);
    const running = isSync ? undefined : this.flights.get(key);
    if (running === undefined) {
      const flight = this.begin(key);
      flight.waiting.push({ waiter, joinedAt: undefined, readAnew });
      begin(flight);
      return;
    }
    const isSlow = this.now - running.startedAt >= (this.#policy.softTimeoutMs ?? Number.POSITIVE_INFINITY);
    const old = isSlow ? this.#graceful(key) : undefined;
    if (old !== undefined) waiter.outcome = { state: 'value', value: old.value };
    else running.waiting.push({ waiter, joinedAt: this.#position, readAnew });
  }

  /** A load begins, in place of any that was in flight: that one is kept unless this one gives its value before. */
  begin(key: string, forcedBy?: Waiter): Flight {
    const previous = this.entries.get(key);
    if (previous !== undefined && this.now >= previous.expiresAt) this.entries.delete(key);
    const flight: Flight = {
      key,
      number: ++this.loads,
      position: this.#position,
      startedAt: this.now,
      previous,
      forcedBy,
      waiting: [],
      isVoid: false,
      isOver: false,
      saidToBeSlow: false,
    };
    this.flights.set(key, flight);
    this.#open.add(flight);
    return flight;
  }

  end(flight: Flight, given: Given): void {
    if (flight.isOver) return;
    flight.isOver = true;
    this.#open.delete(flight);
    if (typeof given === 'string') {
      this.#failed(flight, given);
      return;
    }
    for (const other of this.#open) {
      if (other.key === flight.key && other.number < flight.number) other.isVoid = true;
    }
    if (!flight.isVoid) this.#keep(flight.key, given, this.now - flight.startedAt, flight.previous);
    this.#leave(flight);
    if (flight.forcedBy !== undefined) flight.forcedBy.outcome = { state: 'value', value: given.value };
    for (const { waiter, joinedAt, readAnew } of flight.waiting) {
      // Every entry has a tag: who joined after an invalidation cannot know whether that covered the load.
      if (flight.isVoid && joinedAt !== undefined && flight.position < joinedAt) readAnew();
      else waiter.outcome = { state: 'value', value: given.value };
    }
  }

  /** Time goes on, timeout by timeout. */
  advance(ms: number): void {
    const until = this.now + ms;
    const { softTimeoutMs: soft, hardTimeoutMs: hard } = this.#policy;
    while (true) {
      const due = [...this.#open]
        .flatMap((flight) => [
          { flight, at: flight.startedAt + (hard ?? Number.POSITIVE_INFINITY), isHard: true },
          ...(flight.saidToBeSlow
            ? []
            : [{ flight, at: flight.startedAt + (soft ?? Number.POSITIVE_INFINITY), isHard: false }]),
        ])
        .sort((a, b) => a.at - b.at)
        .at(0);
      if (due === undefined || due.at > until) break;
      this.now = due.at;
      if (due.isHard) this.end(due.flight, 'ERR_TIMEOUT');
      else this.#slow(due.flight);
    }
    this.now = until;
  }

  /** An invalidation, by whatever target, of what is there, being loaded or being saved for these keys. */
  invalidate(keys: readonly string[]): void {
    this.#position++;
    for (const key of keys) {
      this.#void(key);
      this.entries.delete(key);
      this.#voidSaves(key);
    }
  }

  set(key: string, value: unknown): void {
    this.#position++;
    this.#void(key);
    this.#voidSaves(key);
    this.#keep(key, { value }, 0, undefined);
  }

  beginSave(key: string): Save {
    const save = { key, isVoid: false };
    this.#saves.add(save);
    return save;
  }

  endSave(save: Save, value: unknown, isSaved: boolean): void {
    this.#saves.delete(save);
    if (!isSaved) return;
    if (save.isVoid) this.invalidate([save.key]);
    else this.set(save.key, value);
  }

  /** What a look without a loader finds. */
  fresh(key: string): unknown {
    const entry = this.entries.get(key);
    return entry !== undefined && this.now < entry.staleAt ? entry.value : undefined;
  }

  // ---- what follows from the policies ----

  #verdict(entry: Held): 'serve' | 'serve and load' | 'load' {
    const { staleWhileRevalidateMs: swr = 0, graceMs: grace = 0 } = this.#policy;
    const staleForMs = this.now - entry.staleAt;
    const mayAsk = this.now >= entry.retryAt;
    if (staleForMs < 0) return mayAsk && this.#isDue(entry) ? 'serve and load' : 'serve';
    if (staleForMs < swr) return mayAsk ? 'serve and load' : 'serve';
    return staleForMs < grace && !mayAsk ? 'serve' : 'load';
  }

  #isDue(entry: Held): boolean {
    const { refreshAheadRatio: ratio, earlyRefreshBeta: beta = 0 } = this.#policy;
    if (ratio !== undefined && this.now >= entry.createdAt + (entry.staleAt - entry.createdAt) * ratio)
      return true;
    return beta > 0 && this.now - entry.loadMs * beta * Math.log(this.#random) >= entry.staleAt;
  }

  #graceful(key: string): Held | undefined {
    const entry = this.entries.get(key);
    return entry !== undefined && this.now < entry.staleAt + (this.#policy.graceMs ?? 0) ? entry : undefined;
  }

  #slow(flight: Flight): void {
    flight.saidToBeSlow = true;
    const old = flight.previous === undefined ? undefined : this.#graceful(flight.key);
    if (old === undefined) return;
    for (const { waiter } of flight.waiting) waiter.outcome = { state: 'value', value: old.value };
    flight.waiting = [];
  }

  #failed(flight: Flight, code: 'DOWN' | 'ERR_TIMEOUT'): void {
    this.failures++;
    if (code === 'ERR_TIMEOUT') this.timeouts++;
    this.#leave(flight);
    const entry = this.entries.get(flight.key);
    if (!flight.isVoid && entry !== undefined) {
      entry.retryAt = this.now + (this.#policy.graceBackoffMs ?? 10_000);
    }
    const old = this.#graceful(flight.key);
    if (flight.forcedBy !== undefined) flight.forcedBy.outcome = { state: 'failed', code };
    for (const { waiter } of flight.waiting) {
      waiter.outcome = old === undefined ? { state: 'failed', code } : { state: 'value', value: old.value };
    }
  }

  #keep(
    key: string,
    { value, isSkipped, isUnmodified }: Exclude<Given, string>,
    loadMs: number,
    previous: Held | undefined,
  ): void {
    if (isSkipped) return;
    this.entries.delete(key);
    const { ttlMs, negativeTtlMs, jitterRatio, skipEmpty, when, adaptiveTtl } = this.#policy;
    const isEmpty = value === null || (Array.isArray(value) && value.length === 0);
    if (skipEmpty === true && isEmpty) return;
    try {
      if (when !== undefined && !when(value)) return;
    } catch {
      return;
    }
    let freshMs = value === null ? Math.min(negativeTtlMs, ttlMs) : ttlMs;
    let adaptedMs: number | undefined;
    if (adaptiveTtl !== undefined && value !== null) {
      const within = (ms: number) => Math.min(adaptiveTtl.maxMs, Math.max(adaptiveTtl.minMs, ms));
      const before = previous?.adaptedMs;
      if (previous === undefined || before === undefined) adaptedMs = within(ttlMs);
      else if (!isUnmodified && !isDeepStrictEqual(previous.value, value)) adaptedMs = within(before / 2);
      else adaptedMs = within(previous.hits > 0 ? before * 2 : before);
      freshMs = adaptedMs;
    }
    if (freshMs <= 0) return;
    const staleAt = this.now + Math.ceil(freshMs * (1 - this.#random * jitterRatio));
    const { graceMs = 0, staleWhileRevalidateMs = 0 } = this.#policy;
    this.entries.set(key, {
      value,
      createdAt: this.now,
      staleAt,
      expiresAt: staleAt + Math.max(graceMs, staleWhileRevalidateMs),
      loadMs,
      adaptedMs,
      retryAt: 0,
      hits: 0,
    });
  }

  #voidSaves(key: string): void {
    for (const save of this.#saves) if (save.key === key) save.isVoid = true;
  }

  #void(key: string): void {
    for (const flight of this.#open) if (flight.key === key) flight.isVoid = true;
    this.flights.delete(key);
  }

  #leave(flight: Flight): void {
    if (this.flights.get(flight.key) === flight) this.flights.delete(flight.key);
  }
}
