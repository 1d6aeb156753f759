import type { CommandInteraction, RESTPostAPIApplicationCommandsJSONBody } from 'discord.js';

/** What a file in this folder exports by default. */
export interface Command {
  data: RESTPostAPIApplicationCommandsJSONBody;
  execute(interaction: CommandInteraction): Promise<void> | void;
}

export function isCommand(value: unknown): value is Command {
  return typeof value === 'object' && value !== null && 'data' in value && 'execute' in value;
}
