/**
 * Thousands of random reads and changes. Whatever the cache gives is compared with the same read straight from SQLite:
 * after every change in the synchronous runs, and, where loads take their time, with every state the database had
 * while the read was under way.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { cached } from '../../src/cache/wrappers/wrappers.ts';
import { generateShop } from '../../src/db/generator.ts';
import type { NewDiscount, ProductChange } from '../../src/db/model.ts';
import { type Random, seededRandom } from '../../src/db/random.ts';
import { shopKeys } from '../../src/db/shop-keys.ts';
import { emptyShop, type Fixture, START_AT } from './shop-fixture.ts';

/** One cached read with its arguments, and the same from SQLite. */
interface Read {
  readonly name: string;
  readonly key: string;
  cached(): unknown;
  direct(): unknown;
}

let fixture: Fixture;
afterEach(() => fixture.end());

const MAIN = ['gaming', 'music', 'all'] as const;
const SUB = ['action', 'jazz'] as const;
/** Synchronous ones, each followed by every read there is; slow reads are cheaper to follow. */
const STEPS = 600;
const SLOW_STEPS = 3_000;
/** A few seconds, on a machine that has nothing else to do. */
const TIMEOUT_MS = 60_000;

function stock(seed: number): string[] {
  fixture = emptyShop();
  generateShop(fixture.db, { products: 12, users: 4, orders: 30, seed, now: START_AT });
  return fixture.db.prepare<[], string>('SELECT id FROM users').pluck().all();
}

/** Every read there is, for every argument that the changes below may concern. */
function allReads(users: readonly string[]): Read[] {
  const { shop } = fixture;
  const { queries } = shop;
  const now = () => fixture.clock.epochAt(fixture.clock.now());
  const holding = (list: ReturnType<typeof queries.discounts>) =>
    list.filter(({ validFrom, validTo }) => validFrom <= now() && (validTo === null || now() < validTo));
  const month = shop.lastDays(30);
  const reads: Read[] = [];
  const add = (key: string, read: () => unknown, direct: () => unknown) =>
    void reads.push({ name: key, key, cached: read, direct });
  for (const id of [...users, '1']) {
    add(
      shop.getUser.key(id),
      () => shop.getUser(id),
      () => queries.user(id),
    );
    add(
      shop.getOrdersForUser.key(id),
      () => shop.getOrdersForUser(id),
      () => queries.ordersForUser(id, 25),
    );
    add(
      shop.getTransactionHistory.key(id),
      () => shop.getTransactionHistory(id),
      () => queries.transactions(id, 0, 20),
    );
    add(
      shop.getTransactionHistory.key(id, 1),
      () => shop.getTransactionHistory(id, 1),
      () => queries.transactions(id, 1, 20),
    );
    add(
      shop.getApplicableDiscounts.key(id),
      () => shop.getApplicableDiscounts(id),
      () => holding(queries.discountsForUser(id, now())),
    );
  }
  for (const main of MAIN) {
    add(
      shop.getProductsByCategory.key(main),
      () => shop.getProductsByCategory(main),
      () => queries.productsByCategory(main),
    );
    add(
      shop.getSubCategories.key(main),
      () => shop.getSubCategories(main),
      () => queries.subCategories(main),
    );
    for (const sub of SUB) {
      add(
        shop.getProductsByCategory.key(main, sub),
        () => shop.getProductsByCategory(main, sub),
        () => queries.productsByCategory(main, sub),
      );
    }
  }
  for (let id = 1; id <= 16; id++)
    add(
      shop.getProduct.key(id),
      () => shop.getProduct(id),
      () => queries.product(id),
    );
  for (const text of ['star', 'e', 'new']) {
    add(
      shop.searchProducts.key({ text }),
      () => shop.searchProducts({ text }),
      () => queries.search({ text }),
    );
  }
  add(
    shop.getAllProducts.key(),
    () => shop.getAllProducts(),
    () => queries.products(),
  );
  add(
    shop.getMainCategories.key(),
    () => shop.getMainCategories(),
    () => queries.mainCategories(),
  );
  add(
    shop.getDiscounts.key(),
    () => shop.getDiscounts(),
    () => holding(queries.discounts(now())),
  );
  add(
    shop.getVipTiers.key(),
    () => shop.getVipTiers(),
    () => queries.setting('vip_tiers'),
  );
  add(
    shop.getPaymentMethods.key(),
    () => shop.getPaymentMethods(),
    () => queries.setting('payment_methods'),
  );
  add(
    shop.getLeaderboard.key(),
    () => shop.getLeaderboard(),
    () => queries.leaderboard(10),
  );
  add(
    shop.getLeaderboard.key(3),
    () => shop.getLeaderboard(3),
    () => queries.leaderboard(3),
  );
  add(
    shop.getSalesAnalytics.key(month),
    () => shop.getSalesAnalytics(month),
    () => queries.sales(month),
  );
  return reads;
}

