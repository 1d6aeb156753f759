/** The real bot is killed, or stopped, and started again in the same folder: what it knows then, and what it asks for. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import type { CacheStats } from '../../src/cache/statistics/stats.ts';
import { Person, RunningBot } from './running-bot.ts';

const CONFIG = {
  cache: { disk_path: './cache.db', persist_interval: 1 },
  // What is loaded is loaded since it was not there, and not since it is used most.
  warmers: { hot_keys: 0, predictive: false },
};

interface Offer {
  readonly id: number;
  readonly category: string;
  readonly priceCents: number;
}

async function setUp() {
  const local = await LocalDiscord.start();
  onTestFinished(() => local.stop());
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-restart-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const start = async () => {
    const bot = await RunningBot.atWork(local, { folder, config: CONFIG });
    onTestFinished(async () => void (await bot.stop()));
    return bot;
  };
  const { world } = local;
  return { local, folder, start, ada: new Person(local, world.people.ada.id, world.channels.ops) };
}

/** Everything for sale as the bot's API tells it. */
async function offers(bot: RunningBot, category?: string): Promise<readonly Offer[]> {
  await bot.says(/The HTTP API is at/);
  const [, url = ''] = /The HTTP API is at (http:\/\/127\.0\.0\.1:\d+)\//.exec(bot.output) ?? [];
  const query = category === undefined ? '' : `?category=${encodeURIComponent(category)}`;
  const answer = await fetch(`${url}/api/products${query}`);
  return ((await answer.json()) as { products: Offer[] }).products; // `productsRead` in src/api
}

/** Waits until all that may be written is on disk. */
async function persisted(bot: RunningBot): Promise<CacheStats> {
  let stats = await bot.stats();
  await expect
    .poll(async () => {
      stats = await bot.stats();
      return kept(stats) > 0 && (stats.disk?.written ?? 0) >= kept(stats);
    })
    .toBe(true);
  return stats;
}

function kept(stats: CacheStats): number {
  return stats.tiers.reduce((sum, { tier, entries }) => sum + (tier === 'user' ? 0 : entries), 0);
}

function loads(stats: CacheStats, ...tiers: readonly string[]): number {
  return stats.tiers.reduce((sum, { tier, loads: of }) => sum + (tiers.includes(tier) ? of : 0), 0);
}

it('I9: killed, and the database edited meanwhile, it serves what is so now, and asks for nothing else', async () => {
  const { folder, start, ada } = await setUp();
  const first = await start();
  const before = await offers(first);
  const written = await persisted(first);
  first.child.kill('SIGKILL');
  expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });

  const product = before[0];
  if (product === undefined) throw new Error('The shop is empty.');
  const outside = new Database(join(folder, 'shop.sqlite'));
  outside.prepare('UPDATE products SET price_cents = 424242 WHERE id = ?').run(product.id);
  outside.close();

  const second = await start();
  const stats = await second.stats();
  expect(stats.disk).toMatchObject({
    state: 'ready',
    proof: 'resumed',
    unproven: 0,
    damaged: 0,
  });
  // The list of everything and that of its category; the answer of the API waits for somebody to ask.
  expect(loads(stats, 'config', 'reference', 'query')).toBe(2);
  expect(stats.disk?.restored).toBeGreaterThan(10);
  expect(stats.disk?.found).toBe(kept(written));
  const expected = before.map((each) => (each.id === product.id ? { ...each, priceCents: 424242 } : each));
  expect(await offers(second)).toEqual(expected);
  expect(await offers(second, product.category)).toEqual(
    expected.filter(({ category }) => category === product.category),
  );
  await (await ada.run('cache-info')).shows(/read back and believed/);
});

it('stopped and started again, it asks the database for nothing that it knew', async () => {
  const { start, ada } = await setUp();
  const first = await start();
  const ranks = async () => (await ada.run('leaderboard')).text.match(/^\d+\. .*$/gm);
  const leaders = await ranks();
  const known = kept(await first.stats());
  await first.stop();
  const second = await start();
  expect(leaders).toHaveLength(10);
  expect(await ranks()).toEqual(leaders);
  const stats = await second.stats();
  expect(stats.disk).toMatchObject({ found: known, proof: 'resumed', unproven: 0 });
  expect(loads(stats, 'config', 'reference', 'query')).toBe(0);
});

it('I9: with another shop in the place of its own, it believes nothing that it finds on disk', async () => {
  const { folder, start } = await setUp();
  const first = await start();
  await offers(first);
  await persisted(first);
  first.child.kill('SIGKILL');
  await first.ended;
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `shop.sqlite${suffix}`), { force: true });

  const second = await start();
  const rows = new Database(join(folder, 'shop.sqlite'), { readonly: true });
  onTestFinished(() => void rows.close());
  const prices = rows
    .prepare('SELECT id, price_cents FROM products WHERE active = 1 AND deleted_at IS NULL')
    .raw();
  expect((await offers(second)).map(({ id, priceCents }) => [id, priceCents]).sort()).toEqual(
    prices.all().sort(),
  );
  expect((await second.stats()).disk).toMatchObject({ proof: 'gap', restored: 0 });
});

it('with a damaged cache file, it sets that aside, begins anew and says so once', async () => {
  const { folder, start, ada } = await setUp();
  const first = await start();
  await persisted(first);
  await first.stop();
  writeFileSync(
    join(folder, 'cache.db'),
    'not a database, and long enough to be told from one. '.repeat(100),
  );
  const second = await start();
  expect(second.output.match(/cache\.db(?: is|.*was)? damaged/g)).toHaveLength(1);
  const { disk } = await second.stats();
  expect(disk).toMatchObject({ state: 'ready', found: 0, proof: 'new' });
  expect(existsSync(disk?.setAside ?? '')).toBe(true);
  await (await ada.run('cache-info')).shows('It was damaged at the start');
});
