/**
 * A short life of a bot, beside another one on the same files: what it leaves behind when it is killed at any of its SQL
 * statements, and what becomes of it when one of those on its cache file fails. Where `npm run crash` is random, this
 * leaves no statement out.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import { createCache } from '../../../src/cache/create-cache.ts';
import { type SqliteCache, sqliteCache } from '../../../src/cache/transactions/sqlite.ts';
import { cachedSync } from '../../../src/cache/wrappers/wrappers.ts';
import type { FeedPosition } from '../../../src/feed/readers.ts';
import { type Feed, watchTables } from '../../../src/feed/watch-tables.ts';
import { silentLogger } from '../../../src/logger.ts';
import { type HandClock, handClock } from '../../support/hand-clock.ts';
import { tierOf } from '../support.ts';

const IDS = ['1', '2', '3'] as const;
const POLL_MS = 250;
const PERSIST_MS = 30_000;
const RULES = { users: ['user::{id}', 'query::richest'] };
const LONG_MS = 6_000_000;
const TIERS = [
  tierOf('user', ['user'], { persist: 'on_change', ttlMs: LONG_MS, staleWhileRevalidateMs: 0 }),
  tierOf('query', ['query'], { persist: 'periodic', ttlMs: LONG_MS, staleWhileRevalidateMs: 0 }),
  tierOf('config', ['config'], { persist: 'on_shutdown', ttlMs: LONG_MS, staleWhileRevalidateMs: 0 }),
];

const COUNTED = new Set<string | symbol>(['exec', 'pragma', 'run', 'get', 'all']);

/** A connection that tells of each statement before it runs. */
function watched(path: string, onStatement: (db: Database.Database) => void): Database.Database {
  const db = new Database(path);
  const guarded = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (COUNTED.has(name)) onStatement(db);
          const result: unknown = Reflect.apply(member, target, args);
          return result === target || name === 'prepare' ? guarded(result as object) : result;
        };
      },
    });
  return guarded(db);
}

type Open = (path: string) => Database.Database;
const openPlainly: Open = (path) => new Database(path);

class Bot {
  readonly clock: HandClock = handClock();
  readonly cache: Cache;
  readonly #db: Database.Database;
  readonly #feed: Feed;
  readonly #sql: SqliteCache;
  readonly #reads: readonly (() => unknown)[];

  constructor(folder: string, openDatabase: Open, openFile: Open) {
    const hand = this.clock;
    let readings = 0;
    // Each reading of the clock takes a while, so that little is done at once.
    const clock = Object.assign(Object.create(hand) as HandClock, {
      precise: () => hand.precise() + ++readings * 0.4,
    });
    this.cache = createCache({
      maxWeightBytes: 1_000_000,
      tiers: TIERS,
      cleanupIntervalMs: 600_000,
      clock,
      logger: silentLogger,
      disk: { path: join(folder, 'cache.db'), intervalMs: PERSIST_MS, open: openFile, remembersUse: false },
    });
    const startAt = this.cache.feedPosition as FeedPosition | undefined;
    this.#db = openDatabase(join(folder, 'bot.sqlite'));
    this.#db.pragma('synchronous = OFF');
    this.#feed = watchTables(this.#db, this.cache, RULES, {
      pollIntervalMs: POLL_MS,
      resumable: true,
      logger: silentLogger,
      ...(startAt !== undefined && { startAt }),
    });
    this.cache.provenBy(this.#feed);
    this.#sql = sqliteCache(this.#db, this.cache, { feed: this.#feed, logger: silentLogger });
    const { cache } = this.#sql;
    const ask = answersOf(this.#db);
    this.#reads = [
      ...IDS.map((id) => {
        const read = cachedSync(cache, () => ask.person(id), { key: `user::${id}` });
        return () => read();
      }),
      cachedSync(cache, ask.richest, { key: 'query::richest' }),
      cachedSync(cache, ask.greeting, { key: 'config::greeting', dependsOn: ['user::1'] }),
    ];
  }

  /** Whatever is cached, it is what the database holds. */
  compare(outsider: Database.Database): void {
    const ask = answersOf(outsider);
    expect(this.#reads.map((read) => read())).toEqual([
      ...IDS.map((id) => ask.person(id)),
      ask.richest(),
      ask.greeting(),
    ]);
  }

  hear(): void {
    this.#feed.drain();
  }

  pay(id: string, cents: number): void {
    this.#sql.transaction(() => pay(this.#db, id, cents))();
  }

  async stop(): Promise<void> {
    await this.cache.stop();
    this.#feed.stop();
    this.#db.close();
  }
}

function pay(db: Database.Database, id: string, cents: number): void {
  db.prepare('UPDATE users SET cents = cents + ? WHERE id = ?').run(cents, id);
}

function answersOf(db: Database.Database) {
  const person = (id: string): unknown => db.prepare('SELECT id, cents FROM users WHERE id = ?').get(id);
  return {
    person,
    richest: (): unknown => db.prepare('SELECT id FROM users ORDER BY cents DESC, id').pluck().all(),
    greeting: (): unknown => ({ hello: person('1') }),
  };
}

const DATABASE = 'bot.sqlite';
const FILES = [DATABASE, `${DATABASE}-wal`, 'cache.db', 'cache.db-wal'];

