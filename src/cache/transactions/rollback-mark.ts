/**
 * Tells what was rolled back, wholly or to a savepoint, whoever did it: better-sqlite3 says nothing of it, but a number
 * in a temporary table goes back with it.
 */
import { randomInt } from 'node:crypto';

/** What is used of better-sqlite3's `Database`. */
export interface MarkedDatabase {
  readonly inTransaction: boolean;
  exec(source: string): unknown;
  prepare(source: string): MarkStatement;
}

interface MarkStatement {
  all(...parameters: readonly unknown[]): unknown[];
}

export class RollbackMark {
  readonly #db: MarkedDatabase;
  /** Tells it from that of another cache on the same connection. */
  readonly #id = randomInt(2 ** 47);
  #statements: { readonly read: MarkStatement; readonly write: MarkStatement } | undefined;
  #last = 0;

  constructor(db: MarkedDatabase) {
    this.#db = db;
  }

  /** Before a transaction: made within, the table goes with it, and cannot be made while rows are iterated over. */
  prepare(): void {
    try {
      this.#statements ??= this.#prepare();
    } catch {
      // It is tried again when a mark is made.
    }
  }

  /** Of what happens now; `undefined` where it could not be told afterwards. */
  make(): number | undefined {
    try {
      this.#statements ??= this.#prepare();
      this.#statements.write.all(this.#id, ++this.#last);
      return this.#last;
    } catch {
      // Made within something that was rolled back, the table is gone: the next mark makes it anew.
      this.#statements = undefined;
      return undefined;
    }
  }

  /**
   * All marks up to this one stand, if what was rolled back is taken out each time before another one is made;
   * `undefined` where that cannot be told.
   */
  get standing(): number | undefined {
    try {
      const [row] = this.#statements?.read.all(this.#id) ?? [];
      return Number(Object.values(row ?? {})[0] ?? 0);
    } catch {
      // As above.
      this.#statements = undefined;
      return undefined;
    }
  }

  #prepare() {
    // Without a rowid, so that `last_insert_rowid()` stays what the author's statements have made it.
    this.#db.exec(
      'CREATE TEMP TABLE IF NOT EXISTS cachecord_mark (id INTEGER PRIMARY KEY, mark INTEGER NOT NULL) WITHOUT ROWID',
    );
    return {
      read: this.#db.prepare('SELECT mark FROM temp.cachecord_mark WHERE id = ?'),
      // As a statement that gives rows, it runs while others are iterated over.
      write: this.#db.prepare('INSERT OR REPLACE INTO temp.cachecord_mark VALUES (?, ?) RETURNING mark'),
    };
  }
}
