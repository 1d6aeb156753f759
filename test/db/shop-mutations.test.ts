import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fixture, MARK, NELLY, newProduct, START_AT, smallShop } from './shop-fixture.ts';

let fixture: Fixture;
beforeEach(() => {
  fixture = smallShop();
});
afterEach(() => fixture.end());

/** Reads one of everything, so that all of it is resident, and gives the keys. */
async function fillEverything(): Promise<string[]> {
  const { shop, cache } = fixture;
  for (const id of [NELLY, MARK]) {
    shop.getUser(id);
    shop.getOrdersForUser(id);
    shop.getTransactionHistory(id);
    shop.getApplicableDiscounts(id);
  }
  shop.getAllProducts();
  for (const main of ['gaming', 'music']) {
    shop.getProductsByCategory(main);
    shop.getSubCategories(main);
  }
  shop.getProductsByCategory('gaming', 'action');
  shop.getProductsByCategory('gaming', 'puzzle');
  for (const id of [1, 2, 3]) shop.getProduct(id);
  shop.getMainCategories();
  shop.getDiscounts();
  shop.getVipTiers();
  shop.getPaymentMethods();
  await shop.getLeaderboard();
  await shop.searchProducts({ text: 'star' });
  await shop.getSalesAnalytics(shop.lastDays(30));
  return cache.keys('', 100);
}

/** Of the resident keys, those that `change` removes; searches and sales are named without their hash. */
async function removedBy(change: () => unknown): Promise<string[]> {
  const before = await fillEverything();
  change();
  return before
    .filter((key) => !fixture.cache.has(key))
    .map((key) => key.replace(/%h.*/, '…'))
    .sort();
}

/** What shows the first product: the lists that it is in, and its own page. */
const LISTS = ['products::all', 'products::gaming', 'products::gaming::action', 'products::item::#1'];
const SEARCHES = 'query::search::…';
const DISCOUNTS = ['discounts::all', `discounts::user::${NELLY}`, `discounts::user::${MARK}`].sort();

