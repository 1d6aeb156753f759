/** What is shown of an entry: everything but its value. */
import type { Clock } from './clock.ts';
import type { Adaptation, Entry } from './entry.ts';
import type { TierName } from './tiers/tier.ts';
import { Packed } from './values/packed.ts';

/** One entry on disk, without its value. Instants are epoch milliseconds. */
export interface StoredReport {
  readonly key: string;
  readonly namespace: string;
  readonly tier: TierName;
  readonly createdAt: number;
  readonly staleAt: number;
  readonly expiresAt: number;
  /** Of the value as it is stored. */
  readonly bytes: number;
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
  /** False: nothing proves that it has not been changed since, so that it counts as stale. */
  readonly isProven: boolean;
}

/** What is shown of an entry: everything but its value. */
export function reportOf(entry: Entry, clock: Clock): EntryReport {
  const { key, counters, value, extras, links, loadMicros } = entry;
  const epochAt = (at: number) => (at === Number.POSITIVE_INFINITY ? at : clock.epochAt(at));
  return {
    key,
    namespace: counters.namespace,
    tier: counters.policy.tier,
    createdAt: clock.epochAt(entry.createdAt),
    staleAt: epochAt(entry.staleAt),
    expiresAt: epochAt(entry.expiresAt),
    ttlReason: extras?.adaptation === undefined ? undefined : reasonOf(extras.adaptation),
    uncompressedBytes: value instanceof Packed ? value.plainBytes : undefined,
    hits: entry.hits,
    weightBytes: entry.weightBytes,
    loadMs: loadMicros < 0 ? undefined : loadMicros / 1_000,
    shape: value instanceof Packed ? 'compressed' : shapeOf(value),
    tags: links?.tags ?? [],
    dependsOn: links?.dependsOn ?? [],
  };
}

function reasonOf({ baseMs, ttlMs, unchanged, changed }: Adaptation): string {
  if (unchanged + changed === 0) return 'adaptive: not reloaded yet';
  return `adaptive: ${seconds(baseMs)} became ${seconds(ttlMs)}; unchanged at ${unchanged} of ${unchanged + changed} reloads`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toLocaleString('en', { maximumFractionDigits: 1 })} s`;
}

/** What kind of thing a value is, for people: `object (7 fields)`. */
function shapeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `array (${value.length} items)`;
  if (value instanceof Map || value instanceof Set) return `${value.constructor.name} (${value.size} items)`;
  if (value instanceof Uint8Array) return `bytes (${value.length})`;
  if (value instanceof Date) return 'date';
  if (typeof value === 'object') return `object (${Object.keys(value).length} fields)`;
  return typeof value === 'string' ? `text (${value.length} characters)` : typeof value;
}

/** One entry, without its value. Instants are epoch milliseconds. */
export interface EntryReport {
  readonly key: string;
  readonly namespace: string;
  readonly tier: TierName;
  readonly createdAt: number;
  /** Until then it is fresh. `Infinity` where the ttl is. */
  readonly staleAt: number;
  /** Until then it may be served stale, by the policies that allow it; `staleAt` where none does. */
  readonly expiresAt: number;
  /** Why its ttl is what it is, for people: `adaptive: unchanged at 3 reloads, 30 min became 4 h`. Absent: the tier's own. */
  readonly ttlReason: string | undefined;
  /** Bytes before compression; `undefined` where it is kept as it is. */
  readonly uncompressedBytes: number | undefined;
  readonly hits: number;
  readonly weightBytes: number;
  /** How long its load took; `undefined` for a value that was written. */
  readonly loadMs: number | undefined;
  /** `object (7 fields)`, `array (40 items)`, `null`. */
  readonly shape: string;
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
}
