/**
 * Every read of the shop, straight from SQLite: prepared once, never cached. The cached shop is made of these, and its
 * consistency test compares it with them.
 */
import type Database from 'better-sqlite3';
import type {
  Category,
  Discount,
  LeaderboardRow,
  Order,
  Product,
  SalesAnalytics,
  SearchHit,
  Settings,
  User,
  WalletTransaction,
} from './model.ts';

export interface SearchRequest {
  /** Looked for in names and descriptions; every word must be there. */
  readonly text: string;
  /** @default all */
  readonly mainCategory?: string;
  /** @default 25 */
  readonly limit?: number;
}

/** The days a report covers, `2026-01-31`, UTC, both included. */
export interface DayRange {
  readonly fromDay: string;
  readonly toDay: string;
}

/** The rows as SQLite gives them, where they differ from the records. */
type ProductRow = Omit<Product, 'active'> & { readonly active: 0 | 1 };
interface DiscountRow extends Omit<Discount, 'target'> {
  readonly productId: number | null;
  readonly mainCategory: string | null;
  readonly vipTier: number | null;
  readonly userId: string | null;
}

const USER = 'id, name, wallet_cents AS walletCents, vip_tier AS vipTier, created_at AS createdAt';
const PRODUCT =
  'id, main_category AS mainCategory, sub_category AS subCategory, name, description, stock, price_cents AS priceCents, active';
const FOR_SALE = 'active = 1 AND deleted_at IS NULL';
const DISCOUNT = `id, name, product_id AS productId, main_category AS mainCategory, vip_tier AS vipTier, user_id AS userId,
  percent, valid_from AS validFrom, valid_to AS validTo`;
const ORDER = `id, product_id AS productId, product_name AS productName, main_category AS mainCategory, quantity,
  unit_price_cents AS unitPriceCents, discount_percent AS discountPercent, total_cents AS totalCents, status,
  created_at AS createdAt`;
const TRANSACTION = `id, kind, amount_cents AS amountCents, balance_cents AS balanceCents, order_id AS orderId, note,
  created_at AS createdAt`;

const DAY_MS = 86_400_000;
const DEFAULT_SEARCH_LIMIT = 25;
/** More words than anybody types; each costs a pass over the names. */
const MAX_SEARCH_WORDS = 8;
const TOP_PRODUCTS = 10;

export type Queries = ReturnType<typeof createQueries>;

