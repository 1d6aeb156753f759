/**
 * Who reads the changes, and how far: so that rows behind everybody can go, and that whoever comes back knows whether
 * rows it needed have gone.
 *
 * Each change bears a random token. A reader's place is the last change that it has applied, with that token: where the
 * row is still there and bears it, everything up to it is as the reader knows it, and what follows is what it missed.
 * Where it does not, the database was put back as it was before, or rows were removed: a gap. So every reader's own row
 * stays; one that has not been seen for long, or is too many rows behind, holds up nobody, and finds a gap.
 */
import { randomUUID } from 'node:crypto';
import { type FeedDatabase, rowsOf } from './database.ts';
import { epochOf, installationOf } from './install.ts';

/** A change, and all before it. */
export interface Place {
  /** 0: before the first change. */
  readonly position: number;
  /** What tells the change from another of that position; 0 before the first. */
  readonly token: number;
}

/** Where a reader stands: plain data, to be kept beside what was cached and given back as `startAt`. */
export interface FeedPosition extends Place {
  /** The database; another file, or one that was begun anew, has another. */
  readonly epoch: string;
  /** The triggers that were there: others may not have told of everything that is cached. */
  readonly installation: string;
  /** SQLite's count of changes to the schema: triggers tell of rows, not of columns that are added or converted. */
  readonly schema: number;
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
  readonly startsAfter: Place;
  /** The schema as of the start. */
  readonly schema: number;
  #set: string;
  #count = 1;
  #epoch = '';
  #installation = '';

  /**
   * Registers. Runs within a transaction, after the tables are there.
   * @param set the triggers that it needs
   */
  constructor(
    db: FeedDatabase,
    limits: ReaderLimits,
    set: string,
    nowAt: number,
    startAt: FeedPosition | undefined,
  ) {
    this.#db = db;
    this.#limits = limits;
    this.#set = set;
    this.identify(set);
    const [{ schema_version: schema = 0 } = {}] = rowsOf(db, 'PRAGMA main.schema_version');
    this.schema = Number(schema);
    this.beginning = startAt === undefined ? 'new' : this.#isContinued(startAt) ? 'resumed' : 'gap';
    this.startsAfter =
      startAt !== undefined && this.beginning === 'resumed'
        ? { position: startAt.position, token: startAt.token }
        : placeIn(db);
    this.#write(this.startsAfter.position, nowAt, set);
    this.#look();
  }

  /** How many there are, itself included, as of the last report. */
  get count(): number {
    return this.#count;
  }

  #isContinued({ epoch, installation, schema, position, token }: FeedPosition): boolean {
    if (epoch !== this.#epoch || installation !== this.#installation || schema !== this.schema) return false;
    const [own, next] = rowsOf(
      this.#db,
      'SELECT position, token FROM main.cache_changes WHERE position >= ? ORDER BY position LIMIT 2',
      Math.max(position, 1),
    );
    if (position === 0) return own === undefined || own.position === 1;
    if (own?.position !== position || own.token !== token) return false;
    return next === undefined || next.position === position + 1;
  }

  /** Puts itself on record again, where its row may have gone with the tables. Within a transaction. */
  rejoin(set: string, nowAt: number): void {
    this.identify(set);
    this.#write(placeIn(this.#db).position, nowAt, set);
  }

  /** Takes over that the feed was begun anew by somebody, or that its triggers are others. */
  identify(set: string): void {
    this.#set = set;
    this.#epoch = epochOf(this.#db) ?? '';
    this.#installation = installationOf(this.#db, set) ?? '';
  }

  positionAt({ position, token }: Place, schema: number): FeedPosition {
    return { epoch: this.#epoch, installation: this.#installation, schema, position, token };
  }

  /**
   * Writes down how far it has come, and forgets the dead. Runs within a transaction.
   * @param isRunning whether it needs its triggers, or only its place for a next start
   */
  report(position: number, nowAt: number, isRunning: boolean): void {
    this.#write(position, nowAt, isRunning ? this.#set : null);
    // Where the clock was set back: from now on like the others, so that the dead among them have an end.
    this.#db.prepare('UPDATE main.cache_readers SET seen_at = ? WHERE seen_at > ?').run(nowAt, nowAt);
    this.#db
      .prepare('DELETE FROM main.cache_readers WHERE seen_at < ?')
      .run(nowAt - this.#limits.forgetAfterMs);
    this.#look();
  }

  #write(position: number, nowAt: number, set: string | null): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO main.cache_readers (id, position, seen_at, rules) VALUES (?, ?, ?, ?)')
      .run(this.id, position, nowAt, set);
  }

  #look(): void {
    const [{ readers = 1 } = {}] = rowsOf(this.#db, 'SELECT count(*) AS readers FROM main.cache_readers');
    this.#count = Number(readers);
  }

  leave(): void {
    this.#db.prepare('DELETE FROM main.cache_readers WHERE id = ?').run(this.id);
  }

  /**
   * Removes a slice of what nobody needs; true when there may be more. The last row stays, since the next position
   * follows from it, and so does the one that each reader has applied last.
   */
  prune(): boolean {
    const [{ first = null, last = null, needed = null } = {}] = rowsOf(
      this.#db,
      `SELECT (SELECT min(position) FROM main.cache_changes) AS first, (SELECT max(position) FROM main.cache_changes) AS last,
         (SELECT min(position) FROM main.cache_readers) AS needed`,
    );
    if (first === null || last === null) return false;
    const behind = Math.max(Number(needed ?? last) - 1, Number(last) - this.#limits.maxRows);
    const goal = Math.min(behind, Number(last) - 1);
    if (Number(first) > goal) return false;
    const upTo = Math.min(goal, Number(first) + PRUNE_SLICE - 1);
    this.#db.prepare('DELETE FROM main.cache_changes WHERE position <= ?').run(upTo);
    return upTo < goal;
  }
}

/** The last change up to a position: positions have no holes but where rows were removed. */
export function placeIn(db: FeedDatabase, upTo = Number.MAX_SAFE_INTEGER): Place {
  const [row] = rowsOf(
    db,
    'SELECT position, token FROM main.cache_changes WHERE position <= ? ORDER BY position DESC LIMIT 1',
    upTo,
  );
  return row === undefined
    ? { position: 0, token: 0 }
    : { position: Number(row.position), token: Number(row.token) };
}
