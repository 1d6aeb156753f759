/**
 * The shop with its cache: reads that are kept, and mutations. None of these says what it invalidates: the change feed
 * of its tables does, after the commit and for what has really changed (I7, `watch-rules.ts`). Everything is
 * synchronous, as better-sqlite3 is, but for the aggregate reads.
 *
 * Cached values are for display. Whether somebody can pay and whether something is in stock is decided on the database,
 * within the statement that takes it, so a balance can't be spent twice.
 */
import type Database from 'better-sqlite3';
import type { Cache } from '../cache/cache.ts';
import { sqliteCache } from '../cache/transactions/sqlite.ts';
import type { Feed } from '../feed/watch-tables.ts';
import { consoleLogger } from '../logger/console-logger.ts';
import type { Logger } from '../logger.ts';
import { bestPercent, discountedCents } from './discount.ts';
import type {
  Discount,
  DiscountChange,
  NewDiscount,
  NewProduct,
  Order,
  Product,
  ProductChange,
  PurchaseResult,
  Settings,
  TransactionKind,
  User,
  WalletResult,
} from './model.ts';
import { createQueries } from './queries.ts';
import { createReads } from './shop-reads.ts';
import { guarded, type SourceOptions } from './source.ts';
import { watchShop } from './watch-rules.ts';
import { whole } from './whole.ts';
import { createWrites } from './writes.ts';

const MAX_QUANTITY = 99;

export interface ShopOptions {
  /** The wall clock, epoch milliseconds: what discounts and orders are dated by. @default `Date.now` */
  readonly now?: () => number;
  /** @default the console, one line a message */
  readonly logger?: Logger;
  /** What stands between the shop and its database. @default nothing */
  readonly source?: SourceOptions;
  /** From `watchShop`, for those who end it themselves. @default one that ends with the database */
  readonly feed?: Feed;
}

export type Shop = ReturnType<typeof createShop>;

/**
 * @param db from `openDatabase`
 * @example
 * const shop = createShop(openDatabase('shop.sqlite'), cache);
 * shop.ensureUser('80351110224678912', 'Nelly');
 * shop.updateWallet('80351110224678912', 50_00, 'deposit');
 * const result = shop.purchase('80351110224678912', 7);
 * if (!result.ok) console.log(result.reason);
 */
