/**
 * The disk layer: entries that outlive the process, in a SQLite file of their own.
 *
 * What must hold: a row that is there is right with respect to every change that any process sharing the file has
 * applied. Invalidations delete at once, or, where they cover much, are written down first and then carried out in
 * slices (`sweeps.ts`). Entries are written in a transaction that begins by applying all committed changes, so
 * that no process can put back what another has just removed (`changes.ts`). A row of another process, or of an
 * earlier one, is believed where the change feed continues where it stopped and tells all its changes (I9); the others
 * count as stale. Whatever goes wrong with the file, memory goes on (I4; `access.ts`).
 */
import { resolve } from 'node:path';
import type { BurstLog } from '../../burst-log.ts';
import type { Clock } from '../../clock.ts';
import type { Entry } from '../../entry.ts';
import { errorText } from '../../error-text.ts';
import { SplitMap } from '../../index/split-map.ts';
import { canonicalKey } from '../../keys/canonical.ts';
import { keyTarget, type Target } from '../../keys/target.ts';
import { inSlices } from '../../slices.ts';
import type { DiskStats } from '../../statistics/stats.ts';
import type { ValueTypes } from '../../values/value-types.ts';
import { DiskAccess } from './access.ts';
import { DiskChanges, EVERYTHING } from './changes.ts';
import type { DiskFile } from './file.ts';
import { Intents, provenByIntents } from './intents.ts';
import { DiskProof } from './proof.ts';
import type { Provenance } from './provenance.ts';
import { DiskReads } from './reads.ts';
import type { StoredEntry } from './rows.ts';
import { DiskSize } from './size.ts';
import type { OpenDatabase } from './store-database.ts';
import { StoredEntries } from './stored-entries.ts';
import { DiskSweeps } from './sweeps.ts';
import { COLLECTED, coveredKeys, hasDependencies, spelled } from './targets.ts';
import { Unnoted } from './unnoted.ts';
import { DiskWrites, STEP_ROWS } from './writes.ts';

export type { Provenance } from './provenance.ts';
export type { StoredEntry } from './rows.ts';

/** A value is encoded and decoded in one go: 2 to 3 ms for 100 kB. What takes more is better loaded (I12). */
const MAX_VALUE_BYTES = 256 * 1_024;

/** How long the end waits for what is to be forgotten. What else is not removed by then, the next process removes. */
const LAST_SWEEP_MS = 1_000;
/** And for what is outdated. */
const LAST_CLEAN_UP_MS = 500;

export interface DiskParts {
  /** Classes whose instances may be stored. */
  readonly types?: ValueTypes | undefined;
  readonly path: string;
  readonly open: OpenDatabase;
  readonly maxBytes: number;
  /** See {@link DiskOptions}. */
  readonly version: string;
  readonly clock: Clock;
  readonly bursts: BurstLog;
}

export class Disk {
  readonly path: string;
  /** What there is, for people to look at. */
  readonly stored: StoredEntries;
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #access: DiskAccess;
  readonly #sweeps: DiskSweeps;
  readonly #changes: DiskChanges;
  readonly #writes: DiskWrites;
  readonly #reads: DiskReads;
  readonly #size: DiskSize;
  readonly #proof = new DiskProof();
  readonly #intents = new Intents(this.#proof.by);
  readonly #unnoted: Unnoted;
  readonly #bursts: BurstLog;
  /** What tells of changes that a process left undone, if anything does. */
  #told: 'by-feed' | 'by-intents' | undefined;
  #found: number | undefined;
  #outdated = 0;
  /** Something that is forgotten may still be in the file. */
  #isForgetting = false;
  #mustGo = false;

