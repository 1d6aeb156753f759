/**
 * Loaders that ask what is pending first. While a write is on its way the source still holds the old value: a read
 * whose entry has gone (evicted, expired, invalidated, cleared) would bring it back, for as long as the entry lives.
 */
import { CacheError } from '../cache/errors.ts';
import type { LoadContext, Lookup } from '../cache/types.ts';

/** @param pending the last write to a key that the source may not have */
export function overlaid<A extends [...unknown[], LoadContext], R, V>(
  load: (...args: A) => R,
  pending: (key: string) => Lookup<V>,
): (...args: A) => R | V {
  return (...args) => {
    const context: unknown = args.at(-1);
    if (!isContext(context)) {
      throw new CacheError(
        'ERR_ARGUMENT_INVALID',
        'overlay needs the context of the load as the last argument: pass `passContext: true` to cached.',
      );
    }
    const found = pending(context.key);
    if (found.state === 'miss') return load(...args);
    // Served and not kept: by the time it is saved, somebody else may have written to the source.
    context.skip();
    return found.value;
  };
}

function isContext(value: unknown): value is LoadContext {
  return typeof value === 'object' && value !== null && 'key' in value && 'skip' in value;
}
