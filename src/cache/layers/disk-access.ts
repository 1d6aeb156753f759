/**
 * The cache file and what goes wrong with it: opening it, setting a damaged one aside, leaving a full or locked one
 * alone for a while, and saying so once. Whatever happens, memory goes on (I4).
 */
import type { BurstLog } from '../burst-log.ts';
import type { Clock } from '../clock.ts';
import { DiskFile } from './disk-file.ts';
import { isDamage, type OpenDatabase, setAside } from './store-database.ts';

/** How long a full or locked disk is left alone after a failed write. */
const RETRY_AFTER_MS = 5_000;

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
  #problem: string | undefined;
  #setAside: string | undefined;
  #retryAt = 0;
  #isClosed = false;
  failures = 0;

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

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Whether a write has just failed. */
  get isRecovering(): boolean {
    return this.#parts.clock.now() < this.#retryAt;
  }

  /** Opens the file, or a new one in its place. */
  open(): void {
    const { path, clock, bursts } = this.#parts;
    try {
      this.#begin();
    } catch (error) {
      if (!isDamage(error)) {
        this.#off(error);
        return;
      }
      try {
        const renamedTo = setAside(path, clock.epochAt(clock.now()));
        this.#setAside = renamedTo;
        const message = `${path} was damaged. It was renamed, and a new one begun: nothing but warmth is lost.`;
        bursts.warn('disk', message, { renamedTo, error });
        this.#begin();
      } catch (second) {
        this.#off(second);
      }
    }
  }

  #begin(): void {
    const file = new DiskFile(this.#parts.path, this.#parts.open);
    try {
      this.#parts.begin(file);
      this.#file = file;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #off(error: unknown): void {
    this.#file = undefined;
    this.#problem = messageOf(error);
    const message = `${this.#parts.path} cannot be used: the cache works in memory alone.`;
    this.#parts.bursts.warn('disk', message, { error });
  }

  /** True when it was done. */
  attempt(what: string, work: (file: DiskFile) => void): boolean {
    const file = this.#file;
    if (file === undefined || this.#isClosed) return false;
    try {
      work(file);
      return true;
    } catch (error) {
      this.failed(what, error);
      return false;
    }
  }

  failed(what: string, error: unknown): void {
    const { path, clock, bursts } = this.#parts;
    this.failures++;
    this.#problem = messageOf(error);
    this.#retryAt = clock.now() + RETRY_AFTER_MS;
    bursts.warn('disk', `The cache on disk ${what}; memory goes on.`, { path, error });
    if (!isDamage(error)) return;
    this.#file?.close();
    this.open();
  }

  /** Something was written: what was wrong has passed. */
  succeeded(): void {
    this.#problem = undefined;
  }

  /** Nothing is attempted any more. */
  close(): void {
    this.#isClosed = true;
  }

  /** Lets go of the file. */
  end(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
