/** What an invalidation covers, compiled from what the caller wrote. */
import type { EntryLinks } from '../entry.ts';
import { CacheError } from '../errors.ts';
import { canonicalKey } from './canonical.ts';
import { assertKey } from './keys.ts';
import { compilePattern, isPattern, type Pattern } from './pattern.ts';

/**
 * What to remove. A string with `*` in it is a pattern, any other is a key.
 * `*` stands for any run of characters, `:` included. Each covers every spelling of the ids in it: text, number, bigint.
 * A tier stands for the entries that have its policy, whatever their keys, and for what depends on them.
 */
export type InvalidationTarget = string | { readonly tag: string } | { readonly tier: string };

/** Keys and tags are canonical texts (`canonical.ts`). */
export type Target =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'pattern'; readonly pattern: Pattern }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'tier'; readonly tier: string };

/**
 * @param tiers those there are; where they are not given, any name of a tier is taken
 * @throws CacheError `ERR_KEY_INVALID`, `ERR_PATTERN_INVALID` or `ERR_ARGUMENT_INVALID`
 */
export function compileTarget(
  target: InvalidationTarget,
  tiers?: readonly { readonly tier: string }[],
): Target {
  if (typeof target === 'string') {
    if (isPattern(target)) return { kind: 'pattern', pattern: compilePattern(target) };
    assertKey(target);
    return keyTarget(target);
  }
  if (typeof target === 'object' && target !== null) {
    if ('tag' in target && typeof target.tag === 'string')
      return { kind: 'tag', tag: canonicalKey(target.tag) };
    if ('tier' in target && typeof target.tier === 'string') return compileTier(target.tier, tiers);
  }
  throw new CacheError(
    'ERR_ARGUMENT_INVALID',
    'An invalidation takes keys, patterns such as "user::42::*", { tag: "…" } or { tier: "…" }.',
  );
}

/** All spellings of a key. */
export function keyTarget(key: string): Target {
  return { kind: 'key', key: canonicalKey(key) };
}

function compileTier(tier: string, tiers: readonly { readonly tier: string }[] | undefined): Target {
  if (tiers === undefined || tiers.some((one) => one.tier === tier)) return { kind: 'tier', tier };
  const names = tiers.map((one) => one.tier).join(', ');
  throw new CacheError('ERR_ARGUMENT_INVALID', `There is no tier "${tier}"; there are ${names}.`);
}

/**
 * Whether the target covers an entry, by its key, its tags, its tier, or the keys it depends on.
 * @param tier of the entry; where the caller does not know it, every target of a tier covers the entry
 */
export function covers(
  target: Target,
  key: string,
  links: EntryLinks | undefined,
  tier: string | undefined,
): boolean {
  switch (target.kind) {
    case 'tier':
      return tier === undefined || tier === target.tier;
    case 'key':
      return canonicalKey(key) === target.key || isAmong(links?.dependsOn, target.key);
    case 'tag':
      return isAmong(links?.tags, target.tag);
    case 'pattern':
      return (
        target.pattern.matches(key) ||
        (links?.dependsOn.some((other) => target.pattern.matches(other)) ?? false)
      );
  }
}

/** @param canonical of one of them */
function isAmong(texts: readonly string[] | undefined, canonical: string): boolean {
  if (texts === undefined || texts.length === 0) return false;
  return texts.includes(canonical) || texts.some((text) => canonicalKey(text) === canonical);
}
