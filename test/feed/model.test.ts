import type Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import type { TableRules } from '../../src/feed/rules.ts';
import { makeFolder, openFile, SHOP, watch } from './support.ts';

const IDS = ['1', '2', '3', '*', 'a::b', ''];
const CATEGORIES = ['x', 'X', 'y', '*', 'x::y'];

const id = fc.constantFrom(...IDS);
const product = fc.integer({ min: 1, max: 4 });
const category = fc.constantFrom(...CATEGORIES);
const cents = fc.integer({ min: 0, max: 3 });
const name = fc.constantFrom('Ada', 'ada', 'Bob');

type Values = (string | number | null)[];
type Statement = readonly [sql: string, ...values: Values];

const TAKE_PLACE = 'INSERT OR REPLACE INTO users (id, name, email, cents) VALUES (?, ?, ?, ?)';

/** What people write, right or wrong: those that the database refuses change nothing. */
const statement: fc.Arbitrary<Statement> = fc.oneof(
  fc.tuple(fc.constant('INSERT INTO users (id, name, cents) VALUES (?, ?, ?)'), id, name, cents),
  fc.tuple(fc.constant(TAKE_PLACE), id, name, name, cents),
  fc.tuple(fc.constant('INSERT OR IGNORE INTO users (id, name, cents) VALUES (?, ?, ?)'), id, name, cents),
  fc.tuple(
    fc.constant(
      'INSERT INTO users (id, name, cents) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name',
    ),
    id,
    name,
    cents,
  ),
  fc.tuple(fc.constant('UPDATE users SET cents = ? WHERE id = ?'), cents, id),
  fc.tuple(fc.constant('UPDATE OR REPLACE users SET id = ? WHERE id = ?'), id, id),
  fc.tuple(fc.constant('UPDATE OR REPLACE users SET email = ? WHERE id = ?'), name, id),
  fc.tuple(fc.constant('UPDATE OR FAIL users SET email = ?'), name),
  fc.tuple(fc.constant('DELETE FROM users WHERE id = ?'), id),
  fc.tuple(
    fc.constant('INSERT OR REPLACE INTO products VALUES (?, ?, ?, ?)'),
    product,
    category,
    name,
    cents,
  ),
  fc.tuple(fc.constant('UPDATE products SET category = ? WHERE id = ?'), category, product),
  fc.tuple(fc.constant('UPDATE products SET stock = ?'), cents),
  fc.tuple(fc.constant('UPDATE OR REPLACE products SET rowid = ? WHERE rowid = ?'), product, product),
  fc.constant(['DELETE FROM products'] as const),
);

/** A transaction, which may hold others, and may fail at its end. */
interface Work {
  readonly steps: readonly (Statement | Work)[];
  readonly fails: boolean;
}
const { work } = fc.letrec<{ work: Work; step: Statement | Work }>((tie) => ({
  work: fc.record({ steps: fc.array(tie('step'), { maxLength: 3 }), fails: fc.boolean() }),
  step: fc.oneof({ depthSize: 'small', withCrossShrink: true }, statement, tie('work')),
}));

type Action =
  | { readonly kind: 'statement' | 'foreign-statement'; readonly statement: Statement }
  | { readonly kind: 'transaction' | 'by-hand' | 'foreign-transaction'; readonly work: Work }
  | { readonly kind: 'read' | 'poll' | 'report' };
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constantFrom('statement' as const, 'foreign-statement' as const), statement }),
  fc.record({
    kind: fc.constantFrom('transaction' as const, 'by-hand' as const, 'foreign-transaction' as const),
    work,
  }),
  fc.record({ kind: fc.constantFrom('read' as const, 'poll' as const, 'report' as const) }),
);

const RULES: TableRules = {
  users: [
    'user::{id}::*',
    { targets: 'query::richest', columns: ['id', 'cents', 'name'] },
    { targets: { tag: 'name:{name}' }, columns: ['name', 'cents'] },
  ],
  products: [
    { targets: 'products::{category}', columns: ['category', 'id', 'name'] },
    { from: ['id'], derive: ({ id }) => `stock::${id}`, columns: ['stock'] },
  ],
};

function run(db: Database.Database, [sql, ...values]: Statement): void {
  try {
    db.prepare(sql).run(...values);
  } catch (error) {
    // Refused by a constraint: within a transaction what came before it stands.
    if (!String(Reflect.get(error as object, 'code')).startsWith('SQLITE_CONSTRAINT')) throw error;
  }
}

