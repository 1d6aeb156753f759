import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { EntryOptions } from '../../src/cache/entry-options.ts';
import { key } from '../../src/cache/keys/keys.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import type { Removal } from '../../src/cache/removal.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { cached, cachedSync, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { brokenLogger } from './support.ts';

const tiers: TierPolicy[] = ['config', 'reference', 'user', 'query'].map((tier) => ({
  tier,
  label: tier,
  description: tier,
  ttlMs: 60_000,
  negativeTtlMs: 60_000,
  jitterRatio: 0,
  namespaces: [tier],
}));

let clock: HandClock;
let cache: Cache;
beforeEach(() => {
  clock = handClock();
  cache = createCache({ maxWeightBytes: 1e7, tiers, cleanupIntervalMs: 60_000, clock, logger: silentLogger });
});
afterEach(() => cache.stop());

/** A loader that counts: gives `name#1`, `name#2`, … */
function counting() {
  const calls: unknown[][] = [];
  return { calls, load: (...args: unknown[]) => `${args.join('+')}#${calls.push(args)}` };
}

describe('cached', () => {
  it('loads once for the same arguments, and once for each others', async () => {
    const { calls, load } = counting();
    const getUser = cached(cache, async (id: string) => load(id), { key: 'user::{0}::profile' });
    expect([await getUser('1'), await getUser('1'), await getUser('2')]).toEqual(['1#1', '1#1', '2#2']);
    expect(calls).toHaveLength(2);
    expect(cache.has('user::1::profile')).toBe(true);
  });

  it('I3: shares one load among concurrent calls', async () => {
    const { calls, load } = counting();
    const getUser = cached(cache, async (id: string) => load(id), { key: 'user::{0}::profile' });
    expect(await Promise.all([getUser('1'), getUser('1'), getUser('1')])).toEqual(['1#1', '1#1', '1#1']);
    expect(calls).toHaveLength(1);
  });

  it('makes a function that gives its value at once asynchronous', async () => {
    const double = cached(cache, (n: number) => n * 2, { key: 'query::double::{0}' });
    expect(double(2)).toBeInstanceOf(Promise);
    expect(await double(2)).toBe(4);
  });

  it('rejects, never throws, when a key cannot be made at a call', async () => {
    const search = cached(cache, async (filter: unknown) => filter, { key: 'query::search::{0}' });
    const call = search(() => 1);
    await expect(call).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
  });

  it('fresh loads anew, replaces the entry, and leaves the old one to others meanwhile', async () => {
    const { load } = counting();
    const getUser = cached(cache, async (id: string) => load(id), { key: 'user::{0}::profile' });
    await getUser('1');
    const fresh = getUser.fresh('1');
    expect(await getUser('1')).toBe('1#1');
    expect(await fresh).toBe('1#2');
    expect(await getUser('1')).toBe('1#2');
  });

  it('invalidate removes the entry of its arguments alone', async () => {
    const { load } = counting();
    const getUser = cached(cache, async (id: string) => load(id), { key: 'user::{0}::profile' });
    await getUser('1');
    await getUser('2');
    expect(getUser.invalidate('1')).toMatchObject({ entries: 1 });
    expect(await getUser('2')).toBe('2#2');
    expect(await getUser('1')).toBe('1#3');
  });

  it('key tells the key, and warm makes a job for warmers', async () => {
    const { load } = counting();
    const getUser = cached(cache, async (id: string) => load(id), { key: 'user::{0}::profile' });
    expect(getUser.key('a:b')).toBe(key.user('a:b', 'profile'));
    const job = getUser.warm('1');
    expect([job.key, job.isFresh()]).toEqual(['user::1::profile', false]);
    await job.run();
    expect(job.isFresh()).toBe(true);
    await job.run();
    expect(await getUser('1')).toBe('1#2');
  });

  it('passes `this` on, also through its controls', async () => {
    const users = {
      table: 'people',
      name: cached(
        cache,
        async function (this: { table: string }, id: string) {
          return `${this.table}:${id}`;
        },
        { key: 'user::{0}::name' },
      ),
    };
    expect(await users.name('1')).toBe('people:1');
    expect(await users.name.fresh.call(users, '2')).toBe('people:2');
  });

  it('keeps the name and the length of the function, so that it can be wrapped again', () => {
    const getUser = cached(
      cache,
      async function getUser(id: string) {
        return id;
      },
      { key: 'user::{0}::profile' },
    );
    expect([getUser.name, getUser.length]).toEqual(['getUser', 1]);
  });

  it('gives tags and dependencies from templates and from functions', async () => {
    const { load } = counting();
    const orders = cached(cache, async (id: string, page: number) => load(id, page), {
      key: (id, page) => key.userOrders(id, page),
      tags: ['orders', 'user:{0}'],
      dependsOn: (id) => [key.user(id, 'profile')],
    });
    await orders('1', 2);
    expect(cache.invalidate({ tag: 'user:1' }).entries).toBe(1);
    await orders('1', 2);
    expect(cache.invalidate('user::1::profile').entries).toBe(1);
    await orders('1', 2);
    expect(cache.inspect(orders.key('1', 2))?.tags).toEqual(['orders', 'user:1']);
  });

  it('honours ttlMs, negativeTtlMs and tier', async () => {
    const { calls, load } = counting();
    const get = cached(cache, async (id: string) => (load(id).startsWith('none') ? null : id), {
      key: 'mine::{0}',
      tier: 'user',
      ttlMs: 1_000,
      negativeTtlMs: 10,
    });
    await get('1');
    await get('none');
    expect(cache.inspect('mine::1')?.tier).toBe('user');
    clock.advance(20);
    await get('1');
    await get('none');
    expect(calls).toHaveLength(3);
    clock.advance(1_000);
    await get('1');
    expect(calls).toHaveLength(4);
  });

  it('does not cache a failure', async () => {
    let failures = 0;
    const get = cached(
      cache,
      async (id: string) => {
        if (failures++ === 0) throw new Error('database is locked');
        return id;
      },
      { key: 'user::{0}::profile' },
    );
    await expect(get('1')).rejects.toThrow('database is locked');
    expect(await get('1')).toBe('1');
  });

  it('I1: keeps "no such row"', async () => {
    const { calls, load } = counting();
    const get = cached(cache, async (id: string) => (load(id) ? null : undefined), {
      key: 'user::{0}::profile',
    });
    expect([await get('1'), await get('1')]).toEqual([null, null]);
    expect(calls).toHaveLength(1);
  });
});

describe('cachedSync', () => {
  it('answers synchronously', () => {
    const { calls, load } = counting();
    const get = cachedSync(cache, (id: string) => load(id), { key: 'user::{0}::profile' });
    expect([get('1'), get('1'), get.fresh('1'), get('1')]).toEqual(['1#1', '1#1', '1#2', '1#2']);
    expect(calls).toHaveLength(2);
    expect(get.warm('9').run()).toBe('9#3');
  });

  it('says which kind to use when the function gives a promise', () => {
    const get = cachedSync(cache, async (id: string) => id, { key: 'user::{0}::profile' });
    expect(() => get('1')).toThrow(/gives a promise.*cached/);
    expect(cache.has('user::1::profile')).toBe(false);
  });
});

describe('keyPrefix and keyParams', () => {
  it('make keys that a pattern over prefix and parameter covers', async () => {
    const getUserProfile = async (id: string) => ({ id });
    const byName = cached(cache, getUserProfile, { keyPrefix: 'user', ttlMs: 3_600_000 });
    expect(byName.key('123')).toBe('user::123::getUserProfile');
    const profile = cached(cache, getUserProfile, { keyPrefix: 'user', name: 'profile' });
    expect(profile.key('123')).toBe('user::123::profile');
    await profile('123');
    expect(cache.invalidate('user::123::*').entries).toBe(1);
  });

  it('name the parameters that count', () => {
    async function search(text: string, requestId: string, page: number) {
      return [text, requestId, page];
    }
    const byPosition = cached(cache, search, { keyPrefix: 'query', keyParams: [0, 2] });
    expect(byPosition.key('sword', 'r1', 2)).toBe(byPosition.key('sword', 'r2', 2));
    const byName = cached(cache, search, {
      keyPrefix: 'query',
      keyParams: ['text', 'page'],
      parameters: ['text', 'requestId', 'page'],
    });
    expect(byName.key('sword', 'r1', 2)).toBe(byPosition.key('sword', 'r1', 2));
    expect(() => cached(cache, search, { keyPrefix: 'query', keyParams: [3] })).toThrow(/names parameter 4/);
  });

  it('tell functions with one prefix apart, and calls with more arguments', () => {
    const profile = cachedSync(
      cache,
      function profile(id: string) {
        return id;
      },
      { keyPrefix: 'user' },
    );
    const orders = cachedSync(
      cache,
      function orders(...ids: string[]) {
        return ids;
      },
      { keyPrefix: 'user' },
    );
    expect(
      new Set([profile.key('1'), orders.key('1'), orders.key('1', '2'), orders.key(), orders.key('1::2')])
        .size,
    ).toBe(5);
  });

  it('need a name where the function has none', () => {
    expect(() =>
      cachedSync(
        cache,
        (
          () => (id: string) =>
            id
        )(),
        { keyPrefix: 'user' },
      ),
    ).toThrow(/needs the option name/);
  });

  it('hash parameters with a structure', () => {
    const search = cachedSync(
      cache,
      function search(filter: object) {
        return filter;
      },
      { keyPrefix: 'query' },
    );
    expect(search.key({ a: 1, b: [2] })).toBe(search.key({ b: [2], a: 1 }));
    expect(search.key({ a: 1 })).not.toBe(search.key({ a: '1' }));
    expect(search.key({ a: 1 })).toMatch(/^query::%h[\w-]{43}::search$/);
  });
});

describe('policies', () => {
  it('may all be stated with a function, and reach each of its loads', async () => {
    const policies: Required<Omit<EntryOptions, 'tags' | 'dependsOn'>> = {
      tier: 'user',
      ttlMs: 1_000,
      negativeTtlMs: 10,
      jitterRatio: 0.1,
      graceMs: 1,
      graceBackoffMs: 1,
      staleWhileRevalidateMs: 1,
      softTimeoutMs: 1,
      hardTimeoutMs: 2,
      refreshAheadRatio: 0.5,
      earlyRefreshBeta: 1,
      adaptiveTtl: { minMs: 1, maxMs: 2 },
      values: 'copy',
      compressAboveBytes: 1,
      maxEntryBytes: 1,
      skipEmpty: true,
      when: () => true,
      persist: 'periodic',
      cost: () => 1,
    };
    const given: unknown[] = [];
    const spy: Cache = { ...cache, getOrLoadSync: (_key, _load, options) => given.push(options) as never };
    cachedSync(spy, (id: string) => id, { key: 'user::{0}', ...policies })('1');
    expect(given).toEqual([policies]);
  });

  it('that are undefined state nothing', () => {
    const get = cachedSync(cache, (id: string) => id, {
      key: 'user::{0}',
      graceMs: undefined,
      when: undefined,
    });
    expect(get('1')).toBe('1');
  });

  it('know the type of the value', () => {
    cached(cache, async (id: string) => ({ id }), { key: 'user::{0}', when: ({ id }) => id !== '' });
    cachedSync(cache, (id: string) => [id], { key: 'user::{0}', cost: (ids) => ids.length });
    // @ts-expect-error the value is text
    cachedSync(cache, (id: string) => id, { key: 'user::{0}', cost: (n: number) => n });
  });
});

describe('passContext', () => {
  it('hands the context of the load to the function, after its arguments', async () => {
    const get = cached(
      cache,
      async (id: string, page: number, { key: own, tag, setTtl }: LoadContext) => {
        tag(`page:${page}`);
        setTtl(5);
        return own + id;
      },
      { key: 'user::{0}::{1}', passContext: true },
    );
    expectTypeOf(get).parameters.toEqualTypeOf<[id: string, page: number]>();
    expectTypeOf(get).returns.toEqualTypeOf<Promise<string>>();
    expect(await get('1', 2)).toBe('user::1::#21');
    expect(cache.inspect(get.key('1', 2))?.tags).toEqual(['page:2']);
    clock.advance(5);
    expect(cache.has(get.key('1', 2))).toBe(false);
  });

  it('also to a synchronous one, which stays synchronous', () => {
    const get = cachedSync(cache, (id: string, context: LoadContext) => `${id} ${context.key}`, {
      keyPrefix: 'user',
      name: 'profile',
      passContext: true,
    });
    expectTypeOf(get).parameters.toEqualTypeOf<[id: string]>();
    expect([get('1'), get.fresh('1'), get.length]).toEqual(['1 user::1::profile', '1 user::1::profile', 1]);
  });

  it('is no part of the key: neither of its arguments nor of its placeholders', () => {
    const fn = (id: string, context: LoadContext) => id + context.key;
    expect(cachedSync(cache, fn, { keyPrefix: 'user', name: 'x', passContext: true }).key('1')).toBe(
      'user::1::x',
    );
    expect(() => cachedSync(cache, fn, { key: 'user::{1}', passContext: true })).toThrow(/names parameter 2/);
  });

  it('keeps its place when arguments are left out', () => {
    const get = cachedSync(
      cache,
      (id: string | undefined, page: number | undefined, context: LoadContext) => [id, page, context.key],
      { key: 'user::all', passContext: true },
    );
    const short = get as unknown as () => unknown[];
    expect(short()).toEqual([undefined, undefined, 'user::all']);
  });

  it('changes nothing without it: the function gets what the caller gave', async () => {
    const seen: unknown[][] = [];
    const get = cached(cache, async (...args: unknown[]) => seen.push(args), {
      key: 'user::{0}::x',
      parameters: 1,
    });
    await get('1');
    expect(seen).toEqual([['1']]);
  });

  it('is for functions that take it', () => {
    // @ts-expect-error the function has no last parameter for the context
    cached(cache, async (id: string, page: number) => id + page, { key: 'user::{0}', passContext: true });
    expect(() => cached(cache, async () => 1, { key: 'user::1', passContext: 'yes' } as never)).toThrow(
      /passContext of the function must be true or false/,
    );
  });
});

describe('options that are not valid fail when the function is wrapped', () => {
  const load = async (id: string) => id;
  it.each([
    ['an unknown option', { key: 'a::{0}', tagz: ['b'] }, /no option "tagz"/],
    ['a ttl in seconds', { key: 'a::{0}', ttl: 60 }, /milliseconds, as ttlMs/],
    ['a grace in seconds', { key: 'a::{0}', grace: 60 }, /no option "grace".*milliseconds, as graceMs/],
    ['a size in kilobytes', { key: 'a::{0}', max_entry_kb: 60 }, /in bytes, as maxEntryBytes/],
    ['a mistyped policy', { key: 'a::{0}', sofTimeoutMs: 60 }, /did you mean softTimeoutMs\?/],
    ['another style', { key: 'a::{0}', refresh_ahead: 0.5 }, /did you mean refreshAheadRatio\?/],
    ['a time that is none', { key: 'a::{0}', graceMs: -1 }, /graceMs of load is -1; it must be 0 or more/],
    ['a ttl that is none', { key: 'a::{0}', ttlMs: Number.NaN }, /ttlMs of load is NaN/],
    ['a ratio out of bounds', { key: 'a::{0}', refreshAheadRatio: 1 }, /must be a number between 0 and 1/],
    ['a minimum above the maximum', { key: 'a::{0}', adaptiveTtl: { minMs: 2, maxMs: 1 } }, /minMs ≤ maxMs/],
    [
      'a hard timeout before the soft one',
      { key: 'a::{0}', softTimeoutMs: 2, hardTimeoutMs: 1 },
      /never come/,
    ],
    ['a condition that is no function', { key: 'a::{0}', when: true }, /must be a function of the value/],
    ['neither key nor keyPrefix', { tier: 'user' }, /either key or keyPrefix/],
    ['both key and keyPrefix', { key: 'a', keyPrefix: 'b' }, /either key or keyPrefix/],
    ['a tag that names no parameter', { key: 'a::{0}', tags: ['b:{1}'] }, /names parameter 2/],
    ['a dependency that names no parameter', { key: 'a::{0}', dependsOn: ['b::{1}'] }, /names parameter 2/],
    ['a key that is a pattern', { key: 'a::{0}::*' }, /no "\*"/],
  ])('%s', (_name, options, message) => {
    expect(() => cached(cache, load, options as never)).toThrow(message);
  });

  it('something that is no function', () => {
    expect(() => cached(cache, 'load' as never, { key: 'a' })).toThrow(/takes the function second/);
  });
});

describe('invalidates', () => {
  const fill = () => {
    for (const k of ['user::1::profile', 'user::1::orders', 'user::2::profile', 'products::all'])
      cache.set(k, k);
    cache.set('query::tagged', 1, { tags: ['user:1'] });
  };
  const left = () =>
    ['user::1::profile', 'user::1::orders', 'user::2::profile', 'products::all', 'query::tagged'].filter(
      (k) => cache.has(k),
    );

  it('I7: invalidates after the write and before its promise resolves', async () => {
    fill();
    const written = Promise.withResolvers<string>();
    const pay = invalidates(cache, (_id: string) => written.promise, 'user::{0}::*');
    const paying = pay('1');
    expect(left()).toHaveLength(5);
    written.resolve('receipt');
    expect(await paying.then((receipt) => [receipt, ...left()])).toEqual([
      'receipt',
      'user::2::profile',
      'products::all',
      'query::tagged',
    ]);
  });

  it('I7: a failed write invalidates nothing, asynchronous or not', async () => {
    fill();
    const fail = (_id: string): never => {
      throw new Error('no funds');
    };
    expect(() => invalidates(cache, fail, 'user::{0}::*')('1')).toThrow('no funds');
    await expect(invalidates(cache, async (id: string) => fail(id), 'user::{0}::*')('1')).rejects.toThrow(
      'no funds',
    );
    expect(left()).toHaveLength(5);
  });

  it('leaves a synchronous write synchronous', () => {
    fill();
    const pay = invalidates(cache, (id: string, cents: number) => `${id}:${cents}`, [
      'user::{0}::*',
      { tag: 'user:{0}' },
    ]);
    expect(pay('1', 5)).toBe('1:5');
    expect(left()).toEqual(['user::2::profile', 'products::all']);
  });

  it('takes targets from a function of the arguments and the result', async () => {
    fill();
    const rename = invalidates(
      cache,
      async (id: string) => ({ other: Number(id) + 1 }),
      ([id], { other }) => [key.user(id, 'profile'), `user::${other}::*`],
    );
    await rename('1');
    expect(left()).toEqual(['user::1::orders', 'products::all', 'query::tagged']);
  });

  it('escapes what it puts into patterns', () => {
    fill();
    const pay = invalidates(cache, (id: string) => id, 'user::{0}::*');
    pay('*');
    expect(left()).toHaveLength(5);
  });

  it('I2: voids a load that was in flight during the write', async () => {
    const gate = Promise.withResolvers<string>();
    let source: Promise<string> = gate.promise;
    const get = cached(cache, (_id: string) => source, { key: 'user::{0}::profile' });
    const pay = invalidates(cache, async (_id: string) => undefined, 'user::{0}::*');
    const early = get('1');
    await pay('1');
    gate.resolve('old');
    expect(await early).toBe('old');
    source = Promise.resolve('new');
    expect(await get('1')).toBe('new');
  });

  it('I7: invalidates also where nobody can tell whether the result is a promise', () => {
    fill();
    const result = {};
    Object.defineProperty(result, 'then', {
      get() {
        throw new Error('mistake');
      },
    });
    const pay = invalidates(cache, (_id: string) => result, 'user::*');
    expect(pay('1')).toBe(result);
    expect(left()).not.toContain('user::1::profile');
  });

  it('I4: clears everything, says so, and does not fail the write when the targets cannot be made out', () => {
    fill();
    const said: string[] = [];
    const logger = { ...silentLogger, error: (message: string) => void said.push(message) };
    const pay = invalidates(
      cache,
      (id: string) => `paid ${id}`,
      () => {
        throw new Error('mistake');
      },
      { logger },
    );
    expect(pay('1')).toBe('paid 1');
    expect(left()).toEqual([]);
    expect(said).toEqual([expect.stringMatching(/whole cache was cleared/)]);
  });

  it('I7: clears everything and does not fail the write when its logger throws, too', () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    fill();
    const pay = invalidates(
      cache,
      (id: string) => `paid ${id}`,
      () => {
        throw new Error('mistake');
      },
      { logger: brokenLogger },
    );
    expect(pay('1')).toBe('paid 1');
    expect(left()).toEqual([]);
    expect(warnings).toHaveBeenCalledOnce();
    warnings.mockRestore();
  });

  it('passes `this` on', () => {
    const users = {
      paid: 0,
      pay: invalidates(
        cache,
        function (this: { paid: number }, cents: number) {
          this.paid += cents;
          return this.paid;
        },
        'users::*',
      ),
    };
    expect([users.pay(2), users.pay(3)]).toEqual([2, 5]);
  });

  it('refuses targets that cover nothing when the function is wrapped', () => {
    const write = (id: string) => id;
    expect(() => invalidates(cache, write, [])).toThrow(/Say what/);
    expect(() => invalidates(cache, write, '')).toThrow(/empty/);
    expect(() => invalidates(cache, write, 'user::{1}::*')).toThrow(/names parameter 2/);
    expect(() => invalidates(cache, write, { tag: 'user:{user_id}' })).toThrow(
      /JavaScript does not keep the names/,
    );
  });
});

