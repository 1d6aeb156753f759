import { Collection } from 'discord.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { cachedMethod, cachedMethodOf } from '../../src/cache/wrappers/decorators.ts';
import { visibleParameters } from '../../src/cache/wrappers/visible-parameters.ts';
import { cached, cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { handClock } from '../support/hand-clock.ts';

let cache: Cache;
let warnings: string[];
beforeEach(() => {
  warnings = [];
  const note = (text: string) => void warnings.push(text);
  cache = createCache({ clock: handClock(), logger: { debug: note, info: note, warn: note, error: note } });
});
afterEach(() => cache.stop());

const IDS = ['a', 'b', 'a'];

/** A cached read that is handed to others as a callback of any kind. */
function userRead() {
  let loads = 0;
  const getUser = cachedSync(
    cache,
    function getUser(id: string) {
      loads++;
      return `user ${id}`;
    },
    { keyPrefix: 'user' },
  );
  const callback = getUser as (...args: unknown[]) => string;
  return { getUser, callback, loads: () => loads };
}

describe('a cached function as a callback', () => {
  const callers: [string, (callback: (...args: unknown[]) => string) => void][] = [
    ['map', (callback) => void IDS.map(callback)],
    ['forEach', (callback) => IDS.forEach(callback)],
    ['filter', (callback) => void IDS.filter(callback)],
    ['flatMap', (callback) => void IDS.flatMap(callback)],
    ['find', (callback) => void IDS.find((...args) => callback(...args) === '')],
    ['Array.from', (callback) => void Array.from(IDS, callback)],
    ['forEach of a Set', (callback) => new Set(IDS).forEach(callback)],
    ['forEach of a Map', (callback) => new Map(IDS.map((id, i) => [i, id])).forEach(callback)],
    ['map of a Collection', (callback) => void new Collection(IDS.map((id, i) => [i, id])).map(callback)],
    ['a call with more', (callback) => void IDS.map((id) => callback(id, 1, 2))],
  ];

  it.each(callers)('has one entry an id, by %s', (_name, call) => {
    const { getUser, callback, loads } = userRead();
    call(callback);
    call(callback);
    expect(loads()).toBe(2);
    expect(cache.keys('', 10).sort()).toEqual(['user::a::getUser', 'user::b::getUser']);
    expect(getUser.invalidate('a').entries).toBe(1);
    expect(warnings).toEqual([]);
  });

  it('has controls that may be callbacks, too', () => {
    const { getUser, loads } = userRead();
    const controls = getUser as unknown as Record<string, (...args: unknown[]) => unknown>;
    expect(IDS.map(controls.key as never)).toEqual(IDS.map((id) => getUser.key(id)));
    IDS.map(controls.fresh as never);
    expect(loads()).toBe(3);
    expect(IDS.map(controls.warm as never)).toMatchObject(IDS.map((id) => ({ key: getUser.key(id) })));
    IDS.forEach(controls.invalidate as never);
    expect(cache.keys('', 10)).toEqual([]);
  });

  it('hands tags, dependencies and keys that are functions what it can see itself', () => {
    const tagged = cachedSync(cache, (id: string) => id, {
      key: (...args) => `user::${args.length}::${args.join('-')}`,
      tags: (...args) => args.map((id) => `user:${id}`),
    });
    ['a', 'b'].map(tagged as never);
    expect(cache.keys('', 10).sort()).toEqual(['user::1::a', 'user::1::b']);
    expect(cache.inspect('user::1::a')?.tags).toEqual(['user:a']);
  });

  it('is the same for a method', async () => {
    class Users {
      readonly cache = cache;
      loads = 0;
      async profile(id: string): Promise<string> {
        this.loads++;
        return id;
      }
    }
    const context = { kind: 'method', name: 'profile' } as const;
    Users.prototype.profile = cachedMethod({ keyPrefix: 'user' })(Users.prototype.profile, context);
    const users = new Users();
    const profile = users.profile.bind(users) as (...args: unknown[]) => Promise<string>;
    await Promise.all(IDS.map(profile));
    expect(users.loads).toBe(2);
    expect(cachedMethodOf(users, 'profile').key('a')).toBe('user::a::profile');
    expect(cache.keys('', 10).sort()).toEqual(['user::a::profile', 'user::b::profile']);
  });

  it('hands the context of its load in its own place', async () => {
    const seen: unknown[][] = [];
    const read = cached(
      cache,
      async (id: string, context: { readonly key: string }) => {
        seen.push([id, context.key]);
        return id;
      },
      { keyPrefix: 'user', name: 'read', passContext: true },
    );
    await Promise.all(['a', 'b'].map(read as never));
    expect(seen).toEqual([
      ['a', 'user::a::read'],
      ['b', 'user::b::read'],
    ]);
  });
});

describe('I14: arguments that matter', () => {
  it('tell entries apart behind a default, and the list does not', () => {
    const load = (id: string, size = 10) => `${id}:${size}`;
    const page = cachedSync(cache, load, { keyPrefix: 'page', name: 'page' }) as unknown as typeof load;
    expect([page('a'), page('a', 20), page('a', 10)]).toEqual(['a:10', 'a:20', 'a:10']);
    expect(['a', 'a'].map(page as never)).toEqual(['a:0', 'a:1']);
    expect(['a', 'a'].map(page as never)).toEqual(['a:0', 'a:1']);
    expect(cache.stats().total.fills).toBe(5);
    expect(warnings).toEqual([]);
  });

  it('tell entries apart in rest parameters; a list that hands over more is told of once', () => {
    const sum = cachedSync(cache, (...ids: unknown[]) => ids.length, { keyPrefix: 'sum', name: 'sum' });
    expect([sum(1), sum(1, 2), sum(1, 2, 3)]).toEqual([1, 2, 3]);
    expect(warnings).toEqual([]);
    expect(['a', 'b'].map(sum as never)).toEqual([3, 3]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('parameters: 1');
  });

  const hidden: [string, (this: void, ...args: string[]) => string][] = [
    [
      'arguments',
      function joined() {
        // biome-ignore lint/complexity/noArguments: that is what is tested
        return [...arguments].join('-');
      },
    ],
    ['bind', ((...args: string[]) => args.join('-')).bind(undefined)],
  ];
  it.each(hidden)('tell entries apart where %s hides them, and that is said once', (_name, fn) => {
    const read = cachedSync(cache, fn, { keyPrefix: 'read', name: 'read' }) as unknown as typeof fn;
    expect([read('a', 'b'), read('a', 'c'), read('a', 'b')]).toEqual(['a-b', 'a-c', 'a-b']);
    expect(warnings).toHaveLength(1);
  });

  it('are as many as the author says, where they are hidden: the function gets no others', () => {
    const bound = ((...args: string[]) => args.join('-')).bind(undefined);
    const read = cachedSync(cache, bound, { keyPrefix: 'read', name: 'read', parameters: 1 });
    expect(['a', 'b', 'a'].map(read as never)).toEqual(['a', 'b', 'a']);
    expect(cache.stats().total.fills).toBe(2);
    expect(warnings).toEqual([]);
  });

  it('are never fewer than a template or a key asks for', () => {
    const byTemplate = cachedSync(cache, (id: string) => id, { key: 'a::{0}::{1}', parameters: 2 });
    const byFunction = cachedSync(cache, (id: string) => id, {
      key: ((id: string, guild: string) => `b::${id}::${guild}`) as never,
    });
    for (const read of [byTemplate, byFunction]) {
      (read as (...args: string[]) => string)('7', 'x');
      (read as (...args: string[]) => string)('7', 'y');
    }
    expect(cache.keys('', 10).sort()).toEqual(['a::7::x', 'a::7::y', 'b::7::x', 'b::7::y']);
  });
});

describe('what a function can see', () => {
  const NAME = 'computed(a, b)';
  class Sample {
    static async one(_id: string) {}
    [NAME](_id: string) {}
  }
  const samples: [number | undefined, unknown][] = [
    [0, () => 1],
    [1, (a: unknown) => a],
    [1, async (a: unknown) => a],
    [1, Sample.one],
    [2, (a: unknown, b = ')') => [a, b]],
    [2, ({ a, b }: { a?: unknown; b?: unknown } = {}, c = [1, 2]) => [a, b, c]],
    [2, (a: unknown, /* , c */ b: unknown) => [a, b]],
    [3, (a = 1, b = (x: number, y: number) => x + y, c = 2) => [a, b, c]],
    [Number.POSITIVE_INFINITY, (a: unknown, ...rest: unknown[]) => [a, rest]],
    [undefined, (a = 1 / 2) => a],
    [undefined, (a = `)`) => a],
    [undefined, Math.max],
    [undefined, ((a: unknown) => a).bind(undefined)],
    [undefined, Sample.prototype[NAME]],
  ];
  it.each(samples)('is %s: %s', (count, fn) => {
    expect(visibleParameters(fn as () => void)).toBe(count);
  });
});
