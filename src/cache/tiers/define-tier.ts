/** A tier of one's own in code, with what every tier needs filled in. The file's tiers are in `src/config/tiers.ts`. */
import type { TierPolicy } from './tier.ts';

/** "No such row" is remembered for so long, or for the ttl where that is shorter. */
const NEGATIVE_TTL_MS = 30_000;
const JITTER_RATIO = 0.05;

/** A tier's policy, of which only the ttl must be stated. */
export type TierDefinition = Partial<Omit<TierPolicy, 'tier' | 'ttlMs'>> & Pick<TierPolicy, 'ttlMs'>;

/**
 * Makes a tier for `createCache`, or for the tiers of a configuration.
 * @param name also its namespace, unless `namespaces` says otherwise
 * @example
 * const config = loadConfig();
 * const character = defineTier('character', { ttlMs: 300_000, graceMs: 3_600_000 });
 * const tiers = [...config.cache.tiers, character];
 * createCachecord(client, { config: { ...config, cache: { ...config.cache, tiers } } });
 */
export function defineTier(name: string, definition: TierDefinition): TierPolicy {
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
