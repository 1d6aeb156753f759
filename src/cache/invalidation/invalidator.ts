/**
 * Invalidation as one ordered log: each gets a position, and an entry or load from before it that it covers is not
 * served or kept any more (I2). Loads are voided first, then entries removed, in one synchronous step.
 *
 * Where more is covered than a slice's worth, the rest is swept in slices; until then reads ask whether a sweep covers
 * what they found, so the effect is immediate all the same (I12).
 */
import type { Clock } from '../clock.ts';
import type { Entry } from '../entry.ts';
import { canonicalKey } from '../keys/canonical.ts';
import type { Pattern } from '../keys/pattern.ts';
import type { Target } from '../keys/target.ts';
import type { Disk } from '../layers/disk/disk.ts';
import type { MemoryLayer } from '../layers/memory.ts';
import type { Loads } from '../loading/loads.ts';
import type { Removal } from '../removal.ts';
import { inSlices } from '../slices.ts';

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
  /** What covers the dependants of all it covers by itself. */
  readonly patterns: Pattern[];
  /** Keys whose dependants are still to be removed, each as it is spelled. */
  readonly roots: string[];
  /** Of these, those left to the sweep that is under way for them, by canonical text. It may grow meanwhile. */
  late: Set<string> | undefined;
  /** Keys, by canonical text, of which the disk layer knows, and those of which it is still to be told. */
  readonly stored: Set<string>;
  untold: Target[];
}

interface Sweep {
  readonly run: Run;
  readonly covers: (entry: Entry) => boolean;
}

