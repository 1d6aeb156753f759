import { copyFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { makeFolder, openFile, SHOP, type Watched, watch } from './support.ts';

const PAY = "UPDATE users SET cents = cents + 1 WHERE id = '1'";
const headOf = (db: Database.Database) => db.prepare('SELECT max(position) FROM cache_changes').pluck().get();
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A bot that has paid once since a copy of its database was taken, and what puts the copy back. */
async function botWithBackup(): Promise<
  Watched & { wallet(id: string): number | undefined; restore(changes?: string): Promise<void> }
> {
  const folder = makeFolder();
  cleanups.push(() => folder.remove());
  const path = folder.file();
  const db = openFile(path);
  db.exec(SHOP);
  db.exec("INSERT INTO users (id, name, cents) VALUES ('1', 'Ada', 100), ('2', 'Bob', 200)");
  const watched = watch(db, { users: 'user::{id}::*' });
  cleanups.push(async () => {
    watched.feed.stop();
    await watched.cache.stop();
    db.close();
  });
  const select = db.prepare<[string], number>('SELECT cents FROM users WHERE id = ?').pluck();
  const wallet = cachedSync(watched.sql.cache, (id: string) => select.get(id), { key: 'user::{0}::wallet' });
  db.exec(PAY);
  watched.feed.drain();
  await db.backup(folder.file('copy.sqlite'));
  await watched.cache.clock.advanceAsync(61_000);
  db.exec(PAY);
  const restore = async (changes = '') => {
    const copy = new Database(folder.file('copy.sqlite'));
    if (changes !== '') copy.exec(changes);
    // As `.restore` of the sqlite3 shell does: into the file that is open here.
    await copy.backup(path);
    copy.close();
  };
  return { ...watched, wallet, restore };
}

describe('a database that is put back as it was, while the bot runs', () => {
  it('I8: is noticed at the next poll, though as many changes came since as were lost', async () => {
    const { wallet, cache, restore, gaps } = await botWithBackup();
    expect([wallet('1'), wallet('2')]).toEqual([102, 200]);
    await restore("UPDATE users SET cents = 7 WHERE id = '2'");
    await cache.clock.advanceAsync(250);
    expect([wallet('1'), wallet('2')]).toEqual([101, 7]);
    expect(gaps).toEqual(['schema']);
  });

  it('I8: is noticed though more changes came since than were lost', async () => {
    const { wallet, cache, restore, db, gaps } = await botWithBackup();
    expect([wallet('1'), wallet('2')]).toEqual([102, 200]);
    await restore();
    db.exec("UPDATE users SET cents = 8 WHERE id = '2'; UPDATE users SET cents = 9 WHERE id = '2'");
    await cache.clock.advanceAsync(250);
    expect([wallet('1'), wallet('2')]).toEqual([101, 9]);
    expect(gaps).toEqual(['schema']);
  });

  it('I8: is noticed where what it took back was read, but not yet told by the feed', async () => {
    const { wallet, cache, restore, db, feed, gaps } = await botWithBackup();
    await restore();
    await cache.clock.advanceAsync(250);
    // The feed stands where the copy does.
    expect(feed.position().position).toBe(1);
    const other = new Database(db.name);
    other.exec(PAY);
    other.close();
    expect(wallet('1')).toBe(102);
    await restore();
    await cache.clock.advanceAsync(250);
    expect(wallet('1')).toBe(101);
    expect(gaps).toEqual(['schema', 'schema']);
  });

  it('I8: is noticed within a minute of the copy, without a report in between', async () => {
    const { wallet, cache, db, feed, gaps } = await botWithBackup();
    await db.backup(`${db.name}-copy`);
    db.exec(PAY);
    expect(wallet('1')).toBe(103);
    const copy = new Database(`${db.name}-copy`);
    copy.exec("UPDATE users SET cents = 5 WHERE id = '2'");
    await copy.backup(db.name);
    copy.close();
    expect(feed.position().position).toBe(headOf(db));
    await cache.clock.advanceAsync(250);
    expect([wallet('1'), wallet('2')]).toEqual([102, 5]);
    expect(gaps).toHaveLength(1);
  });

  it('I7: does not hide the own write that comes next', async () => {
    const { wallet, restore, db, cache, gaps } = await botWithBackup();
    expect([wallet('1'), wallet('2')]).toEqual([102, 200]);
    await restore();
    db.exec("UPDATE users SET cents = 8 WHERE id = '2'");
    expect([wallet('1'), wallet('2')]).toEqual([101, 8]);
    await cache.clock.advanceAsync(1_000);
    expect(gaps).toEqual(['missed', 'schema']);
  });

  it.each([
    ['by SQLite', 'backup'],
    ['byte by byte', 'cp'],
  ] as const)('I8: is noticed %s, also as it was before the feed', async (_, how) => {
    const folder = makeFolder();
    cleanups.push(() => folder.remove());
    const path = folder.file();
    const db = openFile(path);
    db.pragma('journal_mode = DELETE');
    db.exec(SHOP);
    db.exec("INSERT INTO users (id, name, cents) VALUES ('1', 'Ada', 100)");
    copyFileSync(path, folder.file('before.sqlite'));
    const { feed, cache, sql } = watch(db, { users: 'user::{id}::*' });
    cleanups.push(async () => {
      feed.stop();
      await cache.stop();
      db.close();
    });
    const select = db.prepare<[string], number>('SELECT cents FROM users WHERE id = ?').pluck();
    const wallet = cachedSync(sql.cache, (id: string) => select.get(id), { key: 'user::{0}::wallet' });
    db.exec(PAY);
    await cache.clock.advanceAsync(1_000);
    expect(wallet('1')).toBe(101);
    if (how === 'cp') copyFileSync(folder.file('before.sqlite'), path);
    else {
      const copy = new Database(folder.file('before.sqlite'));
      await copy.backup(path);
      copy.close();
    }
    await cache.clock.advanceAsync(1_000);
    expect(wallet('1')).toBe(100);
    db.exec(PAY);
    expect(wallet('1')).toBe(101);
    const other = new Database(path);
    other.exec(PAY);
    other.close();
    await cache.clock.advanceAsync(1_000);
    expect(wallet('1')).toBe(102);
  });
});
