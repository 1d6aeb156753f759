import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { LogThread } from '../../../src/cache/layers/log-thread.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-log-'));
  path = join(folder, 'cache.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A database that never writes its log back by itself, and a way to make that longer by some 100 kB. */
function open(): { readonly db: Database.Database; commit(): void } {
  const db = new Database(path);
  onTestFinished(() => void db.close());
  db.pragma('journal_mode = WAL');
  db.pragma('wal_autocheckpoint = 0');
  db.exec('CREATE TABLE rows (value)');
  const insert = db.prepare('INSERT INTO rows VALUES (?)');
  return { db, commit: () => void insert.run('x'.repeat(100_000)) };
}

describe('I12: the log of the cache file', () => {
  it('is written back by a thread once it is long, and stays where it is before', async () => {
    const { db, commit } = open();
    const failures: unknown[] = [];
    const thread = new LogThread(path, (error) => void failures.push(error));
    for (let i = 0; i < 8; i++) {
      commit();
      thread.committed();
    }
    expect(statSync(path).size).toBeLessThan(10_000);
    await expect
      .poll(
        () => {
          commit();
          thread.committed();
          return statSync(path).size;
        },
        { timeout: 10_000 },
      )
      .toBeGreaterThan(800_000);
    expect(failures).toEqual([]);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  it('is left to others where the thread fails, and that is said once', async () => {
    const failures: unknown[] = [];
    // A log without its file.
    const thread = new LogThread(join(folder, 'other.db'), (error) => void failures.push(error));
    writeFileSync(join(folder, 'other.db-wal'), 'x'.repeat(2_000_000));
    for (let i = 0; i < 8; i++) thread.committed();
    await expect.poll(() => failures.length, { timeout: 10_000 }).toBe(1);
    for (let i = 0; i < 8; i++) thread.committed();
    expect(failures).toHaveLength(1);
  });
});
