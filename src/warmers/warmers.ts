/** The warmers put together: one set of runs with its slots, and those that start runs by themselves. */
import { assertClock, assertLogger, invalidArgument, kindOf } from '../cache/arguments.ts';
import type { Clock } from '../cache/clock.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import type { Warmth } from '../cache/warmth/warmth.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../logger.ts';
import { HotKeysWarmer, hotKeysTask, runBudgetMs } from './hot-keys.ts';
import { PeriodicWarmer } from './periodic.ts';
import { comingHourTask, PredictionWarmer } from './prediction.ts';
import { Runs } from './runs.ts';
import { StartupWarmer } from './startup.ts';
import type { Warmers, WarmReport, WarmRequest, WarmRun, WarmTask } from './types.ts';
import { UserWarmer } from './user.ts';

/** How long `stop` waits for jobs in hand. The whole bot has five seconds to end. */
const STOP_DEADLINE_MS = 2_000;

export interface WarmersOptions {
  readonly tasks: readonly WarmTask[];
  readonly config: Config['warmers'];
  readonly clock: Clock;
  readonly logger: Logger;
  /** What is used most (`cache.warmth`), to be loaded at the start and before each hour. @default nothing */
  readonly warmth?: Warmth | undefined;
  /** Random numbers from 0 to 1, for the jitter. @default `Math.random` */
  readonly random?: (() => number) | undefined;
}

const OPTIONS: OptionNames<WarmersOptions> = {
  tasks: true,
  config: true,
  clock: true,
  logger: true,
  warmth: true,
  random: true,
};

/**
 * Makes the warmers of a bot; nothing runs before `start`, `run` or `userSeen` is called.
 *
 * @throws CacheError `ERR_ARGUMENT_INVALID` for options of the wrong kind
 * @example
 * const warmers = createWarmers({ tasks: shopWarmTasks(shop), config: config.warmers, clock, logger });
 * await warmers.start(); // at most the budget
 * client.on('interactionCreate', ({ user }) => { if (!user.bot) warmers.userSeen(user.id); });
 */
export function createWarmers(options: WarmersOptions): Warmers {
  assertWarmersOptions(options);
  const { tasks, config, clock, logger, warmth, random = Math.random } = options;
  const { concurrency, startupBudgetMs, hotKeys: limit } = config;
  const remembered = limit > 0 ? warmth : undefined;
  const ahead = remembered && [
    hotKeysTask(remembered, limit),
    ...(config.isPredictive ? [comingHourTask(remembered, limit, clock)] : []),
  ];
  const scopes = [...new Set(tasks.map(({ scope }) => scope))];
  const runs = new Runs({ tasks, ahead: ahead ?? [], concurrency, clock, logger });
  const startup = new StartupWarmer(runs, clock, {
    budgetMs: startupBudgetMs,
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
  const hotKeys = remembered && new HotKeysWarmer(runs, { warmth: remembered, startupBudgetMs, clock });
  const prediction =
    remembered && config.isPredictive
      ? new PredictionWarmer(runs, {
          warmth: remembered,
          budgetMs: runBudgetMs(startupBudgetMs),
          clock,
          random,
        })
      : undefined;
  let started: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;

  return {
    scopes,
    start() {
      if (stopped) return stopped;
      if (!started) {
        started = Promise.all([startup.start(), hotKeys?.start()]).then(() => undefined);
        periodic.start();
        prediction?.start();
      }
      return started;
    },
    run: (request) => (stopped ? stoppedRun(request, clock) : runs.run(request)),
    userSeen(userId) {
      if (!stopped) user.userSeen(userId);
    },
    userForgotten(userId) {
      if (!stopped) user.userForgotten(userId);
      runs.stopUser(userId);
    },
    status: () => [
      startup.status(),
      periodic.status(),
      user.status(),
      ...(hotKeys === undefined ? [] : [hotKeys.status()]),
      ...(prediction === undefined ? [] : [prediction.status()]),
    ],
    stop() {
      if (!stopped) {
        periodic.stop();
        prediction?.stop();
        user.stop();
        stopped = runs.stop(STOP_DEADLINE_MS);
      }
      return stopped;
    },
  };
}

function assertWarmersOptions(options: WarmersOptions): void {
  const usage = 'createWarmers(options)';
  assertKnown('createWarmers', options, OPTIONS);
  const { tasks, config, clock, logger } = options;
  assertTasks(tasks, usage, 'tasks');
  if (typeof config !== 'object' || config === null || typeof config.user !== 'object') {
    throw invalidArgument(
      usage,
      `config is ${kindOf(config)}, expected the part of a configuration: loadConfig().warmers`,
    );
  }
  if (clock === undefined)
    throw invalidArgument(usage, 'clock is undefined, expected a clock such as cache.clock');
  if (logger === undefined)
    throw invalidArgument(usage, 'logger is undefined, expected a logger such as console');
  assertClock(clock, usage);
  assertLogger(logger, usage);
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no list of tasks */
export function assertTasks(tasks: unknown, usage: string, name: string): void {
  const task = "{ name: 'Rules', scope: 'reference', jobs: () => [getRule.warm('1')] }";
  if (!Array.isArray(tasks)) {
    throw invalidArgument(usage, `${name} is ${kindOf(tasks)}, expected a list of tasks: [${task}]`);
  }
  for (const [index, each] of tasks.entries()) {
    const isTask = typeof each === 'object' && each !== null && typeof each.scope === 'string';
    if (isTask && typeof each.jobs === 'function') continue;
    throw invalidArgument(usage, `${name}[${index}] is ${kindOf(each)}, expected a task: ${task}`);
  }
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
