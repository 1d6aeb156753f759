/**
 * The cache file and what goes wrong with it: opening it, setting a damaged one aside under a dated name, leaving a full
 * or locked one alone for a while, taking up one that was moved away, and saying so once. Whatever happens, memory goes
 * on (I4).
 */
import { statSync } from 'node:fs';
import type { BurstLog } from '../../burst-log.ts';
import type { Clock } from '../../clock.ts';
import { errorText } from '../../error-text.ts';
import { isBusy } from '../../sqlite-error.ts';
import { DiskFile } from './file.ts';
import { openWithBetterSqlite3 } from './open-sqlite.ts';
import { isInUseBy, machineStart, noteUse, type UseNote, wasCutOff } from './power-cut.ts';
import {
  isDamage,
  type OpenDatabase,
  removeAside,
  removeDatabase,
  removeOldAside,
  setAside,
} from './store-database.ts';

/** How long a full disk is left alone after a failed write. */
const RETRY_AFTER_MS = 5_000;
/** Another process writes in slices: between two of them it is our turn. */
const RETRY_BUSY_AFTER_MS = 100;
/** A file that is locked for less is not worth a word. */
const BUSY_UNSAID_MS = 1_000;
/** A disk on which files get damaged again and again is not used any more. */
const MAX_SET_ASIDE = 5;

export interface DiskAccessParts {
  readonly path: string;
  readonly open: OpenDatabase;
  readonly clock: Clock;
  readonly bursts: BurstLog;
  /** Reads what is needed of a file that was just opened; one that it throws for is as good as damaged. */
  readonly begin: (file: DiskFile) => void;
}

export class DiskAccess {
  readonly #parts: DiskAccessParts;
  #file: DiskFile | undefined;
  /** Tells the file from one that somebody has put in its place. */
  #inode: number | undefined;
  #problem: string | undefined;
  /** Of which problem the log knows, until it has passed. */
  #saidProblem: string | undefined;
  #setAside: string | undefined;
  #timesSetAside = 0;
  #busySince: number | undefined;
  #retryAt = 0;
  /** The note beside the file that it is in use; it stays until the end, also where the file is opened again. */
  #note: UseNote | undefined;
  #isClosed = false;
  #failures = 0;

  constructor(parts: DiskAccessParts) {
    this.#parts = parts;
  }

  /** `undefined` where it cannot be used. */
  get file(): DiskFile | undefined {
    return this.#file;
  }

  /** What is wrong, in the words of SQLite; `undefined` when nothing is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Where a damaged file was renamed to. */
  get setAside(): string | undefined {
    return this.#setAside;
  }

