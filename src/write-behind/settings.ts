/** What a writer's options mean: every one is honoured or refused, and what is not said has its default. */
import type { EntryOptions } from '../cache/entry-options.ts';
import { CacheError } from '../cache/errors.ts';
import { assertKnown } from '../cache/known-options.ts';
import type { BackoffRules } from './backoff.ts';
import type { WriterOptions } from './types.ts';

type Numbers = Readonly<
  Record<
    Extract<
      keyof WriterOptions,
      | 'maxBatch'
      | 'maxDelayMs'
      | 'concurrency'
      | 'maxAttempts'
      | 'backoffMs'
      | 'maxBackoffMs'
      | 'saveTimeoutMs'
      | 'maxPending'
      | 'maxWaitMs'
      | 'maxDead'
    >,
    number
  >
>;

export interface WriterSettings extends Numbers, BackoffRules {
  readonly coalesce: boolean;
  readonly entry: EntryOptions;
  readonly invalidates: NonNullable<WriterOptions['invalidates']>;
}

/** By name: the default, the least, and whether parts of one and `Infinity` make sense. */
const NUMBERS: Readonly<
  Record<keyof Numbers, readonly [fallback: number, least: number, kind: 'count' | 'time']>
> = {
  maxBatch: [100, 1, 'count'],
  maxDelayMs: [100, 0, 'time'],
  concurrency: [1, 1, 'count'],
  maxAttempts: [15, 1, 'count'],
  backoffMs: [250, 0, 'time'],
  maxBackoffMs: [300_000, 0, 'time'],
  saveTimeoutMs: [Number.POSITIVE_INFINITY, 1, 'time'],
  maxPending: [10_000, 1, 'count'],
  maxWaitMs: [5_000, 0, 'time'],
  maxDead: [1_000, 0, 'count'],
};

const KINDS: Readonly<Record<string, string>> = {
  coalesce: 'boolean',
  invalidates: 'function',
  entry: 'object',
};

/** @throws CacheError `ERR_ARGUMENT_INVALID` */
export function settingsOf<V>(name: string, options: WriterOptions<V>): WriterSettings {
  const given: Readonly<Record<string, unknown>> = { ...options };
  assertKnown(name, given, { ...NUMBERS, ...KINDS });
  for (const [option, kind] of Object.entries(KINDS)) {
    const value = given[option];
    if (value !== undefined && typeof value !== kind)
      throw invalid(`${option} of ${name} is a ${kind}, not ${String(value)}.`);
  }
  const numbers = Object.entries(NUMBERS).map(([option, [fallback, least, kind]]) => {
    const value = given[option] ?? fallback;
    const isRight =
      typeof value === 'number' && value >= least && (kind === 'time' || Number.isInteger(value));
    if (isRight) return [option, value];
    throw invalid(
      `${option} of ${name} is a ${kind === 'time' ? 'time in milliseconds' : 'count'} from ${least}, not ${String(value)}.`,
    );
  });
  const { coalesce = true, entry = {} } = options;
  if (Reflect.get(entry, 'persist') !== undefined) {
    throw invalid(`entry of ${name} has no persist: what is not saved yet is held in memory alone.`);
  }
  // Called with values of this writer alone.
  const invalidates = (options.invalidates ?? (() => [])) as WriterSettings['invalidates'];
  // Each of them, checked.
  return {
    coalesce,
    entry: { ...entry, persist: 'memory' },
    invalidates,
    ...(Object.fromEntries(numbers) as Numbers),
  };
}

export function invalid(message: string): CacheError {
  return new CacheError('ERR_ARGUMENT_INVALID', message);
}
