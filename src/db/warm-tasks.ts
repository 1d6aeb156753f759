/**
 * What of the shop is worth warming, in the groups that `/cache-warm` offers. The shape is that of the warmers'
 * `WarmTask`, which this folder does not import: the cache stands between the two.
 */
import type { WarmJob } from '../cache/warm-job.ts';
import type { Shop } from './shop.ts';

export interface ShopWarmTask {
  readonly name: string;
  readonly scope: 'config' | 'reference' | 'query' | 'user';
  jobs(context: { readonly signal: AbortSignal; readonly userId: string | undefined }): WarmJob[];
}

/** The sales report that people look at. */
const SALES_DAYS = 30;

/** Tasks for the warmers of a bot with this shop. Categories are listed at the moment of the run. */
export function shopWarmTasks(shop: Shop): ShopWarmTask[] {
  return [
    { name: 'VIP tiers', scope: 'config', jobs: () => [shop.getVipTiers.warm()] },
    { name: 'Payment methods', scope: 'config', jobs: () => [shop.getPaymentMethods.warm()] },
    {
      name: 'Categories',
      scope: 'reference',
      jobs: () => [
        shop.getMainCategories.warm(),
        ...shop.queries.mainCategories().map(({ name }) => shop.getSubCategories.warm(name)),
      ],
    },
    {
      name: 'Products',
      scope: 'reference',
      jobs: () => [
        shop.getAllProducts.warm(),
        ...shop.queries.mainCategories().map(({ name }) => shop.getProductsByCategory.warm(name)),
      ],
    },
    { name: 'Discounts', scope: 'reference', jobs: () => [shop.getDiscounts.warm()] },
    { name: 'Leaderboard', scope: 'query', jobs: () => [shop.getLeaderboard.warm()] },
    {
      name: 'Sales',
      scope: 'query',
      jobs: () => [shop.getSalesAnalytics.warm(shop.lastDays(SALES_DAYS))],
    },
    {
      name: 'Profile',
      scope: 'user',
      jobs: ({ userId }) =>
        userId === undefined ? [] : [shop.getUser.warm(userId), shop.getApplicableDiscounts.warm(userId)],
    },
    {
      name: 'Orders',
      scope: 'user',
      jobs: ({ userId }) => (userId === undefined ? [] : [shop.getOrdersForUser.warm(userId)]),
    },
  ];
}
