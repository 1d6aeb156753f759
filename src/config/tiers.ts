/**
 * The tiers of a configuration as the engine takes them: the four built-in ones first, then the author's in the order
 * of the file. Seconds and kilobytes become milliseconds and bytes here, once.
 */
import { BUILT_IN_TIERS, builtInTier } from '../cache/tiers/built-in-tiers.ts';
import { tierLabel } from '../cache/tiers/define-tier.ts';
import type { LoadingPolicy } from '../cache/tiers/policy.ts';
import type { BuiltInTier, TierPolicy } from '../cache/tiers/tier.ts';
import type { TierSection } from './tier-schema.ts';

/** Where the ttl of a built-in tier stands in the section `cache`. */
const TTL_NAMES = {
  config: 'ttl_config',
  reference: 'ttl_reference',
  user: 'ttl_user',
  query: 'ttl_query',
} as const satisfies Record<BuiltInTier, string>;

export function ttlNameOf(tier: BuiltInTier): (typeof TTL_NAMES)[BuiltInTier] {
  return TTL_NAMES[tier];
}

/** The namespaces of a tier of the file: its own name where nothing is said, and what a built-in one has anyway. */
export function namespacesOf(name: string, section: Pick<TierSection, 'namespaces'>): readonly string[] {
  const own = builtInTier(name)?.namespaces;
  const stated = section.namespaces ?? (own === undefined ? [name] : []);
  return [...new Set([...(own ?? []), ...stated])];
}

/** What the tiers take from the section `cache`. */
interface CacheSection {
  readonly ttl_config: number;
  readonly ttl_reference: number;
  readonly ttl_user: number;
  readonly ttl_query: number;
  readonly ttl_negative: number;
  readonly jitter: number;
  readonly disk_path: string | null;
  readonly tiers?: Readonly<Record<string, TierSection>> | undefined;
}

/** Every tier, complete. The section has passed tier-problems.ts, so each of its own tiers has a ttl. */
export function tierPolicies(cache: CacheSection): TierPolicy[] {
  const sections = cache.tiers ?? {};
  const builtIn = BUILT_IN_TIERS.map(({ tier, label, description, persist }) => ({
    ...(cache.disk_path === null ? {} : { persist }),
    ...policyOf(cache, tier, sections[tier] ?? {}, { label, description, ttl: cache[ttlNameOf(tier)] }),
  }));
  const own = Object.entries(sections)
    .filter(([name]) => builtInTier(name) === undefined)
    .map(([name, section]) =>
      policyOf(cache, name, section, { label: tierLabel(name), description: '', ttl: section.ttl ?? 0 }),
    );
  return [...builtIn, ...own];
}

function policyOf(
  cache: CacheSection,
  tier: string,
  section: TierSection,
  unless: { readonly label: string; readonly description: string; readonly ttl: number },
): TierPolicy {
  return {
    tier,
    label: section.label ?? unless.label,
    description: section.description ?? unless.description,
    ttlMs: ms(unless.ttl),
    negativeTtlMs: ms(Math.min(section.negative_ttl ?? cache.ttl_negative, unless.ttl)),
    namespaces: namespacesOf(tier, section),
    ...loadingPolicy(section),
    jitterRatio: section.jitter ?? cache.jitter,
  };
}

/** The policies that are stated; those that are not stay absent. */
function loadingPolicy(section: TierSection): LoadingPolicy {
  const { adaptive_ttl: adaptive } = section;
  const policy: LoadingPolicy = {
    graceMs: each(section.grace, ms),
    graceBackoffMs: each(section.grace_backoff, ms),
    staleWhileRevalidateMs: each(section.stale_while_revalidate, ms),
    softTimeoutMs: each(section.soft_timeout, ms),
    hardTimeoutMs: each(section.hard_timeout, ms),
    refreshAheadRatio: section.refresh_ahead,
    earlyRefreshBeta: section.early_refresh,
    adaptiveTtl: each(adaptive, ({ min, max }) => ({ minMs: ms(min), maxMs: ms(max) })),
    values: section.values,
    compressAboveBytes: each(section.compress_above_kb, bytes),
    maxEntryBytes: each(section.max_entry_kb, bytes),
    skipEmpty: section.skip_empty,
    persist: section.persist,
  };
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined));
}

function each<T, R>(value: T | undefined, convert: (value: T) => R): R | undefined {
  return value === undefined ? undefined : convert(value);
}

/** Whole milliseconds, and never none where something is stated. */
function ms(seconds: number): number {
  return seconds === 0 ? 0 : Math.max(1, Math.round(seconds * 1_000));
}

function bytes(kilobytes: number): number {
  return Math.max(1, Math.round(kilobytes * 1_024));
}
