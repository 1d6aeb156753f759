import { afterEach, describe, expect, it } from 'vitest';
import { makeFolder, openFile, SHOP, watch } from './support.ts';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const MANY = 500;

function shop() {
  const folder = makeFolder();
  const db = openFile(folder.file());
  db.exec(SHOP);
  const add = db.prepare('INSERT INTO users (id, name) VALUES (?, ?)');
  for (let id = 0; id < MANY; id++) add.run(String(id), `Ada ${id}`);
  const watched = watch(db, { users: 'user::{id}' });
  cleanups.push(async () => {
    watched.feed.stop();
    await watched.cache.stop();
    db.close();
    folder.remove();
  });
  const { cache } = watched.sql;
  const select = db.prepare<[string], number>('SELECT cents FROM users WHERE id = ?').pluck();
  const update = db.prepare('UPDATE users SET cents = ? WHERE id = ?');
  const cents = (id: string) => select.get(id);
  const read = (id: string) => cache.getOrLoadSync(`user::${id}`, () => cents(id));
  const write = (id: string, value: number) =>
    cache.writeSync(`user::${id}`, value, () => update.run(value, id));
  return { ...watched, cents, read, write };
}

describe('a transaction of others over several turns of the loop', () => {
  it('I2: leaves nothing of a load that lasts longer than it, and has read what is rolled back', async () => {
    const { db, cents, sql, feed } = shop();
    const steps = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
    const load = async () => {
      await steps[0]?.promise;
      const found = cents('1');
      await steps[1]?.promise;
      return found;
    };
    const loading = sql.cache.getOrLoad('user::1', load);
    const many = sql.cache.getOrLoadMany(['user::2'], async () => new Map([['user::2', await load()]]));
    db.exec("BEGIN; UPDATE users SET cents = 7 WHERE id IN ('1', '2')");
    steps[0]?.resolve();
    await new Promise(setImmediate);
    db.exec('ROLLBACK');
    steps[1]?.resolve();
    expect([await loading, (await many).get('user::2')]).toEqual([7, 7]);
    expect([sql.cache.has('user::1'), sql.cache.has('user::2')]).toEqual([false, false]);
    expect(feed.openWrites).toBe(1);
  });

  it('is told from one that begins and ends at once, over which loads are kept', async () => {
    const { db, cents, sql, feed } = shop();
    const { promise, resolve } = Promise.withResolvers<void>();
    const loading = sql.cache.getOrLoad('user::1', async () => {
      await promise;
      return cents('1');
    });
    db.transaction(() => db.exec("UPDATE users SET cents = 7 WHERE id = '2'"))();
    sql.transaction(() => db.exec("UPDATE users SET cents = 8 WHERE id = '2'"))();
    resolve();
    await loading;
    expect([sql.cache.has('user::1'), feed.openWrites]).toEqual([true, 0]);
  });
});

describe('a large write of this connection', () => {
  it('I7: is seen by reads while the poll applies it in slices', async () => {
    const { db, cache, read } = shop();
    for (let id = 0; id < MANY; id++) read(String(id));
    db.exec('UPDATE users SET cents = 1');
    cache.clock.advance(250);
    expect(read('450')).toBe(1);
    await cache.clock.settle();
    expect(read('451')).toBe(1);
  });

  it('is no longer looked for once the poll has applied it', async () => {
    const { db, cache, feed } = shop();
    db.exec('UPDATE users SET cents = 1');
    expect(feed.isBehind).toBe(true);
    await cache.clock.advanceAsync(250);
    expect(feed.isBehind).toBe(false);
  });

  it('is no longer looked for once the poll has found it rolled back', async () => {
    const { db, cache, feed } = shop();
    db.exec('BEGIN; UPDATE users SET cents = 1; ROLLBACK');
    expect(feed.isBehind).toBe(true);
    await cache.clock.advanceAsync(250);
    expect(feed.isBehind).toBe(false);
  });
});

describe('a value that is set within a transaction', () => {
  it('I7: is kept where nothing was written to it after that', () => {
    const { sql, read, write, told } = shop();
    sql.transaction(() => {
      write('1', 500);
      write('2', 600);
      expect(read('1')).toBe(500);
    })();
    told();
    expect(sql.cache.get('user::1')).toBe(500);
    expect(sql.cache.get('user::2')).toBe(600);
  });

  it('I7: is not kept where a plain write follows', () => {
    const { db, sql, cents, read, write } = shop();
    sql.transaction(() => {
      write('1', 500);
      db.exec("UPDATE users SET cents = cents - 5 WHERE id = '1'");
      expect(sql.cache.has('user::1')).toBe(false);
      expect(read('1')).toBe(495);
    })();
    expect(read('1')).toBe(cents('1'));
  });

  it('I7: is not kept where its table is written to later, and the last one set counts', () => {
    const { db, sql, cents, read, write } = shop();
    sql.transaction(() => {
      sql.cache.set('user::1', 500);
      db.exec('UPDATE users SET cents = 7');
      write('2', 8);
    })();
    expect(sql.cache.get('user::2')).toBe(8);
    expect(read('1')).toBe(cents('1'));
  });

  it('I7: is not kept where a write after a savepoint that was rolled back takes its number', () => {
    const { db, sql, cents, read } = shop();
    sql.transaction(() => {
      db.exec(
        "SAVEPOINT s; UPDATE users SET cents = 1 WHERE id IN ('1', '2', '3'); ROLLBACK TO s; RELEASE s",
      );
      sql.cache.set('user::1', 500);
      db.exec("UPDATE users SET cents = 7 WHERE id = '1'");
      expect(read('1')).toBe(7);
    })();
    expect(read('1')).toBe(cents('1'));
  });

  it('I7: is not kept where what was written before it cannot be told any more', () => {
    const { db, sql, cents, read, write, gaps } = shop();
    sql.transaction(() => {
      db.exec("UPDATE users SET cents = 6 WHERE id = '2'");
      write('1', 500);
      db.exec("UPDATE users SET cents = 7 WHERE id = '1'");
      db.exec('DELETE FROM cache_changes WHERE position = (SELECT max(position) - 2 FROM cache_changes)');
    })();
    expect(gaps).toEqual(['missed']);
    expect(read('1')).toBe(cents('1'));
  });
});
