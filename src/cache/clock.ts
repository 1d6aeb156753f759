/**
 * Time as the cache sees it: one monotonic clock with its timers, handed in, so that tests can turn it by hand.
 *
 * Instants are whole milliseconds since the clock's own origin. They neither jump nor go back when somebody sets the
 * machine's clock, and stand still where the machine sleeps; `epochAt` turns one into epoch milliseconds, for people to
 * read and for what outlives the process.
 */
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

/**
 * The machine's monotonic clock.
 *
 * Reading it takes as long as a whole lookup in memory, so one reading serves until a millisecond's timer has run,
 * and at most {@link READS_PER_READING} times, so that a blocked event loop cannot stop time.
 */
export function systemClock(): Clock {
  let originEpochMs = Date.now() - performance.now();
  let reading = 0;
  let readsLeft = 0;
  let expiring = false;
  const expire = () => {
    expiring = false;
    readsLeft = 0;
  };
  const waiting: (() => void)[] = [];
  /** A turn is to come, or is under way and sees to the next. */
  let isTurning = false;
  const turn = () => {
    const endsAt = performance.now() + TURN_MS;
    let left = waiting.length;
    const goOn = () => {
      waiting.shift()?.();
      queueMicrotask(next);
    };
    // What the one before does, it has done before this microtask. Who waits again has had this turn.
    const next = () => {
      if (--left > 0 && performance.now() < endsAt) return goOn();
      isTurning = waiting.length > 0;
      if (isTurning) setImmediate(turn);
    };
    goOn();
  };
  const after = (delayMs: number, run: () => void): (() => void) => {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number) => {
      timer = setTimeout(
        () => (leftMs > LONGEST_TIMER_MS ? wait(leftMs - LONGEST_TIMER_MS) : run()),
        Math.min(leftMs, LONGEST_TIMER_MS),
      ).unref();
    };
    wait(delayMs);
    return () => clearTimeout(timer);
  };
  return {
    now() {
      if (readsLeft === 0) {
        reading = Math.floor(performance.now());
        readsLeft = READS_PER_READING;
        if (!expiring) {
          expiring = true;
          setTimeout(expire, 1).unref();
        }
      }
      readsLeft--;
      return reading;
    },
    precise: () => performance.now(),
    epochAt(at) {
      // Followed forward alone: then what lies on disk counts as older than it is, and never as younger.
      const originNowMs = Date.now() - performance.now();
      if (originNowMs - originEpochMs > JUMP_MS) originEpochMs = originNowMs;
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
    yield: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (isTurning) return;
        isTurning = true;
        setImmediate(turn);
      }),
  };
}
