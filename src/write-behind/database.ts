/** What the journal uses of better-sqlite3's `Database`, so that nobody needs its types who does not use it. */
import { sqliteCode } from '../cache/sqlite-error.ts';
export interface JournalDatabase {
  /** The path of the file. */
  readonly name: string;
  readonly open: boolean;
  readonly inTransaction: boolean;
  prepare(source: string): JournalStatement;
  exec(source: string): unknown;
  pragma(source: string, options?: { readonly simple?: boolean }): unknown;
  close(): unknown;
}

export interface JournalStatement {
  run(...parameters: readonly unknown[]): { readonly lastInsertRowid: number | bigint };
  all(...parameters: readonly unknown[]): unknown[];
  safeIntegers(on?: boolean): JournalStatement;
}

/** Runs in one transaction; it is undone when `work` throws. */
export function inTransaction<T>(db: JournalDatabase, work: () => T): T {
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

/** Whether the file, or a part of it, is no SQLite database any more. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT');
}
