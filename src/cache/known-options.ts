/** Options are honoured or refused: one that does not exist was meant to be another. */
import { nearestName, withoutUnit } from '../nearest-name.ts';
import { kindOf } from './arguments.ts';
import { CacheError } from './errors.ts';

/** The names of all options of a type, checked by the compiler: `const OPTIONS: OptionNames<MyOptions> = { … }`. */
export type OptionNames<T> = Readonly<Record<keyof T, unknown>>;

/**
 * @param owner whose options they are, for the message: `createCache`, `getUser()`
 * @param known an object with every option's name, or the names
 * @throws CacheError `ERR_ARGUMENT_INVALID` for an option that does not exist, with the nearest that does; and for what
 *   is no object
 */
export function assertKnown(
  owner: string,
  options: object,
  known: readonly string[] | Readonly<Record<string, unknown>>,
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `${owner} takes an object of options, not ${kindOf(options)}.`,
    );
  }
  const names = Array.isArray(known) ? known : Object.keys(known);
  const wrong = Object.keys(options).find((name) => !names.includes(name));
  if (wrong === undefined) return;
  throw new CacheError(
    'ERR_ARGUMENT_INVALID',
    `${owner}: there is no option "${wrong}" (${hintFor(wrong, names)}).`,
  );
}

/** The option that was probably meant. Those that differ by their unit alone were meant in another unit. */
function hintFor(wrong: string, names: readonly string[]): string {
  const right = names.find((name) => withoutUnit(name) === withoutUnit(wrong));
  if (right?.endsWith('Ms') && !/ms$/i.test(wrong)) return `times are given in milliseconds, as ${right}`;
  if (right?.endsWith('Bytes') && !/bytes$/i.test(wrong)) return `sizes are given in bytes, as ${right}`;
  const nearest = right ?? nearestName(wrong, names) ?? sharingAWord(wrong, names);
  return nearest === undefined ? `there are ${names.join(', ')}` : `did you mean ${nearest}?`;
}

/** `maxSize` shares a word with `maxWeightBytes`. The first such option, so that a wrong one is rarely named. */
function sharingAWord(wrong: string, names: readonly string[]): string | undefined {
  const [first = ''] = wrong.split(/(?=[A-Z])|_/);
  if (first.length < 3) return undefined;
  return names.find((name) => name.toLowerCase().startsWith(first.toLowerCase()));
}
