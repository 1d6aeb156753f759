/** The rules of the shop's tables: whether they name all that is kept, and follow who knows nothing of the cache. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { emptyShop, type Fixture, MARK, NELLY, newProduct, smallShop } from './shop-fixture.ts';

const NO_LINKS = { tags: [], dependsOn: [] };

let fixture: Fixture;
afterEach(() => fixture.end());

/** A shop in a file, and another program that has the same file open. */
function sharedShop(): Database.Database {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-shop-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'shop.db');
  fixture = smallShop(path);
  const other = new Database(path);
  onTestFinished(() => void other.close());
  return other;
}

describe('the rules of the shop’s tables', () => {
  it('name every key that the shop keeps', async () => {
    fixture = smallShop();
    const { shop, cache, feed } = fixture;
    shop.createProduct(newProduct({ mainCategory: 'all', subCategory: 'item' }));
    shop.createProduct(newProduct({ mainCategory: '100 % *new*', subCategory: 'a::b' }));
    const reads: (() => unknown)[] = [
      ...[NELLY, '1'].flatMap((id) => [
        () => shop.getUser(id),
        () => shop.getOrdersForUser(id),
        () => shop.getTransactionHistory(id),
        () => shop.getTransactionHistory(id, 3),
        () => shop.getApplicableDiscounts(id),
      ]),
      ...['gaming', 'all', '100 % *new*', 'none'].flatMap((main) => [
        () => shop.getProductsByCategory(main),
        () => shop.getProductsByCategory(main, 'a::b'),
        () => shop.getSubCategories(main),
      ]),
      () => shop.getAllProducts(),
      () => shop.getProduct(1),
      () => shop.getProduct(99),
      () => shop.getMainCategories(),
      () => shop.getDiscounts(),
      () => shop.getVipTiers(),
      () => shop.getPaymentMethods(),
      () => shop.getLeaderboard(),
      () => shop.getLeaderboard(3),
      () => shop.searchProducts({ text: 'star', mainCategory: 'gaming', limit: 3 }),
      () => shop.getSalesAnalytics(shop.lastDays(7)),
    ];
    cache.clear();
    for (const read of reads) await read();
    const keys = cache.keys('', 100);
    expect(keys).toHaveLength(reads.length);
    expect(keys.filter((key) => !feed.tellsOf(key, NO_LINKS))).toEqual([]);
    // Every read is asked for above: a new one has to join them.
    const kept = Object.values(shop).filter((each) => typeof each === 'function' && 'key' in each);
    expect(kept).toHaveLength(15);
  });

  it('do not name what no table holds', () => {
    fixture = emptyShop();
    for (const key of ['weather::today', 'query::weather', 'users::1'])
      expect(fixture.feed.tellsOf(key, NO_LINKS)).toBe(false);
    const links = { tags: [], dependsOn: ['products::all'] };
    expect(fixture.feed.tellsOf('status::now', links)).toBe(true);
  });

  it('I8: follow another program’s edits within the poll interval, and cover no more than they changed', async () => {
    const other = sharedShop();
    const { shop, cache, clock } = fixture;
    shop.getUser(NELLY);
    shop.getUser(MARK);
    shop.getProduct(1);
    shop.getProduct(2);
    shop.getMainCategories();
    other.exec(`UPDATE users SET wallet_cents = 5 WHERE id = '${NELLY}'`);
    other.exec('UPDATE products SET price_cents = price_cents + 1, updated_at = 0 WHERE id = 1');
    await clock.advance(250);
    await clock.yield();
    expect(
      [
        `user::${NELLY}::profile`,
        `user::${MARK}::profile`,
        'products::item::#1',
        'products::item::#2',
        'categories::main',
      ].map((key) => cache.has(key)),
    ).toEqual([false, true, false, true, true]);
    expect(shop.getUser(NELLY)?.walletCents).toBe(5);
    expect(shop.getProduct(1)?.priceCents).toBe(2_000);
  });

  it('follow statements that go around the shop’s mutations before the next read is answered', () => {
    fixture = smallShop();
    const { shop, db } = fixture;
    expect(shop.getProduct(1)?.stock).toBe(5);
    db.exec('UPDATE products SET stock = 7 WHERE id = 1');
    expect(shop.getProduct(1)?.stock).toBe(7);
    db.exec(`INSERT INTO discounts (name, user_id, percent, valid_from) VALUES ('Nelly', '${NELLY}', 15, 0)`);
    expect(shop.getApplicableDiscounts(NELLY)).toHaveLength(1);
    db.exec('BEGIN; DELETE FROM discounts; ROLLBACK');
    expect(shop.getApplicableDiscounts(NELLY)).toHaveLength(1);
  });

  it('cover what a person’s new tier, name or orders show elsewhere', async () => {
    fixture = smallShop();
    const { shop, db } = fixture;
    shop.purchase(NELLY, 1);
    db.exec("INSERT INTO discounts (name, vip_tier, percent, valid_from) VALUES ('VIP', 1, 15, 0)");
    expect(shop.getApplicableDiscounts(NELLY)).toEqual([]);
    expect(await shop.getLeaderboard()).toMatchObject([{ name: 'Nelly' }]);
    db.exec(`UPDATE users SET vip_tier = 1, name = 'Nell' WHERE id = '${NELLY}'`);
    expect(shop.getApplicableDiscounts(NELLY)).toHaveLength(1);
    expect(await shop.getLeaderboard()).toMatchObject([{ name: 'Nell' }]);
    db.exec("UPDATE orders SET status = 'refunded'");
    expect(await shop.getLeaderboard()).toEqual([]);
    expect(shop.getOrdersForUser(NELLY)).toMatchObject([{ status: 'refunded' }]);
  });
});
