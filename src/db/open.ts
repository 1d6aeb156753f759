/**
 * Opens the shop's database file, ready for use: of this program, up to date, and with the settings a bot wants.
 * Nothing is written to a file before it is known to be ours.
 */
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { createPrivate, keepPrivate } from '../cache/layers/disk/private-file.ts';
import { explain } from './errors.ts';
import { assertOurs, migrate } from './migrations.ts';

/** Long enough for another process's transaction, short enough for a person who waits. */
const BUSY_TIMEOUT_MS = 5_000;

/**
 * @param path a file, made with its folders where there is none; or `:memory:`
 * @throws DatabaseError which says what to do; the file is closed and was not changed
 */
export function openDatabase(path: string): Database.Database {
  const inMemory = path === ':memory:';
  const file = inMemory ? path : resolve(path);
  let db: Database.Database | undefined;
  try {
    // An empty name would be a temporary database that is gone at the end.
    if (path.trim() === '') throw new TypeError('the path is empty');
    if (!inMemory) mkdirSync(dirname(file), { recursive: true });
    createPrivate(file);
    db = new Database(file, { timeout: BUSY_TIMEOUT_MS });
    assertOurs(db);
    keepPrivate(file);
    // Readers and one writer at a time, in any number of processes, without waiting for each other.
    db.pragma('journal_mode = WAL');
    // Safe when the process dies; a power cut may lose the last commits, never the file.
    db.pragma('synchronous = NORMAL');
    db.pragma('foreign_keys = ON');
    migrate(db);
    return db;
  } catch (error) {
    db?.close();
    throw explain(error, file, 'opened');
  }
}
