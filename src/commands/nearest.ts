/**
 * The nearest of some texts to one that was mistyped: restricted Damerau-Levenshtein distance (insertion, deletion,
 * substitution, and two neighbours swapped, each costs one), after Boytsov, "Indexing Methods for Approximate
 * Dictionary Searching", 2011, section 2.2. Bounded, so that a key of 1,000 characters costs no more than a short one.
 */

/** Only so much of each text is compared. */
const COMPARED_LENGTH = 128;

/** The distance of two texts; more than `limit` comes back as `limit + 1`. */
export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(value);
      best = Math.min(best, value);
    }
    if (best > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** The candidate nearest to `text`, if one is near enough to be meant: a third of its length, at most. */
export function nearest(text: string, candidates: Iterable<string>): string | undefined {
  const wanted = text.slice(0, COMPARED_LENGTH).toLowerCase();
  let limit = Math.max(1, Math.floor(wanted.length / 3));
  let found: string | undefined;
  for (const candidate of candidates) {
    const far = distance(wanted, candidate.slice(0, COMPARED_LENGTH).toLowerCase(), limit);
    if (far <= limit && candidate !== text) {
      found = candidate;
      if (far === 0) break;
      limit = far - 1;
      if (limit < 0) break;
    }
  }
  return found;
}
