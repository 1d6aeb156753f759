/** How many rows there are, and what they take: counted at once where they are few, else in steps now and then (I12). */
import type { Clock } from '../../clock.ts';
import type { DiskAccess } from './access.ts';

const RECOUNT_MS = 5_000;
/** Counting so many at once takes a millisecond or two. */
const COUNTED_AT_ONCE = 50_000;
const STEP_ROWS = 5_000;

export class DiskSize {
  readonly #access: DiskAccess;
  readonly #clock: Clock;
  #size = { entries: 0, bytes: 0 };
  #recountAt = 0;

  constructor(access: DiskAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  begin(entries: number): void {
    this.#size = { ...this.#size, entries };
    this.#recountAt = 0;
  }

  /** At most some seconds old; where there are many rows, as old as the last {@link recount}. */
  figures(): { readonly entries: number; readonly bytes: number } {
    const now = this.#clock.now();
    if (now >= this.#recountAt) {
      this.#recountAt = now + RECOUNT_MS;
      this.#access.attempt('could not be read', (file) => {
        const entries = this.#size.entries < COUNTED_AT_ONCE ? file.entries : this.#size.entries;
        this.#size = { entries, bytes: file.bytes };
      });
    }
    return this.#size;
  }

  /** Counts them where they are many, unless `isOver` says so before. */
  async recount(isOver: () => boolean): Promise<void> {
    if (this.#size.entries < COUNTED_AT_ONCE) return;
    let entries = 0;
    for (let after: string | undefined = ''; after !== undefined; ) {
      const from: string = after;
      const isCounted = this.#access.attempt('could not be read', (file) => {
        const step = file.countAfter(from, STEP_ROWS);
        entries += step.rows;
        // A damaged key may read as another one, and would be found for ever.
        after = step.rows < STEP_ROWS || step.last === from ? undefined : step.last;
      });
      if (!isCounted || isOver()) return;
      await this.#clock.yield();
    }
    this.#size = { ...this.#size, entries };
  }
}
