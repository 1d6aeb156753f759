/**
 * Fills an empty shop with people, products and two years of orders: the same for the same seed, of any size, and
 * consistent, as if it had all been bought one after another (each balance follows from the wallet's transactions).
 */
import type Database from 'better-sqlite3';
import {
  makePersonName,
  makeProduct,
  OCCASIONS,
  PAYMENT_METHODS,
  VIP_PERCENTS,
  VIP_TIERS,
} from './catalogue.ts';
import { discountedCents } from './discount.ts';
import { DatabaseError } from './errors.ts';
import { type Random, seededRandom } from './random.ts';
import { createWrites, type Writes } from './writes.ts';

export interface GeneratorOptions {
  /** @default 2000 */
  readonly products?: number;
  /** @default 5000 */
  readonly users?: number;
  /** @default 50000; none where there are no users or no products */
  readonly orders?: number;
  /** @default 1 */
  readonly seed?: number;
  /** The end of the history, epoch milliseconds. @default 2026-01-01 */
  readonly now?: number;
}

export interface Generated {
  readonly products: number;
  readonly users: number;
  readonly orders: number;
  readonly discounts: number;
  readonly transactions: number;
}

const DAY_MS = 86_400_000;
const HISTORY_MS = 730 * DAY_MS;
/** 2015-01-01, from which Discord counts its ids. */
const DISCORD_EPOCH = 1_420_070_400_000;
const DEPOSITS_CENTS = [10_00, 20_00, 50_00, 100_00, 200_00] as const;

/** What is kept of a product and of a person while orders are made. */
interface Ware {
  readonly id: number;
  readonly name: string;
  readonly mainCategory: string;
  readonly priceCents: number;
}
interface Buyer {
  readonly id: string;
  walletCents: number;
  spentCents: number;
}

/** Whether nobody has used this shop yet. */
export function isEmptyShop(db: Database.Database): boolean {
  return (
    db.prepare('SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM products)').pluck().get() === 0
  );
}

/**
 * Fills the shop in one transaction.
 * @throws DatabaseError `ERR_DB_NOT_EMPTY` when there are people or products already
 * @throws RangeError for a size that is no whole number from 0
 */
export function generateShop(db: Database.Database, options: GeneratorOptions = {}): Generated {
  const { products = 2_000, users = 5_000, orders = 50_000, seed = 1 } = options;
  const { now = Date.UTC(2026, 0, 1) } = options;
  for (const [name, size] of Object.entries({ products, users, orders })) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw new RangeError(`${name} is a whole number from 0, not ${size}.`);
  }
  return db
    .transaction((): Generated => {
      if (!isEmptyShop(db)) {
        throw new DatabaseError(
          'ERR_DB_NOT_EMPTY',
          db.name,
          `The shop ${db.name} has data already, which is never overwritten: take another file.`,
        );
      }
      const random = seededRandom(seed);
      const writes = createWrites(db);
      writes.putSetting('vip_tiers', VIP_TIERS, now - HISTORY_MS);
      writes.putSetting('payment_methods', PAYMENT_METHODS, now - HISTORY_MS);
      const wares = makeWares(random, writes, products, now - HISTORY_MS);
      const buyers = makeBuyers(random, writes, users, now - HISTORY_MS);
      const made = withoutIndexes(db, () => makeOrders(db, random, wares, buyers, orders, now));
      const update = db.prepare('UPDATE users SET wallet_cents = ?, vip_tier = ? WHERE id = ?');
      for (const { walletCents, spentCents, id } of buyers)
        update.run(walletCents, vipTierOf(spentCents), id);
      const discounts = makeDiscounts(random, writes, wares, buyers, now);
      return { products, users, discounts, ...made };
    })
    .immediate();
}

