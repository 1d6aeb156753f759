import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryOverheadBytes } from '../../src/cache/entry-weight.ts';
import { pack } from '../../src/cache/values/packed.ts';
import {
  Down,
  fails,
  INVALIDATIONS,
  KEY,
  LINKS,
  noUnhandledRejections,
  WAYS,
  withPolicy,
} from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';
import { weightOf } from './values-support.ts';

function innermost(value: unknown): unknown {
  let inner = value;
  while (Array.isArray(inner)) inner = inner[0];
  return inner;
}

const POLICY = { compressAboveBytes: 4_096 };

noUnhandledRejections();

/** A list as shops have them: some 30 KB on the heap. */
const rows = () =>
  Array.from({ length: 200 }, (_, id) => ({
    id,
    name: `Product ${id}`,
    price: id * 100,
    tags: ['new', 'sale'],
  }));

describe.each(WAYS)('compression, for %s reads,', (_name, read) => {
  it('is off unless asked for', async () => {
    const { cache } = withPolicy();
    await read(cache, rows);
    expect(cache.inspect(KEY)).toMatchObject({ uncompressedBytes: undefined, shape: 'array (200 items)' });
  });

  it('keeps what is heavier than its bound compressed, and every hit is equal to what was loaded', async () => {
    const { cache, figures } = withPolicy(POLICY);
    expect(await read(cache, rows)).toEqual(rows());
    for (let i = 0; i < 3; i++) expect(await read(cache, fails)).toEqual(rows());
    const report = cache.inspect(KEY);
    expect(report).toMatchObject({ shape: 'compressed' });
    expect(report?.uncompressedBytes).toBe(Buffer.byteLength(JSON.stringify(rows())));
    expect(report?.weightBytes).toBeLessThan(weightOf(rows()) / 10);
    expect(figures()).toMatchObject({ hits: 3, loads: 1 });
  });

  it('leaves what is not heavier as it is', async () => {
    const { cache } = withPolicy({ compressAboveBytes: weightOf(rows()) });
    await read(cache, rows);
    expect(cache.inspect(KEY)?.uncompressedBytes).toBeUndefined();
    await read(cache, () => [...rows(), 'more'], { fresh: true });
    expect(cache.inspect(KEY)?.uncompressedBytes).toBeGreaterThan(0);
  });

  it('leaves what would not become smaller as it is', async () => {
    const { cache } = withPolicy(POLICY);
    const noise = randomBytes(8_000).toString('latin1');
    expect(await read(cache, () => noise)).toBe(noise);
    expect(cache.inspect(KEY)?.uncompressedBytes).toBeUndefined();
    expect(cache.get(KEY)).toBe(noise);
  });

  it('I5: never makes an entry heavier, however small the bound', async () => {
    const small = () => ({
      name: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      other: 'aaaaaaaaaaaaaaaaaaaaaaaaaa',
    });
    const plain = withPolicy();
    await read(plain.cache, small);
    const { cache } = withPolicy({ compressAboveBytes: 1 });
    await read(cache, small);
    expect(cache.inspect(KEY)?.weightBytes).toBeLessThanOrEqual(plain.cache.inspect(KEY)?.weightBytes ?? 0);
  });

  it('I6: gives each reader a value of his own', async () => {
    const { cache } = withPolicy(POLICY);
    await read(cache, rows);
    const mine = await read(cache, fails as typeof rows);
    mine.length = 0;
    expect(await read(cache, fails)).toEqual(rows());
  });

  it('may be asked for, or switched off, by a call', async () => {
    const { cache } = withPolicy();
    await read(cache, rows, { compressAboveBytes: 1_000 });
    expect(cache.inspect(KEY)?.uncompressedBytes).toBeGreaterThan(0);
    await read(cache, rows, { fresh: true });
    expect(cache.inspect(KEY)?.uncompressedBytes).toBeUndefined();
  });

  it('goes with grace and stale-while-revalidate: the old value is decoded like any other', async () => {
    const { cache, clock } = withPolicy({ ...POLICY, graceMs: TTL_MS });
    await read(cache, rows);
    clock.advance(TTL_MS);
    expect(await read(cache, fails)).toEqual(rows());
  });

  it.each(INVALIDATIONS)('I2: is invalidated by %s as any entry is', async (_target, invalidate) => {
    const { cache } = withPolicy(POLICY);
    await read(cache, rows, LINKS);
    invalidate(cache);
    await expect(read(cache, fails)).rejects.toThrow(Down);
  });
});

