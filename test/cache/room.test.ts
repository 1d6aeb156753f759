import { describe, expect, it } from 'vitest';
import { bench } from './support.ts';

const BOUND = 10_000_000;
const heavy = (bytes: number) => () => 'x'.repeat(bytes);

/** A cache that is full of small entries. */
function full() {
  const said: string[] = [];
  const say = (text: string) => void said.push(text);
  const made = bench({ maxWeightBytes: BOUND, logger: { debug: say, info: say, warn: say, error: say } });
  const total = () => made.cache.stats().total;
  for (let i = 0; total().removals.evicted === 0; i++) made.cache.set(`user::${i}`, i);
  return { ...made, said, total };
}

describe('a value for which many entries must leave', () => {
  it('I12: pushes them out at once where they are few', async () => {
    const { cache, total } = full();
    await cache.getOrLoad('query::page', heavy(50_000));
    expect(cache.has('query::page')).toBe(true);
    expect(total().weightBytes).toBeLessThanOrEqual(BOUND);
  });

  it('I12: is served and not kept at first where they are many; room is made behind, and its next load is kept', async () => {
    const { cache, clock, total, said } = full();
    const before = total().removals.evicted;
    expect(await cache.getOrLoad('query::page', heavy(1_000_000))).toHaveLength(1_000_000);
    expect(cache.has('query::page')).toBe(false);
    expect(total()).toMatchObject({ removals: { evicted: before }, refusals: { 'too-large': 1 } });
    await clock.settle();
    expect(cache.has('user::0')).toBe(false);
    await cache.getOrLoad('query::page', heavy(1_000_000));
    expect(cache.has('query::page')).toBe(true);
    expect(total().weightBytes).toBeLessThanOrEqual(BOUND);
    expect(total().weightBytes).toBeGreaterThan(BOUND * 0.99);
    expect(said).toEqual([]);
  });

  it('I5: takes its own place again without any other leaving', async () => {
    const { cache, clock, total } = full();
    await cache.getOrLoad('query::page', heavy(1_000_000));
    await clock.settle();
    await cache.getOrLoad('query::page', heavy(1_000_000));
    const { entries } = total();
    for (let i = 0; i < 3; i++) {
      await cache.getOrLoad('query::page', heavy(1_000_000), { fresh: true });
      expect(cache.has('query::page')).toBe(true);
    }
    expect(total().entries).toBe(entries);
  });

  it('what it replaces leaves also where it is not kept', async () => {
    const { cache } = full();
    await cache.getOrLoad('query::page', () => 'old');
    await cache.getOrLoad('query::page', heavy(1_000_000), { fresh: true });
    expect(cache.get('query::page')).toBeUndefined();
    cache.set('query::other', 'old');
    expect(cache.set('query::other', 'x'.repeat(1_000_000))).toBe(false);
    expect(cache.get('query::other')).toBeUndefined();
  });

  it('pushes nothing out where it would take a large part of the cache; that is said once, with what to do', async () => {
    const { cache, clock, total, said } = full();
    const { entries } = total();
    for (const bytes of [2_000_000, 6_000_000, 20_000_000])
      await cache.getOrLoad('query::page', heavy(bytes));
    await clock.settle();
    expect(cache.has('query::page')).toBe(false);
    expect(total().entries).toBe(entries);
    expect(said).toEqual([expect.stringMatching(/too heavy.*Keep parts of it.*max_size_mb/)]);
  });

  it('may take most of a cache that holds little else', async () => {
    const { cache } = bench({ maxWeightBytes: BOUND });
    await cache.getOrLoad('query::page', heavy(6_000_000));
    await cache.getOrLoad('query::other', heavy(6_000_000));
    expect([cache.has('query::page'), cache.has('query::other')]).toEqual([false, true]);
  });

  it('makes no room any more once the cache is stopped', async () => {
    const { cache, clock, total } = full();
    await cache.getOrLoad('query::page', heavy(1_000_000));
    await cache.stop();
    await clock.settle();
    expect(total().entries).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