/** Filling the large tables first and indexing them afterwards takes about half as long. */
function withoutIndexes<T>(db: Database.Database, fill: () => T): T {
  const indexes = db
    .prepare<[], { name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_schema
       WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('orders', 'wallet_transactions')`,
    )
    .all();
  for (const { name } of indexes) db.exec(`DROP INDEX ${name}`);
  const result = fill();
  for (const { sql } of indexes) db.exec(sql);
  return result;
}

function makeWares(random: Random, writes: Writes, count: number, at: number): Ware[] {
  const taken = new Set<string>();
  return Array.from({ length: count }, () => {
    const product = makeProduct(random, taken);
    // A few are off the shelves.
    const id = writes.insertProduct({ ...product, active: !random.chance(0.03) }, at);
    return { id, name: product.name, mainCategory: product.mainCategory, priceCents: product.priceCents };
  });
}

function makeBuyers(random: Random, writes: Writes, count: number, until: number): Buyer[] {
  let joinedAt = until - 4 * 365 * DAY_MS;
  return Array.from({ length: count }, () => {
    // Ids are the moment an account was made and a counter; going forward keeps them unique.
    joinedAt += random.between(1, Math.max(1, Math.floor((until - joinedAt) / 50)));
    const id = String((BigInt(joinedAt - DISCORD_EPOCH) << 22n) | BigInt(random.between(0, 4_194_303)));
    writes.ensureUser(id, makePersonName(random), until);
    return { id, walletCents: 0, spentCents: 0 };
  });
}

function makeOrders(
  db: Database.Database,
  random: Random,
  wares: readonly Ware[],
  buyers: readonly Buyer[],
  wanted: number,
  now: number,
): Pick<Generated, 'orders' | 'transactions'> {
  const order = db.prepare(
    `INSERT INTO orders (user_id, product_id, product_name, main_category, quantity, unit_price_cents, discount_percent,
       total_cents, status, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const transaction = db.prepare(
    `INSERT INTO wallet_transactions (user_id, kind, amount_cents, balance_cents, order_id, note, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
  );
  let transactions = 0;
  const record = (
    buyer: Buyer,
    kind: string,
    cents: number,
    orderId: number | null,
    note: string,
    at: number,
  ) => {
    buyer.walletCents += cents;
    transaction.run(buyer.id, kind, cents, buyer.walletCents, orderId, note, at);
    transactions++;
  };
  let orders = 0;
  for (; orders < wanted; orders++) {
    const ware = wares[random.popular(wares.length)];
    const buyer = buyers[random.popular(buyers.length)];
    if (ware === undefined || buyer === undefined) break;
    const at = Math.floor(now - HISTORY_MS + (HISTORY_MS * orders) / wanted);
    const quantity = random.chance(0.85) ? 1 : random.between(2, 4);
    const percent = random.chance(0.2) ? random.between(1, 6) * 5 : 0;
    const cents = discountedCents(ware.priceCents * quantity, percent);
    while (buyer.walletCents < cents) record(buyer, 'deposit', random.pick(DEPOSITS_CENTS), null, '', at);
    const refunded = random.chance(0.02);
    const { lastInsertRowid } = order.run(
      buyer.id,
      ware.id,
      ware.name,
      ware.mainCategory,
      quantity,
      ware.priceCents,
      percent,
      cents,
      refunded ? 'refunded' : 'completed',
      at,
    );
    const orderId = Number(lastInsertRowid);
    record(buyer, 'purchase', -cents, orderId, ware.name, at);
    if (refunded) record(buyer, 'refund', cents, orderId, ware.name, at);
    else buyer.spentCents += cents;
  }
  return { orders, transactions };
}

function vipTierOf(spentCents: number): number {
  return VIP_TIERS.filter(({ fromSpentCents }) => spentCents >= fromSpentCents).length;
}

/** One for each VIP tier; some for categories, products and people: past, present and coming. */
function makeDiscounts(
  random: Random,
  writes: Writes,
  wares: readonly Ware[],
  buyers: readonly Buyer[],
  now: number,
): number {
  let count = 0;
  const add = (
    target: Parameters<Writes['insertDiscount']>[0]['target'],
    percent: number,
    forEver: boolean,
  ) => {
    const validFrom = forEver ? now - HISTORY_MS : now + random.between(-60, 30) * DAY_MS;
    const validTo = forEver ? null : validFrom + random.between(2, 45) * DAY_MS;
    writes.insertDiscount({ name: random.pick(OCCASIONS), target, percent, validFrom, validTo });
    count++;
  };
  VIP_PERCENTS.forEach((percent, i) => {
    add({ kind: 'vip', vipTier: i + 1 }, percent, true);
  });
  for (const mainCategory of new Set(wares.map((ware) => ware.mainCategory))) {
    add({ kind: 'category', mainCategory }, random.between(1, 4) * 5, false);
  }
  for (let i = 0; i < wares.length / 25; i++) {
    const ware = wares[random.popular(wares.length)];
    if (ware !== undefined) add({ kind: 'product', productId: ware.id }, random.between(1, 8) * 5, false);
  }
  for (let i = 0; i < buyers.length / 50; i++) {
    const buyer = buyers[random.popular(buyers.length)];
    if (buyer !== undefined) add({ kind: 'user', userId: buyer.id }, random.between(1, 6) * 5, false);
  }
  return count;
}
