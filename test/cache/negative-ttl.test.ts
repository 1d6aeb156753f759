import { describe, expect, it } from 'vitest';
import { Down, fails, KEY, noUnhandledRejections, WAYS, withPolicy } from './policy-support.ts';
import { NEGATIVE_TTL_MS, TTL_MS } from './support.ts';

noUnhandledRejections();

describe.each(WAYS)('the negative ttl, for %s reads,', (_name, read) => {
  it.each([null, undefined])(
    'I1: keeps %o as a hit for its own time, and not a millisecond longer',
    async (none) => {
      const { cache, clock, figures } = withPolicy();
      expect(await read<unknown>(cache, () => none)).toBe(none);
      clock.advance(NEGATIVE_TTL_MS - 1);
      expect(await read<unknown>(cache, fails)).toBe(none);
      expect(figures()).toMatchObject({ hits: 1, misses: 1, loads: 1 });
      clock.advance(1);
      expect(await read<unknown>(cache, () => 'there now')).toBe('there now');
      clock.advance(TTL_MS - 1);
      expect(await read<unknown>(cache, fails)).toBe('there now');
    },
  );

  it.each([0, -0, '', false, Number.NaN, 0n, [], {}])('is not for %o, which is a value', async (value) => {
    const { cache, clock } = withPolicy();
    await read<unknown>(cache, () => value);
    clock.advance(TTL_MS - 1);
    expect(await read<unknown>(cache, fails)).toEqual(value);
  });

  it('of 0 keeps no such row at all', async () => {
    const { cache, figures } = withPolicy({ negativeTtlMs: 0 });
    let loads = 0;
    const load = () => {
      loads++;
      return null;
    };
    for (let i = 0; i < 3; i++) expect(await read(cache, load)).toBeNull();
    expect(loads).toBe(3);
    expect(figures()).toMatchObject({ entries: 0, refusals: { 'not-wanted': 3 } });
  });

  it('may be longer or shorter by a call', async () => {
    const { cache, clock } = withPolicy();
    await read(cache, () => null, { negativeTtlMs: 5 });
    clock.advance(5);
    await expect(read(cache, fails)).rejects.toThrow(Down);
    await read(cache, () => null, { negativeTtlMs: TTL_MS * 2 });
    clock.advance(TTL_MS * 2 - 1);
    expect(await read<unknown>(cache, fails)).toBeNull();
  });

  it('is never longer than the ttl of the call, unless the call says so', async () => {
    const { cache, clock } = withPolicy();
    await read(cache, () => null, { ttlMs: 5 });
    clock.advance(5);
    await expect(read(cache, fails)).rejects.toThrow(Down);
  });

  it('has grace, stale-while-revalidate and the rest on top of it, as any ttl has', async () => {
    const { cache, clock } = withPolicy({ graceMs: 1_000, graceBackoffMs: 0 });
    await read(cache, () => null);
    clock.advance(NEGATIVE_TTL_MS + 999);
    expect(await read<unknown>(cache, fails)).toBeNull();
    clock.advance(1);
    await expect(read(cache, fails)).rejects.toThrow(Down);
  });
});

it('a batch keeps the keys that its loader left out as no such row', async () => {
  const { cache, clock } = withPolicy();
  const found = await cache.getOrLoadMany([KEY, 'query::y'], () => new Map([[KEY, 'there']]));
  expect([...found]).toEqual([
    [KEY, 'there'],
    ['query::y', undefined],
  ]);
  clock.advance(NEGATIVE_TTL_MS - 1);
  expect(cache.lookup('query::y')).toEqual({ state: 'hit', value: undefined });
  clock.advance(1);
  expect(cache.getMany([KEY, 'query::y'])).toEqual(new Map([[KEY, 'there']]));
});

it('what is written has it too', () => {
  const { cache, clock } = withPolicy();
  cache.set(KEY, null);
  cache.writeSync('query::y', undefined, () => 0);
  clock.advance(NEGATIVE_TTL_MS - 1);
  expect(cache.has(KEY)).toBe(true);
  expect(cache.has('query::y')).toBe(true);
  clock.advance(1);
  expect(cache.has(KEY)).toBe(false);
  expect(cache.has('query::y')).toBe(false);
});

it('a ttl that the loader sets outranks it', async () => {
  const { cache, clock } = withPolicy();
  await cache.getOrLoad(KEY, ({ setTtl }) => {
    setTtl(NEGATIVE_TTL_MS * 3);
    return null;
  });
  clock.advance(NEGATIVE_TTL_MS * 3 - 1);
  expect(cache.lookup(KEY)).toEqual({ state: 'hit', value: null });
});

it.each([-1, Number.NaN])('a negative ttl of %d is refused, and the call with it', async (negativeTtlMs) => {
  const { cache } = withPolicy();
  await expect(cache.getOrLoad(KEY, () => 1, { negativeTtlMs })).rejects.toMatchObject({
    code: 'ERR_ARGUMENT_INVALID',
  });
  expect(() => withPolicy({ negativeTtlMs })).toThrow('negative ttl');
});
