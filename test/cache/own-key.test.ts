/** Loads and writes that come back to their own key: none waits for itself, and what they store is right. */
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { cached, cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { bench, heldLoader, tierOf } from './support.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

type Row = Record<string, unknown>;

/** Two functions with one key, the outer one around the inner one. */
function around(cache: Cache, options: object = {}) {
  const loads = { inner: 0, outer: 0 };
  let coins = 0;
  const key = 'user::{0}::card';
  const inner = cached(
    cache,
    async (id: string): Promise<Row> => {
      loads.inner++;
      await turn();
      return { id, coins: coins++ };
    },
    { key, ...options },
  );
  const outer = cached(
    cache,
    async (id: string): Promise<Row> => {
      loads.outer++;
      await turn();
      return { ...(await inner(id)), badge: true };
    },
    { key, ...options },
  );
  return { inner, outer, loads };
}

describe('I14: a loader that reads its own key is answered as it is without a cache', () => {
  it('answers an inner function of the same key by loading, and keeps what the outer one gives', async () => {
    const { cache } = bench();
    const { outer, loads } = around(cache);
    expect(await outer('1')).toEqual({ id: '1', coins: 0, badge: true });
    expect(await outer('1')).toEqual({ id: '1', coins: 0, badge: true });
    expect(loads).toEqual({ inner: 1, outer: 1 });
    expect(cache.stats().total).toMatchObject({ fills: 1, hits: 1, failures: 0 });
    expect(cache.stats().loading).toBe(0);
  });

  it('answers everybody else who waits for the key with the value of the outer one', async () => {
    const { cache } = bench();
    const { inner, outer, loads } = around(cache);
    const values = await Promise.all([outer('1'), outer('1'), inner('1')]);
    expect(values).toEqual(Array(3).fill({ id: '1', coins: 0, badge: true }));
    expect(loads).toEqual({ inner: 1, outer: 1 });
  });

  it('loads anew through both where the old value is still there: forced, or refreshed behind', async () => {
    const { cache, clock } = bench({ tiers: [tierOf('user', ['user'])] });
    const { outer } = around(cache, { staleWhileRevalidateMs: 600_000 });
    await outer('1');
    expect(await outer.fresh('1')).toMatchObject({ coins: 1, badge: true });
    await clock.advanceAsync(60_001);
    expect(await outer('1')).toMatchObject({ coins: 1 });
    // While the reload runs, others are served the old value, and its own loader is not.
    expect(await outer('1')).toMatchObject({ coins: 1 });
    await clock.settle();
    expect(await outer('1')).toMatchObject({ coins: 2, badge: true });
  });

  it('keeps nothing of an inner load where the key was invalidated meanwhile (I2)', async () => {
    const { cache } = bench();
    const { inner, outer } = around(cache);
    const value = cache.getOrLoad('user::1::card', async () => {
      cache.invalidate('user::1::*');
      return { ...(await inner('1')), badge: true };
    });
    expect(await value).toEqual({ id: '1', coins: 0, badge: true });
    expect(cache.has('user::1::card')).toBe(false);
    expect(await outer('1')).toMatchObject({ coins: 1, badge: true });
  });

  it('invalidates the value by what its inner load has said of it', async () => {
    const { cache } = bench();
    const load = () =>
      cache.getOrLoad('user::1::card', async () => {
        await turn();
        return cache.getOrLoad('user::1::card', async ({ tag }) => {
          await turn();
          tag('guild:9');
          return 'row';
        });
      });
    await load();
    cache.invalidate({ tag: 'guild:9' });
    expect(cache.has('user::1::card')).toBe(false);
    await cache.getOrLoad('user::1::card', async () => {
      await turn();
      return cache.getOrLoad('user::1::card', ({ skip }) => {
        skip();
        return 'unsure';
      });
    });
    expect(cache.has('user::1::card')).toBe(false);
  });

  it('keeps the outer value of synchronous functions, too', () => {
    const { cache } = bench();
    const inner = cachedSync(cache, (id: string): Row => ({ id }), { key: 'user::{0}::card' });
    const outer = cachedSync(cache, (id: string): Row => ({ ...inner(id), badge: true }), {
      key: 'user::{0}::card',
    });
    expect(outer('1')).toEqual({ id: '1', badge: true });
    expect(outer('1')).toEqual({ id: '1', badge: true });
    expect(outer.fresh('1')).toEqual({ id: '1', badge: true });
  });

  it('lets a loader create what it misses and call itself again', async () => {
    const { cache } = bench();
    const rows = new Map<string, Row>();
    const getUser: (id: string) => Promise<Row> = cached(
      cache,
      async (id: string): Promise<Row> => {
        await turn();
        const row = rows.get(id);
        if (row !== undefined) return row;
        rows.set(id, { id });
        return getUser(id);
      },
      { key: 'user::{0}' },
    );
    expect(await getUser('1')).toEqual({ id: '1' });
    expect(cache.has('user::1')).toBe(true);
  });

  it('answers a load of many keys whose loader reads them one by one', async () => {
    const { cache } = bench();
    let loads = 0;
    const getUser = cached(
      cache,
      async (id: string) => {
        loads++;
        await turn();
        return { id };
      },
      { key: 'user::{0}' },
    );
    const keys = Array.from({ length: 500 }, (_, i) => `user::${i}`);
    const many = () =>
      cache.getOrLoadMany(keys, async (missing) => {
        await turn();
        const rows = await Promise.all(missing.map((key) => getUser(key.slice(6))));
        return new Map(rows.map((row) => [`user::${row.id}`, row]));
      });
    expect((await many()).get('user::499')).toEqual({ id: '499' });
    expect((await many()).size).toBe(500);
    expect(loads).toBe(500);
    expect(cache.stats().total).toMatchObject({ hits: 500, fills: 500 });
  });

  it('answers chains that lead through two caches, and branches of Promise.all that wait for each other', async () => {
    const one = bench().cache;
    const other = bench().cache;
    const across = one.getOrLoad('user::a', async () => {
      await turn();
      return other.getOrLoad('user::b', async () => {
        await turn();
        return one.getOrLoad('user::a', async () => 'from the source');
      });
    });
    expect(await across).toBe('from the source');
    const source = { a: async () => 'a', b: async () => 'b' };
    const branches = one.getOrLoad('query::both', () =>
      Promise.all([
        one.getOrLoad('query::a', async () => {
          await turn();
          return one.getOrLoad('query::b', source.b);
        }),
        one.getOrLoad('query::b', async () => {
          await turn();
          return one.getOrLoad('query::a', source.a);
        }),
      ]),
    );
    expect(new Set(await branches).size).toBeGreaterThan(0);
    expect(one.stats().loading + other.stats().loading).toBe(0);
  });

  it('answers two independent reads that would wait for each other', async () => {
    const { cache } = bench();
    const [a, b] = [heldLoader(), heldLoader()];
    const first = cache.getOrLoad('query::a', async (context) => {
      await a.load(context);
      return cache.getOrLoad('query::b', async () => 'b of the source');
    });
    const second = cache.getOrLoad('query::b', async (context) => {
      await b.load(context);
      return cache.getOrLoad('query::a', async () => 'a of the source');
    });
    a.give('ready');
    await turn();
    b.give('ready');
    expect(await Promise.all([first, second])).toEqual(['a of the source', 'a of the source']);
    expect(cache.get('query::b')).toBe('a of the source');
  });

  it('answers reads of many keys that wait for each other, where all of these are in flight already', async () => {
    const { cache } = bench();
    const [a, b] = [heldLoader(), heldLoader()];
    const many = (key: string) =>
      cache.getOrLoadMany([key], async (missing) => new Map(missing.map((each) => [each, `${each}!`])));
    const first = cache.getOrLoad('query::a', async (context) => {
      await a.load(context);
      return (await many('query::b')).get('query::b');
    });
    const second = cache.getOrLoad('query::b', async (context) => {
      await b.load(context);
      return (await many('query::a')).get('query::a');
    });
    a.give('ready');
    await turn();
    b.give('ready');
    expect(await Promise.all([first, second])).toEqual(['query::a!', 'query::a!']);
  });

  it('answers a batch all of whose keys are being refreshed, by that batch', async () => {
    const { cache, clock } = bench();
    const read = (value: string) =>
      cache.getOrLoadMany(
        ['user::1', 'user::2'],
        async (missing) => {
          await turn();
          const rows = await Promise.all(missing.map((key) => cache.getOrLoad(key, async () => value)));
          return new Map(missing.map((key, i) => [key, rows[i]]));
        },
        { staleWhileRevalidateMs: 600_000 },
      );
    await read('old');
    await clock.advanceAsync(60_001);
    expect((await read('new')).get('user::1')).toBe('old');
    await clock.settle();
    expect(cache.getMany(['user::1', 'user::2'])).toEqual(
      new Map([
        ['user::1', 'new'],
        ['user::2', 'new'],
      ]),
    );
    expect(cache.stats().loading).toBe(0);
  });

  it('answers a batch whose key is being refreshed by the batch itself', async () => {
    const { cache, clock } = bench();
    const read = (value: string) =>
      cache.getOrLoadMany(
        ['user::1', 'user::2'],
        async (missing) => {
          await turn();
          const inner = await cache.getOrLoad('user::1', async () => value);
          return new Map(missing.map((key) => [key, inner]));
        },
        { staleWhileRevalidateMs: 600_000 },
      );
    await read('old');
    await clock.advanceAsync(60_001);
    cache.invalidate('user::2');
    expect([...(await read('new'))]).toEqual([
      ['user::1', 'old'],
      ['user::2', 'new'],
    ]);
    await clock.settle();
    expect(cache.get('user::1')).toBe('new');
  });
});

describe('an endless chain is refused with an error that names it', () => {
  const parents: Readonly<Record<string, string>> = { games: 'all', all: 'games' };

  it('rejects for data with a cycle, at once or after an await', async () => {
    for (const wait of [async () => undefined, turn]) {
      const { cache } = bench();
      let loads = 0;
      const pathOf: (name: string) => Promise<string[]> = cached(
        cache,
        async (name: string): Promise<string[]> => {
          loads++;
          await wait();
          return [name, ...(await pathOf(parents[name] as string))];
        },
        { key: 'categories::{0}' },
      );
      await expect(pathOf('games')).rejects.toMatchObject({
        name: 'CacheError',
        code: 'ERR_LOAD_FAILED',
        message: expect.stringContaining('categories::games → categories::all → categories::games'),
      });
      expect(loads).toBeLessThan(50);
      expect(cache.stats().loading).toBe(0);
    }
  });

  it('throws for synchronous loaders in place of a full stack', () => {
    const { cache } = bench();
    const pathOf: (name: string) => string[] = cachedSync(
      cache,
      (name: string): string[] => [name, ...pathOf(parents[name] as string)],
      { key: 'categories::{0}' },
    );
    expect(() => pathOf('games')).toThrow(/categories::games → categories::all → categories::games/);
  });

  it.each(['load', 'fresh', 'batch'])(
    'comes to an end where every row has many others in the cycle (%s)',
    async (kind) => {
      const { cache } = bench();
      const names = Array.from({ length: 12 }, (_, i) => `n${i}`);
      let loads = 0;
      const read = (name: string): Promise<unknown> => {
        const load = async () => {
          loads++;
          await turn();
          return Promise.all(names.map(read));
        };
        const key = `categories::${name}`;
        if (kind === 'batch') {
          return cache.getOrLoadMany([key], async () => new Map([[key, await load()]]));
        }
        return cache.getOrLoad(key, load, { fresh: kind === 'fresh' });
      };
      await expect(read('n0')).rejects.toThrow(/waits for itself/);
      // What still runs for it in the background ends as well.
      for (let turns = 0; turns < 200; turns++) await turn();
      const after = loads;
      for (let turns = 0; turns < 50; turns++) await turn();
      expect(loads).toBe(after);
      expect(cache.stats().loading).toBe(0);
      expect(await cache.getOrLoad('categories::n0', async () => 'mended')).toBe('mended');
    },
  );
});

describe('what goes on behind a load is not part of it', () => {
  it('waits as anybody for the next load of the key, and begins loads that are kept', async () => {
    const { cache } = bench();
    const gate = Promise.withResolvers<void>();
    let later: Promise<unknown> = Promise.resolve();
    await cache.getOrLoad('query::x', async () => {
      later = (async () => {
        await gate.promise;
        const values = [];
        for (let i = 0; i < 30; i++)
          values.push(await cache.getOrLoad('query::x', () => 'again', { fresh: true }));
        return values.length;
      })();
      return 'first';
    });
    gate.resolve();
    expect(await later).toBe(30);
    expect(cache.get('query::x')).toBe('again');
    expect(cache.stats().total.failures).toBe(0);
  });

  it('shares a load that others wait for, though it was begun within another one', async () => {
    const { cache } = bench();
    const inner = heldLoader();
    const outer = cache.getOrLoad('query::outer', () => cache.getOrLoad('query::inner', inner.load));
    const beside = cache.getOrLoad('query::beside', () => cache.getOrLoad('query::inner', inner.load));
    inner.give('value');
    expect(await Promise.all([outer, beside])).toEqual(['value', 'value']);
    expect(inner.calls).toBe(1);
  });
});

describe('writes within the save of their own key', () => {
  it('do not wait for it, and leave the key to be read anew', async () => {
    const { cache } = bench();
    const saved: string[] = [];
    await cache.write('user::1', 'outer', async (value) => {
      saved.push(value);
      await turn();
      await cache.write('user::1', 'inner', async (own) => void saved.push(own));
    });
    expect(saved).toEqual(['outer', 'inner']);
    expect(cache.has('user::1')).toBe(false);
    await cache.write('user::1', 'later', async () => undefined);
    expect(cache.get('user::1')).toBe('later');
  });

  it('are answered where two saves wait for each other, and where a load is in between', async () => {
    const { cache } = bench();
    const nothing = async () => undefined;
    await Promise.all([
      cache.write('user::a', 1, async () => {
        await turn();
        await cache.write('user::b', 2, nothing);
      }),
      cache.write('user::b', 3, async () => {
        await turn();
        await cache.write('user::a', 4, nothing);
      }),
    ]);
    await cache.getOrLoad('query::x', async () => {
      await turn();
      await cache.write('user::a', 1, async () => void (await cache.getOrLoad('query::x', () => 'x')));
      return 'x';
    });
    expect(cache.get('query::x')).toBe('x');
  });

  it('end with an error where they write without end', async () => {
    const { cache } = bench();
    const write = (): Promise<unknown> => cache.write('user::1', 1, async () => void (await write()));
    await expect(write()).rejects.toThrow(/user::1 → user::1/);
  });
});
