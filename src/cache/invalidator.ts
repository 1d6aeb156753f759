/**
 * Invalidation as one ordered log: each gets a position, and an entry or load from before it that it covers is not
 * served or kept any more (I2). Loads are voided first, then entries removed, in one synchronous step.
 *
 * Where more is covered than a slice's worth, the rest is swept in slices; until then reads ask whether a sweep covers
 * what they found, so the effect is immediate all the same (I12).
 */
import type { Clock } from './clock.ts';
import type { Entry } from './entry.ts';
import type { Disk } from './layers/disk.ts';
import type { MemoryLayer } from './layers/memory.ts';
import type { Loads } from './loads.ts';
import { inSlices } from './slices.ts';
import type { Target } from './target.ts';
import type { Removal } from './types.ts';

/** Entries looked at before the rest is left to a sweep: 1 to 2 ms, unless the machine is slow. */
const VISITS_AT_ONCE = 1_000;
const MS_AT_ONCE = 2;
/** How often the time is looked at. Most invalidations cover less, and are not timed. */
const VISITS_PER_READING = 128;

interface Tally {
  entries: number;
  weightBytes: number;
  loads: number;
}

/** One call of `invalidate`, with what it has removed so far and what is left to sweeps. */
interface Run {
  readonly position: number;
  readonly tally: Tally;
  visitsLeft: number;
  /** When what is done at once must end; set once it has gone on for a while. */
  endsAt: number | undefined;
  readonly sweeps: Promise<void>[];
  /** Keys whose dependants are still to be removed. */
  readonly roots: string[];
  /** Keys of which the disk layer knows. */
  readonly stored: Set<string>;
}

interface Sweep {
  readonly run: Run;
  readonly covers: (entry: Entry) => boolean;
}

export interface InvalidatorParts {
  readonly memory: MemoryLayer;
  readonly loads: Loads;
  readonly saves: Loads;
  readonly disk: Disk | undefined;
  readonly clock: Clock;
  readonly isClosed: () => boolean;
}

export class Invalidator {
  readonly #memory: MemoryLayer;
  readonly #loads: Loads;
  /** Values on their way to the source, to be written here afterwards (write-through). */
  readonly #saves: Loads;
  readonly #disk: Disk | undefined;
  readonly #clock: Clock;
  readonly #isClosed: () => boolean;
  #sweeps: readonly Sweep[] = [];
  /** Whether any sweep is under way: a field, since every hit asks. */
  isSweeping = false;
  #position = 0;

  constructor({ memory, loads, saves, disk, clock, isClosed }: InvalidatorParts) {
    this.#memory = memory;
    this.#loads = loads;
    this.#saves = saves;
    this.#disk = disk;
    this.#clock = clock;
    this.#isClosed = isClosed;
  }

  /** The position of the last invalidation or write. */
  get position(): number {
    return this.#position;
  }

  /** Whether an invalidation that is still being swept covers this entry. */
  isSwept(entry: Entry): boolean {
    return this.isSweeping && this.#sweepOver(entry) !== undefined;
  }

  /** Removes an entry ahead of the sweep that covers it; false when none does. */
  sweepNow(entry: Entry): boolean {
    if (!this.isSweeping) return false;
    const sweep = this.#sweepOver(entry);
    if (sweep === undefined) return false;
    this.#remove(entry, sweep.run);
    this.#cascade(sweep.run);
    return true;
  }

