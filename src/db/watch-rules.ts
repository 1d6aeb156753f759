/**
 * What each change of the shop's tables covers: the one place that says which reads show which columns, so that no
 * mutation has to. Triggers follow these rules (`src/feed`), whoever writes: the shop, another program, a person.
 * A read that is kept has its key in `shop-keys.ts`, and a rule here; a test holds the two together.
 */
import type { Cache } from '../cache/cache.ts';
import type { FeedDatabase } from '../feed/database.ts';
import type { FeedPosition } from '../feed/readers.ts';
import type { TableRules } from '../feed/rules.ts';
import type { WatchOptions } from '../feed/watch-options.ts';
import { type Feed, watchTables } from '../feed/watch-tables.ts';
import { shopKeys } from './shop-keys.ts';

const shopRules: TableRules = {
  users: [
    'user::{id}::*',
    // It shows the names of those who bought.
    { targets: 'query::leaderboard::*', columns: ['name'] },
    // The tier decides which discounts are offered.
    { targets: 'discounts::user::{id}', columns: ['vip_tier'] },
  ],
  products: [
    {
      targets: [
        'products::all',
        'products::{main_category}',
        'products::{main_category}::{sub_category}',
        'products::item::{id}',
        // A category that is called "all" has a key apart.
        shopKeys.category('all'),
      ],
      columns: ['name', 'description', 'stock', 'price_cents', 'active', 'deleted_at'],
    },
    {
      targets: ['categories::main', 'categories::sub::{main_category}'],
      columns: ['sub_category', 'active', 'deleted_at'],
    },
    // Search results show no stock.
    {
      targets: 'query::search::*',
      columns: [
        'main_category',
        'sub_category',
        'name',
        'description',
        'price_cents',
        'active',
        'deleted_at',
      ],
    },
  ],
  discounts: 'discounts:*',
  // Orders hold names and prices as they were, so nothing but an order changes what shows them.
  orders: ['user_orders::{user_id}::*', 'query::leaderboard::*', 'query::sales::*'],
  wallet_transactions: 'query::transactions::{user_id}::*',
  user_activity: 'user::{user_id}::activity',
  settings: { targets: 'config::{name}', columns: ['value'] },
};

/**
 * Keeps the cache right whoever changes the shop. What was missed since the cache's disk was last right is applied
 * before this returns, and entries on disk are believed from then on.
 */
export function watchShop(
  db: FeedDatabase,
  cache: Cache,
  options: Omit<WatchOptions, 'startAt' | 'resumable'> = {},
): Feed {
  // The disk keeps what the feed gave it, and gives back what is whole; a position of another database is a gap.
  const startAt = cache.feedPosition as FeedPosition | undefined;
  const hasDisk = cache.stats(0).disk !== null;
  const feed = watchTables(db, cache, shopRules, {
    ...options,
    resumable: hasDisk,
    startAt,
  });
  cache.provenBy(feed);
  return feed;
}
