/** Who comes to the shop in a day, and when: the same day for every bench that replays it. */

export const PEOPLE = 5_000;
export const DAY_MS = 86_400_000;
const SESSIONS = 20_000;
const COMMAND_GAP_MS = 20_000;

/** Ranks 0 to `count - 1`, drawn by Zipf's law. */
export function zipf(count: number, exponent: number, random: () => number): () => number {
  const cumulative = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank++) {
    total += (rank + 1) ** -exponent;
    cumulative[rank] = total;
  }
  return () => {
    const wanted = random() * total;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

export interface Command {
  readonly at: number;
  readonly person: number;
}

/** In the order of their instants, from 0 on. */
export function commandsOfTheDay(random: () => number): Command[] {
  const pick = zipf(PEOPLE, 1.1, random);
  const commands: Command[] = [];
  for (let i = 0; i < SESSIONS; i++) {
    const person = pick();
    const beganAt = random() * DAY_MS;
    const length = 5 + Math.floor(random() * 21);
    for (let j = 0; j < length; j++) commands.push({ at: beganAt + j * COMMAND_GAP_MS, person });
  }
  return commands.sort((a, b) => a.at - b.at);
}
