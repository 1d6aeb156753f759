const { SlashCommandBuilder } = require('discord.js');
const { fetchRule, saveRule } = require('../../database.js');

module.exports = {
  data: new SlashCommandBuilder()
    .setName('rule')
    .setDescription('Reads a rule of this server, or sets it')
    .addStringOption((option) => option.setName('number').setDescription('Which one').setRequired(true))
    .addStringOption((option) => option.setName('text').setDescription('What it says from now on')),
  async execute(interaction) {
    const number = interaction.options.getString('number');
    const text = interaction.options.getString('text');
    if (text !== null) await saveRule(number, text);
    await interaction.reply({
      content: (await fetchRule(number)) ?? 'There is no such rule.',
      allowedMentions: { parse: [] },
    });
  },
};
