/** What better-sqlite3 says by its errors' codes. */

import { isError } from './error-text.ts';

/** Such as `SQLITE_FULL`; empty for what is no error of SQLite's. */
export function sqliteCode(error: unknown): string {
  const code: unknown = isError(error) ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

/** Whether somebody else holds the lock. */
export function isBusy(error: unknown): boolean {
  return /^SQLITE_(?:BUSY|LOCKED)/.test(sqliteCode(error));
}
