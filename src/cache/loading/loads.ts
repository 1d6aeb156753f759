/**
 * The loads in flight, at most one a key, what was invalidated while they ran, and what they may have read that is gone.
 * Invariants: a load is removed by identity only; once an invalidation has returned, nobody joins a load that it covers.
 */
import type { EntryLinks } from '../entry.ts';
import { Departures } from '../invalidation/departures.ts';
import { InvalidatedSince } from '../invalidation/invalidated-since.ts';
import { canonicalKey } from '../keys/canonical.ts';
import { covers, type Target } from '../keys/target.ts';
import type { Load } from './load.ts';

/** A newer load has given its value: this one fills nothing, but whoever joined it is well served. */
const SUPERSEDED = Number.POSITIVE_INFINITY;

export class Loads {
  readonly #inFlight = new Map<string, Load>();
  /**
   * Loads whose place a newer one took. They go on for those who joined them, and fill until the newer one has given its
   * value: should that fail, theirs is the newest there is.
   */
  readonly #superseded = new Set<Load>();
  /** Those in flight by the canonical texts of their keys, where these differ. */
  readonly #spellings = new Map<string, Set<Load>>();
  /** The loads in flight by the keys they depend on, as far as they have said so. */
  readonly #dependants = new Map<string, Set<Load>>();
  /** Tags and dependencies may be learnt when a load ends, so what was invalidated meanwhile is remembered. */
  readonly #invalidated = new InvalidatedSince();
  readonly #departures = new Departures();
  #begun = 0;

  get size(): number {
    return this.#inFlight.size;
  }

  /** Whether there is a load that an invalidation, or what leaves, may be of importance to. */
  get isAny(): boolean {
    return this.#inFlight.size > 0 || this.#superseded.size > 0;
  }

  get(key: string): Load | undefined {
    return this.#inFlight.get(key);
  }

  all(): Iterable<Load> {
    return this.#inFlight.values();
  }

