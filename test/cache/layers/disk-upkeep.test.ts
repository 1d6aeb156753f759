/** What is written behind, removed for age or outdated: that it ends, and leaves no older value behind. */
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import { tierOf } from '../support.ts';
import { feedOf, INTERVAL_MS, placeForEach } from './support.ts';

const place = placeForEach();

const CLASS_INSTANCE = new (class Person {})();

describe('a newer value that is never written', () => {
  const tiers = [
    tierOf('user', ['user'], {
      persist: 'periodic',
      ttlMs: 60 * INTERVAL_MS,
      negativeTtlMs: INTERVAL_MS / 3,
    }),
    tierOf('query', ['query'], { persist: 'memory' }),
  ];
  const reload = (cache: Cache, value: unknown, ttlMs?: number) =>
    cache.getOrLoadSync('user::a', () => value, { fresh: true, ...(ttlMs !== undefined && { ttlMs }) });
  const crowdOut = (cache: Cache) => {
    for (let i = 0; i < 1_000; i++) cache.set(`query::${i}`, 'x'.repeat(100));
    expect(cache.inspect('user::a')).toBeUndefined();
  };

  it.each([
    ['it has expired by then', (cache: Cache) => void reload(cache, null)],
    [
      'it was evicted',
      (cache: Cache) => {
        reload(cache, 'new');
        crowdOut(cache);
      },
    ],
    ['the disk does not keep its kind', (cache: Cache) => void reload(cache, 'x'.repeat(30_000))],
    ['memory does not keep its kind', (cache: Cache) => void reload(cache, CLASS_INSTANCE)],
    [
      'one that is not to be written has come after it',
      (cache: Cache) => {
        reload(cache, 'new');
        cache.getOrLoadSync('user::a', () => 'newer', { fresh: true, persist: 'memory' });
        crowdOut(cache);
      },
    ],
  ])('since %s does not give way to an older one on disk, now or after a restart', async (_, replace) => {
    for (const isStopped of [false, true]) {
      const cache = place.start({
        tiers,
        maxWeightBytes: 50_000,
        disk: { path: place.path, maxBytes: 100_000 },
      });
      reload(cache, 'old');
      await cache.persist();
      expect(place.rows()).toEqual(['user::a']);
      replace(cache);
      if (!isStopped) await place.clock.advanceAsync(2 * INTERVAL_MS);
      else place.clock.advance(INTERVAL_MS / 2);
      expect(cache.get('user::a')).not.toBe('old');
      await cache.stop();
      const next = place.start({ tiers });
      expect(next.get('user::a')).not.toBe('old');
      next.clear();
      await next.stop();
    }
  });
});

describe('a newer value that is set, and not written down,', () => {
  const tiers = [
    tierOf('user', ['user'], { persist: 'on_change' }),
    tierOf('query', ['query'], { persist: 'memory' }),
  ];

  it.each([
    ['since memory does not keep its kind', (cache: Cache) => void cache.set('user::a', CLASS_INSTANCE)],
    ['since it has no ttl', (cache: Cache) => void cache.set('user::a', 'new', { ttlMs: 0 })],
    [
      'since it was saved by its author',
      (cache: Cache) => void cache.writeSync('user::a', CLASS_INSTANCE, () => {}),
    ],
    [
      'since it is held in memory alone, and was evicted',
      (cache: Cache) => {
        cache.set('user::a', 'new', { persist: 'memory' });
        for (let i = 0; i < 1_000; i++) cache.set(`query::${i}`, 'x'.repeat(100));
        expect(cache.inspect('user::a')).toBeUndefined();
      },
    ],
  ])(
    'I7: %s, does not give way to an older one on disk, of this process or an earlier one',
    async (_, replace) => {
      for (const isRestarted of [false, true]) {
        let cache = place.start({ tiers, maxWeightBytes: 50_000 });
        cache.set('user::a', 'old');
        if (isRestarted) {
          await cache.stop();
          cache = place.start({ tiers, maxWeightBytes: 50_000 });
        }
        replace(cache);
        expect(cache.get('user::a')).toBeUndefined();
        await place.clock.advanceAsync(2 * INTERVAL_MS);
        expect(cache.get('user::a')).toBeUndefined();
        expect(place.rows()).toEqual([]);
        await cache.stop();
      }
    },
  );
});

