/**
 * The change feed: triggers in the author's database write down what each change covers, within the writer's own
 * transaction, and this process invalidates it: after its own commits at once, after those of other connections and
 * processes within the poll interval. So no write is forgotten: not by a mutation without its invalidation, not by
 * another program, not by a person with the sqlite3 shell. What is rolled back was never written down.
 *
 * Own writes are noticed by a temporary trigger, which only this connection has, on the table of changes; through
 * `sqliteCache(db, cache, { feed })` they are drained before the next read is answered, and before a transaction
 * returns. Others' are noticed by `PRAGMA data_version`. What cannot be followed clears the cache: see `drain.ts`.
 */
import type { ChangeSource } from '../cache/change-source.ts';
import { CacheError } from '../cache/errors.ts';
import type { Cache, InvalidationTarget } from '../cache/types.ts';
import type { Logger } from '../logger.ts';
import { type CompiledRule, compileRules } from './compile-rules.ts';
import { type FeedDatabase, type FeedStatement, inTransaction, quoteName, rowsOf } from './database.ts';
import { Drain, type DrainCounts, type GapReason } from './drain.ts';
import { fingerprintOf, install, isInstalled, metaOf } from './install.ts';
import { type Beginning, type FeedPosition, headOf, Reader, type ReaderLimits } from './readers.ts';
import type { TableRules } from './rules.ts';
import { compileTargets } from './targets.ts';
import { unfollowedReplacements } from './triggers.ts';

export interface WatchOptions {
  /** How often changes of other connections are looked for, in milliseconds. Costs some 10 µs. @default 250 */
  readonly pollIntervalMs?: number;
  /** Where an earlier feed stopped (`position()`), to apply what was missed since. @default nothing was missed */
  readonly startAt?: FeedPosition;
  /** Keeps this reader's place at `stop`, so that the changes after it wait for a next start. @default false */
  readonly resumable?: boolean;
  /** How often this reader writes down how far it is, and prunes what nobody needs, in milliseconds. @default 60000 */
  readonly reportIntervalMs?: number;
  /** A reader that is not seen for so long is taken for dead, in milliseconds. @default a day, the longest default ttl */
  readonly forgetReadersAfterMs?: number;
  /** No more changes are kept than these, whoever still needs them. @default 100000, some 10 MB */
  readonly maxRows?: number;
  /** @default `console` */
  readonly logger?: Logger;
  /** Hears of it when changes could not be followed and the cache was cleared instead. */
  readonly onGap?: (reason: GapReason) => void;
}

export interface FeedStats extends Readonly<DrainCounts> {
  readonly position: number;
  readonly beginning: Beginning;
}

/** The feed of one connection. Hand it to `sqliteCache` as `feed`. */
export interface Feed extends ChangeSource {
  /** How it began: `gap` where changes after `startAt` are gone, so that nothing from before may be believed. */
  readonly beginning: Beginning;
  /** Applies all that is committed, by whomever, before it returns. False within a transaction, where it cannot. */
  drain(): boolean;
  /** Whether the rules name a namespace: then every change of what lies in it is told. */
  tellsOf(namespace: string): boolean;
  /** The last change that is applied, to be kept beside what is cached, and given back as `startAt`. Plain data. */
  position(): FeedPosition;
  stats(): FeedStats;
  /** Ends its timers, and leaves the triggers: other processes, and the next start, need them. */
  stop(): void;
}

/**
 * Puts triggers for the rules into the database, in place of those that are there, and keeps the cache right.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for rules that do not fit the database, with every problem
 * @throws CacheError `ERR_TRANSACTION` within a transaction
 * @throws CacheError `ERR_STORE_FAILED` when the database does not take the triggers
 * @example
 * const feed = watchTables(db, cache, { users: 'user::{id}::*', settings: 'config::{name}' });
 * const sql = sqliteCache(db, cache, { feed });
 */
export function watchTables(
  db: FeedDatabase,
  cache: Cache,
  rules: TableRules,
  options: WatchOptions = {},
): Feed {
  if (db.inTransaction) {
    throw new CacheError('ERR_TRANSACTION', 'Tables cannot be watched from within a transaction.');
  }
  const settings = settingsOf(options);
  const compiled = compileRules(db, rules);
  return new TableFeed(db, cache, rules, compiled, settings);
}

interface Settings extends ReaderLimits {
  readonly pollIntervalMs: number;
  readonly reportIntervalMs: number;
  readonly startAt: FeedPosition | undefined;
  readonly resumable: boolean;
  readonly logger: Logger;
  readonly onGap: (reason: GapReason) => void;
}

function settingsOf(options: WatchOptions): Settings {
  const number = (name: keyof WatchOptions, fallback: number, least: number): number => {
    const given = options[name] ?? fallback;
    if (typeof given === 'number' && given >= least) return given;
    throw new CacheError('ERR_ARGUMENT_INVALID', `${name} is a number from ${least}, not ${String(given)}.`);
  };
  return {
    pollIntervalMs: number('pollIntervalMs', 250, 1),
    reportIntervalMs: number('reportIntervalMs', 60_000, 1),
    forgetAfterMs: number('forgetReadersAfterMs', 86_400_000, 0),
    maxRows: number('maxRows', 100_000, 1),
    startAt: options.startAt,
    resumable: options.resumable ?? false,
    logger: options.logger ?? console,
    onGap: options.onGap ?? (() => undefined),
  };
}

