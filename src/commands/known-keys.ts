/** Keys that people can be offered: those in memory, the most used first, then those that lie on disk alone. */
import type { Cache } from '../cache/cache.ts';

/** At most `limit` keys that begin with `prefix`; bounded in what is looked at, so not always all. */
export function knownKeys(cache: Cache, prefix: string, limit: number): string[] {
  const resident = cache.keys(prefix, limit);
  if (resident.length >= limit || cache.stored === undefined) return resident;
  // Those in memory may be among them, so that it takes as many again.
  const stored = cache.stored.list(prefix, limit).map(({ key }) => key);
  return [...new Set([...resident, ...stored])].slice(0, limit);
}

/** Of a disk with more namespaces the first are known. */
const MAX_NAMESPACES = 200;

/** The namespaces on disk, each with the tier of its first entry; none without a disk layer. */
export function storedNamespaces(
  cache: Cache,
): readonly { readonly namespace: string; readonly tier: string }[] {
  return cache.stored?.namespaces(MAX_NAMESPACES) ?? [];
}
