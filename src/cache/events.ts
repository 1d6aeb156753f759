/** Listeners of the cache. One that throws or rejects is logged and spoils nothing for the others or for the read (I4). */
import type { BurstLog } from './burst-log.ts';
import type { InvalidationTarget } from './keys/target.ts';
import { isPromiseLike } from './promise-like.ts';
import type { Removal } from './removal.ts';
import type { RefusalReason } from './statistics/stats.ts';
import type { TierName } from './tiers/tier.ts';

/** What the cache tells its listeners. Lookups are not among them: they are counted, since a hit must cost nothing more. */
export interface CacheEvents {
  loaded: { readonly key: string; readonly tier: TierName; readonly loadMs: number; readonly kept: boolean };
  failed: { readonly key: string; readonly tier: TierName; readonly loadMs: number; readonly error: unknown };
  refused: {
    readonly key: string;
    readonly tier: TierName;
    readonly reason: RefusalReason;
    /** Of a value that cannot be copied, what is wrong with it and where: `price is a Decimal`. */
    readonly detail: string | undefined;
  };
  invalidated: { readonly target: InvalidationTarget | 'all'; readonly removal: Removal };
}

type Listener<E extends keyof CacheEvents> = (event: CacheEvents[E]) => void;

export class Emitter {
  readonly #bursts: BurstLog;
  readonly #listeners: { readonly [E in keyof CacheEvents]: Set<Listener<E>> } = {
    loaded: new Set(),
    failed: new Set(),
    refused: new Set(),
    invalidated: new Set(),
  };

  constructor(bursts: BurstLog) {
    this.#bursts = bursts;
  }

  on<E extends keyof CacheEvents>(name: E, listener: Listener<E>): () => void {
    const listeners: Set<Listener<E>> = this.#listeners[name];
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  emit<E extends keyof CacheEvents>(name: E, event: CacheEvents[E]): void {
    const listeners: Set<Listener<E>> = this.#listeners[name];
    if (listeners.size === 0) return;
    const failed = (error: unknown) => {
      this.#bursts.warn(`listener ${name}`, `A listener for "${name}" failed.`, { error });
    };
    for (const listener of listeners) {
      try {
        const result: unknown = listener(event);
        if (isPromiseLike(result)) result.then(undefined, failed);
      } catch (error) {
        failed(error);
      }
    }
  }
}