/** Runs work with whatever makes a function of a transaction. */
function transact(db: Database.Database, make: (fn: () => void) => () => void, { steps, fails }: Work): void {
  const body = make(() => {
    for (const step of steps) {
      if ('steps' in step) transact(db, make, step);
      else run(db, step);
    }
    if (fails) throw new Undone();
  });
  try {
    body();
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
  }
}

class Undone extends Error {}

/** The same by BEGIN and SAVEPOINT, of which nobody is told. */
function byHand(db: Database.Database, { steps, fails }: Work, depth = 0): void {
  db.exec(depth === 0 ? 'BEGIN' : `SAVEPOINT s${depth}`);
  for (const step of steps) {
    if ('steps' in step) byHand(db, step, depth + 1);
    else run(db, step);
  }
  if (depth === 0) db.exec(fails ? 'ROLLBACK' : 'COMMIT');
  else db.exec(fails ? `ROLLBACK TO s${depth}; RELEASE s${depth}` : `RELEASE s${depth}`);
}

describe('I7, I8: whatever two connections write', () => {
  it('every cached read equals the database after a drain, and after own writes without one', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
        const folder = makeFolder();
        const db = openFile(folder.file());
        const other = openFile(folder.file());
        db.pragma('synchronous = OFF');
        db.exec(SHOP);
        const { sql, feed, cache, gaps, messages } = watch(db, RULES, { reportIntervalMs: 1_000 });
        try {
          const reads = makeReads(db);
          const cached = {
            user: cachedSync(sql.cache, reads.user, { key: 'user::{0}::profile' }),
            richest: cachedSync(sql.cache, reads.richest, { key: 'query::richest' }),
            named: cachedSync(sql.cache, reads.named, { key: 'query::named::{0}', tags: ['name:{0}'] }),
            category: cachedSync(sql.cache, reads.category, { key: 'products::{0}' }),
            stock: cachedSync(sql.cache, reads.stock, { key: (id) => `stock::${id}` }),
          };
          const all = (from: typeof reads) => [
            ...IDS.map((each) => from.user(each)),
            from.richest(),
            ...['Ada', 'ada', 'Bob'].map((each) => from.named(each)),
            ...CATEGORIES.map((each) => from.category(each)),
            ...[1, 2, 3, 4].map((each) => from.stock(each)),
          ];
          let isForeign = false;
          for (const each of actions) {
            if (each.kind === 'statement') run(db, each.statement);
            else if (each.kind === 'transaction') transact(db, (fn) => sql.transaction(fn), each.work);
            else if (each.kind === 'by-hand') byHand(db, each.work);
            else if (each.kind === 'foreign-statement') run(other, each.statement);
            else if (each.kind === 'foreign-transaction')
              transact(other, (fn) => other.transaction(fn), each.work);
            else if (each.kind === 'read') all(cached);
            else cache.clock.advance(each.kind === 'poll' ? 250 : 1_000);
            if (each.kind.startsWith('foreign')) isForeign = true;
            if (each.kind === 'poll' || each.kind === 'report') isForeign = false;
            if (!isForeign) expect(all(cached)).toEqual(all(reads));
          }
          feed.drain();
          expect(all(cached)).toEqual(all(reads));
          expect([gaps, messages.filter((message) => !message.includes('does not know'))]).toEqual([[], []]);
        } finally {
          feed.stop();
          db.close();
          other.close();
          folder.remove();
        }
      }),
      {
        numRuns: 150,
        // A row leaves by an update of another one, of a column that the rule does not watch.
        examples: [
          [
            [
              { kind: 'statement', statement: [TAKE_PLACE, '1', 'Ada', 'ada', 0] },
              { kind: 'statement', statement: [TAKE_PLACE, '2', 'Ada', 'bob', 0] },
              {
                kind: 'statement',
                statement: ['UPDATE OR REPLACE users SET email = ? WHERE id = ?', 'ada', '2'],
              },
            ],
          ],
        ],
      },
    );
  }, 120_000);
});

function makeReads(db: Database.Database) {
  const user = db.prepare<[string]>('SELECT * FROM users WHERE id = ?');
  const richest = db.prepare<[]>('SELECT name, cents FROM users ORDER BY cents DESC, id LIMIT 2');
  const named = db.prepare<[string]>('SELECT sum(cents) AS cents FROM users WHERE name = ?');
  const category = db.prepare<[string]>('SELECT id, name FROM products WHERE category = ? ORDER BY id');
  const stock = db.prepare<[number]>('SELECT stock FROM products WHERE id = ?');
  return {
    user: (id: string): unknown => user.get(id),
    richest: (): unknown => richest.all(),
    named: (name: string): unknown => named.get(name),
    category: (category_: string): unknown => category.all(category_),
    stock: (id: number): unknown => stock.get(id),
  };
}
