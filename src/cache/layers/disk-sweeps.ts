/**
 * Invalidations that cover more rows than can be removed at once: they are written down first, and then carried out in
 * slices (I12), while reads look past what they cover. What a process leaves undone, the next one goes on with.
 */
import type { Clock } from '../clock.ts';
import type { EntryLinks } from '../entry.ts';
import { inSlices } from '../slices.ts';
import { covers, type Target } from '../target.ts';
import type { DiskAccess } from './disk-access.ts';
import type { DiskFile, PendingRow, StoredRow } from './disk-file.ts';
import { coveredKeys, readTarget, writtenTarget } from './disk-targets.ts';

interface Sweep extends PendingRow {
  readonly covers: Target;
}

/** Rows an invalidation removes before the rest is left to a sweep: some 5 ms. */
const REMOVALS_AT_ONCE = 200;
/** Rows looked at in one step of a sweep. */
const SWEEP_STEP = 100;

export class DiskSweeps {
  readonly #access: DiskAccess;
  readonly #clock: Clock;
  #sweeps: readonly Sweep[] = [];
  #seenVersion = -1;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(access: DiskAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** Takes up what was left undone. */
  begin(file: DiskFile): void {
    this.#load(file);
    if (this.#sweeps.length > 0) this.#sweep();
  }

  /** When all are carried out. */
  get ended(): Promise<void> {
    return this.#sweeping;
  }

  /** Removes what the target covers, or sees to it that it is. */
  apply(file: DiskFile, target: Target): void {
    const keys: string[] = [];
    for (const key of coveredKeys(file, target)) if (keys.push(key) > REMOVALS_AT_ONCE) break;
    if (keys.length === 0) return;
    file.transaction(() => {
      if (keys.length <= REMOVALS_AT_ONCE) for (const key of keys) file.delete(key);
      else file.addPending(writtenTarget(target));
    });
    if (keys.length <= REMOVALS_AT_ONCE) return;
    this.#load(file);
    this.#sweep();
  }

  /** Whether the row is as good as removed. */
  covers(file: DiskFile, row: StoredRow, links: EntryLinks): boolean {
    // Another process may have begun a sweep.
    const version = file.dataVersion;
    if (version !== this.#seenVersion) {
      this.#seenVersion = version;
      this.#load(file);
    }
    return this.#sweeps.some((sweep) => row.seq <= sweep.through && covers(sweep.covers, row.key, links));
  }

  #load(file: DiskFile): void {
    this.#sweeps = file.pending().map((row) => ({ ...row, covers: readTarget(row.target) }));
  }

  #sweep(): void {
    this.#sweeping = this.#sweeping.then(async () => {
      const isOver = () => this.#access.isClosed;
      for (let sweep = this.#sweeps[0]; sweep !== undefined && !isOver(); sweep = this.#sweeps[0]) {
        const { id } = sweep;
        await inSlices(this.#clock, this.#steps(sweep), () => undefined, isOver);
        if (isOver()) return;
        const ended = this.#access.attempt('could not be invalidated', (file) => {
          file.endPending(id);
          this.#load(file);
        });
        // What could not be carried out stays written down.
        if (!ended) return;
      }
    });
  }

  *#steps({ covers: target, through }: Sweep): Generator<void, void, undefined> {
    const { file } = this.#access;
    if (file === undefined) return;
    const keys = coveredKeys(file, target);
    for (let isMore = true; isMore; ) {
      const isDone = this.#access.attempt('could not be invalidated', () =>
        file.transaction(() => {
          for (let i = 0; i < SWEEP_STEP && isMore; i++) {
            const { value: key, done } = keys.next();
            isMore = done !== true;
            if (key !== undefined && (file.seqOf(key) ?? Number.POSITIVE_INFINITY) <= through)
              file.delete(key);
          }
        }),
      );
      if (!isDone) return;
      yield;
    }
  }
}
