/** Opens SQLite files, made with their folders where there are none, with better-sqlite3, which only those need to install who keep something on disk. */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { CacheError } from '../../errors.ts';
import { ownPlace } from '../../own-place.ts';
import { createPrivate } from './private-file.ts';
import type { OpenDatabase, StoreDatabase } from './store-database.ts';

/** The oldest that was tried; package.json has the range. */
const FIRST = [9, 6] as const;

export const openWithBetterSqlite3: OpenDatabase = (path) => {
  const Database = betterSqlite3(ownPlace());
  mkdirSync(dirname(path), { recursive: true });
  createPrivate(path);
  try {
    return new Database(path);
  } catch (error) {
    // Its native part is loaded with the first database.
    throw isUnbuilt(error)
      ? unusable('is installed and was not built for this Node: npm rebuild better-sqlite3', error)
      : error;
  }
};

function betterSqlite3(place: string): new (file: string) => StoreDatabase {
  const require = createRequire(place);
  let version: string;
  try {
    ({ version } = require('better-sqlite3/package.json') as { version: string });
  } catch (error) {
    throw unusable(`is not installed where ${place} would find it: npm install better-sqlite3`, error);
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < FIRST[0] || (major === FIRST[0] && minor < FIRST[1])) {
    throw unusable(`is ${version}, and must be ${FIRST.join('.')} or newer: npm install better-sqlite3`);
  }
  return require('better-sqlite3'); // its types are the host's to install
}

function isUnbuilt(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_DLOPEN_FAILED' || /^Could not locate the bindings file/.test(message);
}

function unusable(why: string, cause?: unknown): CacheError {
  return new CacheError('ERR_ARGUMENT_INVALID', `A cache on disk needs better-sqlite3, which ${why}`, {
    cause,
  });
}
