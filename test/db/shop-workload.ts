/** What bots on one shop do in the tests: reads beside the same from SQLite, random changes, and edits by hand. */
import type Database from 'better-sqlite3';
import type { Random } from '../../src/db/random.ts';
import type { Shop } from '../../src/db/shop.ts';

/** Each cached read beside the same from SQLite. */
export function readsOf(
  shop: Shop,
  users: readonly string[],
): (readonly [name: string, cached: () => unknown, direct: () => unknown])[] {
  const { queries } = shop;
  const month = { fromDay: '2026-05-15', toDay: '2026-06-15' };
  return [
    ...users.flatMap((id) => [
      [`user ${id}`, () => shop.getUser(id), () => queries.user(id)] as const,
      [`orders ${id}`, () => shop.getOrdersForUser(id), () => queries.ordersForUser(id, 25)] as const,
      [
        `transactions ${id}`,
        () => shop.getTransactionHistory(id),
        () => queries.transactions(id, 0, 20),
      ] as const,
    ]),
    ...[1, 2, 3, 4, 5, 6].map(
      (id) => [`product ${id}`, () => shop.getProduct(id), () => queries.product(id)] as const,
    ),
    ...['gaming', 'music'].flatMap((main) => [
      [
        `products ${main}`,
        () => shop.getProductsByCategory(main),
        () => queries.productsByCategory(main),
      ] as const,
      [`categories ${main}`, () => shop.getSubCategories(main), () => queries.subCategories(main)] as const,
    ]),
    ['products', () => shop.getAllProducts(), () => queries.products()],
    ['categories', () => shop.getMainCategories(), () => queries.mainCategories()],
    ['payment', () => shop.getPaymentMethods(), () => queries.setting('payment_methods')],
    ['leaders', () => shop.getLeaderboard(), () => queries.leaderboard(10)],
    ['search', () => shop.searchProducts({ text: 'e' }), () => queries.search({ text: 'e' })],
    ['sales', () => shop.getSalesAnalytics(month), () => queries.sales(month)],
  ];
}

/** The names of reads that do not give what SQLite has, with both. */
export async function wrongReads(shop: Shop, users: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const [name, cached, direct] of readsOf(shop, users)) {
    const given = JSON.stringify(await cached());
    const truth = JSON.stringify(direct());
    if (given !== truth) wrong.push(`${name}: the cache gave ${given}, SQLite ${truth}`);
  }
  return wrong;
}

/** A change by one of the shop's mutations; some are refused. */
export function change(shop: Shop, users: readonly string[], random: Random): void {
  const user = users[random.between(0, users.length - 1)] ?? '';
  random.pick<() => unknown>([
    () => shop.updateWallet(user, random.between(-500, 9_000)),
    () => shop.purchase(user, random.between(1, 6)),
    () => shop.updateProduct(random.between(1, 6), { priceCents: random.between(1, 3_000) }),
    () => shop.updateProduct(random.between(1, 6), { mainCategory: random.pick(['gaming', 'music']) }),
    () => shop.ensureUser(user, random.pick(['Ann', 'Bob', 'Cid'])),
    () =>
      shop.updateSettings('payment_methods', [
        { id: 'card', name: 'Card', feePercent: random.between(0, 9), enabled: true },
      ]),
  ])();
}

/** What somebody types into the sqlite3 shell. */
export function edit(outside: Database.Database, random: Random): void {
  outside.exec(
    random.pick([
      `UPDATE users SET wallet_cents = wallet_cents + ${random.between(0, 99)} WHERE id LIKE '%${random.between(0, 9)}'`,
      `UPDATE products SET stock = ${random.between(0, 99)} WHERE id = ${random.between(1, 6)}`,
      'UPDATE products SET price_cents = price_cents + 1',
      `DELETE FROM wallet_transactions WHERE id % 7 = ${random.between(0, 6)}`,
      "BEGIN; UPDATE users SET name = 'Nobody'; ROLLBACK",
    ]),
  );
}
