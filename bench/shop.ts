/**
 * A day in a shop, replayed on a hand-turned clock: how many reads still reach the database, by kind, and at which share
 * of writes the promised cuts stop holding. Then the same behind a slow database, where what counts is that nobody is
 * served what a finished write has changed.
 *
 * The day: 5,000 people, chosen by Zipf's law (s = 1.1), come for a session of 5 to 25 commands, some 20 s apart; 20,000
 * sessions in 24 h. Every command reads the person's profile; most also read the categories, one category's products
 * and the person's discounts. The write share is the chance that a command changes the wallet; purchases are a quarter
 * of that again, and products change at a hundredth of it (an admin at work).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createCache } from '../src/cache/create-cache.ts';
import { generateShop } from '../src/db/generator.ts';
import { openDatabase } from '../src/db/open.ts';
import { seededRandom } from '../src/db/random.ts';
import { createShop } from '../src/db/shop.ts';
import { handClock } from '../test/support/hand-clock.ts';
import { type Row, report } from './measure.ts';
import { everybody, type Peer, TIERS } from './peers.ts';
import { commandsOfTheDay, PEOPLE, zipf } from './shop-day.ts';

const GOALS = { users: 0.9, products: 0.95, categories: 0.98, discounts: 0.85 } as const;
const SHARES = [0, 0.005, 0.01, 0.02, 0.05, 0.1] as const;
/** The share at which the goals are held: one command in a hundred changes a wallet. */
const USUAL_SHARE = 0.01;

type Kind = keyof typeof GOALS;

/** The share of reads that did not reach the database, by kind. */
async function replay(writeShare: number): Promise<Record<Kind, number>> {
  const { float: random } = floats(7);
  const clock = handClock();
  const cache = createCache({
    maxWeightBytes: 100 * 2 ** 20,
    cleanupIntervalMs: 3_600_000,
    tiers: TIERS.map((tier) => ({ ...tier, ttlMs: TTL_MS[tier.tier] ?? tier.ttlMs })),
    clock,
  });
  const db = openDatabase(':memory:');
  generateShop(db, { products: 400, users: PEOPLE, orders: 1_000, seed: 7 });
  const shop = createShop(db, cache);
  const people = db.prepare<[], string>('SELECT id FROM users').pluck().all();
  const categories = shop.queries.mainCategories().map(({ name }) => name);
  const products = shop.queries.products();
  const pickCategory = zipf(categories.length, 1, random);
  const pickProduct = zipf(products.length, 1, random);
  for (const { at, person } of commandsOfTheDay(random)) {
    clock.advance(at - clock.now());
    const id = people[person] ?? '';
    shop.getUser(id);
    if (random() < 0.7) {
      shop.getMainCategories();
      shop.getProductsByCategory(categories[pickCategory()] ?? '');
      shop.getApplicableDiscounts(id);
    }
    if (random() < writeShare) shop.updateWallet(id, 100, 'deposit');
    const product = products[pickProduct()];
    if (random() < writeShare / 4 && product !== undefined) shop.purchase(id, product.id);
    if (random() < writeShare / 100 && product !== undefined) {
      shop.updateProduct(product.id, { priceCents: product.priceCents + Math.ceil(random() * 100) });
    }
  }
  const { namespaces } = cache.stats();
  const cut = (name: string) => namespaces.find(({ namespace }) => namespace === name)?.hitRate ?? 0;
  await cache.stop();
  db.close();
  return {
    users: cut('user'),
    products: cut('products'),
    categories: cut('categories'),
    discounts: cut('discounts'),
  };
}

const TTL_MS: Readonly<Record<string, number>> = {
  config: 86_400_000,
  reference: 43_200_000,
  user: 3_600_000,
  query: 1_800_000,
};

function floats(seed: number): { float: () => number } {
  const random = seededRandom(seed);
  return { float: () => random.next() };
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

const byShare = new Map<number, Record<Kind, number>>();
for (const share of SHARES) byShare.set(share, await replay(share));
const usual = byShare.get(USUAL_SHARE);
const rows: Row[] = (Object.keys(GOALS) as Kind[]).map((kind) => {
  const cut = usual?.[kind] ?? 0;
  const failing = SHARES.find((share) => (byShare.get(share)?.[kind] ?? 0) < GOALS[kind]);
  return {
    what: `queries cut for ${kind}, ${percent(USUAL_SHARE)} writes (${failing === undefined ? 'holds at all shares tried' : `stops at ${percent(failing)}`})`,
    measured: percent(cut),
    goal: `≥ ${percent(GOALS[kind])}`,
    holds: cut >= GOALS[kind],
  };
});
const shareLines = [...byShare].map(
  ([share, cut]) =>
    `${percent(share)} writes: ${(Object.keys(GOALS) as Kind[]).map((kind) => `${kind} ${percent(cut[kind])}`).join(' · ')}`,
);
report('A day in a shop', rows, shareLines);

// ---- behind a slow database ----

const INTERACTIONS = 100;
const SLOW_FOR_MS = 6_000;
const HOT_PEOPLE = 20;

/** How often a read that began after a write had finished was served what the write had changed. */
async function staleServes(peer: Peer): Promise<{ reads: number; stale: number; queries: number }> {
  const { float: random } = floats(11);
  const versions = new Map<string, number>();
  /** The newest version whose write, invalidation included, had finished. */
  const finished = new Map<string, number>();
  const pick = zipf(HOT_PEOPLE, 1, random);
  const outcome = { reads: 0, stale: 0, queries: 0 };
  const latency = () => wait(50 + random() * 150);
  const interact = async (untilAt: number): Promise<void> => {
    while (performance.now() < untilAt) {
      const id = `${pick()}`;
      const key = `user::${id}::profile`;
      if (random() < 0.1) {
        await latency();
        const version = (versions.get(id) ?? 0) + 1;
        versions.set(id, version);
        await peer.remove(key);
        finished.set(id, Math.max(finished.get(id) ?? 0, version));
        continue;
      }
      const least = finished.get(id) ?? 0;
      const served = (await peer.getOrLoad(key, async () => {
        outcome.queries++;
        const version = versions.get(id) ?? 0;
        await latency();
        return { version };
      })) as { version: number };
      outcome.reads++;
      if (served.version < least) outcome.stale++;
      await wait(random() * 20);
    }
  };
  const untilAt = performance.now() + SLOW_FOR_MS;
  await Promise.all(Array.from({ length: INTERACTIONS }, () => interact(untilAt)));
  return outcome;
}

const staleLines: string[] = [];
const staleRows: Row[] = [];
for (const peer of everybody(10_000, 50)) {
  const { reads, stale, queries } = await staleServes(peer);
  staleLines.push(`${peer.name}: ${stale} stale of ${reads} reads, ${queries} queries`);
  if (peer.name === 'cachecord') {
    staleRows.push({ what: `stale of ${reads} reads`, measured: `${stale}`, goal: '0', holds: stale === 0 });
  }
  await peer.stop?.();
}
report('A database behind 50 to 200 ms, 100 interactions at once', staleRows, [staleLines.join(' · ')]);
process.exit(0);