  #sweepOver(entry: Entry): Sweep | undefined {
    return this.#sweeps.find(({ run, covers }) => entry.position < run.position && covers(entry));
  }

  invalidate(targets: readonly Target[]): Removal {
    const run = this.#newRun();
    this.#disk?.invalidate(targets);
    for (const target of targets) {
      if (target.kind === 'key') run.stored.add(target.key);
      this.#apply(target, run);
    }
    const { tally } = run;
    if (run.sweeps.length === 0) return tally;
    return { ...tally, pending: settled(run).then(() => tally) };
  }

  /** A newer value was written for the key: what was made from the old one goes, the key itself is replaced by the caller. */
  written(key: string): void {
    const run = this.#newRun();
    this.#loads.supersede(key, run.position);
    this.#saves.supersede(key, run.position);
    run.roots.push(key);
    this.#cascade(run);
  }

  /** A load turned out at its end to be void: so is what depends on its key. */
  voidedLate(key: string): void {
    const run = this.#newRun();
    run.roots.push(key);
    this.#cascade(run);
  }

  clear(): void {
    this.#position++;
    this.#loads.voidAll(this.#position);
    this.#saves.voidAll(this.#position);
    this.#memory.removeAll();
    this.#disk?.clear();
    this.#setSweeps([]);
  }

  #newRun(): Run {
    return {
      position: ++this.#position,
      tally: { entries: 0, weightBytes: 0, loads: 0 },
      visitsLeft: VISITS_AT_ONCE,
      endsAt: undefined,
      sweeps: [],
      roots: [],
      stored: new Set(),
    };
  }

  #apply(target: Target, run: Run): void {
    const voided = this.#loads.invalidate(target, run.position);
    run.tally.loads += voided.length;
    run.roots.push(...voided, ...this.#saves.invalidate(target, run.position));
    if (target.kind === 'key') {
      const entry = this.#memory.peek(target.key);
      if (entry !== undefined) this.#remove(entry, run);
      // What depends on the key goes, whether the key is resident or not.
      run.roots.push(target.key);
    } else if (target.kind === 'tag') {
      const covers = (entry: Entry) => entry.links?.tags.includes(target.tag) ?? false;
      this.#removeAll(this.#memory.tagged(target.tag), covers, run);
    } else {
      const { pattern } = target;
      this.#removeAll(this.#memory.candidates(pattern.prefix), (entry) => pattern.matches(entry.key), run);
      if (this.#memory.hasDependants) {
        const covers = (entry: Entry) => entry.links?.dependsOn.some((key) => pattern.matches(key)) ?? false;
        this.#removeAll(this.#memory.dependantsOfMatching(pattern), covers, run);
      }
    }
    this.#cascade(run);
  }

  /** Removes what depends on the roots, and what depends on that. What is removed is not found again, so cycles end. */
  #cascade(run: Run): void {
    const met: Target[] = [];
    for (let root = run.roots.pop(); root !== undefined; root = run.roots.pop()) {
      const key = root;
      if (!run.stored.has(key)) {
        run.stored.add(key);
        met.push({ kind: 'key', key });
      }
      if (this.#memory.hasDependants) {
        const covers = (entry: Entry) => entry.links?.dependsOn.includes(key) ?? false;
        this.#removeAll(this.#memory.dependantsOf(key), covers, run);
      }
      const voided = this.#loads.invalidate({ kind: 'key', key }, run.position);
      run.tally.loads += voided.length;
      voided.push(...this.#saves.invalidate({ kind: 'key', key }, run.position));
      for (const other of voided) if (other !== key) run.roots.push(other);
    }
    // On disk there may be what depends on them, too.
    this.#disk?.invalidate(met);
  }

  /** Removes those of the candidates that are covered: at once where that is quick, else the rest in a sweep. */
  #removeAll(candidates: Iterable<Entry | undefined>, covers: (entry: Entry) => boolean, run: Run): void {
    const iterator = candidates[Symbol.iterator]();
    const visit = (entry: Entry | undefined) => {
      if (entry === undefined || !covers(entry) || entry.position >= run.position) return;
      // An iterator may still give what was removed meanwhile.
      if (this.#memory.stillHolds(entry)) this.#remove(entry, run);
    };
    for (; run.visitsLeft > 0; run.visitsLeft--) {
      if (run.visitsLeft % VISITS_PER_READING === 0) this.#limit(run);
      const next = iterator.next();
      if (next.done === true) return;
      visit(next.value);
    }
    this.#sweep({ [Symbol.iterator]: () => iterator }, visit, { run, covers });
  }

  #limit(run: Run): void {
    const now = this.#clock.precise();
    run.endsAt ??= now + MS_AT_ONCE;
    if (now >= run.endsAt) run.visitsLeft = 0;
  }

  #sweep(rest: Iterable<Entry | undefined>, visit: (entry: Entry | undefined) => void, sweep: Sweep): void {
    const { run, covers } = sweep;
    this.#setSweeps([...this.#sweeps, sweep]);
    // What depends on what the sweep has yet to come upon goes now all the same, and so does every load that may.
    for (const entry of this.#memory.dependedOn()) {
      if (entry.position < run.position && covers(entry)) run.roots.push(entry.key);
    }
    this.#loads.distrustLinks(run.position);
    const isOver = () => this.#isClosed() || !this.#sweeps.includes(sweep);
    const step = (entry: Entry | undefined) => {
      visit(entry);
      if (run.roots.length > 0) this.#cascade(run);
    };
    const swept = async () => {
      // What is done at once in this turn has been done.
      await this.#clock.yield();
      if (!isOver()) await inSlices(this.#clock, rest, step, isOver);
      this.#setSweeps(this.#sweeps.filter((other) => other !== sweep));
    };
    run.sweeps.push(swept());
  }

  #setSweeps(sweeps: readonly Sweep[]): void {
    this.#sweeps = sweeps;
    this.isSweeping = sweeps.length > 0;
  }

  #remove(entry: Entry, run: Run): void {
    this.#memory.remove(entry, 'invalidated');
    run.tally.entries++;
    run.tally.weightBytes += entry.weightBytes;
    if (this.#memory.isDependedOn(entry.key)) run.roots.push(entry.key);
  }
}

/** When every sweep of the run has ended, those that began meanwhile included. */
async function settled(run: Run): Promise<void> {
  for (let sweep = run.sweeps.pop(); sweep !== undefined; sweep = run.sweeps.pop()) await sweep;
}
