/** The warmers put together: one set of runs with its slots, and the three that start runs by themselves. */
import type { Clock } from '../cache/clock.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import { PeriodicWarmer } from './periodic.ts';
import { Runs } from './runs.ts';
import { StartupWarmer } from './startup.ts';
import type { Warmers, WarmReport, WarmRequest, WarmRun, WarmTask } from './types.ts';
import { UserWarmer } from './user.ts';

/** How long `stop` waits for jobs in hand. The whole bot has five seconds to end. */
export const STOP_DEADLINE_MS = 2_000;

export interface WarmersOptions {
  readonly tasks: readonly WarmTask[];
  readonly config: Config['warmers'];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Random numbers from 0 to 1, for the jitter. @default `Math.random` */
  readonly random?: () => number;
}

/**
 * Makes the warmers of a bot; nothing runs before `start`, `run` or `userSeen` is called.
 *
 * @example
 * const warmers = createWarmers({ tasks: shopWarmTasks(shop), config: config.warmers, clock, logger });
 * await warmers.start(); // at most the budget
 * client.on('interactionCreate', ({ user }) => { if (!user.bot) warmers.userSeen(user.id); });
 */
export function createWarmers({
  tasks,
  config,
  clock,
  logger,
  random = Math.random,
}: WarmersOptions): Warmers {
  const { concurrency } = config;
  const scopes = [...new Set(tasks.map(({ scope }) => scope))];
  const runs = new Runs({ tasks, concurrency, clock, logger });
  const startup = new StartupWarmer(runs, clock, {
    budgetMs: config.startupBudgetMs,
    scopes: config.startupScopes,
  });
  const periodic = new PeriodicWarmer(runs, {
    intervalMs: scopes.includes('reference') ? config.referenceIntervalMs : 0,
    jitterMs: config.referenceJitterMs,
    clock,
    random,
  });
  const user = new UserWarmer(runs, {
    ...config.user,
    enabled: config.user.enabled && scopes.includes('user'),
    concurrency,
    clock,
  });
  let started: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  return {
    scopes,
    start() {
      if (stopped) return stopped;
      if (!started) {
        started = startup.start();
        periodic.start();
      }
      return started;
    },
    run: (request) => (stopped ? stoppedRun(request, clock) : runs.run(request)),
    userSeen(userId) {
      if (!stopped) user.userSeen(userId);
    },
    status: () => [startup.status(), periodic.status(), user.status()],
    stop() {
      if (!stopped) {
        periodic.stop();
        user.stop();
        stopped = runs.stop(STOP_DEADLINE_MS);
      }
      return stopped;
    },
  };
}

/** What a request gets after the end. */
function stoppedRun({ scope, trigger }: WarmRequest, clock: Clock): WarmRun {
  const report: WarmReport = {
    id: 0,
    scope,
    trigger,
    state: 'stopped',
    startedAt: clock.epochAt(clock.now()),
    ms: 0,
    total: 0,
    warmed: 0,
    skipped: 0,
    failed: 0,
    tasks: [],
  };
  return { joined: false, report: () => report, stop: () => undefined, done: Promise.resolve(report) };
}
