/** The keys of the shop's cached reads. Which changes cover them is said in `watch-rules.ts`. */
import { key } from '../cache/keys/keys.ts';
import type { Settings } from './model.ts';
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
