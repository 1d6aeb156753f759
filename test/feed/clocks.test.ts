/** Processes whose machine sleeps, or whose clock is set, while they read the changes. */
import type Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import type { WatchOptions } from '../../src/feed/watch-options.ts';
import { makeFolder, openFile, SHOP, type Watched, watch } from './support.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function makeFile(): string {
  const folder = makeFolder();
  cleanups.push(() => folder.remove());
  const db = openFile(folder.file());
  db.exec(`${SHOP}; INSERT INTO users (id, name, cents) VALUES ('1', 'Ada', 100)`);
  db.close();
  return folder.file();
}

interface Bot extends Watched {
  wallet(): number | undefined;
  /** Turns its own clock, with the polls and reports that fall due. */
  run(ms: number): Promise<void>;
}

function start(path: string, options: WatchOptions = {}): Bot {
  const db = openFile(path);
  const watched = watch(
    db,
    { users: 'user::{id}' },
    { pollIntervalMs: HOUR, reportIntervalMs: HOUR, ...options },
  );
  const select = db.prepare<[], number>("SELECT cents FROM users WHERE id = '1'").pluck();
  const wallet = cachedSync(watched.sql.cache, () => select.get(), { key: () => 'user::1' });
  cleanups.push(() => {
    watched.feed.stop();
    db.close();
  });
  return {
    ...watched,
    wallet,
    async run(ms) {
      watched.cache.clock.advance(ms);
      await watched.cache.clock.settle();
    },
  };
}

const PAY = "UPDATE users SET cents = cents + 1 WHERE id = '1'";
const readers = (db: Database.Database) => db.prepare('SELECT count(*) FROM cache_readers').pluck().get();
const rows = (db: Database.Database) => db.prepare('SELECT count(*) FROM cache_changes').pluck().get();

describe('I8: a process that slept', () => {
  it('is forgotten meanwhile, finds a gap where rows have gone, and is on record again', async () => {
    const [asleep, awake] = (() => {
      const path = makeFile();
      return [start(path), start(path)];
    })();
    expect(asleep.wallet()).toBe(100);
    for (let hours = 0; hours < 26; hours++) {
      awake.db.exec(PAY);
      await awake.run(HOUR);
    }
    expect([readers(awake.db), rows(awake.db)]).toEqual([1, 1]);
    // Its timers slept as well; the machine's clock did not.
    asleep.cache.clock.setWallBy(25 * HOUR);
    await asleep.run(HOUR);
    expect(asleep.wallet()).toBe(126);
    expect([asleep.gaps, readers(awake.db)]).toEqual([['missed'], 2]);
    await awake.run(HOUR);
    expect([readers(awake.db), awake.gaps]).toEqual([2, []]);
  });

  it('and missed nothing that was removed goes on without a gap', async () => {
    const path = makeFile();
    const [asleep, awake] = [start(path), start(path)];
    expect(asleep.wallet()).toBe(100);
    awake.db.exec(PAY);
    await awake.run(12 * HOUR);
    asleep.cache.clock.setWallBy(11 * HOUR);
    await asleep.run(HOUR);
    expect([asleep.wallet(), asleep.gaps]).toEqual([101, []]);
  });
});

describe("the machine's clock", () => {
  it('set forward by a week makes nobody stale, and costs those who live no more than a gap', async () => {
    const path = makeFile();
    const [a, b] = [start(path), start(path)];
    expect([a.wallet(), b.wallet()]).toEqual([100, 100]);
    for (const { cache } of [a, b]) cache.clock.setWallBy(7 * DAY);
    for (let hours = 0; hours < 4; hours++) {
      a.db.exec(PAY);
      for (const { run, wallet } of [a, b]) {
        await run(HOUR);
        expect(wallet()).toBe(101 + hours);
      }
    }
    expect(readers(a.db)).toBe(2);
    expect([a.gaps.length, b.gaps.length]).toEqual([0, expect.toSatisfy((gaps: number) => gaps <= 1)]);
  });

  it('set back by a week lets nobody who lives be forgotten', async () => {
    const path = makeFile();
    const [a, b] = [start(path), start(path)];
    await Promise.all([a.run(HOUR), b.run(HOUR)]);
    for (const { cache } of [a, b]) cache.clock.setWallBy(-7 * DAY);
    for (let hours = 0; hours < 30; hours++) {
      a.db.exec(PAY);
      for (const { run, wallet } of [a, b]) {
        await run(HOUR);
        expect(wallet()).toBe(101 + hours);
      }
    }
    expect([readers(a.db), a.gaps, b.gaps]).toEqual([2, [], []]);
  });

  it('set back by a week lets nobody who is dead live for longer than a day', async () => {
    const path = makeFile();
    // Neither runs again: it was killed.
    start(path);
    const alive = start(path);
    alive.cache.clock.setWallBy(-7 * DAY);
    await alive.run(12 * HOUR);
    expect(readers(alive.db)).toBe(2);
    await alive.run(15 * HOUR);
    expect(readers(alive.db)).toBe(1);
    alive.db.exec(`${PAY}; ${PAY}`);
    await alive.run(HOUR);
    expect(rows(alive.db)).toBe(1);
  });

  it('set either way while the bot is down changes nothing of what the next start finds', async () => {
    const path = makeFile();
    for (const ms of [7 * DAY, -14 * DAY]) {
      const bot = start(path, { resumable: true });
      bot.db.exec(PAY);
      bot.feed.stop();
      const outsider = openFile(path);
      outsider.exec(PAY);
      outsider.close();
      const next = start(path, { resumable: true, startAt: bot.feed.position() });
      next.cache.clock.setWallBy(ms);
      await next.run(HOUR);
      expect(next.feed.stats()).toMatchObject({ beginning: 'resumed', changes: 1, gaps: 0 });
      next.feed.stop();
    }
  });
});
