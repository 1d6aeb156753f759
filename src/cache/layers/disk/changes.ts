/**
 * Writing to the cache file, so that no process puts back what another has removed: every transaction takes the file's
 * one lock first, carries out the invalidations that could not be before, applies all committed changes, and only then
 * writes entries, beside the place at which the feed stands by then: what is there was right at that place, and not
 * only at a later one, which a backup may take back.
 *
 * An invalidation that the file does not take (full, locked) is kept here: what it covers is not believed, and nothing
 * is written, until it is carried out. Where they are too many, they become one that covers everything.
 */
import type { Clock } from '../../clock.ts';
import { compilePattern } from '../../keys/pattern.ts';
import { covers, type Target } from '../../keys/target.ts';
import type { DiskAccess } from './access.ts';
import type { DiskFile, StoredRow } from './file.ts';
import type { DiskProof } from './proof.ts';
import type { Metadata } from './rows.ts';
import type { DiskSweeps } from './sweeps.ts';

/** How often it is tried again. */
const RETRY_MS = 500;
/** Reads look through them. */
const MAX_UNAPPLIED = 200;

export const EVERYTHING: Target = { kind: 'pattern', pattern: compilePattern('*') };

export class DiskChanges {
  readonly #access: DiskAccess;
  readonly #sweeps: DiskSweeps;
  readonly #clock: Clock;
  readonly #proof: DiskProof;
  /** Invalidations that the file did not take. */
  #unapplied: readonly Target[] = [];
  /** Invalidations that were carried out within the transaction that is open. */
  #tentative: Target[] = [];
  #cancelRetry: (() => void) | undefined;

  constructor(access: DiskAccess, sweeps: DiskSweeps, clock: Clock, proof: DiskProof) {
    this.#access = access;
    this.#sweeps = sweeps;
    this.#clock = clock;
    this.#proof = proof;
  }

  /** Whether there are invalidations that the file did not take. */
  get hasUnapplied(): boolean {
    return this.#unapplied.length > 0;
  }

  /** Whether the row is as good as removed. */
  covers(file: DiskFile, row: Pick<StoredRow, 'seq' | 'key'>, links: Metadata): boolean {
    const isUncertain = links.dependsOn.length > 0;
    if (this.#unapplied.some((target) => isUncertain || covers(target, row.key, links, links.tier)))
      return true;
    return this.#sweeps.covers(file, row, links);
  }

  invalidate(targets: readonly Target[]): void {
    const { file, isClosed, isRecovering } = this.#access;
    if (isClosed || targets.length === 0) return;
    if (file === undefined) {
      // There may be one again.
      this.#postpone(targets);
      return;
    }
    const isInside = file.inTransaction;
    const isDone =
      !isRecovering &&
      this.#access.attempt('could not be invalidated', () =>
        // The lock comes first: what another process is writing at the moment is covered, too.
        file.transaction(() => this.#sweeps.apply(file, targets)),
      );
    if (!isDone) this.#postpone(targets);
    // One by one: a call has no room for some 100,000 arguments.
    else if (isInside) for (const target of targets) this.#tentative.push(target);
  }

  /** Whether the file has taken all invalidations; what it has not taken is tried once more. */
  isUpToDate(): boolean {
    return this.#unapplied.length === 0 || (this.transact(() => undefined) && this.#unapplied.length === 0);
  }

  /** Runs `work` in such a transaction. True when it was committed; `work` may have been left out all the same. */
  transact(work: (file: DiskFile) => void): boolean {
    const { file } = this.#access;
    if (file?.inTransaction === true) return this.#attempt(work);
    const isCommitted = this.#attempt(work);
    const tentative = this.#tentative;
    this.#tentative = [];
    if (!isCommitted && tentative.length > 0) this.#postpone(tentative);
    return isCommitted;
  }

  #attempt(work: (file: DiskFile) => void): boolean {
    return this.#access.attempt('could not be written', (file) =>
      file.transaction(() => {
        if (this.#unapplied.length > 0) {
          this.#sweeps.apply(file, this.#unapplied);
          this.#tentative = [...this.#tentative, ...this.#unapplied];
          this.#unapplied = [];
        }
        if (!this.#proof.drain() || this.#unapplied.length > 0) return;
        this.#proof.checkpoint(file, this.#clock.epochAt(this.#clock.now()));
        work(file);
      }),
    );
  }

  #postpone(targets: readonly Target[]): void {
    const all = [...this.#unapplied, ...targets];
    this.#unapplied = all.length > MAX_UNAPPLIED ? [EVERYTHING] : all;
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#access.file === undefined) return;
    this.#cancelRetry ??= this.#clock.after(RETRY_MS, () => {
      this.#cancelRetry = undefined;
      if (this.#access.isClosed || this.#unapplied.length === 0) return;
      if (!this.#access.isRecovering && this.transact(() => undefined)) this.#access.succeeded();
      if (this.#unapplied.length > 0) this.#retryLater();
    });
  }

  stop(): void {
    this.#cancelRetry?.();
  }
}
