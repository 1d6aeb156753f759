import { describe, expect, it } from 'vitest';
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

noUnhandledRejections();

const isPaid = (order: { readonly paid: boolean }) => order.paid;

describe.each(WAYS)('conditional caching, for %s reads,', (_name, read) => {
  it('keeps everything unless told otherwise', async () => {
    const { cache } = withPolicy();
    for (const value of [null, '', [], {}, new Map(), 'x'.repeat(100_000)]) {
      await read<unknown>(cache, () => value, { fresh: true });
      expect(cache.has(KEY)).toBe(true);
    }
  });

  it('`when` false: the value is served and not kept, and the next read loads again', async () => {
    const { cache, figures } = withPolicy({ when: isPaid });
    expect(await read(cache, () => ({ paid: false }))).toEqual({ paid: false });
    expect(cache.has(KEY)).toBe(false);
    expect(await read(cache, () => ({ paid: true }))).toEqual({ paid: true });
    expect(await read(cache, fails)).toEqual({ paid: true });
    expect(figures()).toMatchObject({ loads: 2, fills: 1, refusals: { 'not-wanted': 1 } });
  });

  it('I6: `when` and `cost` cannot change what is kept', async () => {
    const spoil = (value: { list: number[] }) => value.list.push(2) > 0;
    const { cache } = withPolicy({ when: spoil, cost: (value: { list: number[] }) => Number(spoil(value)) });
    await read(cache, () => ({ list: [1] }));
    expect(await read(cache, () => ({ list: [9] }))).toEqual({ list: [1] });
  });

  it('I4: a `when` that throws makes no read fail: the value is served, not kept, and the log says so', async () => {
    const { cache, said, figures } = withPolicy({ when: fails });
    expect(await read(cache, () => 1)).toBe(1);
    expect(await read(cache, () => 2)).toBe(2);
    expect(figures()).toMatchObject({ entries: 0, failures: 0 });
    expect(said).toContain('A value is served but could not be kept.');
  });

  it('`maxEntryBytes`: a heavier value is served and not kept', async () => {
    const { cache, figures } = withPolicy({ maxEntryBytes: 1_016 });
    // A Latin-1 text takes a byte a character and 16 for its header.
    expect(await read(cache, () => 'x'.repeat(1_001))).toHaveLength(1_001);
    expect(cache.has(KEY)).toBe(false);
    await read(cache, () => 'x'.repeat(1_000));
    expect(cache.has(KEY)).toBe(true);
    expect(figures()).toMatchObject({ loads: 2, refusals: { 'too-large': 1 } });
  });

  it.each([null, undefined, '', [], {}, new Map(), new Set()])(
    '`skipEmpty` does not keep %o',
    async (empty) => {
      const { cache, figures } = withPolicy({ skipEmpty: true });
      expect(await read<unknown>(cache, () => empty)).toEqual(empty);
      expect(cache.has(KEY)).toBe(false);
      expect(figures().refusals['not-wanted']).toBe(1);
    },
  );

  it.each([0, false, Number.NaN, ' ', [null], { a: undefined }, new Date(0), Buffer.alloc(0)])(
    'I1: `skipEmpty` keeps %o, which is not empty',
    async (value) => {
      const { cache } = withPolicy({ skipEmpty: true });
      await read<unknown>(cache, () => value);
      expect(cache.lookup(KEY)).toEqual({ state: 'hit', value });
    },
  );

  it('each may be asked for, or switched off, by a call', async () => {
    const { cache } = withPolicy();
    for (const options of [{ when: () => false }, { maxEntryBytes: 1 }, { skipEmpty: true }]) {
      await read(cache, () => [], options);
      expect(cache.has(KEY)).toBe(false);
    }
    const { cache: strict } = withPolicy({ skipEmpty: true, maxEntryBytes: 1, when: () => false });
    const lenient = { skipEmpty: false, maxEntryBytes: Number.POSITIVE_INFINITY, when: () => true };
    await read(strict, () => [], lenient);
    expect(strict.has(KEY)).toBe(true);
  });

  it('a value that is not kept takes the old one with it, which is outdated', async () => {
    const { cache, clock, figures } = withPolicy({ skipEmpty: true, graceMs: TTL_MS });
    await read<string[]>(cache, () => ['old']);
    clock.advance(TTL_MS);
    expect(await read<string[]>(cache, () => [])).toEqual([]);
    await expect(read(cache, fails)).rejects.toThrow(Down);
    expect(figures()).toMatchObject({ entries: 0, removals: { replaced: 1 } });
  });
});

describe('a value that is not kept', () => {
  it('I3: is shared by all who wait for its load', async () => {
    const { cache, figures } = withPolicy({ when: () => false });
    const loader = heldLoader();
    const reads = [1, 2, 3].map(() => cache.getOrLoad(KEY, loader.load));
    loader.give('once');
    expect(await Promise.all(reads)).toEqual(['once', 'once', 'once']);
    expect(figures()).toMatchObject({ loads: 1, joined: 2, entries: 0 });
  });

  it('leaves behind nothing that a tag or dependency would find', async () => {
    const { cache } = withPolicy({ when: () => false });
    await cache.getOrLoad(KEY, () => 1, LINKS);
    for (const [, invalidate] of INVALIDATIONS) expect(invalidate(cache)).toMatchObject({ entries: 0 });
  });

  it('by a write: the database has it, the cache has neither it nor the old one', async () => {
    const { cache, figures } = withPolicy({ skipEmpty: true });
    cache.set(KEY, ['old']);
    expect(await cache.write(KEY, [], () => 'saved')).toBe('saved');
    expect(cache.has(KEY)).toBe(false);
    cache.set(KEY, ['old']);
    expect(cache.set(KEY, [])).toBe(false);
    expect(cache.has(KEY)).toBe(false);
    expect(
      cache.setMany([
        [KEY, []],
        ['query::y', [1]],
      ]),
    ).toBe(1);
    expect(figures()).toMatchObject({ entries: 1, refusals: { 'not-wanted': 3 } });
  });
});
