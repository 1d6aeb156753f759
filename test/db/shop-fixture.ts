/** A small shop in memory with its cache, on a clock and a calendar that a test turns. */
import type Database from 'better-sqlite3';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import type { NewProduct } from '../../src/db/model.ts';
import { openDatabase } from '../../src/db/open.ts';
import { createShop, type Shop } from '../../src/db/shop.ts';
import { watchShop } from '../../src/db/watch-rules.ts';
import type { Feed } from '../../src/feed/watch-tables.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';

export const NELLY = '80351110224678912';
export const MARK = '80351110224678913';
export const START_AT = Date.UTC(2026, 5, 15, 12);
const HOUR_MS = 3_600_000;

export interface Fixture {
  readonly db: Database.Database;
  readonly cache: Cache;
  readonly clock: HandClock;
  readonly shop: Shop;
  readonly feed: Feed;
  /** Ends the cache and closes the database. */
  end(): Promise<void>;
}

export function tiers(): TierPolicy[] {
  const tier = (name: string, hours: number, ...namespaces: string[]): TierPolicy => ({
    tier: name,
    label: name,
    description: name,
    ttlMs: hours * HOUR_MS,
    negativeTtlMs: 30_000,
    jitterRatio: 0,
    namespaces,
  });
  return [
    tier('config', 24, 'config'),
    tier('reference', 12, 'products', 'categories', 'discounts'),
    tier('user', 1, 'user', 'user_orders'),
    tier('query', 0.5, 'query'),
  ];
}

/** The shop without anything in it. */
export function emptyShop(path = ':memory:'): Fixture {
  const db = openDatabase(path);
  const clock = handClock(START_AT);
  const cache = createCache({
    maxWeightBytes: 50_000_000,
    tiers: tiers(),
    cleanupIntervalMs: HOUR_MS,
    clock,
    logger: silentLogger,
  });
  const feed = watchShop(db, cache, { logger: silentLogger });
  const shop = createShop(db, cache, { feed, now: () => clock.epochAt(clock.now()), logger: silentLogger });
  return {
    db,
    cache,
    clock,
    shop,
    feed,
    async end() {
      await cache.stop();
      feed.stop();
      db.close();
    },
  };
}

export function newProduct(changes: Partial<NewProduct> = {}): NewProduct {
  return {
    mainCategory: 'gaming',
    subCategory: 'action',
    name: 'Star Harbour',
    description: 'A game about ships.',
    stock: 5,
    priceCents: 1_999,
    ...changes,
  };
}

/** Two people (Nelly has 100.00) and three products: 1 and 2 in gaming, 3 (which never runs out) in music. */
export function smallShop(path?: string): Fixture {
  const fixture = emptyShop(path);
  const { shop } = fixture;
  shop.ensureUser(NELLY, 'Nelly');
  shop.ensureUser(MARK, 'Mark');
  shop.updateWallet(NELLY, 100_00, 'deposit');
  shop.createProduct(newProduct());
  shop.createProduct(newProduct({ subCategory: 'puzzle', name: 'Quiet Tiles', stock: 1, priceCents: 500 }));
  shop.createProduct(
    newProduct({
      mainCategory: 'music',
      subCategory: 'jazz',
      name: 'Late Trains',
      stock: null,
      priceCents: 1_000,
    }),
  );
  return fixture;
}
