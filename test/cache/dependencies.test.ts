import { beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { InvalidationTarget } from '../../src/cache/keys/target.ts';
import type { HandClock } from '../support/hand-clock.ts';
import { bench, heldLoader } from './support.ts';

let cache: Cache;
let clock: HandClock;
beforeEach(() => {
  ({ cache, clock } = bench());
});

/** More tagged entries than an invalidation removes at once. */
const MANY = 3_000;

describe('a dependency', () => {
  it('takes along what depends on it, and what depends on that, and counts it', () => {
    cache.set('config::rates', 1);
    cache.set('products::1', 1, { dependsOn: ['config::rates'] });
    cache.set('query::page', 1, { dependsOn: ['products::1'] });
    cache.set('query::other', 1);
    expect(cache.invalidate('config::rates')).toMatchObject({ entries: 3 });
    expect(cache.keys('', 10)).toEqual(['query::other']);
  });

  it('need not be resident itself', () => {
    cache.set('products::1', 1, { dependsOn: ['config::rates'] });
    expect(cache.invalidate('config::rates')).toMatchObject({ entries: 1 });
  });

  it.each<[string, InvalidationTarget]>([
    ['by its key', 'config::rates'],
    ['by a tag of the entry between', { tag: 'prices' }],
  ])('I2: still reaches what depends on it when the entry between was evicted, %s', (_, target) => {
    const small = bench({ maxWeightBytes: 2_000 }).cache;
    small.set('products::1', 1, { dependsOn: ['config::rates'], tags: ['prices'] });
    small.set('query::page', 1, { dependsOn: ['products::1'] });
    for (let i = 0; small.has('products::1'); i++) {
      small.set(`query::filler-${i}`, 1);
      small.get('query::page');
    }
    expect(small.has('query::page')).toBe(true);
    small.invalidate(target);
    expect(small.has('query::page')).toBe(false);
  });

  it('I2, I12: of more than is removed at once takes effect at once and is swept in slices', async () => {
    cache.set('config::rates', 1);
    for (let i = 0; i < MANY; i++) cache.set(`products::${i}`, i, { dependsOn: ['config::rates'] });
    cache.set('query::page', 1, { dependsOn: [`products::${MANY - 1}`] });
    // This one was filled before what it depends on, so it does not know the whole way up to the rates.
    cache.getOrLoadSync('query::early', () => 1, { dependsOn: ['reference::late'] });
    cache.getOrLoadSync('reference::late', () => 1, { dependsOn: ['config::rates'] });
    const loader = heldLoader<number>();
    const reading = cache.getOrLoad('query::slow', loader.load, { dependsOn: [`products::${MANY - 2}`] });

    const { pending } = cache.invalidate('config::rates');
    for (let i = 0; i < MANY; i++) expect(cache.has(`products::${i}`)).toBe(false);
    expect([cache.has('query::page'), cache.has('query::early'), cache.has('reference::late')]).toEqual([
      false,
      false,
      false,
    ]);
    loader.give(7);
    expect(await reading).toBe(7);
    expect(cache.has('query::slow')).toBe(false);
    expect(await pending).toMatchObject({ entries: MANY + 4 });
    expect(cache.stats().total).toMatchObject({ entries: 0, weightBytes: 0 });
  });

  it('I2: of more keys than are looked at at once, covered by a pattern, takes effect at once', async () => {
    for (let i = 0; i < MANY; i++) cache.set(`query::${i}`, i, { dependsOn: [`products::${i}`] });
    const { pending } = cache.invalidate('products:*');
    cache.set('query::0', 'new', { dependsOn: ['products::0'] });
    for (let i = 1; i < MANY; i++) expect(cache.get(`query::${i}`)).toBeUndefined();
    await pending;
    expect(cache.get('query::0')).toBe('new');
    expect(cache.stats().total.entries).toBe(1);
  });

  it('in a cycle ends', () => {
    cache.set('query::a', 1, { dependsOn: ['query::b', 'query::a'] });
    cache.set('query::b', 1, { dependsOn: ['query::c'] });
    cache.set('query::c', 1, { dependsOn: ['query::a'] });
    // Each write outdates what depends on it, so the cycle is closed by loads.
    cache.getOrLoadSync('query::a', () => 1, { dependsOn: ['query::b', 'query::a'], fresh: true });
    cache.getOrLoadSync('query::b', () => 1, { dependsOn: ['query::c'], fresh: true });
    expect(cache.keys('query', 10)).toHaveLength(3);
    expect(cache.invalidate('query::a')).toMatchObject({ entries: 3 });
  });

  it('in a cycle of loads in flight ends', async () => {
    const loader = heldLoader();
    const reads = [
      cache.getOrLoad('query::a', loader.load, { dependsOn: ['query::b'] }),
      cache.getOrLoad('query::b', loader.load, { dependsOn: ['query::a'] }),
    ];
    expect(cache.invalidate('query::a')).toMatchObject({ entries: 0, loads: 2 });
    loader.give(1, 0);
    loader.give(2, 1);
    expect(await Promise.all(reads)).toEqual([1, 2]);
    expect(cache.stats().total.entries).toBe(0);
  });

  it('of many levels is followed to the end', () => {
    for (let i = 1; i <= 200; i++) cache.set(`query::${i}`, i, { dependsOn: [`query::${i - 1}`] });
    expect(cache.invalidate('query::0')).toMatchObject({ entries: 200 });
  });

  it('named __proto__, constructor or toString is one like any other', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      cache.set('query::x', 1, { dependsOn: [name], tags: [name] });
      expect(cache.invalidate(name)).toMatchObject({ entries: 1 });
      cache.set(name, 1, { tags: [name] });
      expect(cache.get(name)).toBe(1);
      expect(cache.invalidate({ tag: name })).toMatchObject({ entries: 1 });
    }
  });
});

