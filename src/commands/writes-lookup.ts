/**
 * What a text such as `all`, the name of a writer or `#7` means among the writes of one process that could not be saved.
 * Plain data, since another shard may have asked; what was written stays where it is.
 */
import type { DeadLetter, DeadSelection, WriteBehind, WriteBehindStats } from '../write-behind/types.ts';

/** What a person typed, or exactly what a choice names. */
export type WhichWrites =
  | string
  | { readonly writer: string }
  | { readonly number: number; readonly shard?: number | undefined };

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

/** @param which `all` for all that could not be saved */
export function findWrites(writeBehind: WriteBehind, which: WhichWrites): FoundWrites {
  const figures = writeBehind.stats();
  const isAll = which === 'all';
  const wanted = typeof which === 'string' ? which : 'writer' in which ? which.writer : undefined;
  const writer = isAll ? undefined : figures.writers.find(({ name }) => name === wanted);
  if (writer?.isClaimed === false) {
    // Nobody adds to it, so its name stands for what it holds now.
    const { name } = writer;
    const letters = writeBehind.list({ name, limit: LETTERS_GIVEN }).map(withoutValue);
    const count = writer.waiting + writer.dead;
    return { figures, count, letters, selection: { name }, isByNumber: false };
  }
  const number = typeof which === 'string' ? numberOf(which) : 'number' in which ? which.number : undefined;
  const isByNumber = writer === undefined && number !== undefined;
  const found = writeBehind
    .list({ limit: MOST_LETTERS })
    .filter(({ id, name }) => isAll || name === wanted || (isByNumber && id === number));
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
