/** What better-sqlite3 says by its errors. */
import { errorText, isError } from './error-text.ts';

/** Such as `SQLITE_FULL`; empty for what is no error of SQLite's. */
export function sqliteCode(error: unknown): string {
  const code: unknown = isError(error) ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

/**
 * Whether rows are being iterated over on the connection: better-sqlite3 runs nothing then that may write, and says so by
 * a TypeError without a code.
 */
export function isIterating(error: unknown): boolean {
  return /\bbusy executing a query\b/.test(errorText(error));
}

/** Whether somebody else holds the lock. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(?:BUSY|LOCKED)/.test(sqliteCode(error));
}
