/** What the plugin takes and gives: the words that a host bot's author meets. */
import type { Cache } from '../cache/cache.ts';
import type { Clock } from '../cache/clock.ts';
import type { InvalidationTarget } from '../cache/keys/target.ts';
import type { ValueType } from '../cache/values/value-types.ts';
import type { AuditEntry } from '../commands/audit-entry.ts';
import type { CommandStore } from '../commands/registration/command-store.ts';
import type {
  CommandData,
  RegistrationPlan,
  RegistrationReport,
} from '../commands/registration/registration.ts';
import type { ShardLink } from '../commands/shards/shard-link.ts';
import type { Config } from '../config/config.ts';
import type { ForgetReceipt } from '../forget.ts';
import type { Logger } from '../logger.ts';
import type { Warmers, WarmTask } from '../warmers/types.ts';
import type { WriteBehind } from '../write-behind/types.ts';
import type { DiscordInteraction } from './discord.ts';

export interface CachecordOptions {
  /** What `loadConfig()` or `parseConfig({ … })` gives. @default the defaults: no admin guild, so no commands */
  readonly config?: Config | undefined;
  /** What the warmers fill: a list, or a function of the cache that makes it. @default none */
  readonly warmTasks?: readonly WarmTask[] | ((cache: Cache) => readonly WarmTask[]) | undefined;
  /** The host's own cache. A cache made here is stopped by `stop`, a cache handed in is not. @default one made from the configuration */
  readonly cache?: Cache | undefined;
  /** Classes whose instances may be kept, for the cache that is made here (`docs/values.md`). @default none */
  readonly valueTypes?: readonly ValueType[] | undefined;
  /**
   * From `createWriteBehind` on the same cache, or a function of the cache that makes it: shown by `/cache-info`, acted
   * upon with `/cache-writes`, included when somebody is forgotten, and drained by `stop`, after which its database may
   * be closed. @default none
   */
  readonly writeBehind?: WriteBehind | ((cache: Cache) => WriteBehind) | undefined;
  /** @default the console, one line a message */
  readonly logger?: Logger | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
  /** Told every line of the audit log, e.g. to keep it in a table. */
  readonly auditSink?: ((entry: AuditEntry) => void) | undefined;
  /**
   * Remembers which commands are ours, so that a guild that is no longer an admin guild loses them at the next start.
   * @default memory, which forgets at the end of the process: there the commands stay listed, and refuse everybody
   */
  readonly commandStore?: CommandStore | undefined;
  /** The way to the bot's other processes. @default through discord.js's ShardingManager, where it started this one */
  readonly shards?: ShardLink | undefined;
  /** Shown by `/cache-info`. @default Cachecord's own */
  readonly version?: string | undefined;
}

export interface StartOptions {
  /**
   * `all` answers our commands and components; `components` leaves the commands to the host's dispatcher; `none` leaves
   * everything to the host, who calls `handle`. @default 'all'
   */
  readonly listen?: 'all' | 'components' | 'none' | undefined;
  /** Whether the commands are registered once the client is ready. @default true */
  readonly register?: boolean | undefined;
}

/** A command as the discord.js guide and the create-discord-bot template know it. */
export interface HostCommand {
  readonly data: CommandData & { toJSON(): CommandData };
  execute(interaction: DiscordInteraction): Promise<void>;
  autocomplete(interaction: DiscordInteraction): Promise<void>;
}

export interface Cachecord {
  readonly cache: Cache;
  readonly warmers: Warmers;
  /** For a host with a dispatcher and a deploy script of its own. */
  readonly commands: readonly HostCommand[];
  /**
   * Answers the interaction if it is ours; false if it is not. For the beginning of a dispatcher of the host's.
   * Rejects only for what is no interaction.
   * @example
   * if (await cachecord.handle(interaction)) return;
   */
  handle(interaction: DiscordInteraction): Promise<boolean>;
  /**
   * Listens, warms within the budget, and registers as soon as the client is ready. Adds one listener for interactions,
   * before the host's, whose calls of `reply` and the like on ours then do nothing; one for guilds that are left; one for
   * the requests of the REST client, to notice a bulk PUT of the commands; and one for the client's errors, without
   * which an error ends the process. Called again, it does nothing more.
   * @throws CacheError `ERR_ARGUMENT_INVALID` for options that make no sense, and where another Cachecord runs on the
   *   client, since two would both answer: await its `stop` first, as at a hot reload; `ERR_CLOSED` after `stop`
   */
  start(options?: StartOptions): Promise<void>;
  /**
   * Registers what differs, by upsert, and takes our commands off guilds that the configuration no longer names. Those
   * of an earlier process are known where there is a `commandStore`. Of several processes, each does this for the guilds
   * of its own shard.
   * @throws CacheError `ERR_CLOSED` after `stop`
   */
  register(): Promise<RegistrationReport>;
  /**
   * What `register` would do; changes nothing.
   * @throws CacheError `ERR_CLOSED` after `stop`
   */
  plan(): Promise<RegistrationPlan>;
  /**
   * Takes our commands off Discord.
   * @throws CacheError `ERR_CLOSED` after `stop`
   */
  unregister(): Promise<void>;
  /**
   * Removes what the cache holds of a person from memory, disk and statistics: every key with the id as a segment, and
   * what is tagged `user:ID`. The host's own tables are the host's.
   * @param also more keys, patterns and tags of theirs
   */
  forgetUser(id: string, also?: readonly InvalidationTarget[]): Promise<ForgetReceipt>;
  /** The same for a guild (`guild:ID`). Done by itself when the bot leaves one, though not when Discord loses sight of it. */
  forgetGuild(id: string, also?: readonly InvalidationTarget[]): Promise<ForgetReceipt>;
  /**
   * Undoes everything that `start` did, and ends the plugin's requests to Discord. Resolves within five seconds. Answers
   * to interactions that are under way are discord.js's own: see docs/hosts.md.
   */
  stop(): Promise<void>;
}
