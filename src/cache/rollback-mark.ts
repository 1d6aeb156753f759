/**
 * Tells what was rolled back with a savepoint that was begun elsewhere, within a transaction of ours: better-sqlite3
 * says nothing of it, but a number in a temporary table goes back with it. What cannot be told counts as rolled back.
 */

/** What is used of better-sqlite3's `Database`. */
export interface MarkedDatabase {
  readonly inTransaction: boolean;
  exec(source: string): unknown;
  prepare(source: string): {
    all(...parameters: readonly unknown[]): unknown[];
    run(...parameters: readonly unknown[]): unknown;
  };
}

export class RollbackMark {
  readonly #read: () => unknown[];
  readonly #write: (mark: number) => unknown;
  #last = 0;

  /** @throws SqliteError for a connection that is closed */
  constructor(db: MarkedDatabase) {
    // Without a rowid, so that `last_insert_rowid()` stays what the author's statements have made it.
    db.exec(
      `CREATE TEMP TABLE IF NOT EXISTS cachecord_mark (id INTEGER PRIMARY KEY, mark INTEGER NOT NULL) WITHOUT ROWID;
       INSERT OR REPLACE INTO temp.cachecord_mark VALUES (1, 0)`,
    );
    const select = db.prepare('SELECT mark FROM temp.cachecord_mark');
    const update = db.prepare('UPDATE temp.cachecord_mark SET mark = ?');
    this.#read = () => select.all();
    this.#write = (mark) => update.run(mark);
  }

  /** Of what happens now; `undefined` where it could not be told afterwards. */
  make(): number | undefined {
    try {
      this.#write(this.#last + 1);
      return ++this.#last;
    } catch {
      // Its rows are being iterated over, so that it takes no statement that writes.
      return undefined;
    }
  }

  /** All marks up to this one stand, if what was rolled back is taken out each time before another one is made. */
  get standing(): number {
    try {
      const [row] = this.#read();
      return Number(Object.values(row ?? {})[0] ?? 0);
    } catch {
      // Made within a transaction of others that was rolled back, the table is gone.
      return 0;
    }
  }
}
