/**
 * What a layer promises, whichever it is: the same suite for memory, for entries that a restart has brought back from
 * disk, and for entries that memory had no room for.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import { createCache } from '../../../src/cache/create-cache.ts';
import { tierOf } from '../support.ts';
import { never, type Place, placeForEach } from './support.ts';

const place = placeForEach();
const TTL_MS = 60_000;

interface Layer {
  readonly name: string;
  /** A cache, and what becomes of it before it is looked at. */
  readonly begin: (place: Place, maxBytes?: number) => { cache: Cache; again: () => Promise<Cache> };
}

const tiers = [tierOf('query', [], { persist: 'periodic', ttlMs: TTL_MS })];

const layers: readonly Layer[] = [
  {
    name: 'memory',
    begin({ clock }, maxBytes = 10_000_000) {
      const cache = createCache({ tiers, clock, maxWeightBytes: maxBytes, cleanupIntervalMs: 600_000 });
      onTestFinished(() => cache.stop());
      return { cache, again: async () => cache };
    },
  },
  {
    name: 'disk, after a stop and a start',
    begin(at, maxBytes) {
      const start = () =>
        at.start({ tiers, disk: { path: at.path, ...(maxBytes !== undefined && { maxBytes }) } });
      const cache = start();
      return {
        cache,
        async again() {
          await cache.stop();
          return start();
        },
      };
    },
  },
  {
    name: 'disk, after a kill and a start',
    begin(at, maxBytes) {
      const start = () =>
        at.start({ tiers, disk: { path: at.path, ...(maxBytes !== undefined && { maxBytes }) } });
      const cache = start();
      return {
        cache,
        async again() {
          await cache.persist();
          at.kill(cache);
          return start();
        },
      };
    },
  },
  {
    name: 'disk, beside a process with a memory of its own',
    begin(at, maxBytes) {
      const start = () =>
        at.start({ tiers, disk: { path: at.path, ...(maxBytes !== undefined && { maxBytes }) } });
      const cache = start();
      return {
        cache,
        async again() {
          await cache.persist();
          return start();
        },
      };
    },
  },
];

