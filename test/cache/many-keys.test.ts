/** Very many keys at once: exact, and in slices where the call is awaited (I12). */
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { forget } from '../../src/forget.ts';
import type { Logger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';
import { bench, heldLoader } from './support.ts';

/** More than a call takes arguments. */
const VERY_MANY = 150_000;
const keysOf = (count: number) => Array.from({ length: count }, (_, i) => `user::${i}`);

/** A clock on which every look takes a millisecond, so that slices end. */
function slowClock() {
  const clock = handClock();
  let looks = 0;
  return { ...clock, precise: () => ++looks, yieldsSoFar: () => clock.yields };
}

function listening(): { readonly logger: Logger; readonly said: string[] } {
  const said: string[] = [];
  const note = (text: string) => void said.push(text);
  return { said, logger: { debug: () => undefined, info: () => undefined, warn: note, error: note } };
}

describe('getOrLoadMany', () => {
  it('works in slices, with one load, and gives the values in the order of the keys', async () => {
    const clock = slowClock();
    const { cache } = bench({ clock });
    const keys = keysOf(5_000);
    cache.set('user::7', 'kept');
    let loads = 0;
    const found = await cache.getOrLoadMany([...keys, 'user::3'], async (missing) => {
      loads++;
      return new Map(missing.map((key) => [key, `${key}!`]));
    });
    expect(loads).toBe(1);
    expect([...found.keys()]).toEqual(keys);
    expect(found.get('user::7')).toBe('kept');
    expect(found.get('user::4999')).toBe('user::4999!');
    expect(clock.yieldsSoFar()).toBeGreaterThan(50);
    expect(cache.stats().total).toMatchObject({ hits: 1, misses: 4_999, fills: 4_999 });
  });

  it('looks up a few keys and begins their load before anything is awaited', () => {
    const { cache } = bench();
    let asked: readonly string[] = [];
    void cache.getOrLoadMany(keysOf(50), (missing) => {
      asked = [...missing];
      return new Map();
    });
    expect(asked).toHaveLength(50);
  });

  it('keeps nothing that is invalidated between two slices (I2)', async () => {
    const clock = slowClock();
    const { cache } = bench({ clock });
    const reading = cache.getOrLoadMany(
      keysOf(2_000),
      async (missing) => new Map(missing.map((key) => [key, 'old'])),
    );
    while (cache.stats().loading < 500) await clock.yield();
    cache.invalidate('user::*');
    expect((await reading).size).toBe(2_000);
    const kept = keysOf(2_000).filter((key) => cache.has(key));
    // What was looked up after the invalidation was loaded after it.
    expect(kept).not.toContain('user::0');
    expect(kept).toContain('user::1999');
    expect(cache.stats().loading).toBe(0);
  });

  it('rejects with the error of the load, and with that of a load it has joined, without one that nobody hears', async () => {
    const clock = slowClock();
    const { cache } = bench({ clock });
    const failing = heldLoader();
    cache.getOrLoad('user::1', failing.load).catch(() => undefined);
    const load = async (missing: readonly string[]) => new Map(missing.map((key) => [key, 1]));
    const reading = cache.getOrLoadMany(keysOf(1_000), load);
    while (cache.stats().loading < 500) await clock.yield();
    failing.fail(new Error('down'));
    await expect(reading).rejects.toThrow('down');
    await expect(
      cache.getOrLoadMany(keysOf(2_000), async () => {
        throw new Error('all down');
      }),
    ).rejects.toThrow('all down');
    expect(cache.stats().loading).toBe(0);
  });
});

describe('a mutation that names very many keys', () => {
  it.each(['synchronous', 'awaited'])('invalidates exactly these (%s)', async (kind) => {
    const { said, logger } = listening();
    const { cache, clock } = bench({ logger });
    const keys = keysOf(VERY_MANY);
    for (const key of ['user::0', `user::${VERY_MANY - 1}`, 'config::bystander']) cache.set(key, 1);
    const forgetAll =
      kind === 'awaited'
        ? invalidates(
            cache,
            async () => 'done',
            () => keys,
            { logger },
          )
        : invalidates(
            cache,
            () => 'done',
            () => keys,
            { logger },
          );
    expect(await forgetAll()).toBe('done');
    expect(cache.stats().total.entries).toBe(1);
    expect(cache.has('config::bystander')).toBe(true);
    expect(said).toEqual([]);
    if (kind === 'awaited') expect(clock.yields).toBeGreaterThan(100);
  });

  it('has invalidated all of them when its promise resolves, and clears everything where one is no key (I7)', async () => {
    const { said, logger } = listening();
    const { cache } = bench({ logger });
    cache.set('user::2999', 1);
    cache.set('config::bystander', 1);
    const targets = [...keysOf(3_000), 'user::2999::\u0000'];
    await invalidates(
      cache,
      async () => 1,
      () => [...targets.slice(0, 3_000)],
      { logger },
    )();
    expect(cache.has('user::2999')).toBe(false);
    await invalidates(
      cache,
      async () => 1,
      () => [...targets.slice(0, 3_000), ''],
      { logger },
    )();
    expect(cache.has('config::bystander')).toBe(false);
    expect(said).toHaveLength(1);
  });
});

describe('very many keys elsewhere', () => {
  it('are invalidated by a transaction that touches them, one by one or by a mutation within', () => {
    const { said, logger } = listening();
    const { cache } = bench({ logger });
    const db = new Database(':memory:');
    const sql = sqliteCache(db, cache, { logger });
    const keys = keysOf(VERY_MANY);
    const touch = invalidates(
      sql.cache,
      () => 1,
      () => keys,
      { logger },
    );
    for (const work of [() => void touch(), () => keys.forEach((key) => void sql.cache.invalidate(key))]) {
      cache.set('user::149999', 1);
      cache.set('config::bystander', 1);
      sql.transaction(work)();
      expect(cache.has('user::149999')).toBe(false);
      expect(cache.has('config::bystander')).toBe(true);
    }
    expect(said).toEqual([]);
    db.close();
  });

  it('may be named beside a guild that is forgotten', async () => {
    const { cache } = bench();
    const members = keysOf(VERY_MANY);
    cache.set('user::149999', 1);
    cache.set('guild::42::settings', 1);
    cache.set('config::bystander', 1);
    const receipt = await forget(cache, 'guild', '42', members);
    expect(receipt).toMatchObject({ entries: 2, isUnfinished: false });
    expect(cache.stats().total.entries).toBe(1);
  });

  it('may be tags and dependencies of one read', async () => {
    const { cache } = bench({ maxWeightBytes: 100_000_000 });
    const tags = keysOf(VERY_MANY).map((key) => `tag:${key}`);
    await cache.getOrLoad('query::many', () => 1, { tags, dependsOn: keysOf(1_000) });
    expect(cache.has('query::many')).toBe(true);
    cache.invalidate({ tag: 'tag:user::149999' });
    expect(cache.has('query::many')).toBe(false);
  });
});
