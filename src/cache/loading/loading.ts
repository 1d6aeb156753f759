/**
 * Loads, from their beginning to the fill: one a key, shared by whoever waits. What those are given when it fails or
 * takes long is decided in `answers.ts`.
 *
 * What must hold here: a load that an invalidation covers fills nothing and nobody joins it afterwards (I2); one load a
 * key in flight, removed by identity, its rejection shared and not kept (I3); nothing that goes wrong while a value is
 * kept or counted makes the read fail (I4).
 */
import { assertFunction } from '../arguments.ts';
import type { BurstLog } from '../burst-log.ts';
import type { Clock } from '../clock.ts';
import { type Entry, type EntryLinks, servedIfCopied } from '../entry.ts';
import type { EntryOptions, LoadOptions } from '../entry-options.ts';
import { errorText } from '../error-text.ts';
import { CacheError } from '../errors.ts';
import type { Emitter } from '../events.ts';
import type { Invalidator } from '../invalidation/invalidator.ts';
import { lineageOf } from '../invalidation/lineage.ts';
import { canonicalKey } from '../keys/canonical.ts';
import { assertKey } from '../keys/keys.ts';
import type { MemoryLayer } from '../layers/memory.ts';
import type { Counters } from '../statistics/counters.ts';
import type { CacheStats } from '../statistics/stats.ts';
import type { Rules } from '../tiers/rules.ts';
import { assertTtl, type TierBook } from '../tiers/tier-book.ts';
import { Answers, type Joiner } from './answers.ts';
import { Call } from './call.ts';
import type { Filler } from './filler.ts';
import { type Cause, Load, type Waiting } from './load.ts';
import type { LoadContext, Loader } from './load-context.ts';
import { LoadTimers } from './load-timers.ts';
import type { Loads } from './loads.ts';
import type { Unsaved } from './unsaved.ts';

export interface LoadingParts {
  /** Whether values may be kept at all. */
  readonly enabled: boolean;
  readonly memory: MemoryLayer;
  readonly loads: Loads;
  readonly invalidator: Invalidator;
  readonly filler: Filler;
  readonly book: TierBook;
  readonly clock: Clock;
  readonly bursts: BurstLog;
  readonly events: Emitter;
  readonly closing: AbortSignal;
  readonly unsaved: Unsaved;
  /** The source has given a newer value than any that is kept. */
  readonly onOutdated: (key: string) => void;
}

export class Loading {
  readonly #parts: LoadingParts;
  readonly #memory: MemoryLayer;
  readonly #loads: Loads;
  readonly #clock: Clock;
  readonly #answers: Answers;
  readonly #timers: LoadTimers;
  /** The last failed load, for people to find in the log. */
  lastFailure: CacheStats['lastFailure'] = null;

  constructor(parts: LoadingParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#loads = parts.loads;
    this.#clock = parts.clock;
    this.#answers = new Answers(parts);
    this.#timers = new LoadTimers(parts.clock, parts.closing);
  }

  /** @param batch the call that loads this key and others, and runs by itself */
  load<T>(key: string, loader: Loader<T>, options: LoadOptions, batch?: Call): Promise<T> {
    return this.#load(key, loader, options, options.fresh === true ? 'forced' : 'miss', batch);
  }

  loadSync<T>(key: string, loader: (context: LoadContext) => T, options: LoadOptions): T {
    assertFunction(loader, 'getOrLoadSync(key, load)', 'load');
    const record = this.#begin(key, options, options.fresh === true ? 'forced' : 'miss', undefined);
    // Registered, since the loader itself may invalidate or write.
    if (record.mayKeep) this.#loads.begin(record);
    let value: T;
    try {
      value = this.#ask(loader, record);
    } catch (error) {
      return this.#failed(record, error) as T;
    }
    return this.#loaded(record, value) as T;
  }

  /**
   * Waits for a load in flight; see {@link Joiner}. Where that one waits for this caller, `loader` is called.
   * @param batch the call that loads this key and others, and runs by itself
   */
  join<T>(
    running: Load,
    joiner: Joiner<T>,
    loader: Loader<T>,
    options: LoadOptions,
    batch?: Call,
  ): Promise<T> {
    try {
      assertFunction(loader, 'getOrLoad(key, load)', 'load');
      running.counters.rules.of(options);
    } catch (error) {
      return Promise.reject(error);
    }
    const caller = running.call === undefined ? undefined : Call.current();
    if (caller !== undefined && running.call !== undefined) {
      if (caller.isAwaitedBy(running.call)) return this.#load(running.key, loader, options, 'nested', batch);
      caller.joins(running.call);
    }
    return this.#answers.join(running, joiner);
  }

