/**
 * The disk layer: entries that outlive the process, in a SQLite file of their own.
 *
 * What must hold: a row that is there is right with respect to every change that any process sharing the file has
 * applied. Invalidations delete at once, or, where they cover much, are written down first and then carried out in
 * slices (`disk-sweeps.ts`). Entries are written in a transaction that begins by applying all committed changes, so
 * that no process can put back what another has just removed. After a restart a row is believed where the change feed
 * continues where it stopped and tells all its changes (I9); the others count as stale. Whatever goes wrong with the
 * file, memory goes on (I4; `disk-access.ts`).
 */
import { resolve } from 'node:path';
import type { BurstLog } from '../burst-log.ts';
import type { Clock } from '../clock.ts';
import { decode } from '../codec.ts';
import type { Entry, EntryLinks } from '../entry.ts';
import { CacheError } from '../errors.ts';
import { compilePattern } from '../pattern.ts';
import { inSlices } from '../slices.ts';
import { covers, type Target } from '../target.ts';
import type { DiskStats } from '../types.ts';
import { DiskAccess } from './disk-access.ts';
import type { DiskFile, StoredRow } from './disk-file.ts';
import { metadataOf, rowOf, type StoredEntry, storedEntry } from './disk-rows.ts';
import { DiskSweeps } from './disk-sweeps.ts';
import { coveredKeys, labelsOf } from './disk-targets.ts';
import type { Provenance } from './provenance.ts';
import type { OpenDatabase } from './store-database.ts';

export type { StoredEntry } from './disk-rows.ts';
export type { Provenance } from './provenance.ts';

/** Rows removed in one step. */
const STEP_ROWS = 100;

/** Counting rows takes milliseconds where there are many. */
const RECOUNT_MS = 5_000;

export interface DiskParts {
  readonly path: string;
  readonly open: OpenDatabase;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly bursts: BurstLog;
}

