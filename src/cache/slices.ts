/** Work over many things in slices, so that the event loop keeps turning (I12). */
import type { Clock } from './clock.ts';

/** A slice's length: with what one visit may cost on top, well under the 10 ms that the loop may be held. */
const SLICE_MS = 2;

/** Reading the clock costs about as much as a visit, so it is read once in so many. */
const VISITS_PER_READING = 64;

/** Visits each item and lets the loop turn between slices; ends early when `isOver` says so. */
export async function inSlices<T>(
  clock: Clock,
  items: Iterable<T>,
  visit: (item: T) => void,
  isOver: () => boolean,
): Promise<void> {
  let visits = 0;
  let beganAt = clock.precise();
  for (const item of items) {
    visit(item);
    if (++visits % VISITS_PER_READING !== 0 || clock.precise() - beganAt < SLICE_MS) continue;
    await clock.yield();
    if (isOver()) return;
    beganAt = clock.precise();
  }
}

/** The same for what is mostly little: what fits into one slice is done at once, and nothing is to be awaited. */
export function beginInSlices<T>(
  clock: Clock,
  items: Iterable<T>,
  visit: (item: T) => void,
): Promise<void> | undefined {
  const iterator = items[Symbol.iterator]();
  if (visitSlice(clock, iterator, visit)) return undefined;
  return visitRest(clock, iterator, visit);
}

async function visitRest<T>(clock: Clock, iterator: Iterator<T>, visit: (item: T) => void): Promise<void> {
  do await clock.yield();
  while (!visitSlice(clock, iterator, visit));
}

/** True when there is no more. */
function visitSlice<T>(clock: Clock, iterator: Iterator<T>, visit: (item: T) => void): boolean {
  let visits = 0;
  const beganAt = clock.precise();
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
    visit(next.value);
    if (++visits % VISITS_PER_READING === 0 && clock.precise() - beganAt >= SLICE_MS) return false;
  }
  return true;
}
