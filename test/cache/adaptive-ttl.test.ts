import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { EntryReport } from '../../src/cache/entry-report.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import { Down, fails, KEY, noUnhandledRejections, WAYS, withPolicy } from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';

const MIN_MS = TTL_MS / 4;
const MAX_MS = TTL_MS * 8;
const BOUNDS = { minMs: MIN_MS, maxMs: MAX_MS };
const POLICY = { adaptiveTtl: BOUNDS };

noUnhandledRejections();

const report = (cache: Cache): EntryReport => {
  const found = cache.inspect(KEY);
  if (found === undefined) throw new Error(`${KEY} is not held.`);
  return found;
};
const ttlOf = (cache: Cache) => report(cache).staleAt - report(cache).createdAt;

describe.each(WAYS)('the adaptive ttl, for %s reads,', (_name, read) => {
  /** Loads, reads it (or not), and lets it go stale, for each of these values in turn; gives the ttl after each. */
  async function ttlsOver(values: readonly unknown[], isRead = true, options = {}): Promise<number[]> {
    const { cache, clock } = withPolicy(POLICY);
    const ttls: number[] = [];
    for (const value of values) {
      await read<unknown>(cache, () => structuredClone(value), options);
      ttls.push(ttlOf(cache));
      if (isRead) await read(cache, fails, options);
      clock.advance(ttlOf(cache));
    }
    return ttls;
  }

  it('is off unless asked for: nothing changes a ttl', async () => {
    const { cache, clock } = withPolicy();
    for (let i = 0; i < 4; i++) {
      await read(cache, () => 'same');
      await read(cache, fails);
      expect(ttlOf(cache)).toBe(TTL_MS);
      expect(report(cache).ttlReason).toBeUndefined();
      clock.advance(TTL_MS);
    }
  });

  it('begins with the ttl of the tier, and doubles with each reload that finds the value as it was, up to its bound', async () => {
    expect(await ttlsOver([1, 1, 1, 1, 1, 1])).toEqual([1, 2, 4, 8, 8, 8].map((times) => times * TTL_MS));
  });

  it('halves with each reload that finds another value, down to its bound', async () => {
    expect(await ttlsOver([1, 2, 3, 4, 5])).toEqual(
      [1, 1 / 2, 1 / 4, 1 / 4, 1 / 4].map((times) => times * TTL_MS),
    );
  });

  it('goes up and down with the data', async () => {
    expect(await ttlsOver([1, 1, 1, 2, 2, 3])).toEqual([1, 2, 4, 2, 4, 2].map((times) => times * TTL_MS));
  });

  it('takes what is nested too deeply to be compared for changed, and keeps it', async () => {
    const deep = () => {
      let value: unknown = 1;
      for (let i = 0; i < 4_500; i++) value = { value };
      return value;
    };
    const { cache } = withPolicy(POLICY);
    await read(cache, deep);
    await read(cache, deep, { fresh: true });
    expect(ttlOf(cache)).toBe(TTL_MS / 2);
  });

  it('compares what values hold, not which object holds it', async () => {
    const row = { name: 'Ada', tags: ['a', 'b'], at: new Date(5), seen: new Map([[1, 2]]) };
    const ttls = await ttlsOver([row, { ...row }, { ...row, tags: ['b', 'a'] }, { ...row, at: new Date(6) }]);
    expect(ttls).toEqual([TTL_MS, TTL_MS * 2, TTL_MS, TTL_MS / 2]);
  });

  it('does not grow for what nobody read in between', async () => {
    expect(await ttlsOver([1, 1, 1, 1], false)).toEqual([TTL_MS, TTL_MS, TTL_MS, TTL_MS]);
  });

  it('begins within its bounds', async () => {
    expect(await ttlsOver([1], true, { ttlMs: 1 })).toEqual([MIN_MS]);
    expect(await ttlsOver([1], true, { ttlMs: MAX_MS * 2 })).toEqual([MAX_MS]);
  });

  it('may be asked for, or switched off by bounds that leave no choice, by a call', async () => {
    const { cache, clock } = withPolicy();
    const options = { adaptiveTtl: BOUNDS };
    for (const times of [1, 2, 4]) {
      await read(cache, () => 1, options);
      await read(cache, fails, options);
      expect(ttlOf(cache)).toBe(TTL_MS * times);
      clock.advance(TTL_MS * times);
    }
    await read(cache, () => 1, { adaptiveTtl: { minMs: TTL_MS, maxMs: TTL_MS } });
    expect(ttlOf(cache)).toBe(TTL_MS);
  });

  it('is explained: where it began, what it became, and what the reloads found', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    await read(cache, () => 1);
    expect(report(cache).ttlReason).toBe('adaptive: not reloaded yet');
    for (const value of [1, 1, 2]) {
      await read(cache, fails);
      clock.advance(ttlOf(cache));
      await read(cache, () => value);
    }
    expect(report(cache).ttlReason).toBe('adaptive: 60 s became 120 s; unchanged at 2 of 3 reloads');
    expect(figures().unchanged).toBe(2);
  });

  it('a failed load says nothing about the data', async () => {
    const { cache, clock } = withPolicy({ ...POLICY, graceMs: MAX_MS, graceBackoffMs: 0 });
    await read(cache, () => 1);
    await read(cache, fails);
    clock.advance(TTL_MS);
    expect(await read(cache, fails)).toBe(1);
    expect(ttlOf(cache)).toBe(TTL_MS);
    await read(cache, () => 1);
    expect(ttlOf(cache)).toBe(TTL_MS * 2);
  });

  it('no such row has the negative ttl, and what comes after it begins anew', async () => {
    const { cache, clock } = withPolicy(POLICY);
    for (const value of [1, 1, null, 1]) {
      await read<unknown>(cache, () => value);
      if (value !== null) await read(cache, fails);
      clock.advance(ttlOf(cache));
    }
    await read(cache, () => 2);
    expect(ttlOf(cache)).toBe(TTL_MS / 2);
  });
});

