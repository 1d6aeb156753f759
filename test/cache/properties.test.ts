/**
 * Any run of reads, writes, invalidations and turns of the clock against a source of truth with versions:
 * what a read may give is decided by when it began, whatever the cache did in between.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { InvalidationTarget } from '../../src/cache/keys/target.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import { bench, TTL_MS } from './support.ts';

const KEYS = [
  'user::1::profile',
  'user::1::orders',
  'user::2::profile',
  'products::1',
  'products::2',
] as const;
const TAGS = ['t', '__proto__'] as const;
const TARGETS: readonly (Named | 'clear')[] = [
  ...KEYS,
  'user::1::*',
  'user::*::profile',
  'products:*',
  '*',
  { tag: 't' },
  { tag: '__proto__' },
  'clear',
];

/**
 * Which tag a key's entry carries and which keys it depends on; both may be learnt late. Dependencies of dependencies
 * are named too: the cache follows them by itself only while the entry between is there.
 */
const LINKS: Record<string, { tags?: readonly string[]; dependsOn?: readonly string[] }> = {
  'user::1::profile': { tags: ['t'] },
  'user::1::orders': { dependsOn: ['user::1::profile'] },
  'user::2::profile': { tags: ['__proto__'], dependsOn: ['products::1'] },
  'products::2': { dependsOn: ['products::1', 'user::1::orders', 'user::1::profile'] },
};

type Step =
  | {
      readonly do: 'read';
      readonly key: string;
      readonly how: 'async' | 'sync' | 'fresh' | 'batch';
      readonly late: boolean;
    }
  | { readonly do: 'settle'; readonly at: number; readonly fails: boolean }
  | { readonly do: 'invalidate'; readonly target: Named | 'clear' }
  | { readonly do: 'set'; readonly key: string }
  | { readonly do: 'advance'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      key: fc.constantFrom(...KEYS),
      how: fc.constantFrom(
        'async' as const,
        'async' as const,
        'sync' as const,
        'fresh' as const,
        'batch' as const,
      ),
      late: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('settle' as const), at: fc.nat(), fails: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('invalidate' as const), target: fc.constantFrom(...TARGETS) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('set' as const), key: fc.constantFrom(...KEYS) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, TTL_MS - 1, TTL_MS) }),
  },
);

/** Targets of tiers are in `tier-target.test.ts`. */
type Named = Exclude<InvalidationTarget, { readonly tier: string }>;

function matches(target: Named, key: string): boolean {
  if (typeof target !== 'string') return LINKS[key]?.tags?.includes(target.tag) ?? false;
  return new RegExp(`^${target.replaceAll('*', '.*')}$`).test(key);
}

/**
 * What an invalidation covers at least: what it names, and what depends on that. Who depends on a tagged key is
 * known only while that key's entry is there, so it is left to `dependencies.test.ts`.
 */
function covered(target: Named | 'clear'): Set<string> {
  const keys = new Set<string>(KEYS.filter((key) => target === 'clear' || matches(target, key)));
  if (typeof target !== 'string') return keys;
  for (let size = -1; size !== keys.size; ) {
    size = keys.size;
    for (const key of KEYS) if (LINKS[key]?.dependsOn?.some((other) => keys.has(other))) keys.add(key);
  }
  return keys;
}

/** The world of one run: time as a count of what happened, and when each key was last outdated. */
class World {
  readonly cache: Cache;
  readonly bench = bench();
  now = 0;
  /** For each key, the instant of the last invalidation or write that covers it. */
  readonly outdatedAt = new Map<string, number>();
  readonly held: {
    key: string;
    late: boolean;
    context: LoadContext | undefined;
    promise: PromiseWithResolvers<number>;
    startedAt: number;
    outdatedAtStart: number;
  }[] = [];
  readonly reads: Promise<void>[] = [];
  readonly faults: string[] = [];
  /** Loads that began while another one of the same key, as fresh as it, was in flight. */
  duplicates = 0;

  constructor() {
    this.cache = this.bench.cache;
  }

  outdate(keys: Iterable<string>): void {
    this.now++;
    for (const key of keys) this.outdatedAt.set(key, this.now);
  }

