/**
 * The journal: what was acknowledged and is not saved yet, and what can't be saved, as rows of one table. A row goes
 * when its write is saved, superseded or given up, and never otherwise.
 *
 * The file belongs to one process at a time: an exclusive lock holds it, which the operating system takes back when
 * the process dies in whatever way. Two would each replay the other's writes.
 */
import { invalidArgument } from '../cache/arguments.ts';
import { errorText } from '../cache/error-text.ts';
import { CacheError } from '../cache/errors.ts';
import { isBusy } from '../cache/sqlite-error.ts';
import { inTransaction, type JournalDatabase, type JournalStatement } from './database.ts';

/** What is on the disk at the acknowledgement, and so what it survives. */
export type Synchronous = 'normal' | 'full';

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is neither; `undefined` is the default */
export function assertSynchronous(value: unknown, usage: string): void {
  if (value === undefined || value === 'normal' || value === 'full') return;
  throw invalidArgument(usage, `synchronous is 'normal' or 'full', not ${String(value)}`);
}

/** Marks the file as ours in its header ("CcWb"). */
const APPLICATION_ID = 0x43_63_57_62;
const VERSION = 1;

const SCHEMA = `
  CREATE TABLE writes (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- the order; never given twice
    name TEXT NOT NULL,                   -- the writer
    key TEXT NOT NULL,
    value ANY NOT NULL,                   -- as src/cache/values/codec.ts has it: text, or bytes where compressed
    idempotency_key TEXT NOT NULL,
    written_at INTEGER NOT NULL,          -- epoch milliseconds
    failures INTEGER NOT NULL DEFAULT 0,
    error TEXT,                           -- of the last failure
    dead_at INTEGER                       -- epoch milliseconds; NULL: it waits
  ) STRICT;
  CREATE INDEX dead_writes ON writes (name, id) WHERE dead_at IS NOT NULL;
`;

/** The row of a write. */
export interface JournalRow {
  readonly id: number;
  readonly name: string;
  readonly key: string;
  readonly stored: string | Uint8Array;
  readonly idempotencyKey: string;
  readonly writtenAt: number;
  readonly failures: number;
  readonly error: string | null;
  readonly deadAt: number | null;
}

export type NewRow = Pick<JournalRow, 'name' | 'key' | 'stored' | 'idempotencyKey' | 'writtenAt'>;

const COLUMNS = `id, name, key, value AS stored, idempotency_key AS idempotencyKey, written_at AS writtenAt, failures,
  error, dead_at AS deadAt`;

/** Longer reasons are of no use to anybody. */
const MAX_ERROR_LENGTH = 500;

/**
 * Makes the file a journal, and ours alone.
 * @throws CacheError `ERR_STORE_FAILED` for the file of another program, of a newer version, or in use
 * @throws SqliteError for a file that is damaged, and whatever else
 */
export function prepareJournal(db: JournalDatabase, synchronous: Synchronous): void {
  try {
    const number = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
    const [application, version] = [number('application_id'), number('user_version')];
    const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').all().length === 0;
    if (application !== APPLICATION_ID && !isEmpty) {
      throw refusal(
        db,
        'it belongs to another program. It was left as it is: give the journal a file of its own',
      );
    }
    if (version > VERSION) {
      throw refusal(db, 'it is of a newer version of Cachecord. It was left as it is: start that one again');
    }
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${synchronous.toUpperCase()}`);
    // What was removed is overwritten, so that who is forgotten is.
    db.pragma('secure_delete = ON');
    // Takes the lock, also where there is nothing to do.
    inTransaction(db, () => {
      if (isEmpty) db.exec(SCHEMA);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${VERSION}`);
    });
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw refusal(
      db,
      'another process has it. Each process needs a journal of its own: stop the other one, or give this one another file',
      error,
    );
  }
}

/** @throws SqliteError `SQLITE_CORRUPT` where a part of the file is damaged */
export function checkJournal(db: JournalDatabase): void {
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found === 'ok') return;
  throw Object.assign(new Error(String(found)), { code: 'SQLITE_CORRUPT' });
}

export class Journal {
  readonly #db: JournalDatabase;
  readonly #insert: JournalStatement;
  readonly #remove: JournalStatement;
  readonly #fail: JournalStatement;
  readonly #bury: JournalStatement;
  readonly #revive: JournalStatement;
  readonly #ofName: JournalStatement;
  readonly #counts: JournalStatement;
  readonly #dead: JournalStatement;
  /** Saved or forgotten, and still in the file since it did not take the removal. */
  readonly #leftovers = new Set<number>();

