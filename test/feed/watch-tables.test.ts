import { spawnSync } from 'node:child_process';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { cachedSync, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { unwatchTables } from '../../src/feed/install.ts';
import type { FeedPosition } from '../../src/feed/readers.ts';
import type { TableRules } from '../../src/feed/rules.ts';
import type { WatchOptions } from '../../src/feed/watch-options.ts';
import { makeFolder, openFile, SHOP, type Watched, watch } from './support.ts';

const folder = makeFolder();
const cleanups: (() => unknown)[] = [];
let files = 0;

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  folder.remove();
});

/** A new file with the shop's tables. */
function makeFile(): string {
  const path = makeFolderFile();
  const db = openFile(path);
  db.exec(SHOP);
  db.exec("INSERT INTO users (id, name, cents) VALUES ('1', 'Ada', 100), ('2', 'Bob', 200)");
  db.close();
  return path;
}

function makeFolderFile(): string {
  const own = makeFolder();
  cleanups.unshift(() => own.remove());
  return own.file(`shop-${files++}.sqlite`);
}

const RULES: TableRules = { users: 'user::{id}::*', products: { targets: 'products::{category}' } };

function begin(
  path: string,
  options: WatchOptions = {},
  rules = RULES,
): Watched & { wallet(id: string): number | undefined } {
  const db = openFile(path);
  const watched = watch(db, rules, options);
  cleanups.push(async () => {
    watched.feed.stop();
    await watched.cache.stop();
    db.close();
  });
  const select = db.prepare<[string], number>('SELECT cents FROM users WHERE id = ?').pluck();
  const wallet = cachedSync(watched.sql.cache, (id: string) => select.get(id), { key: 'user::{0}::wallet' });
  return { ...watched, wallet };
}

function connect(path: string): Database.Database {
  const db = openFile(path);
  cleanups.push(() => db.close());
  return db;
}

const ALL_BUT_LAST = 'DELETE FROM cache_changes WHERE position < (SELECT max(position) FROM cache_changes)';
const PAY = "UPDATE users SET cents = cents + 1 WHERE id = '1'";

