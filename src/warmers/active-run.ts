/**
 * One run: it waits for its tasks, sums up what they report, and tells those who listen. Which tasks it has, and which
 * of them others wait for too, is decided in runs.ts. Its invariant: it ends once, and never with an error.
 */
import type { Clock } from '../cache/clock.ts';
import type { Logger } from '../logger.ts';
import type { TaskRun } from './task-run.ts';
import type { WarmReport, WarmRequest, WarmRun, WarmTaskReport } from './types.ts';

/** Listeners hear of progress at most this often, and always at the end. */
const PROGRESS_INTERVAL_MS = 250;

export interface ActiveRunOptions {
  readonly id: number;
  readonly scope: string;
  readonly trigger: WarmReport['trigger'];
  readonly force: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Leaves the run's tasks; gives those that go on for others. */
  readonly onStop: () => ReadonlySet<TaskRun>;
}

/** A run from its request to its final report. */
export class ActiveRun {
  readonly force: boolean;
  readonly done: Promise<WarmReport>;
  readonly #options: ActiveRunOptions;
  readonly #beganAt: number;
  readonly #taskRuns: TaskRun[] = [];
  /** The last report of tasks that go on without this run. */
  readonly #left = new Map<TaskRun, WarmTaskReport>();
  readonly #listeners = new Set<(report: WarmReport) => void>();
  #finish: (report: WarmReport) => void = () => undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  #final: WarmReport | undefined;

  constructor(options: ActiveRunOptions) {
    this.#options = options;
    this.force = options.force;
    this.#beganAt = options.clock.precise();
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  add(taskRun: TaskRun): void {
    this.#taskRuns.push(taskRun);
  }

  listen(listener: WarmRequest['onProgress']): void {
    if (listener) this.#listeners.add(listener);
  }

  /** Waits for the tasks that were added. */
  begin(): void {
    void Promise.all(this.#taskRuns.map(({ done }) => done)).then(() => this.#end());
  }

  handle(joined: boolean): WarmRun {
    return { joined, done: this.done, report: () => this.report(), stop: () => this.stop() };
  }

  stop(): void {
    if (this.#isStopped || this.#final) return;
    this.#isStopped = true;
    const goingOn = this.#options.onStop();
    for (const taskRun of this.#taskRuns) {
      if (goingOn.has(taskRun)) this.#left.set(taskRun, { ...taskRun.report(), state: 'stopped' });
      else taskRun.stop();
    }
    const own = this.#taskRuns.filter((taskRun) => !this.#left.has(taskRun));
    void Promise.all(own.map(({ done }) => done)).then(() => this.#end());
  }

  abandon(): void {
    for (const taskRun of this.#taskRuns) if (!this.#left.has(taskRun)) taskRun.abandon();
  }

  changed(): void {
    const at = this.#options.clock.precise();
    if (this.#final || this.#listeners.size === 0 || at - this.#toldAt < PROGRESS_INTERVAL_MS) return;
    this.#toldAt = at;
    this.#tell(this.report());
  }

  report(): WarmReport {
    if (this.#final) return this.#final;
    const { id, scope, trigger, clock } = this.#options;
    const tasks = this.#taskRuns.map((taskRun) => this.#left.get(taskRun) ?? taskRun.report());
    const sum = (count: (task: WarmTaskReport) => number) =>
      tasks.reduce((all, task) => all + count(task), 0);
    return {
      id,
      scope,
      trigger,
      state: 'running',
      startedAt: clock.epochAt(this.#beganAt),
      ms: clock.precise() - this.#beganAt,
      total: sum(({ total }) => total),
      warmed: sum(({ warmed }) => warmed),
      skipped: sum(({ skipped }) => skipped),
      failed: this.#taskRuns.reduce((all, { failed }) => all + failed, 0),
      tasks,
    };
  }

  #end(): void {
    if (this.#final) return;
    const report = this.report();
    const isStopped = report.tasks.some(({ state }) => state === 'stopped');
    this.#final = { ...report, state: isStopped ? 'stopped' : 'done' };
    this.#log(this.#final);
    this.#tell(this.#final);
    this.#finish(this.#final);
  }

  #tell(report: WarmReport): void {
    for (const listener of this.#listeners) {
      try {
        listener(report);
      } catch (error) {
        this.#listeners.delete(listener);
        this.#options.logger.warn('A listener to the progress of warming threw and hears no more of it.', {
          error,
        });
      }
    }
  }

  #log({ scope, trigger, state, total, warmed, skipped, failed, ms, tasks }: WarmReport): void {
    const fields = { trigger, state, total, warmed, skipped, failed, ms: Math.round(ms) };
    const text =
      total === 0 && failed === 0 && state === 'done'
        ? `Warming ${scope}: there was nothing to warm`
        : `Warming ${scope} ${state === 'stopped' ? 'was stopped' : 'ended'}: ${warmed} of ${total} loaded`;
    if (failed > 0) {
      const failures = tasks.flatMap((task) => task.failures).slice(0, 5);
      this.#options.logger.warn(`${text}, ${failed} failed`, { ...fields, failures });
    } else if (trigger === 'user' || total === 0) this.#options.logger.debug(text, fields);
    else this.#options.logger.info(text, fields);
  }
}
