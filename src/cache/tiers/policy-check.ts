/**
 * Refuses a loading policy whose values make no sense, where it is stated: with a tier, or when a function is wrapped.
 * What stands in config.json has been judged before, in the file's own words.
 */
import { CacheError } from '../errors.ts';
import type { LoadingPolicy } from './policy.ts';

/** What a value has to be, in words, and whether it is. */
type Rule = readonly [expected: string, isRight: (value: unknown) => boolean];

const isNumber = (value: unknown): value is number => typeof value === 'number' && !Number.isNaN(value);

const time: Rule = ['0 or more milliseconds', (value) => isNumber(value) && value >= 0];
const timeAboveZero: Rule = ['a number of milliseconds above 0', (value) => isNumber(value) && value > 0];
const bytes: Rule = ['a number of bytes above 0', (value) => isNumber(value) && value > 0];
const call: Rule = ['a function of the value', (value) => typeof value === 'function'];

const LEVELS: readonly unknown[] = ['memory', 'on_change', 'on_shutdown', 'periodic'];

const RULES: Readonly<Record<keyof LoadingPolicy, Rule>> = {
  jitterRatio: ['a ratio from 0 to 1', (value) => isNumber(value) && value >= 0 && value <= 1],
  graceMs: time,
  graceBackoffMs: time,
  staleWhileRevalidateMs: time,
  softTimeoutMs: timeAboveZero,
  hardTimeoutMs: timeAboveZero,
  refreshAheadRatio: ['a number between 0 and 1', (value) => isNumber(value) && value > 0 && value < 1],
  earlyRefreshBeta: ['0 or more', (value) => isNumber(value) && value >= 0],
  adaptiveTtl: ['{ minMs, maxMs } with 0 < minMs ≤ maxMs', isAdaptive],
  values: ['"copy" or "frozen"', (value) => value === 'copy' || value === 'frozen'],
  compressAboveBytes: bytes,
  maxEntryBytes: bytes,
  skipEmpty: ['true or false', (value) => typeof value === 'boolean'],
  persist: ['"memory", "on_change", "on_shutdown" or "periodic"', (value) => LEVELS.includes(value)],
  when: call,
  cost: call,
};

function isAdaptive(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { minMs, maxMs } = value as { readonly minMs?: unknown; readonly maxMs?: unknown };
  return isNumber(minMs) && isNumber(maxMs) && minMs > 0 && minMs <= maxMs;
}

/** The names of all loading policies. */
export const LOADING_POLICIES: readonly string[] = Object.keys(RULES);

/**
 * Checks what is stated; what is absent or `undefined` is off.
 * @param owner for the message: `tier "user"`, `getUser`
 * @throws CacheError `ERR_ARGUMENT_INVALID`
 */
export function assertLoadingPolicy(policy: LoadingPolicy, owner: string): void {
  for (const [name, [expected, isRight]] of Object.entries(RULES)) {
    const value: unknown = Reflect.get(policy, name);
    if (value !== undefined && !isRight(value))
      throw invalid(`${name} of ${owner} is ${shown(value)}; it must be ${expected}.`);
  }
  const { softTimeoutMs: soft, hardTimeoutMs: hard } = policy;
  if (soft !== undefined && hard !== undefined && hard <= soft) {
    throw invalid(
      `hardTimeoutMs of ${owner} is ${hard}; it must be more than softTimeoutMs (${soft}), which would never come.`,
    );
  }
}

function shown(value: unknown): string {
  return typeof value === 'object' ? (JSON.stringify(value) ?? 'an object') : String(value);
}

function invalid(message: string): CacheError {
  return new CacheError('ERR_ARGUMENT_INVALID', message);
}
