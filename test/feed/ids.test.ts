/** I15: a feed over ids of any kind of column, and reads keyed by any spelling of them. */
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import type { SqliteValue } from '../../src/feed/database.ts';
import { type Watched, watch } from './support.ts';

const open: Watched[] = [];
function begin(schema: string, rules: Parameters<typeof watch>[1]): Watched {
  const db = new Database(':memory:');
  db.exec(schema);
  const watched = watch(db, rules);
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

const COLUMNS = [
  'INTEGER PRIMARY KEY',
  'INTEGER UNIQUE',
  'BIGINT UNIQUE',
  'TEXT UNIQUE',
  'REAL UNIQUE',
  'UNIQUE',
];

/** What a bot may bind for an id, be it as a value to write or to look for. */
const bound = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(
        0n,
        1n,
        7n,
        10n,
        -3n,
        9007199254740993n,
        420000000000000042n,
        420000000000000043n,
        2n ** 63n - 1n,
      ),
      fc.constantFrom('text', 'bigint', 'number', 'zeros', 'blanks', 'real', 'plus'),
    )
    .map(([id, kind]): SqliteValue => {
      switch (kind) {
        case 'bigint':
          return id;
        case 'number':
          return Number(id);
        case 'zeros':
          return id < 0n ? String(id) : `00${id}`;
        case 'blanks':
          return ` ${id}\n`;
        case 'real':
          return `${id}.0`;
        case 'plus':
          return id < 0n ? String(id) : `+${id}`;
        default:
          return String(id);
      }
    }),
  fc.constantFrom('1e3', 1000, '7.5', 7.5, '0x7', 'ada', '', -0, '9223372036854775808', 1e300),
);

type Step = {
  readonly do: 'read' | 'write' | 'add' | 'remove' | 'move';
  readonly id: SqliteValue;
  readonly to: SqliteValue;
};
const step: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('read', 'read', 'read', 'write', 'add', 'remove', 'move'),
  id: bound,
  to: bound,
});

describe.each(COLUMNS)('I15: a read of a row by its id in a column that is %s', (type) => {
  it('is never older than the row, however the id is spelled when it is read and when it is written', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const { db, sql, feed } = begin(`CREATE TABLE users (id ${type}, coins INTEGER)`, {
          users: 'user::{id}::*',
        });
        const select = db.prepare('SELECT coins FROM users WHERE id = ?').pluck();
        const getCoins = cachedSync(sql.cache, (id: SqliteValue) => select.get(id) ?? null, {
          key: 'user::{0}::coins',
        });
        const statements = {
          write: db.prepare('UPDATE users SET coins = coins + 1 WHERE id = ?'),
          add: db.prepare('INSERT OR IGNORE INTO users VALUES (?, 1)'),
          remove: db.prepare('DELETE FROM users WHERE id = ?'),
        };
        const move = db.prepare('UPDATE OR IGNORE users SET id = ? WHERE id = ?');
        for (const { do: what, id, to } of steps) {
          try {
            if (what === 'read') expect(getCoins(id)).toBe(select.get(id) ?? null);
            else if (what === 'move') move.run(to, id);
            else statements[what].run(id);
          } catch (error) {
            // A primary key that is an INTEGER takes no text.
            if (!String(error).includes('datatype mismatch')) throw error;
          }
        }
        for (const { id } of steps) expect(getCoins(id)).toBe(select.get(id) ?? null);
        feed.stop();
      }),
      { numRuns: 60 },
    );
  });
});

describe('I15: ids beyond 2^53', () => {
  it('are not rounded: a change of one row leaves its neighbours where they are', () => {
    const { db, sql } = begin('CREATE TABLE users (id INTEGER PRIMARY KEY, coins INTEGER)', {
      users: ['user::{id}::*', { from: ['id'], derive: ({ id }) => `derived::${id}` }],
    });
    const [one, other] = ['420000000000000042', '420000000000000043'];
    for (const id of [one, other]) db.prepare('INSERT INTO users VALUES (?, 1)').run(BigInt(id));
    const keys = [one, other].flatMap((id) => [`user::${id}::coins`, `derived::${id}`]);
    sql.cache.has('any');
    for (const key of keys) sql.cache.set(key, 1);
    db.prepare('UPDATE users SET coins = 2 WHERE id = ?').run(one);
    expect(keys.filter((key) => sql.cache.has(key))).toEqual([`user::${other}::coins`, `derived::${other}`]);
  });
});

describe('I15: nothing counts as told of that the invalidation of its row would miss', () => {
  const none = { tags: [], dependsOn: [] };
  const { feed } = begin('CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)', {
    users: ['user::{id}::*', 'whole::{id}', 'top::{id}::{name}', 'row-{id}', { tag: 'user:{id}' }],
  });

  it.each([
    'user::7::profile',
    'user::#7::profile',
    'user::%i420000000000000042::a::b',
    'user::007::profile',
    'user::7::%hAAAA',
    'whole::#7',
    'top::7::ada',
    'row-7',
    'row-#7',
  ])('%s is told of', (key) => {
    expect(feed.tellsOf(key, none)).toBe(true);
  });

  it.each([
    ['user::%hAAAA::profile', 'the hash of parameters'],
    ['whole::7::profile', 'longer than the key that is invalidated'],
    ['whole', 'shorter'],
    ['top::7::%hAAAA', 'a hash in the second place'],
    ['top::7::a::b', 'one segment too many'],
    ['row-007', 'a spelling within a segment'],
    ['row-7::x', 'more than the segment'],
    ['user:7:profile', 'another separator'],
  ])('%s is not told of: %s', (key) => {
    expect(feed.tellsOf(key, none)).toBe(false);
  });

  it('holds for tags and dependencies, too', () => {
    expect(feed.tellsOf('query::x', { ...none, tags: ['user:7'] })).toBe(true);
    expect(feed.tellsOf('query::x', { ...none, tags: ['user:%hAAAA'] })).toBe(false);
    expect(feed.tellsOf('query::x', { ...none, dependsOn: ['user::#7::profile'] })).toBe(true);
    expect(feed.tellsOf('query::x', { ...none, dependsOn: ['user::%hAAAA::profile'] })).toBe(false);
  });
});
