import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NewDiscount } from '../../src/db/model.ts';
import { shopWarmTasks } from '../../src/db/warm-tasks.ts';
import type { WarmTask } from '../../src/warmers/types.ts';
import { type Fixture, MARK, NELLY, newProduct, START_AT, smallShop } from './shop-fixture.ts';

let fixture: Fixture;
beforeEach(() => {
  fixture = smallShop();
});
afterEach(() => fixture.end());

const MINUTE_MS = 60_000;

describe('the shop’s reads', () => {
  it.each([
    ['config::vip_tiers', 'config', () => fixture.shop.getVipTiers()],
    ['config::payment_methods', 'config', () => fixture.shop.getPaymentMethods()],
    ['products::all', 'reference', () => fixture.shop.getAllProducts()],
    ['products::gaming', 'reference', () => fixture.shop.getProductsByCategory('gaming')],
    ['products::gaming::action', 'reference', () => fixture.shop.getProductsByCategory('gaming', 'action')],
    ['products::item::#1', 'reference', () => fixture.shop.getProduct(1)],
    ['categories::main', 'reference', () => fixture.shop.getMainCategories()],
    ['categories::sub::gaming', 'reference', () => fixture.shop.getSubCategories('gaming')],
    ['discounts::all', 'reference', () => fixture.shop.getDiscounts()],
    [`discounts::user::${NELLY}`, 'reference', () => fixture.shop.getApplicableDiscounts(NELLY)],
    [`user::${NELLY}::profile`, 'user', () => fixture.shop.getUser(NELLY)],
    [`user_orders::${NELLY}::recent`, 'user', () => fixture.shop.getOrdersForUser(NELLY)],
    ['query::leaderboard::top10', 'query', () => fixture.shop.getLeaderboard()],
    ['query::leaderboard::top3', 'query', () => fixture.shop.getLeaderboard(3)],
    [`query::transactions::${NELLY}::#0`, 'query', () => fixture.shop.getTransactionHistory(NELLY)],
  ])('keeps %s in tier %s', async (key, tier, read) => {
    await read();
    expect(fixture.cache.inspect(key)?.tier).toBe(tier);
    const { loads } = fixture.cache.stats().total;
    await read();
    expect(fixture.cache.stats().total.loads).toBe(loads);
  });

  it('keeps searches and sales under a hash of what was asked', async () => {
    const { shop, cache } = fixture;
    await shop.searchProducts({ text: ' STAR  harbour ' });
    expect((await shop.searchProducts({ text: 'harbour star' })).map(({ name }) => name)).toEqual([
      'Star Harbour',
    ]);
    await shop.getSalesAnalytics(shop.lastDays(7));
    expect(cache.keys('query::search::', 9)).toHaveLength(1);
    expect(cache.keys('query::sales::', 9)).toHaveLength(1);
  });

  it('keeps a person’s orders for half an hour', () => {
    const { shop, clock, cache } = fixture;
    shop.getOrdersForUser(NELLY);
    clock.advance(30 * MINUTE_MS - 1);
    expect(cache.has(`user_orders::${NELLY}::recent`)).toBe(true);
    clock.advance(1);
    expect(cache.has(`user_orders::${NELLY}::recent`)).toBe(false);
  });

  it('I1: keeps that there is no such person, until there is', () => {
    const { shop, cache } = fixture;
    expect(shop.getUser('42')).toBeNull();
    expect(cache.has('user::42::profile')).toBe(true);
    expect(shop.ensureUser('42', 'Ford').name).toBe('Ford');
    expect(shop.getUser('42')?.name).toBe('Ford');
  });

  it('I6: hands out what nobody can spoil', () => {
    Object.assign(fixture.shop.getProduct(1) ?? {}, { priceCents: 1 });
    expect(fixture.shop.getProduct(1)?.priceCents).toBe(1_999);
    expect(() => Object.assign(fixture.shop.getAllProducts()[0] ?? {}, { priceCents: 1 })).toThrow(TypeError);
  });

  it('does not take a category called "all" for all products', () => {
    const { shop } = fixture;
    expect(shop.getAllProducts()).toHaveLength(3);
    expect(shop.getProductsByCategory('all')).toEqual([]);
    shop.createProduct(newProduct({ mainCategory: 'all', stock: 1, priceCents: 1 }));
    expect(shop.getProductsByCategory('all')).toMatchObject([{ stock: 1 }]);
    shop.purchase(NELLY, 4);
    expect(shop.getProductsByCategory('all')).toMatchObject([{ stock: 0 }]);
  });

  it.each(['item', 'a::b', 'user::*', '__proto__', '%', ' ', 'x'.repeat(100)])(
    'keeps the category %j apart from the others',
    (mainCategory) => {
      const { shop } = fixture;
      shop.createProduct(newProduct({ mainCategory, subCategory: '1', name: mainCategory }));
      expect(shop.getProductsByCategory(mainCategory)).toMatchObject([{ name: mainCategory }]);
      expect(shop.getProductsByCategory(mainCategory, '1')).toMatchObject([{ name: mainCategory }]);
      expect(shop.getSubCategories(mainCategory)).toEqual([{ name: '1', products: 1 }]);
      expect(shop.getProduct(1)?.name).toBe('Star Harbour');
    },
  );

  it.each(['%', '_', '\\', "'", '"', '%%%'])('searches for %j as it is written', async (text) => {
    expect(await fixture.shop.searchProducts({ text })).toEqual([]);
    fixture.shop.createProduct(newProduct({ name: `100${text} pure` }));
    expect(await fixture.shop.searchProducts({ text })).toMatchObject([{ name: `100${text} pure` }]);
  });

  it('pages through a person’s transactions', () => {
    const { shop } = fixture;
    for (let cents = 1; cents <= 25; cents++) shop.updateWallet(MARK, cents, 'deposit');
    expect(shop.getTransactionHistory(MARK).map((row) => row.amountCents)).toEqual(
      Array.from({ length: 20 }, (_, i) => 25 - i),
    );
    expect(shop.getTransactionHistory(MARK, 1).map((row) => row.amountCents)).toEqual([5, 4, 3, 2, 1]);
  });

  it('refuses what makes no sense and keeps nothing of it', async () => {
    const { shop, cache } = fixture;
    await expect(shop.getLeaderboard(0)).rejects.toThrow(RangeError);
    expect(() => shop.getTransactionHistory(NELLY, -1)).toThrow(RangeError);
    await expect(shop.getSalesAnalytics({ fromDay: 'yesterday', toDay: '2026-01-01' })).rejects.toThrow(
      RangeError,
    );
    expect(cache.keys('query::', 9)).toEqual([]);
  });

  it('reports sales by whole days', async () => {
    const { shop, clock } = fixture;
    shop.purchase(NELLY, 1);
    expect(shop.lastDays(1)).toEqual({ fromDay: '2026-06-15', toDay: '2026-06-15' });
    expect((await shop.getSalesAnalytics(shop.lastDays(1))).orders).toBe(1);
    clock.advance(12 * 60 * MINUTE_MS);
    expect(shop.lastDays(2)).toEqual({ fromDay: '2026-06-15', toDay: '2026-06-16' });
    expect((await shop.getSalesAnalytics(shop.lastDays(1))).orders).toBe(0);
    expect(await shop.getSalesAnalytics(shop.lastDays(2))).toMatchObject({
      orders: 1,
      categories: [{ name: 'gaming', orders: 1, revenueCents: 1_999 }],
      topProducts: [{ productId: 1, name: 'Star Harbour', sold: 1, revenueCents: 1_999 }],
    });
  });
});