export function createShop(db: Database.Database, cache: Cache, options: ShopOptions = {}) {
  const now = options.now ?? Date.now;
  const logger = options.logger ?? consoleLogger;
  const sql = sqliteCache(db, cache, { logger, feed: options.feed ?? watchShop(db, cache, { logger }) });
  const source = options.source ?? {};
  const queries = guarded(createQueries(db), source);
  const writes = guarded(createWrites(db), source);

  const reads = createReads({ cache: sql.cache, queries, now, gate: source.gate });
  const { getUser } = reads;

  /** Begun as a writer: a reader that turns writer may be refused by SQLite when another process wrote meanwhile. */
  const mutation = <A extends unknown[], R>(fn: (...args: A) => R): ((...args: A) => R) =>
    sql.transaction(fn).immediate;

  const rememberUser = mutation((id: string, name: string) => writes.ensureUser(id, name, now()));

  const setVipTier = mutation((userId: string, vipTier: number) => writes.setVipTier(userId, vipTier));

  const updateWallet = mutation(
    (userId: string, cents: number, kind?: WalletChangeKind, note?: string): WalletResult => {
      whole(cents, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'cents');
      const walletCents = writes.addToWallet(userId, cents);
      if (walletCents === undefined) return shortOfFunds(userId);
      writes.addTransaction({
        userId,
        kind: kind ?? 'adjustment',
        cents,
        balanceCents: walletCents,
        orderId: null,
        note: note ?? '',
        at: now(),
      });
      return { ok: true, walletCents };
    },
  );

  function shortOfFunds(userId: string): WalletResult & { ok: false } {
    const user = queries.user(userId);
    return user === null
      ? { ok: false, reason: 'unknown-user' }
      : { ok: false, reason: 'funds', walletCents: user.walletCents };
  }

  const createProduct = mutation(
    (product: NewProduct): Product => existing(queries.product(writes.insertProduct(product, now()))),
  );

  const updateProduct = mutation((id: number, change: ProductChange): Product | null => {
    const product = queries.product(id);
    if (product === null) return null;
    writes.updateProduct({ ...product, ...change }, now());
    return queries.product(id);
  });

  const deleteProduct = mutation((id: number) => writes.deleteProduct(id, now()));

  const createDiscount = mutation(
    (discount: NewDiscount): Discount => existing(queries.discount(writes.insertDiscount(discount))),
  );

  const updateDiscount = mutation((id: number, change: DiscountChange): Discount | null => {
    const discount = queries.discount(id);
    if (discount === null) return null;
    writes.updateDiscount({ ...discount, ...change });
    return queries.discount(id);
  });

  const deleteDiscount = mutation((id: number) => writes.deleteDiscount(id));

  const updateSettings = mutation(<N extends keyof Settings>(name: N, value: Settings[N]): void =>
    writes.putSetting(name, value, now()),
  );

  /** Takes stock, then money; refuses by throwing, so that what it took comes back. */
  const buy = sql.transaction((userId: string, productId: number, quantity: number) => {
    const product = writes.takeFromStock(productId, quantity);
    if (product === undefined) throw new Refused(outOfStock(productId));
    const at = now();
    const percent = bestPercent(queries.discountsForUser(userId, at), product, at);
    const totalCents = discountedCents(product.priceCents * quantity, percent);
    const walletCents = writes.addToWallet(userId, -totalCents);
    if (walletCents === undefined) {
      const short = shortOfFunds(userId);
      throw new Refused(short.reason === 'funds' ? { ...short, totalCents } : short);
    }
    const order: Omit<Order, 'id'> = {
      productId,
      productName: product.name,
      mainCategory: product.mainCategory,
      quantity,
      unitPriceCents: product.priceCents,
      discountPercent: percent,
      totalCents,
      status: 'completed',
      createdAt: at,
    };
    const id = writes.insertOrder({ ...order, userId });
    writes.addTransaction({
      userId,
      kind: 'purchase',
      cents: -totalCents,
      balanceCents: walletCents,
      orderId: id,
      note: product.name.slice(0, 200),
      at,
    });
    return { product, order: { id, ...order }, walletCents };
  }).immediate;

  function outOfStock(productId: number): PurchaseResult & { ok: false } {
    const product = queries.product(productId);
    return product?.active !== true || product.stock === null
      ? { ok: false, reason: 'unknown-product' }
      : { ok: false, reason: 'stock', stock: product.stock };
  }

  return {
    /** The uncached reads, for those that must decide and not only show. */
    queries,
    /** Runs several mutations as one; nested ones become savepoints. What they touch is invalidated after the commit. */
    transaction: sql.transaction,

    ...reads,

    /** Makes the person known, or takes over a new name. Costs a cached read when nothing is new. */
    ensureUser: (id: string, name: string): User => {
      if (getUser(id)?.name !== name) rememberUser(id, name);
      return existing(getUser(id));
    },
    /** False: no such person, or the tier is theirs already. */
    setVipTier,
    /** Adds to the wallet, or takes from it what it holds. Whole cents. */
    updateWallet,
    createProduct,
    /** `null`: there is no such product. */
    updateProduct,
    /** False: there is no such product. Orders keep naming it. */
    deleteProduct,
    createDiscount,
    /** `null`: there is no such discount. */
    updateDiscount,
    /** False: there is no such discount. */
    deleteDiscount,
    updateSettings,
    /**
     * Buys at the price of this moment, with the person's best discount.
     * A refusal is a result; it has changed nothing and invalidated nothing.
     */
    purchase: (userId: string, productId: number, quantity = 1): PurchaseResult => {
      try {
        const bought = buy(userId, productId, whole(quantity, 1, MAX_QUANTITY, 'quantity'));
        return {
          ok: true,
          order: bought.order,
          walletCents: bought.walletCents,
          stock: bought.product.stock,
        };
      } catch (error) {
        if (error instanceof Refused) return error.result;
        throw error;
      }
    },
  };
}

/** What a wallet changes for, apart from purchases. */
export type WalletChangeKind = Exclude<TransactionKind, 'purchase'>;

/** Rolls a purchase back and carries what to tell. */
class Refused extends Error {
  readonly result: PurchaseResult & { ok: false };

  constructor(result: PurchaseResult & { ok: false }) {
    super(result.reason);
    this.result = result;
  }
}

/** What was written within this very transaction is there. */
function existing<T>(row: T | null): T {
  if (row === null)
    throw new Error('A row that was just written is not there: the database was changed by hand.');
  return row;
}
