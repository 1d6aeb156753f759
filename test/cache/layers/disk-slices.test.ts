/** Work on the file ends its turn of the loop by the clock, however much there is of it and however long a row takes. */
import { describe, expect, it, vi } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import type { Clock } from '../../../src/cache/clock.ts';
import { diskOf, INTERVAL_MS, placeForEach } from './support.ts';

const place = placeForEach();

/** A clock by which each reading takes so long, as if each row did. */
function ticking(msAReading: number): Clock {
  const { clock } = place;
  let readings = 0;
  return Object.assign(Object.create(clock) as Clock, {
    precise: () => clock.precise() + ++readings * msAReading,
  });
}

function fill(cache: Cache, namespace: 'config' | 'products' | 'query', count: number): string[] {
  const keys = Array.from({ length: count }, (_, i) => `${namespace}::${i}`);
  for (const key of keys) cache.set(key, key);
  return keys;
}

const loaded = (cache: Cache, key: string) => cache.getOrLoadSync(key, () => 'loaded', { persist: 'memory' });

describe('I12: writing many entries', () => {
  it('ends a slice once its time is used, and goes on in the next', async () => {
    const cache = place.start({ clock: ticking(0.1) });
    fill(cache, 'products', 1_000);
    const persisted = cache.persist();
    const atOnce = place.rows().length;
    expect(atOnce).toBeGreaterThan(0);
    expect(atOnce).toBeLessThan(30);
    await persisted;
    expect(place.rows()).toHaveLength(1_000);
    expect(place.clock.yields).toBeGreaterThan(30);
  });

  it('writes one at least, however long it takes', async () => {
    const cache = place.start({ clock: ticking(1_000) });
    fill(cache, 'products', 5);
    await cache.persist();
    expect(place.rows()).toHaveLength(5);
  });

  it('writes what is set, replaced and removed meanwhile as it is then', async () => {
    const cache = place.start({ clock: ticking(0.1) });
    fill(cache, 'products', 300);
    const persisted = cache.persist();
    cache.set('products::new', 'new');
    cache.set('products::299', 'newer');
    cache.set('products::0', 'newer');
    cache.invalidate('products::298');
    await persisted;
    place.kill(cache);
    const next = place.start();
    for (const key of ['new', '299', '0'])
      expect(loaded(next, `products::${key}`)).toBe(key === 'new' ? 'new' : 'newer');
    expect(loaded(next, 'products::298')).toBe('loaded');
    expect(loaded(next, 'products::150')).toBe('products::150');
  });

  it('at the end stops when its time is over, and says how many it has not written', async () => {
    const cache = place.start({ clock: ticking(1) });
    fill(cache, 'products', 1_500);
    fill(cache, 'query', 1_500);
    await cache.stop();
    const written = place.rows().length;
    expect(written).toBeGreaterThan(100);
    expect(written).toBeLessThan(3_000);
    expect(place.said).toEqual([`${3_000 - written} entries could not be written to disk within 2 s.`]);
  });

  it('at the end says so where the file takes none', async () => {
    const cache = place.start();
    fill(cache, 'query', 3);
    place.connect().exec('BEGIN IMMEDIATE');
    await cache.stop();
    expect(place.said).toContain(
      '3 entries could not be written to disk since the file takes nothing at the moment.',
    );
  });
});

describe('I12: a value that would take long to encode', () => {
  it.each([
    ['text', 'x'.repeat(300_000)],
    ['large rows', Array.from({ length: 3_000 }, (_, id) => ({ id, text: 'x'.repeat(100) }))],
    ['small objects by the thousand', Array.from({ length: 10_000 }, (_, id) => ({ id, from: id, to: id }))],
  ])('stays in memory alone, and is counted: %s', (_, value) => {
    const cache = place.start();
    cache.set('config::a', 'small');
    cache.set('config::a', value);
    expect(cache.get('config::a')).toEqual(value);
    expect(place.rows()).toEqual([]);
    expect(diskOf(cache)).toMatchObject({ refused: 1, failures: 0 });
  });

  it('is not when it is of a common size', () => {
    const cache = place.start();
    cache.set('config::a', 'x'.repeat(200_000));
    cache.set(
      'config::b',
      Array.from({ length: 1_000 }, (_, id) => ({ id, text: 'x'.repeat(100) })),
    );
    expect(place.rows()).toEqual(['config::a', 'config::b']);
  });
});