/** A folder, with what was left in another one, or a new database with some people. */
class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'cachecord-statements-'));
  readonly outsider: Database.Database;

  constructor(left?: readonly Buffer[]) {
    for (const [index, bytes] of (left ?? []).entries()) {
      if (bytes.length > 0) writeFileSync(join(this.folder, FILES[index] ?? ''), bytes);
    }
    this.outsider = new Database(join(this.folder, DATABASE));
    this.outsider.pragma('journal_mode = WAL');
    this.outsider.pragma('synchronous = OFF');
    if (left !== undefined) return;
    this.outsider.exec('CREATE TABLE users (id TEXT PRIMARY KEY, cents INTEGER NOT NULL)');
    for (const id of IDS) this.outsider.prepare('INSERT INTO users VALUES (?, ?)').run(id, Number(id));
  }

  bot(openDatabase: Open = openPlainly, openFile: Open = openPlainly): Bot {
    return new Bot(this.folder, openDatabase, openFile);
  }

  /** What a process that is killed now leaves behind. */
  left(): { readonly files: readonly Buffer[]; readonly sum: number } {
    const files = FILES.map((name) => {
      const path = join(this.folder, name);
      return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    });
    return { files, sum: files.reduce((sum, bytes) => crc32(bytes, sum), 0) };
  }

  /** Starts a bot, lets it look, and stops it. @returns how much it believed of what was there */
  async restart(): Promise<number> {
    const bot = this.bot();
    bot.compare(this.outsider);
    const restored = bot.cache.stats(0).disk?.restored ?? 0;
    await bot.stop();
    return restored;
  }

  integrity(): unknown {
    const file = new Database(join(this.folder, 'cache.db'));
    const found = file.pragma('integrity_check', { simple: true });
    file.close();
    return found;
  }

  end(): void {
    this.outsider.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Begins with a start and ends with the end of a second process. After each step what is read is compared. */
async function live({ outsider }: Place, other: Bot, start: () => Bot): Promise<void> {
  let bot = start();
  const pass = (ms: number) => bot.clock.advanceAsync(ms);
  const steps: (() => unknown)[] = [
    () => pass(PERSIST_MS),
    () => {
      pay(outsider, '1', 10);
      return pass(POLL_MS);
    },
    () => bot.pay('2', 10),
    () => bot.cache.invalidate('user::*', 'config::*'),
    () => {
      pay(outsider, '3', 10);
      bot.hear();
    },
    () => {
      bot.cache.invalidate('*');
      return pass(1);
    },
    () => {
      other.hear();
      other.compare(outsider);
    },
    () => bot.cache.persist(),
    () => {
      bot.cache.clear();
      bot.pay('1', 1);
    },
    () => bot.cache.persist(),
    async () => {
      await bot.stop();
      pay(outsider, '3', 1);
      bot = start();
    },
    () => bot.pay('3', 1),
  ];
  bot.compare(outsider);
  for (const step of steps) {
    await step();
    bot.compare(outsider);
  }
  await bot.stop();
  other.hear();
  other.compare(outsider);
}

it('I9: a bot that is killed at any statement leaves nothing stale to the next one', async () => {
  const place = new Place();
  const other = place.bot();
  const left = new Map<number, readonly Buffer[]>();
  let statements = 0;
  const open: Open = (path) =>
    watched(path, (db) => {
      statements++;
      // SQLite writes nothing before a commit.
      if (db.inTransaction) return;
      const { files, sum } = place.left();
      left.set(sum, files);
    });
  await live(place, other, () => place.bot(open, open));
  await other.stop();
  place.end();
  expect(statements).toBeGreaterThan(500);
  expect(left.size).toBeGreaterThan(40);

  let restored = 0;
  for (const [index, files] of [...left.values()].entries()) {
    const after = new Place(files);
    if (index % 2 === 0) pay(after.outsider, '1', 100);
    restored += await after.restart();
    pay(after.outsider, '2', 100);
    await after.restart();
    expect(after.integrity()).toBe('ok');
    after.end();
  }
  // Not by reading everything anew.
  expect(restored).toBeGreaterThan(30);
}, 60_000);

const failing = (code: string) => () => {
  throw Object.assign(new Error(code), { code });
};
const FAULTS: readonly ((db: Database.Database) => void)[] = [
  (db) => {
    // As SQLite does it.
    if (db.inTransaction) db.exec('ROLLBACK');
    failing('SQLITE_FULL')();
  },
  failing('SQLITE_IOERR_READ'),
  failing('SQLITE_BUSY'),
  failing('SQLITE_CORRUPT'),
];
/** Each fault at each statement takes minutes: 1, and one fault alone. */
const STRIDE = 41;

it('I2, I4, I9: a cache file that is full, damaged, locked or not to be read at one statement spoils nothing', async () => {
  let hasFailed = true;
  for (let round = 0; hasFailed; round++) {
    hasFailed = false;
    let left = 1 + round * STRIDE;
    const openFile: Open = (path) =>
      watched(path, (db) => {
        if (--left !== 0) return;
        hasFailed = true;
        FAULTS[round % FAULTS.length]?.(db);
      });
    const place = new Place();
    const other = place.bot();
    try {
      await live(place, other, () => place.bot(openPlainly, openFile));
      await place.restart();
      expect(place.integrity()).toBe('ok');
    } catch (error) {
      throw new Error(`Failed in round ${round}`, { cause: error });
    }
    await other.stop();
    place.end();
  }
}, 60_000);
