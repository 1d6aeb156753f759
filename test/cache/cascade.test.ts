/** How invalidations of much reach what depends on it: at once in effect, and in time that grows with what goes. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { InvalidationTarget } from '../../src/cache/keys/target.ts';
import type { HandClock } from '../support/hand-clock.ts';
import { bench, heldLoader } from './support.ts';

let cache: Cache;
let clock: HandClock;
beforeEach(() => {
  ({ cache, clock } = bench({ maxWeightBytes: 1_000_000_000 }));
});

const MANY = 3_000;

/** Each person has a profile, a card made from it, and a banner made from that, filled in an order that hides the way. */
function fillPeople(count: number): void {
  for (let i = 0; i < count; i++) {
    cache.getOrLoadSync(`query::banner-${i}`, () => i, { dependsOn: [`query::card-${i}`] });
    cache.getOrLoadSync(`query::card-${i}`, () => i, { dependsOn: [`user::${i}::profile`] });
    cache.getOrLoadSync(`user::${i}::profile`, () => i, { tags: ['people'], dependsOn: ['config::all'] });
  }
}

describe.each<[InvalidationTarget]>([['user::*'], [{ tag: 'people' }], ['config::all']])(
  'I2, I12: %j of many with dependants of their own',
  (target) => {
    it('covers all of it at once, in whatever order it is asked for', async () => {
      fillPeople(MANY);
      const { pending } = cache.invalidate(target);
      for (let i = MANY - 1; i >= 0; i -= 7) expect(cache.has(`query::banner-${i}`)).toBe(false);
      for (let i = 0; i < MANY; i += 5) {
        expect(cache.get(`user::${i}::profile`)).toBeUndefined();
        expect(cache.get(`query::banner-${i}`)).toBeUndefined();
        expect(cache.get(`query::card-${i}`)).toBeUndefined();
      }
      expect(await pending).toMatchObject({ entries: 3 * MANY });
      expect(cache.stats().total).toMatchObject({ entries: 0, weightBytes: 0 });
    });

    it('covers what depends on an entry that leaves before the sweep comes to it', async () => {
      fillPeople(MANY);
      const { pending } = cache.invalidate(target);
      const last = MANY - 1;
      // Written, replaced by a load, and removed: what was made from the old one stays covered.
      cache.set(`query::card-${last}`, 'new');
      cache.getOrLoadSync(`query::card-${last - 1}`, () => 'new', { fresh: true });
      cache.invalidate(`query::card-${last - 2}`);
      for (let i = last - 2; i <= last; i++) expect(cache.has(`query::banner-${i}`)).toBe(false);
      await pending;
      expect(cache.keys('', 10)).toEqual([`query::card-${last - 1}`, `query::card-${last}`].sort());
    });

    it('covers what comes between two of them', async () => {
      fillPeople(MANY);
      cache.invalidate(target);
      const last = MANY - 1;
      cache.getOrLoadSync(`user::${last}::profile`, () => 1, {
        tags: ['people'],
        dependsOn: ['config::all'],
      });
      cache.getOrLoadSync('query::between', () => 'old', { dependsOn: [`user::${last}::profile`] });
      const { pending } = cache.invalidate(target);
      expect(cache.has('query::between')).toBe(false);
      await pending;
      await clock.settle();
      expect(cache.stats().total.entries).toBe(0);
    });

    it('leaves what is filled after it', async () => {
      fillPeople(MANY);
      const { pending } = cache.invalidate(target);
      for (const i of [0, MANY - 1]) {
        cache.getOrLoadSync(`user::${i}::profile`, () => 'new', { dependsOn: ['config::all'] });
        cache.getOrLoadSync(`query::card-${i}`, () => 'new', { dependsOn: [`user::${i}::profile`] });
      }
      await pending;
      expect(cache.stats().total.entries).toBe(4);
    });
  },
);

describe('I12: work grows with what is removed', () => {
  /** Looks at the machine's clock, since it is about the machine's time; four times as much may take ten times as long. */
  function msFor(work: () => void): number {
    const beganAt = performance.now();
    work();
    return performance.now() - beganAt;
  }

  it('where what is removed has dependants', async () => {
    const msOf = async (count: number) => {
      ({ cache, clock } = bench({ maxWeightBytes: 1_000_000_000 }));
      fillPeople(count);
      const beganAt = performance.now();
      await cache.invalidate('user::*').pending;
      return performance.now() - beganAt;
    };
    await msOf(MANY);
    const few = await msOf(MANY);
    expect(await msOf(4 * MANY)).toBeLessThan(20 * few + 200);
  });

  it('however many loads are in flight', async () => {
    const loader = heldLoader();
    for (let i = 0; i < 900; i++) cache.set(`products::${i}`, 1, { tags: ['goods'] });
    for (let i = 0; i < 900; i++) cache.set(`query::${i}`, 1, { dependsOn: [`products::${i}`] });
    const reads = Array.from({ length: 5_000 }, (_, i) =>
      cache.getOrLoad(`user::${i}`, loader.load, { dependsOn: [`config::${i}`] }),
    );
    expect(msFor(() => cache.invalidate({ tag: 'goods' }))).toBeLessThan(500);
    for (let i = 0; i < 5_000; i++) loader.give(i, i);
    await Promise.all(reads);
  });
});