describe('a write of this connection', () => {
  it('I7: is invalidated before the read that follows, whichever way it was written', () => {
    const { db, wallet } = begin(makeFile());
    expect(wallet('1')).toBe(100);
    db.exec(PAY);
    expect(wallet('1')).toBe(101);
    db.prepare(PAY).run();
    expect(wallet('1')).toBe(102);
    expect(db.prepare(`${PAY} RETURNING cents`).pluck().get()).toBe(103);
    expect(wallet('1')).toBe(103);
    db.transaction(() => db.exec(PAY))();
    expect(wallet('1')).toBe(104);
  });

  it('I7: is invalidated before a transaction returns, and not before its commit', () => {
    const { db, sql, cache, wallet } = begin(makeFile());
    wallet('1');
    const pay = sql.transaction(() => {
      db.exec(PAY);
      expect(cache.get('user::1::wallet')).toBe(100);
    });
    pay();
    // Asked of the cache itself, which notices nothing.
    expect(cache.has('user::1::wallet')).toBe(false);
  });

  it('I7: is invalidated before a mutation returns that names no targets', () => {
    const { db, sql, cache, wallet } = begin(makeFile());
    wallet('1');
    const pay = invalidates(
      sql.cache,
      () => db.exec(PAY),
      () => [],
    );
    pay();
    expect(cache.has('user::1::wallet')).toBe(false);
  });

  it('I7: invalidates nothing when it is rolled back, wholly or to a savepoint', () => {
    const { db, sql, told, feed, wallet } = begin(makeFile());
    wallet('1');
    wallet('2');
    expect(() =>
      sql.transaction(() => {
        db.exec(PAY);
        throw new Error('no');
      })(),
    ).toThrow('no');
    feed.drain();
    expect(told()).toEqual([]);
    sql.transaction(() => {
      db.exec("UPDATE users SET cents = 0 WHERE id = '2'");
      try {
        sql.transaction(() => {
          db.exec(PAY);
          throw new Error('only this');
        })();
      } catch {
        // Rolled back to the savepoint.
      }
    })();
    expect(told()).toEqual(['user::2::*']);
    expect([wallet('1'), wallet('2')]).toEqual([100, 0]);
  });

  it('is seen by reads within its own transaction, which keep nothing', () => {
    const { db, sql, cache, wallet } = begin(makeFile());
    wallet('1');
    sql.transaction(() => {
      expect(wallet('1')).toBe(100);
      db.exec(PAY);
      expect(wallet('1')).toBe(101);
      expect(sql.cache.has('user::1::wallet')).toBe(false);
    })();
    expect(cache.has('user::1::wallet')).toBe(false);
  });

  it('does not take away what writeSync of the same write put into the cache', async () => {
    const { db, sql, wallet } = begin(makeFile());
    wallet('1');
    const save = (cents: number) => void db.prepare("UPDATE users SET cents = ? WHERE id = '1'").run(cents);
    sql.cache.writeSync('user::1::wallet', 7, save);
    expect(sql.cache.get('user::1::wallet')).toBe(7);
    sql.transaction(() => sql.cache.writeSync('user::1::wallet', 8, save))();
    expect(sql.cache.get('user::1::wallet')).toBe(8);
    await sql.cache.write('user::1::wallet', 9, save);
    expect(wallet('1')).toBe(9);
  });

  it('I2: voids a load that was in flight', async () => {
    const { db, sql, cache } = begin(makeFile());
    let finish = (_: number) => {};
    const load = sql.cache.getOrLoad(
      'user::1::slow',
      () => new Promise<number>((resolve) => (finish = resolve)),
    );
    db.exec(PAY);
    finish(100);
    expect(await load).toBe(100);
    expect(await sql.cache.getOrLoad('user::1::slow', () => 101)).toBe(101);
    expect(cache.get('user::1::slow')).toBe(101);
  });

  it('I12: is covered by the widest patterns of the rules where it is too large to be followed', () => {
    const { db, sql, cache, told, feed, wallet } = begin(makeFile());
    const insert = db.prepare('INSERT INTO users (id, name) VALUES (?, ?)');
    wallet('1');
    cache.set('config::a', 1);
    cache.set('products::a', 1);
    sql.transaction(() => {
      for (let i = 10; i < 20_010; i++) insert.run(`${i}`, 'x');
      db.exec(PAY);
    })();
    expect(cache.has('user::1::wallet')).toBe(false);
    expect(cache.has('products::a')).toBe(false);
    expect(cache.has('config::a')).toBe(true);
    expect(told().slice(-2)).toEqual(['user::*::*', 'products::*']);
    expect(feed.stats()).toMatchObject({ changes: 20_001, widened: 1, gaps: 0 });
    expect(wallet('1')).toBe(101);
    db.exec(PAY);
    expect(wallet('1')).toBe(102);
  });
});

