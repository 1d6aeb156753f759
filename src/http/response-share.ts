/**
 * How much of a cache the answers of an HTTP API may take: clients choose the query and the headers that answers differ
 * by, so they could put any number of them there, and what the bot itself reads would have to leave. Beyond their share
 * the answers that were used longest ago go.
 */
import type { Cache } from '../cache/cache.ts';

/** Enough for any API of a bot; the rest is for what the bot reads. */
const SHARE = 0.25;

export class ResponseShare {
  readonly #cache: Cache;
  /** What each answer weighed when it was kept, the one used longest ago first. Some have left the cache since. */
  readonly #weights = new Map<string, number>();
  #weightBytes = 0;

  constructor(cache: Cache) {
    this.#cache = cache;
  }

  /** An answer was kept, or served again. */
  used(key: string): void {
    const weight = this.#cache.inspect(key)?.weightBytes ?? 0;
    this.#forget(key);
    // What is not kept takes nothing.
    if (weight === 0) return;
    this.#weights.set(key, weight);
    this.#weightBytes += weight;
    const most = this.#cache.maxWeightBytes * SHARE;
    for (const oldest of this.#weights.keys()) {
      if (this.#weightBytes <= most) break;
      this.#forget(oldest);
      this.#cache.invalidate(oldest);
    }
  }

  #forget(key: string): void {
    this.#weightBytes -= this.#weights.get(key) ?? 0;
    this.#weights.delete(key);
  }
}

/** One a cache, whatever the number of its handlers. */
const shares = new WeakMap<Cache, ResponseShare>();

export function shareOf(cache: Cache): ResponseShare {
  const share = shares.get(cache) ?? new ResponseShare(cache);
  shares.set(cache, share);
  return share;
}
