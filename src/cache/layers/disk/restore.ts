/** Brings an entry back from disk as it was: its value, key, ttl, tags and instants. */
import type { Clock } from '../../clock.ts';
import { Entry, NO_EXTRAS } from '../../entry.ts';
import type { TierBook } from '../../tiers/tier-book.ts';
import { cloneValue } from '../../values/clone.ts';
import { deepFreeze } from '../../values/freeze.ts';
import { pack } from '../../values/packed.ts';
import { entryOverheadBytes, packedBytes, weigh } from '../../values/weigher.ts';
import type { StoredEntry } from './disk.ts';

/**
 * The entry for memory; one that nothing proves is stale from the start. `undefined` where memory would not keep it, or
 * its tier is no more.
 */
export function restored(
  stored: StoredEntry,
  position: number,
  { book, clock }: { readonly book: TierBook; readonly clock: Clock },
): Entry | undefined {
  const { key, tier, value, isProven, tags, dependsOn, loadMicros } = stored;
  if (!book.has(tier)) return undefined;
  const counters = book.countersFor(key, tier);
  const rules = counters.rules.ofTier;
  const { kind, weightBytes } = weigh(value);
  if (kind === 'unsafe' || kind === 'too-large') return undefined;
  if (kind === 'frozen') deepFreeze(value);
  const packed = weightBytes > rules.compressAboveBytes ? pack(value) : undefined;
  const copied = kind === 'copied' || packed !== undefined;
  const hasLinks = tags.length > 0 || dependsOn.length > 0;
  const links = hasLinks ? { tags, dependsOn } : undefined;
  const extras = copied || hasLinks ? { ...NO_EXTRAS, copied, links } : undefined;
  const now = clock.now();
  const origin = clock.epochAt(0);
  const staleAt = isProven ? stored.staleAt - origin : now;
  return new Entry({
    key,
    value: packed ?? (kind === 'copied' ? cloneValue(value) : value),
    counters,
    createdAt: stored.createdAt - origin,
    staleAt,
    // What is believed no longer is held for as long as its tier allows stale values, and no longer than it was to be.
    expiresAt: Math.min(stored.expiresAt - origin, isProven ? Number.POSITIVE_INFINITY : now + rules.holdMs),
    position,
    weightBytes: (packed === undefined ? weightBytes : packedBytes(packed)) + entryOverheadBytes(key, extras),
    loadMicros,
    extras,
  });
}
