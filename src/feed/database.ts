/** What the feed uses of better-sqlite3's `Database`, so that nobody needs its types who does not use it. */
export interface FeedDatabase {
  readonly inTransaction: boolean;
  readonly open: boolean;
  prepare(source: string): FeedStatement;
  exec(source: string): unknown;
  function(
    name: string,
    options: { readonly varargs?: boolean },
    call: (...args: never[]) => unknown,
  ): unknown;
}

export interface FeedStatement {
  run(...parameters: readonly unknown[]): unknown;
  get(...parameters: readonly unknown[]): unknown;
  all(...parameters: readonly unknown[]): unknown[];
  pluck(): FeedStatement;
  raw(): FeedStatement;
  safeIntegers(on?: boolean): FeedStatement;
}

/** What SQLite keeps in a column, as better-sqlite3 gives it. */
export type SqliteValue = string | number | bigint | null | Uint8Array;

/** A name in SQL, whatever is in it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text in SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Rows of a statement that runs once, with plain numbers whatever the connection prefers. */
export function rowsOf(
  db: FeedDatabase,
  source: string,
  ...parameters: readonly unknown[]
): Readonly<Record<string, unknown>>[] {
  // Statements without a join or alias give the columns by their names.
  return db
    .prepare(source)
    .safeIntegers(false)
    .all(...parameters) as Readonly<Record<string, unknown>>[];
}

/** Runs in one transaction that begins as a writer; it is undone when `work` throws. */
export function inTransaction<T>(db: FeedDatabase, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite ends some transactions by itself, such as when the disk is full.
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
