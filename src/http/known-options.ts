/** Options are honoured or refused: one that does not exist was meant to be another. */
import { CacheError } from '../cache/errors.ts';
import { nearestName } from '../nearest-name.ts';

/** @throws CacheError `ERR_ARGUMENT_INVALID` for an option that does not exist, with the nearest that does */
export function assertKnown(owner: string, options: object, known: readonly string[]): void {
  const wrong = Object.keys(options).find((name) => !known.includes(name));
  if (wrong === undefined) return;
  const nearest = nearestName(wrong, known);
  const hint = nearest === undefined ? `there are ${known.join(', ')}` : `did you mean ${nearest}?`;
  throw new CacheError('ERR_ARGUMENT_INVALID', `${owner}: there is no option "${wrong}" (${hint}).`);
}
