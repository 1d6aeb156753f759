/** The four tiers that every cache has, as they are where nobody says otherwise. */
import { defineTier, type TierDefinition } from './define-tier.ts';
import type { BuiltInTier, TierPolicy } from './tier.ts';

interface BuiltIn extends Required<Pick<TierDefinition, 'label' | 'description' | 'ttlMs' | 'namespaces'>> {
  readonly tier: BuiltInTier;
  /** Where there is a disk layer. What people did and have is not written there unless somebody says so. */
  readonly persist: 'periodic' | 'memory';
}

export const BUILT_IN_TIERS: readonly BuiltIn[] = [
  {
    tier: 'config',
    label: 'Configuration',
    description: 'VIP tiers, payment methods. Cleared only by hand.',
    ttlMs: 86_400_000,
    namespaces: ['config'],
    persist: 'periodic',
  },
  {
    tier: 'reference',
    label: 'Reference',
    description: 'products, categories, discounts. Cleared on change.',
    ttlMs: 43_200_000,
    namespaces: ['products', 'categories', 'discounts'],
    persist: 'periodic',
  },
  {
    tier: 'user',
    label: 'User',
    description: 'profiles, balances, orders. Cleared on update.',
    ttlMs: 3_600_000,
    namespaces: ['user', 'user_orders'],
    persist: 'memory',
  },
  {
    tier: 'query',
    label: 'Query',
    description: 'searches, leaderboards.',
    ttlMs: 1_800_000,
    namespaces: ['query'],
    persist: 'periodic',
  },
];

export function builtInTier(name: string): BuiltIn | undefined {
  return BUILT_IN_TIERS.find(({ tier }) => tier === name);
}

/** As policies for a cache that was given none. */
export function builtInPolicies(hasDisk: boolean): TierPolicy[] {
  return BUILT_IN_TIERS.map(({ tier, persist, ...definition }) =>
    defineTier(tier, { ...definition, ...(hasDisk ? { persist } : {}) }),
  );
}
