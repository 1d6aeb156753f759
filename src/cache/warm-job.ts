/** One entry to be warmed, as the cache gives it and the warmers take it. */

/** One entry to be warmed. `run` loads it and puts it in place of what was there. */
export interface WarmJob {
  readonly key: string;
  /** True when the entry is resident and fresh, so that the job may be skipped. */
  isFresh(): boolean;
  run(): unknown;
}
