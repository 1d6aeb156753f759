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

const KEY = 'user::42::profile';

describe('I2: links that a loader learns late', () => {
  const LEARN: readonly [string, InvalidationTarget, (context: LoadContext) => void][] = [
    ['tag', { tag: 'late' }, ({ tag }) => tag('other', 'late')],
    ['dependency', 'config::late', ({ dependsOn }) => dependsOn('config::late')],
    ['dependency under a pattern', 'config::*', ({ dependsOn }) => dependsOn('config::late')],
  ];

  describe.each(LEARN)('%s', (_, target, learn) => {
    it('voids the load when it was invalidated before it was learnt', async () => {
      const loader = heldLoader();
      const read = cache.getOrLoad(KEY, loader.load);
      cache.invalidate(target);
      learn(loader.contexts[0] as LoadContext);
      loader.give('old');
      expect(await read).toBe('old');
      expect(cache.has(KEY)).toBe(false);
    });

    it('a caller who joined after the invalidation gets a load of his own', async () => {
      const loader = heldLoader();
      const before = cache.getOrLoad(KEY, loader.load);
      cache.invalidate(target);
      const after = cache.getOrLoad(KEY, loader.load);
      learn(loader.contexts[0] as LoadContext);
      loader.give('old', 0);
      expect(await before).toBe('old');
      await clock.settle();
      loader.give('new');
      expect(await after).toBe('new');
      expect(cache.get(KEY)).toBe('new');
    });

    it.each<[string, () => unknown]>([
      ['invalidated again', () => cache.invalidate(target)],
      ['invalidated by its key', () => cache.invalidate(KEY)],
      ['written', () => cache.set(KEY, 'written', { ttlMs: 0 })],
      ['cleared', () => cache.clear()],
      [
        'loaded afresh in vain',
        () =>
          cache
            .getOrLoad(KEY, () => Promise.reject(new Error('down')), { fresh: true })
            .catch(() => undefined),
      ],
    ])('so does a caller who joined between two of them, the second when it was %s', async (__, second) => {
      const loader = heldLoader();
      const before = cache.getOrLoad(KEY, loader.load);
      cache.invalidate(target);
      const between = cache.getOrLoad(KEY, loader.load);
      await second();
      learn(loader.contexts[0] as LoadContext);
      loader.give('old', 0);
      expect(await before).toBe('old');
      await clock.settle();
      expect(loader.calls).toBe(2);
      loader.give('new');
      expect(await between).toBe('new');
    });

    it('keeps the load when nothing it learnt was invalidated since it began', async () => {
      cache.invalidate(target);
      const loader = heldLoader();
      const read = cache.getOrLoad(KEY, loader.load);
      cache.invalidate('products::*', { tag: 'goods' });
      learn(loader.contexts[0] as LoadContext);
      loader.give('value');
      await read;
      expect(cache.get(KEY)).toBe('value');
    });

    it('is honoured after the fill, too', async () => {
      await cache.getOrLoad(KEY, (context) => {
        learn(context);
        return 'value';
      });
      expect(cache.invalidate(target)).toMatchObject({ entries: 1, loads: 0 });
      expect(cache.has(KEY)).toBe(false);
    });
  });

  it('are checked even after more invalidations than are remembered', async () => {
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    cache.invalidate({ tag: 'late' });
    for (let i = 0; i < 5_000; i++) cache.invalidate({ tag: `t${i}` });
    loader.contexts[0]?.tag('late');
    loader.give('old');
    await read;
    expect(cache.has(KEY)).toBe(false);
  });

  it('are closed once the load has ended: what a loader says later reaches nothing', async () => {
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load, { tags: ['early'] });
    loader.give('value');
    await read;
    loader.contexts[0]?.tag('too late');
    expect(cache.inspect(KEY)?.tags).toEqual(['early']);
    expect(cache.invalidate({ tag: 'too late' }).entries).toBe(0);
  });
});
