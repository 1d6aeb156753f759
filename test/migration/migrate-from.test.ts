import { Collection } from 'discord.js';
import fc from 'fast-check';
import Keyv from 'keyv';
import NodeCache from 'node-cache';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { defineTier } from '../../src/cache/tiers/define-tier.ts';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import type { Logger } from '../../src/logger.ts';
import { migrateFrom } from '../../src/migration/migrate-from.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';

interface User {
  id: string;
  coins: number;
  tags?: string[];
}

let clock: HandClock;
let cache: Cache;
let lines: { message: string; fields: Readonly<Record<string, unknown>> | undefined }[];
let logger: Logger;
beforeEach(() => {
  clock = handClock();
  lines = [];
  const tell = (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push({ message, fields });
  logger = { debug: tell, info: tell, warn: tell, error: tell };
  cache = createCache({
    maxWeightBytes: 1e7,
    cleanupIntervalMs: 60_000,
    tiers: ['user', 'guild'].map((tier) => defineTier(tier, { ttlMs: 3_600_000, jitterRatio: 0 })),
    clock,
    logger,
  });
});
afterEach(() => cache.stop());

const USERS = { user: { to: 'user::{0}::profile' } } as const;
const ada = (coins: number): User => ({ id: '1', coins });

/** A bot's cache made by hand, in each of the shapes that bots have. */
const OLD_CACHES = {
  Map: () => new Map<string, User>(),
  'Collection of discord.js': () => new Collection<string, User>(),
  'node-cache': () => new NodeCache({ useClones: false }),
  Keyv: () => new Keyv<User>(),
  'an object with get, set and del': () => {
    const values = new Map<string, unknown>();
    return {
      get: async (key: string) => values.get(key),
      set: async (key: string, value: unknown) => void values.set(key, value),
      del: async (key: string) => values.delete(key),
    };
  },
};

describe.each(Object.entries(OLD_CACHES))('migrateFrom a cache made by hand: %s', (_, make) => {
  /** Awaited throughout, as code does that does not care which kind it has. */
  const started = (phase: 'shadow' | 'mirror' | 'done') => {
    const old = make() as Map<string, User>; // every kind answers to `await` as a Map does
    const users = migrateFrom<string, User>(cache, old, {
      namespaces: { user: { to: 'user::{0}::profile', phase } },
      logger,
    });
    return { old, users };
  };

  it('in shadow: writes to both, reads from the old one, and compares', async () => {
    const { old, users } = started('shadow');
    await users.set('1', ada(10));
    expect([await old.get('1'), cache.get('user::1::profile')]).toEqual([ada(10), ada(10)]);
    expect(await users.get('1')).toEqual(ada(10));
    expect(users.report().namespaces.user).toMatchObject({ reads: 1, same: 1, different: 0 });

    cache.set('user::1::profile', ada(99));
    expect(await users.get('1')).toEqual(ada(10));
    const { differences } = users.report().namespaces.user ?? {};
    expect(differences).toMatchObject([
      { key: 'user::1::profile', path: 'coins', old: 'number', new: 'number', times: 1 },
    ]);
    expect(lines.at(-1)?.message).toBe('The old and the new cache differ in user::1::profile, at coins.');

    expect(await users.delete('1')).toBe(true);
    expect(await users.get('1')).toBeUndefined();
    expect([await old.get('1'), cache.has('user::1::profile')]).toEqual([undefined, false]);
  });

  it('in mirror: writes to both, reads from the new one, and compares', async () => {
    const { old, users } = started('mirror');
    await users.set('1', ada(10));
    await old.set('1', ada(99));
    expect(await users.get('1')).toEqual(ada(10));
    await clock.settle();
    expect(users.report().namespaces.user).toMatchObject({ reads: 1, different: 1 });
    await users.set('1', ada(20));
    expect(await old.get('1')).toEqual(ada(20));

    // A miss of the new one is a miss, so that the bot loads what is true.
    cache.delete('user::1::profile');
    expect(await users.get('1')).toBeUndefined();
    await clock.settle();
    expect(users.report().namespaces.user).toMatchObject({ onlyOld: 1, different: 1 });
    expect(await users.has('1')).toBe(false);
    expect(await users.delete('1')).toBe(false);
    expect(await old.get('1')).toBeUndefined();
  });

  it('when done: lets the old one go', async () => {
    const { old, users } = started('mirror');
    await users.set('1', ada(10));
    users.phase('user', 'done');
    await users.set('1', ada(20));
    expect([await old.get('1'), await users.get('1')]).toEqual([ada(10), ada(20)]);
    expect(await users.delete('1')).toBe(true);
    expect(await old.get('1')).toEqual(ada(10));
    expect(await users.has('1')).toBe(false);
  });

  it('clears both', async () => {
    const { old, users } = started('shadow');
    await users.set('1', ada(10));
    cache.set('user::1::orders', []);
    if ('clear' in old || 'flushAll' in old) {
      await users.clear();
      expect([await users.get('1'), cache.has('user::1::profile')]).toEqual([undefined, false]);
    } else {
      await users.clear();
      expect(lines.at(-1)?.fields?.error).toMatchObject({
        message: 'migrateFrom: the old cache has neither clear() nor flushAll().',
      });
      expect(await users.get('1')).toBeUndefined(); // from the new one
    }
    expect(cache.has('user::1::orders')).toBe(true);
  });

  it('stays of its kind in every phase: a value at once, or a promise', async () => {
    for (const phase of ['shadow', 'mirror', 'done'] as const) {
      const { old, users } = started(phase);
      const isAsync = (old.get('9') as unknown) instanceof Promise;
      const answers = [users.get('1'), users.has('1'), users.set('1', ada(1)), users.delete('1')];
      expect(answers.map((answer: unknown) => answer instanceof Promise)).toEqual(Array(4).fill(isAsync));
      await Promise.all(answers);
    }
  });
});

describe('moving namespace by namespace', () => {
  const options = () => ({
    namespaces: {
      user: { from: 'user:{id}', to: 'user::{id}::profile' },
      guild: { from: 'guild:{guild}:member:{id}', to: 'guild::{guild}::{id}' },
    },
    logger,
  });

  it('moves one and leaves the other, by what the old keys look like', () => {
    const old = new Map<string, unknown>();
    const kept = migrateFrom(cache, old, options());
    kept.set('user:1', ada(10));
    kept.set('guild:7:member:1', 'Ada');
    expect(cache.getMany(['user::1::profile', 'guild::7::1']).size).toBe(2);
    old.set('user:1', ada(99)).set('guild:7:member:1', 'Grace');
    kept.phase('user', 'mirror');
    expect([kept.get('user:1'), kept.get('guild:7:member:1')]).toEqual([ada(10), 'Grace']);
    expect([kept.phase('user'), kept.phase('guild')]).toEqual(['mirror', 'shadow']);
    kept.phase('user', 'shadow');
    expect(kept.get('user:1')).toEqual(ada(99));
  });

  it('leaves keys of no namespace to the old cache alone, and counts them', () => {
    const old = new Map<string, unknown>();
    const kept = migrateFrom(cache, old, options());
    kept.set('cooldown:1', 5);
    expect([kept.get('cooldown:1'), kept.has('cooldown:1'), old.get('cooldown:1')]).toEqual([5, true, 5]);
    expect(kept.delete('cooldown:1')).toBe(true);
    expect(kept.report().unmapped).toBe(4);
    expect(cache.keys('', 10)).toEqual([]);
  });

  it('names keys as the wrapped read does, numbers included', () => {
    const getUser = cachedSync(cache, (id: string | number) => ({ id, coins: 1 }), {
      key: 'user::{0}::profile',
    });
    const old = new Map<string | number, object>();
    const byTemplate = migrateFrom(cache, old, { namespaces: USERS, logger });
    const byFunction = migrateFrom(cache, old, {
      namespaces: { user: { to: (id) => getUser.key(id) } },
      logger,
    });
    for (const id of ['1', 2, 'a::b', '*']) {
      byTemplate.set(id, { id });
      expect(cache.has(getUser.key(id))).toBe(true);
      expect(byFunction.get(id)).toEqual({ id });
    }
    expect(byFunction.report().namespaces.user.same).toBe(4);
  });

  it('refuses a list of keys, which the old cache would take and the new one not', () => {
    const users = migrateFrom(cache, new NodeCache(), { namespaces: USERS, logger });
    expect(() => users.delete(['1', '2'])).toThrow('migrateFrom takes one key at a time, not a list');
  });

  it('does not go back from done', () => {
    const kept = migrateFrom(cache, new Map<string, unknown>(), options());
    kept.phase('user', 'done');
    expect(() => kept.phase('user', 'mirror')).toThrow(
      `namespace "user" is done, and the old cache has missed writes since. To go back, start the bot with phase: 'mirror'.`,
    );
  });
});

describe('what is told', () => {
  it('tells one place once a minute, however many keys differ there, and lists the keys in the report', () => {
    const old = new Map<string, User>();
    const users = migrateFrom(cache, old, { namespaces: USERS, logger });
    for (let i = 0; i < 200; i++) {
      users.set(`${i}`, { id: `${i}`, coins: 1, tags: ['secret'] });
      old.set(`${i}`, { id: `${i}`, coins: 1, tags: ['private'] });
      users.get(`${i}`);
    }
    expect(lines).toHaveLength(1);
    const { differences, different } = users.report().namespaces.user;
    expect([different, differences.length, differences[0]?.key]).toEqual([200, 100, 'user::199::profile']);
    clock.advance(60_000);
    users.get('0');
    expect(lines[1]?.fields).toEqual({
      key: 'user::0::profile',
      path: 'tags[0]',
      old: 'string',
      new: 'string',
      timesSinceSaid: 199,
    });
    expect(JSON.stringify([lines, users.report()])).not.toMatch(/secret|private/);
  });

  it('tells of what the new cache alone has: other code removes it from the old one', () => {
    const old = new Map<string, User>();
    const users = migrateFrom(cache, old, { namespaces: USERS, logger });
    users.set('1', ada(1));
    old.delete('1');
    expect(users.get('1')).toBeUndefined();
    expect(users.report().namespaces.user).toMatchObject({
      onlyNew: 1,
      differences: [{ path: '', old: 'nothing', new: 'object' }],
    });
  });

  it('says nothing of what the new cache does not have yet, and counts it', () => {
    const users = migrateFrom(cache, new Map([['1', ada(1)]]), { namespaces: USERS, logger });
    expect(users.get('1')).toEqual(ada(1));
    expect(users.report().namespaces.user.onlyOld).toBe(1);
    expect(lines).toEqual([]);
  });

  it('says that it does not know a ttl which the bot gives, until "entry" says what it means', () => {
    const old = new NodeCache({ useClones: false });
    const plain = migrateFrom(cache, old, { namespaces: USERS, logger });
    plain.set('1', ada(1), 60);
    expect(lines.at(-1)?.message).toContain('entry: (seconds) => ({ ttlMs: seconds * 1000 })');
    const users = migrateFrom(cache, old, {
      namespaces: { user: { ...USERS.user, entry: (seconds: number) => ({ ttlMs: seconds * 1000 }) } },
      logger,
    });
    users.set('1', ada(1), 60);
    clock.advance(59_999);
    expect(cache.has('user::1::profile')).toBe(true);
    clock.advance(1);
    expect(cache.has('user::1::profile')).toBe(false);
    expect(old.getTtl('1')).toBeGreaterThan(0);
    old.close();
  });

  it('counts what the new cache does not keep, which leaves no older value either', () => {
    const old = new Map<string, unknown>([['1', ada(1)]]);
    const users = migrateFrom(cache, old, {
      namespaces: { user: { ...USERS.user, entry: { when: (value) => value !== 'never' } } },
      logger,
    });
    users.set('1', ada(1));
    users.set('1', 'never');
    expect([users.get('1'), cache.get('user::1::profile')]).toEqual(['never', undefined]);
    expect(users.report().namespaces.user.refused).toBe(1);
  });
});

describe('I4: the old cache never breaks a call', () => {
  function failing(isAsync: boolean) {
    const values = new Map<string, User>();
    const state = { broken: false };
    const call = <R>(run: () => R) => {
      if (!isAsync) {
        if (state.broken) throw new Error('the old one is down');
        return run();
      }
      return state.broken ? Promise.reject(new Error('the old one is down')) : Promise.resolve(run());
    };
    const old = {
      get: (key: string) => call(() => values.get(key)),
      set: (key: string, value: User) => call(() => values.set(key, value)),
      delete: (key: string) => call(() => values.delete(key)),
      clear: () => call(() => values.clear()),
    };
    // Both kinds answer to `await`.
    return {
      state,
      users: migrateFrom<string, User>(cache, old as Map<string, User>, { namespaces: USERS, logger }),
    };
  }

  it.each([
    ['throws', false],
    ['rejects', true],
  ])('where it %s, the new one answers, and what it missed is not read from it again', async (_, isAsync) => {
    const { state, users } = failing(isAsync);
    await users.set('1', ada(10));
    await users.set('2', { id: '2', coins: 5 });
    state.broken = true;
    expect([await users.get('1'), await users.has('1')]).toEqual([ada(10), true]);
    await users.set('1', ada(20));
    expect(await users.delete('2')).toBe(true);
    state.broken = false;
    // The old one still has 10 coins, and the deleted person.
    expect([await users.get('1'), await users.get('2')]).toEqual([ada(20), undefined]);
    await users.set('1', ada(30));
    expect(await users.get('1')).toEqual(ada(30));
    expect(users.report().namespaces.user).toMatchObject({ oldFailures: 4, different: 0, onlyNew: 0 });
    expect(lines.map(({ message }) => message)).toContain(
      'migrateFrom: set() of the old cache failed; the new one is used instead.',
    );
    state.broken = true;
    await users.clear();
    state.broken = false;
    expect(await users.get('1')).toBeUndefined();
  });

  it('goes on where the mapping of keys fails', () => {
    const old = new Map<string, User>();
    const users = migrateFrom(cache, old, {
      namespaces: {
        user: {
          to: () => {
            throw new Error('no such person');
          },
        },
      },
      logger,
    });
    users.set('1', ada(1));
    expect(users.get('1')).toEqual(ada(1));
    expect(lines.at(-1)?.message).toBe(
      'migrateFrom: "to" of namespace "user" gave no key; the old cache alone serves it.',
    );
  });

  it('does not compare a read that a write has overtaken', async () => {
    const values = new Map<string, User>();
    const gates: (() => void)[] = [];
    const old = {
      get: (key: string) => {
        const value = values.get(key);
        return new Promise<User | undefined>((resolve) => gates.push(() => resolve(value)));
      },
      set: async (key: string, value: User) => values.set(key, value),
      delete: async (key: string) => values.delete(key),
    };
    const users = migrateFrom<string, User>(cache, old, { namespaces: USERS, logger });
    await users.set('1', ada(1));
    const reading = users.get('1');
    await users.set('1', ada(2));
    gates[0]?.();
    expect(await reading).toEqual(ada(1));
    expect(users.report().namespaces.user).toMatchObject({ reads: 1, same: 0, different: 0 });
    const again = users.get('1');
    gates[1]?.();
    await again;
    expect(users.report().namespaces.user).toMatchObject({ reads: 2, same: 1 });
  });
});

describe('what is wrong is said where it is written', () => {
  const migrate =
    (old: unknown, namespaces: unknown, more: object = {}) =>
    () =>
      migrateFrom(cache, old as Map<string, User>, { namespaces, ...more } as { namespaces: typeof USERS });

  it.each([
    ['no old cache', migrate(undefined, USERS), 'It has no method get'],
    [
      'an old cache without delete',
      migrate({ get() {}, set() {} }, USERS),
      'It has no method delete (or del)',
    ],
    ['no namespaces', migrate(new Map(), {}), 'migrateFrom needs namespaces, such as'],
    ['no key', migrate(new Map(), { user: {} }), `namespace "user" needs "to", the new key: 'user::{0}'`],
    [
      'another namespace',
      migrate(new Map(), { user: { to: 'users::{0}' } }),
      '"to" must begin with "user::"',
    ],
    [
      'a wrong placeholder',
      migrate(new Map(), { user: { from: 'u:{id}', to: 'user::{uid}' } }),
      '"{uid}" is none',
    ],
    [
      'a wrong phase',
      migrate(new Map(), { user: { to: 'user::{0}', phase: 'on' } }),
      "'shadow', 'mirror', 'done'",
    ],
    [
      'an old key without a part',
      migrate(new Map(), { user: { from: 'u', to: 'user::{0}' } }),
      "'user:{id}'",
    ],
    ['an option that is none', migrate(new Map(), { user: { too: 'user::{0}' } }), 'did you mean to?'],
    ['an option that is none', migrate(new Map(), USERS, { log: 1 }), 'there is no option "log"'],
    [
      'a namespace that gets no keys',
      migrate(new Map(), { user: { to: 'user::{0}' }, guild: { from: 'g:{id}', to: 'guild::{id}' } }),
      '"guild" after it gets none',
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT_INVALID', message: expect.stringContaining(message) }),
    );
  });
});

describe('types', () => {
  it('answers at once for a Map, and with promises for Keyv', () => {
    const users = migrateFrom(cache, new Collection<string, User>(), { namespaces: USERS, logger });
    expectTypeOf(users.get).returns.toEqualTypeOf<User | undefined>();
    expectTypeOf(users.phase).parameter(0).toEqualTypeOf<'user'>();
    const memo = migrateFrom(cache, new NodeCache(), { namespaces: USERS, logger });
    expectTypeOf(memo.has).returns.toEqualTypeOf<boolean>();
    const keyv = migrateFrom<string, User>(cache, new Keyv<User>(), { namespaces: USERS, logger });
    expectTypeOf(keyv.get).returns.toEqualTypeOf<Promise<User | undefined>>();
    expectTypeOf(keyv.set).parameters.toEqualTypeOf<[string, User, ...unknown[]]>();
    // biome-ignore lint/suspicious/noExplicitAny: what plain JavaScript's types look like
    const loose = migrateFrom(cache, new Map<string, any>(), { namespaces: USERS, logger });
    expectTypeOf(loose.has).returns.toEqualTypeOf<boolean>();
    const numbers = new Map<number, string>();
    migrateFrom(cache, numbers, { namespaces: { user: { to: (id) => `user::${id.toFixed(0)}` } } });
    // @ts-expect-error a number is no text
    migrateFrom(cache, numbers, { namespaces: { user: { to: (id) => `user::${id.trim()}` } } });
  });
});

describe('beside the old cache alone', () => {
  it('changes nothing that a bot sees, in any phase, whatever it reads, changes, writes and removes', () => {
    const act = fc.record({
      do: fc.constantFrom('get', 'set', 'change', 'delete', 'has', 'phase'),
      id: fc.constantFrom('1', '2', '3'),
      coins: fc.nat(100),
      phase: fc.constantFrom('shadow' as const, 'mirror' as const),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        cache.clear();
        const alone = new Map<string, User>();
        const users = migrateFrom(cache, new Map<string, User>(), { namespaces: USERS, logger });
        const run = (
          on: Pick<Map<string, User>, 'get' | 'has' | 'delete'> & { set(id: string, user: User): unknown },
        ) =>
          acts.map(({ do: what, id, coins, phase }) => {
            switch (what) {
              case 'get':
                return { ...on.get(id) };
              case 'has':
                return on.has(id);
              case 'set':
                return void on.set(id, { id, coins, tags: [] });
              case 'delete':
                return on.delete(id);
              case 'change': {
                const user = on.get(id);
                if (user === undefined) return undefined;
                user.coins += coins;
                user.tags?.push('changed');
                return void on.set(id, user);
              }
              case 'phase':
                return on === alone ? undefined : void users.phase('user', phase);
            }
            throw new Error('unreachable');
          });
        expect(run(users)).toEqual(run(alone));
        expect(users.report().namespaces.user.differences).toEqual([]);
      }),
    );
  });

  it('shows where a bot changes what it read and does not write it: an old cache of live objects kept the change', () => {
    const users = migrateFrom(cache, new Map<string, User>(), { namespaces: USERS, logger });
    users.set('1', ada(10));
    const user = users.get('1');
    if (user !== undefined) user.coins += 50;
    expect(users.get('1')?.coins).toBe(60);
    expect(lines.at(-1)?.message).toBe('The old and the new cache differ in user::1::profile, at coins.');
    users.phase('user', 'mirror');
    expect(users.get('1')?.coins).toBe(10);
  });
});
