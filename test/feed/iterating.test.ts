/** A host that iterates over rows: better-sqlite3 lets nothing write on that connection meanwhile. */
import { expect, it, onTestFinished } from 'vitest';
import { makeFolder, openFile, SHOP, watch } from './support.ts';

function shop() {
  const folder = makeFolder();
  const db = openFile(folder.file());
  const other = openFile(folder.file());
  db.exec(SHOP);
  for (let id = 0; id < 20; id++)
    db.prepare('INSERT INTO users (id, name) VALUES (?, ?)').run(String(id), 'Ada');
  const watched = watch(db, { users: 'user::{id}' }, { pollIntervalMs: 100, reportIntervalMs: 1_000 });
  onTestFinished(async () => {
    watched.feed.stop();
    await watched.cache.stop();
    for (const connection of [db, other]) connection.close();
    folder.remove();
  });
  const select = db.prepare('SELECT * FROM users WHERE id = ?');
  const read = (id: string) => watched.sql.cache.getOrLoadSync(`user::${id}`, () => select.get(id));
  return { ...watched, db, other, read };
}

it('is followed by polls and reports without a word, and goes on to be afterwards', async () => {
  const { db, other, cache, read, messages, told } = shop();
  for (let id = 0; id < 20; id++) read(String(id));
  told();
  let walked = 0;
  for (const _ of db.prepare('SELECT id FROM users').iterate()) {
    if (++walked === 3) other.exec("UPDATE users SET cents = 7 WHERE id = '3'");
    await cache.clock.advanceAsync(600);
  }
  expect(walked).toBe(20);
  expect(messages).toEqual([]);
  await cache.clock.advanceAsync(100);
  expect(told()).toEqual(['user::3']);
  expect(read('3')).toMatchObject({ cents: 7 });
  expect(db.pragma('busy_timeout', { simple: true })).toBe(5_000);
  db.exec("UPDATE users SET cents = 9 WHERE id = '4'");
  expect(read('4')).toMatchObject({ cents: 9 });
  await cache.clock.advanceAsync(5_000);
  expect(messages).toEqual([]);
});

it('within a transaction may set values: they are kept at the commit, and dropped with it', () => {
  const { db, sql } = shop();
  const fill = (text: string) => {
    for (const row of db.prepare('SELECT id FROM users').iterate()) {
      expect(sql.cache.set(`user::${(row as { id: string }).id}`, text)).toBe(true);
    }
  };
  sql.transaction(() => fill('kept'))();
  expect(sql.cache.get('user::19')).toBe('kept');
  const failing = sql.transaction(() => {
    fill('dropped');
    throw new Error('no');
  });
  expect(failing).toThrow('no');
  expect(sql.cache.get('user::19')).toBe('kept');
  sql.transaction(() => {
    db.exec('SAVEPOINT own');
    fill('undone');
    db.exec('ROLLBACK TO own');
  })();
  expect(sql.cache.get('user::19')).toBeUndefined();
});
