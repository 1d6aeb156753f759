/**
 * The commit point of better-sqlite3, which has no commit hook: transactions are begun here, so that what they
 * invalidate waits for the commit and vanishes with a rollback, of a nested one too (I7).
 *
 * Within a transaction nothing is filled, since what it reads is not committed yet, and reads of what it has changed
 * go to the database. A transaction begun elsewhere (BEGIN by hand, `db.transaction`) cannot be followed: while one is
 * open every read goes to the database and fills nothing; invalidations apply at once, and again when it is found
 * ended, before the next read is answered. A rollback of such a one costs some reloads; nothing stale is served.
 * What this does not reach stands in docs/feed.md, "Limits".
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
import { assertKnown, type OptionNames } from '../known-options.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { ChangeSource } from './change-source.ts';
import type { MarkedDatabase } from './rollback-mark.ts';
import { TransactionalCache } from './transactional-cache.ts';

/** What is used of better-sqlite3's `Database`. */
export interface SqliteDatabase extends MarkedDatabase {
  transaction(fn: (...args: never[]) => unknown): Record<Variant, (...args: never[]) => unknown>;
}

type Variant = 'default' | 'deferred' | 'immediate' | 'exclusive';

/**
 * A function that runs in a transaction, or in a savepoint of the one that is open. Each of its variants has all of them
 * in turn, as in better-sqlite3.
 */
export interface SqliteTransaction<A extends unknown[], R, D = SqliteDatabase>
  extends Readonly<Record<Variant, SqliteTransaction<A, R, D>>> {
  (...args: A): R;
  readonly database: D;
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

export interface SqliteCache<D = SqliteDatabase> {
  /** The cache to be used with the database, in transactions and outside. */
  readonly cache: Cache;
  /**
   * As `db.transaction` of better-sqlite3, with all that it gives. Its invalidations and writes to the cache apply right
   * after the outermost commit. Where it is not certain what was committed (SQLite rolled it back by itself, or somebody
   * ended it by hand, and it went on), all that was touched is invalidated.
   * @throws TypeError for what is no function, as better-sqlite3 does
   * @throws TypeError with the code `ERR_TRANSACTION` for functions that are asynchronous, at once or, rolled back, when
   *   called
   */
  transaction<A extends unknown[], R>(fn: (...args: A) => R): SqliteTransaction<A, R, D>;
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
export function sqliteCache<D extends SqliteDatabase>(
  db: D,
  cache: Cache,
  options: SqliteCacheOptions = {},
): SqliteCache<D> {
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
    transaction<A extends unknown[], R>(fn: (...args: A) => R): SqliteTransaction<A, R, D> {
      if (Object.prototype.toString.call(fn) === '[object AsyncFunction]') throw asynchronous();
      const run = function (this: unknown, ...args: A): R {
        const result = fn.apply(this, args);
        if (isPromiseLike(result)) {
          // It goes on outside the transaction; its failure would have nobody to hear it, beside the error below.
          result.then(undefined, () => undefined);
          throw asynchronous();
        }
        transactional.beforeCommit();
        return result;
      };
      // What is no function is refused by the database, with its own error; arguments are passed on as they come.
      const made = db.transaction(typeof fn === 'function' ? run : fn) as Record<Variant, (...args: A) => R>;
      const followed = (variant: (...args: A) => R) => ({
        value: function sqliteTransaction(this: unknown, ...args: A): R {
          return transactional.follow(() => variant.apply(this, args));
        },
      });
      const properties = {
        default: followed(made.default),
        deferred: followed(made.deferred),
        immediate: followed(made.immediate),
        exclusive: followed(made.exclusive),
        database: { value: db, enumerable: true },
      };
      for (const variant of ['default', 'deferred', 'immediate', 'exclusive'] as const)
        Object.defineProperties(properties[variant].value, properties);
      // With the properties that were just defined.
      return properties.default.value as unknown as SqliteTransaction<A, R, D>;
    },
  };
}

/** The type that better-sqlite3 throws. */
function asynchronous(): TypeError {
  return Object.assign(
    new TypeError(
      'Transaction function cannot return a promise: better-sqlite3 does not wait, and other work would run inside the transaction. Await first, then call a synchronous function.',
    ),
    { code: 'ERR_TRANSACTION' as const },
  );
}
