/**
 * Time as the cache sees it: one monotonic clock with its timers, handed in, so that tests can turn it by hand.
 *
 * Instants are whole milliseconds since the clock's own origin. They neither jump nor go back when somebody sets the
 * machine's clock, and stand still where the machine sleeps; `epochAt` turns one into epoch milliseconds, for people to
 * read and for what outlives the process.
 */
import * as machineTimers from 'node:timers';

export interface Clock {
  /** Milliseconds since the origin, monotonic, whole. May lag by up to a millisecond. */
  now(): number;
  /** Milliseconds since the origin with fractions, for measuring durations. */
  precise(): number;
  /** The epoch milliseconds of an instant of this clock. */
  epochAt(at: number): number;
  /** Epoch milliseconds by the machine's own clock, which people set: only to compare with what other processes wrote. */
  wallNow(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels. Never keeps the process alive. */
  after(delayMs: number, run: () => void): () => void;
  /** Calls `run` every `intervalMs`; the returned function cancels. Never keeps the process alive. */
  every(intervalMs: number, run: () => void): () => void;
  /**
   * Lets the event loop turn: work done in slices awaits this between two of them. Those who wait go on in their order,
   * as many in a turn as fit into one slice's time, so that what runs at once does not hold the loop for the sum of its
   * slices, and thousands who have little to do do not wait for thousands of turns.
   */
  yield(): Promise<void>;
}

/** `setTimeout` fires at once for longer delays; longer ones are waited for in legs of this length. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** By how much the machine's clock must have been set forward for it to be followed: more than rounding makes. */
const JUMP_MS = 1_000;

/** What goes on in one turn of the loop ends with whoever passes this. */
const TURN_MS = 2;

/** How many reads may share one reading of the machine's clock within a turn of the event loop. */
const READS_PER_READING = 64;

/** As they are without fake timers, also where these are set up before this file is loaded. */
const machineTimeout = machineTimers.setTimeout;
const machineImmediate = machineTimers.setImmediate;

/**
 * The machine's monotonic clock.
 *
 * Reading it takes as long as a whole lookup in memory, so one reading serves until a millisecond's timer has run,
 * and at most {@link READS_PER_READING} times, so that a blocked event loop cannot stop time.
 *
 * Fake timers of a test (Vitest, Jest, Sinon, node:test) drive it while they are there: time goes on from where it was
 * when they come and when they go, and what was to run later still does.
 */
export function systemClock(): Clock {
  const monotonic = monotonicReading();
  let originEpochMs = Date.now() - monotonic.read();
  let source = monotonic.source;
  let reading = 0;
  let readsLeft = 0;
  let expiring = false;
  const expire = () => {
    expiring = false;
    readsLeft = 0;
  };
  const timers = new Timers(monotonic.read);
  const after = (delayMs: number, run: () => void) => timers.after(delayMs, run);
  return {
    now() {
      if (readsLeft > 0 && setTimeout === machineTimeout) {
        readsLeft--;
        return reading;
      }
      reading = Math.floor(monotonic.read());
      timers.follow();
      if (setTimeout !== machineTimeout) return reading;
      readsLeft = READS_PER_READING - 1;
      if (!expiring) {
        expiring = true;
        machineTimeout(expire, 1).unref();
      }
      return reading;
    },
    precise: monotonic.read,
    epochAt(at) {
      const originNowMs = Date.now() - monotonic.read();
      // Followed forward alone: then what lies on disk counts as older than it is, and never as younger.
      const isNewSource = source !== monotonic.source;
      if (isNewSource || originNowMs - originEpochMs > JUMP_MS) originEpochMs = originNowMs;
      source = monotonic.source;
      return Math.round(originEpochMs + at);
    },
    wallNow: () => Date.now(),
    after,
    every(intervalMs, run) {
      let cancel = after(intervalMs, function tick() {
        cancel = after(intervalMs, tick);
        run();
      });
      return () => cancel();
    },
    yield: turns(),
  };
}

/** Milliseconds that go on where they were when fake timers put another `performance.now` in place, or take it away. */
function monotonicReading() {
  let source = performance.now;
  let offset = 0;
  let last = 0;
  return {
    get source() {
      return source;
    },
    read(): number {
      const raw = performance.now();
      if (performance.now !== source) {
        source = performance.now;
        offset = last - raw;
      }
      last = raw + offset;
      return last;
    },
  };
}

/** See {@link Clock.yield}. It is about the event loop, which fake timers do not stop. */
function turns(): () => Promise<void> {
  const waiting: (() => void)[] = [];
  /** A turn is to come, or is under way and sees to the next. */
  let isTurning = false;
  const turn = () => {
    const endsAt = performance.now() + TURN_MS;
    let left = waiting.length;
    const goOn = () => {
      waiting.shift()?.();
      // Fakes of some tests take `queueMicrotask` as well.
      void Promise.resolve().then(next);
    };
    // What the one before does, it has done before this microtask. Who waits again has had this turn.
    const next = () => {
      if (--left > 0 && performance.now() < endsAt) return goOn();
      isTurning = waiting.length > 0;
      if (isTurning) machineImmediate(turn);
    };
    goOn();
  };
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (isTurning) return;
      isTurning = true;
      machineImmediate(turn);
    });
}

interface Timer {
  readonly dueAt: number;
  readonly run: () => void;
  cancel: () => void;
}

/** Timers that are set anew where fake timers come or go: those that a fake has taken would never run. */
class Timers {
  readonly #read: () => number;
  readonly #pending = new Set<Timer>();
  /** What they are set with. */
  #setter = setTimeout;

  constructor(read: () => number) {
    this.#read = read;
  }

  after(delayMs: number, run: () => void): () => void {
    this.follow();
    const timer: Timer = { dueAt: this.#read() + delayMs, run, cancel: () => undefined };
    this.#pending.add(timer);
    this.#set(timer, delayMs);
    return () => {
      timer.cancel();
      this.#pending.delete(timer);
    };
  }

  /** Sets all anew where fake timers have come or gone since. */
  follow(): void {
    if (setTimeout === this.#setter) return;
    this.#setter = setTimeout;
    const now = this.#read();
    for (const timer of this.#pending) {
      timer.cancel();
      this.#set(timer, Math.max(0, timer.dueAt - now));
    }
  }

  #set(timer: Timer, delayMs: number): void {
    const clear = clearTimeout;
    const leg = Math.min(delayMs, LONGEST_TIMER_MS);
    const set = setTimeout(() => {
      if (delayMs > leg) {
        this.#set(timer, delayMs - leg);
        return;
      }
      this.#pending.delete(timer);
      timer.run();
    }, leg);
    // In a browser's environment of a test it is a number.
    set.unref?.();
    timer.cancel = () => clear(set);
  }
}
