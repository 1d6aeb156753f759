/**
 * What became of the entries that were warmed: whether anybody read them before they left memory. That share, the
 * precision, says whether warming them was worth it.
 */
import type { Entry } from '../entry.ts';
import type { WarmedFigures } from '../statistics/stats.ts';

export class Warmed {
  #warmed = 0;
  #used = 0;
  #unused = 0;
  readonly #resident = new Set<Entry>();

  /** An entry was loaded before anybody asked for it. */
  add(entry: Entry): void {
    if (this.#resident.has(entry)) return;
    this.#resident.add(entry);
    this.#warmed++;
  }

  /** An entry has left memory, for whatever reason. */
  removed(entry: Entry): void {
    if (this.#resident.delete(entry)) this.#settle(entry);
  }

  /** All have left. */
  cleared(): void {
    for (const entry of this.#resident) this.#settle(entry);
    this.#resident.clear();
  }

  figures(): WarmedFigures {
    let used = this.#used;
    for (const entry of this.#resident) if (entry.hits > 0) used++;
    const warmed = this.#warmed;
    return { warmed, used, unused: this.#unused, precision: warmed === 0 ? null : used / warmed };
  }

  #settle(entry: Entry): void {
    if (entry.hits > 0) this.#used++;
    else this.#unused++;
  }
}
