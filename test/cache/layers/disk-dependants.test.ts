/** Entries that are on disk alone, and depend on what is in memory alone. */
import { describe, expect, it } from 'vitest';
import { never, placeForEach } from './support.ts';

const place = placeForEach();

describe('I2: an entry on disk alone', () => {
  const start = () => place.start({ maxWeightBytes: 2_000_000 });

  /** Fills memory with what is read last, so that what went to disk before is there alone. */
  function fill(cache: ReturnType<typeof start>): void {
    for (let i = 0; i < 5; i++) cache.set(`user::filler-${i}`, 'x'.repeat(450_000));
  }

  it.each([
    ['a tag of it', { tag: 'people' }],
    ['what that depends on', 'user::all'],
    ['a pattern over what that depends on', 'user::al*'],
  ])('goes with what it depends on, which memory lost by %s', (_, target) => {
    const cache = start();
    cache.set('config::d', 'old', { dependsOn: ['user::1'] });
    fill(cache);
    expect(cache.inspect('config::d')).toBeUndefined();
    cache.getOrLoadSync('user::1', () => 1, { tags: ['people'], dependsOn: ['user::all'] });
    expect(place.rows()).toEqual(['config::d']);
    cache.invalidate(target);
    expect(cache.get('config::d')).toBeUndefined();
    expect(place.rows()).toEqual([]);
  });

  it('I12: is not served while what it depends on is still to be swept, and goes with it', async () => {
    const cache = start();
    for (let i = 0; i < 300; i++) cache.set(`config::${i}`, 'old', { dependsOn: [`user::${i * 10}`] });
    cache.set('config::kept', 'there', { dependsOn: ['user::x'] });
    fill(cache);
    cache.delete('user::filler-4');
    cache.invalidate('user::filler-*');
    for (let i = 0; i < 3_000; i++) cache.getOrLoadSync(`user::${i}`, () => i, { tags: ['people'] });
    const { pending } = cache.invalidate({ tag: 'people' });
    for (let i = 299; i >= 0; i -= 10) expect(cache.get(`config::${i}`)).toBeUndefined();
    await pending;
    await place.clock.settle();
    expect(cache.get('config::0')).toBeUndefined();
    expect(place.rows()).toEqual(['config::kept']);
    expect(cache.getOrLoadSync('config::kept', never)).toBe('there');
  });
});
