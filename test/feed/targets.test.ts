import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { key } from '../../src/cache/keys/keys.ts';
import { SHOP, type Watched, watch } from './support.ts';

const open: Watched[] = [];
function begin(
  schema: string,
  rules: Parameters<typeof watch>[1],
  options?: Parameters<typeof watch>[2],
): Watched {
  const db = new Database(':memory:');
  db.exec(schema);
  const watched = watch(db, rules, options);
  open.push(watched);
  return watched;
}
afterEach(async () => {
  for (const { feed, cache, db } of open.splice(0)) {
    feed.stop();
    await cache.stop();
    db.close();
  }
});

/** What a statement made the feed invalidate. */
function toldBy({ db, feed, told }: Watched, sql: string, ...values: unknown[]): string[] {
  feed.drain();
  told();
  if (values.length > 0) db.prepare(sql).run(...values);
  else db.exec(sql);
  feed.drain();
  return told();
}

describe('what a change covers', () => {
  it('is what the rules say of the row, for an insert, an update and a delete', () => {
    const shop = begin(SHOP, { users: ['user::{id}::*', { tag: 'name:{name}' }, 'query::leaderboard'] });
    expect(toldBy(shop, "INSERT INTO users (id, name) VALUES ('7', 'Ada')")).toEqual([
      'user::7::*',
      'tag name:Ada',
      'query::leaderboard',
    ]);
    expect(toldBy(shop, 'UPDATE users SET cents = 5')).toEqual([
      'user::7::*',
      'tag name:Ada',
      'query::leaderboard',
    ]);
    expect(toldBy(shop, "DELETE FROM users WHERE id = '7'")).toHaveLength(3);
    expect(toldBy(shop, "DELETE FROM users WHERE id = '7'")).toEqual([]);
  });

  it('is both the old and the new row of an update', () => {
    const shop = begin(SHOP, { users: 'user::{id}::*' });
    shop.db.exec("INSERT INTO users (id, name) VALUES ('7', 'Ada')");
    expect(toldBy(shop, "UPDATE users SET id = '8'")).toEqual(['user::7::*', 'user::8::*']);
  });

  it('is nothing for an update that changes no value, or none that matters', () => {
    const shop = begin(SHOP, {
      users: { targets: 'user::{id}::name', columns: ['name'] },
      products: ['products:*'],
    });
    shop.db.exec(
      "INSERT INTO users (id, name) VALUES ('7', 'Ada'); INSERT INTO products VALUES (1, 'a', 'b', NULL)",
    );
    expect(toldBy(shop, "UPDATE users SET name = 'Ada', cents = 9")).toEqual([]);
    expect(toldBy(shop, "UPDATE users SET name = 'ada'")).toEqual(['user::7::name']);
    expect(toldBy(shop, "UPDATE users SET id = '8'")).toEqual(['user::7::name', 'user::8::name']);
    expect(toldBy(shop, 'UPDATE products SET stock = stock, name = name')).toEqual([]);
    expect(toldBy(shop, 'UPDATE products SET stock = 0')).toEqual(['products:*']);
    expect(toldBy(shop, 'UPDATE products SET stock = NULL')).toEqual(['products:*']);
  });

  it('is asked for by kind of change', () => {
    const shop = begin(SHOP, {
      products: [
        { targets: 'categories::*', on: ['insert', 'delete'] },
        { targets: 'product::{id}', on: ['update'] },
      ],
    });
    expect(toldBy(shop, "INSERT INTO products VALUES (1, 'a', 'b', 3)")).toEqual(['categories::*']);
    expect(toldBy(shop, 'UPDATE products SET stock = 4')).toEqual(['product::1']);
    expect(toldBy(shop, 'DELETE FROM products')).toEqual(['categories::*']);
  });

  it('may be derived by a function of the row, when it is drained', () => {
    const shop = begin(SHOP, {
      products: {
        from: ['id', 'stock'],
        derive: ({ id, stock }) => (stock === null ? [] : [`product::${id}`, { tag: `stock:${stock}` }]),
      },
    });
    expect(toldBy(shop, "INSERT INTO products VALUES (1, 'a', 'b', 3), (2, 'a', 'b', NULL)")).toEqual([
      'product::1',
      'tag stock:3',
    ]);
  });

  it('is told once for equal changes of one transaction', () => {
    const shop = begin(SHOP, { products: { targets: 'products::{category}' } });
    const insert = shop.db.prepare('INSERT INTO products (category, name) VALUES (?, ?)');
    shop.db.transaction(() => {
      for (let i = 0; i < 50; i++) insert.run(i % 2 === 0 ? 'a' : 'b', `${i}`);
    })();
    shop.feed.drain();
    expect(shop.told()).toEqual(['products::a', 'products::b']);
    expect(shop.feed.stats()).toMatchObject({ changes: 50, invalidations: 2, gaps: 0 });
  });

  it('goes on to tables that foreign keys change', () => {
    const shop = begin(
      `PRAGMA foreign_keys = ON;
       CREATE TABLE users (id TEXT PRIMARY KEY);
       CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id TEXT REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE);
       INSERT INTO users VALUES ('7'); INSERT INTO orders VALUES (1, '7');`,
      { orders: { targets: 'user_orders::{user_id}', columns: ['user_id'] } },
    );
    expect(toldBy(shop, "UPDATE users SET id = '8'")).toEqual(['user_orders::7', 'user_orders::8']);
    expect(toldBy(shop, 'DELETE FROM users')).toEqual(['user_orders::8']);
  });

  it.each([
    ['INSERT OR REPLACE by the primary key', "INSERT OR REPLACE INTO products VALUES (1, 'new', 'x', 1)"],
    ['REPLACE by another unique column', "REPLACE INTO products VALUES (9, 'new', 'ONE', 1)"],
    ['UPDATE OR REPLACE', "UPDATE OR REPLACE products SET id = 1, category = 'new' WHERE id = 2"],
    [
      'an upsert',
      "INSERT INTO products VALUES (1, 'new', 'y', 1) ON CONFLICT DO UPDATE SET category = 'new'",
    ],
    ['a changed rowid', "UPDATE products SET rowid = 5, category = 'new' WHERE id = 1"],
    ['a delete without conditions', 'DELETE FROM products'],
  ])('takes in the rows that are replaced: %s', (_, sql) => {
    const shop = begin(
      `CREATE TABLE products (id INTEGER PRIMARY KEY, category TEXT, name TEXT COLLATE NOCASE UNIQUE, stock INTEGER);
       INSERT INTO products VALUES (1, 'old', 'one', 1), (2, 'other', 'two', 1);`,
      { products: { targets: 'products::{category}', columns: ['category'] } },
    );
    expect(toldBy(shop, sql)).toContain('products::old');
  });

  it('is not missed where the rowid changes under another name', () => {
    const shop = begin(SHOP, { products: { targets: 'product::{id}', columns: ['stock'] } });
    shop.db.exec("INSERT INTO products VALUES (1, 'a', 'b', 3)");
    expect(toldBy(shop, 'UPDATE products SET _rowid_ = 2')).toEqual(['product::1', 'product::2']);
  });

  it('takes in rows that are replaced where only updates are asked for', () => {
    const shop = begin(SHOP, { products: { targets: 'stock::{id}', columns: ['stock'], on: ['update'] } });
    expect(toldBy(shop, "INSERT OR REPLACE INTO products VALUES (1, 'a', 'a', 5)")).toEqual([]);
    expect(toldBy(shop, "INSERT OR REPLACE INTO products VALUES (1, 'a', 'a', 6)")).toEqual(['stock::1']);
  });

  it('is followed in tables WITHOUT ROWID, with generated columns, and of any name', () => {
    const shop = begin(
      `CREATE TABLE "it's a ""table""; --" ("the key" TEXT, "Größe" ANY, double AS ("Größe" * 2), PRIMARY KEY ("the key")) WITHOUT ROWID;`,
      { 'it\'s a "table"; --': { targets: "it's::{the key}::{double}", columns: ['DOUBLE'] } },
    );
    const table = '"it\'s a ""table""; --"';
    expect(toldBy(shop, `INSERT INTO ${table} VALUES ('k', 2)`)).toEqual(["it's::k::4"]);
    expect(toldBy(shop, `UPDATE ${table} SET "Größe" = 3`)).toEqual(["it's::k::4", "it's::k::6"]);
    expect(toldBy(shop, `REPLACE INTO ${table} VALUES ('k', 4)`)).toEqual(["it's::k::6", "it's::k::8"]);
  });
});

