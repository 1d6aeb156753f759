/** How soon somebody may do something again. Remembers the last ones only, so that a flood of people costs nothing. */
import type { Clock } from '../cache/clock.ts';

/** Far more than a bot has operators; beyond it the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;

export class Cooldown {
  readonly #clock: Clock;
  readonly #lengthMs: number;
  readonly #limit: number;
  /** When each one's time is over, in the order in which that happens. */
  readonly #endsAt = new Map<string, number>();

  /** @param lengthMs 0: never in the way */
  constructor(clock: Clock, lengthMs: number, limit: number = MAX_REMEMBERED) {
    this.#clock = clock;
    this.#lengthMs = lengthMs;
    this.#limit = limit;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#endsAt.size;
  }

  /** Starts the time of `who`, or tells when the one under way ends, in epoch milliseconds. */
  take(who: string): { readonly ok: true } | { readonly ok: false; readonly retryAt: number } {
    const now = this.#clock.now();
    for (const [other, endsAt] of this.#endsAt) {
      if (endsAt > now) break;
      this.#endsAt.delete(other);
    }
    const endsAt = this.#endsAt.get(who);
    if (endsAt !== undefined) return { ok: false, retryAt: this.#clock.epochAt(endsAt) };
    if (this.#lengthMs <= 0) return { ok: true };
    this.#endsAt.set(who, now + this.#lengthMs);
    for (const oldest of this.#endsAt.keys()) {
      if (this.#endsAt.size <= this.#limit) break;
      this.#endsAt.delete(oldest);
    }
    return { ok: true };
  }
}
