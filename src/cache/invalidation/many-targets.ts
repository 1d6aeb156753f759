/** Invalidations of more targets than a call takes arguments: some 120,000 overflow the stack. */
import type { Cache } from '../cache.ts';
import type { InvalidationTarget } from '../keys/target.ts';

/** Targets a call: 1 to 2 ms of keys. */
const AT_ONCE = 1_000;

/** Invalidates all of them before it returns. */
export function invalidateAll(
  cache: Pick<Cache, 'invalidate'>,
  targets: readonly InvalidationTarget[],
): void {
  for (const part of partsOf(targets, AT_ONCE)) cache.invalidate(...part);
}

/** Invalidates all of them before it resolves, and lets the event loop turn meanwhile (I12). */
export async function invalidateInSlices(
  cache: Pick<Cache, 'invalidate' | 'clock'>,
  targets: readonly InvalidationTarget[],
): Promise<void> {
  let isFirst = true;
  for (const part of partsOf(targets, AT_ONCE)) {
    if (!isFirst) await cache.clock.yield();
    isFirst = false;
    cache.invalidate(...part);
  }
}

/** A list in parts that fit into a call. */
export function* partsOf<T>(list: readonly T[], length: number): Generator<readonly T[], void, undefined> {
  if (list.length <= length) yield list;
  else for (let at = 0; at < list.length; at += length) yield list.slice(at, at + length);
}