  constructor({ path, open, maxBytes, version, clock, bursts, types }: DiskParts) {
    this.path = resolve(path);
    this.#maxBytes = maxBytes;
    this.#clock = clock;
    this.#bursts = bursts;
    this.#unnoted = new Unnoted(this.path);
    const maxValueBytes = Math.min(maxBytes / 4, MAX_VALUE_BYTES);
    const begin = (file: DiskFile) => this.#begin(file);
    this.#access = new DiskAccess({ path: this.path, open, clock, bursts, begin });
    this.#sweeps = new DiskSweeps(this.#access, clock);
    this.#changes = new DiskChanges(this.#access, this.#sweeps, clock, this.#proof);
    const [changes, proof] = [this.#changes, this.#proof];
    this.#reads = new DiskReads({ changes, proof, clock, maxBytes: maxValueBytes, version, types });
    this.#size = new DiskSize(this.#access, clock);
    const writer = {
      clock,
      maxBytes: maxValueBytes,
      by: proof.by,
      version,
      onRefused: ({ key, counters }: Entry, error: unknown) =>
        bursts.warn(
          `refused ${counters.namespace}`,
          `A value is kept in memory and not written to disk: ${errorText(error)}`,
          { key },
        ),
    };
    this.#writes = new DiskWrites(this.#access, this.#changes, writer, maxBytes);
    const isOutdated = (key: string) => this.#writes.isOutdated(key);
    this.stored = new StoredEntries({ access: this.#access, changes, proof, clock, version, isOutdated });
    this.#access.open();
    this.#proof.hasBegun();
    this.#sweeps.resume();
  }

  #begin(file: DiskFile): void {
    this.#proof.begin(file);
    this.#sweeps.begin(file);
    file.transaction(() => {
      this.#sweeps.apply(
        file,
        this.#intents.takeLeft(file, this.#nowAt(), (owner) => this.#access.isInUseBy(owner)),
      );
    });
    this.#reads.begin(file);
    this.#writes.begin(file);
    const { entries } = file;
    this.#found ??= entries;
    this.#size.begin(entries);
  }

  /** Where the feed stood when this file was last right; `undefined` where that is not known. */
  get feedPosition(): unknown {
    return this.#proof.position;
  }

  /**
   * Believes the rows that the feed proves. To be called once the feed has applied what was missed: until then, and
   * without a feed, rows of other processes count as stale.
   */
  follow(feed: Provenance): void {
    this.#told = 'by-feed';
    // The feed has applied what was missed, and nothing was written since.
    this.#outdated = this.with('could not be read', (file) => (this.#found ?? 0) - file.entries) ?? 0;
    this.#sweeps.countPending();
    this.#proof.follow(feed);
    this.checkpoint();
  }

  /** Believes the rows on the author's word that all writes are written down first: see {@link intend}. */
  trustIntents(): void {
    this.#told = 'by-intents';
    this.#proof.follow(provenByIntents(this.#unnoted.isMarked ? undefined : this.#proof.position));
    if (this.checkpoint()) this.#settleUnnoted();
  }

  // ---- reads ----

  /** What is held for the key, if it can be read and has not expired. */
  take(key: string): StoredEntry | undefined {
    let taken: StoredEntry | undefined;
    if (this.#writes.isOutdated(key)) return undefined;
    this.#access.attempt('could not be read', (file) => {
      taken = this.#reads.take(file, key);
    });
    return taken;
  }

  // ---- writes ----

  /** See {@link DiskWrites.write}. */
  write(
    next: () => Entry | undefined,
    isValid: (entry: Entry) => boolean,
    isOver: () => boolean,
  ): Entry[] | undefined {
    return this.#writes.write(next, isValid, isOver);
  }

  /** See {@link DiskWrites.outdate}. */
  outdate(entry: Entry, isToBeWritten: boolean): void {
    this.#writes.outdate(entry, isToBeWritten);
  }

  /** See {@link DiskWrites.outdateKey}. */
  outdateKey(key: string): void {
    this.#writes.outdateKey(key);
  }

