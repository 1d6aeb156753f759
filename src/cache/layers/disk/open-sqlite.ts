/** Opens SQLite files, made with their folders where there are none, with better-sqlite3, which only those need to install who keep something on disk. */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { CacheError } from '../../errors.ts';
import { createPrivate } from './private-file.ts';
import type { OpenDatabase, StoreDatabase } from './store-database.ts';

export const openWithBetterSqlite3: OpenDatabase = (path) => {
  let Database: new (file: string) => StoreDatabase;
  try {
    Database = createRequire(import.meta.url)('better-sqlite3') as typeof Database; // its types are the host's to install
  } catch (error) {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      'A cache on disk needs better-sqlite3: npm install better-sqlite3',
      {
        cause: error,
      },
    );
  }
  mkdirSync(dirname(path), { recursive: true });
  createPrivate(path);
  return new Database(path);
};
