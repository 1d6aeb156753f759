/**
 * Invalidations that cover more rows than can be removed at once: they are written down first, and then carried out in
 * slices (I12), while reads look past what they cover. What a process leaves undone, the next one goes on with.
 */
import type { Clock } from '../../clock.ts';
import { canonicalKey } from '../../keys/canonical.ts';
import { covers, type Target } from '../../keys/target.ts';
import type { DiskAccess } from './access.ts';
import type { DiskFile, StoredRow } from './file.ts';
import type { Metadata } from './rows.ts';
import { addSweep, endSweep, type PendingSweep, stateOf, sweepOf } from './state.ts';
import { coveredKeys, readTarget, removeCovered, writtenTarget } from './targets.ts';

interface Sweep extends PendingSweep {
  readonly targets: readonly Target[];
  /** Of these, the keys, which may be many. */
  readonly keys: ReadonlySet<string>;
  readonly others: readonly Target[];
}

/** Rows that invalidations of one turn of the loop remove before the rest is left to a sweep, and for how long they look. */
const REMOVALS_AT_ONCE = 100;
const MS_AT_ONCE = 1;
/** Rows removed in one step of a sweep, and how long that may take: the commit takes a third of it on top. */
const SWEEP_STEP = 100;
const STEP_MS = 2;
/** Looking at a row that stays takes less than this share of removing one. */
const LOOKS_A_REMOVAL = 10;

export class DiskSweeps {
  readonly #access: DiskAccess;
  readonly #clock: Clock;
  #sweeps: readonly Sweep[] = [];
  #seenVersion = -1;
  #sweeping: Promise<void> | undefined;
  #endsAt = Number.POSITIVE_INFINITY;
  /** The sweeps whose rows are counted. */
  readonly #counted = new Set<number>();
  #removed = 0;
  /** What invalidations have used of this turn of the loop; `undefined` where none has used any. */
  #used: { removals: number; ms: number } | undefined;

  constructor(access: DiskAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** Takes up what was left undone in a file that was just opened. */
  begin(file: DiskFile): void {
    this.#load(file);
    // Of another connection.
    this.#seenVersion = -1;
  }

  /** Counts what those that are pending remove from here on. */
  countPending(): void {
    for (const { id } of this.#sweeps) this.#counted.add(id);
  }

  /** How many rows these have removed. */
  get removed(): number {
    return this.#removed;
  }

  /** Whether nothing is left to be carried out. */
  get isIdle(): boolean {
    return this.#sweeps.length === 0;
  }

  /** When all are carried out, as far as the disk lets, or `isOver` says so. */
  async ended(isOver: () => boolean): Promise<void> {
    this.resume();
    while (this.#sweeping !== undefined && !isOver()) await this.#clock.yield();
  }

  /** The same, in the time that is left to the process: 0 lets the step end that is under way. */
  async endWithin(ms: number): Promise<void> {
    this.#endsAt = this.#clock.precise() + ms;
    await this.#sweeping;
  }

  /** Removes what the targets cover, or sees to it that it is. Runs within a transaction. */
  apply(file: DiskFile, targets: readonly Target[]): void {
    const used = this.#usedThisTurn();
    const ms = used.ms - this.#clock.precise();
    const isOver = () => used.removals > REMOVALS_AT_ONCE || ms + this.#clock.precise() > MS_AT_ONCE;
    const tooLarge = targets.filter((target) => {
      if (isOver()) return true;
      const keys = new Set<string>();
      for (const key of coveredKeys(file, target)) {
        used.removals += costOf(key);
        if (isOver()) return true;
        if (key !== undefined) keys.add(key);
      }
      for (const key of keys) removeCovered(file, key);
      return false;
    });
    if (tooLarge.length > 0) this.#begin(file, tooLarge);
    used.ms = ms + this.#clock.precise();
  }

  #usedThisTurn(): { removals: number; ms: number } {
    if (this.#used !== undefined) return this.#used;
    this.#used = { removals: 0, ms: 0 };
    void this.#clock.yield().then(() => {
      this.#used = undefined;
    });
    return this.#used;
  }

  #begin(file: DiskFile, targets: readonly Target[]): void {
    this.#sweeps = [...this.#sweeps, compiled(addSweep(file, written(targets), file.lastSeq))];
    // Until it is committed, other processes do not know of it, nor may it come to be.
    this.#seenVersion = -1;
    this.resume();
  }