describe('a write of another connection', () => {
  it('I8: is invalidated at the next poll', async () => {
    const path = makeFile();
    const { cache, wallet } = begin(path);
    const other = connect(path);
    wallet('1');
    other.exec(PAY);
    await cache.clock.advanceAsync(249);
    expect(wallet('1')).toBe(100);
    await cache.clock.advanceAsync(1);
    expect(wallet('1')).toBe(101);
  });

  it('I8: is invalidated also when made by a program that knows nothing of us', async () => {
    const path = makeFile();
    const { cache, wallet } = begin(path);
    wallet('1');
    const script = `const db = new (require('better-sqlite3'))(${JSON.stringify(path)}); db.exec(${JSON.stringify(PAY)}); db.close();`;
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    await cache.clock.advanceAsync(250);
    expect(wallet('1')).toBe(101);
  });

  it('I8: is invalidated in every process that watches', async () => {
    const path = makeFile();
    const [a, b] = [begin(path), begin(path)];
    a.wallet('1');
    b.wallet('1');
    a.db.exec(PAY);
    expect(a.wallet('1')).toBe(101);
    await b.cache.clock.advanceAsync(250);
    expect(b.wallet('1')).toBe(101);
    expect(b.gaps).toEqual([]);
  });

  it('I12: is applied in slices when it is large, exactly', async () => {
    const path = makeFile();
    const { cache, feed } = begin(path);
    const other = connect(path);
    for (let i = 10; i < 5_010; i++) cache.set(`user::${i}::wallet`, 1);
    cache.set('user::9::wallet', 1);
    const insert = other.prepare('INSERT INTO users (id, name) VALUES (?, ?)');
    other.transaction(() => {
      for (let i = 10; i < 5_010; i++) insert.run(`${i}`, 'x');
    })();
    const before = cache.clock.yields;
    await cache.clock.advanceAsync(250);
    expect(cache.keys('user::', 10)).toEqual(['user::9::wallet']);
    expect(cache.clock.yields - before).toBeGreaterThan(20);
    expect(feed.stats()).toMatchObject({ changes: 5_000, widened: 0, gaps: 0 });
  });

  it('waits while a transaction is open, which would see what is not committed', async () => {
    const path = makeFile();
    const { db, cache, told, feed } = begin(path);
    const other = connect(path);
    other.exec(PAY);
    db.exec('BEGIN');
    feed.drain();
    await cache.clock.advanceAsync(1_000);
    expect(told()).toEqual([]);
    db.exec('COMMIT');
    await cache.clock.advanceAsync(250);
    expect(told()).toEqual(['user::1::*']);
  });

  it('is looked for as often as asked, and costs nothing else', async () => {
    const path = makeFile();
    const { cache, told, wallet } = begin(path, { pollIntervalMs: 5_000 });
    connect(path).exec(PAY);
    wallet('1');
    await cache.clock.advanceAsync(4_999);
    expect(told()).toEqual([]);
    await cache.clock.advanceAsync(1);
    expect(told()).toEqual(['user::1::*']);
  });

  it('cannot be hidden by rows of changes that somebody deletes', async () => {
    const path = makeFile();
    const { cache, gaps, wallet } = begin(path);
    wallet('1');
    connect(path).exec(`${PAY}; ${PAY}; ${ALL_BUT_LAST}`);
    await cache.clock.advanceAsync(250);
    expect(gaps).toEqual(['missed']);
    expect(wallet('1')).toBe(102);
    connect(path).exec(PAY);
    await cache.clock.advanceAsync(250);
    expect(wallet('1')).toBe(103);
    expect(gaps).toHaveLength(1);
    expect(() => connect(path).exec('DELETE FROM cache_changes')).toThrow(
      'the last row of cache_changes stays',
    );
  });

  it('clears the cache where what it covers is not known here', async () => {
    const path = makeFile();
    const { cache, gaps, messages, wallet } = begin(path);
    const other = connect(path);
    for (const targets of ['nonsense', '[5]', '{"derive":"users#9"}', '["user::{z}"]', '[""]']) {
      wallet('1');
      other.prepare('INSERT INTO cache_changes (targets) VALUES (?)').run(targets);
      await cache.clock.advanceAsync(250);
      expect(cache.has('user::1::wallet')).toBe(false);
    }
    expect(gaps).toEqual(Array(5).fill('not-understood'));
    expect(messages[0]).toContain('could not be followed');
  });
});

