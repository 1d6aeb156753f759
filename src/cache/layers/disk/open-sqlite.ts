/** Opens SQLite files, made with their folders where there are none, with better-sqlite3, which only those need to install who keep something on disk. */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { CacheError } from '../../errors.ts';
import { ownPlace } from '../../own-place.ts';
import { createPrivate } from './private-file.ts';
import type { OpenDatabase, StoreDatabase } from './store-database.ts';

export const openWithBetterSqlite3: OpenDatabase = (path) => {
  const place = ownPlace();
  let Database: new (file: string) => StoreDatabase;
  try {
    Database = createRequire(place)('better-sqlite3') as typeof Database; // its types are the host's to install
  } catch (cause) {
    throw new CacheError('ERR_ARGUMENT_INVALID', whyNot(cause, place), { cause });
  }
  mkdirSync(dirname(path), { recursive: true });
  createPrivate(path);
  return new Database(path);
};

function whyNot(cause: unknown, place: string): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return code === 'MODULE_NOT_FOUND' && message.includes("'better-sqlite3'")
    ? `A cache on disk needs better-sqlite3, and it is not installed where ${place} would find it: npm install better-sqlite3`
    : `A cache on disk needs better-sqlite3, which is installed and could not be loaded (npm rebuild better-sqlite3 may help): ${message}`;
}
