import { Command, container } from '@sapphire/framework';
import { cached } from 'cachecord'; // Cachecord
import { fetchRule } from '../database.js';

export class RuleCommand extends Command {
  // Cachecord: the database's function with the cache in front.
  #rule = cached(container.cache, fetchRule, { key: 'rules::{0}', tier: 'reference' });

  constructor(context, options) {
    super(context, { ...options, description: 'Tells a rule of this server' });
  }

  registerApplicationCommands(registry) {
    registry.registerChatInputCommand((builder) =>
      builder
        .setName(this.name)
        .setDescription(this.description)
        .addStringOption((option) => option.setName('number').setDescription('Which rule').setRequired(true)),
    );
  }

  async chatInputRun(interaction) {
    const rule = await this.#rule(interaction.options.getString('number', true));
    return interaction.reply(rule ?? 'There is no such rule.');
  }
}
