/**
 * The configuration of the playground's bot: what config.json says, and for two tiers of which it says nothing, every
 * policy for bad times. Query results are fresh for so short that a person need not wait to see them grow old, and what
 * is kept is on disk after so short that they need not wait before they kill the bot.
 */
import type { Config } from '../src/config/config.ts';
import { tierPolicies } from '../src/config/tiers.ts';

export const QUERY_TTL_SECONDS = 20;
const PERSIST_SECONDS = 2;

/** Seconds. A command must be answered within three, so a load is given up before. */
const POLICIES = {
  stale_while_revalidate: 20,
  grace: 3_600,
  grace_backoff: 5,
  soft_timeout: 0.3,
  hard_timeout: 2.5,
} as const;

/** A tier of one's own, as an author would add it: that of the bot's `/api/status`. */
const STATUS = {
  ttl: 5,
  label: 'Status of the bot',
  description: 'What /api/status answers.',
} as const;

export function watchable(config: Config): Config {
  const said = config.cacheSection.tiers ?? {};
  const { ttl_query: ttl } = config.cacheSection;
  const { disk } = config.cache;
  const persist = Math.min(config.cacheSection.persist_interval, PERSIST_SECONDS);
  const query = said.query === undefined ? Math.min(ttl, QUERY_TTL_SECONDS) : ttl;
  const shortened = `searches, leaderboards. The playground shortens the ttl, which is ${ttl.toLocaleString('en-US')} s in config.json.`;
  const section = {
    ...config.cacheSection,
    persist_interval: persist,
    ttl_query: query,
    tiers: {
      query: query < ttl ? { ...POLICIES, description: shortened } : POLICIES,
      reference: POLICIES,
      system_status: STATUS,
      ...said,
    },
  };
  const tiers = tierPolicies({ ...section, disk_path: disk?.path ?? null });
  const cache = {
    ...config.cache,
    tiers,
    ...(disk === undefined ? {} : { disk: { ...disk, intervalMs: persist * 1_000 } }),
  };
  return { ...config, cacheSection: section, cache };
}
