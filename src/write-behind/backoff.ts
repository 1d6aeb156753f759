/** How long a failed write rests, and how many others may be in a batch with it. Pure. */

export interface BackoffRules {
  readonly maxBatch: number;
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/**
 * Doubles with each failure up to the longest; chance takes off up to a half, so that what failed together does not
 * come back together.
 * @param failures 1 after the first
 */
export function restMs(failures: number, { backoffMs, maxBackoffMs }: BackoffRules, chance: number): number {
  const whole = Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(failures - 1, 50));
  return Math.round(whole * (1 - chance / 2));
}

/**
 * A batch that failed may have failed for one write in it. So those that have failed are tried in batches of half the
 * size each time, and before one is given up, alone: no write goes to the list for the sake of another.
 */
export function companyOf(failures: number, { maxBatch, maxAttempts }: BackoffRules): number {
  if (failures > 0 && failures + 1 >= maxAttempts) return 1;
  return Math.max(1, Math.floor(maxBatch / 2 ** Math.min(failures, 50)));
}
