/** Pending writes of several shards as one: each has a journal of its own, so everything adds up. */
import type { WriteBehindStats, WriterStats } from '../../write-behind/types.ts';

export function mergeWrites(all: readonly WriteBehindStats[]): WriteBehindStats | undefined {
  const [first] = all;
  if (first === undefined || all.length === 1) return first;
  const writers = [
    ...Map.groupBy(
      all.flatMap((one) => one.writers),
      ({ name }) => name,
    ).values(),
  ].flatMap(mergeWriters);
  return {
    ...first,
    survives: all.some(({ survives }) => survives === 'kill') ? 'kill' : 'power-cut',
    writers,
    waiting: sum(all, ({ waiting }) => waiting),
    dead: sum(all, ({ dead }) => dead),
    saved: sum(all, ({ saved }) => saved),
    oldestAt: earliest(all.map(({ oldestAt }) => oldestAt)),
  };
}

function mergeWriters(same: readonly WriterStats[]): WriterStats[] {
  const [first] = same;
  if (first === undefined) return [];
  const counts = ['waiting', 'inFlight', 'held', 'saved', 'coalesced', 'retried', 'refused', 'dead'] as const;
  return [
    {
      ...first,
      // Every count is given a number.
      ...(Object.fromEntries(counts.map((name) => [name, sum(same, (one) => one[name])])) as Record<
        (typeof counts)[number],
        number
      >),
      isClaimed: same.some(({ isClaimed }) => isClaimed),
      oldestAt: earliest(same.map(({ oldestAt }) => oldestAt)),
      lastFailure: same
        .map(({ lastFailure }) => lastFailure)
        .reduce((a, b) => (a === null || (b !== null && b.at > a.at) ? b : a)),
    },
  ];
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}

function earliest(all: readonly (number | null)[]): number | null {
  const known = all.filter((at) => at !== null);
  return known.length === 0 ? null : Math.min(...known);
}
