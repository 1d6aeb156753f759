import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { cachedSync, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';
import { bench, source } from '../write-behind/support.ts';
import { tiers } from './support.ts';

const KEY = 'user::a::coins';

/** One number in a table, read and written through the cache and past it. */
function purse() {
  const db = new Database(':memory:');
  onTestFinished(() => void db.close());
  db.exec('CREATE TABLE coins (id TEXT PRIMARY KEY, n INTEGER NOT NULL)');
  db.exec("INSERT INTO coins VALUES ('a', 1)");
  const clock = handClock();
  const cache = createCache({
    maxWeightBytes: 10_000_000,
    tiers,
    cleanupIntervalMs: 600_000,
    clock,
    logger: silentLogger,
  });
  const { cache: joined, transaction } = sqliteCache(db, cache, { logger: silentLogger });
  const select = db.prepare<[string], number>('SELECT n FROM coins WHERE id = ?').pluck();
  const update = db.prepare<[number]>('UPDATE coins SET n = ?');
  const read = () => select.get('a');
  return { db, clock, cache: joined, transaction, read, write: (n: number) => update.run(n).changes };
}

/** Runs what is to fail. */
function failing(run: () => unknown): void {
  expect(run).toThrow('undo');
}

function undo(): never {
  throw new Error('undo');
}

describe("a savepoint of others within one of sqliteCache's transactions", () => {
  it('I7: leaves nothing of what was set in it when it alone is rolled back', () => {
    const { db, cache, transaction, read, write } = purse();
    const theirs = db.transaction(() => {
      cache.writeSync(KEY, 2, write);
      undo();
    });
    transaction(() => {
      failing(theirs);
      expect(cache.getOrLoadSync(KEY, read)).toBe(1);
      expect(cache.has(KEY)).toBe(false);
    })();
    expect(cache.getOrLoadSync(KEY, read)).toBe(1);
  });

  it('I7: keeps what was set before and after it', () => {
    const { db, cache, transaction, write } = purse();
    const theirs = db.transaction(() => {
      cache.set('user::a::second', 'never');
      undo();
    });
    transaction(() => {
      cache.writeSync(KEY, 2, write);
      failing(theirs);
      cache.set('user::a::third', 'kept');
      expect(cache.get('user::a::second')).toBeUndefined();
    })();
    expect([KEY, 'user::a::second', 'user::a::third'].map((key) => cache.get(key))).toEqual([
      2,
      undefined,
      'kept',
    ]);
  });

  it('I7: keeps what was set in it when it succeeds', () => {
    const { db, cache, transaction, write } = purse();
    const theirs = db.transaction(() => cache.writeSync(KEY, 2, write));
    transaction(() => theirs())();
    expect(cache.get(KEY)).toBe(2);
  });

  it('may be the first and be rolled back, and the next ones are followed all the same', () => {
    const { db, cache, transaction } = purse();
    const theirs = (fails: boolean) =>
      db.transaction(() => {
        cache.set(KEY, fails ? 'never' : 'kept');
        if (fails) undo();
      });
    transaction(() => {
      failing(theirs(true));
      theirs(false)();
      failing(theirs(true));
      cache.set('user::a::last', 'kept');
    })();
    expect([cache.get(KEY), cache.get('user::a::last')]).toEqual([undefined, 'kept']);
  });

  it('needs no connection that may write', () => {
    const { db, cache } = purse();
    db.pragma('query_only = ON');
    const readOnly = sqliteCache(db, cache, { logger: silentLogger });
    readOnly.transaction(() => readOnly.cache.set(KEY, 1))();
    expect(cache.has(KEY)).toBe(false);
  });

  it("leaves the author's last row id as it was", () => {
    const { db, cache, transaction } = purse();
    transaction(() => {
      db.exec('CREATE TABLE log (id INTEGER PRIMARY KEY)');
      db.exec('INSERT INTO log VALUES (42)');
      cache.set(KEY, 2);
      expect(db.prepare('SELECT last_insert_rowid()').pluck().get()).toBe(42);
    })();
  });

  it('keeps what is set while a query is iterated over', () => {
    const { db, cache, transaction, read } = purse();
    cache.set(KEY, 1);
    transaction(() => {
      for (const _ of db.prepare('SELECT n FROM coins').iterate()) cache.set(KEY, 5);
    })();
    expect(cache.getOrLoadSync(KEY, read)).toBe(5);
  });
});

describe('a write-through within a transaction', () => {
  it('I7: leaves nothing behind when it is rolled back before anybody could await it', async () => {
    const { clock, cache, transaction, read, write } = purse();
    failing(
      transaction(() => {
        void cache.write(KEY, 2, write);
        undo();
      }),
    );
    await clock.settle();
    expect(cache.getOrLoadSync(KEY, read)).toBe(1);
  });

  it('is kept at the commit where its saver is synchronous', async () => {
    const { clock, cache, transaction, write } = purse();
    transaction(() => void cache.write(KEY, 2, write))();
    expect(cache.get(KEY)).toBe(2);
    await clock.settle();
    expect(cache.get(KEY)).toBe(2);
  });

  it('is read from the database afterwards where its saver outlasts the transaction', async () => {
    const { clock, cache, transaction, read, write } = purse();
    failing(
      transaction(() => {
        void cache.write(KEY, 2, async (n) => write(n));
        undo();
      }),
    );
    await clock.settle();
    expect(cache.getOrLoadSync(KEY, read)).toBe(1);
  });
});

describe('a transaction that SQLite rolls back by itself', () => {
  it('I7: does not take along what a further one within it has committed', () => {
    const { db, cache, transaction, read, write } = purse();
    db.exec('CREATE TABLE single (n UNIQUE ON CONFLICT ROLLBACK); INSERT INTO single VALUES (1)');
    const set = invalidates(cache, (n: number) => write(n), 'user::a::*');
    const committed = transaction(() => set(5));
    cache.getOrLoadSync(KEY, read);
    const outer = transaction(() => {
      expect(() => db.exec('INSERT INTO single VALUES (1)')).toThrow('UNIQUE');
      committed();
    });
    expect(outer).toThrow('no transaction is active');
    expect(cache.getOrLoadSync(KEY, read)).toBe(5);
  });
});

describe('a transaction of others over several turns of the loop', () => {
  it('keeps nothing of a load that began before it and ends within', async () => {
    const { db, cache, read, write } = purse();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const loading = cache.getOrLoad(KEY, async () => {
      await begun;
      return read();
    });
    const many = cache.getOrLoadMany([KEY, 'user::a::more', 'no*key'], async (keys) => {
      await begun;
      return new Map(keys.map((key) => [key, read()]));
    });
    db.exec('BEGIN');
    write(2);
    begin();
    expect(await loading).toBe(2);
    await many;
    db.exec('ROLLBACK');
    expect(cache.getOrLoadSync(KEY, read)).toBe(1);
    expect(cache.getOrLoadSync('user::a::more', read)).toBe(1);
  });

  it('keeps nothing of a load of more keys than a call has room for, and does not fail it', async () => {
    const { db, cache, read } = purse();
    const keys = [KEY, ...Array.from({ length: 150_000 }, (_, i) => `user::${i}::coins`)];
    const many = await cache.getOrLoadMany(keys, async () => {
      db.exec('BEGIN');
      return new Map([[KEY, 2]]);
    });
    db.exec('ROLLBACK');
    expect(many.get(KEY)).toBe(2);
    expect(cache.getOrLoadSync(KEY, read)).toBe(1);
  }, 30_000);

  it('keeps nothing of a load that runs behind a stale value', async () => {
    const { db, clock, cache, read, write } = purse();
    const options = { ttlMs: 1_000, staleWhileRevalidateMs: 60_000 };
    const get = cachedSync(cache, (_: string) => read(), { key: 'user::{0}::coins', ...options });
    get('a');
    clock.advance(2_000);
    get('a');
    db.exec('BEGIN');
    write(2);
    await clock.settle();
    db.exec('ROLLBACK');
    expect(get('a')).toBe(1);
    await clock.settle();
    expect(get('a')).toBe(1);
  });

  it('may invalidate as much as it likes in bounded memory', () => {
    const { db, cache, read, write } = purse();
    cache.getOrLoadSync(KEY, read);
    db.exec('BEGIN');
    for (let n = 0; n < 1_500; n++) cache.invalidate(`user::${n}::coins`);
    write(2);
    cache.invalidate(KEY);
    db.exec('COMMIT');
    expect(cache.getOrLoadSync(KEY, read)).toBe(2);
  });
});

describe('a transaction with thousands of changes', () => {
  it('reads from the database, whatever of them concerns the key', () => {
    const { cache, transaction, read, write } = purse();
    cache.getOrLoadSync(KEY, read);
    transaction(() => {
      write(2);
      cache.invalidate(KEY);
      for (let n = 0; n < 1_500; n++) cache.invalidate(`user::${n}::*`);
      expect(cache.getOrLoadSync(KEY, read)).toBe(2);
      expect(cache.has(KEY)).toBe(false);
    })();
    expect(cache.getOrLoadSync(KEY, read)).toBe(2);
  });
});

describe('a write behind within a transaction', () => {
  it('was acknowledged, so a rollback does not undo it, and reads go on seeing it', () => {
    const { db, cache, transaction, read } = purse();
    const { behind } = bench(undefined, { cache });
    const shop = source<number>();
    const behindOnes = behind.writeBehind<number>('coins', shop.save);
    cache.getOrLoadSync(KEY, read);
    failing(
      transaction(() => {
        behindOnes.sync(KEY, 9);
        expect(cache.getOrLoadSync(KEY, read)).toBe(9);
        undo();
      }),
    );
    expect(db.inTransaction).toBe(false);
    expect(cache.getOrLoadSync(KEY, read)).toBe(9);
  });
});
