/**
 * What a command is: its definition and what it does. The dispatcher asks the allow-list, keeps the cooldowns and
 * holds the one error boundary; a command only reads the cache, acts, and answers.
 */
import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  MessageComponentInteraction,
  ModalSubmitInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js';
import type { Cache } from '../cache/cache.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../logger.ts';
import type { Warmers } from '../warmers/types.ts';
import type { WriteBehind } from '../write-behind/types.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { Conflicts } from './conflicts.ts';
import type { Turn } from './cooldown.ts';
import type { Shards } from './shards/shards.ts';

/** `cache-writes` only where the plugin was given a write-behind. */
export type AdminCommandName = 'cache-stats' | 'cache-clear' | 'cache-warm' | 'cache-info' | 'cache-writes';

export interface AuditLog {
  /** Keeps the line; never throws. Returns the entry as kept, with its reference. */
  record(entry: Omit<AuditEntry, 'at' | 'reference'> & { readonly reference?: string }): AuditEntry;
}

/** Everything a command may use, handed over by the plugin. */
export interface CommandServices {
  readonly cache: Cache;
  readonly warmers: Warmers;
  readonly config: Config;
  readonly audit: AuditLog;
  readonly logger: Logger;
  /** Is told of answers that somebody else was quicker with. */
  readonly conflicts?: Conflicts;
  readonly version: string;
  /** Epoch milliseconds at which the bot started. */
  readonly startedAt: number;
  /** Where the bot runs in several processes, each with a cache of its own: the way to the others. */
  readonly shards?: Shards;
  /** Where writes are journalled before they are saved. */
  readonly writeBehind?: WriteBehind;
  /** `</cache-info:123>` where the id is known, else `` `/cache-info` ``. */
  mention(command: AdminCommandName): string;
  /** Takes the turn of `who` to change something; see `turn.ts`. */
  takeTurn(who: string): Turn;
  /** Whether this person sees causes of errors: the application's owner or team, or a listed user. */
  isOwner(userId: string): boolean;
}

export interface AdminCommand {
  readonly name: AdminCommandName;
  /** Raw API JSON. Names of scopes and tiers come from the configuration. */
  readonly data: RESTPostAPIChatInputApplicationCommandsJSONBody;
  /** Whether this use is about changing something, so that attempts at it are counted. */
  isCostly(interaction: ChatInputCommandInteraction): boolean;
  execute(interaction: ChatInputCommandInteraction, services: CommandServices): Promise<void>;
  autocomplete?(interaction: AutocompleteInteraction, services: CommandServices): Promise<void>;
  /** A button, select or modal whose `custom_id` begins with `cacheadmin:1:<name>:`. The rest is given, split at `:`. */
  component?(
    interaction: MessageComponentInteraction | ModalSubmitInteraction,
    parts: readonly string[],
    services: CommandServices,
  ): Promise<void>;
  /** Ends the command's timers and open panels; called once, when the plugin stops. */
  stop?(): void;
}
