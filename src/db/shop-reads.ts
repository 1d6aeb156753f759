/**
 * The shop's cached reads: which are kept, under which key and for how long. Everything else of a read is its query.
 * Lists that every person looks at are shared frozen; what belongs to one person, or is one row, is a copy for each read.
 */
import type { Cache } from '../cache/cache.ts';
import type { TierPolicy } from '../cache/tiers/tier.ts';
import { cached, cachedSync } from '../cache/wrappers/wrappers.ts';
import { covers, type Discounted, holdsAt } from './discount.ts';
import type { Category, Discount, LeaderboardRow, Order, Product, User, WalletTransaction } from './model.ts';
import type { DayRange, Queries, SearchRequest } from './queries.ts';
import { shopKeys } from './shop-keys.ts';
import type { SourceOptions } from './source.ts';
import { whole } from './whole.ts';

/** Orders are looked at right after buying: kept half as long as the rest of a person's data, unless that is shorter. */
const ORDERS_TTL_MS = 30 * 60_000;
const RECENT_ORDERS = 25;
const TRANSACTIONS_PER_PAGE = 20;
const MAX_LEADERBOARD = 100;
const DAY_MS = 86_400_000;

export interface ReadParts {
  /** The one that knows the database's transactions. */
  readonly cache: Cache;
  readonly queries: Queries;
  /** The wall clock, epoch milliseconds. */
  readonly now: () => number;
  readonly gate?: SourceOptions['gate'];
}

/** Reads of rows are synchronous; those that go through a whole table are not, so that they can be slow by themselves. */
export function createReads({ cache, queries, now, gate }: ReadParts) {
  const getUser = cachedSync(cache, (id: string): User | null => queries.user(id), {
    key: shopKeys.profile,
  });
  const getAllProducts = cachedSync(cache, (): readonly Product[] => queries.products(), {
    key: shopKeys.allProducts,
    values: 'frozen',
  });
  const getProductsByCategory = cachedSync(
    cache,
    (main: string, sub?: string): readonly Product[] => queries.productsByCategory(main, sub),
    { key: shopKeys.category, values: 'frozen' },
  );
  const getProduct = cachedSync(cache, (id: number): Product | null => queries.product(id), {
    key: shopKeys.product,
  });
  const getMainCategories = cachedSync(cache, (): readonly Category[] => queries.mainCategories(), {
    key: shopKeys.mainCategories,
    values: 'frozen',
  });
  const getSubCategories = cachedSync(
    cache,
    (main: string): readonly Category[] => queries.subCategories(main),
    { key: shopKeys.subCategories, values: 'frozen' },
  );
  const getOrdersForUser = cachedSync(
    cache,
    (userId: string): readonly Order[] => queries.ordersForUser(userId, RECENT_ORDERS),
    { key: shopKeys.orders, ttlMs: Math.min(ORDERS_TTL_MS, userTtlMs(cache.tiers)) },
  );
  const getVipTiers = cachedSync(cache, () => queries.setting('vip_tiers'), {
    key: () => shopKeys.setting('vip_tiers'),
    values: 'frozen',
    recipe: 'vip tiers',
  });
  const getPaymentMethods = cachedSync(cache, () => queries.setting('payment_methods'), {
    key: () => shopKeys.setting('payment_methods'),
    values: 'frozen',
    recipe: 'payment methods',
  });
  const getLeaderboard = cached(
    cache,
    async (limit?: number): Promise<readonly LeaderboardRow[]> => {
      const rows = whole(limit ?? 10, 1, MAX_LEADERBOARD, 'limit');
      if (gate !== undefined) await gate();
      return queries.leaderboard(rows);
    },
    { key: (limit?: number) => shopKeys.leaderboard(limit ?? 10), recipe: 'leaderboard', values: 'frozen' },
  );
  const searchProducts = cached(
    cache,
    async (request: SearchRequest) => {
      if (gate !== undefined) await gate();
      return queries.search(request);
    },
    { key: shopKeys.search, values: 'frozen' },
  );
  const getTransactionHistory = cachedSync(
    cache,
    (userId: string, page?: number): readonly WalletTransaction[] =>
      queries.transactions(userId, whole(page ?? 0, 0, 1_000_000, 'page'), TRANSACTIONS_PER_PAGE),
    { key: (userId: string, page?: number) => shopKeys.transactions(userId, page ?? 0), recipe: false },
  );
  const getSalesAnalytics = cached(
    cache,
    async (range: DayRange) => {
      const days = asDays(range);
      if (gate !== undefined) await gate();
      return queries.sales(days);
    },
    { key: shopKeys.sales },
  );

  // What is kept of discounts is not tied to the moment: those that have not begun are in it, and each read picks
  // those that hold now. So nothing is served past its end, and no entry is dropped because one discount ends.
  const allDiscounts = cachedSync(cache, (): readonly Discount[] => queries.discounts(now()), {
    key: shopKeys.allDiscounts,
    values: 'frozen',
  });
  const userDiscounts = cachedSync(
    cache,
    (userId: string): readonly Discount[] => queries.discountsForUser(userId, now()),
    { key: shopKeys.userDiscounts },
  );
  const holdingNow = (discounts: readonly Discount[], product?: Discounted) => {
    const at = now();
    return discounts.filter((each) => holdsAt(each, at) && (product === undefined || covers(each, product)));
  };

  return {
    /** `null`: the person is not known. */
    getUser,
    /** Everything for sale, by category and name. */
    getAllProducts,
    getProductsByCategory,
    /** Also one that is not for sale at the moment; `null`: there is none. */
    getProduct,
    getMainCategories,
    getSubCategories,
    /** The discounts that hold now for this person; with a product, those that cover it. */
    getApplicableDiscounts: Object.assign(
      (userId: string, product?: Discounted) => holdingNow(userDiscounts(userId), product),
      {
        fresh: (userId: string, product?: Discounted) => holdingNow(userDiscounts.fresh(userId), product),
        invalidate: userDiscounts.invalidate,
        key: userDiscounts.key,
        warm: userDiscounts.warm,
      },
    ),
    /** The discounts that hold now, for whomever. */
    getDiscounts: Object.assign(() => holdingNow(allDiscounts()), {
      fresh: () => holdingNow(allDiscounts.fresh()),
      invalidate: allDiscounts.invalidate,
      key: allDiscounts.key,
      warm: allDiscounts.warm,
    }),
    /** The last 25, newest first. Kept for half an hour. */
    getOrdersForUser,
    getVipTiers,
    getPaymentMethods,
    /** Who has spent most; 10 unless said otherwise. */
    getLeaderboard,
    searchProducts,
    /** 20 a page, newest first; the first page is 0. */
    getTransactionHistory,
    getSalesAnalytics,
    /** The last days up to today, for {@link getSalesAnalytics}. */
    lastDays: (days: number): DayRange => {
      const at = now();
      return { fromDay: dayOf(at - (whole(days, 1, 3_660, 'days') - 1) * DAY_MS), toDay: dayOf(at) };
    },
  };
}

function userTtlMs(tiers: readonly TierPolicy[]): number {
  return tiers.find(({ tier }) => tier === 'user')?.ttlMs ?? ORDERS_TTL_MS;
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function asDays(range: DayRange): DayRange {
  for (const day of [range.fromDay, range.toDay]) {
    const at = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : Number.NaN;
    if (Number.isNaN(at)) throw new RangeError(`A day is written as 2026-01-31, not ${JSON.stringify(day)}.`);
  }
  return range;
}
