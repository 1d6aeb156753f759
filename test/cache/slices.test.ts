import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { HandClock } from '../support/hand-clock.ts';
import { bench, heldLoader } from './support.ts';

/**
 * A clock whose precise reading moves on by itself, so that work in slices comes to the end of its slices:
 * 0.1 ms a reading.
 */
function ticking(clock: HandClock): HandClock {
  let readings = 0;
  return Object.assign(Object.create(clock), { precise: () => clock.precise() + ++readings * 0.1 });
}

function filled(entries: number): { cache: Cache; clock: HandClock } {
  const clock = ticking(bench().clock);
  const { cache } = bench({ clock, maxWeightBytes: 1_000_000_000 });
  cache.setMany(
    Array.from({ length: entries }, (_, i) => [`user::${i}::profile`, i] as const),
    { tags: ['people'] },
  );
  return { cache, clock };
}

const WAYS = [
  ['pattern', 'user::*::profile'],
  ['tag', { tag: 'people' }],
] as const;

describe('I12: work over many entries lets the event loop turn', () => {
  const MANY = 100_000;

  it.each(WAYS)('an invalidation by %s removes little at once and the rest in slices', async (_, target) => {
    const { cache, clock } = filled(MANY);
    const removal = cache.invalidate(target);
    expect(removal.entries).toBeLessThan(MANY / 10);
    expect(await removal.pending).toMatchObject({ entries: MANY });
    expect(clock.yields).toBeGreaterThan(50);
    expect(cache.stats().total).toMatchObject({
      entries: 0,
      weightBytes: 0,
      removals: { invalidated: MANY },
    });
  });

  it('the cleanup of expired entries', async () => {
    const { cache, clock } = filled(MANY);
    await clock.advanceAsync(600_000);
    expect(clock.yields).toBeGreaterThan(50);
    while (cache.stats().total.entries > 0) await clock.settle();
    expect(cache.stats().total.removals).toMatchObject({ expired: MANY });
    expect(cache.keys('', 10)).toEqual([]);
  });

  it('a preview', async () => {
    const { cache, clock } = filled(MANY);
    expect(await cache.preview('user::*')).toMatchObject({ entries: MANY, examples: { length: 5 } });
    expect(clock.yields).toBeGreaterThan(50);
  });

  it('a clear removes everything at once, whatever there is', () => {
    const { cache, clock } = filled(MANY);
    expect(cache.clear()).toMatchObject({ entries: MANY });
    expect(clock.yields).toBe(0);
    expect(cache.keys('', 10)).toEqual([]);
  });
});

describe.each(WAYS)('I2 while an invalidation by %s is still being swept', (_, target) => {
  const MANY = 5_000;
  const LAST = `user::${MANY - 1}::profile`;
  const FIRST = 'user::0::profile';

  it('nothing it covers is served, listed or counted as resident by any read', () => {
    const { cache } = filled(MANY);
    for (let i = 0; i < MANY; i++) cache.get(`user::${i}::profile`);
    cache.invalidate(target);
    for (let i = 0; i < MANY; i++) expect(cache.has(`user::${i}::profile`)).toBe(false);
    for (const key of [FIRST, LAST]) {
      expect(cache.inspect(key)).toBeUndefined();
      expect(cache.delete(key)).toBe(false);
      expect(cache.lookup(key)).toEqual({ state: 'miss' });
      expect(cache.getMany([key]).size).toBe(0);
      expect(cache.getOrLoadSync(key, () => 'new')).toBe('new');
    }
    for (const key of cache.keys('user::', 10)) expect([FIRST, LAST]).toContain(key);
  });

  it('what is filled or written meanwhile survives', async () => {
    const { cache } = filled(MANY);
    const { pending } = cache.invalidate(target);
    cache.set(LAST, 'written', { tags: ['people'] });
    expect(await cache.getOrLoad('user::3000::profile', () => 'loaded', { tags: ['people'] })).toBe('loaded');
    await pending;
    expect(cache.get(LAST)).toBe('written');
    expect(cache.get('user::3000::profile')).toBe('loaded');
    expect(cache.stats().total.entries).toBe(2);
  });

  it('a load that began before it fills nothing, one that began after it fills', async () => {
    const { cache } = filled(MANY);
    const loader = heldLoader();
    const options = { tags: ['people'] };
    const before = cache.getOrLoad('user::new::profile', loader.load, options);
    const { pending } = cache.invalidate(target);
    const after = cache.getOrLoad('user::new::profile', loader.load, options);
    loader.give('old', 0);
    loader.give('new', 1);
    expect(await Promise.all([before, after])).toEqual(['old', 'new']);
    await pending;
    expect(cache.get('user::new::profile')).toBe('new');
  });

  it('the whole count includes what reads removed ahead of the sweep', async () => {
    const { cache } = filled(MANY);
    const { pending } = cache.invalidate(target);
    for (let i = 0; i < MANY; i += 7) cache.get(`user::${i}::profile`);
    expect(await pending).toMatchObject({ entries: MANY });
    expect(cache.stats().total.removals).toMatchObject({ invalidated: MANY, expired: 0 });
  });

  it('another one, a clear and a stop end well', async () => {
    for (const end of ['invalidate', 'clear', 'stop'] as const) {
      const { cache } = filled(MANY);
      const first = cache.invalidate(target);
      const second = end === 'invalidate' ? cache.invalidate(target) : cache[end]();
      await Promise.all([first.pending, second, 'pending' in second ? second.pending : undefined]);
      expect(cache.keys('', 10)).toEqual([]);
      expect(cache.has(LAST)).toBe(false);
    }
  });
});
