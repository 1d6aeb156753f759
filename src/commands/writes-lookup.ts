/**
 * What a text such as `all`, the name of a writer or `#7` means among the writes of one process that could not be saved.
 * Plain data, since another shard may have asked; what was written stays where it is.
 */
import type { DeadLetter, DeadSelection, WriteBehind, WriteBehindStats } from '../write-behind/types.ts';

/** A write that could not be saved, without its value. */
export type DeadWrite = Pick<DeadLetter, 'id' | 'name' | 'key' | 'attempts' | 'error' | 'deadAt'>;

/** What is meant, and some of it. */
export interface FoundWrites {
  readonly figures: WriteBehindStats;
  /** How many are meant. */
  readonly count: number;
  /** The oldest of them. */
  readonly letters: readonly DeadWrite[];
  /** Exactly these, whatever fails later. */
  readonly selection: DeadSelection;
  /** It was named by its number, which every journal counts by itself. */
  readonly isByNumber: boolean;
}

/** More would not fit on a phone; as many as completion takes. */
const LETTERS_GIVEN = 25;
/** More than any list is allowed to hold by default. */
const MOST_LETTERS = 100_000;

/** @param which what a person typed; `all` for all that could not be saved */
export function findWrites(writeBehind: WriteBehind, which: string): FoundWrites {
  const figures = writeBehind.stats();
  const writer = figures.writers.find(({ name }) => name === which);
  if (writer?.isClaimed === false) {
    // Nobody adds to it, so its name stands for what it holds now.
    const letters = writeBehind.list({ name: which, limit: LETTERS_GIVEN }).map(withoutValue);
    const count = writer.waiting + writer.dead;
    return { figures, count, letters, selection: { name: which }, isByNumber: false };
  }
  const number = numberOf(which);
  const isByNumber = writer === undefined && number !== undefined;
  const found = writeBehind
    .list({ limit: MOST_LETTERS })
    .filter(({ id, name }) => which === 'all' || name === which || (isByNumber && id === number));
  return {
    figures,
    count: found.length,
    letters: found.slice(0, LETTERS_GIVEN).map(withoutValue),
    selection: found.map(({ id }) => id),
    isByNumber,
  };
}

function numberOf(which: string): number | undefined {
  const digits = /^#?(\d{1,15})$/.exec(which)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** What was written may be anybody's. */
function withoutValue({ id, name, key, attempts, error, deadAt }: DeadLetter): DeadWrite {
  return { id, name, key, attempts, error, deadAt };
}