describe('a start', () => {
  it('applies what was missed since, exactly', async () => {
    const path = makeFile();
    const first = begin(path, { resumable: true });
    first.db.exec(PAY);
    first.feed.drain();
    first.feed.stop();
    const startAt = first.feed.position();
    connect(path).exec("UPDATE users SET cents = 0 WHERE id = '2'");
    const next = begin(path, { startAt: JSON.parse(JSON.stringify(startAt)) });
    expect(next.feed.beginning).toBe('resumed');
    expect(next.feed.stats()).toMatchObject({ changes: 1, gaps: 0 });
    expect(next.feed.position().position).toBe(startAt.position + 1);
  });

  it('applies what was missed also when the earlier process was killed', () => {
    const path = makeFile();
    const first = begin(path, { resumable: true });
    const startAt = first.feed.position();
    connect(path).exec(PAY);
    // No stop.
    expect(begin(path, { startAt }).feed.stats()).toMatchObject({ beginning: 'resumed', changes: 1 });
  });

  it('tells of itself in the statistics of the cache that it proves, without a disk layer as well', () => {
    const path = makeFile();
    const first = begin(path);
    expect(first.cache.stats().feed).toBeNull();
    first.cache.provenBy(first.feed);
    first.db.exec(PAY);
    first.feed.drain();
    expect(first.cache.stats().feed).toEqual(first.feed.stats());
    expect(first.cache.stats().feed).toMatchObject({ beginning: 'new', changes: 1, gaps: 0, readers: 1 });
    expect(begin(path).feed.stats()).toMatchObject({ readers: 2 });
  });

  it.each<[what: string, change: (first: Watched) => void]>([
    ['its reader was forgotten', ({ db }) => db.exec('DELETE FROM cache_readers')],
    ['its reader had left for good', ({ feed }) => feed.stop()],
  ])('goes on where it stopped as long as the changes since are there, though %s', (_, change) => {
    const path = makeFile();
    const first = begin(path);
    first.db.exec(PAY);
    first.feed.drain();
    const startAt = first.feed.position();
    change(first);
    connect(path).exec(PAY);
    expect(begin(path, { startAt }).feed.stats()).toMatchObject({ beginning: 'resumed', changes: 1 });
  });

  it('finds nothing missing where nothing was kept from before', () => {
    const path = makeFile();
    begin(path).db.exec(PAY);
    expect(begin(path).feed.stats()).toMatchObject({ beginning: 'new', changes: 0 });
  });

  it.each<[what: string, change: (db: Database.Database) => void]>([
    ['the rows were pruned', (db) => db.exec(`${PAY}; ${PAY}; ${ALL_BUT_LAST}`)],
    ['the feed was begun anew', (db) => unwatchTables(db)],
    [
      'the change that it stopped at is another',
      (db) => db.exec('UPDATE cache_changes SET token = token + 1'),
    ],
    ['a column was added', (db) => db.exec("ALTER TABLE users ADD COLUMN title TEXT DEFAULT 'none'")],
    ['the database has fewer changes', (db) => db.exec('UPDATE cache_changes SET position = position - 1')],
  ])('finds a gap when %s', (_, change) => {
    const path = makeFile();
    const first = begin(path);
    first.db.exec(PAY);
    first.feed.drain();
    const startAt = first.feed.position();
    change(first.db);
    const next = begin(path, { startAt });
    expect(next.feed.beginning).toBe('gap');
    next.wallet('1');
    next.db.exec(PAY);
    expect(next.wallet('1')).toBe(next.db.prepare("SELECT cents FROM users WHERE id = '1'").pluck().get());
  });
});

describe('the table of changes', () => {
  const rows = (db: Database.Database) => db.prepare('SELECT count(*) FROM cache_changes').pluck().get();
  const readers = (db: Database.Database) => db.prepare('SELECT count(*) FROM cache_readers').pluck().get();

  it('loses what every reader has applied, but for the last row', async () => {
    const path = makeFile();
    const [a, b] = [begin(path), begin(path)];
    for (let i = 0; i < 2_500; i++) a.db.exec(PAY);
    await a.cache.clock.advanceAsync(60_000);
    expect(rows(a.db)).toBe(2_500);
    await b.cache.clock.advanceAsync(60_000);
    expect(rows(a.db)).toBe(1);
    await a.cache.clock.advanceAsync(60_000);
    a.db.exec(PAY);
    a.feed.drain();
    await b.cache.clock.advanceAsync(250);
    expect([...a.gaps, ...b.gaps]).toEqual([]);
  });

  it('waits for a reader that is away, until that is taken for dead; it finds a gap if it comes back', async () => {
    const path = makeFile();
    const [a, b] = [begin(path, { pollIntervalMs: 1e9, reportIntervalMs: 3_600_000 }), begin(path)];
    b.wallet('1');
    for (let i = 0; i < 10; i++) a.db.exec(PAY);
    a.feed.drain();
    await a.cache.clock.advanceAsync(86_400_000 - 3_600_000);
    expect([rows(a.db), readers(a.db)]).toEqual([10, 2]);
    await a.cache.clock.advanceAsync(7_200_000);
    expect([rows(a.db), readers(a.db)]).toEqual([1, 1]);
    await b.cache.clock.advanceAsync(60_000);
    expect(b.gaps).toEqual(['missed']);
    expect(b.wallet('1')).toBe(110);
    expect(readers(a.db)).toBe(2);
  });

  it('is bounded, whoever is behind', async () => {
    const path = makeFile();
    const [a, b] = [begin(path, { maxRows: 100 }), begin(path)];
    for (let i = 0; i < 300; i++) a.db.exec(PAY);
    await a.cache.clock.advanceAsync(60_000);
    expect(rows(a.db)).toBe(100);
    await b.cache.clock.advanceAsync(250);
    expect(b.gaps).toEqual(['missed']);
  });

  it('I12: is not waited for while another process writes', async () => {
    const path = makeFile();
    const { cache, db, messages } = begin(path);
    const other = connect(path);
    db.pragma('busy_timeout = 5000');
    other.exec('BEGIN IMMEDIATE');
    const beganAt = performance.now();
    await cache.clock.advanceAsync(60_000);
    expect(performance.now() - beganAt).toBeLessThan(4_000);
    expect(db.pragma('busy_timeout', { simple: true })).toBe(5_000);
    other.exec('COMMIT');
    expect(messages).toEqual([]);
  });

  it('I4: that cannot be read since somebody holds the lock is believed for ten seconds, and then cleared', async () => {
    const path = makeFile();
    const { cache, db, wallet, messages } = begin(path);
    // In this mode readers wait for writers.
    db.pragma('journal_mode = DELETE');
    db.pragma('busy_timeout = 0');
    const other = new Database(path);
    cleanups.push(() => other.close());
    expect(wallet('1')).toBe(100);
    other.exec(`BEGIN EXCLUSIVE; ${PAY}`);
    await cache.clock.advanceAsync(9_000);
    expect(wallet('1')).toBe(100);
    await cache.clock.advanceAsync(2_000);
    expect(() => wallet('1')).toThrow('locked');
    expect(messages).toEqual([expect.stringContaining('locked')]);
    other.exec('COMMIT');
    await cache.clock.advanceAsync(250);
    expect(wallet('1')).toBe(101);
  });

  it('I4: that cannot be read for a moment, and later for another, is believed throughout', async () => {
    const path = makeFile();
    const { cache, db, wallet, messages } = begin(path);
    db.pragma('journal_mode = DELETE');
    db.pragma('busy_timeout = 0');
    const other = new Database(path);
    cleanups.push(() => other.close());
    await cache.clock.advanceAsync(1_000);
    expect(wallet('1')).toBe(100);
    for (let i = 0; i < 2; i++) {
      other.exec('BEGIN EXCLUSIVE');
      await cache.clock.advanceAsync(2_000);
      expect(wallet('1')).toBe(100);
      other.exec('ROLLBACK');
      await cache.clock.advanceAsync(60_000);
    }
    expect(messages).not.toEqual([]);
  });

  it('reads like what it says, in any SQLite shell', () => {
    const { db } = begin(makeFile());
    db.exec(`${PAY}; INSERT INTO products VALUES (1, 'a::b', 'x', NULL)`);
    expect(db.prepare('SELECT targets, a, b FROM cache_changes').all()).toEqual([
      { targets: '["user::{a}::*"]', a: '1', b: null },
      { targets: '["products::{a}"]', a: 'a::b', b: null },
    ]);
  });
});

