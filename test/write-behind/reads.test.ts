/** What reads see of a write from its acknowledgement on: what is not saved yet wins over what the source still says. */
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { silentLogger } from '../../src/logger.ts';
import { bench, source } from './support.ts';

const KEY = 'user::1::name';

/** A writer whose source still says the old value, and reads that ask that source. */
async function pending() {
  const made = bench();
  const shop = source<string>();
  shop.values.set(KEY, 'old');
  let asked = 0;
  const load = () => {
    asked++;
    return shop.values.get(KEY) ?? null;
  };
  const write = made.behind.writeBehind('names', shop.save, { invalidates: () => ['query::names'] });
  return { ...made, shop, load, write, asked: () => asked };
}

describe('a read of what is not saved yet', () => {
  it('sees it at once, whatever was there before', async () => {
    const { cache, write, load } = await pending();
    expect(await cache.getOrLoad(KEY, load)).toBe('old');
    write.sync(KEY, 'new');
    expect(cache.get(KEY)).toBe('new');
    expect(await cache.getOrLoad(KEY, load)).toBe('new');
    expect(write.pending(KEY)).toEqual({ state: 'hit', value: 'new' });
  });

  it.each([
    ['invalidated', (cache) => void cache.invalidate(KEY)],
    ['cleared', (cache) => void cache.clear()],
    [
      'evicted',
      (cache) =>
        void cache.setMany(Array.from({ length: 400 }, (_, i) => [`query::${i}`, 'x'.repeat(40_000)])),
    ],
  ] satisfies [string, (cache: ReturnType<typeof bench>['cache']) => void][])(
    'sees it when the entry was %s meanwhile',
    async (_, remove) => {
      const { cache, write, load, asked } = await pending();
      write.sync(KEY, 'new');
      remove(cache);
      expect(cache.has(KEY)).toBe(false);
      expect(cache.lookup(KEY)).toEqual({ state: 'hit', value: 'new' });
      expect(cache.get(KEY)).toBe('new');
      expect([...cache.getMany([KEY, 'user::2::name'])]).toEqual([[KEY, 'new']]);
      expect(cache.getOrLoadSync(KEY, load)).toBe('new');
      expect(await cache.getOrLoad(KEY, load)).toBe('new');
      expect(await cache.getOrLoad(KEY, load, { fresh: true })).toBe('new');
      const many = await cache.getOrLoadMany(
        [KEY, 'user::2::name'],
        (keys) => new Map(keys.map((key) => [key, 'loaded'])),
      );
      expect([...many]).toEqual([
        [KEY, 'new'],
        ['user::2::name', 'loaded'],
      ]);
      expect(asked()).toBe(0);
    },
  );

  it('sees it when the entry has expired meanwhile', async () => {
    const { cache, write, load, clock, shop } = await pending();
    shop.failWith(() => new Error('down'));
    write.sync(KEY, 'new');
    await clock.advanceAsync(120_000);
    expect(cache.has(KEY)).toBe(false);
    expect(await cache.getOrLoad(KEY, load)).toBe('new');
  });

  it('sees it through wrapped methods, which need not know of it', async () => {
    const { cache, write, load } = await pending();
    const nameOf = cachedSync(cache, (_: string) => load(), { key: 'user::{0}::name' });
    write.sync(KEY, 'new');
    cache.clear();
    expect(nameOf('1')).toBe('new');
  });

  it('sees it within a transaction of the source, too', async () => {
    const { cache, write, load } = await pending();
    const db = new Database(':memory:');
    onTestFinished(() => void db.close());
    const sql = sqliteCache(db, cache, { logger: silentLogger });
    write.sync(KEY, 'new');
    cache.clear();
    const read = sql.transaction(() => sql.cache.getOrLoadSync(KEY, load));
    expect(read()).toBe('new');
    const readMany = () => sql.cache.getOrLoadMany([KEY], () => new Map([[KEY, 'old']]));
    db.exec('BEGIN');
    expect((await readMany()).get(KEY)).toBe('new');
    db.exec('COMMIT');
  });

  it('sees it where the stale value is served while it is loaded anew', async () => {
    const { cache, write, load, clock, shop, asked } = await pending();
    const options = { staleWhileRevalidateMs: 600_000 };
    await cache.getOrLoad(KEY, load, options);
    shop.failWith(() => new Error('down'));
    write.sync(KEY, 'new');
    for (let reads = 0; reads < 3; reads++) {
      await clock.advanceAsync(70_000);
      expect(await cache.getOrLoad(KEY, load, options)).toBe('new');
    }
    expect(asked()).toBe(1);
  });

  it('sees the last of several', async () => {
    const { cache, write, load } = await pending();
    for (const name of ['a', 'b', 'c']) write.sync(KEY, name);
    cache.invalidate(KEY);
    expect(cache.getOrLoadSync(KEY, load)).toBe('c');
  });

  it('is not spoilt by a load that began before the write', async () => {
    const { cache, write, load } = await pending();
    const { promise, resolve } = Promise.withResolvers<string>();
    const before = cache.getOrLoad(KEY, () => promise);
    write.sync(KEY, 'new');
    resolve('old');
    expect(await before).toBe('old');
    expect(await cache.getOrLoad(KEY, load)).toBe('new');
  });

  it('works with the cache turned off', async () => {
    const { behind, cache } = bench(undefined, { cacheOptions: { enabled: false } });
    behind.writeBehind('names', source().save).sync(KEY, 'new');
    expect(cache.getOrLoadSync(KEY, () => 'old')).toBe('new');
  });
});

describe('once it is saved', () => {
  it('the source is asked again, and what shows the value is invalidated with it', async () => {
    const { cache, write, load, clock, asked } = await pending();
    cache.set('query::names', ['old']);
    write.sync(KEY, 'new');
    expect(cache.has('query::names')).toBe(true);
    await clock.advanceAsync(100);
    expect(cache.has('query::names')).toBe(false);
    expect(write.pending(KEY)).toEqual({ state: 'miss' });
    expect(await cache.getOrLoad(KEY, load)).toBe('new');
    expect(asked()).toBe(1);
  });

  it('a load that began before the end of the save fills nothing', async () => {
    const { cache, write, clock } = await pending();
    write.sync(KEY, 'new');
    cache.set('user::2::name', 'x', { dependsOn: [KEY] });
    await clock.advanceAsync(100);
    expect(cache.has('user::2::name')).toBe(false);
  });

  it('a newer write to the key goes on being seen', async () => {
    const { cache, write, load, clock, shop } = await pending();
    write.sync(KEY, 'first');
    shop.hold();
    await clock.advanceAsync(100);
    write.sync(KEY, 'second');
    shop.release();
    await clock.settle();
    expect(shop.values.get(KEY)).toBe('first');
    cache.clear();
    expect(cache.getOrLoadSync(KEY, load)).toBe('second');
  });
});

describe('what can never be saved', () => {
  it('is not seen any more: reads see what the source says', async () => {
    const { behind, cache, clock } = bench();
    const shop = source<string>();
    shop.values.set(KEY, 'old');
    shop.failWith(() => new Error('constraint'));
    behind.writeBehind('names', shop.save, { maxAttempts: 1 }).sync(KEY, 'new');
    await clock.advanceAsync(100);
    expect(cache.getOrLoadSync(KEY, () => shop.values.get(KEY))).toBe('old');
    behind.retry('all');
    expect(cache.get(KEY)).toBe('new');
  });
});
