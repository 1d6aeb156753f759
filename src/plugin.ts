/**
 * The composition root for a host bot: its client and a configuration in, the cache with its warmers and the admin
 * commands out. It touches no prototype and none of the host's commands, and `stop` undoes all it did.
 */
import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  Client,
  Interaction,
  RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js';
import type { Clock } from './cache/clock.ts';
import type { Cache } from './cache/types.ts';
import type { AuditEntry } from './commands/command.ts';
import { adminCommands } from './commands/commands.ts';
import type { RegistrationPlan, RegistrationReport } from './commands/registration.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import type { Warmers, WarmTask } from './warmers/types.ts';

export interface CachecordOptions {
  readonly config: Config;
  /** What the warmers fill: a list, or a function of the cache that makes it. @default none */
  readonly warmTasks?: readonly WarmTask[] | ((cache: Cache) => readonly WarmTask[]);
  /** The host's own cache. A cache made here is stopped by `stop`, a cache handed in is not. @default one made from the configuration */
  readonly cache?: Cache;
  /** @default `console` */
  readonly logger?: Logger;
  /** @default the machine's */
  readonly clock?: Clock;
  /** Told every line of the audit log, e.g. to keep it in a table. */
  readonly auditSink?: (entry: AuditEntry) => void;
  /** Shown by `/cache-info`. @default Cachecord's own */
  readonly version?: string;
}

export interface StartOptions {
  /**
   * `all` answers our commands and components; `components` leaves the commands to the host's dispatcher; `none` leaves
   * everything to the host, who calls `handle`. @default 'all'
   */
  readonly listen?: 'all' | 'components' | 'none';
  /** Whether the commands are registered once the client is ready. @default true */
  readonly register?: boolean;
}

/** A command as the discord.js guide and the create-discord-bot template know it. */
export interface HostCommand {
  readonly data: RESTPostAPIChatInputApplicationCommandsJSONBody & { toJSON(): RESTPostAPIChatInputApplicationCommandsJSONBody };
  execute(interaction: ChatInputCommandInteraction): Promise<void>;
  autocomplete(interaction: AutocompleteInteraction): Promise<void>;
}

export interface Cachecord {
  readonly cache: Cache;
  readonly warmers: Warmers;
  /** For a host with a dispatcher and a deploy script of its own. */
  readonly commands: readonly HostCommand[];
  /** Answers the interaction if it is ours; false if it is not. Never throws. */
  handle(interaction: Interaction): Promise<boolean>;
  /** Listens, warms within the budget, and registers as soon as the client is ready. */
  start(options?: StartOptions): Promise<void>;
  /** Registers what differs, by upsert, and removes what is ours elsewhere. */
  register(): Promise<RegistrationReport>;
  /** What `register` would do; changes nothing. */
  plan(): Promise<RegistrationPlan>;
  /** Takes our commands off Discord. */
  unregister(): Promise<void>;
  /** Undoes everything that `start` did. Resolves within five seconds. */
  stop(): Promise<void>;
}

/** The definitions for the host's deploy script. Pure: neither a client nor a database. */
export function cacheCommandData(
  config: Config,
): readonly RESTPostAPIChatInputApplicationCommandsJSONBody[] {
  return adminCommands(config).map(({ data }) => data);
}

/** Puts the cache, its warmers and the admin commands beside the host's own. Nothing runs before `start`. */
export function createCachecord(_client: Client, _options: CachecordOptions): Cachecord {
  throw new Error('not composed yet');
}