describe('the triggers', () => {
  const triggers = (db: Database.Database) =>
    db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name").pluck().all();

  it('are left alone by a start with the same rules', () => {
    const path = makeFile();
    const { db } = begin(path);
    const before = db.pragma('schema_version', { simple: true });
    begin(path);
    expect(db.pragma('schema_version', { simple: true })).toBe(before);
  });

  it('I9: of other rules are replaced at the start, which proves nothing of what was cached by those', () => {
    const path = makeFile();
    const first = begin(path, { resumable: true });
    first.feed.stop();
    const startAt = first.feed.position();
    connect(path).exec(PAY);
    const next = begin(path, { startAt }, { users: { targets: 'person::{id}', columns: ['name'] } });
    expect(next.feed.stats()).toMatchObject({ beginning: 'gap', gaps: 0 });
    expect(triggers(next.db).map((name) => String(name).replace(/_[0-9a-f]{8}_/, '_…_'))).toEqual([
      'cachecord_…_users#0_delete',
      'cachecord_…_users#0_insert',
      'cachecord_…_users#0_replace',
      'cachecord_…_users#0_replace_by_update',
      'cachecord_…_users#0_update',
      'cachecord_keep_last',
    ]);
  });

  it('I9: that were away for a while prove nothing of what was cached before', () => {
    const path = makeFile();
    const first = begin(path, { resumable: true });
    first.feed.stop();
    const startAt = first.feed.position();
    const other = connect(path);
    const trigger = triggers(other).find((name) => String(name).endsWith('users#0_update')) as string;
    const sql = other.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(trigger) as string;
    other.exec(`DROP TRIGGER "${trigger}"; ${PAY}`);
    begin(path).feed.stop();
    expect(other.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(trigger)).toBe(sql);
    expect(begin(path, { startAt }).feed.beginning).toBe('gap');
  });

  it('are put back where a table was rebuilt, and the cache is cleared for what may have been missed', async () => {
    const path = makeFile();
    const { db, cache, gaps, messages, wallet } = begin(path);
    wallet('1');
    connect(path).exec(`
      BEGIN; CREATE TABLE fresh (id TEXT PRIMARY KEY, name TEXT, email TEXT UNIQUE, cents INTEGER, extra TEXT);
      INSERT INTO fresh (id, name, email, cents) SELECT * FROM users;
      DROP TABLE users; ALTER TABLE fresh RENAME TO users; UPDATE users SET cents = 5; COMMIT;`);
    await cache.clock.advanceAsync(250);
    expect(gaps).toEqual(['schema']);
    expect(messages).toEqual([expect.stringContaining('put back')]);
    expect(wallet('1')).toBe(5);
    connect(path).exec(PAY);
    await cache.clock.advanceAsync(250);
    expect(wallet('1')).toBe(6);
    expect(triggers(db)).toHaveLength(11);
  });

  it('I9: of a version whose changes bore no tokens are begun anew, which proves nothing of what was cached', () => {
    const path = makeFile();
    const old = connect(path);
    old.exec(`
      CREATE TABLE cache_feed (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE cache_changes (position INTEGER PRIMARY KEY, targets TEXT NOT NULL, a, b, c, d, e, f, g, h);
      CREATE TABLE cache_readers (id TEXT PRIMARY KEY, position INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID;
      INSERT INTO cache_feed VALUES ('epoch', 'e'), ('installation', 'i'), ('format', '1');
      CREATE TRIGGER "cachecord_users#0_insert" AFTER INSERT ON users BEGIN INSERT INTO cache_changes (targets) VALUES ('["old"]'); END;
      INSERT INTO users (id, name) VALUES ('3', 'Cid')`);
    const startAt = {
      epoch: 'e',
      installation: 'i',
      reader: 'r',
      position: 1,
      seenAt: 1,
    } as unknown as FeedPosition;
    const { db, feed, wallet } = begin(path, { startAt });
    expect(feed.stats()).toMatchObject({ beginning: 'gap', position: 0 });
    wallet('3');
    db.exec("UPDATE users SET cents = 5 WHERE id = '3'");
    expect(wallet('3')).toBe(5);
    expect(triggers(db).filter((name) => !/_[0-9a-f]{8}_|keep_last/.test(String(name)))).toEqual([]);
  });

  it('are noticed to have been begun anew by somebody else', async () => {
    const path = makeFile();
    const { db, cache, feed, gaps, wallet } = begin(path);
    for (let i = 0; i < 9; i++) db.exec(PAY);
    wallet('1');
    const other = connect(path);
    unwatchTables(other);
    other.exec(PAY);
    watch(other, RULES).feed.stop();
    other.exec(PAY);
    await cache.clock.advanceAsync(250);
    expect(gaps).toEqual(['schema']);
    expect(wallet('1')).toBe(111);
    other.exec(PAY);
    await cache.clock.advanceAsync(250);
    expect(wallet('1')).toBe(112);
    db.exec(PAY);
    expect(wallet('1')).toBe(113);
    expect(begin(path, { startAt: feed.position() }).feed.beginning).toBe('resumed');
  });

  it('are put back where they were taken away, and every write is noticed again', async () => {
    const path = makeFile();
    const { db, cache, gaps, wallet } = begin(path);
    wallet('1');
    const other = connect(path);
    unwatchTables(other);
    other.exec(PAY);
    await cache.clock.advanceAsync(250);
    expect(gaps).toEqual(['schema']);
    expect(wallet('1')).toBe(101);
    db.exec(PAY);
    expect(wallet('1')).toBe(102);
  });

  it('work in a database that trusts no functions of its schema', () => {
    const path = makeFile();
    const { db, wallet } = begin(path);
    db.pragma('trusted_schema = OFF');
    wallet('1');
    db.exec(PAY);
    expect(wallet('1')).toBe(101);
  });

  it('change nothing of what a statement reports', () => {
    const { db } = begin(makeFile());
    const { changes, lastInsertRowid } = db.prepare("INSERT INTO products VALUES (42, 'a', 'b', 1)").run();
    expect([changes, lastInsertRowid]).toEqual([1, 42]);
    expect(db.prepare('SELECT last_insert_rowid()').pluck().get()).toBe(42);
  });

  it('are all taken away by unwatchTables, with their tables', () => {
    const { db, feed } = begin(makeFile());
    feed.stop();
    unwatchTables(db);
    unwatchTables(db);
    expect(db.prepare("SELECT name FROM sqlite_schema WHERE name LIKE 'cache%'").all()).toEqual([]);
    db.exec(PAY);
  });
});