  /**
   * A newer value was written: what is there under other spellings of the key is not read any more, nor what is there
   * under the key itself, unless that is to be written.
   */
  outdateStored(key: string, isToBeWritten: boolean): void {
    const canonical = canonicalKey(key);
    if (isToBeWritten && canonical === key && !this.#writes.hasSpellings) return;
    const found = this.#access.isRecovering
      ? undefined
      : this.with('could not be read', (file) => [...spelled(file, canonical)]);
    for (const each of found ?? [key, canonical])
      if (each !== key || !isToBeWritten) this.#writes.outdateKey(each);
    // What is there under other spellings is found when the file lets.
    if (found === undefined && this.#writes.hasSpellings) this.#changes.invalidate([keyTarget(key)]);
  }

  /** Writes down where the feed stands: what it has applied need not be applied again. True when that was done. */
  checkpoint(): boolean {
    let isWritten = false;
    const write = () => {
      isWritten = true;
    };
    return this.#proof.beginning !== 'none' && this.#changes.transact(write) && isWritten;
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

  invalidate(targets: readonly Target[]): void {
    this.#changes.invalidate(targets);
  }

  /** Whether anything there depends on anything. */
  get hasDependants(): boolean {
    return this.with('could not be read', hasDependencies) ?? true;
  }

  /**
   * Writes down what is about to be invalidated: should the process end before it is, the next one does it. Does nothing
   * where a change feed tells of it.
   * @returns what crosses it out, once it is invalidated or nothing has changed
   */
  intend(targets: () => readonly Target[]): (() => void) | undefined {
    if (this.#told === 'by-feed') return undefined;
    const id = this.#writeDown(targets);
    if (id === undefined) return this.#told === 'by-intents' ? this.#beginUnnoted() : undefined;
    // Not before all that was invalidated is gone from the file: it may have been locked.
    return () => void this.#changes.transact((file) => this.#intents.crossOut(file, id));
  }

  #writeDown(targets: () => readonly Target[]): string | undefined {
    // Each of many would wait for the lock (I12).
    if (this.#access.isRecovering) return undefined;
    const covered = targets();
    const what = 'could not be told what is about to change';
    return this.with(what, (file) => this.#intents.add(file, covered, this.#nowAt(), this.#access.owner));
  }

  #beginUnnoted(): (() => void) | undefined {
    try {
      return this.#unnoted.begin();
    } catch (error) {
      const what = `${this.path} takes no note of mutations: delete it, should the process be killed now.`;
      this.#bursts.warn('unnoted', what, { error });
      return undefined;
    }
  }

  #settleUnnoted(): void {
    try {
      this.#unnoted.settle();
    } catch (error) {
      this.#bursts.warn('unnoted', 'The next start believes nothing on disk.', { path: this.path, error });
    }
  }

  /** The source has a newer value than what is there, and nobody else will tell of it. */
  supersede(key: string): void {
    if (this.#told === 'by-intents') this.#changes.invalidate([keyTarget(key)]);
  }

  clear(): void {
    this.#writes.clear();
    this.#changes.invalidate([EVERYTHING]);
  }

  /** How many rows the targets cover; counted in slices. */
  async count(targets: readonly Target[]): Promise<number> {
    const keys = new SplitMap<true>(COLLECTED);
    const add = (key: string | undefined) => void (key !== undefined && keys.set(key, true));
    for (const target of targets) {
      await this.#access.attemptInSlices('could not be read', (file) => {
        const isOver = () => this.#access.isClosed || file !== this.#access.file;
        return inSlices(this.#clock, coveredKeys(file, target), add, isOver);
      });
    }
    return keys.size;
  }

  /**
   * Sees to it that of what was invalidated not a byte is left in the file, its log included.
   * @returns whether that is so by now; else it is tried again at each clean-up, and the last resort is to delete the file
   */
  forget(): Promise<boolean> {
    this.#isForgetting = true;
    this.#access.removeAside('all');
    return this.#finishForgetting();
  }

  /** The same at the next clean-up: rows of the tables beside the entries have just gone. */
  forgetSoon(): void {
    this.#isForgetting = true;
  }

  async #finishForgetting(isOver = () => false): Promise<boolean> {
    if (!this.#changes.isUpToDate()) return false;
    // Sweeps may have begun with what was taken now.
    await this.#sweeps.ended(isOver);
    return this.#hasForgotten();
  }

  #hasForgotten(): boolean {
    if (!this.#changes.isUpToDate() || !this.#sweeps.isIdle) return false;
    this.#access.attempt('could not be cleaned up', (file) => {
      if (file.tidy() && this.#access.removeAside('all')) this.#isForgetting = false;
    });
    return !this.#isForgetting;
  }

  /** The file will be deleted at the end, since the tables beside the entries hold something that is forgotten. */
  deleteAtEnd(): void {
    this.#mustGo = true;
  }

  // ---- upkeep ----

  /**
   * Opens a file that could not be used, goes on with what was left undone, and removes what has had its time, until
   * `isOver` says so.
   */
  async cleanUp(isOver: () => boolean): Promise<void> {
    this.#access.revive();
    if (this.#access.file !== undefined) this.#access.removeAside('old');
    // A file that was opened now has missed what was invalidated meanwhile.
    this.#changes.isUpToDate();
    this.#sweeps.resume();
    await this.#inSteps((file) => file.deleteExpired(this.#nowAt(), STEP_ROWS), isOver);
    await this.#inSteps((file) => this.#writes.removeOutdated(file), isOver);
    await this.#inSteps((file) => this.#writes.makeRoom(file), isOver);
    await this.#size.recount(isOver);
    this.checkpoint();
    if (this.#isForgetting) await this.#finishForgetting(isOver);
  }

  /** Repeats a step as long as it finds as much as it takes, and lets the loop turn between two of them. */
  async #inSteps(step: (file: DiskFile) => number, isOver: () => boolean): Promise<void> {
    for (let isMore = true; isMore && !isOver(); ) {
      isMore = false;
      this.#access.attempt('could not be cleaned up', (file) => {
        isMore = step(file) >= STEP_ROWS;
      });
      if (isMore) await this.#clock.yield();
    }
  }

  stats(): DiskStats {
    const { file, problem, setAside, failures } = this.#access;
    return {
      path: this.path,
      state: file === undefined ? 'off' : problem === undefined ? 'ready' : 'failing',
      problem,
      proof: this.#proof.beginning,
      setAside,
      found: this.#found ?? 0,
      outdated: Math.max(0, this.#outdated) + this.#sweeps.removed,
      ...this.#size.figures(),
      maxBytes: this.#maxBytes,
      failures,
      ...this.#reads.counts,
      ...this.#writes.counts,
    };
  }

  async stop(): Promise<void> {
    await this.#sweeps.endWithin(this.#isForgetting ? LAST_SWEEP_MS : 0);
    const until = this.#clock.precise() + LAST_CLEAN_UP_MS;
    // The next process does not know that memory had something newer.
    await this.#inSteps(
      (file) => this.#writes.removeOutdated(file),
      () => this.#clock.precise() > until,
    );
    if (this.checkpoint()) this.#settleUnnoted();
    this.#changes.stop();
    // Writing the log back has a turn of its own.
    await this.#clock.yield();
    await this.#access.end({ mustGo: this.#mustGo || (this.#isForgetting && !this.#hasForgotten()) });
  }

  #nowAt(): number {
    return this.#clock.epochAt(this.#clock.now());
  }
}
