/** What lies on disk, for people to look at: lists, namespaces, one entry, and what a target covers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import { systemClock } from '../../src/cache/clock.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { FEED, TTL_MS, tierOf } from './support.ts';

let folder: string;
let clock: HandClock;
const open: Cache[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-stored-'));
  clock = handClock();
});
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(over: Partial<CacheOptions> = {}): Cache {
  const cache = createCache({
    maxWeightBytes: 100_000_000,
    tiers: [
      tierOf('config', ['config'], { persist: 'on_change' }),
      tierOf('query', ['query'], { persist: 'on_change' }),
    ],
    cleanupIntervalMs: 600_000_000,
    clock,
    logger: silentLogger,
    disk: { path: join(folder, 'cache.db') },
    ...over,
  });
  open.push(cache);
  cache.provenBy(FEED);
  return cache;
}

/** What was set by a process that has ended. */
async function restartedWith(fill: (cache: Cache) => void, over: Partial<CacheOptions> = {}): Promise<Cache> {
  const first = start();
  fill(first);
  await first.persist();
  await first.stop();
  open.splice(0);
  return start(over);
}

const keysOf = (cache: Cache, prefix = '', limit = 25) =>
  cache.stored?.list(prefix, limit).map(({ key }) => key);

describe('the list of what lies on disk', () => {
  it('is not there without a disk layer', () => {
    const cache = createCache({
      maxWeightBytes: 1_000,
      tiers: [tierOf('config', ['config'])],
      cleanupIntervalMs: 1_000,
      clock,
    });
    open.push(cache);
    expect(cache.stored).toBeUndefined();
  });

  it('names after a restart what memory does not have yet, in the order of the keys', async () => {
    const cache = await restartedWith((first) => {
      for (const name of ['b', 'a', 'c']) first.set(`config::${name}`, name);
      first.set('query::x', 1);
    });
    expect(cache.keys('', 25)).toEqual([]);
    expect(keysOf(cache, 'config::')).toEqual(['config::a', 'config::b', 'config::c']);
    expect(keysOf(cache, 'config::', 2)).toEqual(['config::a', 'config::b']);
    expect(keysOf(cache, 'nothing')).toEqual([]);
  });

  it('leaves out what has expired', async () => {
    const cache = await restartedWith((first) => {
      first.set('config::short', 1, { ttlMs: 1_000 });
      first.set('config::long', 1);
    });
    clock.advance(2_000);
    expect(keysOf(cache)).toEqual(['config::long']);
    expect(cache.stored?.inspect('config::short')).toBeUndefined();
    expect((await cache.preview('config::*')).stored).toBe(1);
    expect((await cache.preview('config::*')).examples).toEqual(['config::long']);
  });

  it('leaves out what is as good as removed while a sweep removes it', async () => {
    const cache = await restartedWith((first) => {
      for (let i = 0; i < 300; i++) first.set(`config::${i}`, i);
      first.set('query::kept', 1);
    });
    cache.invalidate('config::*');
    const db = new Database(join(folder, 'cache.db'), { readonly: true });
    expect(db.prepare('SELECT count(*) FROM cache_storage').pluck().get()).toBeGreaterThan(100);
    db.close();
    expect(keysOf(cache)).toEqual(['query::kept']);
    expect(cache.stored?.namespaces(10)).toEqual([{ namespace: 'query', tier: 'query' }]);
    expect((await cache.preview('*')).stored).toBe(1);
  });

  it("leaves out what another version of the author's code has written", async () => {
    const cache = await restartedWith((first) => void first.set('config::a', 1), {
      disk: { path: join(folder, 'cache.db'), version: 'newer' },
    });
    expect(keysOf(cache)).toEqual([]);
    expect((await cache.preview('config::*')).stored).toBe(0);
  });

  it('changes nothing, and counts as no read', async () => {
    const cache = await restartedWith((first) => void first.set('config::a', 1));
    cache.stored?.list('', 10);
    cache.stored?.inspect('config::a');
    expect(cache.stats().disk).toMatchObject({ hits: 0, restored: 0, entries: 1, damaged: 0 });
    expect(cache.stats().total.lookups).toBe(0);
  });

  it('I4: is empty where the file cannot be used', () => {
    const cache = start({ disk: { path: join(folder, 'no', '\u0001'.repeat(300)) } });
    expect(keysOf(cache)).toEqual([]);
    expect(cache.stored?.namespaces(10)).toEqual([]);
    expect(cache.stored?.inspect('config::a')).toBeUndefined();
  });
});

describe('the namespaces on disk', () => {
  it('are each named once, with the tier of what they hold', async () => {
    const cache = await restartedWith((first) => {
      for (let i = 0; i < 5; i++) first.set(`config::${i}`, i);
      for (const key of ['status', 'status!', 'status::1', 'search::a', '🛒::1', 'shop::1'])
        first.set(key, 1, { tier: 'query' });
    });
    const found = cache.stored?.namespaces(25) ?? [];
    expect(found.map(({ namespace }) => namespace).sort()).toEqual(
      ['config', 'search', 'shop', 'status', 'status!', '🛒'].sort(),
    );
    expect(found).toContainEqual({ namespace: 'search', tier: 'query' });
    expect(found).toContainEqual({ namespace: 'config', tier: 'config' });
  });
});

describe('an entry on disk', () => {
  it('is told with its tier, size, instants and whether it counts as stale', async () => {
    const cache = await restartedWith((first) => {
      first.set('config::a', 'four', { tags: ['t'] });
      first.set('config::told-by-nobody', 1);
    });
    const createdAt = clock.epochAt(0);
    expect(cache.stored?.inspect('config::a')).toEqual({
      key: 'config::a',
      namespace: 'config',
      tier: 'config',
      createdAt,
      staleAt: createdAt + TTL_MS,
      expiresAt: createdAt + TTL_MS,
      bytes: expect.any(Number),
      tags: ['t'],
      dependsOn: [],
      isProven: true,
    });
    expect(cache.stored?.inspect('config::told-by-nobody')?.isProven).toBe(false);
    expect(cache.stored?.inspect('config::b')).toBeUndefined();
  });
});

describe('I12: with 100,000 rows on disk', () => {
  it.each([
    ['that may be offered', null],
    ['that have expired', 1],
  ])('%s, lists answer within 5 ms', async (_which, expiresAt) => {
    const first = start();
    first.set('config::a', 1);
    await first.stop();
    open.splice(0);
    const db = new Database(join(folder, 'cache.db'));
    db.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
       INSERT INTO cache_storage SELECT i + 10, 'many', 'many::' || i, '1', '{"tier":"query","loadMicros":1,"by":"x"}',
         1, 1, ?, ?, 0 FROM n`,
    ).run(expiresAt, expiresAt);
    db.close();
    const cache = start({ clock: systemClock() });
    cache.stored?.list('', 25);
    for (const ask of [
      () => cache.stored?.list('', 25),
      () => cache.stored?.list('many::9', 400),
      () => cache.stored?.namespaces(200),
      () => cache.stored?.inspect('many::99999'),
    ]) {
      const times = Array.from({ length: 5 }, () => {
        const startedAt = performance.now();
        ask();
        return performance.now() - startedAt;
      });
      expect(Math.min(...times)).toBeLessThan(5);
    }
  });
});
