/** What may be asked of a feed, checked once. */
import { assertLogger, assertType } from '../cache/arguments.ts';
import { CacheError } from '../cache/errors.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import { consoleLogger } from '../logger/console-logger.ts';
import { guardedLogger, type Logger } from '../logger.ts';
import type { GapReason } from './drain.ts';
import type { FeedPosition, ReaderLimits } from './readers.ts';

export interface WatchOptions {
  /** How often changes of other connections are looked for, in milliseconds. Costs some 10 µs. @default 250 */
  readonly pollIntervalMs?: number | undefined;
  /** Where an earlier feed stopped (`position()`), to apply what was missed since. @default nothing was missed */
  readonly startAt?: FeedPosition | undefined;
  /** Keeps this reader's place at `stop`, so that the changes after it wait for a next start. @default false */
  readonly resumable?: boolean | undefined;
  /** How often this reader writes down how far it is, and prunes what nobody needs, in milliseconds. @default 60000 */
  readonly reportIntervalMs?: number | undefined;
  /** A reader that is not seen for so long is taken for dead, in milliseconds. @default a day, the longest default ttl */
  readonly forgetReadersAfterMs?: number | undefined;
  /** No more changes are kept than these, whoever still needs them. @default 100000, some 10 MB */
  readonly maxRows?: number | undefined;
  /** @default the console, one line a message */
  readonly logger?: Logger | undefined;
  /** Hears of it when changes could not be followed and the cache was cleared instead. */
  readonly onGap?: ((reason: GapReason) => void) | undefined;
}

export interface WatchSettings extends ReaderLimits {
  readonly pollIntervalMs: number;
  readonly reportIntervalMs: number;
  readonly startAt: FeedPosition | undefined;
  readonly resumable: boolean;
  readonly logger: Logger;
  readonly onGap: (reason: GapReason) => void;
}

const OPTIONS: OptionNames<WatchOptions> = {
  pollIntervalMs: true,
  startAt: true,
  resumable: true,
  reportIntervalMs: true,
  forgetReadersAfterMs: true,
  maxRows: true,
  logger: true,
  onGap: true,
};

/** @throws CacheError `ERR_ARGUMENT_INVALID` for options that do not exist, and numbers that make no sense */
export function watchSettings(options: WatchOptions): WatchSettings {
  assertKnown('watchTables', options, OPTIONS);
  assertLogger(options.logger, 'watchTables(db, cache, rules, options)');
  assertType(options.onGap, 'function', 'watchTables(db, cache, rules, options)', 'onGap');
  const number = (
    name: 'pollIntervalMs' | 'reportIntervalMs' | 'forgetReadersAfterMs' | 'maxRows',
    fallback: number,
    least: number,
  ): number => {
    const given = options[name] ?? fallback;
    if (typeof given === 'number' && given >= least) return given;
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `watchTables: ${name} is a number from ${least}, not ${String(given)}.`,
    );
  };
  return {
    pollIntervalMs: number('pollIntervalMs', 250, 1),
    reportIntervalMs: number('reportIntervalMs', 60_000, 1),
    forgetAfterMs: number('forgetReadersAfterMs', 86_400_000, 0),
    maxRows: number('maxRows', 100_000, 1),
    startAt: options.startAt,
    resumable: options.resumable ?? false,
    logger: guardedLogger(options.logger ?? consoleLogger),
    onGap: options.onGap ?? (() => undefined),
  };
}
