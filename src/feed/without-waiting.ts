/** Statements of ours on the author's connection never wait for a lock: that would hold the event loop (I12). */
import { type FeedDatabase, rowsOf } from './database.ts';

/**
 * Runs statements that fail at once where somebody holds the lock, whatever `busy_timeout` the author has set.
 * @throws whatever SQLite throws; `isBusy` tells that somebody else holds the lock
 */
export function withoutWaiting<T>(db: FeedDatabase, work: () => T): T {
  const [{ timeout = 0 } = {}] = rowsOf(db, 'PRAGMA busy_timeout');
  if (timeout === 0) return work();
  setBusyTimeout(db, 0);
  try {
    return work();
  } finally {
    if (db.open) setBusyTimeout(db, Number(timeout));
  }
}

function setBusyTimeout(db: FeedDatabase, ms: number): void {
  const source = `PRAGMA busy_timeout = ${ms}`;
  try {
    db.exec(source);
  } catch {
    // Refused while rows are iterated over. Preparing it does the same, and takes ten times as long.
    db.prepare(source).get();
  }
}
