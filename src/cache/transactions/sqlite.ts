/**
 * The commit point of better-sqlite3, which has no commit hook: transactions are begun here, so that what they
 * invalidate waits for the commit and vanishes with a rollback, of a nested one too (I7).
 *
 * Within a transaction nothing is filled, since what it reads is not committed yet, and reads of what it has changed
 * go to the database. A transaction begun elsewhere (BEGIN by hand, `db.transaction`) cannot be followed: while one is
 * open every read goes to the database and fills nothing; invalidations apply at once, and again when it is found
 * ended, before the next read is answered. A rollback of such a one costs some reloads; nothing stale is served.
 * Only readers that go around this cache could see something stale for that moment, and only a load that lasts over
 * the whole of such a transaction could keep what it has read in the midst of it.
 */

import { consoleLogger } from '../../logger/console-logger.ts';
import { guardedLogger, type Logger } from '../../logger.ts';
import {
  assertCache,
  assertDatabase,
  assertLogger,
  hasMethods,
  invalidArgument,
  kindOf,
} from '../arguments.ts';
import type { Cache } from '../cache.ts';
import { CacheError } from '../errors.ts';
import { assertKnown, type OptionNames } from '../known-options.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { ChangeSource } from './change-source.ts';
import type { MarkedDatabase } from './rollback-mark.ts';
import { TransactionalCache } from './transactional-cache.ts';

/** What is used of better-sqlite3's `Database`. */
export interface SqliteDatabase extends MarkedDatabase {
  transaction(fn: (...args: never[]) => unknown): SqliteTransaction<never[], unknown>;
}

/** A function that runs in a transaction, or in a savepoint of the one that is open. */
export interface SqliteTransaction<A extends unknown[], R> {
  (...args: A): R;
  default(...args: A): R;
  deferred(...args: A): R;
  immediate(...args: A): R;
  exclusive(...args: A): R;
}

export interface SqliteCacheOptions {
  /** Hears of transactions that were not begun here, and of invalidations that failed. @default the console, one line a message */
  readonly logger?: Logger | undefined;
  /**
   * The feed of this connection's watched tables (`watchTables`): what its own writes cover is invalidated before a
   * transaction returns, and before a read is answered after any other write.
   */
  readonly feed?: ChangeSource | undefined;
}

const OPTIONS: OptionNames<SqliteCacheOptions> = { logger: true, feed: true };

export interface SqliteCache {
  /** The cache to be used with the database, in transactions and outside. */
  readonly cache: Cache;
  /**
   * As `db.transaction` of better-sqlite3. Its invalidations and writes to the cache apply right after the outermost
   * commit.
   * @throws CacheError `ERR_TRANSACTION` for functions that are asynchronous, at once or, rolled back, when called
   */
  transaction<A extends unknown[], R>(fn: (...args: A) => R): SqliteTransaction<A, R>;
}

/**
 * Joins a database with its cache.
 * @example
 * const sql = sqliteCache(db, cache);
 * const pay = invalidates(sql.cache, (id: string, cents: number) => update.run(cents, id), 'user::{0}::*');
 * const transfer = sql.transaction((from: string, to: string, cents: number) => {
 *   pay(from, -cents);
 *   pay(to, cents);
 * });
 * transfer.immediate('1', '2', 500);
 */
export function sqliteCache(db: SqliteDatabase, cache: Cache, options: SqliteCacheOptions = {}): SqliteCache {
  const usage = 'sqliteCache(db, cache)';
  assertDatabase(db, usage);
  assertCache(cache, usage);
  assertKnown('sqliteCache', options, OPTIONS);
  assertLogger(options.logger, usage);
  if (options.feed !== undefined && !hasMethods(options.feed, 'drainOwn')) {
    throw invalidArgument(
      usage,
      `feed is ${kindOf(options.feed)}, expected what watchTables(db, cache, rules) gives`,
    );
  }
  const transactional = new TransactionalCache(
    db,
    cache,
    guardedLogger(options.logger ?? consoleLogger),
    options.feed,
  );
  return {
    cache: transactional,
    transaction<A extends unknown[], R>(fn: (...args: A) => R): SqliteTransaction<A, R> {
      if (typeof fn !== 'function') {
        throw invalidArgument('transaction(fn)', `fn is ${kindOf(fn)}, expected a synchronous function`);
      }
      if (Object.prototype.toString.call(fn) === '[object AsyncFunction]') throw asynchronous();
      // The database passes arguments on as they come.
      const run = db.transaction(function (this: unknown, ...args: A) {
        const result = fn.apply(this, args);
        if (isPromiseLike(result)) {
          // It goes on outside the transaction; its failure would have nobody to hear it, beside the error below.
          result.then(undefined, () => undefined);
          throw asynchronous();
        }
        transactional.beforeCommit();
        return result;
      }) as unknown as SqliteTransaction<A, R>;
      const followed = (variant: (...args: A) => R) =>
        function (this: unknown, ...args: A): R {
          return transactional.follow(() => variant.apply(this, args));
        };
      return Object.assign(followed(run), {
        default: followed(run.default),
        deferred: followed(run.deferred),
        immediate: followed(run.immediate),
        exclusive: followed(run.exclusive),
      });
    },
  };
}

function asynchronous(): CacheError {
  return new CacheError(
    'ERR_TRANSACTION',
    'A transaction of better-sqlite3 cannot wait: other work would run inside it. Await first, then call a synchronous function.',
  );
}