  /** The call of one load for many keys. */
  callForMany(): Call {
    return new Call(this, undefined, this.#parts.enabled ? Call.current() : undefined);
  }

  /** Whether this code runs for a load of the key: what the key holds is the value that the load is to replace. */
  isLoadingWithin(key: string): boolean {
    return this.#loads.get(key) !== undefined && Call.current()?.isWithin(this, key) === true;
  }

  /** Loads a value that is not waited for; where a load is in flight already, that one will do. */
  behind(key: string, loader: Loader<unknown>, options: LoadOptions, isSync: boolean): void {
    const { closing } = this.#parts;
    if (this.#loads.get(key) !== undefined || closing.aborted) return;
    // A synchronous loader would make its reader wait after all, so it runs in a later turn of the loop.
    const later = async (record: Load) => {
      await this.#clock.yield();
      closing.throwIfAborted();
      record.beganAt = this.#clock.precise();
      return this.#parts.unsaved.ask(loader, record);
    };
    this.#load(key, isSync ? later : loader, options, 'behind', undefined).catch((error: unknown) => {
      // Ended by `stop`, as it should be.
      if (closing.aborted) return;
      // Its callers were served; that it failed is counted already.
      this.#parts.bursts.warn(
        'behind',
        'A value could not be loaded anew; the old one goes on being served.',
        {
          key,
          error,
        },
      );
    });
  }

  /** The last failure is not told any more where it names such a key. */
  forgetFailure(isCovered: (key: string) => boolean): void {
    if (this.lastFailure !== null && isCovered(this.lastFailure.key)) this.lastFailure = null;
  }

  /** What holds for a call. What makes no sense is refused when a load begins, not at a hit. */
  rulesOf(counters: Counters, options: EntryOptions): Rules {
    try {
      return counters.rules.of(options);
    } catch (error) {
      this.#parts.bursts.warn('options', 'A read has options that make no sense; those of its tier hold.', {
        error,
      });
      return counters.rules.ofTier;
    }
  }

  /**
   * The record of a load, or of a write, that begins now.
   * @throws CacheError `ERR_ARGUMENT_INVALID` or `ERR_KEY_INVALID` for options that make no sense
   */
  record(key: string, options: EntryOptions, previous: Entry | undefined): Load {
    if (typeof key !== 'string') assertKey(key);
    if (options.ttlMs !== undefined) assertTtl(options.ttlMs, 'ttlMs');
    if (options.negativeTtlMs !== undefined) assertTtl(options.negativeTtlMs, 'negativeTtlMs');
    const { book, closing, invalidator } = this.#parts;
    const counters = book.countersFor(key, options.tier);
    return new Load({
      key,
      counters,
      options,
      rules: counters.rules.of(options),
      closing,
      position: invalidator.position,
      startedAt: this.#clock.now(),
      previous,
    });
  }

  /** Finds out what the value of a load, or of a write, stems from, now that all of its links are known. */
  trace(load: Load): void {
    const own = load.ownLinks;
    if (own === undefined) return;
    const versionsOf = (key: string): readonly EntryLinks[] => {
      const canonical = canonicalKey(key);
      const departed = this.#loads.departedSince(canonical, load);
      const resident = this.#memory.spelled(canonical).flatMap(({ links }) => links ?? []);
      return resident.length === 0 ? departed : [...departed, ...resident];
    };
    load.lineage = lineageOf(canonicalKey(load.key), own, load.inherited, versionsOf);
  }

  // ---- a load ----

  #load<T>(
    key: string,
    loader: (record: Load) => T | PromiseLike<T>,
    options: LoadOptions,
    cause: Cause,
    batch: Call | undefined,
  ): Promise<T> {
    let record: Load;
    try {
      assertFunction(loader, 'getOrLoad(key, load)', 'load');
      record = this.#begin(key, options, cause, batch);
    } catch (error) {
      return Promise.reject(error);
    }
    // Registered before the loader runs, so that a loader that reads its own key cannot start a second load.
    if (record.mayKeep) this.#loads.begin(record);
    let result: T | PromiseLike<T>;
    try {
      result = batch === undefined ? this.#ask(loader, record) : this.#parts.unsaved.ask(loader, record);
    } catch (error) {
      result = Promise.reject(error);
    }
    const ended = Promise.resolve(result).then(
      (value) => this.#loaded(record, value) as T,
      (error: unknown) => this.#failed(record, error) as T,
    );
    const bounded = this.#bounded(record, ended);
    const answered = this.#answeredWhenSlow(record, bounded);
    record.waiting ??= { promise: answered, answer: undefined };
    // Who forces a load wants the new value and no other.
    return record.wantsNew ? bounded : answered;
  }

  #begin(key: string, options: LoadOptions, cause: Cause, batch: Call | undefined): Load {
    // Nobody waits for what is loaded behind.
    const caller = cause === 'behind' || !this.#parts.enabled ? undefined : Call.current();
    const isNested = caller !== undefined && (cause === 'nested' || caller.isWithin(this, key));
    // Within a load of the key the old value is not asked for: it may have been made by that one.
    const record = this.record(key, options, isNested ? undefined : this.#previousOf(key));
    caller?.assertEnding();
    if (isNested) caller.assertMayNest(this, key);
    record.mayKeep = !isNested && this.#mayKeep(key);
    record.cause = isNested ? 'nested' : cause;
    if (record.mayKeep || isNested) record.call = batch ?? new Call(this, key, caller);
    // What reads serve meanwhile is asked about at each of them.
    if (record.mayKeep) record.previous?.disturb();
    // What nobody waits for is no lookup that could have been a hit.
    if (record.cause === 'miss' || isNested) record.counters.misses++;
    else record.counters.refreshes++;
    record.counters.loads++;
    record.beganAt = this.#clock.precise();
    return record;
  }

  /** Runs the loader as the call that it is. */
  #ask<R>(loader: (record: Load) => R, record: Load): R {
    const { unsaved } = this.#parts;
    if (record.call === undefined) return unsaved.ask(loader, record);
    return record.call.run((load: Load) => unsaved.ask(loader, load), record);
  }

  /** What the key holds, fresh or stale; an entry that has expired leaves. */
  #previousOf(key: string): Entry | undefined {
    const entry = this.#memory.peek(key);
    if (entry === undefined || this.#parts.invalidator.sweepNow(entry)) return undefined;
    if (this.#clock.now() >= entry.expiresAt) this.#memory.remove(entry, 'expired');
    return entry;
  }

  /** A key that cannot be one is served by its loader and not kept: hostile text must not make a read fail. */
  #mayKeep(key: string): boolean {
    if (!this.#parts.enabled || this.#parts.closing.aborted) return false;
    try {
      assertKey(key);
      return true;
    } catch (error) {
      this.#parts.bursts.warn('key', 'A value is served but not kept: its key is not valid.', { error });
      return false;
    }
  }

  /** The hard timeout ends the load: what the loader still gives is dropped. */
  #bounded<T>(record: Load, ended: Promise<T>): Promise<T> {
    const { hardTimeoutMs } = record.rules;
    if (!Number.isFinite(hardTimeoutMs) || this.#parts.closing.aborted) return ended;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const end = () => {
      const { key, counters } = record;
      const error = new CacheError('ERR_TIMEOUT', `The load of ${key} took over ${hardTimeoutMs} ms.`, {
        key,
      });
      counters.timeouts++;
      resolve(new Promise<T>((done) => done(this.#failed(record, error) as T)));
      record.abort(error);
    };
    this.#timers.after(hardTimeoutMs, end, ended);
    ended.then(resolve, reject);
    return promise;
  }

  /** The soft timeout gives those who wait the old value, where grace allows it; the load goes on for others. */
  #answeredWhenSlow<T>(record: Load, bounded: Promise<T>): Promise<T> {
    const { softTimeoutMs } = record.rules;
    if (!Number.isFinite(softTimeoutMs) || record.previous === undefined || this.#parts.closing.aborted)
      return bounded;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting: Waiting = { promise, answer: undefined };
    record.waiting = waiting;
    const answer = () => {
      const old = this.#answers.give(record, 'slow');
      const served = old && servedIfCopied(old, record.rules.values);
      if (served === undefined) return;
      resolve(served.value as T);
      record.isAnswered = true;
      record.waiting = { promise: bounded, answer: undefined };
    };
    this.#timers.after(softTimeoutMs, answer, bounded);
    bounded.then(resolve, reject);
    // Perhaps nobody waits any more, or not yet. Each one that does is told by its own promise.
    promise.catch(() => undefined);
    return promise;
  }

  #loaded(load: Load, value: unknown): unknown {
    load.ended();
    if (load.isOver) return value;
    const { counters } = load;
    const loadMs = this.#clock.precise() - load.beganAt;
    counters.loadTimes.record(loadMs);
    const { invalidator, filler, closing, events } = this.#parts;
    if (load.cause === 'nested') this.#loads.get(load.key)?.takeOver(load);
    this.trace(load);
    if (load.mayKeep) {
      if (this.#loads.settle(load)) invalidator.voidedLate(load.key);
      this.#loads.overtake(load);
    }
    const kept =
      load.mayKeep && !closing.aborted && filler.keep(load, load.position, value, Math.round(loadMs * 1_000));
    if (kept) counters.fills++;
    else if (load.mayKeep) {
      // It was served all the same, and others may be made from it.
      if (load.lineage !== undefined) this.#loads.departed(load.key, load.lineage);
      if (!load.isSkipped) this.#removeOutdated(load);
    }
    this.#loads.end(load);
    events.emit('loaded', { key: load.key, tier: counters.policy.tier, loadMs, kept });
    return this.#givenTo(load, value);
  }

  /** What whoever began the load gets: the loader's own result, or our frozen copy where that is asked for. */
  #givenTo(load: Load, value: unknown): unknown {
    const { counters, rules, joiners } = load;
    const isFrozen = rules.values === 'frozen';
    // Those who joined get copies, kept or not.
    const isTaken = load.taken !== undefined || isFrozen || joiners !== undefined;
    const taken = isTaken ? (load.taken ?? this.#parts.filler.take(load, value)) : undefined;
    if (!isFrozen || taken === undefined || taken.refusal !== undefined) return value;
    try {
      return counters.values.serve(taken, 'frozen');
    } catch {
      return value; // a taught class failed: it is said where a kept value is read
    }
  }

  /** A kept value could not be copied for its reader, since a taught class failed: it leaves, and is loaded anew (I4). */
  uncopied({ key }: Entry, error: unknown): void {
    this.#parts.bursts.warn('serve', 'A kept value could not be copied for its reader; it is loaded anew.', {
      key,
      error,
    });
    const entry = this.#memory.peek(key);
    if (entry !== undefined) this.#memory.remove(entry, 'replaced');
    this.#parts.onOutdated(key);
  }

  /** The source has given another value, and be it one that is not kept: what was there before it is outdated. */
  #removeOutdated({ key, position, isOvertaken }: Load): void {
    if (isOvertaken) return;
    const entry = this.#memory.peek(key);
    if (entry !== undefined) {
      if (entry.position > position) return;
      this.#memory.remove(entry, 'replaced');
    }
    this.#parts.onOutdated(key);
  }

  /**
   * What those who wait get instead.
   * @throws the error, where they get nothing
   */
  #failed(load: Load, error: unknown): unknown {
    load.ended();
    if (load.isOver) throw error;
    const { key, counters } = load;
    const loadMs = this.#clock.precise() - load.beganAt;
    counters.failures++;
    this.#loads.end(load);
    this.lastFailure = { key, message: errorText(error), at: this.#clock.epochAt(this.#clock.now()) };
    this.#parts.events.emit('failed', { key, tier: counters.policy.tier, loadMs, error });
    if (!load.isVoid) this.#leaveAlone(load);
    const isSlow = error instanceof CacheError && error.code === 'ERR_TIMEOUT';
    // Who forces a load is told of its failure.
    const old = load.wantsNew ? undefined : this.#answers.give(load, isSlow ? 'slow' : 'failed');
    const served = old && servedIfCopied(old, load.rules.values);
    if (served === undefined) throw error;
    this.#parts.bursts.warn(
      `grace ${counters.namespace}`,
      'A load failed; the old value is served for a while.',
      { key, error },
    );
    return served.value;
  }

  /** The source has failed: it is not asked again for a moment where an old value can be served. */
  #leaveAlone({ key, rules }: Load): void {
    const entry = this.#memory.peek(key);
    entry?.backOffUntil(this.#clock.now() + rules.graceBackoffMs);
  }
}
