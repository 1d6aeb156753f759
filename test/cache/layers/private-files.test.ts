/** Files with people's data are for the bot's own user alone, whatever the umask is. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../../src/cache/create-cache.ts';
import { openDatabase } from '../../../src/db/open.ts';
import { silentLogger } from '../../../src/logger.ts';
import { openJournal } from '../../../src/write-behind/open-journal.ts';
import { handClock } from '../../support/hand-clock.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-private-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Of every file there, those that somebody else may read or write. */
const open = () => readdirSync(folder).filter((name) => (statSync(join(folder, name)).mode & 0o077) !== 0);

async function cacheAt(path: string, openFile?: (file: string) => Database.Database) {
  const disk = { path, ...(openFile === undefined ? {} : { open: openFile }) };
  const cache = createCache({ clock: handClock(), logger: silentLogger, disk });
  onTestFinished(() => cache.stop());
  cache.set('config::a', 1);
  await cache.persist();
  return cache;
}

describe.runIf(process.platform !== 'win32')('a file with what people did', () => {
  it('is made for its owner alone: cache.db, its log and its notes', async () => {
    const cache = await cacheAt(join(folder, 'cache.db'));
    cache.intend(() => ['config::a']);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(['cache.db', 'cache.db-wal', 'cache.db-shm']));
    expect(open()).toEqual([]);
    await cache.stop();
    expect(open()).toEqual([]);
  });

  it('is so, too, where the host opens it', async () => {
    await cacheAt(join(folder, 'cache.db'), (file) => new Database(file));
    expect(open()).toEqual([]);
  });

  it('is so, too, in a folder that is made with it', async () => {
    await cacheAt(join(folder, 'inner', 'cache.db'));
    expect(statSync(join(folder, 'inner', 'cache.db')).mode & 0o777).toBe(0o600);
  });

  it('is the journal of write-behind', () => {
    const db = openJournal(join(folder, 'writes.db'), (file) => new Database(file), { logger: silentLogger });
    onTestFinished(() => void db.close());
    expect(open()).toEqual([]);
  });

  it("is the bot's database, and what its transactions leave beside it", () => {
    const db = openDatabase(join(folder, 'shop.db'));
    onTestFinished(() => void db.close());
    db.prepare("INSERT INTO users (id, name, created_at) SELECT '1', 'Ada', 1 WHERE 0").run();
    expect(readdirSync(folder).length).toBeGreaterThan(1);
    expect(open()).toEqual([]);
  });

  it('that is there already, and wider, is made narrower', async () => {
    const path = join(folder, 'cache.db');
    const first = new Database(path);
    first.close();
    for (const mode of [0o644, 0o664, 0o666]) {
      chmodSync(path, mode);
      const cache = await cacheAt(path);
      expect(open()).toEqual([]);
      await cache.stop();
    }
  });

  it('keeps what its owner has taken from it: a database that cannot be written stays so', () => {
    const path = join(folder, 'shop.db');
    openDatabase(path).close();
    chmodSync(path, 0o444);
    try {
      openDatabase(path).close();
    } catch {
      // Whoever is not root may not write it.
    }
    expect(statSync(path).mode & 0o222).toBe(0);
  });

  it('is left alone where it turns out to be of another program', async () => {
    const path = join(folder, 'other.db');
    const other = new Database(path);
    other.exec('CREATE TABLE theirs (id INTEGER)');
    other.close();
    chmodSync(path, 0o644);
    expect(() => openDatabase(path)).toThrow();
    expect(() => openJournal(path, (file) => new Database(file), { logger: silentLogger })).toThrow();
    const cache = createCache({ clock: handClock(), logger: silentLogger, disk: { path } });
    onTestFinished(() => cache.stop());
    expect(cache.stats(0).disk?.state).toBe('off');
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });
});