describe('I7: a mutation invalidates exactly what it touches', () => {
  it('fills all of the shop for these tests', async () => expect(await fillEverything()).toHaveLength(25));

  it('wallet: the profile and the transactions of that person', async () => {
    expect(await removedBy(() => fixture.shop.updateWallet(NELLY, 500, 'deposit'))).toEqual([
      `query::transactions::${NELLY}::#0`,
      `user::${NELLY}::profile`,
    ]);
  });

  it('new name: the profile (read again at once), and the leaderboard that shows it', async () => {
    expect(await removedBy(() => fixture.shop.ensureUser(NELLY, 'Nelly the Second'))).toEqual([
      'query::leaderboard::top10',
    ]);
    expect(fixture.shop.getUser(NELLY)?.name).toBe('Nelly the Second');
  });

  it('known person: nothing', async () => {
    expect(await removedBy(() => fixture.shop.ensureUser(NELLY, 'Nelly'))).toEqual([]);
  });

  it('VIP tier: the profile, and the discounts that go with it', async () => {
    expect(await removedBy(() => fixture.shop.setVipTier(NELLY, 2))).toEqual([
      `discounts::user::${NELLY}`,
      `user::${NELLY}::profile`,
    ]);
    expect(await removedBy(() => fixture.shop.setVipTier(NELLY, 2))).toEqual([]);
  });

  it('new product: the lists that it is in, their counts, and searches', async () => {
    expect(await removedBy(() => fixture.shop.createProduct(newProduct({ name: 'Star Two' })))).toEqual([
      'categories::main',
      'categories::sub::gaming',
      'products::all',
      'products::gaming',
      'products::gaming::action',
      SEARCHES,
    ]);
    expect(await fixture.shop.searchProducts({ text: 'star' })).toHaveLength(2);
  });

  it.each([
    ['price', { priceCents: 1 }],
    ['name', { name: 'Star Two' }],
    ['description', { description: 'Another one.' }],
  ])('%s: what shows that product, and searches', async (_, change) => {
    expect(await removedBy(() => fixture.shop.updateProduct(1, change))).toEqual([...LISTS, SEARCHES]);
    expect(fixture.shop.getProduct(1)).toMatchObject({ stock: 5, active: true, ...change });
  });

  it('stock: what shows it, and no search', async () => {
    expect(await removedBy(() => fixture.shop.updateProduct(1, { stock: 9 }))).toEqual(LISTS);
  });

  it('other category: the lists and counts of the old one and of the new one', async () => {
    expect(
      await removedBy(() => fixture.shop.updateProduct(1, { mainCategory: 'music', subCategory: 'jazz' })),
    ).toEqual(
      [
        'categories::main',
        'categories::sub::gaming',
        'categories::sub::music',
        'products::music',
        ...LISTS,
        SEARCHES,
      ].sort(),
    );
  });

  it('nothing new about a product: nothing', async () => {
    expect(await removedBy(() => fixture.shop.updateProduct(1, { priceCents: 1_999 }))).toEqual([]);
  });

  it('deleted product: what showed it, and the counts', async () => {
    expect(await removedBy(() => fixture.shop.deleteProduct(1))).toEqual([
      'categories::main',
      'categories::sub::gaming',
      ...LISTS,
      SEARCHES,
    ]);
    expect(fixture.shop.getProduct(1)).toBeNull();
    expect(fixture.shop.getSubCategories('gaming')).toEqual([{ name: 'puzzle', products: 1 }]);
  });

  it('a product that is not there: nothing', async () => {
    expect(await removedBy(() => fixture.shop.updateProduct(99, { priceCents: 1 }))).toEqual([]);
    expect(await removedBy(() => fixture.shop.deleteProduct(99))).toEqual([]);
  });

  it('discounts: all discounts, and nothing else', async () => {
    const discount = {
      name: 'Summer',
      target: { kind: 'vip', vipTier: 1 },
      percent: 10,
      validFrom: 0,
      validTo: null,
    } as const;
    expect(await removedBy(() => fixture.shop.createDiscount(discount))).toEqual(DISCOUNTS);
    expect(await removedBy(() => fixture.shop.updateDiscount(1, { percent: 20 }))).toEqual(DISCOUNTS);
    expect(await removedBy(() => fixture.shop.deleteDiscount(1))).toEqual(DISCOUNTS);
    expect(await removedBy(() => fixture.shop.deleteDiscount(1))).toEqual([]);
    expect(await removedBy(() => fixture.shop.updateDiscount(1, { percent: 30 }))).toEqual([]);
  });

  it('settings: the one that was set', async () => {
    expect(await removedBy(() => fixture.shop.updateSettings('payment_methods', []))).toEqual([
      'config::payment_methods',
    ]);
    const gold = { tier: 1, name: 'Gold', fromSpentCents: 100_00, perks: ['Early access'] };
    expect(await removedBy(() => fixture.shop.updateSettings('vip_tiers', [gold]))).toEqual([
      'config::vip_tiers',
    ]);
    expect(fixture.shop.getVipTiers()).toEqual([gold]);
    expect(await removedBy(() => fixture.shop.updateSettings('vip_tiers', [gold]))).toEqual([]);
  });

  it('purchase: the buyer, what shows the stock, and what counts sales', async () => {
    expect(await removedBy(() => fixture.shop.purchase(NELLY, 1))).toEqual(
      [
        'products::all',
        'products::gaming',
        'products::gaming::action',
        'products::item::#1',
        'query::leaderboard::top10',
        'query::sales::…',
        `query::transactions::${NELLY}::#0`,
        `user::${NELLY}::profile`,
        `user_orders::${NELLY}::recent`,
      ].sort(),
    );
  });

  it('purchase of what never runs out: the buyer and what counts sales', async () => {
    expect(await removedBy(() => fixture.shop.purchase(NELLY, 3))).toEqual(
      [
        'query::leaderboard::top10',
        'query::sales::…',
        `query::transactions::${NELLY}::#0`,
        `user::${NELLY}::profile`,
        `user_orders::${NELLY}::recent`,
      ].sort(),
    );
  });
});

