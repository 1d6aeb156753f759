/** Counts and amounts are whole numbers within bounds, or refused where they enter. */

/** @throws RangeError which names the value and its bounds */
export function whole(value: number, min: number, max: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name} is a whole number from ${min} to ${max}, not ${value}.`);
}