  /** Whether the row is as good as removed. */
  covers(file: DiskFile, row: Pick<StoredRow, 'seq' | 'key'>, links: Metadata): boolean {
    this.#follow(file);
    // What it depends on may be covered, through others that are gone by now.
    const isUncertain = links.dependsOn.length > 0;
    return this.#sweeps.some(
      ({ through, keys, others }) =>
        row.seq <= through &&
        (isUncertain ||
          keys.has(canonicalKey(row.key)) ||
          others.some((target) => covers(target, row.key, links, links.tier))),
    );
  }

  /** Carries out what is pending, in the background. */
  resume(): void {
    if (this.#sweeps.length === 0) return;
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = undefined;
    });
  }

  /** Another process may have begun a sweep, or one of ours may have been undone with its transaction. */
  #follow(file: DiskFile): void {
    const version = file.dataVersion;
    if (version === this.#seenVersion) return;
    this.#load(file);
    this.#seenVersion = file.inTransaction ? -1 : version;
  }

  #load(file: DiskFile): void {
    const known = new Map(this.#sweeps.map((sweep) => [sweep.id, sweep]));
    const sweeps: Sweep[] = [];
    for (let { first: id, next } = stateOf(file).sweeps; id < next; id++) {
      const sweep = sweepOf(file, id);
      const same = known.get(id);
      // The one that is known under the number may have been undone with its transaction.
      sweeps.push(same?.target === sweep.target && same.through === sweep.through ? same : compiled(sweep));
    }
    this.#sweeps = sweeps;
  }

  async #sweepAll(): Promise<void> {
    // What is pending may still be rolled back with the transaction that has begun it.
    await this.#clock.yield();
    for (;;) {
      const { file } = this.#access;
      if (file === undefined || !this.#access.attempt('could not be read', () => this.#follow(file))) return;
      const sweep = this.#sweeps[0];
      // What could not be carried out stays written down.
      if (sweep === undefined || !(await this.#isCarriedOut(sweep, file))) return;
      this.#counted.delete(sweep.id);
      this.#sweeps = this.#sweeps.filter(({ id }) => id !== sweep.id);
    }
  }

  async #isCarriedOut({ id, targets, through }: Sweep, file: DiskFile): Promise<boolean> {
    const keys = keysOf(file, targets);
    for (let isMore = true; isMore; ) {
      let removed = 0;
      const isDone = this.#attempt(file, () => {
        const until = this.#clock.precise() + STEP_MS;
        for (let left = SWEEP_STEP; left > 0 && isMore && this.#clock.precise() <= until; ) {
          const { value: key, done } = keys.next();
          isMore = done !== true;
          left -= costOf(key);
          if (key === undefined || (file.seqOf(key) ?? 0) > through) continue;
          if (removeCovered(file, key)) removed++;
        }
        if (!isMore) endSweep(file, id);
      });
      if (isDone && this.#counted.has(id)) this.#removed += removed;
      if (!isDone || (isMore && this.#clock.precise() >= this.#endsAt)) return false;
      await this.#clock.yield();
    }
    return true;
  }

  #attempt(file: DiskFile, work: () => void): boolean {
    if (this.#access.file !== file) return false;
    return this.#access.attempt('could not be invalidated', () => file.transaction(work));
  }
}

function compiled(sweep: PendingSweep): Sweep {
  const targets = readTargets(sweep.target);
  const keys = new Set(targets.flatMap((target) => (target.kind === 'key' ? [target.key] : [])));
  return { ...sweep, targets, keys, others: targets.filter(({ kind }) => kind !== 'key') };
}

/** What {@link coveredKeys} gives of each; a target that covers nothing was looked for, too. */
function* keysOf(file: DiskFile, targets: readonly Target[]): Generator<string | undefined, void, undefined> {
  for (const target of targets) {
    yield* coveredKeys(file, target);
    yield undefined;
  }
}

/** One as it is written by `targets.ts`, more as a list of such. */
function written(targets: readonly Target[]): string {
  const [first, ...more] = targets.map(writtenTarget);
  return first !== undefined && more.length === 0 ? first : JSON.stringify([first, ...more]);
}

function readTargets(text: string): Target[] {
  const texts = text.startsWith('[') ? (JSON.parse(text) as readonly string[]) : [text]; // of a sealed record
  return texts.map(readTarget);
}

/** In removals. */
function costOf(key: unknown): number {
  return key === undefined ? 1 / LOOKS_A_REMOVAL : 1;
}
