/** The shop over a restart, with the configuration that ships: what is loaded again before anybody asks, and what is not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { parseConfig } from '../../src/config/config.ts';
import { generateShop } from '../../src/db/generator.ts';
import { openDatabase } from '../../src/db/open.ts';
import { createShop } from '../../src/db/shop.ts';
import { watchShop } from '../../src/db/watch-rules.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';

const NOW = Date.UTC(2026, 5, 15, 12);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-shop-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('every read of the shop but those of a person is loaded again after a night, in its right form', async () => {
  const db = openDatabase(':memory:');
  generateShop(db, { products: 40, users: 10, orders: 20, seed: 7, now: NOW });
  const clock = handClock(NOW);
  const { cache: options } = parseConfig({ cache: { disk_path: join(folder, 'cache.db') } });
  const begin = () => {
    const cache = createCache({ ...options, clock, logger: silentLogger });
    const feed = watchShop(db, cache, { logger: silentLogger });
    const now = () => clock.epochAt(clock.now());
    const shop = createShop(db, cache, { feed, now, logger: silentLogger });
    const end = async () => {
      await cache.stop();
      feed.stop();
    };
    return { cache, shop, end };
  };

  const first = begin();
  const { shop } = first;
  const person = String(db.prepare('SELECT id FROM users').pluck().get());
  for (let i = 0; i < 8; i++) {
    shop.getUser(person);
    shop.getOrdersForUser(person);
    shop.getTransactionHistory(person);
    shop.getAllProducts();
    shop.getProductsByCategory('gaming');
    shop.getProductsByCategory('gaming', 'action');
    shop.getProduct(1);
    shop.getMainCategories();
    shop.getSubCategories('gaming');
    shop.getDiscounts();
    shop.getVipTiers();
    shop.getPaymentMethods();
    await shop.getLeaderboard(5);
    await shop.searchProducts({ text: 'star', limit: 5 });
    await shop.getSalesAnalytics(shop.lastDays(7));
  }
  const read = first.cache.keys('', 100);
  await first.end();

  clock.advance(26 * 3_600_000);
  const second = begin();
  for (const job of (await second.cache.warmth?.hot(100)) ?? []) {
    expect(job.isFresh()).toBe(false);
    await job.run();
  }
  const ofPerson = read.filter((key) => key.includes(person));
  expect(ofPerson).toHaveLength(3);
  expect(second.cache.keys('', 100).sort()).toEqual(read.filter((key) => !ofPerson.includes(key)).sort());
  expect(second.shop.getProductsByCategory('gaming', 'action')).toEqual(
    second.shop.queries.productsByCategory('gaming', 'action'),
  );
  expect(second.cache.stats().total).toMatchObject({ hits: 1, misses: 0 });
  await second.end();
  db.close();
});
