/**
 * A bot with memory, disk and feed, whose database is put back as it was at random moments: into the open file, by
 * copying rows, or as a file while the bot is down. Any number of changes may follow, as many as were lost among them.
 */
import { copyFileSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import type { FeedPosition } from '../../src/feed/readers.ts';
import { watchTables } from '../../src/feed/watch-tables.ts';
import { silentLogger } from '../../src/logger.ts';
import { tierOf } from '../cache/support.ts';
import { handClock } from '../support/hand-clock.ts';
import { makeFolder, openFile } from './support.ts';

const IDS = ['1', '2'];
const BEGAN_AT = Date.UTC(2026, 0, 1);
const POLL_MS = 250;

type Bot = ReturnType<typeof start>;

/** One process, at an instant of the machine's clock. */
function start(path: string, cachePath: string, at: number) {
  const db = openFile(path);
  const stores: Database.Database[] = [];
  const cache = createCache({
    maxWeightBytes: 1e6,
    tiers: [tierOf('user', ['user'], { persist: 'on_change', ttlMs: 86_400_000 })],
    cleanupIntervalMs: 3_600_000,
    clock: handClock(at),
    logger: silentLogger,
    disk: {
      path: cachePath,
      open: (file) => {
        const store = new Database(file);
        stores.push(store);
        return store;
      },
    },
  });
  const clock = cache.clock as ReturnType<typeof handClock>;
  const startAt = cache.feedPosition as FeedPosition | undefined;
  const feed = watchTables(
    db,
    cache,
    { users: 'user::{id}' },
    {
      resumable: true,
      pollIntervalMs: POLL_MS,
      logger: silentLogger,
      ...(startAt === undefined ? {} : { startAt }),
    },
  );
  cache.provenBy(feed);
  const sql = sqliteCache(db, cache, { feed, logger: silentLogger });
  const select = db.prepare<[string], number>('SELECT cents FROM users WHERE id = ?').pluck();
  const wallet = cachedSync(sql.cache, (id: string) => select.get(id), { key: 'user::{0}' });
  return {
    db,
    cache,
    clock,
    read: () => IDS.map((id) => wallet(id)),
    truth: () => IDS.map((id) => select.get(id)),
    async stop() {
      await cache.stop();
      feed.stop();
      db.close();
    },
    /** Nothing more is written. */
    kill() {
      for (const store of stores) store.close();
      db.close();
    },
  };
}

const change = fc.record({ id: fc.constantFrom(...IDS), cents: fc.integer({ min: 0, max: 3 }) });
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
const changes = fc.array(change, { maxLength: 3 });
const which = fc.nat({ max: 9 });

const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('own' as const, 'foreign' as const), change }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('read' as const, 'poll' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('copy' as const, 'report' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('restore' as const, 'restore-rows' as const),
      which,
      changes,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('restart' as const),
      isKilled: fc.boolean(),
      which: fc.option(which, { freq: 2 }),
      changes,
    }),
  },
);

function write(db: Database.Database, { id, cents }: Change): void {
  db.prepare('INSERT INTO users VALUES (?, ?) ON CONFLICT DO UPDATE SET cents = excluded.cents').run(
    id,
    cents,
  );
}

it('I8, I9: no read is stale after the next poll or start, whatever copy is put back and whatever follows', async () => {
  let resumed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 20 }), async (actions) => {
      const folder = makeFolder();
      const [path, cachePath] = [folder.file(), folder.file('cache.db')];
      let at = BEGAN_AT;
      let other = openFile(path);
      other.exec('CREATE TABLE users (id TEXT PRIMARY KEY, cents INTEGER NOT NULL)');
      let bot: Bot = start(path, cachePath, at);
      const copies: string[] = [];
      const copy = async () => {
        const file = folder.file(`copy-${copies.length}.sqlite`);
        await bot.db.backup(file);
        copies.push(file);
      };
      const chosen = (nth: number) => copies[nth % copies.length] ?? '';
      await copy();
      let isBehind = false;
      try {
        for (const each of actions) {
          if (each.kind === 'own') write(bot.db, each.change);
          else if (each.kind === 'foreign') {
            write(other, each.change);
            isBehind = true;
          } else if (each.kind === 'copy') await copy();
          else if (each.kind === 'poll' || each.kind === 'report') {
            await bot.clock.advanceAsync(each.kind === 'poll' ? POLL_MS : 60_000);
            isBehind = false;
          } else if (each.kind === 'restore') {
            const from = new Database(chosen(each.which));
            await from.backup(path);
            from.close();
            for (const next of each.changes) write(other, next);
            isBehind = true;
          } else if (each.kind === 'restore-rows') {
            other.exec(`ATTACH '${chosen(each.which)}' AS old`);
            other.exec('BEGIN; DELETE FROM users; INSERT INTO users SELECT * FROM old.users; COMMIT');
            other.exec('DETACH old');
            for (const next of each.changes) write(other, next);
            isBehind = true;
          } else if (each.kind === 'restart') {
            at = bot.clock.wallNow() + 1_000;
            if (each.isKilled) bot.kill();
            else await bot.stop();
            other.close();
            if (each.which !== null) {
              for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
              copyFileSync(chosen(each.which), path);
            }
            other = openFile(path);
            for (const next of each.changes) write(other, next);
            bot = start(path, cachePath, at);
            if (bot.cache.stats().feed?.beginning === 'resumed') resumed++;
            isBehind = false;
          }
          const read = bot.read();
          if (!isBehind) expect(read).toEqual(bot.truth());
        }
      } finally {
        bot.kill();
        other.close();
        folder.remove();
      }
    }),
    { numRuns: 100 },
  );
  // Else it would hold for a feed that believes nothing.
  expect(resumed).toBeGreaterThan(20);
}, 240_000);

it('I9: what was read of a change is not believed after a start without that change', async () => {
  const folder = makeFolder();
  const [path, cachePath] = [folder.file(), folder.file('cache.db')];
  const other = openFile(path);
  other.exec(
    "CREATE TABLE users (id TEXT PRIMARY KEY, cents INTEGER NOT NULL); INSERT INTO users VALUES ('1', 1)",
  );
  const bot = start(path, cachePath, BEGAN_AT);
  await other.backup(folder.file('copy.sqlite'));
  write(other, { id: '1', cents: 2 });
  // Loaded, and written to disk at once, before any poll.
  expect(bot.read()).toEqual([2, undefined]);
  bot.kill();
  other.close();
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
  copyFileSync(folder.file('copy.sqlite'), path);
  const next = start(path, cachePath, BEGAN_AT + 1_000);
  expect(next.read()).toEqual([1, undefined]);
  next.kill();
  folder.remove();
});
