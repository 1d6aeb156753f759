/** Makes a cache: the one entrance to the engine. */
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
  assertKnown('createCache', options, OPTIONS);
  if (options.disk !== undefined) assertKnown('disk of createCache', options.disk, DISK_OPTIONS);
  return new CacheManager(options);
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