/** @param db an open database with the current schema */
export function createQueries(db: Database.Database) {
  const user = db.prepare<[string], User>(`SELECT ${USER} FROM users WHERE id = ?`);
  const products = db.prepare<[], ProductRow>(
    `SELECT ${PRODUCT} FROM products WHERE ${FOR_SALE} ORDER BY main_category, sub_category, name, id`,
  );
  const productsByMain = db.prepare<[string], ProductRow>(
    `SELECT ${PRODUCT} FROM products WHERE ${FOR_SALE} AND main_category = ? ORDER BY sub_category, name, id`,
  );
  const productsBySub = db.prepare<[string, string], ProductRow>(
    `SELECT ${PRODUCT} FROM products WHERE ${FOR_SALE} AND main_category = ? AND sub_category = ? ORDER BY name, id`,
  );
  const product = db.prepare<[number], ProductRow>(
    `SELECT ${PRODUCT} FROM products WHERE id = ? AND deleted_at IS NULL`,
  );
  const mainCategories = db.prepare<[], Category>(
    `SELECT main_category AS name, count(*) AS products FROM products WHERE ${FOR_SALE} GROUP BY main_category ORDER BY main_category`,
  );
  const subCategories = db.prepare<[string], Category>(
    `SELECT sub_category AS name, count(*) AS products FROM products WHERE ${FOR_SALE} AND main_category = ?
     GROUP BY sub_category ORDER BY sub_category`,
  );
  const discounts = db.prepare<[number], DiscountRow>(
    `SELECT ${DISCOUNT} FROM discounts WHERE valid_to IS NULL OR valid_to > ? ORDER BY id`,
  );
  const discount = db.prepare<[number], DiscountRow>(`SELECT ${DISCOUNT} FROM discounts WHERE id = ?`);
  const discountsForUser = db.prepare<[{ userId: string; at: number }], DiscountRow>(
    `SELECT ${DISCOUNT} FROM discounts
     WHERE (user_id = :userId OR (user_id IS NULL AND coalesce(vip_tier, 0) <=
         coalesce((SELECT vip_tier FROM users WHERE id = :userId), 0)))
       AND (valid_to IS NULL OR valid_to > :at)
     ORDER BY id`,
  );
  const orders = db.prepare<[string, number], Order>(
    `SELECT ${ORDER} FROM orders WHERE user_id = ? ORDER BY id DESC LIMIT ?`,
  );
  const order = db.prepare<[number], Order>(`SELECT ${ORDER} FROM orders WHERE id = ?`);
  const transactions = db.prepare<[string, number, number], WalletTransaction>(
    `SELECT ${TRANSACTION} FROM wallet_transactions WHERE user_id = ? ORDER BY id DESC LIMIT ? OFFSET ?`,
  );
  const setting = db.prepare<[string], string>('SELECT value FROM settings WHERE name = ?').pluck();
  const leaderboard = db.prepare<[number], Omit<LeaderboardRow, 'rank'>>(
    `SELECT spending.user_id AS userId, users.name, spending.spentCents, spending.orders FROM (
       SELECT user_id, sum(total_cents) AS spentCents, count(*) AS orders FROM orders
       WHERE status = 'completed' GROUP BY user_id ORDER BY spentCents DESC, user_id LIMIT ?
     ) AS spending JOIN users ON users.id = spending.user_id ORDER BY spending.spentCents DESC, spending.user_id`,
  );
  const search = db.prepare<[{ words: string; mainCategory: string | null; limit: number }], SearchHit>(
    `SELECT id, name, main_category AS mainCategory, sub_category AS subCategory, price_cents AS priceCents
     FROM products WHERE ${FOR_SALE} AND (:mainCategory IS NULL OR main_category = :mainCategory)
       AND NOT EXISTS (
         SELECT 1 FROM json_each(:words) WHERE products.name NOT LIKE value ESCAPE '\\'
           AND products.description NOT LIKE value ESCAPE '\\'
       )
     ORDER BY name, id LIMIT :limit`,
  );
  const sold = "FROM orders WHERE status = 'completed' AND created_at >= ? AND created_at < ?";
  const sales = db.prepare<[number, number], { orders: number; revenueCents: number }>(
    `SELECT count(*) AS orders, coalesce(sum(total_cents), 0) AS revenueCents ${sold}`,
  );
  const salesByCategory = db.prepare<[number, number], SalesAnalytics['categories'][number]>(
    `SELECT main_category AS name, count(*) AS orders, sum(total_cents) AS revenueCents ${sold}
     GROUP BY main_category ORDER BY revenueCents DESC, main_category`,
  );
  const topProducts = db.prepare<[number, number, number], SalesAnalytics['topProducts'][number]>(
    `SELECT product_id AS productId, min(product_name) AS name, sum(quantity) AS sold, sum(total_cents) AS revenueCents ${sold}
     GROUP BY product_id ORDER BY revenueCents DESC, product_id LIMIT ?`,
  );

  return {
    /** `null`: no such person. */
    user: (id: string): User | null => user.get(id) ?? null,
    /** Everything for sale. */
    products: (): Product[] => products.all().map(toProduct),
    productsByCategory: (main: string, sub?: string): Product[] =>
      (sub === undefined ? productsByMain.all(main) : productsBySub.all(main, sub)).map(toProduct),
    /** Also one that is not for sale at the moment; `null` when there is none. */
    product: (id: number): Product | null => {
      const row = product.get(id);
      return row === undefined ? null : toProduct(row);
    },
    mainCategories: (): Category[] => mainCategories.all(),
    subCategories: (main: string): Category[] => subCategories.all(main),
    /** Those that have not ended at `at`, coming ones included. */
    discounts: (at: number): Discount[] => discounts.all(at).map(toDiscount),
    discount: (id: number): Discount | null => {
      const row = discount.get(id);
      return row === undefined ? null : toDiscount(row);
    },
    /** Those offered to this person, coming ones included, for whichever products. */
    discountsForUser: (userId: string, at: number): Discount[] =>
      discountsForUser.all({ userId, at }).map(toDiscount),
    /** The last orders, newest first. */
    ordersForUser: (userId: string, limit: number): Order[] => orders.all(userId, limit),
    order: (id: number): Order | null => order.get(id) ?? null,
    /** One page, newest first; the first is 0. */
    transactions: (userId: string, page: number, pageSize: number): WalletTransaction[] =>
      transactions.all(userId, pageSize, page * pageSize),
    /** An empty list before it is first set. */
    setting: <N extends keyof Settings>(name: N): Settings[N] =>
      JSON.parse(setting.get(name) ?? '[]') as Settings[N], // only `updateSettings` writes these
    leaderboard: (limit: number): LeaderboardRow[] =>
      leaderboard.all(limit).map((row, i) => ({ rank: i + 1, ...row })),
    search: ({ text, mainCategory, limit = DEFAULT_SEARCH_LIMIT }: SearchRequest): SearchHit[] =>
      search.all({
        words: JSON.stringify(searchWords(text).map(likePattern)),
        mainCategory: mainCategory ?? null,
        limit,
      }),
    sales: ({ fromDay, toDay }: DayRange): SalesAnalytics => {
      const from = Date.parse(fromDay);
      const to = Date.parse(toDay) + DAY_MS;
      const total = sales.get(from, to) ?? { orders: 0, revenueCents: 0 };
      return {
        fromDay,
        toDay,
        ...total,
        categories: salesByCategory.all(from, to),
        topProducts: topProducts.all(from, to, TOP_PRODUCTS),
      };
    },
  };
}

/**
 * What a search looks for. SQLite's LIKE takes A and a for the same, and no other pairs of letters, so this changes no
 * more than that: equal words, equal results.
 */
export function searchWords(text: string): string[] {
  const words = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()).split(/\s+/);
  return [...new Set(words.filter((word) => word !== ''))].slice(0, MAX_SEARCH_WORDS).sort();
}

function likePattern(word: string): string {
  return `%${word.replace(/[\\%_]/g, '\\$&')}%`;
}

function toProduct(row: ProductRow): Product {
  return { ...row, active: row.active === 1 };
}

function toDiscount({ productId, mainCategory, vipTier, userId, ...rest }: DiscountRow): Discount {
  const { id, name, percent, validFrom, validTo } = rest;
  const discount = { id, name, percent, validFrom, validTo };
  if (productId !== null) return { ...discount, target: { kind: 'product', productId } };
  if (mainCategory !== null) return { ...discount, target: { kind: 'category', mainCategory } };
  if (vipTier !== null) return { ...discount, target: { kind: 'vip', vipTier } };
  return { ...discount, target: { kind: 'user', userId: userId ?? '' } }; // a CHECK holds that one of the four is there
}