  get failures(): number {
    return this.#failures;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Names this process among those that use the file; `undefined` where no note could be left. */
  get owner(): string | undefined {
    return this.#note?.owner;
  }

  /** Whether the process of that name is alive. */
  isInUseBy(owner: string): boolean {
    const { path, open } = this.#parts;
    return owner === this.owner || isInUseBy(path, owner, open);
  }

  /** Whether a write has just failed. */
  get isRecovering(): boolean {
    return this.#parts.clock.now() < this.#retryAt;
  }

  /** Opens the file, or a new one in the place of a damaged one. */
  open(): void {
    try {
      this.#begin();
    } catch (error) {
      if (isDamage(error)) this.#replace(error);
      else this.#off(error);
    }
  }

  /** Opens it where it could not be used before, or was moved away meanwhile. To be called every so often. */
  revive(): void {
    if (this.#isClosed) return;
    if (this.#file !== undefined) {
      try {
        if (inodeOf(this.#parts.path) === this.#inode) return;
      } catch (error) {
        // Its folder is not to be reached any more, so nobody would find what is written.
        this.#file.close();
        this.#off(error);
        return;
      }
      this.#say(`${this.#parts.path} was moved away or removed, so a new one is begun.`, {});
      this.#file.close();
    }
    this.open();
  }

  #begin(): void {
    const { path, begin } = this.#parts;
    this.#inode = undefined;
    const file = this.#opened();
    try {
      this.#inode = inodeOf(path);
      begin(file);
    } catch (error) {
      file.close();
      throw error;
    }
    this.#file = file;
    this.#problem = undefined;
  }

  /** A file that the host opens by itself is written as the host says; the others without waiting, where that can be done. */
  #opened(): DiskFile {
    const { path, open } = this.#parts;
    const file = new DiskFile(path, open);
    const start = open === openWithBetterSqlite3 ? machineStart() : undefined;
    if (start !== undefined && this.#wasCutOff(file, start)) {
      file.close();
      removeDatabase(path);
      this.#say(`The machine ended while ${path} was in use, so a new one is begun.`, {});
      return this.#opened();
    }
    try {
      this.#note ??= noteUse(path, start, open);
      if (start !== undefined) file.writeWithoutWaiting();
    } catch (error) {
      this.#say(`No note can be left beside ${path}, so writing to it waits for the disk.`, { error });
    }
    return file;
  }

  /** @throws what Node has against the folder; then the file is closed */
  #wasCutOff(file: DiskFile, start: string): boolean {
    try {
      return wasCutOff(this.#parts.path, start);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #replace(error: unknown): void {
    const { path, clock } = this.#parts;
    this.#file = undefined;
    try {
      if (++this.#timesSetAside > MAX_SET_ASIDE) throw error;
      if (this.#inode !== undefined && inodeOf(path) !== this.#inode) {
        // What is there now is not what the error is about.
        this.#say(`${path} was moved away or replaced, so what is there now is begun with.`, { error });
        this.open();
        return;
      }
      const renamedTo = setAside(path, clock.epochAt(clock.now()));
      this.#setAside = renamedTo;
      const what = `${path} is damaged, or of another version of the cache.`;
      this.#say(`${what} It was renamed, and a new one begun: nothing but warmth is lost.`, {
        renamedTo,
        error,
      });
      this.#begin();
    } catch (second) {
      this.#off(second);
    }
  }

  #off(error: unknown): void {
    this.#file = undefined;
    this.#problem = errorText(error);
    this.#sayOnce(`${this.#parts.path} cannot be used: the cache works in memory alone.`, error);
  }

  /**
   * Removes damaged files that were set aside: those that were kept long enough, or all, since they may hold what is to be
   * forgotten. False where that cannot be done.
   */
  removeAside(which: 'old' | 'all'): boolean {
    const { path, clock } = this.#parts;
    try {
      if (which === 'old') removeOldAside(path, clock.epochAt(clock.now()));
      else removeAside(path);
      if (this.#setAside !== undefined && inodeOf(this.#setAside) === undefined) this.#setAside = undefined;
      return true;
    } catch (error) {
      this.#say(
        'Damaged cache files that were set aside cannot be removed; they may hold what is to be forgotten.',
        {
          path,
          error,
        },
      );
      return false;
    }
  }

  /** True when it was done. */
  attempt(what: string, work: (file: DiskFile) => void): boolean {
    const file = this.#file;
    if (file === undefined || this.#isClosed) return false;
    try {
      work(file);
      return true;
    } catch (error) {
      this.failed(file, what, error);
      return false;
    }
  }

  /** The same for work in slices: false where it failed halfway. */
  async attemptInSlices(what: string, work: (file: DiskFile) => Promise<void>): Promise<boolean> {
    const file = this.#file;
    if (file === undefined || this.#isClosed) return false;
    try {
      await work(file);
      return true;
    } catch (error) {
      this.failed(file, what, error);
      return false;
    }
  }

  failed(file: DiskFile, what: string, error: unknown): void {
    // It may have been found damaged within a transaction, and replaced by now.
    if (file !== this.#file) return;
    const now = this.#parts.clock.now();
    this.#failures++;
    if (isDamage(error)) {
      file.close();
      this.#replace(error);
      return;
    }
    this.#problem = errorText(error);
    if (isBusy(error)) {
      this.#retryAt = now + RETRY_BUSY_AFTER_MS;
      this.#busySince ??= now;
      if (now - this.#busySince < BUSY_UNSAID_MS) return;
    } else this.#retryAt = now + RETRY_AFTER_MS;
    this.#sayOnce(`The cache on disk ${what}; memory goes on.`, error);
  }

  /** Something was written: what was wrong has passed. */
  succeeded(): void {
    this.#problem = undefined;
    this.#saidProblem = undefined;
    this.#busySince = undefined;
  }

  /**
   * Lets go of the file; nothing is attempted any more.
   * @param mustGo deletes it, since it holds what was to be forgotten and did not give it up until now
   */
  async end({ mustGo }: { readonly mustGo: boolean }): Promise<void> {
    const wasOpen = this.#file !== undefined;
    this.#isClosed = true;
    this.#file?.close();
    this.#file = undefined;
    if (mustGo) this.#deleteForgotten(wasOpen);
    try {
      await this.#note?.end();
    } catch {
      // It was moved away. The note stays, and makes the next start of the machine a cold one.
    }
  }

  #deleteForgotten(wasOpen: boolean): void {
    const { path } = this.#parts;
    try {
      // What was never opened may be a database of something else.
      if (!wasOpen || inodeOf(path) !== this.#inode) throw new Error('It could not be opened.');
      removeDatabase(path);
      removeAside(path);
      this.#say(`${path} was locked until the end, so what was to be forgotten went with it.`, {});
    } catch (error) {
      this.#say(`${path} may still hold what was to be forgotten: delete it.`, { error });
    }
  }

  #sayOnce(message: string, error: unknown): void {
    if (this.#saidProblem === this.#problem) return;
    this.#saidProblem = this.#problem;
    this.#say(message, { path: this.#parts.path, error });
  }

  #say(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#parts.bursts.warn('disk', message, fields);
  }
}

/** @throws what Node has against it, but for that there is nothing */
function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
