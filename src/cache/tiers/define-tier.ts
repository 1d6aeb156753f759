/** A tier of one's own in code, with what every tier needs filled in. The file's tiers are in `src/config/tiers.ts`. */
import { assertText, invalidArgument, kindOf } from '../arguments.ts';
import { assertKnown } from '../known-options.ts';
import { assertLoadingPolicy, LOADING_POLICIES } from './policy-check.ts';
import type { TierPolicy } from './tier.ts';
import { assertTtl } from './tier-book.ts';

/** "No such row" is remembered for so long, or for the ttl where that is shorter. */
const NEGATIVE_TTL_MS = 30_000;
const JITTER_RATIO = 0.05;

const USAGE = 'defineTier(name, definition)';
const OPTIONS = ['label', 'description', 'ttlMs', 'negativeTtlMs', 'namespaces', ...LOADING_POLICIES];

/** A tier's policy, of which only the ttl must be stated. */
export type TierDefinition = Partial<Omit<TierPolicy, 'tier' | 'ttlMs'>> & Pick<TierPolicy, 'ttlMs'>;

/**
 * Makes a tier for `createCache`, or for the tiers of a configuration.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for a definition that makes no sense
 * @param name also its namespace, unless `namespaces` says otherwise
 * @example
 * const config = loadConfig();
 * const character = defineTier('character', { ttlMs: 300_000, graceMs: 3_600_000 });
 * const tiers = [...config.cache.tiers, character];
 * createCachecord(client, { config: { ...config, cache: { ...config.cache, tiers } } });
 */
export function defineTier(name: string, definition: TierDefinition): TierPolicy {
  assertText(name, USAGE, 'name', "'character'");
  if (typeof definition !== 'object' || definition === null) {
    throw invalidArgument(
      USAGE,
      `definition is ${kindOf(definition)}, expected an object: { ttlMs: 300_000 }`,
    );
  }
  assertKnown(`defineTier('${name}')`, definition, OPTIONS);
  assertTtl(definition.ttlMs, `ttlMs of defineTier('${name}')`);
  assertLoadingPolicy(definition, `defineTier('${name}')`);
  if (definition.namespaces !== undefined && !Array.isArray(definition.namespaces)) {
    throw invalidArgument(
      USAGE,
      `namespaces is ${kindOf(definition.namespaces)}, expected a list: ['${name}']`,
    );
  }
  return {
    label: tierLabel(name),
    description: '',
    negativeTtlMs: Math.min(NEGATIVE_TTL_MS, definition.ttlMs),
    jitterRatio: JITTER_RATIO,
    namespaces: [name],
    ...definition,
    tier: name,
  };
}

/** How people see a tier that has no label: `system_status` is `System status`. */
export function tierLabel(name: string): string {
  const words = name.replaceAll(/[_.-]+/g, ' ').trim();
  return words === '' ? name : words.charAt(0).toUpperCase() + words.slice(1);
}
