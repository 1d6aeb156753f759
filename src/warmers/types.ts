/** The words of the warmers: what a host hands in, and what a run reports. */
import type { WarmedFigures } from '../cache/statistics/stats.ts';
import type { WarmJob } from '../cache/warm-job.ts';

/** The name of the tier that is warmed, built in or of the author's own; `user` takes a person's id. */
export type WarmScope = 'config' | 'reference' | 'query' | 'user' | (string & {});

/** A named group of jobs, such as all categories. The host writes these. */
export interface WarmTask {
  readonly name: string;
  readonly scope: WarmScope;
  /** Lists the jobs at the moment of the run. `userId` is given in scope `user` only. */
  jobs(context: {
    readonly signal: AbortSignal;
    readonly userId: string | undefined;
  }): Iterable<WarmJob> | PromiseLike<Iterable<WarmJob>>;
}

export type WarmTrigger = 'startup' | 'periodic' | 'user' | 'command';

export interface WarmTaskReport {
  readonly task: string;
  readonly scope: WarmScope;
  readonly state: 'waiting' | 'running' | 'done' | 'failed' | 'stopped';
  readonly total: number;
  /** Loaded and put in place. */
  readonly warmed: number;
  /** Fresh already, left alone. */
  readonly skipped: number;
  readonly failures: readonly { readonly key: string; readonly message: string }[];
  readonly ms: number;
}

/** A run, under way or ended. Plain data. */
export interface WarmReport {
  readonly id: number;
  readonly scope: WarmScope | 'all';
  readonly trigger: WarmTrigger;
  readonly state: 'running' | 'done' | 'stopped';
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly ms: number;
  readonly total: number;
  readonly warmed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly tasks: readonly WarmTaskReport[];
}

export interface WarmRequest {
  readonly scope: WarmScope | 'all';
  readonly trigger: WarmTrigger;
  readonly userId?: string;
  /** Reloads what is fresh, too. @default false */
  readonly force?: boolean;
  readonly onProgress?: (report: WarmReport) => void;
}

/** A run that was started or joined. */
export interface WarmRun {
  /** True when a run of the same scope (and person) was under way and this call joined it. */
  readonly joined: boolean;
  report(): WarmReport;
  /** Ends the run after the job in hand; what was loaded stays. */
  stop(): void;
  /** Resolves, never rejects, with the final report. */
  readonly done: Promise<WarmReport>;
}

/** What `/cache-info` shows of a warmer. */
export interface WarmerStatus {
  readonly warmer: 'startup' | 'periodic' | 'user' | 'hot_keys' | 'prediction';
  /** For people: `every 6 h ± 10 min`, `on first interaction`. */
  readonly schedule: string;
  readonly lastRun: WarmReport | null;
  /** Epoch milliseconds; `null` when none is due. */
  readonly nextAt: number | null;
  /** Runs that were not started, e.g. people skipped because too many were waiting. */
  readonly dropped: number;
  readonly runs: number;
  /** Of a warmer that guesses what will be used: how well it guessed. */
  readonly precision?: WarmedFigures;
}

export interface Warmers {
  /** Scopes that have tasks, for the choices of `/cache-warm`. */
  readonly scopes: readonly WarmScope[];
  /** Runs the startup warmer, resolves when it has ended or its budget is used up, whichever is first; begins the schedule. */
  start(): Promise<void>;
  run(request: WarmRequest): WarmRun;
  /** Warms a person's entries unless done lately; never awaited by the caller, never throws. */
  userSeen(userId: string): void;
  /** Ends what is being loaded of a person who is forgotten; they are warmed no sooner than somebody seen just now. */
  userForgotten(userId: string): void;
  status(): readonly WarmerStatus[];
  stop(): Promise<void>;
}