describe('types', () => {
  it('keep parameters, results and generics', () => {
    const getUser = cached(cache, async (id: string, full?: boolean) => ({ id, full }), {
      key: (id) => {
        expectTypeOf(id).toEqualTypeOf<string>();
        return key.user(id, 'profile');
      },
    });
    expectTypeOf(getUser).parameters.toEqualTypeOf<[id: string, full?: boolean | undefined]>();
    expectTypeOf(getUser('1')).resolves.toEqualTypeOf<{ id: string; full: boolean | undefined }>();
    expectTypeOf(getUser.fresh('1')).resolves.toEqualTypeOf<{ id: string; full: boolean | undefined }>();
    expectTypeOf(getUser.invalidate('1')).toEqualTypeOf<Removal>();

    const pick = cached(cache, async <T>(values: T[]): Promise<T | undefined> => values[0], {
      key: 'query::{0}',
    });
    expectTypeOf(pick([1])).resolves.toEqualTypeOf<number | undefined>();
    expectTypeOf(pick(['a'])).resolves.toEqualTypeOf<string | undefined>();

    const now = cached(cache, (id: number) => id, { key: 'query::{0}' });
    expectTypeOf(now(1)).toEqualTypeOf<Promise<number>>();

    const sync = cachedSync(cache, <T>(value: T) => value, { key: 'query::sync::{0}' });
    expectTypeOf(sync('a' as const)).toExtend<string>();
    const length = cachedSync(cache, (id: string) => id.length, { key: 'query::length::{0}' });
    expectTypeOf(length.fresh).returns.toEqualTypeOf<number>();

    const pay = invalidates(
      cache,
      async (id: string, _cents: number) => id.length,
      ([id, cents], length) => {
        expectTypeOf([id, cents] as const).toEqualTypeOf<readonly [string, number]>();
        expectTypeOf(length).toEqualTypeOf<number>();
        return `user::${id}::*`;
      },
    );
    expectTypeOf(pay).toEqualTypeOf<(id: string, _cents: number) => Promise<number>>();

    // @ts-expect-error the wrapped function takes text
    void (() => getUser(1));
  });
});
