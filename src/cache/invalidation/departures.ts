/**
 * The links of values that are not resident any more, or never were, though a load in flight may have read them: an
 * entry that has expired, was evicted or replaced, a value that was served and not kept. What such a load makes of
 * them stems from these links as well. Bounded: loads from before what is forgotten cannot prove what they stem from.
 */
import type { EntryLinks } from '../entry.ts';

const MAX_DEPARTURES = 5_000;

interface Departure {
  readonly links: EntryLinks;
  /** The number of the last load that had begun by then. */
  at: number;
}

export class Departures {
  readonly #byKey = new Map<string, Departure[]>();
  #size = 0;
  /** Departures up to here are forgotten. */
  #forgottenUpTo = 0;

  /** @param oldest the number of the oldest load in flight, asked for where there are too many */
  add(key: string, links: EntryLinks, at: number, oldest: () => number): void {
    const known = this.#byKey.get(key);
    const same = known?.find((departure) => isSame(departure.links, links));
    if (same !== undefined) {
      same.at = at;
      return;
    }
    if (known === undefined) this.#byKey.set(key, [{ links, at }]);
    else known.push({ links, at });
    if (++this.#size > MAX_DEPARTURES) this.#makeRoom(at, oldest());
  }

  /** The links of what has left under the key since the load with this number began. */
  since(key: string, load: number): EntryLinks[] {
    const known = this.#byKey.get(key);
    return known === undefined ? [] : known.filter(({ at }) => at >= load).map(({ links }) => links);
  }

  /** Whether it can be told what has left since the load with this number began. */
  isKnownSince(load: number): boolean {
    return load > this.#forgottenUpTo;
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#byKey.clear();
    this.#size = 0;
  }

  /** Drops what no load in flight is older than; where that is too little, everything. */
  #makeRoom(at: number, oldest: number): void {
    this.#size = 0;
    for (const [key, departures] of this.#byKey) {
      const needed = departures.filter((departure) => departure.at >= oldest);
      this.#size += needed.length;
      if (needed.length === 0) this.#byKey.delete(key);
      else this.#byKey.set(key, needed);
    }
    if (this.#size <= MAX_DEPARTURES / 2) return;
    this.#forgottenUpTo = at;
    this.clear();
  }
}

function isSame(one: EntryLinks, other: EntryLinks): boolean {
  return isSameList(one.tags, other.tags) && isSameList(one.dependsOn, other.dependsOn);
}

function isSameList(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((text, i) => text === other[i]));
}
