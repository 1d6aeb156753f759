import { beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { bench, heldLoader } from './support.ts';

let cache: Cache;
beforeEach(() => {
  ({ cache } = bench());
});

const KEY = 'user::42::profile';

/** How a cache is told that `user::42::profile` is outdated, and what the load must have said for it. */
const WAYS: readonly [string, () => unknown, { tags?: string[]; dependsOn?: string[] }][] = [
  ['its key', () => cache.invalidate(KEY), {}],
  ['delete', () => cache.delete(KEY), {}],
  ['a prefix pattern', () => cache.invalidate('user::42::*'), {}],
  ['a pattern with a star within', () => cache.invalidate('user::*::profile'), {}],
  ['the pattern of everything', () => cache.invalidate('*'), {}],
  ['a tag', () => cache.invalidate({ tag: 'people' }), { tags: ['people'] }],
  ['the tag __proto__', () => cache.invalidate({ tag: '__proto__' }), { tags: ['__proto__'] }],
  ['a dependency', () => cache.invalidate('config::roles'), { dependsOn: ['config::roles'] }],
  ['a pattern over a dependency', () => cache.invalidate('config::*'), { dependsOn: ['config::roles'] }],
  ['a write of a dependency', () => cache.set('config::roles', 1), { dependsOn: ['config::roles'] }],
  ['clear', () => cache.clear(), {}],
  ['several targets at once', () => cache.invalidate('products::1', { tag: 'none' }, 'user::42::*'), {}],
];

describe.each(WAYS)('I2: after an invalidation by %s', (_, invalidate, links) => {
  it('the entry is gone', async () => {
    await cache.getOrLoad(KEY, () => 'old', links);
    invalidate();
    expect(cache.has(KEY)).toBe(false);
    expect(cache.get(KEY)).toBeUndefined();
    expect(cache.keys('user', 10)).toEqual([]);
    expect(await cache.getOrLoad(KEY, () => 'new', links)).toBe('new');
  });

  it('a load that was in flight answers its waiters and fills nothing', async () => {
    const loader = heldLoader();
    const first = cache.getOrLoad(KEY, loader.load, links);
    const joined = cache.getOrLoad(KEY, loader.load, links);
    invalidate();
    loader.give('old');
    expect(await Promise.all([first, joined])).toEqual(['old', 'old']);
    expect(cache.has(KEY)).toBe(false);
    expect(cache.stats().total.refusals.invalidated).toBe(1);
  });

  it('a caller who comes afterwards does not join the load in flight', async () => {
    const loader = heldLoader();
    const before = cache.getOrLoad(KEY, loader.load, links);
    invalidate();
    const after = cache.getOrLoad(KEY, loader.load, links);
    expect(loader.calls).toBe(2);
    loader.give('new', 1);
    expect(await after).toBe('new');
    loader.give('old', 0);
    expect(await before).toBe('old');
    expect(cache.get(KEY)).toBe('new');
  });

  it('a `fresh` load that was in flight fills nothing', async () => {
    cache.set(KEY, 'oldest', links);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load, { ...links, fresh: true });
    invalidate();
    loader.give('old');
    expect(await read).toBe('old');
    expect(cache.has(KEY)).toBe(false);
  });

  it('a batch that was in flight fills the other keys only', async () => {
    const batch = Promise.withResolvers<Map<string, string>>();
    const read = cache.getOrLoadMany([KEY], () => batch.promise, links);
    invalidate();
    const other = cache.getOrLoadMany(['query::other'], () => batch.promise);
    batch.resolve(
      new Map([
        [KEY, 'old'],
        ['query::other', 'kept'],
      ]),
    );
    expect((await read).get(KEY)).toBe('old');
    await other;
    expect(cache.has(KEY)).toBe(false);
    expect(cache.get('query::other')).toBe('kept');
  });

  it('a synchronous loader that set it off while it ran fills nothing', () => {
    const value = cache.getOrLoadSync(
      KEY,
      () => {
        invalidate();
        return 'old';
      },
      links,
    );
    expect(value).toBe('old');
    expect(cache.has(KEY)).toBe(false);
  });

  it('a synchronous load within an asynchronous one is as fresh as it looks', async () => {
    const outer = heldLoader();
    const read = cache.getOrLoad(KEY, outer.load, links);
    invalidate();
    expect(cache.getOrLoadSync(KEY, () => 'new', links)).toBe('new');
    outer.give('old');
    expect(await read).toBe('old');
    expect(cache.get(KEY)).toBe('new');
  });
});

