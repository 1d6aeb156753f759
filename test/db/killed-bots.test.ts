/**
 * Processes of bots that work on one shop and one cache file and are killed, again and again, at whatever instruction
 * they are, while another bot works beside them and somebody edits the shop. What is read after the next start, and what
 * the other bot reads, is compared with SQLite.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { generateShop } from '../../src/db/generator.ts';
import { openDatabase } from '../../src/db/open.ts';
import { seededRandom } from '../../src/db/random.ts';
import { createShop } from '../../src/db/shop.ts';
import { watchShop } from '../../src/db/watch-rules.ts';
import { silentLogger } from '../../src/logger.ts';
import { tiers } from './shop-fixture.ts';
import { change, edit, wrongReads } from './shop-workload.ts';

const KILLS = 4;

/** Runs a bot; the first thing that it tells is how it found things. */
async function start(folder: string, seed: number): Promise<{ child: ChildProcess; found: Found }> {
  const child = fork(resolve('test/db/fixtures/working-bot.ts'), [folder, String(seed)]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const [found] = (await once(child, 'message')) as [Found]; // what working-bot.ts tells first
  return { child, found };
}
interface Found {
  readonly wrong: readonly string[];
  readonly proof: string;
  readonly restored: number;
  readonly failures: number;
}

it.each([1, 2])(
  'I8, I9: killed at any instruction, a bot finds what is so now (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const folder = mkdtempSync(join(tmpdir(), 'cachecord-killed-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const db = openDatabase(join(folder, 'shop.db'));
    generateShop(db, { products: 12, users: 4, orders: 30, seed, now: Date.now() });
    const users = db.prepare<[], string>('SELECT id FROM users').pluck().all();

    const cache = createCache({
      maxWeightBytes: 50_000_000,
      tiers: tiers().map((tier) => ({ ...tier, persist: 'periodic' })),
      cleanupIntervalMs: 3_600_000,
      logger: silentLogger,
      disk: { path: join(folder, 'cache.db'), intervalMs: 5 },
    });
    const feed = watchShop(db, cache, { logger: silentLogger });
    const shop = createShop(db, cache, { feed, logger: silentLogger });
    const outside = new Database(join(folder, 'shop.db'), { timeout: 5_000 });

    let restored = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, found } = await start(folder, seed * 100 + kill);
      expect(found).toMatchObject({ wrong: [], proof: 'resumed' });
      restored += found.restored;
      const last = random.between(3, 60);
      child.on('message', ({ step }: { readonly step: number }) => {
        // It goes on meanwhile, so that it is somewhere in the middle of the next steps.
        if (step === last) child.kill('SIGKILL');
        else if (step % 3 === 0) change(shop, users, random);
        else if (step % 7 === 0) edit(outside, random);
      });
      child.send('work');
      await once(child, 'exit');
      // Nobody else writes now: what this bot knows after a look is all there is.
      expect(feed.drain()).toBe(true);
      expect(await wrongReads(shop, users)).toEqual([]);
      edit(outside, random);
      expect(outside.pragma('integrity_check', { simple: true })).toBe('ok');
    }
    expect(restored).toBeGreaterThan(0);
    await cache.stop();
    feed.stop();
    db.close();
    outside.close();
    const file = new Database(join(folder, 'cache.db'), { readonly: true });
    expect(file.pragma('integrity_check', { simple: true })).toBe('ok');
    file.close();
  },
  60_000,
);
