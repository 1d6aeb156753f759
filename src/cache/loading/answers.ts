/**
 * What those who wait for a load are given: its value, the old one where grace allows it, or its error.
 *
 * What must hold here: no caller is given what an invalidation from before its call covers (I2), and nobody's value can be
 * changed by another one's (I6).
 */
import type { Clock } from '../clock.ts';
import { type Entry, servedIfCopied } from '../entry.ts';
import { CacheError } from '../errors.ts';
import type { Invalidator } from '../invalidation/invalidator.ts';
import type { MemoryLayer } from '../layers/memory.ts';
import type { StaleReason } from '../statistics/stats.ts';
import type { ValuesMode } from '../tiers/policy.ts';
import type { Load, Waiting } from './load.ts';

export interface AnswersParts {
  readonly memory: MemoryLayer;
  readonly invalidator: Invalidator;
  readonly clock: Clock;
}

/** What somebody who joins a load may do at its end. */
export interface Joiner<T> {
  /** Where the load turns out to prove nothing to this caller. */
  readonly readAnew: () => Promise<T>;
  /**
   * Where its value cannot be copied, so that two callers would share one object: a stream that one of them has read, a
   * row that one of them changes. Each loads for itself, as it would without a cache.
   */
  readonly loadAlone: () => Promise<T>;
  /** How the caller wants the value. */
  readonly asked: ValuesMode | undefined;
}

const READ_ANEW = Symbol('read anew');
const LOAD_ALONE = Symbol('load alone');

export class Answers {
  readonly #memory: MemoryLayer;
  readonly #invalidator: Invalidator;
  readonly #clock: Clock;

  constructor({ memory, invalidator, clock }: AnswersParts) {
    this.#memory = memory;
    this.#invalidator = invalidator;
    this.#clock = clock;
  }

  /**
   * Waits for a load in flight. When it turns out to be void by an invalidation from before this caller came (its tags
   * were learnt too late to know), the caller reads anew.
   */
  join<T>(running: Load, { readAnew, loadAlone, asked }: Joiner<T>): Promise<T> {
    const { counters } = running;
    counters.misses++;
    counters.joined++;
    const { waiting } = running;
    if (waiting === undefined)
      return Promise.reject(
        new CacheError('ERR_LOAD_FAILED', 'A load cannot wait for itself.', { key: running.key }),
      );
    if (this.#clock.now() - running.startedAt >= running.rules.softTimeoutMs) {
      const old = this.#graceful(running);
      const served = old && servedIfCopied(old, asked);
      if (served !== undefined) {
        counters.stale.slow++;
        return Promise.resolve(served.value as T);
      }
    }
    const joinedAt = this.#invalidator.position;
    // Those who join at the same position have the same to do: the handler is made once for all of them.
    let { joiners } = running;
    if (joiners?.joinedAt !== joinedAt || joiners.waiting !== waiting || joiners.asked !== asked) {
      joiners = { waiting, joinedAt, asked, take: takerOf(running, waiting, joinedAt, asked) };
      running.joiners = joiners;
    }
    const { take } = joiners;
    const answered = waiting.promise.then((value) => {
      const answer = take(value);
      if (answer === READ_ANEW) return readAnew();
      return answer === LOAD_ALONE ? loadAlone() : (answer as T);
    });
    if (running.cause !== 'forced') return answered;
    // A forced load tells its caller of its failure; others rather have the old value.
    return answered.catch((error: unknown) => {
      const old = this.#graceful(running);
      const served = old && servedIfCopied(old, asked);
      if (served === undefined) throw error;
      counters.stale.failed++;
      return served.value as T;
    });
  }

  /** Gives those who wait the old value, where grace allows it. */
  give(load: Load, reason: StaleReason): Entry | undefined {
    const entry = this.#graceful(load);
    if (entry === undefined) return undefined;
    // A newer value may have been written meanwhile.
    const isStale = this.#clock.now() >= entry.staleAt;
    if (load.waiting !== undefined) load.waiting.answer = { entry, reason, isStale };
    if (isStale && load.cause === 'miss' && !load.isAnswered) load.counters.stale[reason]++;
    return entry;
  }

  /** What the key holds now, so never what was invalidated, while grace allows it. */
  #graceful({ key, rules }: Load): Entry | undefined {
    const entry = this.#memory.peek(key);
    if (entry === undefined || this.#invalidator.isSwept(entry)) return undefined;
    const now = this.#clock.now();
    return now < entry.expiresAt && now < entry.staleAt + rules.graceMs ? entry : undefined;
  }
}

/** What a joiner makes of the load's end. */
function takerOf(running: Load, waiting: Waiting, joinedAt: number, asked: ValuesMode | undefined) {
  return (value: unknown): unknown => {
    const { answer } = waiting;
    const served = answer && servedIfCopied(answer.entry, asked);
    if (answer !== undefined && served !== undefined) {
      // It was in memory when they were answered, so no invalidation from before they came covers it.
      if (answer.isStale) running.counters.stale[answer.reason]++;
      return served.value;
    }
    if (answer !== undefined) return LOAD_ALONE;
    if (running.isOutdatedFor(joinedAt)) return READ_ANEW;
    const { taken, counters } = running;
    if (taken === undefined) return value;
    if (taken.refusal !== undefined) return LOAD_ALONE;
    try {
      return counters.values.serve(taken, asked ?? counters.rules.ofTier.values);
    } catch {
      return LOAD_ALONE; // a taught class failed: it is said where a kept value is read
    }
  };
}
