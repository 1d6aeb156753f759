/** XFetch: when a read is early enough, by the published rule. When that is in a crowd, `early-refresh-simulation.test.ts` shows. */
import { describe, expect, it } from 'vitest';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { fails, INVALIDATIONS, KEY, LINKS, noUnhandledRejections, withPolicy } from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';

/** How long the loads of these tests take. */
const LOAD_MS = 500;

noUnhandledRejections();

/** A cache whose entry was loaded in {@link LOAD_MS}, and whose random numbers the test chooses. */
async function loaded(policy: Partial<TierPolicy> = { earlyRefreshBeta: 1 }) {
  let next = 1;
  const made = withPolicy(policy, { random: () => next });
  const first = heldLoader();
  const filled = made.cache.getOrLoad(KEY, first.load, LINKS);
  await made.clock.advanceAsync(LOAD_MS);
  first.give('old');
  await filled;
  const loader = heldLoader();
  return {
    ...made,
    loader,
    /** Reads once with this random number; true when that set off a load. */
    async readWith(random: number, options = {}): Promise<boolean> {
      next = random;
      const before = loader.calls;
      expect(await made.cache.getOrLoad(KEY, loader.load, { ...LINKS, ...options })).toBe('old');
      return loader.calls > before;
    },
  };
}

/** `e` to the minus `x`: the random number below which a read `x` load times before the end loads early. */
const threshold = (timesBeforeTheEnd: number) => Math.exp(-timesBeforeTheEnd);

describe('XFetch is off', () => {
  it('unless asked for, whatever the dice say', async () => {
    const { readWith, clock } = await loaded({});
    clock.advance(TTL_MS - 1);
    expect(await readWith(1e-300)).toBe(false);
  });

  it('for a call that says 0', async () => {
    const { readWith, clock } = await loaded();
    clock.advance(TTL_MS - 1);
    expect(await readWith(1e-300, { earlyRefreshBeta: 0 })).toBe(false);
  });

  it('for a value that was written: no load of it has a duration', async () => {
    const { cache, clock } = withPolicy({ earlyRefreshBeta: 10 }, { random: () => 1e-300 });
    cache.set(KEY, 'written');
    clock.advance(TTL_MS - 1);
    expect(await cache.getOrLoad(KEY, fails)).toBe('written');
    await clock.settle();
    expect(cache.stats().total.loads).toBe(0);
  });

  it('where the ttl has no end', async () => {
    const { readWith, clock } = await loaded({ earlyRefreshBeta: 1, ttlMs: Number.POSITIVE_INFINITY });
    clock.advance(TTL_MS * 1_000);
    expect(await readWith(1e-300)).toBe(false);
  });

  it('for `get`, which could not load', async () => {
    const { cache, clock, loader, readWith } = await loaded();
    clock.advance(TTL_MS - 1);
    await readWith(1);
    expect(cache.get(KEY)).toBe('old');
    expect(loader.calls).toBe(0);
  });
});

describe('XFetch loads behind when now − δ·β·ln(random) has come to the end of the ttl', () => {
  it.each([0.1, 1, 2, 5, 10])(
    'so at %d load times before the end just below e to the minus that',
    async (times) => {
      const { readWith, clock } = await loaded();
      clock.advance(TTL_MS - times * LOAD_MS);
      expect(await readWith(threshold(times) * 1.000_1)).toBe(false);
      expect(await readWith(threshold(times) * 0.999_9)).toBe(true);
    },
  );

  it.each([0.5, 2])('with β %d the spread is that many times as wide', async (beta) => {
    const { readWith, clock } = await loaded({ earlyRefreshBeta: beta });
    clock.advance(TTL_MS - 3 * LOAD_MS);
    expect(await readWith(threshold(3 / beta) * 1.000_1)).toBe(false);
    expect(await readWith(threshold(3 / beta) * 0.999_9)).toBe(true);
  });

  it('β may be given by a call', async () => {
    const { readWith, clock } = await loaded({});
    clock.advance(TTL_MS - 3 * LOAD_MS);
    expect(await readWith(threshold(3) * 0.999_9, { earlyRefreshBeta: 1 })).toBe(true);
  });

  it('never in the first part of a long ttl, even with the smallest number there is above 0', async () => {
    const { readWith, clock } = await loaded();
    clock.advance(TTL_MS - 37 * LOAD_MS);
    expect(await readWith(2 ** -52)).toBe(false);
    clock.advance(LOAD_MS);
    expect(await readWith(2 ** -52)).toBe(true);
  });

  it('serves what is there as a plain hit, and the new value when it is loaded', async () => {
    const { cache, clock, loader, readWith, figures } = await loaded();
    clock.advance(TTL_MS - LOAD_MS);
    await readWith(0.01);
    loader.give('new');
    await clock.settle();
    expect(cache.get(KEY)).toBe('new');
    expect(figures()).toMatchObject({
      hits: 2,
      misses: 1,
      loads: 2,
      refreshes: 1,
      stale: { revalidating: 0 },
    });
  });

  it('I3: begins one load, whatever the dice of the others say', async () => {
    const { clock, loader, readWith } = await loaded();
    clock.advance(TTL_MS - LOAD_MS);
    expect(await readWith(0.01)).toBe(true);
    for (let i = 0; i < 50; i++) expect(await readWith(0.01)).toBe(false);
    expect(loader.calls).toBe(1);
  });

  it('leaves a failing source alone for the back-off', async () => {
    const { clock, loader, readWith } = await loaded({ earlyRefreshBeta: 1, graceBackoffMs: 200 });
    clock.advance(TTL_MS - LOAD_MS);
    expect(await readWith(0.01)).toBe(true);
    loader.fail(new Error('down'));
    await clock.settle();
    clock.advance(199);
    expect(await readWith(1e-9)).toBe(false);
    clock.advance(1);
    expect(await readWith(1e-9)).toBe(true);
  });

  it.each(INVALIDATIONS)('I2: a load that began early fills nothing after %s', async (_name, invalidate) => {
    const { cache, clock, loader, readWith } = await loaded();
    clock.advance(TTL_MS - LOAD_MS);
    await readWith(0.01);
    invalidate(cache);
    expect(cache.has(KEY)).toBe(false);
    loader.give('read before the invalidation');
    await clock.settle();
    expect(cache.has(KEY)).toBe(false);
  });
});

describe('δ is how long the load itself took', () => {
  it('for a synchronous loader too, also when it ran behind: its wait for a turn is not part of it', async () => {
    const { cache, clock } = withPolicy({ refreshAheadRatio: 0.5 });
    const slow = () => {
      clock.advance(LOAD_MS);
      return 'value';
    };
    cache.getOrLoadSync(KEY, slow);
    expect(cache.inspect(KEY)?.loadMs).toBe(LOAD_MS);
    clock.advance(TTL_MS / 2);
    cache.getOrLoadSync(KEY, slow);
    // The event loop is busy with something else before it comes to the load.
    clock.advance(300);
    await clock.settle();
    expect(cache.inspect(KEY)?.loadMs).toBe(LOAD_MS);
    expect(cache.stats().total.loadTimes).toMatchObject({ count: 2, meanMs: LOAD_MS });
  });
});
