import { Events } from 'discord.js';
import { loadCommands } from '../util/loaders.ts';
import type { Event } from './index.ts';

export const commands = await loadCommands(new URL('../commands/', import.meta.url)); // Cachecord: exported

export default {
  name: Events.InteractionCreate,
  async execute(interaction) {
    if (!interaction.isCommand()) return;
    const command = commands.get(interaction.commandName);
    if (!command) throw new Error(`Command '${interaction.commandName}' not found.`);
    await command.execute(interaction);
  },
} satisfies Event<Events.InteractionCreate>;
