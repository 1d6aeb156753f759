/** Beside a cache file: what the source does not have yet is no entry that others, or the next process, may believe. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { silentLogger } from '../../src/logger.ts';
import { tiers } from '../cache/support.ts';
import type { HandClock } from '../support/hand-clock.ts';
import { bench, folder, source } from './support.ts';

const KEY = 'user::1::name';
const PROOF = {
  beginning: 'resumed',
  drain: () => true,
  position: () => 1,
  tellsOf: () => true,
} as const;

const PERSISTED: readonly TierPolicy[] = tiers.map((tier) => ({ ...tier, persist: 'on_change' }));

function beside() {
  const path = folder();
  const cacheOptions = { tiers: PERSISTED, disk: { path: join(path, 'cache.db') } };
  const made = bench(join(path, 'write-behind.db'), { cacheOptions });
  made.cache.provenBy(PROOF);
  onTestFinished(() => made.cache.stop());
  const shop = source<string>();
  shop.values.set(KEY, 'old');
  const another = () => open(cacheOptions, made.clock);
  return { ...made, shop, another, load: () => shop.values.get(KEY) };
}

/** Another process that shares the file, or the next one. */
function open(options: Partial<CacheOptions>, clock: HandClock): Cache {
  const cache = createCache({
    maxWeightBytes: 10_000_000,
    tiers: PERSISTED,
    cleanupIntervalMs: 600_000,
    clock,
    logger: silentLogger,
    ...options,
  });
  cache.provenBy(PROOF);
  onTestFinished(() => cache.stop());
  return cache;
}

describe('a value that is not saved yet', () => {
  it('I9: is not believed by another process that shares the file', async () => {
    const { behind, shop, load, another, cache } = beside();
    shop.hold();
    behind.writeBehind('names', shop.save).sync(KEY, 'new');
    expect(cache.get(KEY)).toBe('new');
    expect(another().getOrLoadSync(KEY, load)).toBe('old');
    shop.release();
  });

  it('I9: is not believed by the next process, where the journal did not come along', async () => {
    const { behind, shop, load, another, cache, die } = beside();
    shop.failWith(() => new Error('away'));
    behind.writeBehind('names', shop.save).sync(KEY, 'new');
    await cache.stop();
    die();
    expect(another().getOrLoadSync(KEY, load)).toBe('old');
  });

  it('outranks what an earlier process, or another one, has written to disk, also where memory holds it no more', () => {
    const { behind, shop, load, another, cache } = beside();
    expect(another().getOrLoadSync(KEY, load)).toBe('old');
    shop.hold();
    behind.writeBehind('names', shop.save).sync(KEY, 'new');
    cache.invalidate('user::*');
    expect(another().getOrLoadSync(KEY, load)).toBe('old');
    expect(cache.get(KEY)).toBe('new');
    expect(cache.getOrLoadSync(KEY, load)).toBe('new');
    shop.release();
  });

  it('goes to disk by the rule of its tier once it is saved and loaded', async () => {
    const { behind, shop, load, another, cache, clock } = beside();
    behind.writeBehind('names', shop.save).sync(KEY, 'new');
    await clock.advanceAsync(1_000);
    expect(cache.getOrLoadSync(KEY, load)).toBe('new');
    expect(another().getOrLoadSync(KEY, () => 'asked')).toBe('new');
  });

  it('may not be told to go to disk', () => {
    const { behind } = beside();
    const entry = { persist: 'on_change' } as object;
    expect(() => behind.writeBehind('names', () => undefined, { entry })).toThrow(/persist/);
  });
});

describe('a saver that empties the list it was given', () => {
  it('I7: invalidates what its writes cover all the same', async () => {
    const { behind, cache, clock } = bench();
    cache.set('query::names', ['old']);
    const write = behind.writeBehind(
      'names',
      (batch) => {
        const taken = batch as unknown[];
        while (taken.length > 0) taken.pop();
      },
      { invalidates: () => ['query::names'] },
    );
    write.sync(KEY, 'new');
    await clock.advanceAsync(1_000);
    expect(cache.get('query::names')).toBeUndefined();
    expect(cache.get(KEY)).toBeUndefined();
  });
});
