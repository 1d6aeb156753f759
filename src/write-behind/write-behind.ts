/**
 * Write-behind: a write returns once it is journalled, and the source follows in order. This file puts the journal, the
 * writers and the decisions on what can't be saved together; `lane.ts` has a write's way.
 */
import {
  assertCache,
  assertClock,
  assertDatabase,
  assertLogger,
  assertType,
  kindOf,
} from '../cache/arguments.ts';
import { BurstLog } from '../cache/burst-log.ts';
import type { Cache } from '../cache/cache.ts';
import type { Clock } from '../cache/clock.ts';
import { CacheError } from '../cache/errors.ts';
import { compileTarget, covers } from '../cache/keys/target.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import { decode } from '../cache/values/codec.ts';
import { consoleLogger } from '../logger/console-logger.ts';
import { guardedLogger, type Logger } from '../logger.ts';
import type { JournalDatabase } from './database.ts';
import { assertSynchronous, Journal, type JournalRow, prepareJournal, type Synchronous } from './journal.ts';
import { Lane } from './lane.ts';
import { invalid, settingsOf } from './settings.ts';
import type {
  DeadLetter,
  DeadSelection,
  ForgottenWrites,
  Save,
  StopReport,
  WriteBehind,
  WriteBehindStats,
  Writer,
  WriterOptions,
  WriterStats,
} from './types.ts';

export interface WriteBehindOptions {
  /**
   * `normal`: an acknowledged write survives whatever happens to the process. `full`: also a power cut; each write then
   * waits for the disk. @default 'normal'
   */
  readonly synchronous?: Synchronous | undefined;
  /** @default that of the cache */
  readonly clock?: Clock | undefined;
  /** @default the console, one line a message */
  readonly logger?: Logger | undefined;
  /** Random numbers from 0 to 1, for the pauses. @default `Math.random` */
  readonly random?: (() => number) | undefined;
}

/** What is needed of the cache. */
type WrittenCache = Pick<Cache, 'set' | 'invalidate' | 'clock' | 'unsaved'>;

const OPTIONS: OptionNames<WriteBehindOptions> = {
  synchronous: true,
  clock: true,
  logger: true,
  random: true,
};

/** All of `stop` has five seconds in a bot; others need some of them. */
const DEADLINE_MS = 3_000;
/** By then whoever starts has started: what nobody has taken by then is reported. */
const REPORT_AFTER_MS = 10_000;
/** How often a file that did not give up what is to be forgotten is asked again. */
const FORGET_AGAIN_MS = 5_000;
const LISTED = 100;
const MAX_NAME_LENGTH = 100;

/**
 * Nothing is saved before a name is taken with `writeBehind`.
 * @param db the journal's own file, from `openJournal`; never one of the bot's, nor that of the disk layer
 * @param cache what reads go through: what is written is shown in it, and its loads give it until it is saved
 * @throws CacheError `ERR_STORE_FAILED` when the database can't be the journal of this process
 * @example
 * const db = openJournal('write-behind.db', (file) => new Database(file));
 * const behind = createWriteBehind(db, cache);
 * const seen = behind.writeBehind('last-seen', (batch) => saveAll(batch));
 * await seen(key.user(id, 'seen'), { at: Date.now() });
 * await behind.stop(); // then db.close()
 */
export function createWriteBehind(
  db: JournalDatabase,
  cache: WrittenCache,
  options: WriteBehindOptions = {},
): WriteBehind {
  const usage = 'createWriteBehind(db, cache)';
  assertDatabase(db, usage);
  assertCache(cache, usage);
  assertKnown('createWriteBehind', options, OPTIONS);
  assertSynchronous(options.synchronous, usage);
  assertLogger(options.logger, usage);
  assertClock(options.clock, usage);
  assertType(options.random, 'function', usage, 'random');
  return new Desk(db, cache, options);
}

class Desk implements WriteBehind {
  readonly #cache: WrittenCache;
  readonly #journal: Journal;
  readonly #synchronous: Synchronous;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #bursts: BurstLog;
  readonly #random: () => number;
  readonly #lanes = new Map<string, Lane>();
  readonly #cancelReport: () => void;
  #cancelForgetting: (() => void) | undefined;
  #stopped: Promise<StopReport> | undefined;

