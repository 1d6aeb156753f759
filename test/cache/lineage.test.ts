import { beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { InvalidationTarget } from '../../src/cache/keys/target.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import type { HandClock } from '../support/hand-clock.ts';
import { bench, heldLoader } from './support.ts';

let cache: Cache;
let clock: HandClock;
beforeEach(() => {
  ({ cache, clock } = bench());
});

const tagged =
  (text: string) =>
  ({ tag }: LoadContext) => {
    tag(text);
    return text;
  };

describe('I2: a load in flight that depends on a resident entry', () => {
  const WAYS: readonly [string, InvalidationTarget, Parameters<Cache['set']>[2]][] = [
    ['by what that depends on', 'user::1', { dependsOn: ['user::1'] }],
    ['by a tag of it', { tag: 'people' }, { tags: ['people'] }],
    ['by a pattern over what that depends on', 'user::*', { dependsOn: ['user::1'] }],
  ];

  it.each(WAYS)('is void when that is invalidated %s', async (_, target, links) => {
    cache.set('products::1', 'old', links);
    const loader = heldLoader();
    const reading = cache.getOrLoad('query::page', loader.load, { dependsOn: ['products::1'] });
    expect(cache.invalidate(target)).toMatchObject({ entries: 1, loads: 1 });
    const joining = cache.getOrLoad('query::page', () => 'new');
    loader.give('old');
    expect(await Promise.all([reading, joining])).toEqual(['old', 'new']);
    expect(cache.get('query::page')).toBe('new');
  });

  it.each(WAYS)('and says so late is void, too, when that was invalidated %s', async (_, target, links) => {
    cache.set('products::1', 'old', links);
    const loader = heldLoader();
    const reading = cache.getOrLoad('query::page', loader.load);
    cache.invalidate(target);
    cache.getOrLoadSync('products::1', () => 'new', links);
    const joining = cache.getOrLoad('query::page', loader.load);
    loader.contexts[0]?.dependsOn('products::1');
    loader.give('old', 0);
    expect(await reading).toBe('old');
    await clock.settle();
    loader.give('new', 1);
    expect(await joining).toBe('new');
  });

  it.each(WAYS)(
    'is void where it is a save, so that the key is invalidated: %s',
    async (_, target, links) => {
      cache.set('products::1', 'old', links);
      const saved = Promise.withResolvers<void>();
      const writing = cache.write('query::page', 'old', () => saved.promise, { dependsOn: ['products::1'] });
      cache.invalidate(target);
      saved.resolve();
      await writing;
      expect(cache.has('query::page')).toBe(false);
    },
  );

  it('is kept when it began after the invalidation, though that is still being swept', async () => {
    for (let i = 0; i < 3_000; i++) cache.set(`products::${i}`, i, { tags: ['goods'] });
    const { pending } = cache.invalidate({ tag: 'goods' });
    const loader = heldLoader();
    const reading = cache.getOrLoad('query::page', loader.load, { dependsOn: ['products::2999'] });
    await pending;
    loader.give('new');
    await reading;
    expect(cache.get('query::page')).toBe('new');
  });
});

describe('I2: what a value was made from', () => {
  const part = (options: Parameters<Cache['getOrLoad']>[2] = {}) =>
    cache.getOrLoad('products::1', () => 'part', { dependsOn: ['user::1'], tags: ['goods'], ...options });
  const LEAVING: readonly [string, () => Promise<unknown>][] = [
    [
      'expired',
      async () => {
        await part({ ttlMs: 1_000 });
        clock.advance(2_000);
        cache.get('products::1');
      },
    ],
    ['was not kept', () => part({ when: () => false })],
    [
      'was replaced by one with other tags and dependencies',
      async () => {
        await part();
        await cache.getOrLoad('products::1', () => 'other', { fresh: true, tags: ['other'] });
      },
    ],
    [
      'was superseded while it was loaded',
      async () => {
        const [first, second] = [heldLoader(), heldLoader()];
        const old = cache.getOrLoad('products::1', first.load);
        const forced = cache.getOrLoad('products::1', second.load, { fresh: true });
        first.contexts[0]?.dependsOn('user::1');
        first.contexts[0]?.tag('goods');
        first.give('part');
        await old;
        second.give('other');
        await forced;
      },
    ],
  ];
  const TELLING: readonly [string, boolean][] = [
    ['was told at once', false],
    ['is told late', true],
  ];

  describe.each(LEAVING)('%s before the value is filled,', (_, leave) => {
    describe.each(TELLING)('which %s,', (__, isLate) => {
      const make = () =>
        cache.getOrLoad(
          'query::page',
          async ({ dependsOn }: LoadContext) => {
            await leave();
            await clock.settle();
            if (isLate) dependsOn('products::1');
            return 'page';
          },
          isLate ? {} : { dependsOn: ['products::1'] },
        );

      it.each<InvalidationTarget>(['user::1', { tag: 'goods' }])(
        'takes it along afterwards: %j',
        async (target) => {
          await make();
          expect(cache.get('query::page')).toBe('page');
          cache.invalidate(target);
          expect(cache.has('query::page')).toBe(false);
        },
      );

      it('and takes along what is made from that in turn', async () => {
        await cache.getOrLoad('query::book', make, { dependsOn: ['query::page'] });
        cache.invalidate('user::1');
        expect([cache.has('query::book'), cache.has('query::page')]).toEqual([false, false]);
      });
    });
  });

  it('was invalidated after it had left and before the value is filled: it is not kept', async () => {
    const loader = heldLoader();
    await part({ ttlMs: 1_000 });
    const reading = cache.getOrLoad('query::page', loader.load, { dependsOn: ['products::1'] });
    clock.advance(2_000);
    cache.get('products::1');
    cache.invalidate('user::1');
    const joining = cache.getOrLoad('query::page', () => 'new');
    loader.give('old');
    expect(await Promise.all([reading, joining])).toEqual(['old', 'new']);
  });

  it('may leave more often than is remembered: what proves nothing is not kept', async () => {
    const loader = heldLoader();
    await part({ ttlMs: 1_000 });
    const reading = cache.getOrLoad('query::page', loader.load, { dependsOn: ['products::1'] });
    const other = cache.getOrLoad('query::other', loader.load);
    clock.advance(2_000);
    cache.get('products::1');
    for (let i = 0; i < 6_000; i++) {
      cache.set(`products::x${i}`, 1, { tags: ['x'] });
      cache.set(`products::x${i}`, 2, { tags: ['y'] });
    }
    loader.give('page', 0);
    loader.give('other', 1);
    await Promise.all([reading, other]);
    expect([cache.has('query::page'), cache.has('query::other')]).toEqual([false, true]);
  });

  it('and what it makes of an old value that is unmodified, is kept apart: nothing piles up', async () => {
    for (let i = 0; i < 50; i++) {
      const fresh = { fresh: true };
      await cache.getOrLoad('products::1', tagged(`v${i}`), fresh);
      await cache.getOrLoad(
        'query::page',
        (context) => (i === 0 ? 'page' : (context.notModified() as string)),
        i === 0 ? { ...fresh, dependsOn: ['products::1'] } : fresh,
      );
    }
    expect(cache.inspect('query::page')).toMatchObject({ tags: ['v49'], dependsOn: ['products::1'] });
  });

  it('holds for an unmodified value also when it has left long since', async () => {
    await part({ ttlMs: 1_000 });
    await cache.getOrLoad('query::page', () => 'page', { dependsOn: ['products::1'] });
    clock.advance(2_000);
    cache.get('products::1');
    for (let i = 0; i < 3; i++) {
      await cache.getOrLoad('query::page', ({ notModified }) => notModified(), { fresh: true });
    }
    cache.invalidate('user::1');
    expect(cache.has('query::page')).toBe(false);
  });

  it.each([2, 3, 4])('in a cycle of %i with tags that change does not pile up, and holds', async (length) => {
    const keyAt = (i: number) => `query::${i % length}`;
    for (let i = 0; i < 20 * length; i++) {
      await cache.getOrLoad(keyAt(i), tagged(`tag-${i}`), {
        fresh: true,
        dependsOn: [keyAt(i + 1)],
      });
    }
    const { tags, dependsOn } = cache.inspect(keyAt(0)) ?? { tags: [], dependsOn: [] };
    expect([tags.length, dependsOn.length]).toEqual([length, length]);
    cache.invalidate({ tag: `tag-${20 * length - 1}` });
    expect(cache.stats().total.entries).toBe(0);
  });
});

describe('I2: a value that the author’s functions are asked about', () => {
  const ACTS: readonly [string, () => unknown, unknown][] = [
    ['invalidate', () => cache.invalidate('user::1'), undefined],
    ['set something newer', () => cache.set('user::1', 'written'), 'written'],
    ['clear the cache', () => cache.clear(), undefined],
    ['stop the cache', () => void cache.stop(), undefined],
  ];

  it.each(ACTS)('is not kept when they %s', async (_, act, left) => {
    for (const asked of ['when', 'cost'] as const) {
      ({ cache, clock } = bench());
      const options = {
        [asked]: () => {
          act();
          return 1;
        },
      };
      expect(await cache.getOrLoad('user::1', () => 'loaded', options)).toBe('loaded');
      expect(cache.get('user::1')).toBe(left);
      expect(cache.stats().total.entries).toBe(left === undefined ? 0 : 1);
    }
  });
});