describe('applicable discounts', () => {
  const discount = (name: string, target: NewDiscount['target'], from = 0, to: number | null = null) =>
    fixture.shop.createDiscount({
      name,
      target,
      percent: 10,
      validFrom: START_AT + from,
      validTo: to === null ? null : START_AT + to,
    });
  const names = (userId: string, product?: { id: number; mainCategory: string }) =>
    fixture.shop.getApplicableDiscounts(userId, product).map(({ name }) => name);

  it('are those for the person, for the tier and those below, and for everybody’s goods', () => {
    discount('nelly', { kind: 'user', userId: NELLY });
    discount('mark', { kind: 'user', userId: MARK });
    discount('bronze', { kind: 'vip', vipTier: 1 });
    discount('gold', { kind: 'vip', vipTier: 3 });
    discount('gaming', { kind: 'category', mainCategory: 'gaming' });
    discount('star', { kind: 'product', productId: 1 });
    expect(names(NELLY)).toEqual(['nelly', 'gaming', 'star']);
    fixture.shop.setVipTier(NELLY, 2);
    expect(names(NELLY)).toEqual(['nelly', 'bronze', 'gaming', 'star']);
    expect(names(NELLY, { id: 2, mainCategory: 'gaming' })).toEqual(['nelly', 'bronze', 'gaming']);
    expect(names(MARK, { id: 3, mainCategory: 'music' })).toEqual(['mark']);
    expect(names('1')).toEqual(['gaming', 'star']);
  });

  it('begin and end on the millisecond, though they are kept', () => {
    const { clock, cache } = fixture;
    discount('short', { kind: 'user', userId: NELLY }, 10, 20);
    expect(names(NELLY)).toEqual([]);
    const { loads } = cache.stats().total;
    clock.advance(9);
    expect(names(NELLY)).toEqual([]);
    clock.advance(1);
    expect(names(NELLY)).toEqual(['short']);
    clock.advance(9);
    expect(names(NELLY)).toEqual(['short']);
    clock.advance(1);
    expect(names(NELLY)).toEqual([]);
    expect(cache.stats().total.loads).toBe(loads);
  });

  it('cost the price nothing but the percentage, and may give it away', () => {
    const { shop } = fixture;
    shop.createDiscount({
      name: 'free',
      target: { kind: 'user', userId: MARK },
      percent: 100,
      validFrom: 0,
      validTo: null,
    });
    expect(shop.purchase(MARK, 1)).toMatchObject({ ok: true, walletCents: 0, order: { totalCents: 0 } });
    expect(shop.getTransactionHistory(MARK)).toMatchObject([{ amountCents: 0, balanceCents: 0 }]);
  });

  it('are keyed by person alone, so that one entry serves every product', () => {
    const { shop, cache } = fixture;
    for (const id of [1, 2, 3]) shop.getApplicableDiscounts(NELLY, { id, mainCategory: 'gaming' });
    expect(cache.keys('discounts::', 9)).toEqual([`discounts::user::${NELLY}`]);
  });
});