  constructor(db: JournalDatabase) {
    this.#db = db;
    const prepare = (source: string) => db.prepare(source).safeIntegers(false);
    const listed = 'WHERE id IN (SELECT value FROM json_each(?))';
    this.#insert = prepare(
      'INSERT INTO writes (name, key, value, idempotency_key, written_at) VALUES (?, ?, ?, ?, ?)',
    );
    this.#remove = prepare(`DELETE FROM writes ${listed}`);
    this.#fail = prepare(`UPDATE writes SET failures = failures + 1, error = ? ${listed}`);
    this.#bury = prepare(`UPDATE writes SET failures = failures + 1, error = ?, dead_at = ? ${listed}`);
    this.#revive = prepare(`UPDATE writes SET failures = 0, dead_at = NULL ${listed}`);
    this.#ofName = prepare(`SELECT ${COLUMNS} FROM writes WHERE name = ? ORDER BY id`);
    this.#counts = prepare(
      `SELECT name, count(*) AS writes, count(dead_at) AS dead, min(written_at) AS oldestAt FROM writes GROUP BY name`,
    );
    this.#dead = prepare(
      `SELECT ${COLUMNS} FROM writes WHERE dead_at IS NOT NULL AND name = coalesce(?, name) ORDER BY id LIMIT ?`,
    );
  }

  get path(): string {
    return this.#db.name;
  }

  get isOpen(): boolean {
    return this.#db.open;
  }

  /**
   * Keeps a write, in place of those that it supersedes. On the disk when it returns.
   * @returns its id
   * @throws CacheError `ERR_STORE_FAILED`; then nothing has changed
   */
  add(row: NewRow, superseded: readonly number[]): number {
    const { name, key, stored, idempotencyKey, writtenAt } = row;
    const insert = () =>
      Number(this.#insert.run(name, key, stored, idempotencyKey, writtenAt).lastInsertRowid);
    const gone = [...superseded, ...this.#leftovers];
    try {
      if (gone.length === 0) return insert();
      const id = inTransaction(this.#db, () => {
        this.#remove.run(JSON.stringify(gone));
        return insert();
      });
      this.#leftovers.clear();
      return id;
    } catch (error) {
      throw new CacheError(
        'ERR_STORE_FAILED',
        `A write of ${name} was refused: the journal ${this.path} did not take it (${errorText(error)}). Nothing was written.`,
        { key, cause: error },
      );
    }
  }

  /** How many rows are over and still in the file. */
  get left(): number {
    return this.#leftovers.size;
  }

  /** @throws SqliteError; then nothing has changed */
  remove(ids: readonly number[]): void {
    this.#remove.run(JSON.stringify(ids));
  }

  /** The same for writes that are over. @throws SqliteError; they go with the next change that the file takes, or else are replayed */
  discard(ids: readonly number[]): void {
    for (const id of ids) this.#leftovers.add(id);
    this.#remove.run(JSON.stringify([...this.#leftovers]));
    this.#leftovers.clear();
  }

  /** Nothing that was removed is to be found in the files afterwards. False where the file does not let. */
  scrub(): boolean {
    return this.#db.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) === 0;
  }

  /** Counts a failed attempt. @throws SqliteError */
  fail(ids: readonly number[], error: string): void {
    this.#fail.run(error.slice(0, MAX_ERROR_LENGTH), JSON.stringify(ids));
  }

  /** Puts writes on the list of those that can't be saved. @throws SqliteError */
  bury(ids: readonly number[], error: string, deadAt: number): void {
    this.#bury.run(error.slice(0, MAX_ERROR_LENGTH), deadAt, JSON.stringify(ids));
  }

  /** Takes writes off that list. @throws SqliteError */
  revive(ids: readonly number[]): void {
    this.#revive.run(JSON.stringify(ids));
  }

  /** In the order of the writes. */
  rowsOf(name: string): JournalRow[] {
    const rows = this.#ofName.all(name) as JournalRow[]; // the columns are named so
    return rows.filter(({ id }) => !this.#leftovers.has(id));
  }

  counts(): {
    readonly name: string;
    readonly writes: number;
    readonly dead: number;
    readonly oldestAt: number;
  }[] {
    return this.#counts.all() as ReturnType<Journal['counts']>; // the columns are named so
  }

  /** Oldest first. @param name `null`: of all writers */
  dead(name: string | null, limit: number): JournalRow[] {
    return this.#dead.all(name, limit) as JournalRow[]; // the columns are named so
  }
}

function refusal(db: JournalDatabase, why: string, cause?: unknown): CacheError {
  return new CacheError('ERR_STORE_FAILED', `The journal ${db.name} can't be used: ${why}.`, { cause });
}
