/** What a call may say of its entry, beside what its tier says. */
import type { LoadingPolicy } from './tiers/policy.ts';
import type { TierName } from './tiers/tier.ts';

export interface EntryOptions extends LoadingPolicy {
  /** @default the tier of the key's namespace, else `query` */
  readonly tier?: TierName | undefined;
  /** Overrides the tier's ttl. */
  readonly ttlMs?: number | undefined;
  /** Overrides the tier's ttl for `null` and `undefined`. */
  readonly negativeTtlMs?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Invalidating one of these keys invalidates this entry too. */
  readonly dependsOn?: readonly string[] | undefined;
}

export interface LoadOptions extends EntryOptions {
  /** Loads even when there is a fresh entry and puts the new value in its place; nobody waits meanwhile. @default false */
  readonly fresh?: boolean | undefined;
}