class TableFeed implements Feed {
  readonly #db: FeedDatabase;
  readonly #cache: Cache;
  readonly #rules: TableRules;
  readonly #settings: Settings;
  readonly #reader: Reader;
  readonly #drain: Drain;
  readonly #dataVersion: FeedStatement;
  readonly #schemaVersion: FeedStatement;
  readonly #temporary: string;
  readonly #timers: (() => void)[] = [];
  #compiled: readonly CompiledRule[];
  /** The last change that this connection has written, as far as it is not drained. */
  #ownPosition = 0;
  #seenData: unknown;
  #seenSchema: unknown;
  /** Triggers of other rules than ours have been told of. */
  #toldFingerprint: string | undefined;
  #isCatchingUp = false;
  #isStopped = false;
  #lastFailure: string | undefined;

  constructor(
    db: FeedDatabase,
    cache: Cache,
    rules: TableRules,
    compiled: readonly CompiledRule[],
    settings: Settings,
  ) {
    this.#db = db;
    this.#cache = cache;
    this.#rules = rules;
    this.#compiled = compiled;
    this.#settings = settings;
    const { clock } = cache;
    try {
      this.#reader = inTransaction(db, () => {
        if (!isInstalled(db, compiled)) install(db, compiled);
        return new Reader(db, settings, clock.epochAt(clock.now()), settings.startAt);
      });
    } catch (error) {
      throw new CacheError(
        'ERR_STORE_FAILED',
        `The database does not take the triggers: ${messageOf(error)}.`,
        {
          cause: error,
        },
      );
    }
    this.#temporary = `cachecord_noticed_${this.#reader.id.replaceAll('-', '')}`;
    this.#dataVersion = db.prepare('PRAGMA data_version').pluck();
    this.#schemaVersion = db.prepare('PRAGMA main.schema_version').pluck();
    this.#drain = new Drain(db, cache, this.#reader.startsAfter, {
      logger: settings.logger,
      findDerived: (name) => this.#compiled.find((rule) => rule.name === name)?.derive,
      onGap: settings.onGap,
    });
    this.#seenData = this.#dataVersion.get();
    this.#seenSchema = this.#schemaVersion.get();
    this.#noticeOwnWrites();
    this.#warnOfUnfollowed();
    this.drain();
    this.#timers.push(
      clock.every(settings.pollIntervalMs, () => this.#poll()),
      clock.every(settings.reportIntervalMs, () => void this.#report()),
    );
  }

  get beginning(): Beginning {
    return this.#reader.beginning;
  }

  get isBehind(): boolean {
    return this.#ownPosition > 0;
  }

  drainOwn(): void {
    if (this.#isStopped || !this.#db.open || this.#db.inTransaction) return;
    const upTo = this.#ownPosition;
    this.#ownPosition = 0;
    this.#drainTo(upTo);
  }

  drain(): boolean {
    if (this.#isStopped || !this.#db.open || this.#db.inTransaction) return false;
    this.#ownPosition = 0;
    this.#drainTo(Number.MAX_SAFE_INTEGER);
    return true;
  }

  tellsOf(namespace: string): boolean {
    return this.#compiled.some(
      ({ targets, derive }) =>
        derive === undefined &&
        compileTargets(targets).widened?.some(
          (target) => typeof target === 'string' && namesNamespace(target, namespace),
        ),
    );
  }

  position(): FeedPosition {
    return this.#reader.positionAt(this.#drain.position);
  }

  stats(): FeedStats {
    return { ...this.#drain.counts, position: this.#drain.position, beginning: this.beginning };
  }

  stop(): void {
    if (this.#isStopped) return;
    this.drain();
    this.#isStopped = true;
    this.#ownPosition = 0;
    for (const cancel of this.#timers.splice(0)) cancel();
    if (!this.#db.open) return;
    try {
      this.#db.exec(`DROP TRIGGER IF EXISTS temp.${quoteName(this.#temporary)}`);
      this.#withoutWaiting(() =>
        this.#settings.resumable
          ? this.#reader.report(this.#drain.position, this.#now())
          : this.#reader.leave(),
      );
    } catch (error) {
      // Its place is forgotten in time.
      this.#settings.logger.warn('The feed could not take leave of the database.', { error });
    }
  }

  // ---- own writes ----

  #noticeOwnWrites(): void {
    this.#db.function(this.#temporary, {}, (position: number | bigint) => {
      if (!this.#isStopped) this.#ownPosition = Number(position);
      return null;
    });
    this.#db.exec(
      `CREATE TEMP TRIGGER ${quoteName(this.#temporary)} AFTER INSERT ON main.cache_changes
       BEGIN SELECT ${this.#temporary}(NEW.position); END`,
    );
  }

  #drainTo(upTo: number): void {
    try {
      this.#drain.toPosition(upTo, () => this.#widest());
    } catch (error) {
      // What was written is unknown, so nothing is believed any more.
      this.#failed(error);
      this.#cache.clear();
    }
  }

  /** What covers all that the triggers may have written; `undefined`: only everything does. */
  #widest(): readonly InvalidationTarget[] | undefined {
    if (metaOf(this.#db, 'rules') !== fingerprintOf(this.#compiled)) return undefined;
    const all = this.#compiled.map(({ targets, derive }) =>
      derive === undefined ? compileTargets(targets).widened : undefined,
    );
    return all.every((targets) => targets !== undefined) ? all.flat() : undefined;
  }

  // ---- others' writes ----

  #poll(): void {
    if (!this.#db.open) {
      this.stop();
      return;
    }
    if (this.#isCatchingUp || this.#db.inTransaction) return;
    try {
      if (this.#schemaVersion.get() !== this.#seenSchema) this.#schemaChanged();
      const version = this.#dataVersion.get();
      if (version === this.#seenData && !this.isBehind) return;
      this.#ownPosition = 0;
      void this.#catchUp(version);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #catchUp(version: unknown): Promise<void> {
    this.#isCatchingUp = true;
    try {
      let known = headOf(this.#db);
      while (this.#drain.step()) {
        await this.#cache.clock.yield();
        if (this.#isStopped || !this.#db.open || this.#db.inTransaction) return;
        known = headOf(this.#db);
      }
      // Rows that were deleted before they were read leave only their number.
      if (this.#drain.position < known) this.#drain.gap('missed');
      this.#seenData = version;
      this.#lastFailure = undefined;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#isCatchingUp = false;
    }
  }

  /** A table may have been rebuilt, and its triggers lost; or another process has put its own rules there. */
  #schemaChanged(): void {
    const version = this.#schemaVersion.get();
    if (!isInstalled(this.#db, this.#compiled)) {
      const present = metaOf(this.#db, 'rules');
      if (present !== undefined && present !== fingerprintOf(this.#compiled)) this.#replaced(present);
      else this.#reinstall();
    }
    this.#seenSchema = version;
  }

  /** They tell of themselves what they cover; whether that is all that we cache is not known. */
  #replaced(fingerprint: string): void {
    if (this.#toldFingerprint === fingerprint) return;
    this.#toldFingerprint = fingerprint;
    this.#settings.logger.warn(
      'Another process watches the tables of this database by other rules, and its triggers have replaced ours: start both with the same rules.',
    );
    this.#drain.gap('triggers');
  }

  #reinstall(): void {
    this.#compiled = compileRules(this.#db, this.#rules);
    inTransaction(this.#db, () => install(this.#db, this.#compiled));
    this.#settings.logger.warn(
      'Triggers of watched tables were gone (a table that is rebuilt loses its own). They were put back, and the cache was cleared.',
    );
    this.#drain.gap('triggers');
  }

  // ---- the reader's place ----

  async #report(): Promise<void> {
    try {
      let more = true;
      while (more) {
        if (this.#isStopped || !this.#db.open || this.#db.inTransaction) return;
        more = this.#withoutWaiting(() => {
          this.#reader.report(this.#drain.position, this.#now());
          return this.#reader.prune();
        });
        await this.#cache.clock.yield();
      }
    } catch (error) {
      // Somebody else is writing: the next time is soon enough.
      if (!/^SQLITE_BUSY/.test(codeOf(error))) this.#failed(error);
    }
  }

  /** Runs a transaction at once or not at all: waiting for another process would hold the event loop. */
  #withoutWaiting<T>(work: () => T): T {
    const [{ timeout = 0 } = {}] = rowsOf(this.#db, 'PRAGMA busy_timeout');
    this.#db.exec('PRAGMA busy_timeout = 0');
    try {
      return inTransaction(this.#db, work);
    } finally {
      this.#db.exec(`PRAGMA busy_timeout = ${Number(timeout)}`);
    }
  }

  #now(): number {
    const { clock } = this.#cache;
    return clock.epochAt(clock.now());
  }

  #warnOfUnfollowed(): void {
    const found = unfollowedReplacements(new Set(this.#compiled.map(({ table }) => table)));
    if (found.length === 0) return;
    this.#settings.logger.warn(
      `Rows that "INSERT OR REPLACE" removes through these indices are not noticed: ${found.join(', ')}. Use "ON CONFLICT … DO UPDATE".`,
    );
  }

  /** Said once until it works again. The rows wait meanwhile. */
  #failed(error: unknown): void {
    const message = messageOf(error);
    if (message === this.#lastFailure) return;
    this.#lastFailure = message;
    this.#settings.logger.error('The changes in the database could not be read; it is tried again.', {
      error,
    });
  }
}

/** Whether a key or pattern lies in the namespace, or may. */
function namesNamespace(target: string, namespace: string): boolean {
  const fixed = target.split('*', 1)[0] ?? '';
  return target === namespace || fixed.startsWith(`${namespace}::`) || `${namespace}::`.startsWith(fixed);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}