describe('I13: an end', () => {
  it('leaves no timer, no reader and no temporary trigger', () => {
    const path = makeFile();
    const { db, cache, feed } = begin(path);
    feed.stop();
    feed.stop();
    expect(db.prepare('SELECT count(*) FROM cache_readers').pluck().get()).toBe(0);
    expect(db.prepare("SELECT count(*) FROM temp.sqlite_schema WHERE type = 'trigger'").pluck().get()).toBe(
      0,
    );
    db.exec(PAY);
    expect(feed.isBehind).toBe(false);
    const before = cache.clock.pendingTimers;
    const again = watch(db, RULES);
    again.feed.stop();
    expect(cache.clock.pendingTimers).toBe(before);
  });

  it('comes by itself when the database is closed', async () => {
    const path = makeFile();
    const db = openFile(path);
    const { cache, feed, messages } = watch(db, RULES);
    db.close();
    await cache.clock.advanceAsync(120_000);
    feed.drain();
    feed.stop();
    expect(messages).toEqual([]);
    await cache.stop();
    expect(cache.clock.pendingTimers).toBe(0);
  });
});

describe('I9: a feed tells of an entry', () => {
  const none = { tags: [], dependsOn: [] };
  const rules: TableRules = {
    users: ['user::{id}::*', { tag: 'wallet:{cents}' }, { tag: 'people' }],
    products: { from: ['category'], derive: ({ category }) => `products::${category}` },
  };

  it('where a rule names its key, its tag or a key it depends on', () => {
    const { feed } = begin(makeFile(), {}, rules);
    expect(feed.tellsOf('user::7::orders', none)).toBe(true);
    expect(feed.tellsOf('query::rich', { ...none, tags: ['wallet:100'] })).toBe(true);
    expect(feed.tellsOf('query::rich', { ...none, tags: ['people'] })).toBe(true);
    expect(feed.tellsOf('query::rich', { ...none, dependsOn: ['user::7::profile'] })).toBe(true);
  });

  it('and of no other: not of those whose rule is a function, of which nothing is known beforehand', () => {
    const { feed } = begin(makeFile(), {}, rules);
    expect(feed.tellsOf('query::rich', { ...none, tags: ['wallets'] })).toBe(false);
    expect(feed.tellsOf('users::7', none)).toBe(false);
    expect(feed.tellsOf('products::food', none)).toBe(false);
  });
});