describe('shopWarmTasks', () => {
  const signal = new AbortController().signal;
  const warm = async (scope: string, userId?: string) => {
    const tasks: WarmTask[] = shopWarmTasks(fixture.shop);
    const keys: string[] = [];
    for (const task of tasks.filter((each) => each.scope === scope)) {
      for (const job of await task.jobs({ signal, userId })) {
        await job.run();
        expect(job.isFresh()).toBe(true);
        keys.push(job.key);
      }
    }
    return keys.map((key) => key.replace(/%h.*/, '…'));
  };

  it('lists what each scope fills', async () => {
    expect(await warm('config')).toEqual(['config::vip_tiers', 'config::payment_methods']);
    expect(await warm('reference')).toEqual([
      'categories::main',
      'categories::sub::gaming',
      'categories::sub::music',
      'products::all',
      'products::gaming',
      'products::music',
      'discounts::all',
    ]);
    expect(await warm('query')).toEqual(['query::leaderboard::top10', 'query::sales::…']);
    expect(await warm('user', NELLY)).toEqual([
      `user::${NELLY}::profile`,
      `discounts::user::${NELLY}`,
      `user_orders::${NELLY}::recent`,
    ]);
  });

  it('fills nothing for nobody', async () => expect(await warm('user')).toEqual([]));

  it('replaces what is there', async () => {
    fixture.cache.set('categories::main', []);
    expect(fixture.shop.getMainCategories()).toEqual([]);
    await warm('reference');
    expect(fixture.shop.getMainCategories()).toHaveLength(2);
  });
});
