/**
 * The predictive warmer: a few minutes before each hour begins, what the last days used in that hour is loaded, where it
 * is not there or would not last. Each run is shifted at random, so that processes started together do not load
 * together; a run never overlaps the one before, and ends with its budget. Which keys these are is decided in
 * `../cache/warmth.ts`.
 */
import type { Clock } from '../cache/clock.ts';
import type { Warmth } from '../cache/warmth/warmth.ts';
import { withinBudget } from './hot-keys.ts';
import type { Runs } from './runs.ts';
import type { WarmerStatus, WarmRun, WarmTask } from './types.ts';

/** No tier's name, so no scope that a host can ask for. */
const COMING_HOUR = 'coming hour';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** So long before the hour, give or take the jitter: the load is over by then, and what it gave is still fresh. */
const LEAD_MS = 5 * MINUTE_MS;
const JITTER_MS = 3 * MINUTE_MS;

export interface PredictionOptions {
  readonly warmth: Warmth;
  readonly budgetMs: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** What the coming hour will use, as jobs. */
export function comingHourTask(warmth: Warmth, limit: number, clock: Clock): WarmTask {
  return {
    name: 'Coming hour',
    scope: COMING_HOUR,
    jobs: () => warmth.coming(nextHourAt(clock.epochAt(clock.now())), limit),
  };
}

export class PredictionWarmer {
  readonly #runs: Runs;
  readonly #options: PredictionOptions;
  #run: WarmRun | undefined;
  #cancel: (() => void) | undefined;
  #nextAt: number | undefined;
  #isRunning = false;
  #count = 0;
  #dropped = 0;

  constructor(runs: Runs, options: PredictionOptions) {
    this.#runs = runs;
    this.#options = options;
  }

  /** Sets the timer of the first run. */
  start(): void {
    const { clock, random } = this.#options;
    const nowAt = clock.epochAt(clock.now());
    const runAt = nextRunAt(nowAt, random());
    this.#nextAt = runAt;
    this.#cancel = clock.after(runAt - nowAt, () => {
      this.#warm();
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#nextAt = undefined;
  }

  status(): WarmerStatus {
    return {
      warmer: 'prediction',
      schedule: 'before each hour',
      lastRun: this.#run?.report() ?? null,
      nextAt: this.#nextAt ?? null,
      dropped: this.#dropped,
      runs: this.#count,
      precision: this.#options.warmth.stats().predicted,
    };
  }

  #warm(): void {
    if (this.#isRunning) {
      this.#dropped++;
      return;
    }
    const { budgetMs, clock } = this.#options;
    const run = this.#runs.run({ name: COMING_HOUR, scopes: [COMING_HOUR], trigger: 'periodic' });
    this.#run = run;
    this.#count++;
    this.#isRunning = true;
    void withinBudget(run, budgetMs, clock).then(() => {
      this.#isRunning = false;
    });
  }
}

/** When the next hour begins where the process is: time zones differ by quarters of an hour. Epoch milliseconds. */
export function nextHourAt(at: number): number {
  const date = new Date(at);
  return at - (date.getMinutes() * 60 + date.getSeconds()) * 1_000 - date.getMilliseconds() + HOUR_MS;
}

/**
 * When the warmer runs next: before the next hour, or before the one after where that time has passed already. A run
 * comes after the hour's beginning in no case. Epoch milliseconds.
 */
export function nextRunAt(at: number, random: number): number {
  const beforeMs = LEAD_MS + (random * 2 - 1) * JITTER_MS;
  const hourAt = nextHourAt(at);
  // After a run that came early, the same hour must not get a second one.
  const isPast = hourAt - at <= LEAD_MS + JITTER_MS;
  return Math.round((isPast ? hourAt + HOUR_MS : hourAt) - beforeMs);
}
