/**
 * The configuration read, checked and converted. The file speaks seconds and megabytes; everything behind this file
 * speaks milliseconds and bytes. What may stand in it is said in schema.ts, how a problem reads in problem-text.ts, and
 * which file is read in config-file.ts.
 * Its invariant: a configuration is complete and right, or all of its problems are thrown at once.
 */

import { dirname, join, resolve } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { invalidArgument, kindOf } from '../cache/arguments.ts';
import type { DiskOptions } from '../cache/cache-options.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import { isPromiseLike } from '../cache/promise-like.ts';
import type { TierPolicy } from '../cache/tiers/tier.ts';
import { consoleLogger } from '../logger/console-logger.ts';
import { withoutSecrets } from '../logger/secrets.ts';
import type { Logger } from '../logger.ts';
import { findConfigFile, invalidConfig, readConfigFile } from './config-file.ts';
import { fileProblems } from './problem-text.ts';
import { type ConfigFile, configFileSchema, SNOWFLAKE } from './schema.ts';
import { tierNotices } from './tier-notices.ts';
import { scopeProblems, tierProblems } from './tier-problems.ts';
import type { TierSection } from './tier-section.ts';
import { tierPolicies } from './tiers.ts';

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
    ttl_negative: number;
    jitter: number;
    disk_path: string | null;
    max_disk_mb: number;
    persist_interval: number;
    cleanup_interval: number;
    /** Tiers of the author's own, and policies for the built-in ones. */
    tiers?: Readonly<Record<string, TierSection>> | undefined;
  }>;
  readonly cache: {
    readonly enabled: boolean;
    readonly maxWeightBytes: number;
    readonly cleanupIntervalMs: number;
    /** The four built-in ones, then the author's own. */
    readonly tiers: readonly TierPolicy[];
    /** Absent: no disk layer. */
    readonly disk?: DiskOptions;
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
    /** What the startup warmer fills. @default `config` and `reference` */
    readonly startupScopes?: readonly string[] | undefined;
    readonly concurrency: number;
    /** So many of the most used keys are loaded at the start, and before the hours at which they are used; 0: none. */
    readonly hotKeys: number;
    /** Whether what the last days used at an hour is loaded before it. */
    readonly isPredictive: boolean;
    /** `reference` is warmed again every so often; 0 turns it off. @default six hours */
    readonly referenceIntervalMs: number;
    readonly referenceJitterMs: number;
    readonly user: {
      readonly enabled: boolean;
      /** People waiting to be warmed at once; more are dropped and counted. */
      readonly maxWaiting: number;
      /** A person is not warmed again before this has passed: the ttl of tier `user`. */
      readonly againAfterMs: number;
    };
  };
  readonly database: {
    readonly path: string;
    /** How often changes that others make are looked for. */
    readonly pollIntervalMs: number;
  };
  /** The journal of what is not saved yet. */
  readonly writeBehind: { readonly path: string; readonly synchronous: 'normal' | 'full' };
  /** The reference bot's HTTP API. Port 0 is any free one. */
  readonly api: { readonly enabled: boolean; readonly host: string; readonly port: number };
  /** The file it was read from, and when (epoch ms); `null` where it was given as an object. */
  readonly source: { readonly path: string; readonly readAt: number } | null;
}

export interface LoadConfigOptions {
  /** @default `cachecord.json` in the working directory, or a `config.json` there that has a section `cache` */
  readonly path?: string | undefined;
  /** @default `process.env` */
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Is told which file was read, one line at most. @default one line on standard error or output */
  readonly logger?: (Pick<Logger, 'warn'> & Partial<Pick<Logger, 'info'>>) | undefined;
}

const LOAD_OPTIONS: OptionNames<LoadConfigOptions> = { path: true, env: true, logger: true };

/** How an admin guild is named. */
export const NAME_A_GUILD =
  'set `admin.guild_ids` in cachecord.json or ADMIN_GUILD_ID in the environment, and read them with `config: loadConfig()`.';

/** A megabyte, as the replies count it. */
const MB = 1_024 * 1_024;
const SECOND_MS = 1_000;