/** Makes one random change, perhaps refused; gives its name. */
function change(random: Random, users: readonly [string, ...string[]]): string {
  const { shop, clock } = fixture;
  const user = random.pick(users);
  const product = random.between(1, 16);
  const target = (): NewDiscount['target'] =>
    random.pick<NewDiscount['target']>([
      { kind: 'user', userId: user },
      { kind: 'vip', vipTier: random.between(1, 4) },
      { kind: 'category', mainCategory: random.pick(MAIN) },
      { kind: 'product', productId: random.between(1, 12) },
    ]);
  const at = clock.epochAt(clock.now());
  const changes: readonly [Change, ...Change[]] = [
    ['wallet', () => shop.updateWallet(user, random.between(-5_000, 9_000))],
    ['purchase', () => shop.purchase(user, product, random.between(1, 3))],
    ['purchase', () => shop.purchase(user, product)],
    ['name', () => shop.ensureUser(user, random.pick(['Ann', 'Bob', 'Cid']))],
    ['new person', () => shop.ensureUser('1', random.pick(['Eve', 'Ida']))],
    ['tier', () => shop.setVipTier(user, random.between(0, 4))],
    [
      'new product',
      () =>
        random.chance(0.2) &&
        shop.createProduct({
          mainCategory: random.pick(MAIN),
          subCategory: random.pick(SUB),
          name: `New ${random.between(1, 99)}`,
          description: '',
          stock: random.pick([null, 3]),
          priceCents: random.between(0, 3_000),
        }),
    ],
    [
      'product',
      () =>
        shop.updateProduct(
          product,
          random.pick<ProductChange>([
            { priceCents: random.between(0, 3_000) },
            { stock: random.between(0, 9) },
            { mainCategory: random.pick(MAIN), subCategory: random.pick(SUB) },
            { active: random.chance(0.7) },
            { name: `Star ${random.between(1, 99)}` },
          ]),
        ),
    ],
    ['product gone', () => random.chance(0.1) && shop.deleteProduct(product)],
    [
      'new discount',
      () =>
        shop.createDiscount({
          name: 'sale',
          target: target(),
          percent: random.between(1, 100),
          validFrom: at + random.between(-50, 50),
          validTo: random.chance(0.3) ? null : at + random.between(51, 200),
        }),
    ],
    ['discount', () => shop.updateDiscount(random.between(1, 30), { percent: random.between(1, 100) })],
    ['discount gone', () => shop.deleteDiscount(random.between(1, 30))],
    [
      'payment',
      () =>
        shop.updateSettings('payment_methods', [
          { id: 'card', name: 'Card', feePercent: random.between(0, 9), enabled: true },
        ]),
    ],
    [
      'tiers',
      () =>
        shop.updateSettings('vip_tiers', [
          { tier: 1, name: 'One', fromSpentCents: random.between(0, 9), perks: [] },
        ]),
    ],
    ['later', () => clock.advance(random.between(1, 40))],
  ];
  const [name, make] = random.pick(changes);
  make();
  return name;
}
type Change = readonly [name: string, make: () => unknown];

class Undone extends Error {}

/** Several changes in one transaction, nested ones too, of which some are rolled back; what was read in it was so then. */
async function transaction(
  random: Random,
  users: readonly [string, ...string[]],
  reads: readonly Read[],
): Promise<void> {
  const given: { readonly read: Read; readonly value: unknown; readonly truth: unknown }[] = [];
  runTransaction(random, users, () => {
    const read = reads[random.between(0, reads.length - 1)];
    if (read) given.push({ read, value: read.cached(), truth: read.direct() });
  });
  for (const { read, value, truth } of given)
    expect(await value, `${read.name} within a transaction`).toEqual(truth);
}

function runTransaction(
  random: Random,
  users: readonly [string, ...string[]],
  look: () => void,
  depth = 0,
): void {
  const { shop } = fixture;
  try {
    shop.transaction(() => {
      for (let steps = random.between(1, 4); steps > 0; steps--) {
        if (depth < 2 && random.chance(0.25)) runTransaction(random, users, look, depth + 1);
        else change(random, users);
        look();
      }
      if (random.chance(0.5)) throw new Undone();
    })();
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
  }
}

async function expectSame(reads: readonly Read[], after: string): Promise<void> {
  for (const read of reads) {
    const given = JSON.stringify(await read.cached());
    const truth = JSON.stringify(read.direct());
    if (given !== truth) expect.fail(`${read.name} after ${after}: the cache gave ${given}, SQLite ${truth}`);
  }
}

function expectSound(): void {
  const count = (sql: string) => fixture.db.prepare(`SELECT count(*) FROM ${sql}`).pluck().get();
  expect(count('users WHERE wallet_cents < 0')).toBe(0);
  expect(count('products WHERE stock < 0')).toBe(0);
  expect(
    count(`users WHERE wallet_cents <>
      (SELECT coalesce(sum(amount_cents), 0) FROM wallet_transactions WHERE user_id = users.id)`),
  ).toBe(0);
}

