/** Makes a cache: the one entrance to the engine. */
import { assertClock, assertLogger, assertText, assertType, invalidArgument, kindOf } from './arguments.ts';
import type { Cache } from './cache.ts';
import { CacheManager } from './cache-manager.ts';
import type { CacheOptions, DiskOptions } from './cache-options.ts';
import { assertKnown, type OptionNames } from './known-options.ts';

/**
 * Makes a cache: with what `config.json` says, `createCache(loadConfig().cache)`.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for an option that does not exist, and for a bound, interval or tier that
 *   makes no sense
 */
export function createCache(options: CacheOptions = {}): Cache {
  if (typeof options === 'object' && options !== null && 'cacheSection' in options) {
    throw invalidArgument(USAGE, 'options is a whole configuration, expected its part: loadConfig().cache');
  }
  assertKnown('createCache', options, OPTIONS);
  assertLogger(options.logger, USAGE);
  assertClock(options.clock, USAGE);
  assertType(options.enabled, 'boolean', USAGE, 'enabled');
  assertType(options.random, 'function', USAGE, 'random');
  assertTiers(options.tiers);
  assertDisk(options.disk);
  return new CacheManager(options);
}

const USAGE = 'createCache(options)';

function assertTiers(tiers: unknown): void {
  if (tiers === undefined) return;
  if (!Array.isArray(tiers)) {
    throw invalidArgument(USAGE, `tiers is ${kindOf(tiers)}, expected a list of tiers from defineTier()`);
  }
  for (const [index, tier] of tiers.entries()) {
    const isTier = typeof tier === 'object' && tier !== null && typeof tier.tier === 'string';
    if (isTier && Array.isArray(tier.namespaces)) continue;
    throw invalidArgument(
      USAGE,
      `tiers[${index}] is ${kindOf(tier)}, expected a tier: defineTier('name', { ttlMs: 60_000 })`,
    );
  }
}

function assertDisk(disk: unknown): void {
  if (disk === undefined) return;
  if (typeof disk === 'string') {
    throw invalidArgument(USAGE, "disk is a text, expected an object: write { path: 'cache.db' }");
  }
  const options = disk as DiskOptions; // whatever else it is, the next line refuses
  assertKnown('disk of createCache', options, DISK_OPTIONS);
  assertText(options.path, USAGE, 'disk.path', "'cache.db'");
  assertType(options.open, 'function', USAGE, 'disk.open');
}

const OPTIONS: OptionNames<CacheOptions> = {
  enabled: true,
  maxWeightBytes: true,
  tiers: true,
  cleanupIntervalMs: true,
  clock: true,
  logger: true,
  disk: true,
  random: true,
  valueTypes: true,
};

const DISK_OPTIONS: OptionNames<DiskOptions> = {
  path: true,
  maxBytes: true,
  intervalMs: true,
  version: true,
  trust: true,
  remembersUse: true,
  open: true,
};