describe('what an invalidation does not cover', () => {
  const NEAR = WAYS.filter(([way]) => !/everything|clear/.test(way));

  it.each(NEAR)('stays after one by %s, and so do loads of it', async (_, invalidate) => {
    const loader = heldLoader();
    cache.set('products::gaming', 'entry');
    cache.set('user::421::profile::old', 'neighbour');
    const read = cache.getOrLoad('products::office', loader.load, {
      tags: ['goods'],
      dependsOn: ['query::shop'],
    });
    invalidate();
    loader.give('loaded');
    await read;
    expect(cache.get('products::gaming')).toBe('entry');
    expect(cache.get('user::421::profile::old')).toBe('neighbour');
    expect(cache.get('products::office')).toBe('loaded');
  });

  it('stays when its keys only look alike: no character but the star has a meaning', () => {
    for (const key of ['a_p::1', 'azp::1', 'a%p::1', 'a.p::1', 'a::p', 'ab', 'a']) cache.set(key, key);
    expect(cache.invalidate('a_p::*')).toMatchObject({ entries: 1 });
    expect(cache.invalidate('a%p::*')).toMatchObject({ entries: 1 });
    expect(cache.invalidate('a.p*')).toMatchObject({ entries: 1 });
    expect(cache.invalidate('a::*')).toMatchObject({ entries: 1 });
    expect(cache.invalidate('a')).toMatchObject({ entries: 1 });
    expect(cache.keys('', 10)).toEqual(['ab', 'azp::1']);
  });
});

describe('I2: a newer write', () => {
  it('outlives a load that began before it', async () => {
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    cache.set(KEY, 'written');
    loader.give('old');
    expect(await read).toBe('old');
    expect(cache.get(KEY)).toBe('written');
  });

  it('outdates what was there even when the new value is not kept', () => {
    cache.set(KEY, 'old');
    expect(cache.set(KEY, () => 'a function')).toBe(false);
    expect(cache.has(KEY)).toBe(false);
    cache.set(KEY, 'old');
    expect(cache.set(KEY, 'new', { ttlMs: 0 })).toBe(false);
    expect(cache.has(KEY)).toBe(false);
  });

  it('by a loader for its own key stays', async () => {
    expect(await cache.getOrLoad(KEY, () => cache.set(KEY, 'written'))).toBe(true);
    expect(cache.get(KEY)).toBe('written');
    cache.clear();
    expect(cache.getOrLoadSync(KEY, () => cache.set(KEY, 'written'))).toBe(true);
    expect(cache.get(KEY)).toBe('written');
  });

  it('of other keys by a loader does not keep its own value out', async () => {
    const prime = () => {
      cache.set('products::1', 'one');
      cache.invalidate('query::unrelated');
      return 'all';
    };
    cache.getOrLoadSync('products::all', prime);
    expect(cache.get('products::all')).toBe('all');
    await cache.getOrLoad('products::every', prime);
    expect(cache.get('products::every')).toBe('all');
  });
});

describe('a load that a newer one overtook', () => {
  it('answers those who wait for it and is not kept', async () => {
    const loader = heldLoader();
    const older = cache.getOrLoad(KEY, loader.load);
    const newer = cache.getOrLoad(KEY, loader.load, { fresh: true });
    loader.give('new', 1);
    expect(await newer).toBe('new');
    loader.give('old', 0);
    expect(await older).toBe('old');
    expect(cache.get(KEY)).toBe('new');
  });
});
