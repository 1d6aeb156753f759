/**
 * One process of the crash harness: the shop with its cache on disk, its change feed and write-behind, under a random
 * workload of a seed, until somebody kills it. At its start, and now and then, it compares every cached read with the
 * database.
 */
import { writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import Database from 'better-sqlite3';
import { createCache } from '../../src/cache/create-cache.ts';
import type { PersistenceLevel } from '../../src/cache/tiers/policy.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { openDatabase } from '../../src/db/open.ts';
import { seededRandom } from '../../src/db/random.ts';
import { createShop } from '../../src/db/shop.ts';
import { watchShop } from '../../src/db/watch-rules.ts';
import { silentLogger } from '../../src/logger.ts';
import { applyOnce } from '../../src/write-behind/apply-once.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import {
  CATEGORIES,
  cacheFile,
  journalFile,
  NOW,
  SUB_CATEGORIES,
  shopFile,
  type Told,
  type WorkerOptions,
} from './protocol.ts';

const HOUR_MS = 3_600_000;
/** Less than all entries take, so that some are read from disk while the process runs. */
const MEMORY_BYTES = 40_000;
const COMPARE_EVERY = 60;

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;
const { folder, slot } = options;
const random = seededRandom(options.seed);

function tell(told: Told): void {
  writeSync(1, `${JSON.stringify(told)}\n`);
}

const tierOf = (tier: string, persist: PersistenceLevel, namespaces: readonly string[]): TierPolicy => ({
  tier,
  label: tier,
  description: '',
  ttlMs: HOUR_MS,
  negativeTtlMs: HOUR_MS,
  jitterRatio: 0,
  namespaces,
  persist,
});

const db = openDatabase(shopFile(folder));
const cache = createCache({
  maxWeightBytes: MEMORY_BYTES,
  cleanupIntervalMs: HOUR_MS,
  logger: silentLogger,
  tiers: [
    tierOf('config', 'on_change', ['config', 'discounts']),
    tierOf('reference', 'periodic', ['products', 'categories']),
    tierOf('user', 'on_change', ['user', 'user_orders']),
    tierOf('query', 'periodic', ['query', 'seen']),
  ],
  disk: { path: cacheFile(folder), intervalMs: 20 },
});
const feed = watchShop(db, cache, { pollIntervalMs: 15, logger: silentLogger });
const shop = createShop(db, cache, { feed, now: () => NOW, logger: silentLogger });
const { queries } = shop;

const journal = openJournal(journalFile(folder, slot), (file) => new Database(file), {
  logger: silentLogger,
});
const behind = createWriteBehind(journal, cache, { logger: silentLogger });
const insert = db.prepare('INSERT INTO crash_applied (n) VALUES (?)');
const counted = behind.writeBehind<number>(
  'counted',
  applyOnce<number>(db, ({ value }) => insert.run(value), { table: `idempotency_${slot}` }),
  { coalesce: false, maxDelayMs: 5 },
);
const upsert = db.prepare(
  'INSERT INTO crash_seen VALUES (?, ?) ON CONFLICT DO UPDATE SET n = max(n, excluded.n)',
);
const seen = behind.writeBehind<number>(
  'seen',
  (batch) => {
    for (const { key, value } of batch) upsert.run(key, value);
  },
  { maxDelayMs: 5 },
);
const selectSeen = db.prepare<[string], number>('SELECT n FROM crash_seen WHERE key = ?').pluck();

// ---- what is compared ----

const userIds = ['1', '2', '3', '4', '5', '6', '999'];
const productIds = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const seenKeys = ['a', 'b', 'c'].map((name) => `seen::${slot}::${name}`);
const range = { fromDay: '2026-01-01', toDay: '2026-01-02' };

type Compared = readonly [name: string, cached: () => unknown, stored: () => unknown];

const reads: readonly Compared[] = [
  ...userIds.flatMap((id): Compared[] => [
    [`user ${id}`, () => shop.getUser(id), () => queries.user(id)],
    [`orders of ${id}`, () => shop.getOrdersForUser(id), () => queries.ordersForUser(id, 25)],
    [`transactions of ${id}`, () => shop.getTransactionHistory(id), () => queries.transactions(id, 0, 20)],
    [
      `discounts of ${id}`,
      () => shop.getApplicableDiscounts(id),
      () => queries.discountsForUser(id, NOW).filter(({ validFrom }) => validFrom <= NOW),
    ],
  ]),
  ...productIds.map(
    (id): Compared => [`product ${id}`, () => shop.getProduct(id), () => queries.product(id)],
  ),
  ...CATEGORIES.flatMap((main): Compared[] => [
    [`products of ${main}`, () => shop.getProductsByCategory(main), () => queries.productsByCategory(main)],
    [`parts of ${main}`, () => shop.getSubCategories(main), () => queries.subCategories(main)],
    ...SUB_CATEGORIES.map(
      (sub): Compared => [
        `products of ${main}, ${sub}`,
        () => shop.getProductsByCategory(main, sub),
        () => queries.productsByCategory(main, sub),
      ],
    ),
  ]),
  ['all products', () => shop.getAllProducts(), () => queries.products()],
  ['categories', () => shop.getMainCategories(), () => queries.mainCategories()],
  ['vip tiers', () => shop.getVipTiers(), () => queries.setting('vip_tiers')],
];
const slowReads: readonly Compared[] = [
  ['leaderboard', () => shop.getLeaderboard(), () => queries.leaderboard(10)],
  ['sales', () => shop.getSalesAnalytics(range), () => queries.sales(range)],
  ['search', () => shop.searchProducts({ text: 'a' }), () => queries.search({ text: 'a' })],
];
const dataVersion = db.prepare('PRAGMA data_version').pluck();

