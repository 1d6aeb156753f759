/** Random numbers that are the same for the same seed, on every machine (mulberry32, by Tommy Ettinger). */

export interface Random {
  /** 0 up to, not including, 1. */
  next(): number;
  /** A whole number, both ends included. */
  between(min: number, max: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
  chance(probability: number): boolean;
  /** A position in a list of `length`: the first ones far more often, as people buy the same few things. */
  popular(length: number): number;
}

/** How steep {@link Random.popular} is: the first tenth gets nearly a third of all. */
const POPULARITY = 2;

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    between: (min, max) => min + Math.floor(next() * (max - min + 1)),
    pick: (list) => list[Math.floor(next() * list.length)] ?? list[0],
    chance: (probability) => next() < probability,
    popular: (length) => Math.floor(length * next() ** POPULARITY),
  };
}
