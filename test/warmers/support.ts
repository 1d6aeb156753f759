/** Warm tasks for tests: jobs that write down when they ran, and answer as the test says. */
import type { WarmJob } from '../../src/cache/warm-job.ts';
import type { Warmth } from '../../src/cache/warmth/warmth.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { type Logger, silentLogger } from '../../src/logger.ts';
import type { WarmScope, WarmTask } from '../../src/warmers/types.ts';
import { createWarmers } from '../../src/warmers/warmers.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** A job that is loaded by `run`, and fresh where `fresh` says so. */
export function job(
  key: string,
  run: () => unknown = () => undefined,
  fresh: () => boolean = () => false,
): WarmJob {
  return { key, run, isFresh: fresh };
}

export function task(
  scope: WarmScope,
  jobs: readonly WarmJob[] | WarmTask['jobs'],
  name: string = scope,
): WarmTask {
  return { name, scope, jobs: typeof jobs === 'function' ? jobs : () => jobs };
}

/** A load that ends when the test says so. */
export function openLoad() {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { run: () => promise, end: () => resolve(), fail: (error: Error) => reject(error) };
}

/** Warmers on a hand-turned clock, with the shipped defaults and no jitter by default. */
export function warmersOf(
  tasks: readonly WarmTask[],
  {
    config = {},
    random = () => 0.5,
    logger = silentLogger,
    clock = handClock(),
    warmth,
  }: {
    config?: Partial<Config['warmers']>;
    random?: () => number;
    logger?: Logger;
    clock?: HandClock;
    warmth?: Warmth | undefined;
  } = {},
) {
  const warmers = createWarmers({
    tasks,
    config: { ...parseConfig({}).warmers, ...config },
    clock,
    logger,
    random,
    warmth,
  });
  return { warmers, clock };
}