/** What a flush, and what comes of it, may take: turns of the event loop. */
async function endsWithin(turns: number, work: Promise<unknown>): Promise<boolean> {
  let hasEnded = false;
  const done = work.then(() => {
    hasEnded = true;
  });
  for (let turn = 0; turn < turns && !hasEnded; turn++) await place.clock.yield();
  if (hasEnded) await done;
  return hasEnded;
}

it('a newer value that comes while others are written is not lost with them', async () => {
  let isFailing = false;
  const open = (path: string) => {
    const db = new Database(path);
    const exec = db.exec.bind(db);
    return Object.assign(db, {
      exec: (sql: string) => {
        if (sql === 'COMMIT' && isFailing) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
        return exec(sql);
      },
    });
  };
  const cache = place.start({ disk: { path: place.path, open } }, null);
  cache.set('config::b', 'old');
  let isChanging = false;
  const drain = () => {
    if (!isChanging) return true;
    isChanging = false;
    cache.getOrLoadSync('config::b', () => 'new', { fresh: true });
    return true;
  };
  cache.provenBy(feedOf({ drain }));
  isFailing = true;
  isChanging = true;
  cache.getOrLoadSync('config::a', () => 1);
  isFailing = false;
  expect(isChanging).toBe(false);
  await place.clock.advanceAsync(INTERVAL_MS);
  await cache.stop();
  expect(place.start().get('config::b')).toBe('new');
});

it('I2: very many keys that are invalidated while others are written are gone all the same', async () => {
  const cache = place.start({}, null);
  cache.set('config::a', 'old');
  let covered: string[] | undefined = Array.from({ length: 110_000 }, (_, i) => `config::${i}`);
  const drain = () => {
    const targets = covered;
    covered = undefined;
    if (targets !== undefined) cache.invalidate('config::a', ...targets);
    return true;
  };
  cache.provenBy(feedOf({ drain }));
  expect(cache.get('config::a')).toBeUndefined();
  expect(cache.stats().disk).toMatchObject({ problem: undefined });
  expect(place.rows()).toEqual([]);
});

describe('a flush', () => {
  const fill = (cache: Cache, count: number) => {
    for (let i = 0; i < count; i++) cache.set(`products::${i}`, i);
  };

  it('ends when everything is cleared meanwhile, and what comes then is written', async () => {
    const cache = place.start();
    fill(cache, 1_000);
    const persisted = cache.persist();
    cache.clear();
    cache.set('products::new', 1);
    expect(await endsWithin(100, persisted)).toBe(true);
    expect(place.rows()).toContain('products::new');
  });

  it('ends though something is set, or set out of date, in each turn of the loop', async () => {
    const cache = place.start();
    cache.set('products::first', 1);
    let turn = 0;
    const bot = { isOver: false };
    const goOn = () => {
      if (bot.isOver) return;
      cache.set(`products::${turn++}`, 1);
      cache.getOrLoadSync(`products::${turn - 2}`, () => 2, { fresh: true, persist: 'memory' });
      setImmediate(goOn);
    };
    goOn();
    expect(await endsWithin(300, cache.persist())).toBe(true);
    bot.isOver = true;
    expect(place.rows()).toContain('products::first');
  });
});

describe('I13: a stop', () => {
  const ROWS = 3_000;

  it('does not wait for rows to be removed that have expired', async () => {
    const first = place.start();
    first.set('config::a', 1);
    await first.stop();
    const db = place.connect();
    const columns = 'namespace, key, value, metadata, created_at, updated_at, stale_at, expires_at, checksum';
    db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
      INSERT INTO cache_storage (${columns}) SELECT 'config', 'config::x' || i, 'x', '{}', 0, 0, 1, 1, 0 FROM n`);
    const cache = place.start();
    const persisted = cache.persist();
    await place.clock.yield();
    expect(await endsWithin(10, cache.stop())).toBe(true);
    expect(await endsWithin(10, persisted)).toBe(true);
    expect(place.rows().length).toBeGreaterThan(ROWS / 2);
  });
});