export class Disk {
  readonly path: string;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #access: DiskAccess;
  readonly #sweeps: DiskSweeps;
  #feed: Provenance | undefined;
  #feedPosition: unknown;
  /** Rows up to here are from before this process. */
  #seqAtOpen = 0;
  /** Rows up to here are not believed, whatever the feed says. */
  #believedAfter = 0;
  /** Invalidations that the file did not take. */
  readonly #unapplied: Target[] = [];
  /** Invalidations that were carried out within the transaction that is open. */
  readonly #tentative: Target[] = [];
  #size = { entries: 0, bytes: 0 };
  #found = 0;
  #recountAt = 0;
  readonly #counts = {
    hits: 0,
    restored: 0,
    unproven: 0,
    expired: 0,
    written: 0,
    refused: 0,
    damaged: 0,
    evicted: 0,
  };

  constructor({ path, open, maxBytes, clock, bursts }: DiskParts) {
    this.path = resolve(path);
    this.#maxBytes = maxBytes;
    this.#clock = clock;
    this.#access = new DiskAccess({
      path: this.path,
      open,
      clock,
      bursts,
      begin: (file) => this.#begin(file),
    });
    this.#sweeps = new DiskSweeps(this.#access, clock);
    this.#access.open();
  }

  #begin(file: DiskFile): void {
    this.#seqAtOpen = file.lastSeq;
    this.#found = file.entries;
    this.#believedAfter = Number(file.meta('believed_after') ?? 0);
    const position = file.meta('feed');
    this.#feedPosition = position === undefined ? undefined : JSON.parse(position);
    this.#sweeps.begin(file);
  }

  /** Where the feed stood when this file was last right; `undefined` where that is not known. */
  get feedPosition(): unknown {
    return this.#feedPosition;
  }

  /**
   * Believes the rows that the feed proves. To be called once the feed has applied what was missed: until then, and
   * without a feed, rows from before this process count as stale.
   */
  follow(feed: Provenance): void {
    this.#feed = feed;
    if (feed.beginning !== 'resumed') {
      this.#access.attempt('its beginning', (file) => {
        this.#believedAfter = file.lastSeq;
        file.setMeta('believed_after', String(this.#believedAfter));
      });
    }
    this.checkpoint();
  }

  // ---- reads ----

  /** What is held for the key, if it can be read and has not expired. */
  take(key: string): StoredEntry | undefined {
    const { file } = this.#access;
    if (file === undefined) return undefined;
    try {
      return this.#taken(file, key);
    } catch (error) {
      this.#access.failed('could not be read', error);
      return undefined;
    }
  }

  #taken(file: DiskFile, key: string): StoredEntry | undefined {
    const row = file.read(key);
    if (row === undefined) return undefined;
    if (row === 'damaged') return this.#drop(file, key);
    const nowAt = this.#nowAt();
    if (row.expires_at !== null && row.expires_at <= nowAt) {
      this.#counts.expired++;
      return undefined;
    }
    const metadata = metadataOf(row);
    if (this.#unapplied.some((target) => covers(target, key, metadata))) return undefined;
    if (this.#sweeps.covers(file, row, metadata)) return undefined;
    if (!file.isLinked(key, labelsOf(metadata.tags, metadata.dependsOn))) return this.#drop(file, key);
    let value: unknown;
    try {
      value = decode(row.value, { maxBytes: this.#maxBytes });
    } catch (error) {
      if (!(error instanceof CacheError)) throw error;
      return this.#drop(file, key);
    }
    // A clock that was set back would make entries live for too long.
    const isProven = this.#isProven(row, metadata) && row.created_at <= nowAt;
    this.#counts[isProven ? 'hits' : 'unproven']++;
    if (isProven && row.seq <= this.#seqAtOpen) this.#counts.restored++;
    return storedEntry(row, metadata, value, isProven);
  }

  #isProven({ seq, key }: StoredRow, links: EntryLinks): boolean {
    if (seq <= this.#believedAfter) return false;
    return seq > this.#seqAtOpen || (this.#feed?.tellsOf(key, links) ?? false);
  }

  #drop(file: DiskFile, key: string): undefined {
    this.#counts.damaged++;
    file.delete(key);
    return undefined;
  }

  // ---- writes ----

  /**
   * Writes entries down until `isOver` says so, and leaves out what is not valid any more (`isValid`) once all changes
   * are applied.
   * @returns those that are done with; none where the file cannot be written at the moment
   */
  write(entries: Iterable<Entry>, isValid: (entry: Entry) => boolean, isOver: () => boolean): Entry[] {
    const done: Entry[] = [];
    if (this.#access.isRecovering) return done;
    const isWritten = this.#transact((file) => {
      for (const entry of entries) {
        if (isValid(entry)) this.#writeOne(file, entry);
        done.push(entry);
        if (isOver()) break;
      }
      this.#makeRoom(file);
    });
    if (!isWritten) return [];
    if (done.length > 0) this.#access.succeeded();
    return done;
  }

  #writeOne(file: DiskFile, entry: Entry): void {
    const row = rowOf(entry, this.#clock, this.#maxBytes / 4);
    if (row === undefined) {
      this.#counts.refused++;
      return;
    }
    file.write(row, labelsOf(entry.links?.tags ?? [], entry.links?.dependsOn ?? []));
    this.#counts.written++;
  }

  #makeRoom(file: DiskFile): void {
    for (let rounds = 0; rounds < 4 && file.bytes > this.#maxBytes; rounds++) {
      const keys = file.oldestKeys(STEP_ROWS);
      if (keys.length === 0) return;
      for (const key of keys) file.delete(key);
      this.#counts.evicted += keys.length;
    }
  }

  /** Writes down where the feed stands: what it has applied need not be applied again. */
  checkpoint(): void {
    const feed = this.#feed;
    if (feed === undefined) return;
    this.#transact((file) => file.setMeta('feed', JSON.stringify(feed.position())));
  }

  /**
   * One transaction that begins with carrying out what could not be before, and with applying all changes; `work` runs
   * where that succeeds. True when it was committed.
   */
  #transact(work: (file: DiskFile) => void): boolean {
    const isCommitted = this.#access.attempt('could not be written', (file) =>
      file.transaction(() => {
        for (let target = this.#unapplied[0]; target !== undefined; target = this.#unapplied[0]) {
          this.#sweeps.apply(file, target);
          this.#unapplied.shift();
          this.#tentative.push(target);
        }
        if (this.#feed !== undefined && !this.#feed.drain()) return;
        if (this.#unapplied.length === 0) work(file);
      }),
    );
    const tentative = this.#tentative.splice(0);
    if (!isCommitted) this.#unapplied.push(...tentative);
    return isCommitted;
  }

  /** Works on the tables beside the entries; `undefined` where the file cannot be used at the moment. */
  with<T>(what: string, work: (file: DiskFile) => T): T | undefined {
    let result: T | undefined;
    const isDone = this.#access.attempt(what, (file) => {
      result = work(file);
    });
    return isDone ? result : undefined;
  }

  // ---- invalidation ----

  invalidate(target: Target): void {
    if (this.#access.file === undefined || this.#access.isClosed) return;
    const isDone = this.#access.attempt('could not be invalidated', (file) =>
      this.#sweeps.apply(file, target),
    );
    // Until it can be carried out, what it covers is not believed, and nothing is written.
    if (!isDone) this.#unapplied.push(target);
    else if (this.#access.file.inTransaction) this.#tentative.push(target);
  }

  clear(): void {
    this.invalidate({ kind: 'pattern', pattern: compilePattern('*') });
  }

  /** How many rows the targets cover; counted in slices. */
  async count(targets: readonly Target[]): Promise<number> {
    const keys = new Set<string>();
    for (const target of targets) {
      const { file } = this.#access;
      if (file === undefined) return 0;
      const add = (key: string) => void keys.add(key);
      const isOver = () => this.#access.isClosed || file !== this.#access.file;
      await inSlices(this.#clock, coveredKeys(file, target), add, isOver);
    }
    return keys.size;
  }

  /** When everything that was invalidated is gone from the file, its log included. */
  async settled(): Promise<void> {
    await this.#sweeps.ended;
    this.#access.attempt('could not be cleaned up', (file) => file.tidy());
  }

  // ---- upkeep ----

  /** Removes expired rows, in slices. */
  async cleanUp(): Promise<void> {
    const isOver = () => this.#access.isClosed;
    await inSlices(this.#clock, this.#removeExpired(this.#nowAt()), () => undefined, isOver);
  }

  *#removeExpired(nowAt: number): Generator<void, void, undefined> {
    for (let removed = STEP_ROWS; removed === STEP_ROWS; ) {
      removed = 0;
      this.#access.attempt('could not be cleaned up', (file) => {
        const keys = file.expiredKeys(nowAt, STEP_ROWS);
        file.transaction(() => {
          for (const key of keys) file.delete(key);
        });
        removed = keys.length;
      });
      yield;
    }
  }

  stats(): DiskStats {
    const { file, problem, setAside, failures } = this.#access;
    if (file !== undefined && this.#clock.now() >= this.#recountAt) {
      this.#recountAt = this.#clock.now() + RECOUNT_MS;
      this.#access.attempt('could not be read', () => {
        this.#size = { entries: file.entries, bytes: file.bytes };
      });
    }
    return {
      path: this.path,
      state: file === undefined ? 'off' : problem === undefined ? 'ready' : 'failing',
      problem,
      proof: this.#feed === undefined ? 'none' : this.#feed.beginning,
      setAside,
      found: this.#found,
      ...this.#size,
      maxBytes: this.#maxBytes,
      failures,
      ...this.#counts,
    };
  }

  async stop(): Promise<void> {
    this.checkpoint();
    this.#access.close();
    await this.#sweeps.ended;
    this.#access.end();
  }

  #nowAt(): number {
    return this.#clock.epochAt(this.#clock.now());
  }
}
