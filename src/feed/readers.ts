/**
 * Who reads the changes, and how far: so that rows behind everybody can go, and that whoever comes back knows whether
 * rows it needed have gone.
 *
 * A reader that has not been seen for long, or is too many rows behind, holds up nobody: its rows are pruned, and it
 * finds a gap. Rows are numbered without holes, so a gap shows in the numbers themselves.
 */
import { randomUUID } from 'node:crypto';
import { type FeedDatabase, rowsOf } from './database.ts';
import { metaOf } from './install.ts';

/** Where a reader stands: plain data, to be kept beside what was cached and given back as `startAt`. */
export interface FeedPosition {
  /** The database; another file, or one that was begun anew, has another. */
  readonly epoch: string;
  /** The triggers that were there: others may not have told of everything that is cached. */
  readonly installation: string;
  readonly reader: string;
  /** Every change up to this one has been applied. */
  readonly position: number;
  /** When the reader was last written down, epoch milliseconds: a database restored from an older copy does not know it. */
  readonly seenAt: number;
}

export interface ReaderLimits {
  /** A reader that has not been seen for so long is taken for dead. */
  readonly forgetAfterMs: number;
  /** No more changes are kept than this, whoever still needs them. */
  readonly maxRows: number;
}

/** How a feed begins: with nothing behind it, where an earlier one stopped, or with changes missing in between. */
export type Beginning = 'new' | 'resumed' | 'gap';

/** Rows that one slice of pruning removes: about a millisecond. */
const PRUNE_SLICE = 1_000;

export class Reader {
  readonly #db: FeedDatabase;
  readonly #limits: ReaderLimits;
  readonly id = randomUUID();
  readonly beginning: Beginning;
  readonly startsAfter: number;
  #count = 1;
  #epoch: string;
  #installation: string;
  #seenAt: number;

  /** Registers. Runs within a transaction, after the tables are there. */
  constructor(db: FeedDatabase, limits: ReaderLimits, nowAt: number, startAt: FeedPosition | undefined) {
    this.#db = db;
    this.#limits = limits;
    this.#epoch = metaOf(db, 'epoch') ?? '';
    this.#installation = metaOf(db, 'installation') ?? '';
    const head = headOf(db);
    this.beginning = startAt === undefined ? 'new' : this.#isContinued(startAt, head) ? 'resumed' : 'gap';
    this.startsAfter = startAt !== undefined && this.beginning === 'resumed' ? startAt.position : head;
    this.#seenAt = nowAt;
    db.prepare('INSERT INTO cache_readers (id, position, seen_at) VALUES (?, ?, ?)').run(
      this.id,
      this.startsAfter,
      nowAt,
    );
    this.#look();
  }

  /** How many there are, itself included, as of the last report. */
  get count(): number {
    return this.#count;
  }

  #isContinued(startAt: FeedPosition, head: number): boolean {
    if (startAt.epoch !== this.#epoch || startAt.position > head) return false;
    if (startAt.installation !== this.#installation) return false;
    const [row] = rowsOf(this.#db, 'SELECT seen_at FROM cache_readers WHERE id = ?', startAt.reader);
    if (row === undefined || Number(row.seen_at) < startAt.seenAt) return false;
    if (startAt.position === head) return true;
    return (
      rowsOf(this.#db, 'SELECT 1 FROM cache_changes WHERE position = ?', startAt.position + 1).length === 1
    );
  }

  /** Takes over that the feed was begun anew by somebody, or that its triggers are others. */
  rejoin(): void {
    this.#epoch = metaOf(this.#db, 'epoch') ?? '';
    this.#installation = metaOf(this.#db, 'installation') ?? '';
    // Its row may have gone with the tables.
    this.hasGoneBack();
  }

  positionAt(position: number): FeedPosition {
    return {
      epoch: this.#epoch,
      installation: this.#installation,
      reader: this.id,
      position,
      seenAt: this.#seenAt,
    };
  }

  /** Writes down how far it has come, and forgets the dead. Runs within a transaction. */
  report(position: number, nowAt: number): void {
    this.#db
      .prepare(
        'INSERT INTO cache_readers VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position, seen_at = excluded.seen_at',
      )
      .run(this.id, position, nowAt);
    this.#db.prepare('DELETE FROM cache_readers WHERE seen_at < ?').run(nowAt - this.#limits.forgetAfterMs);
    this.#look();
    this.#seenAt = nowAt;
  }

  #look(): void {
    const [{ readers = 1 } = {}] = rowsOf(this.#db, 'SELECT count(*) AS readers FROM cache_readers');
    this.#count = Number(readers);
  }

  /** Whether the database was put back as it was before the last report, as from a backup. Tells of it once. */
  hasGoneBack(): boolean {
    const [row] = rowsOf(this.#db, 'SELECT seen_at FROM cache_readers WHERE id = ?', this.id);
    const seenAt = Number(row?.seen_at ?? 0);
    const isBack = seenAt < this.#seenAt;
    this.#seenAt = seenAt;
    return isBack;
  }

  leave(): void {
    this.#db.prepare('DELETE FROM cache_readers WHERE id = ?').run(this.id);
  }

  /**
   * Removes a slice of what nobody needs; true when there may be more. The last row stays: whoever missed rows before
   * it finds the gap, and the next position follows from it.
   */
  prune(): boolean {
    const [{ first = null, last = null, needed = null } = {}] = rowsOf(
      this.#db,
      `SELECT (SELECT min(position) FROM cache_changes) AS first, (SELECT max(position) FROM cache_changes) AS last,
         (SELECT min(position) FROM cache_readers) AS needed`,
    );
    if (first === null || last === null) return false;
    const behind = Math.max(Number(needed ?? last), Number(last) - this.#limits.maxRows);
    const goal = Math.min(behind, Number(last) - 1);
    if (Number(first) > goal) return false;
    const upTo = Math.min(goal, Number(first) + PRUNE_SLICE - 1);
    this.#db.prepare('DELETE FROM cache_changes WHERE position <= ?').run(upTo);
    return upTo < goal;
  }
}

/** The last position that was given. */
export function headOf(db: FeedDatabase): number {
  const [{ head } = {}] = rowsOf(db, 'SELECT max(position) AS head FROM cache_changes');
  return Number(head ?? 0);
}
