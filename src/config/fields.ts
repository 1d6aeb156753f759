/**
 * The kinds of values that stand in config.json: times, counts, ratios, switches. Each says what it expects in the
 * words of the complaint that a reader gets. Which names there are, and what they mean, is left to schema.ts.
 */
import { z } from 'zod';

/** No time in the file may be longer: 30 days, more than any bot runs without a restart. */
const LONGEST_SECONDS = 30 * 86_400;

/** One terabyte; what the machine really has is a matter for a notice. */
export const LARGEST_MB = 1_048_576;

const number = new Intl.NumberFormat('en-US');

/** A number as a complaint writes it: `1,048,576`. */
export function written(value: number): string {
  return number.format(value);
}

/** A time from `min` up. */
export function time(description: string, min = 0) {
  const expected = `a number of seconds from ${min} to ${written(LONGEST_SECONDS)} (30 days)`;
  return z
    .number({ error: expected })
    .min(min, { error: expected })
    .max(LONGEST_SECONDS, { error: expected })
    .describe(`${description} In seconds.`);
}

/** A time that cannot be nothing. */
export function timeAboveZero(description: string) {
  const expected = `a number of seconds above 0, up to ${written(LONGEST_SECONDS)} (30 days)`;
  return z
    .number({ error: expected })
    .positive({ error: expected })
    .max(LONGEST_SECONDS, { error: expected })
    .describe(`${description} In seconds.`);
}

/** A time with a default. */
export function seconds(fallback: number, description: string, { min = 0 }: { readonly min?: number } = {}) {
  return time(description, min).default(fallback);
}

/** A size that cannot be nothing. */
export function kilobytes(description: string) {
  const expected = `a number of kilobytes above 0, up to ${written(LARGEST_MB * 1_024)}`;
  return z
    .number({ error: expected })
    .positive({ error: expected })
    .max(LARGEST_MB * 1_024, { error: expected })
    .describe(`${description} In kilobytes.`);
}

/** A number between two bounds, described by `expected`. */
export function between(min: number, max: number, description: string, expected: string) {
  return z
    .number({ error: expected })
    .min(min, { error: expected })
    .max(max, { error: expected })
    .describe(description);
}

/** A share, both ends included. */
export function ratio(description: string) {
  return between(0, 1, description, 'a ratio from 0 to 1');
}

export function count(fallback: number, description: string, min: number, max: number) {
  const expected = `a whole number from ${min} to ${written(max)}`;
  return between(min, max, description, expected).int({ error: expected }).default(fallback);
}

export function flag(description: string) {
  return z.boolean({ error: 'true or false, without quotes' }).describe(description);
}