describe('values in keys', () => {
  const table = 'CREATE TABLE things (a, b); CREATE TABLE texts (a TEXT)';
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '',
      '*',
      'a::b',
      ':',
      '%',
      '#1',
      '1',
      'null',
      'a\u0000b',
      '{a}',
      "'",
      '"',
      '\\',
      'x'.repeat(500),
    ),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
    fc.constant(null),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  );

  it('I15: cover the keys of a read of the same row, whatever is in them and whichever kind of number it gives', () => {
    const shop = begin(table, { things: 'thing::{a}::{b}' });
    const read = shop.db.prepare<[], { a: unknown; b: unknown }>('SELECT a, b FROM things');
    const exact = shop.db.prepare<[], { a: unknown; b: unknown }>('SELECT a, b FROM things').safeIntegers();
    const same = shop.sql.cache;
    fc.assert(
      fc.property(value, value, (a, b) => {
        shop.db.prepare('INSERT INTO things VALUES (?, ?)').run(a, b);
        const rows = [exact.get(), read.get()].filter((row) => row !== undefined);
        // A rounded id is another one.
        const fitting = rows.filter((row) => !Object.values(row).some(isRounded));
        // What a `cached` function with the template thing::{0}::{1} would be keyed by, given this row.
        const keys = fitting.map((row) => keyOf(row.a, row.b));
        shop.feed.drain();
        for (const key of keys) same.getOrLoadSync(key, () => 1);
        shop.told();
        shop.db.exec('DELETE FROM things');
        shop.feed.drain();
        expect(shop.told()).toHaveLength(1);
        expect(keys.filter((key) => same.has(key))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('I15: are written as text, integers of 64 bits exactly; kinds that were named in rules once say nothing', () => {
    const shop = begin(table, {
      things: ['text::{a:text}', 'big::{a:bigint}', { tag: 'tag:{a:text}' }, 'plain::{a}'],
    });
    expect(toldBy(shop, 'INSERT INTO things VALUES (?, 1)', 2n ** 60n + 1n)).toEqual([
      'text::1152921504606846977',
      'big::1152921504606846977',
      'tag tag:1152921504606846977',
      'plain::1152921504606846977',
    ]);
    expect(toldBy(shop, 'UPDATE things SET a = 7')).toEqual(
      expect.arrayContaining(['text::7', 'big::7', 'plain::7']),
    );
    expect(toldBy(shop, 'INSERT INTO things VALUES (7.0, 2)')).toEqual([
      'text::7',
      'big::7',
      'tag tag:7',
      'plain::7',
    ]);
  });

  it('I15: stand for the whole rule where a REAL beyond 2^53 names no single row', () => {
    const shop = begin(table, { things: 'thing::{a}::name' });
    expect(toldBy(shop, 'INSERT INTO things VALUES (1e300, 1)')).toEqual(['thing::*::name']);
  });

  it('never cover more than their row', () => {
    const shop = begin(table, { texts: 'text::{a}' });
    shop.sql.cache.set('text::other', 1);
    for (const hostile of ['*', '', '::', 'other*']) {
      expect(toldBy(shop, 'INSERT INTO texts VALUES (?)', hostile)).toEqual([key.of('text', hostile)]);
    }
    expect(shop.sql.cache.has('text::other')).toBe(true);
  });

  it('are told apart by their bytes, whatever the collation of the column says', () => {
    const shop = begin('CREATE TABLE names (name TEXT COLLATE NOCASE)', { names: 'name::{name}' });
    shop.db.exec("INSERT INTO names VALUES ('ada')");
    expect(toldBy(shop, "UPDATE names SET name = 'ADA'")).toEqual(['name::ada', 'name::ADA']);
  });

  function isRounded(each: unknown): boolean {
    return typeof each === 'number' && Number.isInteger(each) && !Number.isSafeInteger(each);
  }

  function keyOf(a: unknown, b: unknown): string {
    const part = (each: unknown) =>
      Buffer.isBuffer(each) ? `%h${hashOf(each)}` : key.of('x', each as string).slice('x::'.length);
    return `thing::${part(a)}::${part(b)}`;
  }
});

function hashOf(bytes: Buffer): string {
  // As `cached` hashes an argument that is no text or number.
  return key.query('x', bytes).slice('query::x::%h'.length);
}

describe('rules that do not fit', () => {
  const refused = (schema: string, rules: object): string => {
    const db = new Database(':memory:');
    db.exec(schema);
    try {
      watch(db, rules as Parameters<typeof watch>[1]).feed.stop();
      return 'not refused';
    } catch (error) {
      expect(db.prepare('SELECT count(*) FROM sqlite_schema WHERE name GLOB ?').pluck().get('cache*')).toBe(
        0,
      );
      return String(error);
    } finally {
      db.close();
    }
  };

  it('are told all at once, each with the nearest right name', () => {
    const message = refused(SHOP, {
      user: 'user::{id}',
      products: ['product::{ident}', { targets: 'x', columns: ['stok'] }, { targets: 'x', on: ['updat'] }],
      users: { target: 'user::{id}' },
    });
    expect(message).toContain('no table "user": did you mean "users"?');
    expect(message).toContain('no column "ident"');
    expect(message).toContain('"stok": did you mean "stock"?');
    expect(message).toContain('"updat": did you mean "update"?');
    expect(message).toContain('"target": did you mean "targets"?');
  });

  it.each([
    ['a view', 'CREATE VIEW v AS SELECT 1 AS id', { v: 'v::{id}' }, 'is a view'],
    ['a virtual table', 'CREATE VIRTUAL TABLE v USING fts5(id)', { v: 'v::{id}' }, 'is a virtual table'],
    [
      'a part of a virtual table',
      'CREATE VIRTUAL TABLE v USING fts5(id)',
      { v_data: 'v::{id}' },
      'is a virtual table',
    ],
    ['a table of the feed', SHOP, { cache_changes: 'x' }, 'no table "cache_changes"'],
    ['a temporary table', 'CREATE TEMP TABLE t (id)', { t: 't::{id}' }, 'no table "t"'],
    ['a template without its brace', SHOP, { users: 'user::{id' }, 'a brace is not closed'],
    ['two columns with nothing between', SHOP, { users: 'user::{id}{name}' }, 'put "::" between'],
    ['a pattern that can match nothing', SHOP, { users: '' }, 'empty'],
    ['no rule', SHOP, { users: [] }, 'there is no rule'],
    ['a function without its columns', SHOP, { users: { derive: () => [] } }, '"from"'],
    ['targets and a function', SHOP, { users: { targets: 'x', from: ['id'], derive: () => [] } }, 'not both'],
    [
      'too many columns',
      'CREATE TABLE t (a, b, c, d, e, f, g, h, i)',
      { t: 't::{a}::{b}::{c}::{d}::{e}::{f}::{g}::{h}::{i}' },
      '8 columns, not 9',
    ],
  ])('are refused: %s', (_, schema, rules, reason) => {
    expect(refused(schema, rules)).toContain(reason);
  });
});
