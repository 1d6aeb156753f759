/**
 * What a writer holds: the same writes in the journal, in memory, and as reads see them. Every change is made in the
 * journal first; what the journal refuses does not happen, but for the end of a write that is saved or forgotten already.
 *
 * Nothing leaves the journal before it is saved, superseded by a later write to its key, or given up on request (I10).
 */
import { randomUUID } from 'node:crypto';
import type { BurstLog } from '../cache/burst-log.ts';
import type { Clock } from '../cache/clock.ts';
import { decode } from '../cache/values/codec.ts';
import { Backlog, type PendingWrite } from './backlog.ts';
import { DeadList } from './dead-list.ts';
import type { Journal, JournalRow } from './journal.ts';
import type { WriterSettings } from './settings.ts';
import type { SaveItem } from './types.ts';
import { Visibility, type VisibleCache } from './visibility.ts';

export interface HoldingsParts {
  readonly name: string;
  readonly settings: WriterSettings;
  readonly journal: Journal;
  readonly cache: VisibleCache;
  readonly clock: Clock;
  readonly bursts: BurstLog;
}

/** What becomes of the writes of a batch that failed. */
export interface FailedWrites {
  /** Superseded or forgotten meanwhile. */
  readonly gone: readonly PendingWrite[];
  /** They can't be saved. */
  readonly dead: readonly PendingWrite[];
  /** They are tried again. */
  readonly again: readonly PendingWrite[];
}

export class Holdings {
  readonly backlog = new Backlog();
  readonly #name: string;
  readonly #settings: WriterSettings;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #bursts: BurstLog;
  readonly #visibility: Visibility;
  readonly #dead = new DeadList();
  /** Being saved, and to be forgotten afterwards. */
  readonly #forgotten = new Set<number>();
  /** The id of the last write. */
  lastId = 0;

  constructor({ name, settings, journal, cache, clock, bursts }: HoldingsParts) {
    this.#name = name;
    this.#settings = settings;
    this.#journal = journal;
    this.#clock = clock;
    this.#bursts = bursts;
    this.#visibility = new Visibility(cache, settings, bursts);
    this.#replay();
  }

  /** How many can't be saved. */
  get dead(): number {
    return this.#dead.size;
  }

  /** The writes to the key that a new one would take the place of. */
  supersedable(key: string): number {
    return this.#settings.coalesce ? (this.backlog.lineOf(key)?.waiting.length ?? 0) : 0;
  }

  /**
   * Journals a write, in place of those that it supersedes, and shows it to reads.
   * @returns how many it supersedes
   * @throws CacheError `ERR_STORE_FAILED`; then nothing has changed
   */
  add(key: string, stored: string | Uint8Array, value: unknown): number {
    const name = this.#name;
    const now = this.#clock.now();
    const idempotencyKey = randomUUID();
    const writtenAt = this.#clock.epochAt(now);
    const { coalesce, maxDelayMs } = this.#settings;
    const waiting = coalesce ? (this.backlog.lineOf(key)?.waiting.map(({ id }) => id) ?? []) : [];
    const dead = coalesce ? this.#dead.of(key) : [];
    const id = this.#journal.add({ name, key, stored, idempotencyKey, writtenAt }, [...waiting, ...dead]);
    this.lastId = id;
    if (waiting.length > 0) this.backlog.supersede(key);
    for (const each of dead) this.#dead.delete(each);
    const row = { id, key, stored, idempotencyKey, writtenAt };
    this.backlog.add({ ...row, isReplayed: false, failures: 0 }, now + maxDelayMs);
    this.#visibility.show(key, value);
    return waiting.length + dead.length;
  }

  /** The source has them. */
  saved(batch: readonly PendingWrite[], items: readonly SaveItem<unknown>[]): void {
    this.#inJournal(() => this.#journal.discard(idsOf(batch)));
    for (const write of batch) {
      this.#forgotten.delete(write.id);
      this.backlog.settle(write);
    }
    this.#visibility.saved(items);
    this.#showNewest(batch);
  }

