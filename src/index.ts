/** The package's public API: named re-exports and nothing else. */

export type { Cache, Lookup } from './cache/cache.ts';
export type { CacheOptions, DiskOptions } from './cache/cache-options.ts';
export { type Clock, systemClock } from './cache/clock.ts';
export { createCache } from './cache/create-cache.ts';
export type { EntryOptions, LoadOptions } from './cache/entry-options.ts';
export type { EntryReport } from './cache/entry-report.ts';
export { CacheError, type CacheErrorCode, type CacheErrorOptions } from './cache/errors.ts';
export type { CacheEvents } from './cache/events.ts';
export type { Preview } from './cache/index/preview.ts';
export { escapeSegment, hashParameters, type KeyPart, key } from './cache/keys/keys.ts';
export type { InvalidationTarget } from './cache/keys/target.ts';
export type { Provenance } from './cache/layers/disk/provenance.ts';
export type { LoadContext, Loader } from './cache/loading/load-context.ts';
export type { Forgotten, Removal, RemovalReason } from './cache/removal.ts';
export type {
  CacheStats,
  DiskStats,
  FeedStats,
  Figures,
  LoadTimeBucket,
  LoadTimes,
  RefusalReason,
  StaleReason,
  TopKey,
  WarmedFigures,
  WarmthStats,
  WindowFigures,
} from './cache/statistics/stats.ts';
export { defineTier, type TierDefinition } from './cache/tiers/define-tier.ts';
export type { AdaptiveTtl, LoadingPolicy, ValuesMode } from './cache/tiers/policy.ts';
export type { BuiltInTier, TierName, TierPolicy } from './cache/tiers/tier.ts';
export type { ChangeSource } from './cache/transactions/change-source.ts';
export {
  type SqliteCache,
  type SqliteCacheOptions,
  type SqliteDatabase,
  type SqliteTransaction,
  sqliteCache,
} from './cache/transactions/sqlite.ts';
export type { DeepReadonly, Frozen } from './cache/values/deep-readonly.ts';
export type { ValueType } from './cache/values/value-types.ts';
export type { WarmJob } from './cache/warm-job.ts';
export {
  type CacheSelector,
  cachedMethod,
  cachedMethodOf,
  cachedSyncMethod,
  invalidatesAfter,
  keepWarm,
  type MethodDecorator,
} from './cache/wrappers/decorators.ts';
export type { EntryPlanOptions } from './cache/wrappers/entry-plan.ts';
export type { InvalidationOptions, InvalidationTargets } from './cache/wrappers/invalidation-plan.ts';
export {
  type Cached,
  type CachedControls,
  cached,
  cachedSync,
  type FrozenCached,
  invalidates,
} from './cache/wrappers/wrappers.ts';
export type { AuditAction, AuditEntry } from './commands/audit-entry.ts';
export type { CommandStore, KeptCommand } from './commands/registration/command-store.ts';
export type { FormerGuild } from './commands/registration/former.ts';
export type {
  GuildRegistration,
  RegistrationPlan,
  RegistrationReport,
} from './commands/registration/registration.ts';
export {
  type ShardAnswer,
  type ShardLink,
  type ShardMessage,
  ShardUnreachable,
} from './commands/shards/shard-link.ts';
export {
  type Config,
  configNotices,
  type LoadConfigOptions,
  loadConfig,
  parseConfig,
} from './config/config.ts';
export type { FeedDatabase, FeedStatement, SqliteValue } from './feed/database.ts';
export type { GapReason } from './feed/drain.ts';
export { unwatchTables } from './feed/install.ts';
export type { Beginning as FeedBeginning, FeedPosition } from './feed/readers.ts';
export type {
  ChangeKind,
  DerivedRule,
  RuleTarget,
  TableRule,
  TableRules,
  TemplateRule,
} from './feed/rules.ts';
export type { WatchOptions } from './feed/watch-options.ts';
export { type Feed, watchTables } from './feed/watch-tables.ts';
export type { ForgetReceipt } from './forget.ts';
export {
  type CacheResponseOptions,
  cacheResponse,
  type RequestHandler,
} from './http/cache-response.ts';
export { type Logger, silentLogger } from './logger.ts';
export { migrateFrom } from './migration/migrate-from.ts';
export type {
  MigrateOptions,
  MigratingAsyncCache,
  MigratingCache,
  MigrationDifference,
  MigrationPhase,
  MigrationReport,
  NamespaceMigration,
  NamespaceReport,
  OldAsyncCache,
  OldCache,
} from './migration/types.ts';
export type { Cachecord, CachecordOptions, HostCommand, StartOptions } from './plugin/cachecord.ts';
export type { DiscordClient, DiscordInteraction } from './plugin/discord.ts';
export { cacheCommandData, createCachecord } from './plugin/plugin.ts';
export type {
  WarmerStatus,
  Warmers,
  WarmReport,
  WarmRequest,
  WarmRun,
  WarmScope,
  WarmTask,
  WarmTaskReport,
  WarmTrigger,
} from './warmers/types.ts';
export { createWarmers, type WarmersOptions } from './warmers/warmers.ts';
export { type ApplyOnceOptions, applyOnce, type TargetDatabase } from './write-behind/apply-once.ts';
export type { JournalDatabase, JournalStatement } from './write-behind/database.ts';
export type { Synchronous } from './write-behind/journal.ts';
export { type OpenJournalOptions, openJournal } from './write-behind/open-journal.ts';
export type {
  DeadLetter,
  DeadSelection,
  ForgottenWrites,
  Save,
  SaveContext,
  SaveItem,
  StopReport,
  WriteBehind,
  WriteBehindStats,
  Writer,
  WriterOptions,
  WriterStats,
} from './write-behind/types.ts';
export { createWriteBehind, type WriteBehindOptions } from './write-behind/write-behind.ts';
