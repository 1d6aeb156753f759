/**
 * The periodic warmer: loads reference data anew every few hours, each run a little earlier or later at random, so
 * that processes started together do not load together. Values are replaced, never cleared first, so nobody waits.
 *
 * It sets one timer at a time on the clock that is handed in. croner was weighed and left out: its schedules follow
 * the wall clock, which jumps when somebody sets it and cannot be turned by hand in a test; it has no jitter; and "six
 * hours from now" needs no calendar.
 */
import type { Clock } from '../cache/clock.ts';
import type { Runs } from './runs.ts';
import type { WarmerStatus, WarmRun } from './types.ts';

export interface PeriodicOptions {
  /** 0 turns it off. */
  readonly intervalMs: number;
  readonly jitterMs: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

export class PeriodicWarmer {
  readonly #runs: Runs;
  readonly #options: PeriodicOptions;
  #run: WarmRun | undefined;
  #cancel: (() => void) | undefined;
  #nextAt: number | undefined;
  #isRunning = false;
  #count = 0;
  #dropped = 0;

  constructor(runs: Runs, options: PeriodicOptions) {
    this.#runs = runs;
    this.#options = options;
  }

  /** Sets the timer of the first run. */
  start(): void {
    if (this.#options.intervalMs > 0) this.#schedule();
  }

  stop(): void {
    this.#cancel?.();
    this.#nextAt = undefined;
  }

  status(): WarmerStatus {
    const { clock, intervalMs, jitterMs } = this.#options;
    return {
      warmer: 'periodic',
      schedule: intervalMs === 0 ? 'off' : scheduleText(intervalMs, jitterMs),
      lastRun: this.#run?.report() ?? null,
      nextAt: this.#nextAt === undefined ? null : clock.epochAt(this.#nextAt),
      dropped: this.#dropped,
      runs: this.#count,
    };
  }

  #schedule(): void {
    const { clock, random } = this.#options;
    const delayMs = nextDelayMs(this.#options, random());
    this.#nextAt = clock.now() + delayMs;
    this.#cancel = clock.after(delayMs, () => {
      this.#schedule();
      this.#warm();
    });
  }

  #warm(): void {
    if (this.#isRunning) {
      this.#dropped++;
      return;
    }
    const run = this.#runs.run({ scope: 'reference', trigger: 'periodic', force: true });
    this.#run = run;
    this.#count++;
    this.#isRunning = true;
    void run.done.then(() => {
      this.#isRunning = false;
    });
  }
}

/** How long until the next run: the interval, shifted by up to the jitter either way. */
export function nextDelayMs(
  { intervalMs, jitterMs }: Pick<PeriodicOptions, 'intervalMs' | 'jitterMs'>,
  random: number,
): number {
  return Math.max(1, Math.round(intervalMs + (random * 2 - 1) * jitterMs));
}

/** `every 6 h ± 10 min` */
export function scheduleText(intervalMs: number, jitterMs: number): string {
  return `every ${lengthText(intervalMs)}${jitterMs > 0 ? ` ± ${lengthText(jitterMs)}` : ''}`;
}

function lengthText(ms: number): string {
  for (const [unitMs, unit] of [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ] as const) {
    if (ms >= unitMs && ms % unitMs === 0) return `${ms / unitMs} ${unit}`;
  }
  return `${ms / 1_000} s`;
}
