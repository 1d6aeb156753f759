/** A tier: a class of data with one policy. */
import type { LoadingPolicy } from './policy.ts';

/** The four classes of data every cache has. Authors may add more, hence {@link TierName}. */
export type BuiltInTier = 'config' | 'reference' | 'user' | 'query';

export type TierName = BuiltInTier | (string & {});

/** How one class of data is cached. Every number is already in milliseconds or a ratio. */
export interface TierPolicy extends LoadingPolicy {
  readonly tier: TierName;
  /** For people: `Configuration`, `Reference`. */
  readonly label: string;
  /** For people: what belongs here, in a few words. */
  readonly description: string;
  /** How long an entry is fresh. `0`: served to those who wait for the load, never kept. `Infinity`: until evicted or invalidated. */
  readonly ttlMs: number;
  /** The same for "no such row" (`null` and `undefined`). */
  readonly negativeTtlMs: number;
  readonly jitterRatio: number;
  /** The first key segments that belong to this tier unless a call says otherwise. */
  readonly namespaces: readonly string[];
}
