import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { Provenance } from '../../src/cache/layers/disk/disk.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { TTL_MS, tierOf } from './support.ts';

const INTERVAL_MS = 30_000;

let folder: string;
let path: string;
let clock: HandClock;
const open: Cache[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-disk-'));
  path = join(folder, 'cache.db');
  clock = handClock();
});
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.stop();
  rmSync(folder, { recursive: true, force: true });
});

const tiers: readonly TierPolicy[] = [
  tierOf('config', ['config'], { persist: 'on_change' }),
  tierOf('reference', ['products'], { persist: 'periodic', graceMs: 10_000, staleWhileRevalidateMs: 10_000 }),
  tierOf('query', ['query'], { persist: 'on_shutdown' }),
  tierOf('user', ['user']),
];

function start(options: Partial<CacheOptions> = {}): Cache {
  const cache = createCache({
    maxWeightBytes: 10_000_000,
    tiers,
    cleanupIntervalMs: 600_000,
    clock,
    logger: silentLogger,
    disk: { path, intervalMs: INTERVAL_MS },
    ...options,
  });
  open.push(cache);
  return cache;
}

/** A feed that has missed nothing, unless told so. */
function feed(over: Partial<Provenance> = {}): Provenance {
  return { beginning: 'resumed', drain: () => true, position: () => 1, tellsOf: () => true, ...over };
}

/** The next process. */
function restart(options: Partial<CacheOptions> = {}, provenance: Provenance | null = feed()): Cache {
  const cache = start(options);
  if (provenance !== null) cache.provenBy(provenance);
  return cache;
}

const never = () => {
  throw new Error('It is on disk: nothing is to be loaded.');
};

describe('an entry on disk', () => {
  it('is served by the next process as it was: value, ttl, tags, creation', async () => {
    const first = restart();
    const value = { at: new Date(7), list: [1, undefined, 2n], nested: new Map([['a', Number.NaN]]) };
    first.set('config::vip', value, { tags: ['vip'], dependsOn: ['config::rates'], ttlMs: 50_000 });
    const before = first.inspect('config::vip');
    clock.advance(10_000);
    await first.stop();

    const second = restart();
    expect(second.getOrLoadSync('config::vip', never)).toEqual(value);
    expect(second.inspect('config::vip')).toMatchObject({
      createdAt: before?.createdAt,
      staleAt: before?.staleAt,
      tags: ['vip'],
      dependsOn: ['config::rates'],
    });
    expect(second.stats()).toMatchObject({ total: { hits: 1, misses: 0, loads: 0 }, disk: { hits: 1 } });
    clock.advance(40_000);
    expect(second.get('config::vip')).toBeUndefined();
  });

  it.each([
    ['on_change', 'config::a', true, true],
    ['periodic', 'products::a', false, true],
    ['on_shutdown', 'query::a', false, true],
    ['memory', 'user::a', false, false],
  ])('of level %s is written when it should be', async (_, key, atOnce, atTheEnd) => {
    const first = restart();
    first.set(key, 1);
    expect(rows()).toEqual(atOnce ? [key] : []);
    clock.advance(INTERVAL_MS);
    await first.persist();
    expect(rows()).toEqual(atOnce || key === 'products::a' ? [key] : []);
    await first.stop();
    expect(rows()).toEqual(atTheEnd ? [key] : []);
  });

  it('may be told its level by a call', () => {
    restart().set('user::a', 1, { persist: 'on_change' });
    expect(rows()).toEqual(['user::a']);
  });

  it('goes with every kind of invalidation, and with a newer value', async () => {
    const first = restart();
    const fill = () => {
      for (const key of ['config::a', 'config::b', 'config::c', 'config::d', 'config::e'])
        first.set(key, key, {
          tags: key === 'config::b' ? ['tag'] : [],
          dependsOn: key === 'config::c' ? ['query::x'] : [],
        });
    };
    fill();
    first.invalidate('config::a', { tag: 'tag' }, 'query::x');
    expect(rows()).toEqual(['config::d', 'config::e']);
    first.set('config::d', 'newer');
    first.invalidate('config::e*');
    await first.stop();
    const second = restart();
    expect(second.getOrLoadSync('config::d', never)).toBe('newer');
    expect(rows()).toEqual(['config::d']);
    second.clear();
    expect(rows()).toEqual([]);
  });

  it('goes where memory does not hold it any more', () => {
    const cache = restart({ maxWeightBytes: 3_000 });
    for (let i = 0; i < 50; i++) cache.set(`config::${i}`, i);
    expect(cache.stats().total.entries).toBeLessThan(20);
    expect(cache.getOrLoadSync('config::3', never)).toBe(3);
    cache.invalidate('config::*');
    expect(cache.getOrLoadSync('config::4', () => 'loaded')).toBe('loaded');
  });

  it('I2, I12: is not served once a sweep covers it, also by the next process, and is removed in slices', async () => {
    const first = restart();
    for (let i = 0; i < 1_000; i++) first.set(`config::${i}`, i);
    first.invalidate('config::*');
    expect(rows().length).toBeGreaterThan(500);
    expect(first.getOrLoadSync('config::7', () => 'loaded')).toBe('loaded');
    first.set('config::8', 'newer');

    const second = restart();
    expect(second.getOrLoadSync('config::9', () => 'loaded')).toBe('loaded');
    expect(second.getOrLoadSync('config::8', never)).toBe('newer');
    await first.stop();
    await second.stop();
    await restart().stop();
    expect(rows().sort()).toEqual(['config::7', 'config::8', 'config::9']);
  });

  it('I9: is believed only where a feed has followed every change', async () => {
    const first = restart();
    first.set('config::a', 'old');
    first.set('products::a', 'old');
    await first.persist();
    await first.stop();
    for (const provenance of [
      null,
      feed({ beginning: 'gap' }),
      feed(),
      feed({ beginning: 'resumed', tellsOf: () => false }),
    ]) {
      const next = restart({}, provenance);
      expect(next.getOrLoadSync('config::a', () => 'loaded', { persist: 'memory' })).toBe('loaded');
      // It is worth having while a load runs behind.
      expect(next.getOrLoadSync('products::a', () => 'loaded', { persist: 'memory' })).toBe('old');
      expect(next.stats().disk?.unproven).toBe(2);
      await next.stop();
    }
  });

  it('I9: is not written when a change that covers it was committed and not heard yet', async () => {
    const first = start();
    let isBehind = false;
    first.provenBy(
      feed({
        drain: () => {
          if (isBehind) first.invalidate('config::a');
          return true;
        },
      }),
    );
    isBehind = true;
    first.set('config::a', 'outdated');
    expect(rows()).toEqual([]);
    expect(first.has('config::a')).toBe(false);
  });

  it('is not used by another version of the code, which may expect another shape', async () => {
    const first = restart({ disk: { path, version: '1' } });
    first.set('config::a', { name: 'Ada' });
    await first.stop();
    const second = restart({ disk: { path, version: '2' } });
    expect(second.getOrLoadSync('config::a', () => ({ first: 'Ada' }), { persist: 'memory' })).toEqual({
      first: 'Ada',
    });
    expect(second.stats().disk).toMatchObject({ expired: 1 });
    await second.stop();
  });

  it('expires there as well', async () => {
    const first = restart();
    first.set('config::a', 1);
    await first.stop();
    clock.advance(TTL_MS);
    const second = restart();
    expect(second.getOrLoadSync('config::a', () => 2, { persist: 'memory' })).toBe(2);
  });
});

