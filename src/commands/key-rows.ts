/** The keys that `/cache-stats` lists: the most used first, then others that are resident, a few hundred at most. */
import type { Cache } from '../cache/types.ts';
import type { KeyRow } from './views/keys.ts';

/** 25 pages of ten; who looks for more types a key. */
export const MAX_LISTED_KEYS = 250;

export function keyRows(cache: Cache, tier?: string): KeyRow[] {
  const rows = new Map<string, KeyRow>();
  for (const top of cache.stats(MAX_LISTED_KEYS).topKeys) {
    if (top.weightBytes === undefined) continue;
    rows.set(top.key, { ...top, createdAt: cache.inspect(top.key)?.createdAt });
  }
  for (const key of cache.keys('', MAX_LISTED_KEYS)) {
    if (!rows.has(key)) rows.set(key, rowOf(cache, key));
  }
  return [...rows.values()]
    .filter((row) => tier === undefined || row.tier === tier)
    .slice(0, MAX_LISTED_KEYS);
}

function rowOf(cache: Cache, key: string): KeyRow {
  const report = cache.inspect(key);
  const now = cache.clock.epochAt(cache.clock.now());
  return {
    key,
    tier: report?.tier ?? '',
    hits: report?.hits ?? 0,
    weightBytes: report?.weightBytes,
    freshForMs: report === undefined ? undefined : report.staleAt - now,
    createdAt: report?.createdAt,
  };
}

/** Whether a key is on disk; `undefined` where there is no disk layer. */
export async function isOnDisk(cache: Cache, key: string): Promise<boolean | undefined> {
  if (cache.stats(0).disk === null) return undefined;
  return (await cache.preview(key)).stored > 0;
}
