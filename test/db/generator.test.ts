import type Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateShop, isEmptyShop } from '../../src/db/generator.ts';
import { openDatabase } from '../../src/db/open.ts';
import { createQueries } from '../../src/db/queries.ts';

let db: Database.Database;
beforeEach(() => {
  db = openDatabase(':memory:');
});
afterEach(() => void db.close());

const SIZE = { products: 60, users: 80, orders: 900 };
const count = (sql: string) => db.prepare(`SELECT count(*) FROM ${sql}`).pluck().get();

describe('generateShop', () => {
  it('makes as many of each as asked', () => {
    const made = generateShop(db, SIZE);
    expect(made).toMatchObject(SIZE);
    expect([count('products'), count('users'), count('orders')]).toEqual([60, 80, 900]);
    expect([count('wallet_transactions'), count('discounts')]).toEqual([made.transactions, made.discounts]);
  });

  it('makes the same shop for the same seed, and another for another', () => {
    const dump = (seed: number) => {
      const other = openDatabase(':memory:');
      generateShop(other, { ...SIZE, seed });
      const bytes = other.serialize().toString('base64');
      other.close();
      return bytes;
    };
    const first = dump(7);
    // Compared outside `expect`, which would print a megabyte.
    const again = dump(7) === first;
    const other = dump(8) === first;
    expect({ again, other }).toEqual({ again: true, other: false });
  });

  it('keeps the books: every wallet is the sum of its transactions, and every balance follows', () => {
    generateShop(db, SIZE);
    expect(
      count(`users WHERE wallet_cents <>
        (SELECT coalesce(sum(amount_cents), 0) FROM wallet_transactions WHERE user_id = users.id)`),
    ).toBe(0);
    expect(
      count(`(SELECT balance_cents, sum(amount_cents) OVER (PARTITION BY user_id ORDER BY id) AS running
        FROM wallet_transactions) WHERE balance_cents <> running`),
    ).toBe(0);
    expect(
      count("orders WHERE id NOT IN (SELECT order_id FROM wallet_transactions WHERE kind = 'purchase')"),
    ).toBe(0);
  });

  it('leaves the schema as it found it', () => {
    const schema = () => db.prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY name').all();
    const before = schema();
    generateShop(db, SIZE);
    expect(schema()).toEqual(before);
    expect(db.pragma('foreign_key_check')).toEqual([]);
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  it('makes people with ids like Discord’s, and a shop worth looking at', () => {
    generateShop(db, SIZE);
    const queries = createQueries(db);
    expect(count('users WHERE length(id) BETWEEN 17 AND 19')).toBe(80);
    expect(queries.mainCategories().length).toBeGreaterThan(4);
    expect(queries.leaderboard(10)).toHaveLength(10);
    expect(queries.setting('vip_tiers')).toHaveLength(4);
    expect(queries.setting('payment_methods')).toHaveLength(4);
    expect(count('(SELECT DISTINCT name FROM products)')).toBe(60);
  });

  it.each([
    { products: 0, users: 0, orders: 0 },
    { products: 0, users: 3, orders: 5 },
    { products: 1, users: 1, orders: 1 },
  ])('makes a shop of any size: %j', (size) => {
    generateShop(db, size);
    expect([count('products'), count('users')]).toEqual([size.products, size.users]);
  });

  it.each([-1, 1.5, Number.NaN])('takes no size of %s', (users) => {
    expect(() => generateShop(db, { ...SIZE, users })).toThrow(RangeError);
    expect(isEmptyShop(db)).toBe(true);
  });

  it('never touches a shop that has data', () => {
    generateShop(db, { products: 1, users: 1, orders: 1 });
    expect(() => generateShop(db, SIZE)).toThrow(expect.objectContaining({ code: 'ERR_DB_NOT_EMPTY' }));
    expect(count('users')).toBe(1);
  });
});
