/**
 * The change feed: triggers in the author's database write down what each change covers, within the writer's own
 * transaction, and this process invalidates it: after its own commits at once, after those of other connections and
 * processes within the poll interval. So no write is forgotten: not by a mutation without its invalidation, not by
 * another program, not by a person with the sqlite3 shell. What is rolled back was never written down.
 *
 * Own writes are noticed as they are made (`own-writes.ts`); through `sqliteCache(db, cache, { feed })` they are
 * drained before the next read is answered, and before a transaction returns. Others' are noticed by
 * `PRAGMA data_version`. What cannot be followed clears the cache (`drain.ts`).
 */
import { assertCache, assertDatabase, invalidArgument, kindOf } from '../cache/arguments.ts';
import type { Cache } from '../cache/cache.ts';
import type { EntryLinks } from '../cache/entry.ts';
import { errorText } from '../cache/error-text.ts';
import { CacheError } from '../cache/errors.ts';
import type { InvalidationTarget } from '../cache/keys/target.ts';
import { isBusy } from '../cache/sqlite-error.ts';
import type { FeedStats } from '../cache/statistics/stats.ts';
import type { ChangeSource } from '../cache/transactions/change-source.ts';
import { type CompiledRule, compileRules } from './compile-rules.ts';
import { type FeedDatabase, type FeedStatement, inTransaction } from './database.ts';
import { AT_ONCE, Drain } from './drain.ts';
import { Housekeeping } from './housekeeping.ts';
import { install, isInstalled, removeUnneeded, setOf } from './install.ts';
import { OwnWrites } from './own-writes.ts';
import { type Beginning, type FeedPosition, Reader } from './readers.ts';
import type { TableRules } from './rules.ts';
import { schemasOf } from './schema.ts';
import { compileTargets } from './targets.ts';
import { TriggerWatch } from './trigger-watch.ts';
import { type WatchOptions, type WatchSettings, watchSettings } from './watch-options.ts';
import { withoutWaiting } from './without-waiting.ts';

/** What was committed before somebody took the lock may be unseen: after so long nothing is believed any more. */
const BUSY_BELIEVED_MS = 10_000;

/** A lock that lasts for less is nothing to be told: each commit takes it. */
const BUSY_UNTOLD_MS = 1_000;

/** The feed of one connection. Hand it to `sqliteCache` as `feed`. */
export interface Feed extends ChangeSource {
  /** How it began: `gap` where changes after `startAt` are gone, so that nothing from before may be believed. */
  readonly beginning: Beginning;
  /** Applies all that is committed, by whomever, before it returns. False where it cannot, as within a transaction. */
  drain(): boolean;
  /** Whether the rules name an entry, so that every change of it is told: its key, a tag, or a key it depends on. */
  tellsOf(key: string, links: EntryLinks): boolean;
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
  const usage = 'watchTables(db, cache, rules)';
  assertDatabase(db, usage);
  assertCache(cache, usage);
  if (typeof rules !== 'object' || rules === null || Array.isArray(rules)) {
    throw invalidArgument(
      usage,
      `rules is ${kindOf(rules)}, expected what a change of each table covers: { users: 'user::{id}::*' }`,
    );
  }
  if (db.inTransaction) {
    throw new CacheError('ERR_TRANSACTION', 'Tables cannot be watched from within a transaction.');
  }
  const settings = watchSettings(options);
  const { compiled, reader } = begin(db, cache, rules, settings);
  const triggers = new TriggerWatch(db, rules, compiled, settings.logger, reader.schema);
  return new TableFeed(db, cache, triggers, reader, settings);
}

function begin(
  db: FeedDatabase,
  { clock }: Cache,
  rules: TableRules,
  settings: WatchSettings,
): { readonly compiled: readonly CompiledRule[]; readonly reader: Reader } {
  try {
    return inTransaction(db, () => {
      const compiled = compileRules(db, rules);
      const set = setOf(compiled);
      if (!isInstalled(db, compiled)) install(db, compiled);
      removeUnneeded(db, set);
      const reader = new Reader(db, settings, set, clock.wallNow(), settings.startAt);
      return { compiled, reader };
    });
  } catch (error) {
    if (error instanceof CacheError) throw error;
    throw new CacheError(
      'ERR_STORE_FAILED',
      `The database does not take the triggers: ${errorText(error)}.`,
      { cause: error },
    );
  }
}

