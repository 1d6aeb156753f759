/** `values: 'frozen'`: one deep-frozen value that all readers share. */
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import type { DeepReadonly } from '../../src/cache/values/deep-readonly.ts';
import { cached, cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { bench, heldLoader, TTL_MS, tierOf } from './support.ts';

interface Guild {
  name: string;
  roles: { id: string }[];
}

const make = (): Guild => ({ name: 'Ada', roles: [{ id: '1' }] });
const isDeeplyFrozen = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  ((Object.isFrozen(value) || value instanceof Date || value instanceof Map || value instanceof Uint8Array) &&
    (value instanceof Map ? [...value].flat() : Object.values(value)).every(isDeeplyFrozen));

const FROZEN = { values: 'frozen' } as const;
const frozenTiers = [tierOf('query', ['query'], FROZEN)];

describe('I6: frozen values', () => {
  it('are one object for the first caller, those who joined, and every hit; the loader keeps its own', async () => {
    const { cache } = bench();
    const loader = heldLoader<Guild>();
    const reads = [1, 2, 3].map(() => cache.getOrLoad('guild::1', loader.load, FROZEN));
    const own = make();
    loader.give(own);
    const values = await Promise.all(reads);
    values.push(await cache.getOrLoad('guild::1', make, FROZEN));
    values.push(cache.getOrLoadSync('guild::1', make, FROZEN));
    values.push((await cache.getOrLoadMany(['guild::1'], () => new Map(), FROZEN)).get('guild::1') as never);
    values.push(cache.get('guild::1') as never);
    expect(new Set(values).size).toBe(1);
    expect(isDeeplyFrozen(values[0])).toBe(true);
    expect(values[0]).not.toBe(own);
    own.roles.push({ id: '2' });
    expect(values[0]).toEqual(make());
  });

  it('are given by forced loads, batch loads and synchronous ones, kept or not', async () => {
    const { cache } = bench({ tiers: frozenTiers });
    for (const options of [{}, { ttlMs: 0 }, { maxEntryBytes: 1 }, { fresh: true }, { when: () => false }]) {
      const values = [
        await cache.getOrLoad('query::a', make, options),
        cache.getOrLoadSync('query::b', make, options),
        (await cache.getOrLoadMany(['query::c'], () => new Map([['query::c', make()]]), options)).get(
          'query::c',
        ),
      ];
      for (const value of values) expect(isDeeplyFrozen(value)).toBe(true);
    }
  });

  it('are frozen with the cache switched off, too, so that switching it on changes nothing', async () => {
    const { cache } = bench({ enabled: false, tiers: frozenTiers });
    const own = make();
    expect(isDeeplyFrozen(await cache.getOrLoad('query::a', () => own))).toBe(true);
    expect(Object.isFrozen(own)).toBe(false);
  });

  it('are served stale as they are served fresh', async () => {
    const { cache, clock } = bench({ tiers: [tierOf('query', ['query'], { ...FROZEN, graceMs: TTL_MS })] });
    await cache.getOrLoad('query::a', make);
    clock.advance(TTL_MS);
    const stale = await cache.getOrLoad('query::a', ({ stale: old }) => {
      expect(isDeeplyFrozen(old?.value)).toBe(true);
      throw new Error('down');
    });
    expect(isDeeplyFrozen(stale)).toBe(true);
  });

  it.each<[string, () => unknown]>([
    ['a Date', () => ({ at: new Date(5), list: [{ n: 1 }] })],
    ['a Map', () => new Map([['a', { n: 1 }]])],
    ['bytes', () => ({ bytes: Buffer.from('abc'), list: [1] })],
  ])('with %s, which freezing does not protect, are a frozen copy for each reader', async (_name, value) => {
    const { cache } = bench({ tiers: frozenTiers });
    const reads = await Promise.all([1, 2].map(() => cache.getOrLoad('query::a', value)));
    reads.push(cache.get('query::a'), await cache.getOrLoad('query::a', value, { fresh: true }));
    for (const each of reads) {
      expect(each).toEqual(value());
      expect(isDeeplyFrozen(each)).toBe(true);
    }
    expect(new Set(reads).size).toBe(reads.length);
  });

  it('throw in strict code as docs/values.md says', () => {
    const { cache } = bench({ tiers: frozenTiers });
    const value = cache.getOrLoadSync('query::a', make);
    expect(() => {
      value.name = 'Eve';
    }).toThrow("Cannot assign to read only property 'name' of object '#<Object>'");
    expect(() => value.roles.push({ id: '2' })).toThrow('Cannot add property 1, object is not extensible');
    expect(() => Reflect.deleteProperty(value, 'name') || Object.assign(value, { name: 1 })).toThrow(
      TypeError,
    );
  });

  it('are copied for a call that asks for a copy, and copies frozen for one that asks for frozen', async () => {
    const { cache } = bench();
    await cache.getOrLoad('guild::1', make, FROZEN);
    const copy = await cache.getOrLoad('guild::1', make);
    copy.roles.push({ id: '2' });
    expect(await cache.getOrLoad('guild::1', make, { values: 'copy' })).toEqual(make());
    cache.set('guild::2', make());
    expect(isDeeplyFrozen(cache.getOrLoadSync('guild::2', make, FROZEN))).toBe(true);
    expect(cache.getOrLoadSync('guild::2', make)).toEqual(make());
  });

  it('are frozen where they are kept compressed', async () => {
    const { cache } = bench({
      tiers: [tierOf('query', ['query'], { ...FROZEN, compressAboveBytes: 1_000 })],
    });
    const rows = () => Array.from({ length: 100 }, (_, id) => ({ id, name: 'a product of the shop' }));
    await cache.getOrLoad('query::a', rows);
    expect(cache.inspect('query::a')?.uncompressedBytes).toBeGreaterThan(0);
    expect(isDeeplyFrozen(await cache.getOrLoad('query::a', rows))).toBe(true);
    expect(isDeeplyFrozen(cache.get('query::a'))).toBe(true);
  });

  it('refuses a mode that does not exist', () => {
    const { cache } = bench();
    const wrong = { key: 'query::{0}', values: 'freeze' as never };
    expect(() => cachedSync(cache, (id: string) => id, wrong)).toThrow('values of');
  });
});

describe('the types of values', () => {
  const { cache } = bench();
  interface Rich {
    at: Date;
    bytes: Buffer;
    map: Map<string, { n: number }>;
    set: Set<number[]>;
    list: { deep: string[] }[];
    pair: [a: number, b: { c: number }];
    run: (n: number) => void;
    none: null;
  }

  it('are read-only all the way down for frozen values', () => {
    expectTypeOf<DeepReadonly<Rich>>().toEqualTypeOf<{
      readonly at: Date;
      readonly bytes: Buffer;
      readonly map: ReadonlyMap<string, { readonly n: number }>;
      readonly set: ReadonlySet<readonly number[]>;
      readonly list: readonly { readonly deep: readonly string[] }[];
      readonly pair: readonly [a: number, b: { readonly c: number }];
      readonly run: (n: number) => void;
      readonly none: null;
    }>();
    expectTypeOf<DeepReadonly<Guild | undefined>>().toEqualTypeOf<DeepReadonly<Guild> | undefined>();
    expectTypeOf<DeepReadonly<unknown>>().toEqualTypeOf<unknown>();
  });

  it('are those of the function, or read-only under frozen', () => {
    const frozen = cached(cache, async (_id: string) => make(), { key: 'guild::{0}', values: 'frozen' });
    expectTypeOf(frozen).parameters.toEqualTypeOf<[string]>();
    expectTypeOf(frozen).returns.resolves.toEqualTypeOf<DeepReadonly<Guild>>();
    expectTypeOf(frozen.fresh).returns.resolves.toEqualTypeOf<DeepReadonly<Guild>>();
    const own = cached(cache, async (_id: string) => make(), { key: 'guild::{0}' });
    expectTypeOf(own).returns.resolves.toEqualTypeOf<Guild>();
    const frozenSync = cachedSync(cache, (_id: string) => make(), { key: 'guild::{0}', ...FROZEN });
    expectTypeOf(frozenSync).returns.toEqualTypeOf<DeepReadonly<Guild>>();
    const ownSync = cachedSync(cache, (_id: string) => make(), { key: 'guild::{0}', values: 'copy' });
    expectTypeOf(ownSync).returns.toEqualTypeOf<Guild>();
    const withContext = cachedSync(cache, (_id: string, _context: LoadContext) => make(), {
      key: 'guild::{0}',
      passContext: true,
      values: 'frozen',
    });
    expectTypeOf(withContext).parameters.toEqualTypeOf<[string]>();
    expectTypeOf(withContext).returns.toEqualTypeOf<DeepReadonly<Guild>>();
  });

  it('are read-only for single calls under frozen', () => {
    expectTypeOf(cache.getOrLoad('a', make, FROZEN)).resolves.toEqualTypeOf<DeepReadonly<Guild>>();
    expectTypeOf(cache.getOrLoad('a', make)).resolves.toEqualTypeOf<Guild>();
    expectTypeOf(cache.getOrLoadSync('b', make, FROZEN)).toEqualTypeOf<DeepReadonly<Guild>>();
    expectTypeOf(cache.getOrLoadSync('b', make)).toEqualTypeOf<Guild>();
    expectTypeOf(cache.getOrLoadMany([], () => new Map<string, Guild>(), FROZEN)).resolves.toEqualTypeOf<
      Map<string, DeepReadonly<Guild>>
    >();
  });
});