/**
 * Reads the configuration: from `cachecord.json` in the working directory, else from a `config.json` there that has a
 * section `cache`. There the bot's own settings may stand beside ours and are not looked at. A `config.json` that has
 * nothing of ours is the bot's own, and the defaults hold, as they do where there is no file. `source` of the result is
 * the file that was read.
 * @throws CacheError `ERR_CONFIG_INVALID` with every problem, each with its path and what to do;
 *   `ERR_ARGUMENT_INVALID` for options that do not exist
 * @example
 * createCachecord(client, { config: loadConfig() });
 */
export function loadConfig(options: LoadConfigOptions = {}): Config {
  if (typeof options === 'string') {
    throw invalidArgument(
      'loadConfig(options)',
      "options is a text, expected an object: write { path: '…' }",
    );
  }
  assertKnown('loadConfig', options, LOAD_OPTIONS);
  const { path, env = process.env, logger = consoleLogger } = options;
  if (path !== undefined && typeof path !== 'string') {
    throw invalidArgument(
      'loadConfig(options)',
      `path is ${kindOf(path)}, expected a file's path such as './cachecord.json'`,
    );
  }
  assertEnv(env, 'loadConfig(options)');
  const found = path === undefined ? findConfigFile(process.cwd()) : readConfigFile(resolve(path));
  if (found.notice !== undefined) logger[found.notice.level]?.(found.notice.text);
  const source = found.isRead ? { path: found.path, readAt: Date.now() } : null;
  return parse(found.sections, env, { name: found.path, ...found }, source);
}

function assertEnv(env: unknown, usage: string): void {
  if (typeof env === 'object' && env !== null) return;
  throw invalidArgument(usage, `env is ${kindOf(env)}, expected process.env, or an object like it`);
}

