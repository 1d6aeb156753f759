/**
 * Invalidation as one ordered log: each gets a position, and an entry or load from before it that it covers is not
 * served or kept any more (I2). Loads are voided first, then entries removed, in one synchronous step.
 *
 * Where a pattern or tag covers more than a slice's worth, the rest is swept in slices; until then reads ask whether
 * a sweep covers what they found, so the effect is immediate all the same (I12).
 */
import type { Clock } from './clock.ts';
import type { Entry } from './entry.ts';
import type { MemoryLayer } from './layers/memory.ts';
import type { Loads } from './loads.ts';
import { inSlices } from './slices.ts';
import { covers, type Target } from './target.ts';
import type { Removal } from './types.ts';

/** Keys looked at before the rest is left to a sweep: 1 to 2 ms. */
const VISITS_AT_ONCE = 1_000;

interface Tally {
  entries: number;
  weightBytes: number;
  loads: number;
}

interface Sweep {
  readonly position: number;
  readonly target: Target;
  readonly tally: Tally;
}

export class Invalidator {
  readonly #memory: MemoryLayer;
  readonly #loads: Loads;
  readonly #clock: Clock;
  readonly #isClosed: () => boolean;
  #sweeps: readonly Sweep[] = [];
  /** Whether any sweep is under way: a field, since every hit asks. */
  isSweeping = false;
  #position = 0;

  constructor(memory: MemoryLayer, loads: Loads, clock: Clock, isClosed: () => boolean) {
    this.#memory = memory;
    this.#loads = loads;
    this.#clock = clock;
    this.#isClosed = isClosed;
  }

  /** The position of the last invalidation or write. */
  get position(): number {
    return this.#position;
  }

  /** Whether an invalidation that is still being swept covers this entry. */
  isSwept(key: string, entry: Entry): boolean {
    return this.#sweepOver(key, entry) !== undefined;
  }

  /** Removes an entry ahead of the sweep that covers it; false when none does. */
  sweepNow(key: string, entry: Entry): boolean {
    const sweep = this.#sweepOver(key, entry);
    if (sweep !== undefined) this.#remove(key, entry, sweep.tally);
    return sweep !== undefined;
  }

  #sweepOver(key: string, entry: Entry): Sweep | undefined {
    return this.#sweeps.find(
      ({ position, target }) => entry.position < position && covers(target, key, entry.links),
    );
  }

  invalidate(targets: readonly Target[]): Removal {
    this.#position++;
    const tally: Tally = { entries: 0, weightBytes: 0, loads: 0 };
    const rest = targets.flatMap((target) => this.#apply(target, tally) ?? []);
    if (rest.length === 0) return tally;
    return { ...tally, pending: Promise.all(rest).then(() => tally) };
  }

  /** A newer value was written for the key: what was made from the old one goes, the key itself is replaced by the caller. */
  written(key: string): void {
    this.#position++;
    this.#loads.supersede(key, this.#position);
    const tally: Tally = { entries: 0, weightBytes: 0, loads: 0 };
    this.#cascade([key], tally, new Set([key]));
  }

  /** A load turned out at its end to be void: so is what depends on its key. */
  voidedLate(key: string): void {
    this.#cascade([key], { entries: 0, weightBytes: 0, loads: 0 }, new Set([key]));
  }

  clear(): void {
    this.#position++;
    this.#loads.voidAll(this.#position);
    this.#memory.removeAll();
    this.#setSweeps([]);
  }

  #apply(target: Target, tally: Tally): Promise<void> | undefined {
    const voided = this.#loads.invalidate(target, this.#position);
    tally.loads += voided.length;
    // What depends on a covered key goes, whether that key is resident or not.
    const roots = [...voided, ...this.#dependedOn(target)];
    let rest: Promise<void> | undefined;
    if (target.kind === 'key') this.#removeKey(target.key, tally);
    else rest = this.#removeCovered(target, tally, roots);
    if (roots.length > 0) this.#cascade(roots, tally, new Set());
    return rest;
  }

  #dependedOn(target: Target): Iterable<string> {
    if (!this.#memory.hasDependants && this.#loads.size === 0) return [];
    if (target.kind === 'key') return [target.key];
    return target.kind === 'pattern' ? this.#memory.dependedOn(target.pattern) : [];
  }

  /** Removes what a pattern or tag covers, at once where that is quick. Keys removed by tag become roots of a cascade. */
  #removeCovered(
    target: Exclude<Target, { kind: 'key' }>,
    tally: Tally,
    roots: string[],
  ): Promise<void> | undefined {
    const found =
      target.kind === 'tag'
        ? this.#memory.tagged(target.tag)
        : this.#memory.candidates(target.pattern.prefix);
    const iterator = found[Symbol.iterator]();
    const position = this.#position;
    const visit = (key: string | undefined) => {
      if (key === undefined || (target.kind === 'pattern' && !target.pattern.matches(key))) return false;
      const entry = this.#memory.peek(key);
      if (entry === undefined || entry.position >= position) return false;
      this.#remove(key, entry, tally);
      return true;
    };
    for (let visits = 0; visits < VISITS_AT_ONCE; visits++) {
      const next = iterator.next();
      if (next.done === true) return undefined;
      if (visit(next.value) && target.kind === 'tag' && next.value !== undefined) roots.push(next.value);
    }
    if (target.kind === 'tag') {
      // Which keys the sweep will come upon is not known yet, what depends on them goes now all the same.
      for (const key of this.#memory.dependedOnTagged(target.tag)) roots.push(key);
      this.#loads.distrustLinks(position);
    }
    const sweep: Sweep = { position, target, tally };
    this.#setSweeps([...this.#sweeps, sweep]);
    const isOver = () => this.#isClosed() || !this.#sweeps.includes(sweep);
    const remaining: Iterable<string | undefined> = { [Symbol.iterator]: () => iterator };
    return inSlices(this.#clock, remaining, visit, isOver).then(() => {
      this.#setSweeps(this.#sweeps.filter((other) => other !== sweep));
    });
  }

  /** Removes what depends on the roots, and what depends on that. Each key is looked at once, so cycles end. */
  #cascade(roots: readonly string[], tally: Tally, seen: Set<string>): void {
    const open = [...roots];
    for (let root = open.pop(); root !== undefined; root = open.pop()) {
      for (const key of [...this.#memory.dependantsOf(root)]) {
        if (seen.has(key)) continue;
        seen.add(key);
        this.#removeKey(key, tally);
        open.push(key);
      }
      const voided = this.#loads.invalidate({ kind: 'key', key: root }, this.#position);
      tally.loads += voided.length;
      for (const key of voided) {
        if (seen.has(key)) continue;
        seen.add(key);
        open.push(key);
      }
    }
  }

  #setSweeps(sweeps: readonly Sweep[]): void {
    this.#sweeps = sweeps;
    this.isSweeping = sweeps.length > 0;
  }

  #removeKey(key: string, tally: Tally): void {
    const entry = this.#memory.peek(key);
    if (entry !== undefined) this.#remove(key, entry, tally);
  }

  #remove(key: string, entry: Entry, tally: Tally): void {
    this.#memory.remove(key, entry, 'invalidated');
    tally.entries++;
    tally.weightBytes += entry.weightBytes;
  }
}
