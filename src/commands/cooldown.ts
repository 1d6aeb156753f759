/**
 * How often somebody may do something within a time. Remembers the last ones only, so that a flood of people costs
 * nothing.
 */
import type { Clock } from '../cache/clock.ts';

/** Far more than a bot has operators; beyond it the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;

/** `giveBack` where something was taken: it is as if this turn had not been. */
export type Turn =
  | { readonly ok: true; giveBack?(): void }
  | { readonly ok: false; readonly retryAt: number };

class TakenTurn {
  readonly ok = true;
  #giveBack: (() => void) | undefined;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  giveBack(): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
  }
}

interface Taken {
  readonly endsAt: number;
  turns: number;
}

export class Cooldown {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  readonly #turns: number;
  readonly #limit: number;
  /** When each one's time is over, in the order in which that happens, and how many turns were taken in it. */
  readonly #taken = new Map<string, Taken>();

  /**
   * @param lengthMs 0: never in the way
   * @param turns how many there are within that time, from the first on
   */
  constructor(
    clock: Clock,
    lengthMs: number,
    { turns = 1, limit = MAX_REMEMBERED }: { readonly turns?: number; readonly limit?: number } = {},
  ) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
    this.#turns = turns;
    this.#limit = limit;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#taken.size;
  }

  /** Another of the same length, with so many turns. */
  withTurns(turns: number): Cooldown {
    return new Cooldown(this.#clock, this.#lengthMs, { turns, limit: this.#limit });
  }

  /** Takes a turn of `who`, or tells when there is one again, in epoch milliseconds. */
  take(who: string): Turn {
    const now = this.#clock.now();
    for (const [other, { endsAt }] of this.#taken) {
      if (endsAt > now) break;
      this.#taken.delete(other);
    }
    const taken = this.#taken.get(who);
    if (taken !== undefined) {
      if (taken.turns >= this.#turns) return { ok: false, retryAt: this.#clock.epochAt(taken.endsAt) };
      taken.turns++;
      return new TakenTurn(() => this.#giveBack(who, taken));
    }
    if (this.#lengthMs <= 0) return { ok: true };
    const first = { endsAt: now + this.#lengthMs, turns: 1 };
    this.#taken.set(who, first);
    for (const oldest of this.#taken.keys()) {
      if (this.#taken.size <= this.#limit) break;
      this.#taken.delete(oldest);
    }
    return new TakenTurn(() => this.#giveBack(who, first));
  }

  #giveBack(who: string, taken: Taken): void {
    taken.turns--;
    if (taken.turns <= 0 && this.#taken.get(who) === taken) this.#taken.delete(who);
  }
}
