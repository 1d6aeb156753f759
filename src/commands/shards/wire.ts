/** Answers as text that keeps what JSON loses and statistics need: Infinity, which is how long some entries are fresh. */

/** No figure of ours is an object with this name alone. */
const INFINITY = '$infinity';

export function toWire(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) =>
    each === Number.POSITIVE_INFINITY ? { [INFINITY]: true } : each,
  );
}

export function fromWire(text: string): unknown {
  return JSON.parse(text, (_name, each: unknown) =>
    typeof each === 'object' && each !== null && INFINITY in each ? Number.POSITIVE_INFINITY : each,
  );
}
