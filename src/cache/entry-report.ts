/** What is shown of an entry: everything but its value. */
import type { TierName } from './tiers/tier.ts';

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
