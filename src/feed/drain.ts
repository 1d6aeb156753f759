/**
 * Applies changes to the cache, in the order of their positions, a batch at a time. Each batch begins by the change
 * that was applied last, which must still bear its token: else the database was put back as it was before, and what it
 * took back nobody tells.
 *
 * A position counts as applied once all that it covers is invalidated. Whatever goes wrong on the way (a rule that is
 * not known here, a template that gives no key, rows that are missing) ends in a cleared cache: that is always right.
 */
import type { Cache } from '../cache/cache.ts';
import type { InvalidationTarget } from '../cache/keys/target.ts';
import type { Logger } from '../logger.ts';
import type { FeedDatabase, FeedStatement, SqliteValue } from './database.ts';
import { type Place, placeIn } from './readers.ts';
import { type ChangeTargets, compileTargets, type FindDerived, SLOTS } from './targets.ts';

/** Some 1 ms of work where each change covers a pattern of its own. */
const BATCH = 100;

/** Texts of targets that are kept compiled: more than any set of rules has. */
const MAX_COMPILED = 1_000;

/**
 * What may be followed row by row while a caller waits. Of more than that each rule's widest patterns are invalidated
 * instead: following it would hold up the event loop (I12).
 */
export const AT_ONCE = {
  whileWaiting: { rows: 2_000, ms: 5 },
  /** Nobody is served yet. */
  atStart: { rows: 100_000, ms: 500 },
} as const;

/** Why everything was invalidated. */
export type GapReason =
  /** Rows were pruned or deleted before they were read. */
  | 'missed'
  /** A change could not be understood or applied. */
  | 'not-understood'
  /** The schema was changed: triggers may have been lost for a while, columns added, or a backup put in place. */
  | 'schema';

export interface DrainCounts {
  /** Rows that were applied. */
  changes: number;
  /** Targets that were invalidated, after equal ones were put together. */
  invalidations: number;
  /** Writes that were too large to be followed row by row. */
  widened: number;
  /** Times the whole cache was cleared, since something was missing. */
  gaps: number;
}

type Row = [position: bigint, token: bigint, targets: string, ...values: SqliteValue[]];

export class Drain {
  readonly counts: DrainCounts = { changes: 0, invalidations: 0, widened: 0, gaps: 0 };
  readonly #db: FeedDatabase;
  readonly #cache: Cache;
  readonly #logger: Logger;
  readonly #findDerived: FindDerived;
  readonly #onGap: (reason: GapReason) => void;
  readonly #select: FeedStatement;
  readonly #last: FeedStatement;
  readonly #compiled = new Map<string, ChangeTargets>();
  #applied: Place;
  /** Ahead of what is applied while a batch is. */
  #read: Place;

  constructor(
    db: FeedDatabase,
    cache: Cache,
    startsAfter: Place,
    options: {
      readonly logger: Logger;
      readonly findDerived: FindDerived;
      readonly onGap: (reason: GapReason) => void;
    },
  ) {
    this.#db = db;
    this.#cache = cache;
    this.#applied = startsAfter;
    this.#read = startsAfter;
    this.#logger = options.logger;
    this.#findDerived = options.findDerived;
    this.#onGap = options.onGap;
    this.#select = db
      .prepare(
        `SELECT position, token, targets, ${SLOTS.join(', ')} FROM main.cache_changes
         WHERE position >= ? AND position <= ? ORDER BY position LIMIT ${BATCH + 1}`,
      )
      .raw()
      .safeIntegers();
    this.#last = db.prepare('SELECT max(position) FROM main.cache_changes').pluck();
  }

  /** Every change up to this one is applied. */
  get place(): Place {
    return this.#applied;
  }

  /** The position of the last change that is written down, applied or not, committed or not. */
  get written(): number {
    return Number(this.#last.get() ?? 0);
  }

  /** Applies the next batch; true when there may be more. */
  step(upTo = Number.MAX_SAFE_INTEGER): boolean {
    // The statement above says which columns come.
    const rows = this.#select.all(this.#read.position, Math.max(upTo, this.#read.position)) as Row[];
    if (this.#read.position > 0 && !isAt(rows.shift(), this.#read)) {
      this.gap('missed');
      return false;
    }
    const targets = new Map<string, InvalidationTarget>();
    for (const [position, token, text, ...values] of rows) {
      if (Number(position) !== this.#read.position + 1) {
        this.gap('missed');
        return false;
      }
      this.#read = { position: Number(position), token: Number(token) };
      this.counts.changes++;
      const covered = this.#targetsOf(text, values);
      if (covered === undefined) return false;
      for (const target of covered) targets.set(nameOf(target), target);
    }
    if (targets.size > 0) this.#invalidate([...targets.values()]);
    this.#applied = this.#read;
    return rows.length >= BATCH;
  }

  /**
   * Applies all up to a position before it returns; what exceeds the limits by the widest patterns of the rules.
   * @param widest covers every change there may be; `undefined`: only everything does
   */
  toPosition(
    upTo: number,
    limits: { readonly rows: number; readonly ms: number },
    widest: () => readonly InvalidationTarget[] | undefined,
  ): void {
    const { clock } = this.#cache;
    const beganAt = clock.precise();
    const began = this.#read.position;
    while (this.step(upTo)) {
      if (this.#read.position - began >= limits.rows || clock.precise() - beganAt >= limits.ms) {
        this.#widen(upTo, widest());
        return;
      }
    }
  }

  #widen(upTo: number, targets: readonly InvalidationTarget[] | undefined): void {
    const goal = placeIn(this.#db, upTo);
    const rows = goal.position - this.#read.position;
    if (rows <= 0) return;
    this.counts.widened++;
    this.counts.changes += rows;
    this.#read = goal;
    if (targets === undefined) this.#cache.clear();
    else this.#invalidate(targets);
    this.#applied = this.#read;
  }

  /** Clears the cache, and goes on after all there is. */
  gap(reason: GapReason): void {
    this.counts.gaps++;
    this.#read = placeIn(this.#db);
    this.#cache.clear();
    this.#applied = this.#read;
    this.#onGap(reason);
  }

  #targetsOf(text: string, values: readonly SqliteValue[]): readonly InvalidationTarget[] | undefined {
    try {
      let compiled = this.#compiled.get(text);
      if (compiled === undefined) {
        compiled = compileTargets(text, this.#findDerived);
        if (this.#compiled.size >= MAX_COMPILED) this.#compiled.clear();
        this.#compiled.set(text, compiled);
      }
      return compiled.of(values);
    } catch (error) {
      this.#notUnderstood(error);
      return undefined;
    }
  }

  #invalidate(targets: readonly InvalidationTarget[]): void {
    try {
      this.counts.invalidations += targets.length;
      this.#cache.invalidate(...targets);
    } catch (error) {
      this.#notUnderstood(error);
    }
  }

  #notUnderstood(error: unknown): void {
    this.#logger.error('A change in the database could not be followed, so the whole cache was cleared.', {
      error,
    });
    this.gap('not-understood');
  }
}

function isAt(row: Row | undefined, { position, token }: Place): boolean {
  return row !== undefined && Number(row[0]) === position && Number(row[1]) === token;
}

/** Another for each target, since no key holds a control character. */
function nameOf(target: InvalidationTarget): string {
  if (typeof target === 'string') return target;
  return 'tag' in target ? `\0${target.tag}` : `\x01${target.tier}`;
}
