/**
 * What is legal in a tier but hardly meant, for the log and `/cache-info`, in the words of the file. What is wrong is
 * refused before, in tier-problems.ts.
 */
import { BUILT_IN_TIERS, builtInTier } from '../cache/tiers/built-in-tiers.ts';
import { DEFAULT_GRACE_BACKOFF_MS } from '../cache/tiers/policy.ts';
import type { TierPolicy } from '../cache/tiers/tier.ts';
import { nearestName } from '../nearest-name.ts';

/** What is legal but hardly meant in a tier, in the words of the file. */
export function tierNotices(
  policies: readonly TierPolicy[],
  { maxWeightBytes, hasDisk }: { readonly maxWeightBytes: number; readonly hasDisk: boolean },
): string[] {
  return policies.flatMap((policy) =>
    [...oddities(policy, maxWeightBytes), persistence(policy, hasDisk)]
      .filter(([when]) => when)
      .map(([, name, notice]) => `\`cache.tiers.${policy.tier}${name}\` ${notice}`),
  );
}

function oddities(
  policy: TierPolicy,
  maxWeightBytes: number,
): readonly (readonly [when: boolean, name: string, notice: string])[] {
  const { tier, ttlMs, graceMs = 0, staleWhileRevalidateMs = 0, adaptiveTtl } = policy;
  const isOwn = builtInTier(tier) === undefined;
  const nearest = isOwn
    ? nearestName(
        tier,
        BUILT_IN_TIERS.map((known) => known.tier),
      )
    : undefined;
  const backoffMs = policy.graceBackoffMs ?? DEFAULT_GRACE_BACKOFF_MS;
  const idle = ttlMs === 0 ? idlePolicies(policy) : [];
  const isAdaptedFrom = adaptiveTtl !== undefined && ttlMs > 0;
  return [
    [nearest !== undefined, '', `is a tier of its own: did you mean the built-in tier \`${nearest}\`?`],
    [isOwn && ttlMs === 0, '.ttl', 'is 0: entries of that tier are never kept.'],
    [idle.length > 0, '', `sets ${idle.join(', ')}, which do nothing while its ttl is 0.`],
    [
      graceMs > 0 && graceMs < backoffMs,
      '.grace',
      'is shorter than `grace_backoff`: the old value is gone before its source is asked again.',
    ],
    [policy.graceBackoffMs !== undefined && graceMs === 0, '.grace_backoff', 'does nothing without `grace`.'],
    [
      graceMs > 0 && graceMs <= staleWhileRevalidateMs,
      '.grace',
      'adds nothing to `stale_while_revalidate`, which serves the old value for as long anyway.',
    ],
    [
      policy.softTimeoutMs !== undefined && graceMs === 0,
      '.soft_timeout',
      'does nothing without `grace`: `stale_while_revalidate` waits for no load anyway.',
    ],
    [
      policy.refreshAheadRatio !== undefined && (policy.earlyRefreshBeta ?? 0) > 0,
      '',
      'sets `refresh_ahead` and `early_refresh`, which do the same: whichever comes first counts.',
    ],
    [
      isAdaptedFrom && (ttlMs < adaptiveTtl.minMs || ttlMs > adaptiveTtl.maxMs),
      '.adaptive_ttl',
      'does not include the ttl: every key begins at the nearer bound.',
    ],
    [
      adaptiveTtl?.minMs === adaptiveTtl?.maxMs && adaptiveTtl !== undefined,
      '.adaptive_ttl',
      'has no room: `min` is `max`.',
    ],
    [
      (policy.maxEntryBytes ?? 0) > maxWeightBytes,
      '.max_entry_kb',
      'is more than the whole cache may hold (`max_size_mb`).',
    ],
    [
      policy.compressAboveBytes !== undefined &&
        policy.compressAboveBytes >= (policy.maxEntryBytes ?? maxWeightBytes),
      '.compress_above_kb',
      'is never reached: values that heavy are not kept.',
    ],
    [
      policy.hardTimeoutMs !== undefined && ttlMs > 0 && policy.hardTimeoutMs > ttlMs,
      '.hard_timeout',
      'is longer than the ttl.',
    ],
  ];
}

function persistence({ persist = 'memory' }: TierPolicy, hasDisk: boolean) {
  const isIdle = persist !== 'memory' && !hasDisk;
  return [isIdle, '.persist', 'does nothing without a disk layer: set `cache.disk_path`.'] as const;
}

/** The policies that have nothing to work on where nothing is kept. */
function idlePolicies(policy: TierPolicy): string[] {
  const named: readonly (readonly [unknown, string])[] = [
    [policy.graceMs, 'grace'],
    [policy.staleWhileRevalidateMs, 'stale_while_revalidate'],
    [policy.refreshAheadRatio, 'refresh_ahead'],
    [policy.earlyRefreshBeta, 'early_refresh'],
    [policy.adaptiveTtl, 'adaptive_ttl'],
    [policy.compressAboveBytes, 'compress_above_kb'],
  ];
  return named.filter(([value]) => value !== undefined && value !== 0).map(([, name]) => `\`${name}\``);
}
