/**
 * One task being worked off: its jobs are listed, then loaded through the shared slots, and everything that goes wrong
 * is written down and harms nothing else. Its invariant: `total = warmed + skipped + failed` once it is done, and it
 * ends whatever its jobs do: one that does not answer is given up after {@link ANSWER_LIMIT_MS}.
 */
import type { Clock } from '../cache/clock.ts';
import { errorText } from '../cache/error-text.ts';
import { isPromiseLike } from '../cache/promise-like.ts';
import type { WarmJob } from '../cache/warm-job.ts';
import type { Slots } from './slots.ts';
import type { WarmTask, WarmTaskReport } from './types.ts';

/** Longer than any load or listing that is still alive; shorter than anybody would wait for `/cache-warm`. */
export const ANSWER_LIMIT_MS = 30_000;

/** More jobs than a memory layer has entries for: an endless list ends here. */
const MOST_JOBS = 1_000_000;

/** So many failures of a task are kept in words; all are counted. */
const MOST_FAILURES = 100;

const MESSAGE_LENGTH = 300;

export interface TaskRunOptions {
  readonly task: WarmTask;
  readonly userId: string | undefined;
  readonly force: boolean;
  readonly concurrency: number;
  readonly clock: Clock;
  readonly slots: Slots;
  /** Called whenever a number of the report has changed. */
  readonly onChange: () => void;
}

export class TaskRun {
  readonly task: WarmTask;
  readonly force: boolean;
  /** Resolves, never rejects, once nothing of this task goes on, or once it is abandoned. */
  readonly done: Promise<void>;
  readonly #options: TaskRunOptions;
  /** Fires when no more jobs shall begin. */
  readonly #stopping = new AbortController();
  /** Fires when nobody waits any more for the jobs in hand either. */
  readonly #abandoned = new AbortController();
  #state: WarmTaskReport['state'] = 'waiting';
  #beganAt: number | undefined;
  #ms: number | undefined;
  #total = 0;
  #warmed = 0;
  #skipped = 0;
  #failed = 0;
  readonly #failures: { key: string; message: string }[] = [];

  /** Begins after `previous` has ended, and never in the caller's own turn of the event loop. */
  constructor(options: TaskRunOptions, previous: Promise<void> | undefined) {
    this.#options = options;
    this.task = options.task;
    this.force = options.force;
    this.done = this.#work(previous);
  }

  /** True once no more jobs begin. */
  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Of this task's failures, those kept in words and all others. */
  get failed(): number {
    return this.#failed;
  }

  report(): WarmTaskReport {
    const { clock } = this.#options;
    return {
      task: this.task.name,
      scope: this.task.scope,
      state: this.#state,
      total: this.#total,
      warmed: this.#warmed,
      skipped: this.#skipped,
      failures: [...this.#failures],
      ms: this.#ms ?? (this.#beganAt === undefined ? 0 : clock.precise() - this.#beganAt),
    };
  }

  /** Begins no more jobs; those in hand are waited for. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Stops and waits for nothing. What is in hand may still end by itself, uncounted. */
  abandon(): void {
    this.#stopping.abort();
    this.#abandoned.abort();
  }

  async #work(previous: Promise<void> | undefined): Promise<void> {
    const { clock, onChange } = this.#options;
    await clock.yield();
    if (previous) await this.#unless(this.#stopping.signal, previous);
    let isWhole = false;
    if (!this.isStopping) {
      this.#state = 'running';
      this.#beganAt = clock.precise();
      isWhole = await this.#workOff();
    }
    if (this.#beganAt !== undefined) this.#ms = clock.precise() - this.#beganAt;
    const isEmptyHanded = this.#failed > 0 && this.#warmed + this.#skipped === 0;
    const isAllSeen = isWhole && this.#warmed + this.#skipped + this.#failed >= this.#total;
    if (this.isStopping && !isAllSeen) this.#state = 'stopped';
    else this.#state = isWhole && !isEmptyHanded ? 'done' : 'failed';
    onChange();
  }

  /** False when the jobs could not be listed. */
  async #workOff(): Promise<boolean> {
    const jobs = await this.#list();
    if (!jobs) return false;
    this.#total = jobs.length;
    this.#options.onChange();
    const left = jobs.values();
    const work = async () => {
      for (const job of left) {
        await this.#visit(job);
        if (this.isStopping) return;
      }
    };
    const workers = Math.min(this.#options.concurrency, jobs.length);
    await Promise.all(Array.from({ length: workers }, work));
    return true;
  }

  async #list(): Promise<WarmJob[] | undefined> {
    const { task, userId, slots } = this.#options;
    try {
      const listing = task.jobs({ signal: this.#stopping.signal, userId });
      const found = await this.#answer(Promise.resolve(listing), this.#stopping.signal);
      if (found === GIVEN_UP) return undefined;
      const jobs: WarmJob[] = [];
      for (const job of found) {
        if (jobs.length === MOST_JOBS) throw new Error(`lists more than ${MOST_JOBS} entries`);
        jobs.push(job);
        while (!slots.mayGoOn()) await slots.nextSlice();
        if (this.isStopping) return undefined;
      }
      return jobs;
    } catch (error) {
      if (this.isStopping) return undefined;
      this.#total = 1;
      this.#fail(task.name, error);
      return undefined;
    }
  }

  async #visit(job: WarmJob): Promise<void> {
    const { slots, force, onChange } = this.#options;
    if (!(await slots.acquire(this.#stopping.signal))) return;
    try {
      while (!slots.mayGoOn()) await slots.nextSlice();
      if (this.isStopping) return;
      if (!force && job.isFresh()) {
        this.#skipped++;
      } else {
        const result = job.run();
        if (isPromiseLike(result) && (await this.#answer(result, this.#abandoned.signal)) === GIVEN_UP)
          return;
        this.#warmed++;
      }
    } catch (error) {
      this.#fail(keyOf(job), error);
    } finally {
      slots.release();
    }
    onChange();
  }

  #fail(key: string, error: unknown): void {
    this.#failed++;
    if (this.#failures.length < MOST_FAILURES)
      this.#failures.push({ key, message: errorText(error).slice(0, MESSAGE_LENGTH) });
  }

  /** What a promise gives; `GIVEN_UP` once `signal` fires; an error once it has not answered for too long. */
  async #answer<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T | typeof GIVEN_UP> {
    const { clock } = this.#options;
    let cancel = () => {};
    const tooLong = new Promise<never>((_, reject) => {
      const error = new Error(`no answer within ${ANSWER_LIMIT_MS / 1_000} s`);
      cancel = clock.after(ANSWER_LIMIT_MS, () => reject(error));
    });
    try {
      return await this.#unless(signal, Promise.race([promise, tooLong]));
    } finally {
      cancel();
    }
  }

  /** What a promise gives, or `GIVEN_UP` where `signal` fires first. */
  async #unless<T>(signal: AbortSignal, promise: Promise<T>): Promise<T | typeof GIVEN_UP> {
    let giveUp = () => {};
    const fired = new Promise<typeof GIVEN_UP>((resolve) => {
      giveUp = () => resolve(GIVEN_UP);
      if (signal.aborted) giveUp();
      else signal.addEventListener('abort', giveUp, { once: true });
    });
    try {
      return await Promise.race([promise, fired]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
}

const GIVEN_UP = Symbol('given up');

/** A host's job may be anything. */
function keyOf(job: WarmJob): string {
  return typeof job?.key === 'string' ? job.key : 'a job without a key';
}
