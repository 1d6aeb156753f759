/** Brings an entry back from disk as it was: its value, key, ttl, tags and instants. */
import type { Clock } from '../../clock.ts';
import { Entry, NO_EXTRAS } from '../../entry.ts';
import { entryOverheadBytes } from '../../entry-weight.ts';
import type { TierBook } from '../../tiers/tier-book.ts';
import { packedIfLighter } from '../../values/packing.ts';
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
  const taken = counters.values.take(value, rules.values);
  if (taken.refusal !== undefined || taken.weightBytes > rules.maxEntryBytes) return undefined;
  const packed = packedIfLighter(taken, rules, counters.values.types);
  const hasLinks = tags.length > 0 || dependsOn.length > 0;
  const links = hasLinks ? { tags, dependsOn } : undefined;
  const extras = hasLinks ? { ...NO_EXTRAS, links } : undefined;
  const now = clock.now();
  const origin = clock.epochAt(0);
  const staleAt = isProven ? stored.staleAt - origin : now;
  return new Entry({
    key,
    kept: packed?.kept ?? taken,
    counters,
    createdAt: stored.createdAt - origin,
    staleAt,
    // What is believed no longer is held for as long as its tier allows stale values, and no longer than it was to be.
    expiresAt: Math.min(stored.expiresAt - origin, isProven ? Number.POSITIVE_INFINITY : now + rules.holdMs),
    position,
    weightBytes: (packed ?? taken).weightBytes + entryOverheadBytes(key, extras),
    loadMicros,
    extras,
  });
}
