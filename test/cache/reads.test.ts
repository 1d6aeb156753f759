import { describe, expect, it, vi } from 'vitest';
import { bench } from './support.ts';

const FALSY = [null, undefined, 0, -0, Number.NaN, '', false, 0n] as const;

describe('I1: a miss is not a value', () => {
  it.each(FALSY)('keeps %o from an asynchronous loader and serves it as a hit', async (value) => {
    const { cache } = bench();
    const load = vi.fn(async () => value);
    expect(await cache.getOrLoad('query::x', load)).toBe(value);
    expect(await cache.getOrLoad('query::x', load)).toBe(value);
    expect(load).toHaveBeenCalledTimes(1);
    expect(cache.lookup('query::x')).toEqual({ state: 'hit', value });
    expect(cache.has('query::x')).toBe(true);
  });

  it.each(FALSY)('keeps %o from a synchronous loader', (value) => {
    const { cache } = bench();
    const load = vi.fn(() => value);
    expect(cache.getOrLoadSync('query::x', load)).toBe(value);
    expect(cache.getOrLoadSync('query::x', load)).toBe(value);
    expect(load).toHaveBeenCalledTimes(1);
  });

  it.each(FALSY)('keeps %o from a batch, and what the batch left out as undefined', async (value) => {
    const { cache } = bench();
    const load = vi.fn(async () => new Map([['query::x', value]]));
    const keys = ['query::x', 'query::left-out'];
    for (let times = 0; times < 2; times++) {
      const found = await cache.getOrLoadMany<unknown>(keys, load);
      expect([...found]).toEqual([
        ['query::x', value],
        ['query::left-out', undefined],
      ]);
    }
    expect(load).toHaveBeenCalledTimes(1);
  });

  it.each(FALSY)('keeps %o that was written, and finds it by getMany', (value) => {
    const { cache } = bench();
    expect(cache.set('query::x', value)).toBe(true);
    expect([...cache.getMany(['query::x', 'query::y'])]).toEqual([['query::x', value]]);
  });

  it('tells a miss apart from undefined', () => {
    const { cache } = bench();
    expect(cache.lookup('query::x')).toEqual({ state: 'miss' });
    cache.set('query::x', undefined);
    expect(cache.lookup('query::x')).toEqual({ state: 'hit', value: undefined });
  });
});