  /** Nobody joins a load any more that was in flight for the key. */
  begin(load: Load): void {
    const before = this.#inFlight.get(load.key);
    if (before !== undefined) this.#superseded.add(before);
    load.number = ++this.#begun;
    load.loads = this;
    this.#inFlight.set(load.key, load);
    const canonical = canonicalKey(load.key);
    if (canonical !== load.key) addTo(this.#spellings, canonical, load);
    for (const key of load.ownLinks?.dependsOn ?? []) this.learnt(load, key);
  }

  /** A load has said that it depends on a key. */
  learnt(load: Load, key: string): void {
    if (this.#inFlight.get(load.key) !== load && !this.#superseded.has(load)) return;
    addTo(this.#dependants, key, load);
  }

  end(load: Load): void {
    this.#take(load);
    if (this.#superseded.size > 0) this.#superseded.delete(load);
    if (!this.isAny) this.#forget();
  }

  /** A load has given its value: those of its key from before it fill nothing any more. */
  overtake(load: Load): void {
    for (const older of this.#superseded) {
      if (older.key !== load.key || older.number >= load.number) continue;
      older.isOvertaken = true;
      this.#void(older, SUPERSEDED);
    }
  }

  /** Something newer took the key's place. True when a load from before was in flight. */
  supersede(key: string, position: number): boolean {
    for (const older of this.#superseded) if (older.key === key) this.#void(older, position);
    const load = this.#inFlight.get(key);
    return load !== undefined && this.#void(load, position);
  }

  /** The same for all spellings of a key, given by its canonical text. @returns the keys of the loads from before */
  supersedeAll(canonical: string, position: number): string[] {
    const voided = this.supersede(canonical, position) ? [canonical] : [];
    if (this.#spellings.size === 0) return voided;
    for (const load of this.#spellings.get(canonical) ?? []) {
      if (this.#void(load, position)) voided.push(load.key);
    }
    return voided;
  }

  /** Voids what the target covers and returns the keys of the voided loads. */
  invalidate(target: Target, position: number): string[] {
    if (!this.isAny) return [];
    if (target.kind === 'key') {
      const dependants = this.invalidateDependants(target.key, position);
      return [...dependants, ...this.supersedeAll(target.key, position)];
    }
    const voided: string[] = [];
    for (const load of this.#running()) {
      const { tier } = load.counters.policy;
      if (covers(target, load.key, load.links, tier) && this.#void(load, position)) voided.push(load.key);
    }
    this.#remember(target, position);
    return voided;
  }

  /** Voids what depends on any spelling of the key and returns the keys of the voided loads. */
  invalidateDependants(canonical: string, position: number): string[] {
    const voided: string[] = [];
    if (!this.isAny) return voided;
    for (const load of this.#dependants.get(canonical) ?? []) {
      if (this.#void(load, position)) voided.push(load.key);
    }
    this.#remember({ kind: 'key', key: canonical }, position);
    return voided;
  }

  voidAll(position: number): void {
    for (const load of this.#running()) this.#void(load, position);
    this.#superseded.clear();
    this.#forget();
  }

  /** Voids what has tags or dependencies. */
  voidLinked(position: number): void {
    for (const load of this.#running()) if (load.links !== undefined) this.#void(load, position);
  }

  /** No load with tags or dependencies that began before this position will be kept. */
  distrustLinks(position: number): void {
    this.#invalidated.forgetUpTo(position);
  }

  /** A value with these links was served, and is not resident any more. */
  departed(key: string, links: EntryLinks): void {
    if (!this.isAny) return;
    this.#departures.add(canonicalKey(key), links, this.#begun, () => {
      let oldest = Number.POSITIVE_INFINITY;
      for (const load of this.#running()) oldest = Math.min(oldest, load.number);
      return oldest;
    });
  }

  /** The links of what has left under any spelling of the key since the load began. */
  departedSince(canonical: string, load: Load): EntryLinks[] {
    return load.number === 0 ? [] : this.#departures.since(canonical, load.number);
  }

  /**
   * To be asked when a load has ended and all its links are known: voids it when something covered it after all, and
   * says so.
   */
  settle(load: Load): boolean {
    const { links } = load;
    if (links === undefined) return false;
    const isCertain = links.dependsOn.length === 0 || this.#departures.isKnownSince(load.number);
    // Those who are given the value of a void load are void themselves, unless it is not told what it stems from.
    if (load.isVoid) return !isCertain;
    const at = this.#invalidated.covering(links, load.position) ?? (isCertain ? undefined : SUPERSEDED);
    if (at === undefined) return false;
    load.voidedAt = at;
    return true;
  }

  /** False for a load that began later, or is void already. */
  #void(load: Load, position: number): boolean {
    if (load.position >= position || load.isVoid) return false;
    load.voidedAt = position;
    this.#take(load);
    return true;
  }

  #take(load: Load): void {
    if (this.#inFlight.get(load.key) === load) this.#inFlight.delete(load.key);
    if (this.#spellings.size > 0) deleteFrom(this.#spellings, canonicalKey(load.key), load);
    for (const key of load.ownLinks?.dependsOn ?? []) deleteFrom(this.#dependants, key, load);
  }

  #remember(target: Target, position: number): void {
    this.#invalidated.add(target, position, () => {
      let oldest = Number.POSITIVE_INFINITY;
      for (const load of this.#running()) oldest = Math.min(oldest, load.position);
      return oldest;
    });
  }

  *#running(): Generator<Load, void, undefined> {
    yield* this.#inFlight.values();
    yield* this.#superseded;
  }

  #forget(): void {
    this.#invalidated.clear();
    this.#departures.clear();
  }
}

function addTo(loads: Map<string, Set<Load>>, key: string, load: Load): void {
  const known = loads.get(key);
  if (known === undefined) loads.set(key, new Set([load]));
  else known.add(load);
}

function deleteFrom(loads: Map<string, Set<Load>>, key: string, load: Load): void {
  const known = loads.get(key);
  if (known?.delete(load) === true && known.size === 0) loads.delete(key);
}
