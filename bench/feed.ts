/** What the change feed costs those who write, and how soon a change is invalidated, by whomever it was made. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Cache } from '../src/cache/cache.ts';
import { type SqliteDatabase, sqliteCache } from '../src/cache/transactions/sqlite.ts';
import { invalidates } from '../src/cache/wrappers/wrappers.ts';
import type { TableRules } from '../src/feed/rules.ts';
import { watchTables } from '../src/feed/watch-tables.ts';
import { inTurns, longestHold, median, type Row, report } from './measure.ts';
import { ourCache } from './peers.ts';

const SCHEMA = `
  CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL, wallet_cents INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE products (id INTEGER PRIMARY KEY, category TEXT NOT NULL, stock INTEGER NOT NULL) STRICT;
  CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, product_id INTEGER NOT NULL, cents INTEGER NOT NULL) STRICT;
  CREATE INDEX orders_by_user ON orders (user_id);
  CREATE TABLE wallet_transactions (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, cents INTEGER NOT NULL) STRICT;
  CREATE INDEX wallet_transactions_by_user ON wallet_transactions (user_id);
`;

const RULES: TableRules = {
  users: { targets: 'user::{id}::*' },
  products: {
    targets: ['products::all', 'products::{category}', 'products::item::{id}'],
    columns: ['stock'],
  },
  orders: { targets: ['user_orders::{user_id}::*', 'query::leaderboard::*'] },
  wallet_transactions: { targets: 'query::transactions::{user_id}::*' },
};

const USERS = 1_000;
const PRODUCTS = 200;
const folder = mkdtempSync(join(tmpdir(), 'cachecord-bench-'));
let files = 0;

function openShop(): Database.Database {
  const db = new Database(join(folder, `${files++}.sqlite`));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.exec(SCHEMA);
  db.transaction(() => {
    for (let i = 0; i < USERS; i++)
      db.prepare('INSERT INTO users VALUES (?, ?, ?)').run(`${i}`, `User ${i}`, 1e9);
    for (let i = 0; i < PRODUCTS; i++)
      db.prepare('INSERT INTO products VALUES (?, ?, ?)').run(i, `${i % 7}`, 1e9);
  })();
  return db;
}

/** The four writes of a purchase. */
function purchases(db: Database.Database) {
  const take = db.prepare('UPDATE products SET stock = stock - 1 WHERE id = ?');
  const pay = db.prepare('UPDATE users SET wallet_cents = wallet_cents - ? WHERE id = ?');
  const order = db.prepare('INSERT INTO orders (user_id, product_id, cents) VALUES (?, ?, ?)');
  const note = db.prepare('INSERT INTO wallet_transactions (user_id, cents) VALUES (?, ?)');
  let n = 0;
  return () => {
    n++;
    const user = `${(n * 7_919) % USERS}`;
    take.run((n * 104_729) % PRODUCTS);
    pay.run(5, user);
    order.run(user, n % PRODUCTS, 5);
    note.run(user, -5);
  };
}

const rows: Row[] = [];

// ---- what it costs a writer ----

const bare = openShop();
const triggered = openShop();
const triggerMaker = ourCache(10);
watchTables(triggered, triggerMaker, RULES).stop();
const fed = openShop();
const fedCache = ourCache(10);
const feed = watchTables(fed, fedCache, RULES);
const sql = sqliteCache(fed as unknown as SqliteDatabase, fedCache, { feed });
const buy = {
  without: bare.transaction(purchases(bare)),
  triggers: triggered.transaction(purchases(triggered)),
  feed: sql.transaction(purchases(fed)),
};
const byHand = openShop();
const byHandCache = ourCache(10);
const byHandSql = sqliteCache(byHand as unknown as SqliteDatabase, byHandCache);
const purchase = purchases(byHand);
const handWritten = byHandSql.transaction((user: string) => {
  purchase();
  byHandSql.cache.invalidate(
    `user::${user}::*`,
    'products::all',
    'products::1',
    `products::item::${user}`,
    `user_orders::${user}::*`,
    'query::leaderboard::*',
    `query::transactions::${user}::*`,
  );
});
const repeat = (run: () => unknown) => (operations: number) => {
  for (let i = 0; i < operations; i++) run();
};
const costs = await inTurns(
  [
    { name: 'without', run: repeat(buy.without) },
    { name: 'triggers', run: repeat(buy.triggers) },
    { name: 'feed', run: repeat(buy.feed) },
    { name: 'by hand', run: repeat(() => handWritten('7')) },
  ],
  () => 1_500,
  11,
);
const cost = (name: string) => (costs.get(name) ?? Number.NaN) / 1_000;
const ratio = (a: string, b: string) => cost(a) / cost(b);
rows.push(
  {
    what: `a purchase (4 rows): with triggers ÷ without (${cost('without').toFixed(0)} µs)`,
    measured: ratio('triggers', 'without').toFixed(2),
    goal: '≤ 1.50',
    holds: ratio('triggers', 'without') <= 1.5,
  },
  {
    what: 'the same, noticed and invalidated before it returns ÷ without',
    measured: ratio('feed', 'without').toFixed(2),
    goal: '≤ 2.50',
    holds: ratio('feed', 'without') <= 2.5,
  },
  {
    what: 'the same ÷ with invalidations by hand',
    measured: ratio('feed', 'by hand').toFixed(2),
    goal: '≤ 2.00',
    holds: ratio('feed', 'by hand') <= 2,
  },
);

