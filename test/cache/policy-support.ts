/** What the specifications of the loading policies share: a tier with a policy, a log that is kept, and the ways to read. */
import { afterEach, beforeEach, expect } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import type { LoadOptions } from '../../src/cache/entry-options.ts';
import type { InvalidationTarget } from '../../src/cache/keys/target.ts';
import type { Figures } from '../../src/cache/statistics/stats.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { type Bench, bench, tierOf } from './support.ts';

export const KEY = 'query::x';

export interface PolicyBench extends Bench {
  /** What the log was told. */
  readonly said: string[];
  /** The figures of the whole cache; every lookup has had exactly one outcome. */
  figures(): Figures;
}

/** A cache whose only tier, `query`, has this policy besides a ttl of a minute. */
export function withPolicy(
  policy: Partial<TierPolicy> = {},
  options: Partial<CacheOptions> = {},
): PolicyBench {
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const logger = { debug: say, info: say, warn: say, error: say };
  const made = bench({ tiers: [tierOf('query', ['query'], policy)], logger, ...options });
  const figures = () => {
    const { total } = made.cache.stats();
    expect(total.lookups).toBe(total.hits + total.misses);
    expect(total.hits).toBeGreaterThanOrEqual(total.stale.revalidating + total.stale['backing-off']);
    expect(total.misses).toBeGreaterThanOrEqual(total.stale.failed + total.stale.slow);
    expect(total.loads).toBeGreaterThanOrEqual(total.failures);
    expect(total.failures).toBeGreaterThanOrEqual(total.timeouts);
    return total;
  };
  return { ...made, said, figures };
}

type Read = <T>(cache: Cache, load: () => T, options?: LoadOptions) => Promise<T>;

/** The three kinds of read-through; each takes a loader that gives its value at once. */
export const WAYS: readonly (readonly [name: string, read: Read])[] = [
  ['awaited', (cache, load, options) => cache.getOrLoad(KEY, load, options)],
  ['synchronous', async (cache, load, options) => cache.getOrLoadSync(KEY, load, options)],
  [
    'batch',
    async (cache, load, options) => {
      const found = await cache.getOrLoadMany([KEY], () => new Map([[KEY, load()]]), options);
      return found.get(KEY) as ReturnType<typeof load>;
    },
  ],
];

/** The tag and the dependency that {@link INVALIDATIONS} use. */
export const LINKS = { tags: ['t'], dependsOn: ['query::source'] } as const;

/** Everything that makes the value of {@link KEY} outdated, where it was loaded with {@link LINKS}. */
export const INVALIDATIONS: readonly (readonly [name: string, invalidate: (cache: Cache) => unknown])[] = [
  ...(
    [
      ['its key', KEY],
      ['a pattern', 'query::*'],
      ['a tag', { tag: 't' }],
      ['a dependency', 'query::source'],
    ] as const satisfies readonly (readonly [string, InvalidationTarget])[]
  ).map(([name, target]) => [name, (cache: Cache) => cache.invalidate(target)] as const),
  ['clear', (cache) => cache.clear()],
];

export class Down extends Error {
  constructor() {
    super('down');
  }
}

export function fails(): never {
  throw new Down();
}

/** Fails the test when a promise is rejected and nobody hears of it. To be called once in a `describe` or file. */
export function noUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const hear = (reason: unknown) => void unhandled.push(reason);
  beforeEach(() => {
    unhandled.length = 0;
    process.on('unhandledRejection', hear);
  });
  afterEach(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', hear);
    expect(unhandled).toEqual([]);
  });
}
