/**
 * The startup warmer: what a bot needs first, loaded before the first person asks, without keeping the login waiting
 * longer than its budget. What is fresh already is left alone.
 */
import type { Clock } from '../cache/clock.ts';
import type { Runs } from './runs.ts';
import type { WarmerStatus, WarmRun, WarmScope } from './types.ts';

/** Where the configuration names no others. */
const USUAL_SCOPES = ['config', 'reference'] as const;

export class StartupWarmer {
  readonly #runs: Runs;
  readonly #clock: Clock;
  readonly #budgetMs: number;
  readonly #scopes: readonly WarmScope[];
  #run: WarmRun | undefined;

  constructor(
    runs: Runs,
    clock: Clock,
    {
      budgetMs,
      scopes = USUAL_SCOPES,
    }: { readonly budgetMs: number; readonly scopes?: readonly WarmScope[] | undefined },
  ) {
    this.#runs = runs;
    this.#clock = clock;
    this.#budgetMs = budgetMs;
    this.#scopes = scopes;
  }

  /** Resolves when the run has ended or the budget is used up; the run goes on. */
  async start(): Promise<void> {
    const run = this.#runs.run({ name: 'startup', scopes: this.#scopes, trigger: 'startup' });
    this.#run = run;
    if (this.#budgetMs === 0) return;
    let cancel = () => {};
    const budget = new Promise<void>((resolve) => {
      cancel = this.#clock.after(this.#budgetMs, resolve);
    });
    await Promise.race([run.done, budget]);
    cancel();
  }

  status(): WarmerStatus {
    return {
      warmer: 'startup',
      schedule: 'once at start',
      lastRun: this.#run?.report() ?? null,
      nextAt: null,
      dropped: 0,
      runs: this.#run ? 1 : 0,
    };
  }
}