/** Others write at the same time: what is compared must have been read between two of their commits. */
async function compare([name, cached, stored]: Compared, when: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const version = dataVersion.get();
    feed.drain();
    const given = await cached();
    const actual = stored();
    if (version !== dataVersion.get()) continue;
    if (isDeepStrictEqual(given, actual)) return;
    tell({ kind: 'wrong', what: name, when, cached: given, stored: actual });
    process.exit(1);
  }
}

async function compareAll(when: string): Promise<void> {
  for (const each of reads) await compare(each, when);
  for (const each of slowReads) await compare(each, when);
}

function checkFiles(): void {
  for (const file of [shopFile(folder), cacheFile(folder), journalFile(folder, slot)]) {
    const other = file === journalFile(folder, slot) ? journal : new Database(file);
    const found = other.pragma('integrity_check', { simple: true });
    if (other !== journal) other.close();
    if (found !== 'ok') tell({ kind: 'wrong', what: `integrity of ${file}`, when: 'start', stored: found });
  }
}

// ---- the workload ----

let n = options.firstNumber;
const user = () => userIds[random.between(0, 5)] ?? '1';
const product = () => random.between(1, 8);

class Undone extends Error {}

const count = () => {
  const number = n++;
  counted.sync(`counted::${slot}::${number}`, number);
  tell({ kind: 'acknowledged', n: number });
};
const see = () => {
  const number = n++;
  const key = seenKeys[random.between(0, 2)] ?? '';
  seen.sync(key, number);
  tell({ kind: 'acknowledged', n: number, key });
};

const work: readonly (() => unknown)[] = [
  count,
  count,
  count,
  see,
  see,
  () => shop.updateWallet(user(), random.between(-500, 1_500)),
  () => shop.purchase(user(), product(), random.between(1, 3)),
  () => shop.updateProduct(product(), { priceCents: random.between(1, 900), active: random.chance(0.9) }),
  () => shop.setVipTier(user(), random.between(0, 5)),
  () =>
    shop.updateSettings('vip_tiers', [
      { tier: 1, name: `t${random.between(1, 9)}`, fromSpentCents: 1, perks: [] },
    ]),
  () => shop.updateDiscount(random.between(1, 3), { percent: random.between(1, 90) }),
  () => shop.ensureUser(user(), `Name ${random.between(1, 50)}`),
  () => {
    try {
      shop.transaction(() => {
        shop.updateWallet(user(), 5);
        shop.updateProduct(product(), { stock: random.between(0, 50) });
        if (random.chance(0.5)) throw new Undone();
      })();
    } catch (error) {
      if (!(error instanceof Undone)) throw error;
    }
  },
  () => cache.invalidate(random.pick(['user::*', 'products:*', 'query::leaderboard::*', '*'])),
  () => cache.persist(),
];

async function run(): Promise<void> {
  // So that those who come after a kill start quickly.
  flushCompileCache();
  checkFiles();
  await compareAll('start');
  await behind.flush();
  for (const key of seenKeys) {
    const read = () => cache.getOrLoadSync(key, () => selectSeen.get(key));
    await compare([key, read, () => selectSeen.get(key)], 'start');
  }
  const { restored = 0, unproven = 0, proof = 'none' } = cache.stats(0).disk ?? {};
  tell({ kind: 'ready', restored, unproven, proof });
  if (options.isLast) return;
  for (let step = 1; ; step++) {
    if (random.chance(0.5)) await reads[random.between(0, reads.length - 1)]?.[1]();
    else await work[random.between(0, work.length - 1)]?.();
    if (step % COMPARE_EVERY === 0) await compareAll('run');
    if (random.chance(0.3)) await new Promise((resolve) => setImmediate(resolve));
  }
}

run().catch((error: unknown) => {
  tell({ kind: 'wrong', what: 'the worker failed', when: 'run', stored: String(error) });
  process.exit(1);
});
