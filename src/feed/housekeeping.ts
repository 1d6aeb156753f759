/**
 * Writes down now and then how far this reader is, and removes the rows and triggers that nobody needs any more: in
 * slices, and only when nobody else is writing, since waiting for them would hold the event loop (I12).
 */
import type { Clock } from '../cache/clock.ts';
import { isBusy, isIterating } from '../cache/sqlite-error.ts';
import { type FeedDatabase, inTransaction } from './database.ts';
import type { Reader } from './readers.ts';
import type { TriggerWatch } from './trigger-watch.ts';
import { withoutWaiting } from './without-waiting.ts';

export class Housekeeping {
  readonly #db: FeedDatabase;
  readonly #reader: Reader;
  readonly #triggers: TriggerWatch;
  readonly #clock: Clock;
  #isEnded = false;

  constructor(db: FeedDatabase, reader: Reader, triggers: TriggerWatch, clock: Clock) {
    this.#db = db;
    this.#reader = reader;
    this.#triggers = triggers;
    this.#clock = clock;
  }

  /**
   * Reports where the reader is and prunes, letting the loop turn between two slices.
   * @throws whatever SQLite throws, but for a database that is busy, with others or with an iteration of the host's: the
   *   next time is soon enough
   */
  async run(position: () => number): Promise<void> {
    let more = true;
    while (more && !this.#isEnded && this.#db.open && !this.#db.inTransaction) {
      more = this.#unlessBusy(() => {
        const isMore = inTransaction(this.#db, () => {
          this.#reader.report(position(), this.#clock.wallNow(), true);
          return this.#reader.prune();
        });
        if (!isMore) this.#triggers.removeUnneeded();
        return isMore;
      });
      if (more) await this.#clock.yield();
    }
  }

  /** Leaves, or stays as a reader that will come back. */
  end(stayAt: number | undefined): void {
    this.#isEnded = true;
    this.#unlessBusy(() =>
      inTransaction(this.#db, () => {
        if (stayAt === undefined) this.#reader.leave();
        else this.#reader.report(stayAt, this.#clock.wallNow(), false);
        return false;
      }),
    );
  }

  /** At once or not at all. */
  #unlessBusy(work: () => boolean): boolean {
    try {
      return withoutWaiting(this.#db, work);
    } catch (error) {
      if (!isBusy(error) && !isIterating(error)) throw error;
      return false;
    }
  }
}
