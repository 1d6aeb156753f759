/**
 * config.json: what may stand in it, what is assumed where it says nothing, and every problem at once.
 * The file speaks seconds and megabytes; everything behind this file speaks milliseconds and bytes.
 */
import type { TierPolicy } from './cache/types.ts';

/** The configuration after reading: complete, checked and converted. */
export interface Config {
  /** The section `cache` as it reads with the defaults filled in, for `/cache-info`. */
  readonly cacheSection: Readonly<{
    enabled: boolean;
    max_size_mb: number;
    ttl_config: number;
    ttl_reference: number;
    ttl_user: number;
    ttl_query: number;
    cleanup_interval: number;
  }>;
  readonly cache: {
    readonly enabled: boolean;
    readonly maxWeightBytes: number;
    readonly cleanupIntervalMs: number;
    readonly tiers: readonly TierPolicy[];
  };
  readonly admin: {
    /** Where the commands are registered and usable; none: nothing is registered. */
    readonly guildIds: readonly string[];
    readonly userIds: readonly string[];
    readonly roleIds: readonly string[];
    /** Also lets in the administrators of the admin guilds. @default false */
    readonly allowGuildAdministrators: boolean;
    readonly auditChannelId: string | null;
    /** @default 'components' */
    readonly replyStyle: 'components' | 'embeds';
    /** Clears that cover more entries than this ask first. @default 5 */
    readonly confirmAbove: number;
    /** A second clear or warm by the same person within this time is refused. */
    readonly cooldownMs: number;
  };
  readonly warmers: {
    /** Login waits for the startup warmer at most this long. */
    readonly startupBudgetMs: number;
    readonly concurrency: number;
    /** `reference` is warmed again every so often; 0 turns it off. @default six hours */
    readonly referenceIntervalMs: number;
    readonly referenceJitterMs: number;
    readonly user: {
      readonly enabled: boolean;
      /** People waiting to be warmed at once; more are dropped and counted. */
      readonly maxWaiting: number;
    };
  };
  readonly database: { readonly path: string };
  /** The file it was read from, and when (epoch ms); `null` where it was given as an object. */
  readonly source: { readonly path: string; readonly readAt: number } | null;
}
