/** What cannot be copied is never shared: each caller gets what it would without a cache. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import { bench, heldLoader, TTL_MS, tierOf } from './support.ts';

function said(options: Partial<CacheOptions> = {}) {
  const lines: string[] = [];
  const note = (text: string) => void lines.push(text);
  return { ...bench({ ...options, logger: { debug: note, info: note, warn: note, error: note } }), lines };
}

class Wallet {
  cents = 5;
}

describe('I14: a value that can be used once', () => {
  it.each<[string, () => unknown, (value: never) => Promise<unknown>, unknown]>([
    ['a Response', () => new Response('body'), (response: Response) => response.text(), 'body'],
    ['a web stream', () => new Blob(['body']).stream(), (stream) => new Response(stream).text(), 'body'],
    [
      'a Node stream',
      () => Readable.from(['body']),
      async (stream: Readable) => (await stream.toArray())[0],
      'body',
    ],
    ['an iterator', () => [1, 2].values(), async (values: Iterable<number>) => [...values], [1, 2]],
    [
      'a generator',
      () =>
        (function* () {
          yield 1;
        })(),
      async (values: Iterable<number>) => [...values],
      [1],
    ],
  ])('is each caller’s own, who joined or not: %s', async (_name, make, use, expected) => {
    const { cache } = bench();
    const later = async () => make();
    const reads = [1, 2, 3].map(() => cache.getOrLoad('query::a', later));
    const many = [1, 2].map(() =>
      cache.getOrLoadMany(
        ['query::a', 'query::b'],
        async (keys) => new Map(keys.map((key) => [key, make()])),
      ),
    );
    for (const value of await Promise.all(reads)) expect(await use(value as never)).toEqual(expected);
    for (const values of await Promise.all(many))
      for (const value of values.values()) expect(await use(value as never)).toEqual(expected);
    expect(await use((await cache.getOrLoad('query::a', later)) as never)).toEqual(expected);
  });

  it('is loaded by all who joined together, not one after the other', async () => {
    const { cache } = bench();
    const loader = heldLoader<Wallet>();
    const reads = [1, 2, 3, 4].map(() => cache.getOrLoad('query::a', loader.load));
    loader.give(new Wallet());
    await reads[0];
    await Promise.resolve();
    await Promise.resolve();
    expect(loader.calls).toBe(4);
    for (const call of [1, 2, 3]) loader.give(new Wallet(), call);
    const values = await Promise.all(reads);
    expect(new Set(values).size).toBe(4);
    expect(cache.stats().loading).toBe(0);
  });

  it('is not shared by those whom a soft timeout has not answered', async () => {
    const { cache, clock } = bench({
      tiers: [tierOf('query', ['query'], { graceMs: TTL_MS, softTimeoutMs: 10 })],
    });
    cache.set('query::a', 'old');
    clock.advance(TTL_MS);
    const loader = heldLoader<unknown>();
    const answered = cache.getOrLoad('query::a', loader.load);
    clock.advance(10);
    expect(await answered).toBe('old');
    cache.invalidate('query::a');
    const reads = [1, 2].map(() => cache.getOrLoad('query::a', async () => new Wallet()));
    loader.give(new Wallet());
    const [first, second] = await Promise.all(reads);
    expect(first).not.toBe(second);
  });

  it('is not shared by those who join a refresh that runs behind', async () => {
    const { cache, clock } = bench({
      tiers: [tierOf('query', ['query'], { staleWhileRevalidateMs: 1_000 })],
    });
    cache.set('query::a', 'old');
    clock.advance(TTL_MS);
    const loader = heldLoader<unknown>();
    expect(await cache.getOrLoad('query::a', loader.load)).toBe('old');
    clock.advance(1_000);
    const reads = [1, 2].map(() => cache.getOrLoad('query::a', async () => new Wallet()));
    loader.give(new Wallet());
    const [first, second] = await Promise.all(reads);
    expect(first).toBeInstanceOf(Wallet);
    expect(first).not.toBe(second);
  });

  it('is not shared where it is too large to be copied', async () => {
    const { cache } = bench();
    const make = async () => new Array<number>(200_000).fill(1);
    const [first, second] = await Promise.all([1, 2].map(() => cache.getOrLoad('query::a', make)));
    expect(first).not.toBe(second);
  });

  it('is not shared where the cache is stopped while it loads', async () => {
    const { cache } = bench();
    const loader = heldLoader<{ n: number }>();
    const reads = [1, 2].map(() => cache.getOrLoad('query::a', loader.load));
    await cache.stop();
    loader.give({ n: 1 });
    const [first, second] = await Promise.all(reads);
    expect(first).toEqual(second);
    expect(first).not.toBe(second);
  });

  it('is told with class, place and remedy: once, in the event, and in the statistics', async () => {
    const { cache, lines } = said();
    const details: unknown[] = [];
    cache.on('refused', ({ detail }) => details.push(detail));
    for (const id of [1, 2, 3]) await cache.getOrLoad(`user::${id}`, () => ({ price: new Wallet() }));
    await cache.getOrLoad('user::4', () => ({ cost: new Wallet() }));
    expect(lines).toEqual([
      'A value is served but not kept: price is a Wallet. Cache plain data (such as .lean(), .toJSON() or Number(price)), or teach the cache the class: valueTypes of createCache.',
      expect.stringContaining('cost is a Wallet'),
    ]);
    expect(details).toEqual([
      'price is a Wallet',
      'price is a Wallet',
      'price is a Wallet',
      'cost is a Wallet',
    ]);
    expect(cache.stats().lastUnsafe).toEqual({ namespace: 'user', text: 'cost is a Wallet' });
  });
});

describe('I14: live objects of a store', () => {
  const store = () => ({ guild: { prefix: '?' } });

  it('are noticed when a loader gives the same one again, and told once with the remedy', async () => {
    const { cache, lines } = said();
    const { guild } = store();
    for (const _ of [1, 2, 3]) await cache.getOrLoad('guild::1', () => guild, { fresh: true });
    expect(lines).toEqual([expect.stringMatching(/"guild".*same object.*not saved.*invalidates/)]);
    expect(Object.isFrozen(guild)).toBe(false);
  });

  it('are noticed in a list made anew of them, and after an invalidation', () => {
    const { cache, lines } = said();
    const { guild } = store();
    for (const _ of [1, 2]) {
      cache.getOrLoadSync('guild::all', () => [guild]);
      cache.invalidate('guild::all');
    }
    expect(lines).toHaveLength(1);
  });

  it('are none: rows made anew, one default for many keys, what is frozen, what is not modified', async () => {
    const { cache, lines } = said();
    const fallback = { prefix: '!' };
    const frozen = Object.freeze({ prefix: '!' });
    for (const _ of [1, 2, 3]) await cache.getOrLoad('guild::1', () => ({ ...fallback }), { fresh: true });
    for (const id of [1, 2, 3]) await cache.getOrLoad(`guild::x${id}`, () => fallback);
    for (const _ of [1, 2]) await cache.getOrLoad('guild::f', () => frozen, { fresh: true });
    for (const _ of [1, 2])
      await cache.getOrLoad('guild::1', ({ notModified }) => notModified(), { fresh: true });
    expect(lines).toEqual([]);
  });
});
