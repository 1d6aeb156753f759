/**
 * How warm the bot is in the first minute after a restart: the share of reads that hit, after a start with nothing, with
 * hot keys, with the disk layer, and with both. The shop's day (`shop-day.ts`) is replayed on a hand-turned clock, with
 * the configuration that ships; then the process ends and the next one begins, half a minute later (a deployment) or the
 * next morning. Every start gets the same file, the same database and the same minute of commands.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { createCache } from '../src/cache/create-cache.ts';
import { parseConfig } from '../src/config/config.ts';
import { generateShop } from '../src/db/generator.ts';
import { openDatabase } from '../src/db/open.ts';
import { seededRandom } from '../src/db/random.ts';
import { createShop, type Shop } from '../src/db/shop.ts';
import { shopWarmTasks } from '../src/db/warm-tasks.ts';
import { watchShop } from '../src/db/watch-rules.ts';
import { silentLogger } from '../src/logger.ts';
import { createWarmers } from '../src/warmers/warmers.ts';
import { type HandClock, handClock } from '../test/support/hand-clock.ts';
import { type Row, report } from './measure.ts';
import { type Command, commandsOfTheDay, DAY_MS, PEOPLE, zipf } from './shop-day.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const STOPPED_AT = 20 * HOUR_MS;
const WRITE_SHARE = 0.01;
const FOLDER = mkdtempSync(join(tmpdir(), 'cachecord-bench-'));

interface Kind {
  readonly name: string;
  readonly hasDisk: boolean;
  readonly hasEntries: boolean;
  readonly hotKeys: number;
  readonly isWarmed: boolean;
}

const KINDS: readonly Kind[] = [
  { name: 'cold', hasDisk: false, hasEntries: false, hotKeys: 0, isWarmed: false },
  { name: 'startup warmer', hasDisk: false, hasEntries: false, hotKeys: 0, isWarmed: true },
  { name: 'hot keys', hasDisk: true, hasEntries: false, hotKeys: 200, isWarmed: false },
  { name: 'disk layer', hasDisk: true, hasEntries: true, hotKeys: 0, isWarmed: false },
  { name: 'all of them (as it ships)', hasDisk: true, hasEntries: true, hotKeys: 200, isWarmed: true },
];

const db = openDatabase(':memory:');
generateShop(db, { products: 400, users: PEOPLE, orders: 1_000, seed: 7 });
const MIDNIGHT = new Date(2026, 0, 5).getTime();
const people = db.prepare<[], string>('SELECT id FROM users').pluck().all();

/** A process that begins at an instant of the day. */
function start(path: string | null, beganAt: number, kind: Pick<Kind, 'hotKeys' | 'isWarmed'>) {
  const { hotKeys, isWarmed } = kind;
  const clock = handClock(MIDNIGHT + beganAt);
  const { next: random } = seededRandom(13);
  const config = parseConfig({ cache: { disk_path: path }, warmers: { hot_keys: hotKeys } });
  const cache = createCache({ ...config.cache, clock, logger: silentLogger, random });
  const feed = watchShop(db, cache, { pollIntervalMs: HOUR_MS, logger: silentLogger });
  const shop = createShop(db, cache, { feed, logger: silentLogger, now: () => clock.epochAt(clock.now()) });
  const warmers = createWarmers({
    tasks: isWarmed ? shopWarmTasks(shop) : [],
    config: config.warmers,
    warmth: cache.warmth,
    clock,
    logger: silentLogger,
    random,
  });
  return {
    clock,
    cache,
    shop,
    warmers,
    async stop() {
      await warmers.stop();
      await cache.stop();
      feed.stop();
    },
  };
}

/** What a command reads, the same for the same random numbers. */
function commandReader(shop: Shop, random: () => number) {
  const categories = shop.queries.mainCategories().map(({ name }) => name);
  const products = shop.queries.products();
  const texts = [...new Set(products.map(({ name }) => name.split(' ')[0] ?? ''))];
  const pickCategory = zipf(categories.length, 1, random);
  const pickProduct = zipf(products.length, 1, random);
  const pickText = zipf(texts.length, 1, random);
  return async (id: string, writeShare: number): Promise<void> => {
    shop.getUser(id);
    if (random() < 0.7) {
      shop.getMainCategories();
      shop.getProductsByCategory(categories[pickCategory()] ?? '');
      shop.getApplicableDiscounts(id);
    }
    const product = products[pickProduct()];
    if (random() < 0.3 && product !== undefined) shop.getProduct(product.id);
    if (random() < 0.15) await shop.searchProducts({ text: texts[pickText()] ?? '', limit: 25 });
    if (random() < 0.05) await shop.getLeaderboard();
    if (random() < 0.1) shop.getVipTiers();
    if (random() < writeShare) shop.updateWallet(id, 100, 'deposit');
    if (random() < writeShare / 4 && product !== undefined) shop.purchase(id, product.id);
  };
}

