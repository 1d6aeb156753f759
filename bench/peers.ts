/** The caches measured beside ours, each behind the same few calls, set up as its own documentation does. */
import { type CacheEntry, cachified } from '@epic-web/cachified';
import { BentoCache, bentostore } from 'bentocache';
import { memoryDriver } from 'bentocache/drivers/memory';
import { createCache as createCacheManager } from 'cache-manager';
import { Cacheable, CacheableMemory } from 'cacheable';
import { Keyv } from 'keyv';
import { LRUCache } from 'lru-cache';
import type { Cache } from '../src/cache/cache.ts';
import type { DiskOptions } from '../src/cache/cache-options.ts';
import { createCache } from '../src/cache/create-cache.ts';
import type { TierPolicy } from '../src/cache/tiers/tier.ts';

const HOUR_MS = 3_600_000;
const MEGABYTE = 2 ** 20;

export interface Peer {
  readonly name: string;
  /** Awaited read-through. `undefined` where the library has none. */
  getOrLoad(key: string, load: () => Promise<unknown>): Promise<unknown>;
  /** Synchronous read-through. */
  getOrLoadSync?(key: string, load: () => unknown): unknown;
  set(key: string, value: unknown): unknown;
  /** Invalidates one key. */
  remove(key: string): unknown;
  /** Removes all keys with this prefix. */
  removePrefix?(prefix: string): unknown;
  setTagged?(key: string, value: unknown, tag: string): unknown;
  removeTag?(tag: string): unknown;
  stop?(): unknown;
}

export const TIERS: readonly TierPolicy[] = [
  tier('config', ['config']),
  tier('reference', ['products', 'categories', 'discounts']),
  tier('user', ['user', 'user_orders']),
  tier('query', ['query']),
];

function tier(name: string, namespaces: readonly string[]): TierPolicy {
  return {
    tier: name,
    label: name,
    description: '',
    ttlMs: HOUR_MS,
    negativeTtlMs: 30_000,
    jitterRatio: 0.05,
    namespaces,
  };
}

export function ourCache(maxMegabytes: number, disk?: DiskOptions): Cache {
  return createCache({
    maxWeightBytes: maxMegabytes * MEGABYTE,
    cleanupIntervalMs: HOUR_MS,
    tiers: TIERS,
    ...(disk === undefined ? {} : { disk }),
  });
}

export function cachecord(maxMegabytes: number): Peer {
  const cache = ourCache(maxMegabytes);
  return {
    name: 'cachecord',
    getOrLoad: (key, load) => cache.getOrLoad(key, load),
    getOrLoadSync: (key, load) => cache.getOrLoadSync(key, load),
    set: (key, value) => cache.set(key, value),
    remove: (key) => cache.invalidate(key),
    removePrefix: (prefix) => cache.invalidate(`${prefix}*`),
    setTagged: (key, value, tag) => cache.set(key, value, { tags: [tag] }),
    removeTag: (tag) => cache.invalidate({ tag }),
    stop: () => cache.stop(),
  };
}

/** lru-cache as bots use it: look, load, store. The reference all ratios are against. */
export function lruCache(maxEntries: number): Peer {
  const cache = new LRUCache<string, object>({ max: maxEntries });
  return {
    name: 'lru-cache',
    async getOrLoad(key, load) {
      const cached = cache.get(key);
      if (cached !== undefined) return cached;
      const value = await load();
      cache.set(key, value as object);
      return value;
    },
    getOrLoadSync(key, load) {
      const cached = cache.get(key);
      if (cached !== undefined) return cached;
      const value = load();
      cache.set(key, value as object);
      return value;
    },
    set: (key, value) => cache.set(key, value as object),
    remove: (key) => cache.delete(key),
    removePrefix(prefix) {
      for (const key of [...cache.keys()]) if (key.startsWith(prefix)) cache.delete(key);
    },
  };
}

export function bento(maxEntries: number): Peer {
  const cache = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: maxEntries, serialize: false })) },
  });
  return {
    name: 'bentocache',
    getOrLoad: (key, factory) => cache.getOrSet({ key, factory, ttl: '1h' }),
    set: (key, value) => cache.set({ key, value, ttl: '1h' }),
    remove: (key) => cache.delete({ key }),
    setTagged: (key, value, tag) => cache.set({ key, value, ttl: '1h', tags: [tag] }),
    removeTag: (tag) => cache.deleteByTag({ tags: [tag] }),
    stop: () => cache.disconnectAll(),
  };
}

export function cacheable(maxEntries: number): Peer {
  const memory = new CacheableMemory({ ttl: '1h', lruSize: maxEntries });
  const cache = new Cacheable({ primary: new Keyv({ store: memory }), ttl: '1h' });
  return {
    name: 'cacheable',
    getOrLoad: (key, load) => cache.getOrSet(key, load, { ttl: '1h' }),
    getOrLoadSync(key, load) {
      const cached = memory.get(key);
      if (cached !== undefined) return cached;
      const value = load();
      memory.set(key, value);
      return value;
    },
    set: (key, value) => cache.set(key, value),
    remove: (key) => cache.delete(key),
    removePrefix(prefix) {
      for (const key of [...memory.keys]) if (key.startsWith(prefix)) memory.delete(key);
    },
  };
}

export function cacheManager(maxEntries: number): Peer {
  const cache = createCacheManager({
    stores: [new Keyv({ store: new CacheableMemory({ ttl: '1h', lruSize: maxEntries }) })],
    ttl: HOUR_MS,
  });
  return {
    name: 'cache-manager',
    getOrLoad: (key, load) => cache.wrap(key, load),
    set: (key, value) => cache.set(key, value),
    remove: (key) => cache.del(key),
  };
}

export function cachifiedLru(maxEntries: number): Peer {
  const cache = new LRUCache<string, CacheEntry>({ max: maxEntries });
  return {
    name: 'cachified',
    getOrLoad: (key, load) => cachified({ key, cache, ttl: HOUR_MS, getFreshValue: load }),
    set: (key, value) =>
      cache.set(key, { value, metadata: { createdTime: Date.now(), ttl: HOUR_MS, swr: 0 } } as CacheEntry),
    remove: (key) => cache.delete(key),
    removePrefix(prefix) {
      for (const key of [...cache.keys()]) if (key.startsWith(prefix)) cache.delete(key);
    },
  };
}

/** Everybody, with room for as many entries; ours is bounded in bytes. */
export function everybody(maxEntries: number, maxMegabytes: number): Peer[] {
  return [
    lruCache(maxEntries),
    cachecord(maxMegabytes),
    cachifiedLru(maxEntries),
    cacheManager(maxEntries),
    bento(maxEntries),
    cacheable(maxEntries),
  ];
}
