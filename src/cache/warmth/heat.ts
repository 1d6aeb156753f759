/**
 * Hits that fade: a use counts half as much after each half-life. Kept as one number that needs no upkeep, since all
 * heats fade alike: forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009), on a scale of
 * powers of two. So the order of two heats is the same at any time, and SQLite can sort by it.
 */

/** Nothing is used so often. More can only come of a clock that once showed a date far ahead. */
const MOST_HITS = 1e12;

/** What `hits` uses at `at` add to what was there. Instants are epoch milliseconds. */
export function heated(heat: number | undefined, hits: number, at: number, halfLifeMs: number): number {
  const before = heat === undefined ? 0 : hitsOf(heat, at, halfLifeMs);
  return Math.log2(before + hits) + at / halfLifeMs;
}

/** How many uses at `at` the heat is worth. */
export function hitsOf(heat: number, at: number, halfLifeMs: number): number {
  const hits = 2 ** (heat - at / halfLifeMs);
  return hits < MOST_HITS ? hits : 0;
}

/** Between these two a heat is worth at least `hits` at `at`, and not more than can be. */
export function heatsWorth(
  hits: number,
  at: number,
  halfLifeMs: number,
): { readonly least: number; readonly most: number } {
  return {
    least: Math.log2(hits) + at / halfLifeMs,
    most: Math.log2(MOST_HITS) + at / halfLifeMs,
  };
}