describe('the adaptive ttl', () => {
  it('takes the word of a loader that says `notModified`', async () => {
    const { cache, clock } = withPolicy(POLICY);
    const load = ({ stale, notModified }: LoadContext) => (stale === undefined ? [1] : notModified());
    for (const times of [1, 2, 4]) {
      expect(await cache.getOrLoad(KEY, load)).toEqual([1]);
      await cache.getOrLoad(KEY, fails);
      expect(ttlOf(cache)).toBe(TTL_MS * times);
      clock.advance(TTL_MS * times);
    }
  });

  it('leaves a ttl alone that the loader has set', async () => {
    const { cache } = withPolicy(POLICY);
    await cache.getOrLoad(KEY, ({ setTtl }) => {
      setTtl(MIN_MS / 2);
      return 1;
    });
    expect(ttlOf(cache)).toBe(MIN_MS / 2);
    expect(report(cache).ttlReason).toBeUndefined();
  });

  it.each([
    ['stale-while-revalidate', { staleWhileRevalidateMs: TTL_MS }, TTL_MS],
    ['refresh-ahead', { refreshAheadRatio: 0.5 }, TTL_MS / 2],
  ])('learns from the loads behind of %s', async (_name, policy, atMs) => {
    const { cache, clock } = withPolicy({ ...POLICY, ...policy });
    await cache.getOrLoad(KEY, () => 1);
    clock.advance(atMs);
    await cache.getOrLoad(KEY, () => 1);
    await clock.settle();
    expect(ttlOf(cache)).toBe(TTL_MS * 2);
  });

  it('learns from a forced load of a fresh entry', async () => {
    const { cache } = withPolicy(POLICY);
    await cache.getOrLoad(KEY, () => 1);
    await cache.getOrLoad(KEY, () => 2, { fresh: true });
    expect(ttlOf(cache)).toBe(TTL_MS / 2);
  });

  it('begins anew after an invalidation, a write or the end of the entry: what was learnt went with it', async () => {
    const cleanupIntervalMs = MAX_MS * 10;
    const { cache, clock } = withPolicy(POLICY, { cleanupIntervalMs });
    const learn = async () => {
      for (let i = 0; i < 3; i++) {
        await cache.getOrLoad(KEY, () => 1);
        await cache.getOrLoad(KEY, fails);
        clock.advance(ttlOf(cache));
      }
      await cache.getOrLoad(KEY, () => 1);
      expect(ttlOf(cache)).toBe(MAX_MS);
    };
    await learn();
    cache.invalidate(KEY);
    await cache.getOrLoad(KEY, () => 1);
    expect(ttlOf(cache)).toBe(TTL_MS);
    cache.clear();
    await learn();
    cache.set(KEY, 1);
    expect(ttlOf(cache)).toBe(TTL_MS);
    cache.clear();
    await learn();
    // The cleanup has taken it.
    await clock.advanceAsync(cleanupIntervalMs + MAX_MS);
    await cache.getOrLoad(KEY, () => 1);
    expect(ttlOf(cache)).toBe(TTL_MS);
  });

  it('compares compressed values too', async () => {
    const { cache, clock } = withPolicy({ ...POLICY, compressAboveBytes: 1 });
    const rows = (name: string) => Array.from({ length: 100 }, (_, id) => ({ id, name }));
    for (const [name, times] of [
      ['a', 1],
      ['a', 2],
      ['b', 1],
    ] as const) {
      await cache.getOrLoad(KEY, () => rows(name));
      expect(report(cache).uncompressedBytes).toBeGreaterThan(0);
      await cache.getOrLoad(KEY, fails);
      expect(ttlOf(cache)).toBe(TTL_MS * times);
      clock.advance(TTL_MS * times);
    }
  });

  it('I12: does not compare what is too large to compare at once: its ttl stays', async () => {
    const { cache, clock } = withPolicy(POLICY);
    const large = () => ['x'.repeat(300_000)];
    for (let i = 0; i < 3; i++) {
      await cache.getOrLoad(KEY, large);
      await cache.getOrLoad(KEY, fails);
      expect(ttlOf(cache)).toBe(TTL_MS);
      clock.advance(TTL_MS);
    }
  });

  it('is shortened by jitter without the jitter adding up', async () => {
    const { cache, clock } = withPolicy({ ...POLICY, jitterRatio: 0.5 }, { random: () => 0.5 });
    for (const times of [1, 2, 4, 8, 8]) {
      await cache.getOrLoad(KEY, () => 1);
      await cache.getOrLoad(KEY, fails);
      expect(ttlOf(cache)).toBe(TTL_MS * times * 0.75);
      clock.advance(ttlOf(cache));
    }
  });

  it('I2: learns nothing from a load that an invalidation covers', async () => {
    const { cache, clock } = withPolicy({ ...POLICY, graceMs: TTL_MS });
    await cache.getOrLoad(KEY, () => 1);
    clock.advance(TTL_MS);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    cache.invalidate(KEY);
    loader.give(1);
    await read;
    expect(cache.inspect(KEY)).toBeUndefined();
    await expect(cache.getOrLoad(KEY, fails)).rejects.toThrow(Down);
  });

  it('stays within its bounds, whatever the reloads find', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ value: fc.nat(2), isRead: fc.boolean() }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        async (loads, minMs, more) => {
          const { cache } = withPolicy({ adaptiveTtl: { minMs, maxMs: minMs + more } });
          for (const { value, isRead } of loads) {
            await cache.getOrLoad(KEY, () => value, { fresh: true });
            expect(ttlOf(cache)).toBeGreaterThanOrEqual(minMs);
            expect(ttlOf(cache)).toBeLessThanOrEqual(minMs + more);
            if (isRead) await cache.getOrLoad(KEY, fails);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
