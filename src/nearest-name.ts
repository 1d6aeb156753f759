/**
 * "Did you mean": the known name nearest to one that was mistyped, by restricted Damerau-Levenshtein distance
 * (insertion, deletion, substitution, and two neighbours swapped, each costs one), case aside.
 */

/** Longer names are compared by their beginning, so that a hostile one costs no more. */
const COMPARED_LENGTH = 64;

/** The known name nearest to `name`, if no more than a third of the longer one differs; `undefined` when none is. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const asked = name.slice(0, COMPARED_LENGTH).toLowerCase();
  let nearest: string | undefined;
  let leastEdits = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const edits = editsBetween(asked, candidate.slice(0, COMPARED_LENGTH).toLowerCase());
    const longer = Math.max(asked.length, Math.min(candidate.length, COMPARED_LENGTH));
    if (edits >= leastEdits || edits > Math.max(1, Math.floor(longer / 3))) continue;
    leastEdits = edits;
    nearest = candidate;
  }
  return nearest;
}

/** A name without its unit and its style: `grace`, `grace_ms`, `graceMs` and `GRACE` give the same. */
export function withoutUnit(name: string): string {
  return name
    .replace(/(?:_(?:ms|seconds|kb|bytes|ratio|beta)|Ms|Seconds|Kb|Bytes|Ratio|Beta)$/, '')
    .replaceAll('_', '')
    .toLowerCase();
}

function editsBetween(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = at(last, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let edits = Math.min(at(last, j) + 1, at(row, j - 1) + 1, substitution);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        edits = Math.min(edits, at(beforeLast, j - 2) + 1);
      }
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
