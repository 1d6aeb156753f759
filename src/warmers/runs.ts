/**
 * Which tasks a request means, and what it shares with runs under way. Of a task (and person)
 * one piece of work is under way at a time: runs that overlap, such as `all` and `reference`, share it; the same scope
 * asked for twice is one run. A forced request shares only what is forced, since the rest leaves fresh entries alone.
 */
import type { Clock } from '../cache/clock.ts';
import { CacheError } from '../cache/errors.ts';
import type { Logger } from '../logger.ts';
import { ActiveRun } from './active-run.ts';
import { Slots } from './slots.ts';
import { TaskRun } from './task-run.ts';
import type { WarmRequest, WarmRun, WarmScope, WarmTask } from './types.ts';

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
  /** Tasks of our own, which run under their own names alone. @default none */
  readonly ahead?: readonly WarmTask[];
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
    const name = nameOf(scope, request.userId, 'scopes' in request);
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

  /** Stops the run of a person. */
  stopUser(userId: string): void {
    this.#active.get(nameOf('user', userId, false))?.stop();
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
    const { tasks, ahead = [] } = this.#options;
    if ('scopes' in request)
      return [...tasks, ...ahead].filter(({ scope }) => request.scopes.includes(scope));
    return tasks.filter(({ scope }) =>
      request.scope === 'all' ? scope !== 'user' : scope === request.scope,
    );
  }

  #take(task: WarmTask, userId: string | undefined, force: boolean, run: ActiveRun): TaskRun {
    const name = JSON.stringify([this.#options.tasks.indexOf(task), task.scope, userId ?? '']);
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

function nameOf(scope: WarmScope | 'all', userId: string | undefined, isOfSeveral: boolean): string {
  return JSON.stringify([scope, scope === 'user' ? userId : '', isOfSeveral]);
}