describe('purchase', () => {
  it('takes the money and the goods, and puts both on record', async () => {
    const { shop } = fixture;
    expect(shop.purchase(NELLY, 1, 2)).toMatchObject({
      ok: true,
      walletCents: 100_00 - 2 * 1_999,
      stock: 3,
      order: { id: 1, productId: 1, quantity: 2, totalCents: 3_998, discountPercent: 0, createdAt: START_AT },
    });
    expect(shop.getUser(NELLY)?.walletCents).toBe(6_002);
    expect(shop.getProduct(1)?.stock).toBe(3);
    expect(shop.getOrdersForUser(NELLY)).toMatchObject([{ id: 1, productName: 'Star Harbour' }]);
    expect(shop.getTransactionHistory(NELLY)).toMatchObject([
      { kind: 'purchase', amountCents: -3_998, balanceCents: 6_002, orderId: 1 },
      { kind: 'deposit', amountCents: 10_000, balanceCents: 10_000, orderId: null },
    ]);
    expect(await shop.getLeaderboard()).toEqual([
      { rank: 1, userId: NELLY, name: 'Nelly', spentCents: 3_998, orders: 1 },
    ]);
    expect(await shop.getSalesAnalytics(shop.lastDays(1))).toMatchObject({ orders: 1, revenueCents: 3_998 });
  });

  it('takes the best discount of the person, as it stands in the database', () => {
    const { shop, db } = fixture;
    shop.getApplicableDiscounts(NELLY);
    const insert = db.prepare(
      'INSERT INTO discounts (name, user_id, main_category, percent, valid_from) VALUES (?, ?, ?, ?, 0)',
    );
    insert.run('Nelly', NELLY, null, 15);
    insert.run('Gaming', null, 'gaming', 20);
    insert.run('Music', null, 'music', 50);
    expect(shop.purchase(NELLY, 1)).toMatchObject({ order: { discountPercent: 20, totalCents: 1_599 } });
  });

  it.each([
    [
      'there is too little money',
      () => fixture.shop.purchase(MARK, 1),
      { reason: 'funds', walletCents: 0, totalCents: 1_999 },
    ],
    ['there are too few', () => fixture.shop.purchase(NELLY, 2, 2), { reason: 'stock', stock: 1 }],
    ['there is no such person', () => fixture.shop.purchase('1', 1), { reason: 'unknown-user' }],
    ['there is no such product', () => fixture.shop.purchase(NELLY, 99), { reason: 'unknown-product' }],
  ])('is refused when %s, changes nothing and invalidates nothing', async (_, buy, refusal) => {
    const before = fixture.db.serialize();
    expect(await removedBy(() => expect(buy()).toEqual({ ok: false, ...refusal }))).toEqual([]);
    expect(fixture.db.serialize().equals(before)).toBe(true);
  });

  it('is refused for what is no longer for sale', () => {
    fixture.shop.updateProduct(1, { active: false });
    fixture.shop.deleteProduct(3);
    expect(fixture.shop.purchase(NELLY, 1)).toEqual({ ok: false, reason: 'unknown-product' });
    expect(fixture.shop.purchase(NELLY, 3)).toEqual({ ok: false, reason: 'unknown-product' });
  });

  it('decides on the database: a stale balance cannot be spent', () => {
    const { shop, db } = fixture;
    expect(shop.getUser(NELLY)?.walletCents).toBe(100_00);
    db.prepare('UPDATE users SET wallet_cents = 1 WHERE id = ?').run(NELLY);
    expect(shop.purchase(NELLY, 1)).toMatchObject({ ok: false, reason: 'funds', walletCents: 1 });
  });

  it('sells the last one once', () => {
    const { shop } = fixture;
    shop.updateWallet(MARK, 100_00, 'deposit');
    expect([shop.purchase(NELLY, 2).ok, shop.purchase(MARK, 2).ok]).toEqual([true, false]);
    expect(shop.getProduct(2)?.stock).toBe(0);
  });

  it.each([0, -1, 1.5, Number.NaN, 100])('takes no quantity of %s', (quantity) => {
    expect(() => fixture.shop.purchase(NELLY, 1, quantity)).toThrow(RangeError);
  });
});

describe('updateWallet', () => {
  it('never lets a wallet fall below zero', () => {
    const { shop } = fixture;
    expect(shop.updateWallet(NELLY, -100_01)).toEqual({ ok: false, reason: 'funds', walletCents: 100_00 });
    expect(shop.updateWallet(NELLY, -100_00, 'withdrawal')).toEqual({ ok: true, walletCents: 0 });
    expect(shop.updateWallet('1', 1)).toEqual({ ok: false, reason: 'unknown-user' });
  });

  it('invalidates nothing when it is refused', async () => {
    expect(await removedBy(() => fixture.shop.updateWallet(NELLY, -100_01))).toEqual([]);
  });

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY])('takes no %s cents', (cents) => {
    expect(() => fixture.shop.updateWallet(NELLY, cents)).toThrow(RangeError);
  });
});

describe('transactions of one’s own', () => {
  it('I7: nothing is invalidated before the commit, everything after it', async () => {
    const { shop, cache } = fixture;
    await fillEverything();
    shop.transaction(() => {
      shop.updateWallet(NELLY, -500);
      shop.updateWallet(MARK, 500);
      expect(cache.has(`user::${NELLY}::profile`)).toBe(true);
      expect(shop.getUser(NELLY)?.walletCents).toBe(9_500);
    })();
    expect(cache.has(`user::${NELLY}::profile`)).toBe(false);
    expect(shop.getUser(MARK)?.walletCents).toBe(500);
  });

  it('I7: a rolled-back one invalidates nothing', async () => {
    const { shop } = fixture;
    const fail = shop.transaction(() => {
      shop.updateWallet(NELLY, 1);
      shop.purchase(NELLY, 1);
      shop.updateProduct(3, { name: 'x' });
      throw new Error('changed my mind');
    });
    expect(await removedBy(() => expect(fail).toThrow('changed my mind'))).toEqual([]);
    expect(shop.getUser(NELLY)?.walletCents).toBe(100_00);
  });

  it('I7: a refused purchase inside one leaves the rest standing', async () => {
    const { shop } = fixture;
    await fillEverything();
    shop.transaction(() => {
      shop.updateWallet(MARK, 5);
      expect(shop.purchase(MARK, 1).ok).toBe(false);
    })();
    expect(shop.getUser(MARK)?.walletCents).toBe(5);
    expect(shop.getProduct(1)?.stock).toBe(5);
  });

  it('a mutation that SQLite refuses throws and invalidates nothing', async () => {
    const { shop } = fixture;
    expect(
      await removedBy(() => expect(() => shop.updateProduct(1, { priceCents: -1 })).toThrow(/CHECK/)),
    ).toEqual([]);
    expect(
      await removedBy(() => expect(() => shop.createProduct(newProduct({ priceCents: 1.5 }))).toThrow()),
    ).toEqual([]);
  });
});
