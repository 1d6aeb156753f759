/**
 * The keys of the shop's cached reads, and what each kind of change touches. Reads and mutations meet here and nowhere
 * else, so this file shows at a glance whether a change reaches every read that shows it.
 */
import { key } from '../cache/keys.ts';
import type { Product, Settings } from './model.ts';
import type { DayRange, SearchRequest } from './queries.ts';
import { searchWords } from './queries.ts';

export const shopKeys = {
  profile: (userId: string) => key.user(userId, 'profile'),
  orders: (userId: string) => key.userOrders(userId, 'recent'),
  allProducts: () => key.products('all'),
  /** A category may be called "all", too: it is told apart from all products. */
  category: (main: string, sub?: string) =>
    sub === undefined
      ? main === 'all'
        ? key.products(main, null)
        : key.products(main)
      : key.products(main, sub),
  /** The id is a number, which no sub-category is, so that a category called "item" is not in the way. */
  product: (id: number) => key.products('item', id),
  mainCategories: () => key.categories('main'),
  subCategories: (main: string) => key.categories('sub', main),
  allDiscounts: () => key.discounts('all'),
  /**
   * By person alone, not by person and product or category: those are picked from the entry. Keyed by category as
   * well, three times as many reads went to the database.
   */
  userDiscounts: (userId: string) => key.discounts('user', userId),
  setting: (name: keyof Settings) => key.config(name),
  leaderboard: (limit: number) => key.query('leaderboard', `top${limit}`),
  /** Texts that look for the same words share a key. */
  search: ({ text, mainCategory, limit }: SearchRequest) =>
    key.query('search', { words: searchWords(text), mainCategory, limit }),
  transactions: (userId: string, page: number) => key.of('query', 'transactions', userId, page),
  sales: ({ fromDay, toDay }: DayRange) => key.query('sales', { fromDay, toDay }),
} as const;

/** Everything under a prefix. */
const under = (prefix: string) => `${prefix}::*`;

const LEADERBOARD = 'query::leaderboard::*';
const SEARCHES = 'query::search::*';
const SALES = 'query::sales::*';

export const touched = {
  /** Name, tier and wallet are in the profile; the name is on the leaderboard, too. */
  name: (userId: string) => [under(key.of('user', userId)), LEADERBOARD],
  /** The tier decides which discounts are offered. */
  vipTier: (userId: string) => [under(key.of('user', userId)), shopKeys.userDiscounts(userId)],
  wallet: (userId: string) => [under(key.of('user', userId)), under(key.of('query', 'transactions', userId))],
  purchase: (userId: string) => [
    ...touched.wallet(userId),
    under(key.userOrders(userId)),
    LEADERBOARD,
    SALES,
  ],
  /** The lists and the page that show how many are left. Search results do not. */
  stock: ({ id, mainCategory, subCategory }: Pick<Product, 'id' | 'mainCategory' | 'subCategory'>) => [
    shopKeys.allProducts(),
    shopKeys.category(mainCategory),
    shopKeys.category(mainCategory, subCategory),
    shopKeys.product(id),
  ],
  /** Orders and sales hold names and prices as they were, so they stay. */
  products: () => ['products:*', 'categories:*', SEARCHES],
  discounts: () => ['discounts:*'],
  setting: (name: keyof Settings) => [shopKeys.setting(name)],
} as const;
