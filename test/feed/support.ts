/** A database with the tables of a small shop, a cache on it, and what is cached of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { type SqliteCache, sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import type { GapReason } from '../../src/feed/drain.ts';
import type { TableRules } from '../../src/feed/rules.ts';
import type { WatchOptions } from '../../src/feed/watch-options.ts';
import { type Feed, watchTables } from '../../src/feed/watch-tables.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';

const TIER: TierPolicy = {
  tier: 'query',
  label: 'Query',
  description: '',
  ttlMs: 3_600_000,
  negativeTtlMs: 3_600_000,
  jitterRatio: 0,
  namespaces: [],
};

export function makeCache(clock = handClock()): Cache & { readonly clock: HandClock } {
  const cache = createCache({
    maxWeightBytes: 1e8,
    tiers: [TIER],
    cleanupIntervalMs: 3_600_000,
    clock,
    logger: silentLogger,
  });
  return cache as Cache & { readonly clock: HandClock };
}

/** A folder for database files, removed by `remove`. */
export function makeFolder(): { file(name?: string): string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-feed-'));
  return {
    file: (name = 'bot.sqlite') => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function openFile(path: string): Database.Database {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  return db;
}

export const SHOP = `
  CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, cents INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE products (id INTEGER PRIMARY KEY, category TEXT NOT NULL, name TEXT NOT NULL, stock INTEGER) STRICT;
`;

export interface Watched {
  readonly db: Database.Database;
  readonly cache: Cache & { readonly clock: HandClock };
  readonly sql: SqliteCache;
  readonly feed: Feed;
  /** What was invalidated since the last call, and `all` for a cleared cache. */
  told(): string[];
  readonly gaps: GapReason[];
  readonly messages: string[];
}

/** Watches the tables of an open database. */
export function watch(db: Database.Database, rules: TableRules, options: WatchOptions = {}): Watched {
  const cache = makeCache();
  let told: string[] = [];
  cache.on('invalidated', ({ target }) =>
    told.push(
      typeof target === 'string' ? target : 'tag' in target ? `tag ${target.tag}` : `tier ${target.tier}`,
    ),
  );
  const gaps: GapReason[] = [];
  const messages: string[] = [];
  const logger = {
    ...silentLogger,
    warn: (message: string) => void messages.push(message),
    error: (message: string, fields?: object) =>
      void messages.push(`${message} ${String(Reflect.get(fields ?? {}, 'error') ?? '')}`),
  };
  const feed = watchTables(db, cache, rules, {
    logger,
    onGap: (reason) => void gaps.push(reason),
    ...options,
  });
  return {
    db,
    cache,
    sql: sqliteCache(db, cache, { feed, logger }),
    feed,
    told() {
      const since = told;
      told = [];
      return since;
    },
    gaps,
    messages,
  };
}