/** How many keys a sweep tells the disk layer of at a time: each time is a transaction. */
const KEYS_A_TELLING = 50;

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

  /** Whether it covers what depends on these keys and is not in memory. */
  isSweptFrom(dependsOn: readonly string[]): boolean {
    if (!this.isSweeping) return false;
    return dependsOn.some((key) => {
      const canonical = canonicalKey(key);
      return (
        this.#memory.spelled(canonical).some((entry) => this.isSwept(entry)) ||
        this.#sweeps.some(({ run }) => run.stored.has(canonical))
      );
    });
  }

  /** Removes an entry ahead of the sweep that covers it; false when none does. */
  sweepNow(entry: Entry): boolean {
    if (!this.isSweeping) return false;
    const sweep = this.#sweepOver(entry);
    if (sweep === undefined) return false;
    this.#remove(entry, sweep.run);
    this.#cascade(sweep.run);
    this.#tellDisk(sweep.run);
    return true;
  }

  /** An entry has left, for whatever reason: sweeps that cover it must still find what depends on it. */
  left(entry: Entry): void {
    const canonical = canonicalKey(entry.key);
    if (this.#disk === undefined && !this.#memory.isDependedOn(canonical)) return;
    for (const sweep of this.#sweeps) {
      // A pattern finds the dependants of what it covers by itself.
      if (sweep.run.patterns.some((pattern) => pattern.matches(entry.key))) continue;
      if (this.#isUnder(sweep, entry, undefined)) this.#later(canonical, sweep.run);
    }
  }

  #sweepOver(entry: Entry): Sweep | undefined {
    return this.#sweeps.find((sweep) => this.#isUnder(sweep, entry, undefined));
  }

  /** Whether a sweep covers an entry, by itself or by anything it depends on that is still there. */
  #isUnder(sweep: Sweep, entry: Entry, known: Set<string> | undefined): boolean {
    if (entry.position >= sweep.run.position) return false;
    if (sweep.covers(entry)) return true;
    const { links } = entry;
    if (links === undefined || links.dependsOn.length === 0) return false;
    const met = known ?? new Set();
    return links.dependsOn.some((key) => {
      if (met.has(key)) return false;
      met.add(key);
      return this.#memory.spelled(canonicalKey(key)).some((other) => this.#isUnder(sweep, other, met));
    });
  }

  invalidate(targets: readonly Target[]): Removal {
    const run = this.#newRun();
    this.#disk?.invalidate(targets);
    for (const target of targets) {
      if (target.kind === 'key') run.stored.add(target.key);
      this.#apply(target, run);
    }
    this.#tellDisk(run);
    const { tally } = run;
    if (run.sweeps.length === 0) return tally;
    return { ...tally, pending: settled(run).then(() => tally) };
  }

  /**
   * A newer value was written for the key: what was made from the old one goes, and so does what is held under other
   * spellings of the key. The key itself is replaced by the caller.
   */
  written(key: string): void {
    const run = this.#newRun();
    const canonical = canonicalKey(key);
    this.#removeSpelled(canonical, run, key);
    this.#supersede(canonical, run);
    run.roots.push(key);
    this.#cascade(run);
    this.#tellDisk(run);
  }

  /** A load turned out at its end to be void: so is what depends on its key. */
  voidedLate(key: string): void {
    const run = this.#newRun();
    this.#follow(canonicalKey(key), run);
    this.#cascade(run);
    this.#tellDisk(run);
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
      patterns: [],
      roots: [],
      late: undefined,
      stored: new Set(),
      untold: [],
    };
  }

  #apply(target: Target, run: Run): void {
    if (target.kind === 'key') {
      this.#removeSpelled(target.key, run);
      this.#supersede(target.key, run);
      // What depends on the key goes, whether the key is resident or not.
      run.roots.push(target.key);
    } else {
      this.#voided(this.#loads.invalidate(target, run.position), run);
      for (const key of this.#saves.invalidate(target, run.position)) run.roots.push(key);
    }
    if (target.kind === 'tier') {
      const covers = (entry: Entry) => entry.counters.policy.tier === target.tier;
      this.#removeAll(this.#memory.candidates(''), covers, run);
    } else if (target.kind === 'tag') {
      const covers = (entry: Entry) => entry.links?.tags.includes(target.tag) ?? false;
      this.#removeAll(this.#memory.tagged(target.tag), covers, run);
    } else if (target.kind === 'pattern') {
      const { pattern } = target;
      run.patterns.push(pattern);
      this.#removeAll(this.#memory.candidatesOf(pattern), (entry) => pattern.matches(entry.key), run);
      if (this.#memory.hasDependants) {
        const covers = (entry: Entry) => entry.links?.dependsOn.some((key) => pattern.matches(key)) ?? false;
        this.#removeAll(this.#memory.dependantsOfMatching(pattern), covers, run);
      }
    }
    this.#cascade(run);
  }

  /** Removes what is held under all spellings of a key, but for one. */
  #removeSpelled(canonical: string, run: Run, except?: string): void {
    const entries = this.#memory.spelled(canonical);
    const [only] = entries;
    if (entries.length > 1) {
      const covers = ({ key }: Entry) => key !== except && canonicalKey(key) === canonical;
      this.#removeAll(entries, covers, run);
    } else if (only !== undefined && only.key !== except) this.#remove(only, run);
  }

  /** Voids the loads and saves in flight for all spellings of a key. */
  #supersede(canonical: string, run: Run): void {
    this.#voided(this.#loads.supersedeAll(canonical, run.position), run);
    for (const key of this.#saves.supersedeAll(canonical, run.position)) run.roots.push(key);
  }

  #voided(keys: readonly string[], run: Run): void {
    run.tally.loads += keys.length;
    for (const key of keys) run.roots.push(key);
  }

  /** Removes what depends on the roots, and what depends on that. What is removed is not found again, so cycles end. */
  #cascade(run: Run): void {
    for (let root = run.roots.pop(); root !== undefined; root = run.roots.pop()) {
      if (this.#loads.supersede(root, run.position)) run.tally.loads++;
      this.#saves.supersede(root, run.position);
      this.#follow(canonicalKey(root), run);
    }
  }

  /** Removes what depends on the key itself, given by its canonical text. */
  #follow(key: string, run: Run): void {
    this.#noteForDisk(key, run);
    this.#voided(this.#loads.invalidateDependants(key, run.position), run);
    for (const other of this.#saves.invalidateDependants(key, run.position)) run.roots.push(other);
    if (!this.#memory.isDependedOn(key)) return;
    for (const entry of this.#memory.dependantsOf(key)) {
      if (!this.#mayVisit(run)) {
        this.#later(key, run);
        return;
      }
      if (entry.position < run.position && this.#memory.stillHolds(entry)) this.#remove(entry, run);
    }
  }

  /** Leaves what depends on the key to a sweep: one for all such keys of a run. */
  #later(key: string, run: Run): void {
    this.#noteForDisk(key, run);
    if (run.late !== undefined) {
      run.late.add(key);
      return;
    }
    const late = new Set([key]);
    run.late = late;
    const covers = (entry: Entry) => entry.links?.dependsOn.some((other) => late.has(other)) ?? false;
    this.#sweep(this.#lateDependants(late, run), { run, covers });
  }

  *#lateDependants(late: ReadonlySet<string>, run: Run): Generator<Entry, void, undefined> {
    for (const key of late) yield* this.#memory.dependantsOf(key);
    // What comes later needs another sweep.
    run.late = undefined;
  }

  /** On disk there may be what depends on the key, too. */
  #noteForDisk(key: string, run: Run): void {
    if (this.#disk === undefined || run.stored.has(key)) return;
    run.stored.add(key);
    run.untold.push({ kind: 'key', key });
  }

  #tellDisk(run: Run): void {
    if (run.untold.length === 0) return;
    const { untold } = run;
    run.untold = [];
    if (this.#disk?.hasDependants === true) this.#disk.invalidate(untold);
  }

  /** Removes those of the candidates that are covered: at once where that is quick, else the rest in a sweep. */
  #removeAll(candidates: Iterable<Entry | undefined>, covers: (entry: Entry) => boolean, run: Run): void {
    const iterator = candidates[Symbol.iterator]();
    while (this.#mayVisit(run)) {
      const next = iterator.next();
      if (next.done === true) return;
      const entry = next.value;
      if (entry === undefined || !covers(entry) || entry.position >= run.position) continue;
      // An iterator may still give what was removed meanwhile.
      if (this.#memory.stillHolds(entry)) this.#remove(entry, run);
    }
    this.#sweep({ [Symbol.iterator]: () => iterator }, { run, covers });
  }

  /** Whether one more may be visited at once. */
  #mayVisit(run: Run): boolean {
    if (run.visitsLeft <= 0) return false;
    if (run.visitsLeft % VISITS_PER_READING === 0) {
      const now = this.#clock.precise();
      run.endsAt ??= now + MS_AT_ONCE;
      if (now >= run.endsAt) run.visitsLeft = 0;
    }
    return run.visitsLeft-- > 0;
  }

  /** Removes the rest in slices. Until then reads ask whether it covers what they found, and loads are not trusted. */
  #sweep(rest: Iterable<Entry | undefined>, sweep: Sweep): void {
    const { run, covers } = sweep;
    this.#setSweeps([...this.#sweeps, sweep]);
    this.#loads.distrustLinks(run.position);
    this.#saves.voidLinked(run.position);
    const isOver = () => this.#isClosed() || !this.#sweeps.includes(sweep);
    const visit = (entry: Entry | undefined) => {
      if (entry === undefined || !covers(entry) || entry.position >= run.position) return;
      if (!this.#memory.stillHolds(entry)) return;
      this.#remove(entry, run);
      this.#cascade(run);
      if (run.untold.length >= KEYS_A_TELLING) this.#tellDisk(run);
    };
    const swept = async () => {
      // What is done at once in this turn has been done.
      await this.#clock.yield();
      if (!isOver()) await inSlices(this.#clock, rest, visit, isOver);
      this.#tellDisk(run);
      this.#setSweeps(this.#sweeps.filter((other) => other !== sweep));
    };
    run.sweeps.push(swept());
  }

  #setSweeps(sweeps: readonly Sweep[]): void {
    this.#sweeps = sweeps;
    this.isSweeping = sweeps.length > 0;
  }

  #remove(entry: Entry, run: Run): void {
    const { key } = entry;
    this.#memory.remove(entry, 'invalidated');
    run.tally.entries++;
    run.tally.weightBytes += entry.weightBytes;
    if (this.#mayBeDependedOn(key) && !run.patterns.some((pattern) => pattern.matches(key))) {
      run.roots.push(key);
    }
  }

  #mayBeDependedOn(key: string): boolean {
    if (this.#loads.isAny || this.#saves.isAny || this.#disk !== undefined) return true;
    return this.#memory.hasDependants && this.#memory.isDependedOn(canonicalKey(key));
  }
}

/** When every sweep of the run has ended, those that began meanwhile included. */
async function settled(run: Run): Promise<void> {
  for (let sweep = run.sweeps.pop(); sweep !== undefined; sweep = run.sweeps.pop()) await sweep;
}
