import { describe, expect, it } from 'vitest';
import {
  fails,
  INVALIDATIONS,
  KEY,
  LINKS,
  noUnhandledRejections,
  WAYS,
  withPolicy,
} from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';

const RATIO = 0.8;
const AHEAD_MS = TTL_MS * RATIO;
const POLICY = { refreshAheadRatio: RATIO };

noUnhandledRejections();

describe('refresh-ahead is off', () => {
  it('unless asked for: an entry is read to its last millisecond without a load', async () => {
    const { cache, clock, figures } = withPolicy();
    cache.set(KEY, 'old');
    clock.advance(TTL_MS - 1);
    expect(await cache.getOrLoad(KEY, fails)).toBe('old');
    await clock.settle();
    expect(figures()).toMatchObject({ hits: 1, loads: 0 });
  });

  it('for `get`, `lookup` and `getMany`, which could not load', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    cache.set(KEY, 'old');
    clock.advance(TTL_MS - 1);
    expect(cache.get(KEY)).toBe('old');
    expect(cache.getMany([KEY]).get(KEY)).toBe('old');
    await clock.settle();
    expect(figures()).toMatchObject({ hits: 2, loads: 0 });
  });

  it('where the ttl has no end, and so no share of it ever passes', async () => {
    const { cache, clock, figures } = withPolicy({ ...POLICY, ttlMs: Number.POSITIVE_INFINITY });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS * 10_000);
    expect(await cache.getOrLoad(KEY, fails)).toBe('old');
    await clock.settle();
    expect(figures().loads).toBe(0);
  });

  it('while nobody reads: no timer loads anything', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    cache.set(KEY, 'old');
    await clock.advanceAsync(TTL_MS - 1);
    expect(figures().loads).toBe(0);
  });
});

describe.each(WAYS)('refresh-ahead, for %s reads,', (_name, read) => {
  it('loads behind from its share of the ttl on, not a millisecond before, and serves what is there', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    await read(cache, () => 'old');
    clock.advance(AHEAD_MS - 1);
    expect(await read(cache, fails)).toBe('old');
    await clock.settle();
    clock.advance(1);
    expect(await read(cache, () => 'new')).toBe('old');
    await clock.settle();
    expect(await read(cache, fails)).toBe('new');
    expect(figures()).toMatchObject({ hits: 3, misses: 1, loads: 2, refreshes: 1, failures: 0 });
  });

  it('counts what it serves as a plain hit: the entry is fresh', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    await read(cache, () => 'old');
    clock.advance(AHEAD_MS);
    await read(cache, () => 'new');
    expect(figures().stale).toEqual({ revalidating: 0, 'backing-off': 0, failed: 0, slow: 0 });
  });

  it('gives the new value a whole ttl, so that a key in steady use never misses', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    let version = 0;
    await read(cache, () => version);
    for (let second = 0; second < 600; second++) {
      clock.advance(1_000);
      await read(cache, () => ++version);
      await clock.settle();
    }
    expect(figures().misses).toBe(1);
    expect(version).toBe(Math.floor(600_000 / AHEAD_MS));
  });

  it('keeps the old value when the load behind fails, says so once, and leaves the source alone for the back-off', async () => {
    const { cache, clock, said, figures } = withPolicy({ ...POLICY, graceBackoffMs: 2_000 });
    await read(cache, () => 'old');
    clock.advance(AHEAD_MS);
    for (let i = 0; i < 10; i++) {
      expect(await read(cache, fails)).toBe('old');
      await clock.settle();
    }
    expect(figures()).toMatchObject({ loads: 2, failures: 1 });
    expect(said).toEqual(['A load failed; the old value is served for a while.']);
    clock.advance(2_000);
    await read(cache, () => 'new');
    await clock.settle();
    expect(await read(cache, fails)).toBe('new');
  });

  it('may be asked for by a call, and differently from its tier', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    await read(cache, () => 'old');
    clock.advance(TTL_MS / 2);
    await read(cache, () => 'new');
    await clock.settle();
    expect(figures().loads).toBe(1);
    clock.advance(5);
    await read(cache, () => 'new', { refreshAheadRatio: 0.5 });
    await clock.settle();
    expect(await read(cache, fails)).toBe('new');
  });

  it.each(INVALIDATIONS)('I2: never serves what was invalidated by %s', async (_target, invalidate) => {
    const { cache, clock } = withPolicy(POLICY);
    await read(cache, () => 'old', LINKS);
    clock.advance(AHEAD_MS);
    await read(cache, () => 'newer', LINKS);
    invalidate(cache);
    expect(await read(cache, () => 'newest', LINKS)).toBe('newest');
    await clock.settle();
    expect(await read(cache, fails)).toBe('newest');
  });
});

