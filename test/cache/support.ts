/** A cache with a hand-turned clock and plain tiers, and a loader that a test lets go when it likes. */
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { Provenance } from '../../src/cache/layers/disk/disk.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { type Logger, silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';

export const TTL_MS = 60_000;
export const NEGATIVE_TTL_MS = 10_000;

/** `query` also takes every namespace that no tier names. */
export const tiers: readonly TierPolicy[] = [
  tierOf('config', ['config']),
  tierOf('reference', ['products', 'categories']),
  tierOf('user', ['user']),
  tierOf('query', ['query']),
];

export function tierOf(
  tier: string,
  namespaces: readonly string[],
  policy: Partial<TierPolicy> = {},
): TierPolicy {
  return {
    tier,
    label: tier,
    description: tier,
    ttlMs: TTL_MS,
    negativeTtlMs: NEGATIVE_TTL_MS,
    jitterRatio: 0,
    namespaces,
    ...policy,
  };
}

/** Whatever is said to it, it throws. */
export const brokenLogger: Logger = { debug: breaks, info: breaks, warn: breaks, error: breaks };

function breaks(): never {
  throw new Error('logger');
}

/** A feed that has told of every change, but for keys under `config::told-by-nobody`. */
export const FEED: Provenance = {
  beginning: 'resumed',
  drain: () => true,
  position: () => 1,
  tellsOf: (key) => !key.startsWith('config::told-by-nobody'),
};

export interface Bench {
  readonly cache: Cache;
  readonly clock: HandClock;
}

export function bench(options: Partial<CacheOptions> = {}): Bench {
  const clock = handClock();
  const cache = createCache({
    maxWeightBytes: 10_000_000,
    tiers,
    cleanupIntervalMs: 600_000,
    clock,
    logger: silentLogger,
    ...options,
  });
  return { cache, clock };
}

/** A loader whose every call waits until the test gives it a value or an error. */
export interface HeldLoader<T> {
  readonly load: (context: LoadContext) => Promise<T>;
  readonly contexts: LoadContext[];
  readonly calls: number;
  /** Lets the call with this number go, counted from 0; by default the last one. */
  give(value: T, call?: number): void;
  fail(error: unknown, call?: number): void;
}

export function heldLoader<T = unknown>(): HeldLoader<T> {
  const contexts: LoadContext[] = [];
  const held: PromiseWithResolvers<T>[] = [];
  const at = (call: number | undefined) => {
    const found = held.at(call ?? -1);
    if (found === undefined) throw new Error(`The loader was called ${held.length} times.`);
    return found;
  };
  return {
    contexts,
    get calls() {
      return held.length;
    },
    load(context) {
      contexts.push(context);
      const promise = Promise.withResolvers<T>();
      held.push(promise);
      return promise.promise;
    },
    give: (value, call) => at(call).resolve(value),
    fail: (error, call) => at(call).reject(error),
  };
}
