import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bench, NEGATIVE_TTL_MS, TTL_MS, tierOf } from './support.ts';

describe('a ttl', () => {
  it('ends exactly: the entry is fresh a millisecond before and gone at the instant', () => {
    const { cache, clock } = bench();
    cache.set('query::x', 1);
    clock.advance(TTL_MS - 1);
    expect(cache.get('query::x')).toBe(1);
    clock.advance(1);
    expect([cache.has('query::x'), cache.inspect('query::x'), cache.keys('', 9)]).toEqual([
      false,
      undefined,
      [],
    ]);
    expect(cache.get('query::x')).toBeUndefined();
    expect(cache.stats().total).toMatchObject({ entries: 0, removals: { expired: 1 } });
  });

  it('is not prolonged by reads, however many', () => {
    const { cache, clock } = bench();
    cache.set('query::x', 1, { ttlMs: 10 });
    for (let at = 0; at < 10; at++) {
      expect(cache.get('query::x')).toBe(1);
      clock.advance(1);
    }
    expect(cache.get('query::x')).toBeUndefined();
  });

  it('of 0 keeps nothing: in a tier, in a call, set by the loader, for a write and for null', async () => {
    const { cache } = bench({
      tiers: [tierOf('query', [], { ttlMs: 0 }), tierOf('user', ['user'], { negativeTtlMs: 0 })],
    });
    expect(await cache.getOrLoad('query::x', () => 1)).toBe(1);
    expect(await cache.getOrLoad('user::x', () => 1, { ttlMs: 0 })).toBe(1);
    expect(cache.getOrLoadSync('user::y', ({ setTtl }) => setTtl(0))).toBeUndefined();
    expect(await cache.getOrLoad('user::z', () => null)).toBeNull();
    expect(cache.set('user::w', 1, { ttlMs: 0 })).toBe(false);
    expect(cache.stats().total).toMatchObject({ entries: 0, refusals: { 'not-wanted': 5 } });
  });

  it('of Infinity keeps until evicted or invalidated', () => {
    const { cache, clock } = bench();
    cache.set('query::x', 1, { ttlMs: Number.POSITIVE_INFINITY });
    clock.advance(7 * 86_400_000);
    expect(cache.get('query::x')).toBe(1);
    expect(cache.inspect('query::x')?.expiresAt).toBe(Number.POSITIVE_INFINITY);
    expect(cache.delete('query::x')).toBe(true);
  });

  it.each([null, undefined])('of %s is the negative one, unless the call names another', async (nothing) => {
    const { cache, clock } = bench();
    await cache.getOrLoad('query::a', () => nothing);
    await cache.getOrLoad('query::b', () => nothing, { negativeTtlMs: 20_000 });
    await cache.getOrLoad('query::c', () => nothing, { ttlMs: 5_000 });
    await cache.getOrLoad('query::d', () => 0);
    const fresh = () => ['a', 'b', 'c', 'd'].filter((name) => cache.has(`query::${name}`)).join('');
    clock.advance(5_000);
    expect(fresh()).toBe('abd');
    clock.advance(NEGATIVE_TTL_MS - 5_000);
    expect(fresh()).toBe('bd');
    clock.advance(10_000);
    expect(fresh()).toBe('d');
  });

  it('is that of the key’s tier, of the call, or of the loader, the later one deciding', async () => {
    const { cache } = bench({ tiers: [tierOf('query', []), tierOf('user', ['user'], { ttlMs: 500 })] });
    const ttlOf = async (...args: Parameters<typeof cache.getOrLoad>) => {
      await cache.getOrLoad(...args);
      const report = cache.inspect(args[0]);
      return report && report.expiresAt - report.createdAt;
    };
    expect(await ttlOf('user::1', () => 1)).toBe(500);
    expect(await ttlOf('other::1', () => 1)).toBe(TTL_MS);
    expect(await ttlOf('other::2', () => 1, { tier: 'user' })).toBe(500);
    expect(await ttlOf('user::2', () => 1, { ttlMs: 70 })).toBe(70);
    expect(await ttlOf('user::3', ({ setTtl }) => setTtl(7) ?? 1, { ttlMs: 70 })).toBe(7);
  });

  it('counts from the end of the load', async () => {
    const { cache, clock } = bench();
    const loaded = Promise.withResolvers<number>();
    const read = cache.getOrLoad('query::x', () => loaded.promise);
    clock.advance(TTL_MS);
    loaded.resolve(1);
    await read;
    clock.advance(TTL_MS - 1);
    expect(cache.get('query::x')).toBe(1);
  });

  it('is shortened by jitter to no less than its share, and never to nothing', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 1e9 }),
        (random, jitterRatio, ttlMs) => {
          const { cache } = bench({
            random: () => random,
            tiers: [tierOf('query', [], { jitterRatio, ttlMs })],
          });
          cache.set('query::x', 1);
          const report = cache.inspect('query::x');
          const keptMs = (report?.expiresAt ?? 0) - (report?.createdAt ?? 0);
          expect(keptMs).toBeLessThanOrEqual(ttlMs);
          expect(keptMs).toBeGreaterThanOrEqual(Math.max(1, ttlMs * (1 - jitterRatio) - 1e-6));
        },
      ),
    );
  });

  it.each([-0.1, 1.1, Number.NaN])('a jitter of %d is refused', (jitterRatio) => {
    expect(() => bench({ tiers: [tierOf('query', [], { jitterRatio })] })).toThrow();
  });
});

describe('the cleanup', () => {
  it('removes what has expired though nobody asks for it, and nothing else', async () => {
    const { cache, clock } = bench({ cleanupIntervalMs: 1_000 });
    cache.set('query::short', 1, { ttlMs: 1_000 });
    cache.set('query::long', 1, { ttlMs: 1_001 });
    await clock.advanceAsync(999);
    expect(cache.stats().total.entries).toBe(2);
    await clock.advanceAsync(1);
    expect(cache.stats().total).toMatchObject({ entries: 1, removals: { expired: 1 } });
    expect(cache.has('query::long')).toBe(true);
    await clock.advanceAsync(1_000);
    expect(cache.stats().total).toMatchObject({ entries: 0, weightBytes: 0, removals: { expired: 2 } });
  });
});
