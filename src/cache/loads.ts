/**
 * The loads in flight, at most one a key, and what was invalidated while they ran.
 * Invariants: a load is removed by identity only; once an invalidation has returned, nobody joins a load that it covers.
 */
import type { Load } from './load.ts';
import { covers, type Target } from './target.ts';

/** Tags and dependencies may be learnt when a load ends, so what was invalidated meanwhile is remembered, up to this many. */
const MAX_REMEMBERED = 1_000;

/** A newer load took a load's place: it fills nothing, but whoever joined it is well served. */
const SUPERSEDED = Number.POSITIVE_INFINITY;

export class Loads {
  readonly #inFlight = new Map<string, Load>();
  /** Invalidations since the oldest load in flight began, oldest first. */
  #since: { position: number; target: Target }[] = [];
  /** Invalidations up to here are forgotten: loads from before cannot prove themselves fresh. */
  #forgottenUpTo = 0;

  get size(): number {
    return this.#inFlight.size;
  }

  get(key: string): Load | undefined {
    return this.#inFlight.get(key);
  }

  all(): Iterable<Load> {
    return this.#inFlight.values();
  }

  /** A load that was in flight for the key goes on for those who wait for it, and fills nothing. */
  begin(load: Load): void {
    this.supersede(load.key, SUPERSEDED);
    this.#inFlight.set(load.key, load);
  }

  end(load: Load): void {
    if (this.#inFlight.get(load.key) === load) this.#inFlight.delete(load.key);
    if (this.#inFlight.size === 0) this.#since.length = 0;
  }

  /** Something newer took the key's place. True when a load was in flight. */
  supersede(key: string, position: number): boolean {
    const load = this.#inFlight.get(key);
    if (load === undefined) return false;
    this.#void(load, position);
    return true;
  }

  /** Voids what the target covers and returns the keys of the voided loads. */
  invalidate(target: Target, position: number): string[] {
    if (this.#inFlight.size === 0) return [];
    const voided: string[] = [];
    if (target.kind === 'key') {
      if (this.supersede(target.key, position)) voided.push(target.key);
    }
    for (const load of this.#inFlight.values()) {
      if (!covers(target, load.key, load.links)) continue;
      this.#void(load, position);
      voided.push(load.key);
    }
    if (this.#inFlight.size > 0) this.#remember(target, position);
    return voided;
  }

  voidAll(position: number): number {
    const voided = this.#inFlight.size;
    for (const load of this.#inFlight.values()) this.#void(load, position);
    this.#since.length = 0;
    return voided;
  }

  /** No load with tags or dependencies that began before this position will be kept. */
  distrustLinks(position: number): void {
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, position);
  }

  /**
   * To be asked when a load has ended and its tags are known: voids it when something covered it after all,
   * and says so.
   */
  settle(load: Load): boolean {
    if (load.isVoid || load.links === undefined) return false;
    if (load.position < this.#forgottenUpTo) {
      load.voidedAt = this.#forgottenUpTo;
      return true;
    }
    for (let i = this.#since.length - 1; i >= 0; i--) {
      const past = this.#since[i];
      if (past === undefined || past.position <= load.position) return false;
      if (!covers(past.target, load.key, load.links)) continue;
      load.voidedAt = past.position;
      return true;
    }
    return false;
  }

  #void(load: Load, position: number): void {
    load.voidedAt = position;
    this.#inFlight.delete(load.key);
  }

  #remember(target: Target, position: number): void {
    if (this.#since.length >= MAX_REMEMBERED) this.#forget();
    this.#since.push({ position, target });
  }

  /** Drops what no load in flight is older than; where that is nothing, the older half. */
  #forget(): void {
    let oldest = Number.POSITIVE_INFINITY;
    for (const load of this.#inFlight.values()) oldest = Math.min(oldest, load.position);
    const needed = this.#since.filter((past) => past.position > oldest);
    if (needed.length < MAX_REMEMBERED) {
      this.#since = needed;
      return;
    }
    this.distrustLinks(needed[MAX_REMEMBERED / 2]?.position ?? 0);
    this.#since = needed.slice(MAX_REMEMBERED / 2 + 1);
  }
}
