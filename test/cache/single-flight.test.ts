import { describe, expect, it, vi } from 'vitest';
import { bench, heldLoader } from './support.ts';

describe('I3: single flight', () => {
  it('gives 1,000 callers at once one load and one result', async () => {
    const { cache } = bench();
    const { load, give, calls: _, ...held } = heldLoader();
    const reads = Array.from({ length: 1_000 }, () => cache.getOrLoad('query::x', load));
    give('value');
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['value']));
    expect(held.contexts).toHaveLength(1);
    expect(cache.stats().total).toMatchObject({ lookups: 1_000, misses: 1_000, joined: 999, loads: 1 });
  });

  it.each([undefined, null, 0, '', false, new Error('down')])(
    'lets a rejection with %o reach every waiter, keeps nothing, and loads again at the next read',
    async (error) => {
      const { cache } = bench();
      const loader = heldLoader();
      const reads = Array.from({ length: 50 }, () => cache.getOrLoad('query::x', loader.load));
      loader.fail(error);
      for (const outcome of await Promise.allSettled(reads)) {
        expect(outcome).toEqual({ status: 'rejected', reason: error });
      }
      expect(loader.calls).toBe(1);
      const again = cache.getOrLoad('query::x', loader.load);
      loader.give('up again');
      expect(await again).toBe('up again');
      expect(cache.stats().total).toMatchObject({ loads: 2, failures: 1, fills: 1 });
    },
  );

  it('lets an error that cannot be shown as text reach its waiters unchanged', async () => {
    const { cache } = bench();
    const hostile = [
      Object.create(null),
      Symbol('no text'),
      Object.defineProperty(new Error(), 'message', {
        get() {
          throw new Error('trap');
        },
      }),
    ];
    // Compared by hand: the assertions would read the message themselves.
    for (const error of hostile) {
      const failing = () =>
        cache.getOrLoad('query::x', () => Promise.reject(error)).catch((reason) => reason === error);
      expect(await Promise.all([failing(), failing()])).toEqual([true, true]);
      let caught: unknown;
      try {
        cache.getOrLoadSync('query::x', () => {
          throw error;
        });
      } catch (reason) {
        caught = reason;
      }
      expect(caught === error).toBe(true);
    }
    expect(typeof cache.stats().lastFailure?.message).toBe('string');
  });

  it('turns a loader that throws at once into a rejection', async () => {
    const { cache } = bench();
    const read = cache.getOrLoad('query::x', () => {
      throw new Error('at once');
    });
    await expect(read).rejects.toThrow('at once');
    expect(cache.stats().loading).toBe(0);
  });

  it('starts no second load beside the one that followed a failure', async () => {
    const { cache } = bench();
    const loader = heldLoader();
    const first = cache.getOrLoad('query::x', loader.load);
    loader.fail(new Error('down'));
    await expect(first).rejects.toThrow('down');
    const second = cache.getOrLoad('query::x', loader.load);
    const third = cache.getOrLoad('query::x', loader.load);
    loader.give('value');
    expect(await Promise.all([second, third])).toEqual(['value', 'value']);
    expect(loader.calls).toBe(2);
  });

  it('releases a load by identity: the end of an old load does not let a third one start', async () => {
    const { cache } = bench();
    const loader = heldLoader();
    const old = cache.getOrLoad('query::x', loader.load);
    cache.invalidate('query::x');
    const newer = cache.getOrLoad('query::x', loader.load);
    loader.give('old', 0);
    expect(await old).toBe('old');
    const joining = cache.getOrLoad('query::x', loader.load);
    loader.give('new', 1);
    expect(await Promise.all([newer, joining])).toEqual(['new', 'new']);
    expect(loader.calls).toBe(2);
    expect(cache.get('query::x')).toBe('new');
  });

  it('answers a loader that reads its own key by loading, instead of hanging', async () => {
    const { cache } = bench();
    const read = cache.getOrLoad('query::x', () => cache.getOrLoad('query::x', () => 1));
    expect(await read).toBe(1);
  });
});

describe('a batch', () => {
  it('asks its loader once, for the misses only, each once', async () => {
    const { cache } = bench();
    cache.set('query::a', 'A');
    const asked: string[][] = [];
    const found = await cache.getOrLoadMany(
      ['query::a', 'query::b', 'query::b', 'query::c'],
      async (missing) => {
        asked.push([...missing]);
        return new Map(missing.map((key) => [key, key.toUpperCase()]));
      },
    );
    expect(asked).toEqual([['query::b', 'query::c']]);
    expect([...found.keys()]).toEqual(['query::a', 'query::b', 'query::c']);
    expect(found.get('query::c')).toBe('QUERY::C');
  });

  it('joins loads in flight, and is joined', async () => {
    const { cache } = bench();
    const single = heldLoader<string>();
    const running = cache.getOrLoad('query::a', single.load);
    const batch = Promise.withResolvers<Map<string, string>>();
    const asked: string[] = [];
    const many = cache.getOrLoadMany<string>(['query::a', 'query::b'], (missing) => {
      asked.push(...missing);
      return batch.promise;
    });
    const joining = cache.getOrLoad('query::b', single.load);
    expect(asked).toEqual(['query::b']);
    single.give('A');
    batch.resolve(new Map([['query::b', 'B']]));
    expect(await Promise.all([running, joining])).toEqual(['A', 'B']);
    expect([...(await many).values()]).toEqual(['A', 'B']);
    expect(single.calls).toBe(1);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('down'))],
    [
      'throws at once',
      () => {
        throw new Error('down');
      },
    ],
  ])('settles when its loader %s, and the next read loads again', async (_, load) => {
    const { cache } = bench();
    await expect(cache.getOrLoadMany(['query::a', 'query::b'], load)).rejects.toThrow('down');
    expect(await cache.getOrLoad('query::a', () => 'A')).toBe('A');
    expect(cache.stats().loading).toBe(0);
  });

  it('settles when its loader gives something else than a map', async () => {
    const { cache } = bench();
    // @ts-expect-error what an author without types may do
    await expect(cache.getOrLoadMany(['query::a'], () => undefined)).rejects.toThrow(TypeError);
    expect(cache.stats().loading).toBe(0);
  });

  it.each([undefined, null, 5])(
    'I3: with a key that is no text (%o) leaves no load in flight',
    async (odd) => {
      const { cache } = bench({ maxWeightBytes: 100_000_000 });
      for (let i = 0; i < 10_000; i++) cache.set(`user::${i}`, i); // so many that they are looked up another way
      const read = cache.getOrLoadMany(['user::a', odd as never], () => new Map());
      await expect(read).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      expect(cache.stats().loading).toBe(0);
      expect(await cache.getOrLoad('user::a', () => 'loaded')).toBe('loaded');
    },
  );

  it('of no keys asks nobody', async () => {
    const { cache } = bench();
    const load = vi.fn();
    expect(await cache.getOrLoadMany([], load)).toEqual(new Map());
    expect(load).not.toHaveBeenCalled();
  });
});