describe('I2 across dependencies', () => {
  it('a tag takes along what depends on a tagged entry', () => {
    cache.set('products::1', 1, { tags: ['goods'] });
    cache.set('query::page', 1, { dependsOn: ['products::1'] });
    expect(cache.invalidate({ tag: 'goods' })).toMatchObject({ entries: 2 });
  });

  it('a tag on so many entries that they are swept takes their dependants along at once', async () => {
    for (let i = 0; i < MANY; i++) cache.set(`products::${i}`, i, { tags: ['goods'] });
    cache.set('query::page', 1, { dependsOn: [`products::${MANY - 1}`] });
    cache.set('query::page-of-pages', 1, { dependsOn: ['query::page'] });
    const loader = heldLoader();
    const loading = cache.getOrLoad('query::in-flight', loader.load, {
      dependsOn: [`products::${MANY - 1}`],
    });
    const learning = cache.getOrLoad('query::learning', loader.load);
    const { pending } = cache.invalidate({ tag: 'goods' });
    expect(cache.has('query::page')).toBe(false);
    expect(cache.has('query::page-of-pages')).toBe(false);
    const joining = cache.getOrLoad('query::in-flight', () => 'new');
    loader.contexts[1]?.dependsOn(`products::${MANY - 2}`);
    loader.give('old', 0);
    loader.give('old', 1);
    expect(await Promise.all([loading, learning, joining])).toEqual(['old', 'old', 'new']);
    expect(cache.has('query::learning')).toBe(false);
    expect(cache.get('query::in-flight')).toBe('new');
    expect(await pending).toMatchObject({ entries: MANY + 2 });
    expect(cache.get('query::in-flight')).toBe('new');
  });

  it('a load that proves void at its end voids the loads that depend on it', async () => {
    const inner = heldLoader();
    const read = cache.getOrLoad('query::page', async ({ dependsOn }) => {
      dependsOn('products::1');
      return `page of ${await cache.getOrLoad('products::1', inner.load)}`;
    });
    cache.invalidate({ tag: 'goods' });
    inner.contexts[0]?.tag('goods');
    inner.give('old');
    expect(await read).toBe('page of old');
    expect(cache.has('products::1')).toBe(false);
    expect(cache.has('query::page')).toBe(false);
  });

  it('a dependency learnt in the middle of a load holds from then on', async () => {
    const loader = heldLoader();
    const read = cache.getOrLoad('query::page', loader.load);
    loader.contexts[0]?.dependsOn('products::1');
    expect(cache.invalidate('products::1')).toMatchObject({ loads: 1 });
    loader.give('old');
    await read;
    await clock.settle();
    expect(cache.has('query::page')).toBe(false);
  });
});