/** Replays the commands of a time, whose first instant is that of the clock's beginning. */
async function replay(
  { clock, shop }: { readonly clock: HandClock; readonly shop: Shop },
  commands: readonly Command[],
  [fromAt, untilAt]: readonly [number, number],
  { seed, writeShare }: { readonly seed: number; readonly writeShare: number },
): Promise<void> {
  const { next: random } = seededRandom(seed);
  const read = commandReader(shop, random);
  let turns = 0;
  for (const { at, person } of commands) {
    if (at < fromAt || at >= untilAt) continue;
    clock.advance(Math.max(0, at - fromAt - clock.now()));
    await read(people[person] ?? '', writeShare);
    // What is written to disk by the clock is written between turns of the event loop.
    if (++turns % 50 === 0) await clock.settle();
  }
}

const percent = (share: number | null) => (share === null ? '–' : `${(share * 100).toFixed(1)} %`);

interface Outcome {
  readonly total: number;
  readonly byTier: string;
  readonly loads: number;
}

async function firstMinute(
  kind: Kind,
  file: string,
  beganAt: number,
  commands: readonly Command[],
): Promise<Outcome> {
  const path = join(FOLDER, `${kind.name.replaceAll(/\W/g, '-')}-${beganAt}.db`);
  copyFileSync(file, path);
  if (!kind.hasEntries) {
    const cacheDb = new Database(path);
    cacheDb.exec('DELETE FROM cache_storage');
    cacheDb.close();
  }
  const bot = start(kind.hasDisk ? path : null, beganAt, kind);
  const { cache } = bot;
  await bot.warmers.start();
  const before = cache.stats(0);
  // Nothing is written: every start finds the same database.
  await replay(bot, commands, [beganAt, beganAt + MINUTE_MS], { seed: 3, writeShare: 0 });
  const { total, tiers } = cache.stats(0);
  const share = (now: typeof total, then: typeof total) =>
    now.lookups === then.lookups ? null : (now.hits - then.hits) / (now.lookups - then.lookups);
  const byTier = tiers
    .map((tier, i) => `${tier.tier} ${percent(share(tier, before.tiers[i] ?? tier))}`)
    .join(', ');
  await bot.stop();
  return {
    total: share(total, before.total) ?? 0,
    byTier,
    loads: total.loads - total.refreshes - before.total.loads + before.total.refreshes,
  };
}

// ---- the day, and the starts after it ----

const { next } = seededRandom(7);
const day = commandsOfTheDay(next);
// Tomorrow's people come as today's do.
const commands = [...day, ...day.map(({ at, person }) => ({ at: at + DAY_MS, person }))];
const file = join(FOLDER, 'day.db');
const first = start(file, 0, { hotKeys: 200, isWarmed: true });
await first.warmers.start();
await replay(first, commands, [0, STOPPED_AT], { seed: 5, writeShare: WRITE_SHARE });
await first.stop();

for (const [title, beganAt] of [
  ['half a minute after a stop at 20:00', STOPPED_AT + 30_000],
  ['the next morning at 6:00', STOPPED_AT + 10 * HOUR_MS],
] as const) {
  const outcomes = new Map<string, Outcome>();
  for (const kind of KINDS) outcomes.set(kind.name, await firstMinute(kind, file, beganAt, commands));
  const cold = outcomes.get('cold')?.total ?? 0;
  const rows: Row[] = [...outcomes].map(([name, { total, byTier, loads }]) => ({
    what: `${name}: ${byTier}; ${loads} reads went to the database`,
    measured: percent(total),
    goal: name === 'cold' ? 'the measure' : name === 'disk layer' ? '≥ cold' : '> cold',
    holds: name === 'cold' || total > cold || (name === 'disk layer' && total === cold),
  }));
  report(`Hit rate in the first minute, ${title}`, rows);
}

db.close();
rmSync(FOLDER, { recursive: true, force: true });
process.exit(0);