describe('the load ahead', () => {
  it('I3: is one, however many read, and is joined by those who come after the ttl', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(AHEAD_MS);
    for (let i = 0; i < 100; i++) expect(await cache.getOrLoad(KEY, loader.load)).toBe('old');
    clock.advance(TTL_MS - AHEAD_MS);
    const late = [cache.getOrLoad(KEY, loader.load), cache.getOrLoad(KEY, loader.load)];
    loader.give('new');
    expect(await Promise.all(late)).toEqual(['new', 'new']);
    expect(loader.calls).toBe(1);
    expect(figures()).toMatchObject({ hits: 100, misses: 2, joined: 2, loads: 1 });
  });

  it('goes by the ttl that the entry really has: set by the loader, or shortened by jitter', async () => {
    const { cache, clock, figures } = withPolicy({ ...POLICY, jitterRatio: 0.5 }, { random: () => 1 });
    await cache.getOrLoad('query::jitter', () => 'old');
    await cache.getOrLoad('query::own', ({ setTtl }) => {
      setTtl(20_000);
      return 'old';
    });
    // Both are halved by the jitter: 30 s and 10 s, of which 80 % are 24 s and 8 s.
    const readBoth = async () => {
      await cache.getOrLoad('query::jitter', () => 'new');
      await cache.getOrLoad('query::own', () => 'new');
      await clock.settle();
      return figures().refreshes;
    };
    clock.advance(7_999);
    expect(await readBoth()).toBe(0);
    clock.advance(1);
    expect(await readBoth()).toBe(1);
    clock.advance(16_000 - 1);
    expect(await readBoth()).toBe(1);
    clock.advance(1);
    expect(await readBoth()).toBe(2);
  });

  it('never overwrites a newer `set`', async () => {
    const { cache, clock } = withPolicy(POLICY);
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(AHEAD_MS);
    await cache.getOrLoad(KEY, loader.load);
    cache.set(KEY, 'written');
    loader.give('loaded');
    await clock.settle();
    expect(cache.get(KEY)).toBe('written');
  });

  it.each(INVALIDATIONS)('I2: fills nothing once %s has invalidated its key', async (_name, invalidate) => {
    const { cache, clock } = withPolicy(POLICY);
    const loader = heldLoader();
    cache.set(KEY, 'old', LINKS);
    clock.advance(AHEAD_MS);
    await cache.getOrLoad(KEY, loader.load, LINKS);
    invalidate(cache);
    loader.give('read before the invalidation');
    await clock.settle();
    expect(cache.has(KEY)).toBe(false);
  });

  it('sees the old value as `stale` with its age, and may say that it still holds', async () => {
    const { cache, clock } = withPolicy(POLICY);
    const loader = heldLoader();
    cache.set(KEY, 'old');
    clock.advance(AHEAD_MS);
    await cache.getOrLoad(KEY, loader.load);
    expect(loader.contexts[0]?.stale).toEqual({ value: 'old', ageMs: AHEAD_MS });
    loader.give(loader.contexts[0]?.notModified());
    await clock.settle();
    clock.advance(TTL_MS - 1);
    expect(cache.get(KEY)).toBe('old');
  });
});
