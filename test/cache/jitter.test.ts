/** The bounds of a single ttl under jitter are in `expiry.test.ts`; this is what jitter is for. */
import { describe, expect, it } from 'vitest';
import { KEY, noUnhandledRejections, WAYS, withPolicy } from './policy-support.ts';
import { NEGATIVE_TTL_MS, TTL_MS } from './support.ts';

noUnhandledRejections();

const RATIO = 0.1;
const ENTRIES = 2_000;

/** Numbers spread evenly over 0 to 1, in no order: multiples of the golden ratio. */
function spread(): () => number {
  let n = 0;
  return () => (n++ * 0.618_033_988_749_895) % 1;
}

describe('entries that were filled at one instant', () => {
  function endsOf(jitterRatio: number): number[] {
    const { cache } = withPolicy({ jitterRatio }, { random: spread() });
    const keys = Array.from({ length: ENTRIES }, (_, i) => `query::${i}`);
    cache.setMany(keys.map((key) => [key, 1]));
    return keys.map((key) => {
      const { staleAt = 0, createdAt = 0 } = cache.inspect(key) ?? {};
      return staleAt - createdAt;
    });
  }

  it('all end at one instant without jitter', () => {
    expect(new Set(endsOf(0))).toEqual(new Set([TTL_MS]));
  });

  it('end evenly over the last share of the ttl with it, none later than the ttl', () => {
    const ends = endsOf(RATIO);
    const from = TTL_MS * (1 - RATIO);
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(from);
    expect(Math.max(...ends)).toBeLessThanOrEqual(TTL_MS);
    const tenth = (TTL_MS - from) / 10;
    for (let i = 0; i < 10; i++) {
      const within = ends.filter((end) => end >= from + i * tenth && end < from + (i + 1) * tenth);
      expect(within.length / ENTRIES).toBeCloseTo(0.1, 2);
    }
  });
});

describe.each(WAYS)('jitter, for %s reads,', (_name, read) => {
  const freshFor = async (policy: object, options = {}, value: unknown = 1) => {
    const { cache } = withPolicy(policy, { random: () => 0.5 });
    await read(cache, () => value, options);
    const { staleAt = 0, createdAt = 0, expiresAt = 0 } = cache.inspect(KEY) ?? {};
    return { freshMs: staleAt - createdAt, heldMs: expiresAt - staleAt };
  };

  it('shortens the ttl, also that of no such row and that of the call', async () => {
    expect(await freshFor({ jitterRatio: 0.2 })).toMatchObject({ freshMs: TTL_MS * 0.9 });
    expect(await freshFor({ jitterRatio: 0.2 }, {}, null)).toMatchObject({ freshMs: NEGATIVE_TTL_MS * 0.9 });
    expect(await freshFor({ jitterRatio: 0.2 }, { ttlMs: 1_000 })).toMatchObject({ freshMs: 900 });
  });

  it('leaves grace as long as it is', async () => {
    expect(await freshFor({ jitterRatio: 0.2, graceMs: 5_000 })).toEqual({
      freshMs: TTL_MS * 0.9,
      heldMs: 5_000,
    });
  });

  it('may be switched on or off by a call', async () => {
    expect(await freshFor({}, { jitterRatio: 0.2 })).toMatchObject({ freshMs: TTL_MS * 0.9 });
    expect(await freshFor({ jitterRatio: 0.2 }, { jitterRatio: 0 })).toMatchObject({ freshMs: TTL_MS });
  });

  it('leaves a ttl without end without end', async () => {
    expect(await freshFor({ jitterRatio: 1 }, { ttlMs: Number.POSITIVE_INFINITY })).toMatchObject({
      freshMs: Number.POSITIVE_INFINITY,
    });
  });
});