describe('a file that is not right', () => {
  it('is set aside under a dated name, and a new one begun', async () => {
    writeFileSync(path, 'This is no database. '.repeat(100));
    const cache = restart();
    cache.set('config::a', 1);
    expect(rows()).toEqual(['config::a']);
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toHaveLength(1);
    expect(cache.stats().disk).toMatchObject({ state: 'ready' });
  });

  it('that is a database of something else is left as it is, and the cache works in memory alone', () => {
    const shop = new Database(path);
    shop.exec('CREATE TABLE cache_storage (id); INSERT INTO cache_storage VALUES (1)');
    shop.close();
    const before = readFileSync(path);
    const cache = restart();
    cache.set('config::a', 1);
    expect(readdirSync(folder)).toEqual(['cache.db']);
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(cache.stats().disk).toMatchObject({
      state: 'off',
      problem: `${path} is a database of something else: give the cache a file of its own.`,
    });
  });

  it('that cannot be opened leaves the cache in memory alone', () => {
    writeFileSync(path, 'A file, and no folder.');
    const cache = restart({ disk: { path: join(path, 'cache.db') } });
    expect(cache.getOrLoadSync('config::a', () => 1)).toBe(1);
    expect(cache.getOrLoadSync('config::a', never)).toBe(1);
    expect(cache.stats().disk).toMatchObject({
      state: 'off',
      problem: expect.stringMatching(/ENOTDIR|EEXIST|directory/),
    });
  });

  it('whose opener throws what has no text leaves the cache in memory alone', () => {
    const open = () => {
      throw Object.create(null);
    };
    const cache = restart({ disk: { path, open } });
    expect(cache.getOrLoadSync('config::a', () => 1)).toBe(1);
    expect(cache.stats().disk).toMatchObject({ state: 'off', problem: expect.stringContaining('text') });
  });

  it('with a damaged row serves everything but that', async () => {
    const first = restart();
    first.set('config::a', 'a');
    first.set('config::b', 'b');
    await first.stop();
    const db = new Database(path);
    db.exec("UPDATE cache_storage SET stale_at = stale_at + 1 WHERE key = 'config::a'");
    db.close();
    const second = restart();
    expect(second.getOrLoadSync('config::a', () => 'loaded', { persist: 'memory' })).toBe('loaded');
    expect(second.getOrLoadSync('config::b', never)).toBe('b');
    expect(second.stats().disk).toMatchObject({ damaged: 1 });
    expect(rows()).toEqual(['config::b']);
  });

  it('I4, I9: that takes no invalidation serves nothing that it covers, and catches up', async () => {
    const cache = restart();
    cache.set('config::a', 'old');
    cache.set('config::b', 'b');
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    cache.invalidate('config::a');
    expect(cache.getOrLoadSync('config::a', () => 'new', { persist: 'memory' })).toBe('new');
    expect(rows()).toEqual(['config::a', 'config::b']);
    expect(cache.stats().disk).toMatchObject({
      state: 'failing',
      problem: expect.stringContaining('locked'),
    });
    other.exec('ROLLBACK');
    other.close();
    clock.advance(60_000);
    cache.set('config::c', 'c');
    expect(rows()).toEqual(['config::b', 'config::c']);
    expect(cache.stats().disk).toMatchObject({ state: 'ready' });
  });
});

/** Keys that are on disk. */
function rows(): string[] {
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare('SELECT key FROM cache_storage ORDER BY key').pluck().all() as string[];
  } finally {
    db.close();
  }
}
