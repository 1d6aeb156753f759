/** How much each person uses the bot: counted behind, seen at once. */
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { activityLog } from '../../src/db/activity.ts';
import { openDatabase } from '../../src/db/open.ts';
import { watchShop } from '../../src/db/watch-rules.ts';
import { silentLogger } from '../../src/logger.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import { tiers } from '../cache/support.ts';
import { handClock } from '../support/hand-clock.ts';

const ADA = '80351110224678912';

function activity() {
  const clock = handClock();
  const cache = createCache({
    maxWeightBytes: 1_000_000,
    tiers,
    cleanupIntervalMs: 60_000,
    clock,
    logger: silentLogger,
  });
  const db = openDatabase(':memory:');
  const feed = watchShop(db, cache, { logger: silentLogger });
  const journal = openJournal(':memory:', (file) => new Database(file), { logger: silentLogger });
  onTestFinished(async () => {
    feed.stop();
    await cache.stop();
    journal.close();
    db.close();
  });
  const behind = createWriteBehind(journal, cache, { logger: silentLogger });
  const log = activityLog(db, cache, behind, () => clock.epochAt(clock.now()));
  const stored = () => db.prepare('SELECT user_id, uses, last_command FROM user_activity').all();
  return { clock, cache, db, behind, log, stored, feed };
}

it('counts uses at once, and saves a burst of them as one row', async () => {
  const { log, stored, clock, behind } = activity();
  expect(log.of(ADA)).toBeNull();
  for (const command of ['shop', 'buy', 'wallet']) log.used(ADA, command);
  expect(log.of(ADA)).toMatchObject({ uses: 3, lastCommand: 'wallet' });
  expect(stored()).toEqual([]);
  await clock.advanceAsync(2_000);
  expect(stored()).toEqual([{ user_id: ADA, uses: 3, last_command: 'wallet' }]);
  expect(behind.stats()).toMatchObject({ saved: 1, waiting: 0 });
});

it('loses no use to a cache that was cleared while uses wait', async () => {
  const { log, cache, clock, stored } = activity();
  log.used(ADA, 'shop');
  cache.clear();
  log.used(ADA, 'buy');
  await clock.advanceAsync(2_000);
  cache.clear();
  log.used(ADA, 'wallet');
  await clock.advanceAsync(2_000);
  expect(stored()).toMatchObject([{ uses: 3 }]);
});

it('sees what another program writes to the table', async () => {
  const { log, clock, db, feed } = activity();
  log.used(ADA, 'shop');
  await clock.advanceAsync(2_000);
  expect(log.of(ADA)).toMatchObject({ uses: 1 });
  db.prepare('UPDATE user_activity SET uses = 40').run();
  feed.drain();
  expect(log.of(ADA)).toMatchObject({ uses: 40 });
});
