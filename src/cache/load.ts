/**
 * A load in flight: one record a load, which is also what the loader is told about it.
 * It remembers the invalidation position at which it began; an invalidation that covers it voids it, and a void load
 * answers those who wait for it and fills nothing.
 */
import type { Counters } from './counters.ts';
import type { EntryLinks } from './entry.ts';
import { CacheError } from './errors.ts';
import { assertKey } from './keys.ts';
import { assertTtl } from './tier-book.ts';
import type { EntryOptions, LoadContext } from './types.ts';

const NEVER = -1;

export class Load implements LoadContext {
  readonly key: string;
  readonly counters: Counters;
  readonly options: EntryOptions;
  readonly signal: AbortSignal;
  readonly position: number;
  readonly startedAt: number;
  /** What everybody who waits shares. Set by the call that began the load, before anybody can join. */
  promise: Promise<unknown> | undefined;
  /** The position of the invalidation that covers this load; `Infinity` when a newer load took its place. */
  voidedAt = NEVER;
  /** Whether the value may be stored, if nothing comes between. */
  mayKeep = true;
  /** Where the value holds a kind that cannot be frozen: what whoever joined gets a copy of. */
  original: { readonly value: unknown } | undefined;
  /** A warning about its length was given. */
  saidToBeSlow = false;
  /** What the loader has set, which outranks everything else. */
  ttlMs: number | undefined;
  isSkipped = false;
  stale: LoadContext['stale'];
  isUnmodified = false;
  #links: { tags: string[]; dependsOn: string[] } | undefined;

  constructor(
    key: string,
    counters: Counters,
    options: EntryOptions,
    signal: AbortSignal,
    position: number,
    startedAt: number,
  ) {
    this.key = key;
    this.counters = counters;
    this.options = options;
    this.signal = signal;
    this.position = position;
    this.startedAt = startedAt;
    for (const other of options.dependsOn ?? []) assertKey(other);
    if (options.tags !== undefined || options.dependsOn !== undefined) {
      this.#links = { tags: [...(options.tags ?? [])], dependsOn: [...(options.dependsOn ?? [])] };
    }
  }

  get isVoid(): boolean {
    return this.voidedAt !== NEVER;
  }

  /**
   * Whether a caller who joined at this position must load anew. Tags and dependencies may have been learnt after
   * an invalidation of them that he joined after, so a void load that has some proves nothing to him.
   */
  isOutdatedFor(joinedAt: number): boolean {
    if (!this.isVoid) return false;
    return this.voidedAt <= joinedAt || (this.#links !== undefined && this.position < joinedAt);
  }

  get links(): EntryLinks | undefined {
    return this.#links;
  }

  // The members a loader calls are bound when they are asked for, so that `({ tag }) => …` works
  // and a loader that takes no context costs nothing.
  get tag(): LoadContext['tag'] {
    return (...tags) => {
      this.#ownLinks().tags.push(...tags);
    };
  }

  get dependsOn(): LoadContext['dependsOn'] {
    return (...keys) => {
      for (const key of keys) assertKey(key);
      this.#ownLinks().dependsOn.push(...keys);
    };
  }

  get setTtl(): LoadContext['setTtl'] {
    return (ttlMs) => {
      assertTtl(ttlMs, 'The ttl set by the loader');
      this.ttlMs = ttlMs;
    };
  }

  get skip(): LoadContext['skip'] {
    return () => {
      this.isSkipped = true;
    };
  }

  get notModified(): LoadContext['notModified'] {
    return () => {
      if (this.stale === undefined) {
        throw new CacheError(
          'ERR_LOAD_FAILED',
          'notModified() needs an old value, and there is none: load it.',
          {
            key: this.key,
          },
        );
      }
      this.isUnmodified = true;
      return this.stale.value as never;
    };
  }

  #ownLinks(): { tags: string[]; dependsOn: string[] } {
    this.#links ??= { tags: [], dependsOn: [] };
    return this.#links;
  }
}