describe('watchTables', () => {
  it('refuses to begin within a transaction, and numbers that make no sense', () => {
    const db = new Database(':memory:');
    db.exec(SHOP);
    db.exec('BEGIN');
    expect(() => watch(db, RULES)).toThrow('within a transaction');
    db.exec('COMMIT');
    expect(() => watch(db, RULES, { pollIntervalMs: 0 })).toThrow('pollIntervalMs');
    expect(() => watch(db, RULES, { maxRows: Number.NaN })).toThrow('maxRows');
    db.close();
  });

  it('says so when the database is read-only', () => {
    const path = makeFile();
    const db = new Database(path, { readonly: true });
    expect(() => watch(db, RULES)).toThrow(
      /does not take the triggers: attempt to write a readonly database/,
    );
    db.close();
  });

  it('follows rows that are replaced through partial indices and through expressions', () => {
    const db = new Database(':memory:');
    db.exec(
      `${SHOP} CREATE UNIQUE INDEX by_lower ON users (lower(name)); CREATE UNIQUE INDEX some ON products (name) WHERE stock > 0;
       INSERT INTO users (id, name) VALUES ('1', 'Ada'); INSERT INTO products VALUES (1, 'x', 'Tea', 1)`,
    );
    const { messages, feed, told } = watch(db, RULES);
    db.exec(
      "REPLACE INTO users (id, name) VALUES ('2', 'ADA'); REPLACE INTO products VALUES (2, 'y', 'Tea', 1)",
    );
    feed.drain();
    expect(told()).toEqual(expect.arrayContaining(['user::1::*', 'products::x']));
    expect(messages).toEqual([]);
    feed.stop();
    db.close();
  });
});
