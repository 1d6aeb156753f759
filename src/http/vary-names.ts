/**
 * By which request headers the answers of an origin were seen to differ. They are part of the keys, so that each answer
 * lies where the next request like its own looks. This only says where to look: whether what is found there answers a
 * request is asked of the answer itself, so to forget a name costs a miss.
 */

/** More headers than any API varies by. */
const MAX_NAMES = 16;
/** Longer names are nobody's. */
const MAX_NAME_LENGTH = 64;
/** A bot that fetches what people post sees many origins; most of them vary by nothing. */
const MAX_ORIGINS = 1_000;

export class VaryNames {
  /** Sorted, by origin, the one that learnt longest ago first. */
  readonly #byOrigin = new Map<string, readonly string[]>();

  of(origin: string): readonly string[] {
    return this.#byOrigin.get(origin) ?? [];
  }

  /** False where these are too many. */
  learn(origin: string, names: readonly string[]): boolean {
    const known = this.of(origin);
    const all = new Set([...known, ...names]);
    if (all.size > MAX_NAMES || names.some((name) => name.length > MAX_NAME_LENGTH)) return false;
    if (all.size === known.length) return true;
    this.#byOrigin.delete(origin);
    for (const oldest of this.#byOrigin.keys()) {
      if (this.#byOrigin.size < MAX_ORIGINS) break;
      this.#byOrigin.delete(oldest);
    }
    this.#byOrigin.set(origin, [...all].sort());
    return true;
  }
}
