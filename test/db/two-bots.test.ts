/**
 * Two bots with one shop and one cache file between them, each with connections of its own as two processes have, while
 * somebody else edits the shop. They are stopped, or die without a word, and start again; reads are compared with SQLite.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { StoreDatabase } from '../../src/cache/layers/disk/file.ts';
import type { PersistenceLevel } from '../../src/cache/tiers/policy.ts';
import { generateShop } from '../../src/db/generator.ts';
import { openDatabase } from '../../src/db/open.ts';
import { seededRandom } from '../../src/db/random.ts';
import { createShop, type Shop } from '../../src/db/shop.ts';
import { watchShop } from '../../src/db/watch-rules.ts';
import type { Feed } from '../../src/feed/watch-tables.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { START_AT, tiers } from './shop-fixture.ts';
import { change, edit, wrongReads } from './shop-workload.ts';

const POLL_MS = 250;

interface Bot {
  readonly shop: Shop;
  readonly cache: Cache;
  readonly feed: Feed;
  readonly clock: HandClock;
  /** Ends as it should. */
  stop(): Promise<void>;
  /** Is no more, from one instruction to the next. */
  die(): void;
}

let folder: string;
let outside: Database.Database;
let users: readonly string[];
const alive = new Set<Bot>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-bots-'));
  const path = join(folder, 'shop.db');
  const db = openDatabase(path);
  generateShop(db, { products: 12, users: 4, orders: 30, seed: 1, now: START_AT });
  users = db.prepare<[], string>('SELECT id FROM users').pluck().all();
  db.close();
  outside = new Database(path);
});

afterEach(() => {
  for (const bot of alive) bot.die();
  outside.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(at = START_AT, persist: PersistenceLevel = 'on_change'): Bot {
  const clock = handClock(at);
  const db = openDatabase(join(folder, 'shop.db'));
  const stores: StoreDatabase[] = [];
  const cache = createCache({
    maxWeightBytes: 50_000_000,
    tiers: tiers().map((tier) => ({ ...tier, persist })),
    cleanupIntervalMs: 3_600_000,
    clock,
    logger: silentLogger,
    disk: {
      path: join(folder, 'cache.db'),
      open: (path) => {
        const store: StoreDatabase = new Database(path);
        stores.push(store);
        return store;
      },
    },
  });
  const feed = watchShop(db, cache, { pollIntervalMs: POLL_MS, logger: silentLogger });
  const shop = createShop(db, cache, { feed, now: () => clock.epochAt(clock.now()), logger: silentLogger });
  const bot: Bot = {
    shop,
    cache,
    feed,
    clock,
    async stop() {
      alive.delete(bot);
      await cache.stop();
      feed.stop();
      db.close();
    },
    die() {
      alive.delete(bot);
      for (const each of [db, ...stores]) if (each.open) each.close();
    },
  };
  alive.add(bot);
  return bot;
}

async function poll({ clock }: Bot): Promise<void> {
  await clock.advanceAsync(POLL_MS);
}

async function expectRight({ shop }: Bot, after: string): Promise<void> {
  expect(await wrongReads(shop, users), after).toEqual([]);
}

describe('two bots with one shop and one cache file', () => {
  it('I8: what one sells, the other shows within the poll interval', async () => {
    const [one, other] = [start(), start()];
    const before = other.shop.getProduct(1)?.priceCents ?? 0;
    one.shop.updateProduct(1, { priceCents: before + 1 });
    expect(one.shop.getProduct(1)?.priceCents).toBe(before + 1);
    await poll(other);
    expect(other.shop.getProduct(1)?.priceCents).toBe(before + 1);
  });

  it('what one has loaded, the other finds on disk', () => {
    const [one, other] = [start(), start()];
    const products = one.shop.getAllProducts();
    expect(other.shop.getAllProducts()).toEqual(products);
    expect(other.cache.stats()).toMatchObject({ total: { loads: 0 }, disk: { hits: 1 } });
  });

  it('I9: a bot that has not noticed a change yet puts nothing old on disk', async () => {
    const [one, other] = [start(START_AT, 'periodic'), start(START_AT, 'periodic')];
    expect(other.shop.getProduct(1)?.priceCents).not.toBe(77);
    one.shop.updateProduct(1, { priceCents: 77 });
    // Whoever starts now need not apply that change any more.
    await one.cache.persist();
    // Not polled yet: the old value waits to be written down, and would be believed.
    expect(other.cache.has('products::item::#1')).toBe(true);
    await other.cache.persist();
    await one.cache.persist();
    one.die();
    other.die();
    const next = start();
    expect(next.shop.getProduct(1)?.priceCents).toBe(77);
    await expectRight(next, 'after both have died');
  });

  it('I9: a bot that starts while another works believes the disk as far as that goes, and both stay right', async () => {
    const first = start();
    await expectRight(first, 'of the first');
    edit(outside, seededRandom(1));
    const second = start();
    await expectRight(second, 'of the second, right after its start');
    expect(second.cache.stats().disk?.restored).toBeGreaterThan(5);
    await poll(first);
    await expectRight(first, 'of the first, after an interval');
  });

  it.each([1, 2, 3])(
    'I8, I9: whatever happens to them and their shop, they show what SQLite has (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const level = () => random.pick<PersistenceLevel>(['on_change', 'periodic']);
      const bots: [Bot, Bot] = [start(START_AT, level()), start(START_AT, level())];
      let restored = 0;
      for (let step = 0; step < 120; step++) {
        const i = random.between(0, 1) as 0 | 1;
        const bot = bots[i];
        const what = random.pick([
          'change',
          'change',
          'edit',
          'poll',
          'persist',
          'persist',
          'stop',
          'die',
          'read',
        ]);
        if (what === 'change') change(bot.shop, users, random);
        else if (what === 'edit') edit(outside, random);
        else if (what === 'poll') await poll(bot);
        else if (what === 'persist') await bot.cache.persist();
        else if (what === 'read') bot.shop.getAllProducts();
        else {
          restored += bot.cache.stats().disk?.restored ?? 0;
          if (what === 'stop') await bot.stop();
          else bot.die();
          bots[i] = start(bot.clock.epochAt(bot.clock.now()), level());
        }
        // Of others' edits it knows when it has looked; of its own at once, and of all there were when it started.
        if (what === 'poll' || what === 'stop' || what === 'die')
          await expectRight(bots[i], `after step ${step}, ${what}`);
      }
      for (const bot of bots) {
        await poll(bot);
        await expectRight(bot, 'at the end');
        expect(bot.cache.stats().disk).toMatchObject({ failures: 0, damaged: 0 });
      }
      expect(restored).toBeGreaterThan(20);
      expect(outside.pragma('integrity_check', { simple: true })).toBe('ok');
    },
  );
});