// ---- how soon ----

const at = (values: number[], quantile: number) =>
  values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * quantile))] ??
  Number.NaN;

const own: number[] = [];
const buyOnce = purchases(fed);
for (let i = 0; i < 5_000; i++) {
  fed.transaction(buyOnce)();
  const committedAt = performance.now();
  feed.drainOwn();
  own.push(performance.now() - committedAt);
}
rows.push({
  what: 'own change, from its commit to its invalidation: p50 · p99',
  measured: `${(at(own, 0.5) * 1_000).toFixed(0)} · ${(at(own, 0.99) * 1_000).toFixed(0)} µs`,
  goal: 'p99 ≤ 1 ms',
  holds: at(own, 0.99) <= 1,
});

const other = new Database(fed.name);
const pay = other.prepare('UPDATE users SET wallet_cents = wallet_cents - 1 WHERE id = ?');
const foreign: number[] = [];
for (let i = 0; i < 60; i++) {
  const seen = new Promise<void>((resolve) => {
    const forget = fedCache.on('invalidated', () => {
      forget();
      resolve();
    });
  });
  // Spread over the interval, so that no poll is favoured.
  await new Promise((resolve) => setTimeout(resolve, (i * 37) % 250));
  pay.run(`${i}`);
  const committedAt = performance.now();
  // The timers of the feed do not keep the process alive.
  const alive = setInterval(() => undefined, 50);
  await seen;
  clearInterval(alive);
  foreign.push(performance.now() - committedAt);
}
rows.push({
  what: "another connection's change, polled for every 250 ms: p50 · p99",
  measured: `${at(foreign, 0.5).toFixed(0)} · ${at(foreign, 0.99).toFixed(0)} ms`,
  goal: 'p99 ≤ 300 ms',
  holds: at(foreign, 0.99) <= 300,
});

const poll = {
  data: fed.prepare('PRAGMA data_version').pluck(),
  schema: fed.prepare('PRAGMA main.schema_version').pluck(),
};
const polls: number[] = [];
for (let i = 0; i < 2_000; i++) {
  const beganAt = performance.now();
  poll.schema.get();
  poll.data.get();
  polls.push((performance.now() - beganAt) * 1_000);
}
rows.push({
  what: 'a poll that finds nothing, four a second',
  measured: `${median(polls).toFixed(1)} µs`,
  goal: '≤ 100 µs',
  holds: median(polls) <= 100,
});

// ---- without triggers: what a mutation pays for writing down what it is about to invalidate ----

const onDisk = ourCache(10, { path: join(folder, 'cache.db') });
const fedOnDisk = ourCache(10, { path: join(folder, 'fed.db') });
fedOnDisk.provenBy({ beginning: 'new', drain: () => true, position: () => 1, tellsOf: () => true });
const mutation = (cache: Cache) => invalidates(cache, (_id: string) => 1, 'user::{0}::*');
const noted = mutation(onDisk);
const unnoted = mutation(fedOnDisk);
const notes = await inTurns(
  [
    { name: 'noted', run: repeat(() => noted('7')) },
    { name: 'unnoted', run: repeat(() => unnoted('7')) },
  ],
  () => 1_500,
  7,
);
const note = ((notes.get('noted') ?? Number.NaN) - (notes.get('unnoted') ?? Number.NaN)) / 1_000;
rows.push({
  what: 'without a feed: a note on disk before a mutation, crossed out after it',
  measured: `${note.toFixed(0)} µs`,
  goal: '≤ 200 µs',
  holds: note <= 200,
});
for (const cache of [onDisk, fedOnDisk]) await cache.stop();
report('The change feed', rows);

// ---- how long it holds the loop ----

const MANY = 100_000;
const holds: Row[] = [];
async function hold(what: string, work: () => Promise<unknown>): Promise<void> {
  const { ms } = await longestHold(work);
  holds.push({ what, measured: `${ms.toFixed(1)} ms`, goal: '≤ 10 ms', holds: ms <= 10 });
}
const addOrder =
  'INSERT INTO orders (user_id, product_id, cents) SELECT value, 1, 1 FROM generate_series(1, ?)';
const series = addOrder.replace(
  'generate_series(1, ?)',
  '(WITH RECURSIVE n(value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < ?) SELECT value FROM n)',
);
// Written by another process in reality: what is measured here is the reading alone.
other.prepare(series.replace('SELECT value, 1, 1', 'SELECT CAST(value AS TEXT), 1, 1')).run(MANY);
const goal = feed.position().position + MANY;
await hold(`another connection's change of ${MANY.toLocaleString('en')} rows`, async () => {
  const alive = setInterval(() => undefined, 50);
  while (feed.position().position < goal) await new Promise((resolve) => setTimeout(resolve, 20));
  clearInterval(alive);
});
fed.prepare(series.replace('SELECT value, 1, 1', 'SELECT CAST(value AS TEXT), 1, 1')).run(MANY);
await hold(`own change of ${MANY.toLocaleString('en')} rows, after its commit`, async () => feed.drainOwn());
report('Longest hold of the event loop by the change feed', holds);

feed.stop();
for (const cache of [triggerMaker, fedCache, byHandCache]) await cache.stop();
for (const db of [bare, triggered, fed, byHand, other]) db.close();
rmSync(folder, { recursive: true, force: true });
