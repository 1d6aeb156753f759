/** Caches on one file, as of bots that run at once or one after another, with a feed whose word a test gives. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import type { CacheOptions } from '../../../src/cache/cache-options.ts';
import { createCache } from '../../../src/cache/create-cache.ts';
import type { Provenance } from '../../../src/cache/layers/disk/disk.ts';
import type { DiskStats } from '../../../src/cache/statistics/stats.ts';
import type { TierPolicy } from '../../../src/cache/tiers/tier.ts';
import { type Logger, silentLogger } from '../../../src/logger.ts';
import { type HandClock, handClock } from '../../support/hand-clock.ts';
import { tierOf } from '../support.ts';

export const INTERVAL_MS = 30_000;

export const tiers: readonly TierPolicy[] = [
  tierOf('config', ['config'], { persist: 'on_change' }),
  tierOf('reference', ['products'], { persist: 'periodic' }),
  tierOf('query', ['query'], { persist: 'on_shutdown' }),
  tierOf('user', ['user']),
];

export const never = (): never => {
  throw new Error('It is kept: nothing is to be loaded.');
};

/** A feed that has missed nothing and tells everything, unless told so. */
export function feedOf(over: Partial<Provenance> = {}): Provenance {
  return { beginning: 'resumed', drain: () => true, position: () => 1, tellsOf: () => true, ...over };
}

export interface Place {
  readonly folder: string;
  readonly path: string;
  readonly clock: HandClock;
  /** What the logs of all caches said. */
  readonly said: string[];
  /** A cache with a feed; `null`: without one. */
  start(options?: Partial<CacheOptions>, feed?: Provenance | null): Cache;
  /** Another connection to the file, which a test may do anything with. */
  connect(): Database.Database;
  /** Keys that are on disk. */
  rows(): string[];
  /** As if the process had been killed: nothing more is written. */
  kill(cache: Cache): void;
}

/** A folder of its own for each test of a file. */
export function placeForEach(): Place {
  let folder = '';
  let clock = handClock();
  let said: string[] = [];
  const caches = new Map<Cache, Database.Database[]>();
  const connections: Database.Database[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cachecord-layers-'));
    clock = handClock();
    said = [];
  });
  afterEach(async () => {
    for (const db of connections.splice(0)) db.close();
    for (const cache of caches.keys()) await cache.stop();
    caches.clear();
    rmSync(folder, { recursive: true, force: true });
  });
  const logger: Logger = { ...silentLogger, warn: (message: string) => void said.push(message) };
  const place: Place = {
    get folder() {
      return folder;
    },
    get path() {
      return join(folder, 'cache.db');
    },
    get clock() {
      return clock;
    },
    get said() {
      return said;
    },
    start(options = {}, feed = feedOf()) {
      const files: Database.Database[] = [];
      const open = (path: string) => {
        const db = new Database(path);
        files.push(db);
        return db;
      };
      const { disk, ...rest } = options;
      const cache = createCache({
        maxWeightBytes: 10_000_000,
        tiers,
        cleanupIntervalMs: 600_000,
        clock,
        logger,
        ...rest,
        disk: { path: place.path, intervalMs: INTERVAL_MS, open, ...disk },
      });
      caches.set(cache, files);
      if (feed !== null) cache.provenBy(feed);
      return cache;
    },
    connect() {
      const db = new Database(place.path);
      connections.push(db);
      return db;
    },
    rows() {
      const db = new Database(place.path, { readonly: true });
      try {
        return db.prepare('SELECT key FROM cache_storage ORDER BY key').pluck().all() as string[];
      } finally {
        db.close();
      }
    },
    kill(cache) {
      for (const db of caches.get(cache) ?? []) db.close();
      caches.delete(cache);
    },
  };
  return place;
}

export function diskOf(cache: Cache): DiskStats {
  const { disk } = cache.stats(0);
  if (disk === null) throw new Error('This cache has no disk layer.');
  return disk;
}