/** Whether a value is what `loadConfig` and `parseConfig` give. */
export function isConfig(value: unknown): value is Config {
  if (typeof value !== 'object' || value === null) return false;
  return ['cacheSection', 'cache', 'admin', 'warmers'].every(
    (name) => typeof Reflect.get(value, name) === 'object',
  );
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what is no complete configuration, with what to write */
export function assertConfig(value: unknown, usage: string): asserts value is Config {
  if (isConfig(value)) return;
  const hint =
    typeof value === 'string'
      ? `write loadConfig({ path: ${JSON.stringify(value)} })`
      : isPromiseLike(value)
        ? 'await it first'
        : value === loadConfig
          ? 'call it: loadConfig()'
          : 'expected what loadConfig() gives, or parseConfig({ … }) for an object of your own';
  throw invalidArgument(usage, `config is ${kindOf(value)}: ${hint}`);
}

/**
 * Checks a configuration that is an object already.
 * @param env `ADMIN_GUILD_ID`, `DATABASE_PATH`, `CACHE_PATH`, `WRITE_BEHIND_PATH` and `API_PORT` override what the object says; by default nothing does
 * @throws CacheError `ERR_CONFIG_INVALID` with every problem, each with its path and what to do
 */
export function parseConfig(value: unknown, env: NodeJS.ProcessEnv = {}): Config {
  if (isConfig(value)) {
    throw invalidArgument('parseConfig(value)', 'value is a configuration already: use it as it is');
  }
  assertEnv(env, 'parseConfig(value, env)');
  const advice =
    typeof value === 'string'
      ? "parseConfig(value) takes an object; for a file write loadConfig({ path: '…' })."
      : undefined;
  return parse(value, env, { name: 'config', problems: [], advice }, null);
}

/** What is legal but hardly meant, for the log and `/cache-info`. One sentence each, none for the defaults with a guild. */
export function configNotices(
  config: Config,
  heapLimitBytes: number = getHeapStatistics().heap_size_limit,
): string[] {
  assertConfig(config, 'configNotices(config)');
  const { cacheSection: section, admin, warmers } = config;
  const { tiers } = config.cache;
  const longestTtl = Math.max(...tiers.map(({ ttlMs }) => ttlMs)) / SECOND_MS;
  const never = (['ttl_config', 'ttl_reference', 'ttl_user', 'ttl_query'] as const).filter(
    (name) => section[name] === 0,
  );
  const cases: readonly (readonly [when: boolean, notice: string])[] = [
    [!section.enabled, '`cache.enabled` is false: every read goes to the database.'],
    ...never.map((name) => [true, `\`cache.${name}\` is 0: entries of that tier are never kept.`] as const),
    [section.ttl_user > section.ttl_reference, '`ttl_user` is longer than `ttl_reference`.'],
    [section.ttl_reference > section.ttl_config, '`ttl_reference` is longer than `ttl_config`.'],
    [
      section.cleanup_interval > longestTtl && longestTtl > 0,
      '`cleanup_interval` is longer than every ttl: expired entries hold their memory until then.',
    ],
    [
      config.cache.maxWeightBytes > heapLimitBytes / 2,
      `\`max_size_mb\` is more than half of the heap that Node allows (${Math.floor(heapLimitBytes / MB)} MB): ` +
        'lower it, or raise `--max-old-space-size`.',
    ],
    [
      section.ttl_reference > 0 &&
        warmers.referenceIntervalMs - warmers.referenceJitterMs > section.ttl_reference * SECOND_MS,
      '`warmers.reference_interval` is longer than `ttl_reference`: reference data goes stale between two runs.',
    ],
    ...tierNotices(tiers, {
      maxWeightBytes: config.cache.maxWeightBytes,
      hasDisk: config.cache.disk !== undefined,
    }).map((notice) => [true, notice] as const),
    [
      admin.guildIds.length === 0,
      `No admin guild is named, so the cache commands are registered nowhere: ${NAME_A_GUILD}`,
    ],
  ];
  return cases.filter(([when]) => when).map(([, notice]) => notice);
}

/** Where a configuration comes from, for the complaint. */
interface Origin {
  readonly name: string;
  /** What was found wrong before. */
  readonly problems: readonly string[];
  readonly advice?: string | undefined;
}

function parse(value: unknown, env: NodeJS.ProcessEnv, origin: Origin, source: Config['source']): Config {
  const result = configFileSchema.safeParse(value);
  const apiPort = env.API_PORT?.trim() ?? '';
  const guildIds = env.ADMIN_GUILD_ID?.split(',').flatMap((id) => id.trim() || []) ?? [];
  const environment = [
    ...guildIds
      .filter((id) => !SNOWFLAKE.test(id))
      .map(
        (id) =>
          `ADMIN_GUILD_ID: "${withoutSecrets(id).slice(0, 40)}" is no Discord id, expected 17 to 20 digits`,
      ),
    ...(isPort(apiPort) ? [] : [`API_PORT: "${apiPort.slice(0, 40)}" is no port, expected 0 to 65535`]),
  ];
  const problems = [
    ...origin.problems,
    ...fileProblems(value, result.error),
    ...tierProblems(value),
    ...scopeProblems(value),
    ...(result.success ? [...contradictions(result.data), ...pathProblems(result.data, env)] : []),
  ];
  if (!result.success || problems.length > 0) {
    throw invalidConfig(origin.name, [...problems, ...environment], origin.advice);
  }
  if (environment.length > 0) throw invalidConfig('The environment', environment);
  return converted(
    result.data,
    {
      guildIds,
      apiPort,
      databasePath: env.DATABASE_PATH?.trim() ?? '',
      cachePath: env.CACHE_PATH?.trim() ?? '',
      writeBehindPath: env.WRITE_BEHIND_PATH?.trim() ?? '',
    },
    source,
  );
}

function isPort(text: string): boolean {
  return /^\d{0,5}$/.test(text) && Number(text) <= 65_535;
}

/** What the environment says, checked; empty where it says nothing. */
interface Overrides {
  readonly guildIds: readonly string[];
  readonly apiPort: string;
  readonly databasePath: string;
  readonly cachePath: string;
  readonly writeBehindPath: string;
}

function contradictions({ warmers }: ConfigFile): string[] {
  const { reference_interval: interval, reference_jitter: jitter } = warmers;
  return interval > 0 && jitter >= interval
    ? [
        `warmers.reference_jitter: is ${jitter}, expected less than reference_interval (${interval}), or the runs could meet`,
      ]
    : [];
}

/** Each file is its owner's alone: a cache or a journal in the bot's database would be taken for damage, or damage it. */
function pathProblems({ cache, database, write_behind }: ConfigFile, env: NodeJS.ProcessEnv): string[] {
  const disk = env.CACHE_PATH?.trim() || cache.disk_path;
  const shop = env.DATABASE_PATH?.trim() || database.path;
  const journal = env.WRITE_BEHIND_PATH?.trim() || write_behind.path;
  const isSame = (one: string | null, other: string | null) =>
    one !== null && other !== null && other !== ':memory:' && resolve(one) === resolve(other);
  const cases: readonly (readonly [when: boolean, problem: string])[] = [
    [
      disk === ':memory:',
      'cache.disk_path: is ":memory:", expected the path of a file, or null for no disk layer',
    ],
    [isSame(disk, shop), "cache.disk_path: is the bot's database, expected a file of its own"],
    [isSame(disk, journal), 'cache.disk_path: is the journal of write-behind, expected a file of its own'],
    [isSame(journal, shop), "write_behind.path: is the bot's database, expected a file of its own"],
  ];
  return cases.filter(([when]) => when).map(([, problem]) => problem);
}

function converted(
  { cache, admin, warmers, database, write_behind, api }: ConfigFile,
  { guildIds, apiPort, databasePath, cachePath, writeBehindPath }: Overrides,
  source: Config['source'],
): Config {
  return {
    cacheSection: cache,
    cache: {
      enabled: cache.enabled,
      maxWeightBytes: Math.max(1, Math.floor(cache.max_size_mb * MB)),
      cleanupIntervalMs: ms(cache.cleanup_interval),
      tiers: tierPolicies({ ...cache, disk_path: cachePath || cache.disk_path }),
      ...diskOptions(cache, warmers, cachePath),
    },
    admin: {
      guildIds: [...new Set(guildIds.length > 0 ? guildIds : admin.guild_ids)],
      userIds: admin.user_ids,
      roleIds: admin.role_ids,
      allowGuildAdministrators: admin.allow_guild_administrators,
      auditChannelId: admin.audit_channel_id,
      replyStyle: admin.reply_style,
      confirmAbove: admin.confirm_above,
      cooldownMs: ms(admin.cooldown),
    },
    warmers: {
      startupBudgetMs: ms(warmers.startup_budget),
      startupScopes: warmers.startup_scopes,
      concurrency: warmers.concurrency,
      hotKeys: warmers.hot_keys,
      isPredictive: warmers.predictive,
      referenceIntervalMs: ms(warmers.reference_interval),
      referenceJitterMs: ms(warmers.reference_jitter),
      user: {
        enabled: warmers.user.enabled,
        maxWaiting: warmers.user.max_waiting,
        againAfterMs: ms(cache.ttl_user),
      },
    },
    database: { path: databasePath || database.path, pollIntervalMs: ms(database.poll_interval) },
    writeBehind: {
      path: writeBehindPath || (write_behind.path ?? besideDatabase(databasePath || database.path)),
      synchronous: write_behind.synchronous,
    },
    api: { ...api, port: apiPort === '' ? api.port : Number(apiPort) },
    source,
  };
}

function besideDatabase(databasePath: string): string {
  return databasePath === ':memory:' ? databasePath : join(dirname(databasePath), 'write-behind.db');
}

function diskOptions(
  cache: ConfigFile['cache'],
  warmers: ConfigFile['warmers'],
  cachePath: string,
): { disk?: DiskOptions } {
  const path = cachePath || cache.disk_path;
  if (path === null) return {};
  return {
    disk: {
      path,
      maxBytes: Math.floor(cache.max_disk_mb * MB),
      intervalMs: ms(cache.persist_interval),
      version: cache.disk_version,
      remembersUse: warmers.hot_keys > 0,
    },
  };
}

function ms(seconds: number): number {
  return Math.round(seconds * SECOND_MS);
}