  /** Tells what is to become of a batch that failed. @param isGivenUp whether a write may go to the list */
  sort(batch: readonly PendingWrite[], isGivenUp: (write: PendingWrite) => boolean): FailedWrites {
    const fates = Map.groupBy(batch, (write) => {
      if (this.#forgotten.delete(write.id) || this.supersedable(write.key) > 0) return 'gone';
      return isGivenUp(write) ? 'dead' : 'again';
    });
    // A restart may have made the list shorter than what is on it.
    const room = Math.max(0, this.#settings.maxDead - this.#dead.size);
    const { gone = [], dead = [], again = [] } = Object.fromEntries(fates);
    return { gone, dead: dead.slice(0, room), again: [...again, ...dead.slice(room)] };
  }

  failed({ gone, dead, again }: FailedWrites, reason: string): void {
    if (gone.length > 0) this.#inJournal(() => this.#journal.discard(idsOf(gone)));
    for (const write of gone) this.backlog.settle(write);
    const isBuried = dead.length > 0 && this.#bury(dead, reason);
    // What the journal does not take for dead is tried on.
    const tried = isBuried ? again : [...again, ...dead];
    if (tried.length > 0) this.#inJournal(() => this.#journal.fail(idsOf(tried), reason));
    for (const write of tried) this.backlog.putBack(write);
  }

  #bury(writes: readonly PendingWrite[], reason: string): boolean {
    const at = this.#clock.epochAt(this.#clock.now());
    if (!this.#inJournal(() => this.#journal.bury(idsOf(writes), reason, at))) return false;
    for (const write of writes) {
      this.#dead.add(write.id, write.key);
      if (!this.#settings.coalesce) this.backlog.block(write);
      this.backlog.settle(write);
      this.#visibility.withdraw(write.key);
    }
    this.#showNewest(writes);
    this.#bursts.warn(
      `dead ${this.#name}`,
      `Writes of ${this.#name} can't be saved and were put on the list: see /cache-info.`,
      { keys: writes.slice(0, 5).map(({ key }) => key), writes: writes.length, reason },
    );
    return true;
  }

  // ---- decisions ----

  /** @param rows of this writer, on the list @throws SqliteError; then nothing has changed */
  retry(rows: readonly JournalRow[]): number {
    const readable = rows.filter((row) => this.#dead.has(row.id) && isReadable(row));
    this.#journal.revive(idsOf(readable));
    for (const row of readable) {
      this.#dead.delete(row.id);
      this.#takeBack(row, 0);
      this.backlog.unblock(row.id, row.key);
      this.backlog.rest(row.key, Number.NEGATIVE_INFINITY, this.#clock.now());
    }
    this.#showNewest(readable);
    return readable.length;
  }

  /** @throws SqliteError; then nothing has changed */
  drop(ids: ReadonlySet<number>): number {
    const found = [...this.#dead.entries()].filter(([id]) => ids.has(id));
    this.#journal.remove(found.map(([id]) => id));
    this.#leave(found);
    return found.length;
  }

  /** Lets go of writes. @returns their ids, to be removed from the journal */
  forget(matches: (key: string) => boolean): number[] {
    const lines = [...this.backlog.lines()].filter(({ key }) => matches(key));
    const ids = lines.flatMap(({ waiting, inFlight }) =>
      idsOf(inFlight === undefined ? waiting : [inFlight, ...waiting]),
    );
    for (const { key, inFlight } of lines) {
      if (inFlight !== undefined) this.#forgotten.add(inFlight.id);
      this.backlog.supersede(key);
      this.backlog.tidy(key);
      this.#visibility.withdraw(key);
    }
    const dead = [...this.#dead.entries()].filter(([, key]) => matches(key));
    this.#leave(dead);
    return [...ids, ...dead.map(([id]) => id)];
  }

  #leave(dead: readonly (readonly [id: number, key: string])[]): void {
    for (const [id, key] of dead) {
      this.#dead.delete(id);
      this.backlog.unblock(id, key);
    }
  }

  // ---- the journal at the start ----

  #replay(): void {
    const { coalesce } = this.#settings;
    const rows = this.#journal.rowsOf(this.#name);
    const last = new Map(rows.map(({ key, id }) => [key, id]));
    const isSuperseded = ({ key, id }: JournalRow) => coalesce && last.get(key) !== id;
    const superseded = rows.filter(isSuperseded);
    if (superseded.length > 0) this.#journal.remove(idsOf(superseded));
    for (const row of rows) {
      this.lastId = row.id;
      if (isSuperseded(row)) continue;
      const mustBury = row.deadAt === null && !isReadable(row);
      if (mustBury) this.#journal.bury([row.id], 'Its row in the journal is damaged.', row.writtenAt);
      if (row.deadAt === null && !mustBury) this.#takeBack(row, row.failures);
      else {
        this.#dead.add(row.id, row.key);
        if (!coalesce) this.backlog.block(row);
      }
    }
    this.#showNewest([...last.keys()].map((key) => ({ key })));
  }

  #takeBack({ id, key, stored, idempotencyKey, writtenAt }: JournalRow, failures: number): void {
    const row = { id, key, stored, idempotencyKey, writtenAt };
    this.backlog.add({ ...row, isReplayed: true, failures }, this.#clock.now());
  }

  #showNewest(writes: readonly { readonly key: string }[]): void {
    for (const { key } of writes) {
      const newest = this.backlog.newest(key);
      if (newest !== undefined) this.#visibility.show(key, decode(newest.stored));
    }
  }

  /** False when the journal did not take it: it still holds what was acknowledged, and some of it may be saved twice. */
  #inJournal(work: () => void): boolean {
    if (!this.#journal.isOpen) return false;
    try {
      work();
      return true;
    } catch (error) {
      this.#bursts.warn(
        'journal',
        'The journal of write-behind did not take a change: some writes may be saved twice.',
        { error, journal: this.#journal.path },
      );
      return false;
    }
  }
}

function idsOf(writes: readonly { readonly id: number }[]): number[] {
  return writes.map(({ id }) => id);
}

function isReadable({ stored }: Pick<JournalRow, 'stored'>): boolean {
  try {
    decode(stored);
    return true;
  } catch {
    return false; // whoever asks says so
  }
}