describe('a compressed value', () => {
  it('is found by `get`, `lookup` and `getMany` as well, each with one of its own', () => {
    const { cache } = withPolicy(POLICY);
    cache.set(KEY, rows());
    const found = [cache.get(KEY), cache.lookup(KEY), cache.getMany([KEY]).get(KEY)];
    expect(found).toEqual([rows(), { state: 'hit', value: rows() }, rows()]);
    expect(cache.get(KEY)).not.toBe(cache.get(KEY));
  });

  it('is what a loader is told as `stale`', async () => {
    const { cache, clock } = withPolicy({ ...POLICY, graceMs: TTL_MS });
    cache.set(KEY, rows());
    clock.advance(TTL_MS);
    await cache.getOrLoad(KEY, ({ stale, notModified }) => {
      expect(stale?.value).toEqual(rows());
      return notModified();
    });
    expect(cache.get(KEY)).toEqual(rows());
  });

  it('I3: is loaded once for all who wait', async () => {
    const { cache } = withPolicy(POLICY);
    const loader = heldLoader<ReturnType<typeof rows>>();
    const reads = [1, 2, 3].map(() => cache.getOrLoad(KEY, loader.load));
    loader.give(rows());
    for (const read of reads) expect(await read).toEqual(rows());
    expect(loader.calls).toBe(1);
  });

  it('keeps every kind that the cache keeps: dates, maps, sets, bytes, big integers, minus zero, cycles', () => {
    const { cache } = withPolicy({ compressAboveBytes: 1 });
    const value = {
      text: 'é🎲'.repeat(2_000),
      date: new Date(5),
      map: new Map<unknown, unknown>([[1, new Set(['a'])]]),
      bytes: Buffer.from('bytes'),
      floats: new Float64Array([1.5, Number.NaN]),
      big: 10n ** 30n,
      odd: [undefined, -0, Number.NaN, Number.POSITIVE_INFINITY],
      self: undefined as unknown,
    };
    value.self = value;
    expect(cache.set(KEY, value)).toBe(true);
    expect(cache.inspect(KEY)?.shape).toBe('compressed');
    expect(isDeepStrictEqual(cache.get(KEY), value)).toBe(true);
    expect(Buffer.isBuffer(cache.get<typeof value>(KEY)?.bytes)).toBe(true);
  });

  it('is equal to the value, whatever that is', () => {
    fc.assert(
      fc.property(
        fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true, withTypedArray: true }),
        fc.nat(500),
        (value, times) => {
          const { cache } = withPolicy({ compressAboveBytes: 1 });
          const many = { value, padding: 'padding'.repeat(times) };
          if (!cache.set(KEY, many)) return;
          expect(isDeepStrictEqual(cache.get(KEY), many)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is refused for what no entry may hold, as without compression', async () => {
    const { cache, figures } = withPolicy({ compressAboveBytes: 1 });
    const unsafe = { padding: 'x'.repeat(10_000), run: () => 1 };
    expect(await cache.getOrLoad(KEY, () => unsafe)).toBe(unsafe);
    expect(figures()).toMatchObject({ entries: 0, refusals: { unsafe: 1 } });
  });

  it('is kept as it is where it may be held in memory but not be written as text', () => {
    const { cache } = withPolicy({ compressAboveBytes: 1 });
    let deep: unknown = 'x'.repeat(10_000);
    for (let i = 0; i < 2_000; i++) deep = [deep];
    expect(cache.set(KEY, deep)).toBe(true);
    expect(cache.inspect(KEY)?.uncompressedBytes).toBeUndefined();
    expect(innermost(cache.get(KEY))).toBe('x'.repeat(10_000));
  });
});

describe('I5: the weight of a compressed value', () => {
  it('is that of its bytes with their place, so that the bound holds many times as many', () => {
    const count = (policy: object) => {
      const { cache, figures } = withPolicy(policy, { maxWeightBytes: 500_000 });
      for (let i = 0; i < 1_000; i++) cache.set(`query::${i}`, [i, ...rows()]);
      expect(figures().weightBytes).toBeLessThanOrEqual(500_000);
      return figures().entries;
    };
    expect(count(POLICY)).toBeGreaterThan(count({}) * 10);
  });

  it('is that of its bytes, which hold no larger buffer, and of an entry with a place for them', () => {
    const { cache } = withPolicy(POLICY);
    cache.set(KEY, rows());
    const bytes = pack(rows())?.bytes;
    expect(bytes?.buffer.byteLength).toBe(bytes?.length);
    const beside = (cache.inspect(KEY)?.weightBytes ?? 0) - (bytes?.length ?? 0);
    expect(beside).toBeGreaterThan(entryOverheadBytes(KEY, undefined));
    expect(beside).toBeLessThan(entryOverheadBytes(KEY, undefined) + 400);
  });

  it('counts against `maxEntryBytes` as it is uncompressed: that is what a reader must decode', async () => {
    const { cache, figures } = withPolicy({ ...POLICY, maxEntryBytes: 10_000 });
    expect(await cache.getOrLoad(KEY, rows)).toEqual(rows());
    expect(figures()).toMatchObject({ entries: 0, refusals: { 'too-large': 1 } });
  });
});