describe('whatever is changed, every cached read gives what SQLite gives', () => {
  it.each([1, 2])(
    'after each of thousands of changes (seed %i)',
    async (seed) => {
      const users = some(stock(seed));
      const random = seededRandom(seed);
      const reads = allReads(users);
      const made = new Map<string, number>();
      for (let step = 0; step < STEPS; step++) {
        const name = change(random, users);
        made.set(name, (made.get(name) ?? 0) + 1);
        await expectSame(reads, `step ${step}, ${name}`);
      }
      expectSound();
      expect(made.size).toBe(14);
      expect(fixture.cache.stats().total.hits).toBeGreaterThan(STEPS * 10);
    },
    TIMEOUT_MS,
  );

  it.each([4, 5])('I7: through transactions, nested and rolled back (seed %i)', async (seed) => {
    const users = some(stock(seed));
    const random = seededRandom(seed);
    const reads = allReads(users);
    for (let step = 0; step < STEPS / 2; step++) {
      await transaction(random, users, reads);
      await expectSame(reads, `transaction ${step}`);
    }
    expectSound();
  });

  it.each([6, 7, 8])('I2: while reads of a slow database are under way (seed %i)', async (seed) => {
    const users = some(stock(seed));
    const random = seededRandom(seed);
    const { shop, cache, clock } = fixture;
    const { queries } = shop;

    // A database behind a network: each load waits before it reads and after it has read, until it is let go.
    const held: (() => void)[] = [];
    const hold = () => new Promise<void>((resolve) => void held.push(resolve));
    const slow =
      <A extends unknown[], R>(read: (...args: A) => R) =>
      async (...args: A): Promise<R> => {
        await hold();
        const value = read(...args);
        await hold();
        return value;
      };
    const getUser = cached(
      cache,
      slow((id: string) => queries.user(id)),
      { key: shopKeys.profile },
    );
    const getOrders = cached(
      cache,
      slow((id: string) => queries.ordersForUser(id, 25)),
      { key: shopKeys.orders },
    );
    const getProduct = cached(
      cache,
      slow((id: number) => queries.product(id)),
      { key: shopKeys.product },
    );
    const getProducts = cached(
      cache,
      slow(() => queries.products()),
      { key: shopKeys.allProducts },
    );
    const getLeaders = cached(
      cache,
      slow(() => queries.leaderboard(10)),
      { key: () => shopKeys.leaderboard(10) },
    );
    const slowReads: { key: string; read(): Promise<unknown>; direct(): unknown }[] = [
      ...users.flatMap((id) => [
        { key: shopKeys.profile(id), read: () => getUser(id), direct: () => queries.user(id) },
        { key: shopKeys.orders(id), read: () => getOrders(id), direct: () => queries.ordersForUser(id, 25) },
      ]),
      ...[1, 2, 3].map((id) => ({
        key: shopKeys.product(id),
        read: () => getProduct(id),
        direct: () => queries.product(id),
      })),
      { key: shopKeys.allProducts(), read: () => getProducts(), direct: () => queries.products() },
      { key: shopKeys.leaderboard(10), read: () => getLeaders(), direct: () => queries.leaderboard(10) },
    ];

    // What each read would have given after each change, so that an answer can be dated.
    const states = new Map(slowReads.map(({ key, direct }) => [key, [JSON.stringify(direct())]]));
    let checked = 0;
    const problems: string[] = [];
    const ask = async ({ key, read }: (typeof slowReads)[number]) => {
      const history = states.get(key) ?? [];
      const from = history.length - 1;
      const given = JSON.stringify(await read());
      checked++;
      // The moment of asking counts, and everything after it.
      if (!history.slice(from).includes(given))
        problems.push(`${key} gave ${given}, which was so before it was asked`);
    };
    const letGo = () => held.splice(random.between(0, Math.max(0, held.length - 1)), 1)[0]?.();
    const running = new Set<Promise<void>>();

    for (let step = 0; step < SLOW_STEPS; step++) {
      if (random.chance(0.25)) {
        if (random.chance(0.2)) runTransaction(random, users, () => {});
        else change(random, users);
        for (const { key, direct } of slowReads) {
          const history = states.get(key) ?? [];
          const state = JSON.stringify(direct());
          if (history.at(-1) !== state) history.push(state);
        }
      }
      for (let askers = random.between(0, 3); askers > 0; askers--) {
        const each = slowReads[random.between(0, slowReads.length - 1)];
        if (each === undefined) continue;
        const asked = ask(each).finally(() => running.delete(asked));
        running.add(asked);
      }
      for (let turns = random.between(0, 4); turns > 0; turns--) letGo();
      if (random.chance(0.5)) await clock.yield();
    }
    while (running.size > 0) {
      letGo();
      await clock.yield();
    }
    expect(problems).toEqual([]);
    expect(checked).toBeGreaterThan(SLOW_STEPS);
    expect(cache.stats().total.joined).toBeGreaterThan(0);
    expect(cache.stats().total.refusals.invalidated).toBeGreaterThan(0);
    await expectSame(allReads(users), 'all loads have ended');
    expectSound();
  });
});

function some(list: readonly string[]): readonly [string, ...string[]] {
  const [first, ...rest] = list;
  if (first === undefined) throw new Error('the shop has nobody');
  return [first, ...rest];
}