  constructor(db: JournalDatabase, cache: WrittenCache, options: WriteBehindOptions) {
    const { synchronous = 'normal', clock = cache.clock, random = Math.random } = options;
    this.#cache = cache;
    this.#clock = clock;
    this.#logger = guardedLogger(options.logger ?? consoleLogger);
    this.#bursts = new BurstLog(clock, this.#logger);
    this.#random = random;
    this.#synchronous = synchronous;
    try {
      prepareJournal(db, synchronous);
    } catch (error) {
      if (error instanceof CacheError) throw error;
      const advice = 'open it with openJournal, which sets a damaged file aside';
      throw new CacheError('ERR_STORE_FAILED', `The journal ${db.name} can't be used: ${advice}.`, {
        cause: error,
      });
    }
    this.#journal = new Journal(db);
    this.#cancelReport = clock.after(REPORT_AFTER_MS, () => this.#reportUnclaimed());
  }

  writeBehind<V>(name: string, save: Save<V>, options: WriterOptions<V> = {}): Writer<V> {
    if (this.#stopped !== undefined) throw new CacheError('ERR_CLOSED', 'Write-behind was stopped.');
    if (typeof name !== 'string' || name === '' || name.length > MAX_NAME_LENGTH) {
      throw invalid(
        `writeBehind(name, save): name is ${kindOf(name)}, expected a text of up to ${MAX_NAME_LENGTH} characters.`,
      );
    }
    if (typeof save !== 'function')
      throw invalid(
        `writeBehind(name, save): save is ${kindOf(save)}, expected a function of a batch: it takes the saver second.`,
      );
    if (this.#lanes.has(name)) throw invalid(`There is a writer called ${name} already.`);
    const lane = new Lane({
      name,
      // What is in the journal under this name was written as values of this kind.
      save: save as Save<unknown>,
      settings: settingsOf(name, options),
      journal: this.#journal,
      cache: this.#cache,
      clock: this.#clock,
      bursts: this.#bursts,
      random: this.#random,
    });
    this.#lanes.set(name, lane);
    this.#cache.unsaved.add(`${this.#journal.path}\0${name}`, (key) => lane.pending(key));
    return writerOf<V>(lane);
  }

  stats(): WriteBehindStats {
    const writers = [...[...this.#lanes.values()].map((lane) => lane.stats()), ...this.#unclaimed()];
    const sum = (of: (writer: WriterStats) => number) => writers.reduce((all, each) => all + of(each), 0);
    const ages = writers.flatMap(({ oldestAt }) => oldestAt ?? []);
    return {
      journal: this.#journal.path,
      survives: this.#synchronous === 'full' ? 'power-cut' : 'kill',
      writers,
      waiting: sum(({ waiting }) => waiting),
      dead: sum(({ dead }) => dead),
      saved: sum(({ saved }) => saved),
      oldestAt: ages.length === 0 ? null : Math.min(...ages),
    };
  }

  list({ name, limit = LISTED }: { readonly name?: string; readonly limit?: number } = {}): DeadLetter[] {
    return this.#journal.dead(name ?? null, limit).map(deadLetterOf);
  }

  retry(which: DeadSelection): number {
    const rows = Map.groupBy(this.#selected(which), ({ name }) => name);
    let count = 0;
    for (const [name, ofName] of rows) count += this.#lanes.get(name)?.retry(ofName) ?? 0;
    return count;
  }

  drop(which: DeadSelection): number {
    const selected = Map.groupBy(this.#selected(which), ({ name }) => name);
    let count = 0;
    for (const [name, rows] of selected) {
      const ids = new Set(rows.map(({ id }) => id));
      const lane = this.#lanes.get(name);
      if (lane !== undefined) count += lane.drop(ids);
      else {
        this.#journal.remove([...ids]);
        count += ids.size;
      }
    }
    return count;
  }

  forget(...keys: readonly string[]): ForgottenWrites {
    const targets = keys.map((target) => compileTarget(target));
    const matches = (key: string) => targets.some((target) => covers(target, key, undefined, undefined));
    const ids = [...this.#lanes.values()].flatMap((lane) => lane.forget(matches));
    for (const { name } of this.#unclaimed()) {
      for (const { id, key } of this.#journal.rowsOf(name)) if (matches(key)) ids.push(id);
    }
    const isFinished = this.#removeForgotten(ids);
    return { writes: Math.max(0, ids.length - this.#journal.left), isUnfinished: !isFinished };
  }

  /** False where the file does not give them up: then it is tried again. */
  #removeForgotten(ids: readonly number[]): boolean {
    this.#cancelForgetting?.();
    this.#cancelForgetting = undefined;
    if (!this.#journal.isOpen) return false;
    try {
      this.#journal.discard(ids);
      if (this.#journal.scrub()) return true;
    } catch (error) {
      this.#bursts.warn('forgotten', 'The journal of write-behind did not give up what is to be forgotten.', {
        error,
        journal: this.#journal.path,
      });
    }
    this.#cancelForgetting = this.#clock.after(FORGET_AGAIN_MS, () => void this.#removeForgotten([]));
    return false;
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.flush()));
  }

  stop({ deadlineMs = DEADLINE_MS }: { readonly deadlineMs?: number } = {}): Promise<StopReport> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  async #stop(deadlineMs: number): Promise<StopReport> {
    this.#cancelReport();
    const lanes = [...this.#lanes.values()];
    let cancel = () => {};
    const deadline = new Promise<void>((resolve) => {
      cancel = this.#clock.after(deadlineMs, resolve);
    });
    await Promise.race([Promise.all(lanes.map((lane) => lane.drain())), deadline]);
    cancel();
    if (this.#cancelForgetting !== undefined) this.#removeForgotten([]);
    this.#cancelForgetting?.();
    const left = lanes.reduce((sum, lane) => sum + lane.end(), 0);
    if (left > 0) {
      this.#logger.warn('Writes are left in the journal; the next start saves them.', {
        writes: left,
        journal: this.#journal.path,
      });
    }
    return { left };
  }

  /** The rows that a decision is about. */
  #selected(which: DeadSelection): JournalRow[] {
    if (typeof which === 'object' && 'name' in which) {
      const isUnclaimed = !this.#lanes.has(which.name);
      return isUnclaimed ? this.#journal.rowsOf(which.name) : this.#journal.dead(which.name, ALL);
    }
    const all = this.#journal.dead(null, ALL);
    if (which === 'all') return all;
    const ids = new Set(typeof which === 'number' ? [which] : which);
    return all.filter(({ id }) => ids.has(id));
  }

  #unclaimed(): WriterStats[] {
    if (!this.#journal.isOpen) return [];
    return this.#journal
      .counts()
      .filter(({ name }) => !this.#lanes.has(name))
      .map(({ name, writes, dead, oldestAt }) => ({
        name,
        isClaimed: false,
        waiting: writes - dead,
        inFlight: 0,
        held: 0,
        saved: 0,
        coalesced: 0,
        retried: 0,
        refused: 0,
        dead,
        oldestAt: writes === dead ? null : oldestAt,
        lastFailure: null,
      }));
  }

  #reportUnclaimed(): void {
    for (const { name, waiting, dead } of this.#unclaimed()) {
      this.#logger.warn(
        `The journal holds writes of "${name}", which no writeBehind has taken. They are kept: take the name again to save them.`,
        { writes: waiting + dead, journal: this.#journal.path },
      );
    }
  }
}

/** SQLite's "no limit". */
const ALL = -1;

function writerOf<V>(lane: Lane): Writer<V> {
  // The lane holds what was written here, so what comes back is of the same kind.
  const pending = lane.pending.bind(lane) as Writer<V>['pending'];
  return Object.assign((key: string, value: V) => lane.write(key, value), {
    writerName: lane.name,
    sync: (key: string, value: V) => lane.writeSync(key, value),
    pending,
    flush: () => lane.flush(),
  });
}

function deadLetterOf({ stored, deadAt, failures, error, ...row }: JournalRow): DeadLetter {
  const { id, name, key, idempotencyKey, writtenAt } = row;
  const told = { id, name, key, idempotencyKey, writtenAt, attempts: failures, deadAt: deadAt ?? writtenAt };
  try {
    return { ...told, value: decode(stored), error: error ?? '' };
  } catch (failure) {
    return { ...told, value: undefined, error: error ?? String(failure) };
  }
}
