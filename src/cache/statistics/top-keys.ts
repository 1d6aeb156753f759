/**
 * The most used keys, in bounded memory and at almost no cost a hit: an entry is offered only when its hits reach a
 * power of two, so a key with `h` hits was offered at no less than `h / 2`, and the least used candidate makes room.
 * Hits outlive the entry: when a key is filled again, its candidate goes on counting.
 */
import type { Entry, EntryLinks } from '../entry.ts';

const MAX_CANDIDATES = 512;

interface Candidate {
  /** Hits of this key's earlier entries. */
  carried: number;
  entry: Entry | undefined;
  tier: string;
}

export class TopKeys {
  readonly #candidates = new Map<string, Candidate>();
  /** No candidate has fewer hits than this, so most newcomers are turned away without a search. */
  #floor = 0;
  readonly #alsoTold: (entry: Entry) => void;

  /** @param alsoTold hears of the same entries */
  constructor(alsoTold: (entry: Entry) => void = () => undefined) {
    this.#alsoTold = alsoTold;
  }

  /** To be called when an entry's hits have reached a power of two. */
  offer(entry: Entry): void {
    const { key } = entry;
    this.#alsoTold(entry);
    const known = this.#candidates.get(key);
    if (known !== undefined) {
      known.entry = entry;
      return;
    }
    if (this.#candidates.size >= MAX_CANDIDATES) {
      if (entry.hits <= this.#floor) return;
      const least = this.#leastUsed();
      this.#floor = least?.hits ?? 0;
      if (least === undefined || least.hits >= entry.hits) return;
      this.#candidates.delete(least.key);
    }
    this.#candidates.set(key, { carried: 0, entry, tier: entry.counters.policy.tier });
  }

  /** To be called when an entry that was used is removed; one never used was never offered. */
  removed(entry: Entry): void {
    const known = this.#candidates.get(entry.key);
    if (known?.entry !== entry) return;
    known.carried += entry.hits;
    known.entry = undefined;
  }

  /** Most used first. */
  list(limit: number): { key: string; hits: number; tier: string }[] {
    return [...this.#candidates]
      .map(([key, { carried, entry, tier }]) => ({ key, hits: carried + (entry?.hits ?? 0), tier }))
      .sort((a, b) => b.hits - a.hits || (a.key < b.key ? -1 : 1))
      .slice(0, limit);
  }

  /** To be called before entries are removed, whose tags tell whom they are of. @returns how many candidates were dropped */
  forget(isCovered: (key: string, links: EntryLinks | undefined) => boolean): number {
    const covered = [...this.#candidates].filter(([key, { entry }]) => isCovered(key, entry?.links));
    for (const [key] of covered) this.#candidates.delete(key);
    return covered.length;
  }

  /** Entries are gone, hits stay. */
  detach(): void {
    for (const candidate of this.#candidates.values()) {
      candidate.carried += candidate.entry?.hits ?? 0;
      candidate.entry = undefined;
    }
  }

  #leastUsed(): { key: string; hits: number } | undefined {
    let least: { key: string; hits: number } | undefined;
    for (const [key, { carried, entry }] of this.#candidates) {
      const hits = carried + (entry?.hits ?? 0);
      if (least === undefined || hits < least.hits) least = { key, hits };
    }
    return least;
  }
}
