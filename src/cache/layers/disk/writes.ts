/**
 * Entries on their way to disk: in steps that respect the event loop (I12), within the bound in bytes, and with what is
 * written no longer read once memory has something newer.
 */
import type { Entry } from '../../entry.ts';
import { SplitMap } from '../../index/split-map.ts';
import { canonicalKey } from '../../keys/canonical.ts';
import type { DiskAccess } from './access.ts';
import type { DiskChanges } from './changes.ts';
import type { DiskFile } from './file.ts';
import { type RowWriter, rowOf } from './rows.ts';
import { hasSpellings, labelsOf } from './targets.ts';

/** Rows removed in one step: 1 to 2 ms. */
export const STEP_ROWS = 100;
/** Bytes written in one step, and one value more: at most, and as a part of what is allowed. */
const STEP_BYTES = 1_000_000;
const STEP_PART = 1 / 16;
/** What a row takes beside its value, at least. */
const ROW_BYTES = 200;

export class DiskWrites {
  readonly #access: DiskAccess;
  readonly #changes: DiskChanges;
  readonly #writer: RowWriter;
  readonly #maxBytes: number;
  readonly #stepBytes: number;
  /** Keys of which memory has, or had, a newer value that is not written. */
  #outdated = new SplitMap<true>();
  /** Namespaces of which this process has written something. */
  readonly #namespaces = new Set<string>();
  /** Whether a key of any row may differ from its canonical text. */
  #hasSpellings = false;
  readonly counts = { written: 0, refused: 0, evicted: 0 };

  constructor(access: DiskAccess, changes: DiskChanges, writer: RowWriter, maxBytes: number) {
    this.#access = access;
    this.#changes = changes;
    this.#writer = writer;
    this.#maxBytes = maxBytes;
    this.#stepBytes = Math.min(STEP_BYTES, maxBytes * STEP_PART);
  }

  begin(file: DiskFile): void {
    this.#hasSpellings ||= hasSpellings(file);
  }

  get hasSpellings(): boolean {
    return this.#hasSpellings;
  }

  /**
   * Writes down what `next` gives until that is nothing or `isOver` says so, and leaves out what is not valid any more
   * (`isValid`) once all changes are applied.
   * @returns those that are done with, none where room had to be made first; `undefined` where the file cannot be
   * written at the moment
   */
  write(
    next: () => Entry | undefined,
    isValid: (entry: Entry) => boolean,
    isOver: () => boolean,
  ): Entry[] | undefined {
    // What is undone with the transaction of somebody else would have to be outdated again.
    if (this.#access.isRecovering || this.#access.file?.inTransaction === true) return undefined;
    let done: Entry[] | undefined;
    const isWritten = this.#changes.transact((file) => {
      done = [];
      if (this.makeRoom(file) > 0) return;
      let bytes = 0;
      for (let entry = next(); entry !== undefined; ) {
        if (isValid(entry)) bytes += this.#writeOne(file, entry);
        else if (this.isOutdated(entry.key)) file.delete(entry.key);
        done.push(entry);
        entry = isOver() || bytes > this.#stepBytes ? undefined : next();
      }
    });
    if (!isWritten || done === undefined) return undefined;
    this.#access.succeeded();
    for (const entry of done) this.#outdated.delete(entry.key);
    return done;
  }

  /** @returns about what it takes */
  #writeOne(file: DiskFile, entry: Entry): number {
    const row = rowOf(entry, this.#writer);
    if (row === undefined) {
      this.counts.refused++;
      file.delete(entry.key);
      return 0;
    }
    const labels = labelsOf(entry.key, entry.links);
    this.#hasSpellings ||= canonicalKey(entry.key) !== entry.key;
    file.write(row, labels);
    this.#namespaces.add(row.namespace);
    this.counts.written++;
    return row.value.length + row.metadata.length + ROW_BYTES;
  }

  /** Removes a step's worth of the oldest rows where there is no room. @returns how many there were */
  makeRoom(file: DiskFile): number {
    if (file.bytes <= this.#maxBytes) return 0;
    const evicted = file.deleteOldest(STEP_ROWS);
    this.counts.evicted += evicted;
    return evicted > 0 ? evicted : file.deleteLinks(STEP_ROWS);
  }

  /** Memory has a newer value, which is not written yet, or never will be: what is on disk is not read any more. */
  outdate({ key, counters }: Entry, isToBeWritten: boolean): void {
    if (isToBeWritten || this.#namespaces.has(counters.namespace)) this.outdateKey(key);
  }

  /** There is a newer value, which nobody keeps. */
  outdateKey(key: string): void {
    // Nothing of what is found in a file that is opened later is believed.
    if (this.#access.file !== undefined) this.#outdated.set(key, true);
  }

  isOutdated(key: string): boolean {
    return this.#outdated.get(key) === true;
  }

  /** Removes a step's worth of what is outdated. @returns how many there were */
  removeOutdated(file: DiskFile): number {
    const keys: string[] = [];
    for (const [key] of this.#outdated.entries()) if (keys.push(key) === STEP_ROWS) break;
    file.transaction(() => {
      for (const key of keys) file.delete(key);
    });
    for (const key of keys) this.#outdated.delete(key);
    return keys.length;
  }

  /** Nothing of what was written is there any more. */
  clear(): void {
    this.#outdated = new SplitMap();
  }
}