  /** A value is the instant at which its load began. */
  check(key: string, value: number, readAt: number, outdatedAt: number): void {
    if (value >= outdatedAt) return;
    this.faults.push(
      `${key}: a read at ${readAt} gave what was loaded at ${value}, before the invalidation at ${outdatedAt}`,
    );
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) {
      this.apply(each);
      await this.bench.clock.settle();
      this.checkSums();
    }
    // The world comes to rest: every load is let go, also those that begin meanwhile.
    while (this.held.length > 0) {
      this.let(0, false);
      await this.bench.clock.settle();
    }
    await Promise.all(this.reads);
    expect(this.faults).toEqual([]);
    expect(this.cache.stats().loading).toBe(0);
    await this.checkRemovals();
  }

  apply(each: Step): void {
    if (each.do === 'read') this.read(each);
    else if (each.do === 'settle') this.let(each.at, each.fails);
    else if (each.do === 'advance') this.bench.clock.advance(each.ms);
    else if (each.do === 'set') {
      // What was written is newer than the write's own instant.
      this.outdate(covered(each.key));
      this.cache.set(each.key, this.now, LINKS[each.key]);
    } else {
      this.outdate(covered(each.target));
      if (each.target === 'clear') this.cache.clear();
      else this.cache.invalidate(each.target);
    }
  }

  read({ key, how, late }: Extract<Step, { do: 'read' }>): void {
    const readAt = ++this.now;
    const outdatedAt = this.outdatedAt.get(key) ?? 0;
    const options = late && how !== 'batch' ? {} : (LINKS[key] ?? {});
    if (how === 'sync') {
      const load = (context: LoadContext) => {
        if (late) this.learn(key, context);
        return readAt;
      };
      this.check(key, this.cache.getOrLoadSync(key, load, options), readAt, outdatedAt);
      return;
    }
    const hold = (context?: LoadContext) => {
      const promise = Promise.withResolvers<number>();
      const startedAt = ++this.now;
      const outdatedAtStart = this.outdatedAt.get(key) ?? 0;
      if (this.held.some((other) => other.key === key && other.outdatedAtStart === outdatedAtStart))
        this.duplicates++;
      this.held.push({
        key,
        late,
        context,
        promise,
        startedAt,
        outdatedAtStart,
      });
      return promise.promise;
    };
    const read =
      how === 'batch'
        ? this.cache
            .getOrLoadMany([key], async () => new Map([[key, await hold()]]), options)
            .then((found) => found.get(key) as number)
        : this.cache.getOrLoad(key, hold, { ...options, fresh: how === 'fresh' });
    this.reads.push(
      read.then(
        (value) => this.check(key, value, readAt, outdatedAt),
        (error: unknown) => void (error === DOWN || this.faults.push(String(error))),
      ),
    );
  }

  learn(key: string, context: LoadContext): void {
    context.tag(...(LINKS[key]?.tags ?? []));
    context.dependsOn(...(LINKS[key]?.dependsOn ?? []));
  }

  let(at: number, fails: boolean): void {
    const [load] = this.held.splice(at % Math.max(1, this.held.length), 1);
    if (load === undefined) return;
    if (load.late && load.context !== undefined) this.learn(load.key, load.context);
    if (fails) load.promise.reject(DOWN);
    else load.promise.resolve(load.startedAt);
  }

  checkSums(): void {
    const { total, maxWeightBytes, windows } = this.cache.stats();
    const removed = Object.values(total.removals).reduce((sum, count) => sum + count, 0);
    expect(total.lookups).toBe(total.hits + total.misses);
    expect(total.entries).toBe(total.sets - removed);
    expect(total.entries === 0).toBe(total.weightBytes === 0);
    expect(total.weightBytes).toBeLessThanOrEqual(maxWeightBytes);
    expect(windows.every((each) => each.lookups <= total.lookups)).toBe(true);
    for (const key of this.cache.keys('', 100)) expect(this.cache.has(key)).toBe(true);
  }

  /** A preview tells what the invalidation then removes, and the index holds nothing else. */
  async checkRemovals(): Promise<void> {
    for (const key of KEYS) this.cache.get(key);
    for (const target of ['user::1::*', '*'] as const) {
      const { entries } = await this.cache.preview(target);
      expect(this.cache.keys(target.slice(0, -1), 100)).toHaveLength(entries);
      expect(this.cache.invalidate(target).entries).toBeGreaterThanOrEqual(entries);
    }
    expect(this.cache.stats().total).toMatchObject({ entries: 0, weightBytes: 0 });
  }
}

const DOWN = new Error('down');

describe('in any run of events', () => {
  it('I2: no read gives what was loaded before an invalidation that came before the read', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), (steps) => new World().run(steps)),
      { numRuns: 300 },
    );
  }, 60_000);

  it('I3: no load begins beside one that nothing has outdated', async () => {
    // One key, so that its loads meet often.
    const plain = step.map(
      (each): Step => (each.do === 'read' ? { ...each, key: KEYS[0], how: 'async', late: false } : each),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(plain, { maxLength: 30 }), async (steps) => {
        const world = new World();
        await world.run(steps);
        expect(world.duplicates).toBe(0);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

describe('I5: in any run of writes', () => {
  it('the weight stays within the bound, and the index holds exactly the entries', () => {
    const write = fc.tuple(
      fc.constantFrom(...KEYS, 'a', 'b', 'c::d'),
      fc.nat({ max: 4_000 }),
      fc.constantFrom('set', 'delete', 'tag'),
    );
    fc.assert(
      fc.property(
        fc.array(write, { maxLength: 80 }),
        fc.integer({ min: 1, max: 12_000 }),
        (writes, maxWeightBytes) => {
          const { cache } = bench({ maxWeightBytes });
          for (const [key, length, what] of writes) {
            if (what === 'set') cache.set(key, 'x'.repeat(length), { tags: TAGS });
            else if (what === 'delete') cache.delete(key);
            else cache.invalidate({ tag: length % 2 === 0 ? 't' : '__proto__' });
            const { total } = cache.stats();
            expect(total.weightBytes).toBeLessThanOrEqual(maxWeightBytes);
            const keys = cache.keys('', 100);
            expect(keys).toHaveLength(total.entries);
            expect(keys.reduce((sum, each) => sum + (cache.inspect(each)?.weightBytes ?? 0), 0)).toBe(
              total.weightBytes,
            );
          }
          const { entries } = cache.stats().total;
          expect(cache.invalidate({ tag: 't' })).toMatchObject({ entries });
          expect(cache.stats().total).toMatchObject({ entries: 0, weightBytes: 0 });
        },
      ),
      { numRuns: 300 },
    );
  });
});
