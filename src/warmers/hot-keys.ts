/**
 * The hot-key warmer: what the last process used most is loaded at the start, most valuable first. It runs beside the
 * startup warmer and ends with its budget: what is not loaded by then is left to whoever asks for it. Which keys these
 * are is decided in `../cache/warmth.ts`.
 */
import type { Clock } from '../cache/clock.ts';
import type { Warmth } from '../cache/warmth/warmth.ts';
import type { Runs } from './runs.ts';
import type { WarmerStatus, WarmRun, WarmTask } from './types.ts';

/** No tier's name, so no scope that a host can ask for. */
const HOT_KEYS = 'hot keys';

/** Where the login waits for nothing (a budget of 0), loading before anybody asks still has an end. */
const UNAWAITED_BUDGET_MS = 10_000;

/** How long a run of the remembered keys may take. */
export function runBudgetMs(startupBudgetMs: number): number {
  return startupBudgetMs === 0 ? UNAWAITED_BUDGET_MS : startupBudgetMs;
}

/** Ends a run when its budget is used up. @returns the run's end */
export async function withinBudget(run: WarmRun, budgetMs: number, clock: Clock): Promise<void> {
  const cancel = clock.after(budgetMs, () => run.stop());
  await run.done;
  cancel();
}

/** What the last process used most, as jobs. */
export function hotKeysTask(warmth: Warmth, limit: number): WarmTask {
  return { name: 'Hot keys', scope: HOT_KEYS, jobs: () => warmth.hot(limit) };
}

export interface HotKeysOptions {
  readonly warmth: Warmth;
  readonly startupBudgetMs: number;
  readonly clock: Clock;
}

export class HotKeysWarmer {
  readonly #runs: Runs;
  readonly #options: HotKeysOptions;
  #run: WarmRun | undefined;

  constructor(runs: Runs, options: HotKeysOptions) {
    this.#runs = runs;
    this.#options = options;
  }

  /** Resolves when the run has ended, at the end of the budget at the latest; at once where the login waits for nothing. */
  async start(): Promise<void> {
    const { startupBudgetMs, clock } = this.#options;
    const run = this.#runs.run({ name: HOT_KEYS, scopes: [HOT_KEYS], trigger: 'startup' });
    this.#run = run;
    const ended = withinBudget(run, runBudgetMs(startupBudgetMs), clock);
    if (startupBudgetMs === 0) return;
    let cancel = () => {};
    // A job in hand may take longer than the budget; the login does not wait for it.
    const budget = new Promise<void>((resolve) => {
      cancel = clock.after(startupBudgetMs, resolve);
    });
    await Promise.race([ended, budget]);
    cancel();
  }

  status(): WarmerStatus {
    return {
      warmer: 'hot_keys',
      schedule: 'once at start',
      lastRun: this.#run?.report() ?? null,
      nextAt: null,
      dropped: 0,
      runs: this.#run ? 1 : 0,
      precision: this.#options.warmth.stats().start,
    };
  }
}
