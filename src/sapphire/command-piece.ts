/**
 * One of our commands as a piece of Sapphire's: registered through its registry into the admin guilds, so that
 * `RegisterBehavior.BulkOverwrite` knows it and keeps it, and run by its listeners. Who may use the command and what
 * it answers is our dispatcher's affair; it never throws into Sapphire.
 */
import type { ApplicationCommandRegistry, Command } from '@sapphire/framework';
import type {
  AutocompleteInteraction,
  ChatInputApplicationCommandData,
  ChatInputCommandInteraction,
} from 'discord.js';
import type { CommandData } from '../commands/registration/registration.ts';
import type { HostCommand } from '../plugin/cachecord.ts';

export type CommandPiece = new (context: Command.LoaderContext, options?: Command.Options) => Command;

/** @param Base Sapphire's `Command`, of the build that the host runs */
export function commandPiece(
  Base: typeof Command,
  command: HostCommand,
  guildIds: readonly string[],
): CommandPiece {
  return class CachecordCommand extends Base {
    constructor(context: Command.LoaderContext, options: Command.Options = {}) {
      super(context, { ...options, description: command.data.description });
    }

    override registerApplicationCommands(registry: ApplicationCommandRegistry): void {
      // Without guilds Sapphire would register it in every server.
      if (guildIds.length === 0) return;
      registry.registerChatInputCommand(inTermsOfDiscordJs(command.data), { guildIds: [...guildIds] });
    }

    override chatInputRun(interaction: ChatInputCommandInteraction): Promise<void> {
      return command.execute(interaction);
    }

    override autocompleteRun(interaction: AutocompleteInteraction): Promise<void> {
      return command.autocomplete(interaction);
    }
  };
}

/** The registry reads the top of a definition in camel case, and options in either. */
function inTermsOfDiscordJs(data: CommandData): ChatInputApplicationCommandData {
  const said = {
    name: data.name,
    nameLocalizations: data.name_localizations,
    description: data.description,
    descriptionLocalizations: data.description_localizations,
    defaultMemberPermissions: data.default_member_permissions,
    nsfw: data.nsfw,
    options: data.options,
  };
  // Its types know neither options as Discord writes them, which `ApplicationCommand.transformOption` takes, nor
  // what is left undefined.
  return said as unknown as ChatInputApplicationCommandData;
}
