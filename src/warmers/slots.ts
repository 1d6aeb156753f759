/**
 * How many jobs of all runs load at once, and how long they may hold the event loop (I12): jobs wait here for a slot,
 * and for a turn of the loop once the present slice is used up, whichever run they belong to.
 */
import type { Clock } from '../cache/clock.ts';

/** A slice's length: what one job costs comes on top, and both stay under the 10 ms that the loop may be held. */
const SLICE_MS = 3;

/** Ends a slice also where the clock does not move. */
const VISITS_PER_SLICE = 256;

export class Slots {
  readonly #clock: Clock;
  #free: number;
  readonly #waiting = new Set<() => void>();
  #sliceBeganAt = Number.NEGATIVE_INFINITY;
  #visits = 0;
  #turn: Promise<void> | undefined;

  constructor(clock: Clock, concurrency: number) {
    this.#clock = clock;
    this.#free = concurrency;
  }

  /** Waits for a slot, first come, first served; false when `signal` fired before there was one. */
  acquire(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const settle = (got: boolean) => {
        this.#waiting.delete(take);
        signal.removeEventListener('abort', giveUp);
        resolve(got);
      };
      const take = () => settle(true);
      const giveUp = () => settle(false);
      this.#waiting.add(take);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Gives back a slot that was acquired. */
  release(): void {
    const [next] = this.#waiting;
    if (next) next();
    else this.#free++;
  }

  /** Whether a job may begin in this slice. Ask right before it begins: of several who wait, one may use it up. */
  mayGoOn(): boolean {
    const isUsedUp =
      this.#turn !== undefined ||
      this.#visits >= VISITS_PER_SLICE ||
      this.#clock.precise() - this.#sliceBeganAt >= SLICE_MS;
    if (!isUsedUp) this.#visits++;
    return !isUsedUp;
  }

  /** The beginning of the next slice, the same for all who wait. */
  nextSlice(): Promise<void> {
    this.#turn ??= this.#clock.yield().then(() => {
      this.#turn = undefined;
      this.#visits = 0;
      this.#sliceBeganAt = this.#clock.precise();
    });
    return this.#turn;
  }
}
