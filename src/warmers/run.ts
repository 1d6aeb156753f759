/**
 * Runs: which tasks a request means, what it shares with runs under way, and what it reports. Of a task (and person)
 * one piece of work is under way at a time: runs that overlap, such as `all` and `reference`, share it; the same scope
 * asked for twice is one run. A forced request shares only what is forced, since the rest leaves fresh entries alone.
 */
import type { Clock } from '../cache/clock.ts';
import { CacheError } from '../cache/errors.ts';
import type { Logger } from '../logger.ts';
import { Slots } from './slots.ts';
import { TaskRun } from './task-run.ts';
import type { WarmReport, WarmRequest, WarmRun, WarmScope, WarmTask, WarmTaskReport } from './types.ts';

/** Listeners hear of progress at most this often, and always at the end. */
const PROGRESS_INTERVAL_MS = 250;

/** A run of several scopes that are no single one and not all, such as the startup warmer's. */
export interface ScopesRequest extends Omit<WarmRequest, 'scope'> {
  /** What the report calls it. */
  readonly name: string;
  readonly scopes: readonly WarmScope[];
}

interface Shared {
  readonly taskRun: TaskRun;
  /** Runs that wait for it. It is stopped when the last one is. */
  readonly waiting: Set<ActiveRun>;
}

export interface RunsOptions {
  readonly tasks: readonly WarmTask[];
  readonly concurrency: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** All runs of one set of warmers. */
export class Runs {
  readonly #options: RunsOptions;
  readonly #slots: Slots;
  readonly #active = new Map<string, ActiveRun>();
  readonly #ending = new Set<ActiveRun>();
  readonly #shared = new Map<string, Shared>();
  #lastId = 0;

  constructor(options: RunsOptions) {
    this.#options = options;
    this.#slots = new Slots(options.clock, options.concurrency);
  }

  /**
   * Starts a run, or joins the one of the same scope and person.
   * @throws CacheError `ERR_ARGUMENT_INVALID` for scope `user` without a person
   */
  run(request: WarmRequest | ScopesRequest): WarmRun {
    const scope = 'scopes' in request ? request.name : request.scope;
    if (scope === 'user' && !request.userId) {
      throw new CacheError('ERR_ARGUMENT_INVALID', 'Warming scope `user` needs the id of a person.');
    }
    const force = request.force ?? false;
    const name = JSON.stringify([scope, scope === 'user' ? request.userId : '', 'scopes' in request]);
    const active = this.#active.get(name);
    if (active && (active.force || !force)) {
      active.listen(request.onProgress);
      return active.handle(true);
    }
    const run: ActiveRun = new ActiveRun({
      id: ++this.#lastId,
      scope,
      trigger: request.trigger,
      force,
      clock: this.#options.clock,
      logger: this.#options.logger,
      onStop: () => this.#leave(name, run),
    });
    run.listen(request.onProgress);
    this.#active.set(name, run);
    this.#ending.add(run);
    const userId = scope === 'user' ? request.userId : undefined;
    for (const task of this.#tasksOf(request)) run.add(this.#take(task, userId, force, run));
    run.begin();
    void run.done.then(() => {
      this.#forget(name, run);
      this.#ending.delete(run);
    });
    return run.handle(false);
  }

  /** Stops every run; those whose jobs in hand have not ended after `deadlineMs` are abandoned. */
  async stop(deadlineMs: number): Promise<void> {
    const ending = [...this.#ending];
    for (const run of ending) run.stop();
    const cancel = this.#options.clock.after(deadlineMs, () => {
      for (const run of ending) run.abandon();
    });
    await Promise.all(ending.map((run) => run.done));
    cancel();
  }

  #tasksOf(request: WarmRequest | ScopesRequest): WarmTask[] {
    return this.#options.tasks.filter(({ scope }) => {
      if ('scopes' in request) return request.scopes.includes(scope);
      return request.scope === 'all' ? scope !== 'user' : scope === request.scope;
    });
  }

  #take(task: WarmTask, userId: string | undefined, force: boolean, run: ActiveRun): TaskRun {
    const name = JSON.stringify([this.#options.tasks.indexOf(task), userId ?? '']);
    const present = this.#shared.get(name);
    if (present && !present.taskRun.isStopping && (present.taskRun.force || !force)) {
      present.waiting.add(run);
      return present.taskRun;
    }
    const waiting = new Set([run]);
    const { clock, concurrency } = this.#options;
    const onChange = () => {
      for (const each of waiting) each.changed();
    };
    const taskRun = new TaskRun(
      { task, userId, force, concurrency, clock, slots: this.#slots, onChange },
      present?.taskRun.done,
    );
    const shared: Shared = { taskRun, waiting };
    this.#shared.set(name, shared);
    void taskRun.done.then(() => {
      if (this.#shared.get(name) === shared) this.#shared.delete(name);
    });
    return taskRun;
  }

  /** A run that ends early takes with it what nobody else waits for. */
  #leave(name: string, run: ActiveRun): ReadonlySet<TaskRun> {
    this.#forget(name, run);
    const others = new Set<TaskRun>();
    for (const { taskRun, waiting } of this.#shared.values()) {
      if (!waiting.delete(run)) continue;
      if (waiting.size > 0) others.add(taskRun);
      // It is still told of what ends with the jobs in hand.
      else waiting.add(run);
    }
    return others;
  }

  #forget(name: string, run: ActiveRun): void {
    if (this.#active.get(name) === run) this.#active.delete(name);
  }
}

interface ActiveRunOptions {
  readonly id: number;
  readonly scope: string;
  readonly trigger: WarmReport['trigger'];
  readonly force: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Leaves the run's tasks; gives those that go on for others. */
  readonly onStop: () => ReadonlySet<TaskRun>;
}

class ActiveRun {
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
    const text = `Warming ${scope} ${state === 'stopped' ? 'was stopped' : 'ended'}: ${warmed} of ${total} loaded`;
    if (failed > 0) {
      const failures = tasks.flatMap((task) => task.failures).slice(0, 5);
      this.#options.logger.warn(`${text}, ${failed} failed`, { ...fields, failures });
    } else if (trigger === 'user') this.#options.logger.debug(text, fields);
    else this.#options.logger.info(text, fields);
  }
}
