/**
 * Which keys are used at the moment, and how often since that was last written down; in bounded memory and at no cost a
 * hit. A use is a read: a hit, or a miss that loads. As for the most used keys of all time (`top-keys.ts`), an entry is told of only when its hits reach a power of
 * two; from then on its own counter is looked at. Unlike there, a key that is not used any more makes room, so that each
 * hour has its own.
 */

import type { Entry, EntryLinks } from '../entry.ts';
import { ownText } from '../values/own-text.ts';

/** Keys of some 200 bytes each; fewer than notes of how keys are loaded (`recipes.ts`), so that each can have one. */
const MAX_RECENT = 512;
/** With fewer nobody has to leave. */
const COMFORTABLE = (MAX_RECENT * 3) / 4;

interface Candidate {
  entry: Entry | undefined;
  /** Its misses, and the hits of its earlier entries. */
  carried: number;
  /** Of all its uses, those that are written down. */
  counted: number;
}

export class RecentUses {
  readonly #candidates = new Map<string, Candidate>();

  /** To be called when an entry's hits have reached a power of two. */
  used(entry: Entry): void {
    const known = this.#candidates.get(entry.key);
    if (known !== undefined) {
      known.entry = entry;
      return;
    }
    if (this.#candidates.size >= MAX_RECENT) return;
    // It may have been followed up to the power of two before.
    const counted = entry.hits === 1 ? 0 : entry.hits / 2;
    this.#candidates.set(entry.key, { entry, carried: 0, counted });
  }

  /** Somebody has asked for the key, and it was not there. */
  missed(key: string): void {
    const known = this.#candidates.get(key);
    if (known !== undefined) known.carried++;
    // Most keys that are asked for once are not asked for again: they must not keep out those that are.
    else if (this.#candidates.size < COMFORTABLE)
      this.#candidates.set(ownText(key), { entry: undefined, carried: 1, counted: 0 });
  }

  /** To be called when an entry is removed. */
  removed(entry: Entry): void {
    const known = this.#candidates.get(entry.key);
    if (known?.entry !== entry) return;
    known.carried += entry.hits;
    known.entry = undefined;
  }

  /** All entries are gone. */
  cleared(): void {
    for (const known of this.#candidates.values()) {
      known.carried += known.entry?.hits ?? 0;
      known.entry = undefined;
    }
  }

  has(key: string): boolean {
    return this.#candidates.has(key);
  }

  /** What was used since it was last counted, most used first. */
  list(): { readonly key: string; readonly uses: number }[] {
    return [...this.#candidates]
      .map(([key, known]) => ({ key, uses: uncounted(known) }))
      .filter(({ uses }) => uses > 0)
      .sort((a, b) => b.uses - a.uses);
  }

  /** So many uses of the key are written down. */
  counted(key: string, uses: number): void {
    const known = this.#candidates.get(key);
    if (known !== undefined) known.counted += uses;
  }

  /** Makes room for others, now that everything is counted: the unused leave, then those that were used least. */
  makeRoom(justCounted: ReadonlyMap<string, number>): void {
    if (this.#candidates.size <= COMFORTABLE) return;
    const leastFirst = [...this.#candidates.keys()].sort(
      (a, b) => (justCounted.get(a) ?? 0) - (justCounted.get(b) ?? 0),
    );
    for (const key of leastFirst.slice(0, this.#candidates.size - COMFORTABLE)) this.#candidates.delete(key);
  }

  forget(isCovered: (key: string, links: EntryLinks | undefined) => boolean): void {
    for (const [key, { entry }] of this.#candidates) {
      if (isCovered(key, entry?.links)) this.#candidates.delete(key);
    }
  }
}

function uncounted({ entry, carried, counted }: Candidate): number {
  return carried + (entry?.hits ?? 0) - counted;
}