class TableFeed implements Feed {
  readonly #db: FeedDatabase;
  readonly #cache: Cache;
  readonly #settings: WatchSettings;
  readonly #triggers: TriggerWatch;
  readonly #reader: Reader;
  readonly #housekeeping: Housekeeping;
  readonly #drain: Drain;
  readonly #own: OwnWrites;
  readonly #dataVersion: FeedStatement;
  readonly #timers: (() => void)[];
  #seenData: unknown;
  #isCatchingUp = false;
  #isStopped = false;
  #lastFailure: string | undefined;
  #busySince: number | undefined;

  constructor(
    db: FeedDatabase,
    cache: Cache,
    triggers: TriggerWatch,
    reader: Reader,
    settings: WatchSettings,
  ) {
    this.#db = db;
    this.#cache = cache;
    this.#settings = settings;
    this.#triggers = triggers;
    this.#reader = reader;
    this.#housekeeping = new Housekeeping(db, reader, triggers, cache.clock);
    this.#own = new OwnWrites(db, reader.id);
    this.#drain = new Drain(db, cache, reader.startsAfter, {
      logger: settings.logger,
      findDerived: (text) => triggers.compiled.find((rule) => rule.targets === text)?.derive,
      onGap: settings.onGap,
    });
    this.#dataVersion = db.prepare('PRAGMA data_version').pluck();
    this.#seenData = this.#dataVersion.get();
    this.#warnOfHiddenTables();
    this.#catchUpAtStart();
    this.#timers = [
      cache.clock.every(settings.pollIntervalMs, () => this.#poll()),
      cache.clock.every(settings.reportIntervalMs, () => void this.#report()),
    ];
  }

  get beginning(): Beginning {
    return this.#reader.beginning;
  }

  get isBehind(): boolean {
    return this.#own.isAny;
  }

  get openWrites(): number {
    return this.#own.openWrites;
  }

  get written(): number | undefined {
    try {
      return withoutWaiting(this.#db, () => this.#drain.written);
    } catch {
      // Whoever asks does without.
      return undefined;
    }
  }

  drainOwn(upTo?: number): boolean {
    if (!this.#canRead()) return false;
    if (upTo !== undefined) return this.#drainTo(upTo) && this.#drain.place.position <= upTo;
    if (!this.#drainTo(this.#own.position)) return false;
    this.#own.take();
    return true;
  }

  drain(): boolean {
    if (!this.#canRead()) return false;
    try {
      withoutWaiting(this.#db, () => this.#noticeSchema());
    } catch (error) {
      this.#unread(error);
      return false;
    }
    if (!this.#drainTo(Number.MAX_SAFE_INTEGER)) return false;
    this.#own.take();
    return true;
  }

  tellsOf(key: string, links: EntryLinks): boolean {
    return this.#triggers.coverage.tellsOf(key, links);
  }

  position(): FeedPosition {
    return this.#reader.positionAt(this.#drain.place, this.#triggers.schema);
  }

  stats(): FeedStats {
    const { beginning, count: readers } = this.#reader;
    return { ...this.#drain.counts, position: this.#drain.place.position, beginning, readers };
  }

  stop(): void {
    if (this.#isStopped) return;
    this.drain();
    this.#isStopped = true;
    for (const cancel of this.#timers) cancel();
    try {
      if (this.#db.open) withoutWaiting(this.#db, () => this.#own.end());
      else this.#own.end();
      if (!this.#db.open || this.#db.inTransaction) return;
      this.#housekeeping.end(this.#settings.resumable ? this.#drain.place.position : undefined);
    } catch (error) {
      // Its place is forgotten in time.
      this.#settings.logger.warn('The feed could not take leave of the database.', { error });
    }
  }

  /** Within a transaction, what is not committed would be read, too. */
  #canRead(): boolean {
    return !this.#isStopped && this.#db.open && !this.#db.inTransaction;
  }

  /** Nobody is served yet, so that it may wait; and where it fails, nothing of before may be believed. */
  #catchUpAtStart(): void {
    try {
      this.#drain.toPosition(Number.MAX_SAFE_INTEGER, AT_ONCE.atStart, () => this.#widest());
    } catch (error) {
      this.#lost(error);
    }
  }

  /** False where it could not be done; what is noticed waits where somebody holds the lock. */
  #drainTo(upTo: number): boolean {
    try {
      withoutWaiting(this.#db, () =>
        this.#drain.toPosition(upTo, AT_ONCE.whileWaiting, () => this.#widest()),
      );
      this.#busySince = undefined;
      return true;
    } catch (error) {
      this.#unread(error);
      return false;
    }
  }

  /** @throws CacheError where the rules fit the tables no longer */
  #noticeSchema(): void {
    if (!this.#triggers.isOutdated) return;
    try {
      this.#triggers.renew((set) => this.#reader.rejoin(set, this.#cache.clock.wallNow()));
      this.#reader.identify(this.#triggers.set);
      this.#own.renew();
      this.#drain.gap('schema');
    } catch (error) {
      // Also where somebody holds the lock: triggers may be gone meanwhile.
      this.#cache.clear();
      throw error;
    }
  }

  /** What covers all that our triggers may have written; `undefined`: only everything does. */
  #widest(): readonly InvalidationTarget[] | undefined {
    const all = this.#triggers.compiled.map(({ targets, derive }) =>
      derive === undefined ? compileTargets(targets).widened : undefined,
    );
    return all.every((targets) => targets !== undefined) ? all.flat() : undefined;
  }

  #poll(): void {
    if (!this.#db.open) this.stop();
    if (this.#isCatchingUp || !this.#canRead()) return;
    try {
      withoutWaiting(this.#db, () => {
        this.#noticeSchema();
        const version = this.#dataVersion.get();
        if (version !== this.#seenData || this.#own.isAny) void this.#catchUp(version);
        else this.#busySince = undefined;
      });
    } catch (error) {
      this.#unread(error);
    }
  }

  /** In slices, so that the loop keeps turning whatever somebody else has written (I12). */
  async #catchUp(version: unknown): Promise<void> {
    this.#isCatchingUp = true;
    try {
      while (withoutWaiting(this.#db, () => this.#drain.step())) {
        await this.#cache.clock.yield();
        if (!this.#canRead()) return;
      }
      // All that is committed is applied: what was noticed and is not among it was rolled back.
      this.#own.take();
      this.#seenData = version;
      this.#lastFailure = undefined;
      this.#busySince = undefined;
    } catch (error) {
      this.#unread(error);
    } finally {
      this.#isCatchingUp = false;
    }
  }

  async #report(): Promise<void> {
    try {
      await this.#housekeeping.run(() => this.#drain.place.position);
    } catch (error) {
      this.#failed(error);
    }
  }

  #warnOfHiddenTables(): void {
    const tables = new Set(this.#triggers.compiled.map(({ table }) => table.name));
    const hidden = [...tables].filter((name) => schemasOf(this.#db, name).includes('temp'));
    if (hidden.length === 0) return;
    this.#settings.logger.warn(
      `Temporary tables hide watched ones of their name: ${hidden.join(', ')}. Statements that do not say "main." before it read and write those, which are not watched: give them other names.`,
    );
  }

  /** It is tried again at the next poll. Whoever holds the lock has not committed what they write, so what is cached is believed a while longer. */
  #unread(error: unknown): void {
    const now = this.#cache.clock.now();
    this.#busySince ??= now;
    const busyMs = now - this.#busySince;
    if (!isBusy(error) || busyMs >= BUSY_BELIEVED_MS) this.#lost(error);
    else if (busyMs >= BUSY_UNTOLD_MS) this.#failed(error);
  }

  /** What was written is unknown, so nothing is believed: it is tried again at each poll. */
  #lost(error: unknown): void {
    this.#failed(error);
    this.#cache.clear();
    this.#own.take();
  }

  /** Said once until it works again. The rows wait meanwhile. */
  #failed(error: unknown): void {
    const message = errorText(error);
    if (message === this.#lastFailure) return;
    this.#lastFailure = message;
    this.#settings.logger.error('The changes in the database could not be read; it is tried again.', {
      error,
    });
  }
}
