/** The feed and entries on disk together, put together as `docs/feed.md` shows and with nothing but what the package exports. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cachedSync,
  createCache,
  type FeedPosition,
  parseConfig,
  silentLogger,
  sqliteCache,
  type TableRules,
  unwatchTables,
  watchTables,
} from '../../src/index.ts';

let folder: string;
const running: { stop(): Promise<void> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-fed-'));
  const db = new Database(join(folder, 'bot.sqlite'));
  db.pragma('journal_mode = WAL');
  db.exec(`
    CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL, cents INTEGER NOT NULL);
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    INSERT INTO users VALUES ('1', 'Ada', 1), ('2', 'Ben', 2);
    INSERT INTO settings VALUES ('prefix', '!');
  `);
  db.close();
});
afterEach(async () => {
  for (const bot of running.splice(0)) await bot.stop();
  rmSync(folder, { recursive: true, force: true });
});

const RULES: TableRules = { users: 'user::{id}::*', settings: 'config::{name}' };

function start(rules = RULES) {
  const db = new Database(join(folder, 'bot.sqlite'));
  const { cache: options } = parseConfig({
    cache: { disk_path: join(folder, 'cache.db'), tiers: { user: { persist: 'on_change' } } },
  });
  const cache = createCache({ ...options, logger: silentLogger });
  const startAt = cache.feedPosition as FeedPosition | undefined; // what an earlier feed of ours gave
  const feed = watchTables(db, cache, rules, {
    resumable: true,
    logger: silentLogger,
    ...(startAt === undefined ? {} : { startAt }),
  });
  cache.provenBy(feed);
  const sql = sqliteCache(db, cache, { feed, logger: silentLogger });
  const user = db.prepare<[string], { name: string; cents: number }>(
    'SELECT name, cents FROM users WHERE id = ?',
  );
  const getUser = cachedSync(sql.cache, (id: string) => user.get(id), { key: 'user::{0}::profile' });
  const setting = db.prepare<[string], string>('SELECT value FROM settings WHERE name = ?').pluck();
  const getSetting = cachedSync(sql.cache, (name: string) => setting.get(name), {
    key: 'config::{0}',
    persist: 'on_change',
  });
  const bot = {
    db,
    cache,
    feed,
    getUser,
    getSetting,
    async stop() {
      await cache.stop();
      feed.stop();
      db.close();
    },
  };
  running.push(bot);
  return bot;
}

/** Starts it, lets it read, ends it, and gives what comes after. */
async function restarted(meanwhile: (db: Database.Database) => void, rules = RULES) {
  const first = start();
  for (const id of ['1', '2']) first.getUser(id);
  first.getSetting('prefix');
  await running.splice(0)[0]?.stop();
  const db = new Database(join(folder, 'bot.sqlite'));
  meanwhile(db);
  db.close();
  return start(rules);
}

describe('I9: entries on disk beneath a feed', () => {
  it('are believed after a restart, but for those that somebody has changed', async () => {
    const bot = await restarted((db) => db.exec("UPDATE users SET cents = 9 WHERE id = '1'"));
    expect(bot.getUser('1')).toEqual({ name: 'Ada', cents: 9 });
    expect(bot.getUser('2')).toEqual({ name: 'Ben', cents: 2 });
    expect(bot.getSetting('prefix')).toBe('!');
    expect(bot.cache.stats()).toMatchObject({ total: { loads: 1 }, disk: { restored: 2, unproven: 0 } });
  });

  it('go with what is deleted, and with a miss that is none any more', async () => {
    expect(start().getUser('3')).toBeUndefined();
    await running.splice(0)[0]?.stop();
    const bot = await restarted((db) =>
      db.exec("DELETE FROM users WHERE id = '1'; INSERT INTO users VALUES ('3', 'Cid', 3)"),
    );
    expect(bot.getUser('1')).toBeUndefined();
    expect(bot.getUser('3')).toEqual({ name: 'Cid', cents: 3 });
  });

  it('are not believed where no rule names them', async () => {
    const first = start({ users: 'user::{id}::*' });
    first.getUser('1');
    first.getSetting('prefix');
    await running.splice(0)[0]?.stop();
    const db = new Database(join(folder, 'bot.sqlite'));
    db.exec("UPDATE settings SET value = '?'");
    db.close();
    const bot = start({ users: 'user::{id}::*' });
    expect(bot.getSetting('prefix')).toBe('?');
    expect(bot.getUser('1')).toEqual({ name: 'Ada', cents: 1 });
    expect(bot.cache.stats()).toMatchObject({ total: { loads: 1 }, disk: { restored: 1, unproven: 1 } });
  });

  it.each([
    ['the triggers were away', (db: Database.Database) => unwatchTables(db), RULES],
    ['the rules are others', () => undefined, { users: 'user::{id}::*', settings: 'config::*' }],
    [
      'a column was added',
      (db: Database.Database) => db.exec('ALTER TABLE users ADD COLUMN title TEXT'),
      RULES,
    ],
  ])('are not believed when %s', async (_, meanwhile, rules) => {
    const bot = await restarted((db) => {
      meanwhile(db);
      db.exec("UPDATE users SET cents = 9 WHERE id = '1'");
    }, rules);
    expect(bot.feed.beginning).toBe('gap');
    expect(bot.getUser('1')).toEqual({ name: 'Ada', cents: 9 });
    bot.getUser('2');
    expect(bot.cache.stats()).toMatchObject({ total: { loads: 2 }, disk: { restored: 0, unproven: 2 } });
  });
});