describe.each(layers)('$name', ({ begin }) => {
  it.each([
    ['text', 'text', ''],
    ['numbers', 7, Number.NaN],
    ['nothing', null, undefined],
    ['flags', false, true],
    ['dates, maps, sets, big numbers', new Date(5), new Map([[1n, new Set(['a'])]])],
    ['bytes', Buffer.from('bytes'), new Uint8Array([1, 2])],
    ['nested objects', { a: [{ b: null }] }, { text: 'long '.repeat(1_000) }],
  ])('I1: gives back %s as they were put', async (_, one, other) => {
    const { cache, again } = begin(place);
    cache.set('query::one', one);
    cache.set('query::other', other);
    const then = await again();
    expect(then.lookup('query::one')).toEqual({ state: 'hit', value: one });
    expect(then.lookup('query::other')).toEqual({ state: 'hit', value: other });
    expect(then.lookup('query::none')).toEqual({ state: 'miss' });
  });

  it('keeps a cycle', async () => {
    const { cache, again } = begin(place);
    const value: { self?: unknown } = {};
    value.self = value;
    cache.set('query::a', value);
    const kept = (await again()).get<typeof value>('query::a');
    expect(kept?.self).toBe(kept);
  });

  it('keeps key, tags, dependencies and instants of an entry', async () => {
    const { cache, again } = begin(place);
    cache.set('query::a', 1, { tags: ['t', 'ü'], dependsOn: ['query::b'], ttlMs: 30_000 });
    const before = cache.inspect('query::a');
    place.clock.advance(5_000);
    const then = await again();
    then.get('query::a');
    expect(then.inspect('query::a')).toMatchObject({
      key: 'query::a',
      tier: 'query',
      createdAt: before?.createdAt,
      staleAt: before?.staleAt,
      expiresAt: before?.expiresAt,
      tags: ['t', 'ü'],
      dependsOn: ['query::b'],
    });
  });

  it('gives the newer of two values', async () => {
    const { cache, again } = begin(place);
    cache.set('query::a', 'old');
    await cache.persist();
    cache.set('query::a', 'new');
    expect((await again()).getOrLoadSync('query::a', never)).toBe('new');
  });

  it('I6: gives values that no caller can change for the next one', async () => {
    const { cache, again } = begin(place);
    cache.set('query::a', { list: [1], at: new Date(1) });
    const then = await again();
    const given = then.get<{ list: number[]; at: Date }>('query::a');
    try {
      given?.list.push(2);
    } catch {
      // It is frozen.
    }
    given?.at.setTime(9);
    expect(then.get('query::a')).toEqual({ list: [1], at: new Date(1) });
  });

  it.each<[string, (cache: Cache) => unknown, string[]]>([
    ['a key', (cache) => cache.invalidate('query::a::1'), ['a::2', 'b', 'tagged', 'dependent']],
    ['a pattern', (cache) => cache.invalidate('query::a::*'), ['b', 'tagged', 'dependent']],
    ['a star within', (cache) => cache.invalidate('query::*::2'), ['a::1', 'b', 'tagged', 'dependent']],
    ['a tag', (cache) => cache.invalidate({ tag: 't' }), ['a::1', 'a::2', 'b', 'dependent']],
    ['a dependency', (cache) => cache.invalidate('query::source'), ['a::1', 'a::2', 'b', 'tagged']],
    ['delete', (cache) => cache.delete('query::b'), ['a::1', 'a::2', 'tagged', 'dependent']],
    ['clear', (cache) => cache.clear(), []],
    [
      'what covers nothing',
      (cache) => cache.invalidate('other::*'),
      ['a::1', 'a::2', 'b', 'tagged', 'dependent'],
    ],
  ])('I2: removes what %s covers, before and after, and nothing else', async (_, remove, left) => {
    for (const isLater of [false, true]) {
      const { cache, again } = begin(place);
      cache.clear();
      for (const name of ['a::1', 'a::2', 'b']) cache.set(`query::${name}`, name);
      cache.set('query::tagged', 'tagged', { tags: ['t'] });
      cache.set('query::dependent', 'dependent', { dependsOn: ['query::source'] });
      if (!isLater) remove(cache);
      const then = await again();
      if (isLater) remove(then);
      const held = ['a::1', 'a::2', 'b', 'tagged', 'dependent'].filter(
        (name) => then.lookup(`query::${name}`).state === 'hit',
      );
      expect(held, isLater ? 'after' : 'before').toEqual(left);
    }
  });

  it('lets entries expire when they would have', async () => {
    const { cache, again } = begin(place);
    cache.set('query::a', 1, { ttlMs: 20_000 });
    cache.set('query::b', 1, { ttlMs: Number.POSITIVE_INFINITY });
    place.clock.advance(19_999);
    const then = await again();
    expect(then.getOrLoadSync('query::a', never)).toBe(1);
    place.clock.advance(1);
    expect(then.get('query::a')).toBeUndefined();
    place.clock.advance(1e9);
    expect(then.get('query::b')).toBe(1);
  });

  it('I5: stays within its bound, and lets go of the oldest', async () => {
    const { cache, again } = begin(place, 150_000);
    for (let i = 0; i < 2_000; i++) cache.set(`query::${i}`, `${i}`.padEnd(200, 'x'));
    for (let i = 0; i < 30; i++) await cache.persist();
    const then = await again();
    expect(then.lookup('query::0').state).toBe('miss');
    expect(then.lookup('query::1999').state).toBe('hit');
    const held = Array.from({ length: 2_000 }, (_, i) => then.lookup(`query::${i}`).state === 'hit');
    expect(held.filter(Boolean).length).toBeLessThan(900);
  });
});
