/** Invalidating by tier: exactly the entries that have its policy, wherever they lie and whatever their keys are. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';

const folders: string[] = [];
const caches: Cache[] = [];

afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function make(path?: string): { readonly cache: Cache; readonly clock: HandClock } {
  const clock = handClock();
  const disk = path === undefined ? {} : { disk: { path } };
  const cache = createCache({ clock, logger: silentLogger, ...disk });
  caches.push(cache);
  return { cache, clock };
}

function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-tier-'));
  folders.push(folder);
  return join(folder, 'cache.db');
}

describe('an invalidation of a tier', () => {
  it('covers its entries in any number of namespaces, and no other', async () => {
    const { cache } = make();
    for (let i = 0; i < 2_000; i++) cache.set(`space${i}::x`, i, { tier: 'config' });
    for (let i = 0; i < 3; i++) cache.set(`space${i}::y`, i, { tier: 'user' });
    expect(await cache.preview({ tier: 'config' })).toMatchObject({
      entries: 2_000,
      tiers: [{ tier: 'config', entries: 2_000 }],
    });
    const removal = cache.invalidate({ tier: 'config' });
    expect(cache.get('space1999::x')).toBeUndefined();
    expect(await removal.pending).toMatchObject({ entries: 2_000 });
    expect(cache.stats(0).total.entries).toBe(3);
    expect([0, 1, 2].map((i) => cache.get(`space${i}::y`))).toEqual([0, 1, 2]);
  });

  it('covers what depends on its entries', () => {
    const { cache } = make();
    cache.set('config::prices', 1);
    cache.set('query::list', [1], { dependsOn: ['config::prices'] });
    cache.set('query::other', [2]);
    expect(cache.invalidate({ tier: 'config' })).toMatchObject({ entries: 2 });
    expect(cache.get('query::other')).toEqual([2]);
  });

  it('voids a load of the tier that is in flight, and leaves one of another tier alone (I2)', async () => {
    const { cache } = make();
    const finish: (() => void)[] = [];
    const slow = (value: string) => () => new Promise<string>((resolve) => finish.push(() => resolve(value)));
    const old = cache.getOrLoad('any::thing', slow('old'), { tier: 'config' });
    const other = cache.getOrLoad('config::thing', slow('other'), { tier: 'user' });
    expect((await cache.preview({ tier: 'config' })).loads).toBe(1);
    expect(cache.invalidate({ tier: 'config' }).loads).toBe(1);
    for (const end of finish) end();
    expect(await Promise.all([old, other])).toEqual(['old', 'other']);
    expect(cache.get('any::thing')).toBeUndefined();
    expect(cache.get('config::thing')).toBe('other');
  });

  it('voids a load that learns at its end that it was made from what the tier held (I2)', async () => {
    const { cache } = make();
    cache.set('config::prices', 1);
    const load = cache.getOrLoad('query::sum', async (context) => {
      const price = cache.get<number>('config::prices');
      cache.invalidate({ tier: 'config' });
      await Promise.resolve();
      context.dependsOn('config::prices');
      return price;
    });
    expect(await load).toBe(1);
    expect(cache.get('query::sum')).toBeUndefined();
  });

  it('covers rows on disk by the tier they were written with, also from before a restart (I9)', async () => {
    const path = newPath();
    const first = make(path);
    for (let i = 0; i < 300; i++) {
      first.cache.set(`mixed::${i}`, i, { tier: i % 3 === 0 ? 'config' : 'reference' });
    }
    await first.cache.persist();
    await first.cache.stop();

    const { cache } = make(path);
    expect(await cache.preview({ tier: 'config' })).toMatchObject({ entries: 0, stored: 100 });
    cache.invalidate({ tier: 'config' });
    expect(cache.stored?.inspect('mixed::297')).toBeUndefined();
    expect(cache.stored?.inspect('mixed::298')).toBeDefined();
    await cache.persist();
    await cache.stop();

    const third = make(path).cache;
    expect((await third.preview({ tier: 'config' })).stored).toBe(0);
    expect((await third.preview({ tier: 'reference' })).stored).toBe(200);
  });

  it('is carried out by the next start where the process ended before it (I9)', async () => {
    const path = newPath();
    const first = make(path);
    first.cache.set('mixed::1', 1, { tier: 'config' });
    first.cache.set('mixed::2', 2, { tier: 'reference' });
    await first.cache.persist();
    first.cache.intend(() => [{ tier: 'config' }]);
    await first.cache.stop();
    const { cache } = make(path);
    expect(cache.stored?.inspect('mixed::1')).toBeUndefined();
    expect(cache.stored?.inspect('mixed::2')).toBeDefined();
  });

  it('is refused for a tier that does not exist, with the names of those there are', async () => {
    const { cache } = make();
    expect(() => cache.invalidate({ tier: 'confg' })).toThrow('there are config, reference, user, query');
    expect(() => cache.preview({ tier: 'confg' })).toThrow('There is no tier "confg"');
  });
});
