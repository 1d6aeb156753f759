/** The timers of loads: each ends with its load, and all of them when the cache is closed (I13). */
import type { Clock } from '../clock.ts';

export class LoadTimers {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();

  constructor(clock: Clock, closing: AbortSignal) {
    this.#clock = clock;
    const cancelAll = () => {
      for (const cancel of this.#cancels) cancel();
    };
    closing.addEventListener('abort', cancelAll, { once: true });
  }

  /** Runs once after the delay, unless `end` comes first. */
  after(delayMs: number, run: () => void, end: Promise<unknown>): void {
    const cancelTimer = this.#clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      run();
    });
    const cancel = () => {
      cancelTimer();
      this.#cancels.delete(cancel);
    };
    this.#cancels.add(cancel);
    end.then(cancel, cancel);
  }
}
