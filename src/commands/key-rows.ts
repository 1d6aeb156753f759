/** The keys that `/cache-stats` lists: the most used first, then others in memory, then those on disk, a few hundred at most. */
import type { Cache } from '../cache/cache.ts';
import type { StoredReport } from '../cache/entry-report.ts';
import type { KeyRow } from './views/keys.ts';

/** For the namespaces of a tier together: each takes up to 2 ms where much of it has expired (I12). */
const MAX_LOOKING_MS = 4;
/** 25 pages of ten; who looks for more types a key. */
const MAX_LISTED_KEYS = 250;

export function keyRows(cache: Cache, tier?: string): KeyRow[] {
  const rows = new Map<string, KeyRow>();
  for (const top of cache.stats(MAX_LISTED_KEYS).topKeys) {
    if (top.weightBytes === undefined) continue;
    rows.set(top.key, { ...top, createdAt: cache.inspect(top.key)?.createdAt });
  }
  for (const key of cache.keys('', MAX_LISTED_KEYS)) {
    if (!rows.has(key)) rows.set(key, rowOf(cache, key));
  }
  for (const report of storedReports(cache, tier)) {
    if (!rows.has(report.key)) rows.set(report.key, storedRow(cache, report));
  }
  return [...rows.values()]
    .filter((row) => tier === undefined || row.tier === tier)
    .slice(0, MAX_LISTED_KEYS);
}

function rowOf(cache: Cache, key: string): KeyRow {
  const report = cache.inspect(key);
  return {
    key,
    tier: report?.tier ?? '',
    hits: report?.hits ?? 0,
    weightBytes: report?.weightBytes,
    freshForMs: report === undefined ? undefined : report.staleAt - nowAt(cache),
    createdAt: report?.createdAt,
  };
}

function storedRow(cache: Cache, report: StoredReport): KeyRow {
  const { key, tier, bytes, staleAt, createdAt, isProven } = report;
  const freshForMs = isProven ? staleAt - nowAt(cache) : 0;
  // One that is resident was not among those that were seen.
  const resident = cache.inspect(key);
  if (resident !== undefined) return rowOf(cache, key);
  return { key, tier, hits: 0, weightBytes: bytes, freshForMs, createdAt, isOnDiskAlone: true };
}

/** Those of a tier are looked for where they lie, or the first few hundred of others would hide them. */
function storedReports(cache: Cache, tier: string | undefined): StoredReport[] {
  const { stored } = cache;
  if (stored === undefined) return [];
  if (tier === undefined) return stored.list('', MAX_LISTED_KEYS);
  const reports: StoredReport[] = [];
  const until = cache.clock.precise() + MAX_LOOKING_MS;
  for (const row of stored.namespaces(MAX_LISTED_KEYS)) {
    if (reports.length >= MAX_LISTED_KEYS || cache.clock.precise() > until) break;
    if (row.tier === tier) reports.push(...stored.list(row.namespace, MAX_LISTED_KEYS));
  }
  return reports;
}

function nowAt({ clock }: Cache): number {
  return clock.epochAt(clock.now());
}
