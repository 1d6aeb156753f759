/**
 * Whether a tier is worth its memory, in words. A rule of thumb that an operator can check by hand; `/cache-info` tells
 * it. Pure, so that the rule has one place.
 */
import type { Figures } from '../../cache/statistics/stats.ts';

export type Verdict = 'unused' | 'quiet' | 'pays off' | 'modest' | 'costly';

/** Below this, a hit rate says little. */
export const FEW_LOOKUPS = 100;
/** Saved database time that nobody argues with. */
const WORTH_MS = 1_000;
/** Less than this held costs nothing worth mentioning. */
const CHEAP_BYTES = 1_048_576;
/** Saved time a megabyte held; below it the memory is better spent elsewhere. */
const WORTH_MS_PER_MEGABYTE = 50;
/** A tier that hits this often is used as meant, however fast its database is. */
const GOOD_HIT_RATE = 0.8;

export function verdictOf(
  figures: Pick<Figures, 'lookups' | 'hitRate' | 'savedMs' | 'weightBytes'>,
): Verdict {
  if (figures.lookups === 0) return 'unused';
  if (figures.lookups < FEW_LOOKUPS) return 'quiet';
  const megabytes = figures.weightBytes / 1_048_576;
  const isDear = figures.weightBytes > CHEAP_BYTES && figures.savedMs / megabytes < WORTH_MS_PER_MEGABYTE;
  if (isDear) return 'costly';
  const isUseful = figures.savedMs >= WORTH_MS || (figures.hitRate ?? 0) >= GOOD_HIT_RATE;
  return isUseful ? 'pays off' : 'modest';
}

const WORDS: Readonly<Record<Verdict, string>> = {
  unused: 'not used yet',
  quiet: 'rarely read',
  'pays off': 'pays off',
  modest: 'saves little so far',
  costly: 'costs more memory than it saves time',
};

/** The verdict as it reads after a tier's name. */
export function verdictText(verdict: Verdict): string {
  return WORDS[verdict];
}

/** The rule in a sentence, for `/cache-info`. */
export const VERDICT_RULE =
  'A tier "pays off" when it saved 1 s of database time or hits 80% of 100 lookups; it "costs more than it saves" when it holds over 1 MB and saved under 50 ms a megabyte.';