describe('I12: a preview of many rows', () => {
  it.each([
    ['that nothing depends on', 0],
    ['some of which depend on something', 1],
  ])(
    '%s looks at few of them a turn, and collects no long table that V8 would move at once',
    async (_, dependants) => {
      const cache = place.start({ clock: ticking(0.05) });
      for (let i = 0; i < dependants; i++) cache.set('config::d', 1, { dependsOn: ['config::z'] });
      place.connect().exec(`
      WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
      INSERT INTO cache_storage (namespace, key, value, metadata, created_at, updated_at, checksum)
      SELECT 'config', 'config::' || i, '1', '{"tier":"config"}', 1, 1, 0 FROM n`);
      let longest = 0;
      const { add } = Set.prototype;
      const { set } = Map.prototype;
      const watched = <T extends { readonly size: number }>(table: T): T => {
        longest = Math.max(longest, table.size);
        return table;
      };
      const spies = [
        vi.spyOn(Set.prototype, 'add').mockImplementation(function (this: Set<unknown>, value) {
          return watched(add.call(this, value));
        }),
        vi.spyOn(Map.prototype, 'set').mockImplementation(function (this: Map<unknown, unknown>, key, value) {
          return watched(set.call(this, key, value));
        }),
      ];
      const before = place.clock.yields;
      const { stored } = await cache.preview('config::*').finally(() => {
        for (const spy of spies) spy.mockRestore();
      });
      expect(stored).toBe(20_000 + dependants);
      expect(longest).toBeLessThan(5_000);
      // It looks at the clock every 64 rows.
      expect(place.clock.yields - before).toBeGreaterThan(5);
    },
  );
});

describe('I2, I12: removing many rows', () => {
  it('by many invalidations in one turn of the loop takes the time of one, and the rest is left to sweeps', async () => {
    const cache = place.start();
    const keys = fill(cache, 'config', 600);
    await cache.stop();
    const next = place.start();
    for (let i = 0; i < 200; i++) next.invalidate(`config::${i}*`);
    expect(place.rows().length).toBeGreaterThanOrEqual(500);
    for (const key of keys) expect(loaded(next, key)).toBe('loaded');
    // The next turn may remove as much again.
    await place.clock.settle();
    expect(place.rows()).toEqual([]);
    next.set('config::new', 1);
    next.invalidate('config::n*');
    expect(place.rows()).toEqual([]);
  });

  it('by many invalidations in one turn outlives the process that did not come to it', async () => {
    const cache = place.start();
    const keys = fill(cache, 'config', 300);
    await cache.stop();
    const next = place.start({ clock: ticking(0.1) });
    for (let i = 0; i < 300; i++) next.invalidate(`config::${i}`);
    place.kill(next);
    expect(place.rows().length).toBeGreaterThan(250);
    const last = place.start();
    for (const key of keys) expect(loaded(last, key)).toBe('loaded');
    // One step for each that was written down.
    for (let turns = 0; turns < 20 && place.rows().length > 0; turns++) await place.clock.settle();
    expect(place.rows()).toEqual([]);
  });

  it('is left to a sweep once the time is used that it may take at once', async () => {
    const cache = place.start();
    const keys = fill(cache, 'config', 60);
    await cache.stop();
    const next = place.start({ clock: ticking(0.1) });
    next.invalidate('config::*');
    expect(place.rows()).toHaveLength(60);
    for (const key of keys) expect(loaded(next, key)).toBe('loaded');
    await place.clock.settle();
    expect(place.rows()).toEqual([]);
    expect(place.clock.yields).toBeGreaterThan(3);
  });

  it('of one invalidation of many keys is written down as one, and done by the next process', async () => {
    const cache = place.start();
    const keys = fill(cache, 'config', 500);
    cache.set('config::dependent', 1, { dependsOn: ['config::499'] });
    cache.invalidate(...keys.slice(1), { tag: 'none' });
    expect(place.rows().length).toBeGreaterThan(300);
    place.kill(cache);

    const next = place.start();
    for (const key of keys.slice(1)) expect(loaded(next, key)).toBe('loaded');
    expect(loaded(next, 'config::dependent')).toBe('loaded');
    expect(loaded(next, 'config::0')).toBe('config::0');
    await place.clock.settle();
    expect(place.rows()).toEqual(['config::0']);
  });

  it('holds up no stop: the next process goes on with it', async () => {
    const cache = place.start();
    fill(cache, 'config', 1_000);
    cache.clear();
    await cache.stop();
    expect(place.rows().length).toBeGreaterThan(500);

    const next = place.start();
    expect(loaded(next, 'config::999')).toBe('loaded');
    for (let turns = 0; turns < 5 && place.rows().length > 0; turns++) await place.clock.settle();
    expect(place.rows()).toEqual([]);
  });

  it('of what has expired ends, too, and leaves the rest', async () => {
    const cache = place.start();
    for (let i = 0; i < 300; i++) cache.set(`config::${i}`, i, { ttlMs: INTERVAL_MS / 2 });
    cache.set('config::last', 1, { ttlMs: 10 * INTERVAL_MS });
    await place.clock.advanceAsync(INTERVAL_MS);
    expect(place.rows()).toEqual(['config::last']);
    expect(diskOf(cache)).toMatchObject({ state: 'ready', entries: 1 });
  });
});
