const { createCachecord } = require('cachecord'); // Cachecord
const { Client, Collection, Events, GatewayIntentBits, MessageFlags } = require('discord.js');
const cache = require('./cache.js'); // Cachecord
const config = require('./cachecord.js'); // Cachecord
const { token } = require('./config.json');
const loadCommands = require('./load-commands.js');

const client = new Client({ intents: [GatewayIntentBits.Guilds] });

client.commands = new Collection();
for (const command of loadCommands()) client.commands.set(command.data.name, command);

// Cachecord: the plugin, and its commands among the bot's own. Autocomplete and buttons come to it by themselves.
const cachecord = createCachecord(client, { config, cache });
for (const command of cachecord.commands) client.commands.set(command.data.name, command);

client.once(Events.ClientReady, (readyClient) => {
  console.log(`Ready! Logged in as ${readyClient.user.tag}`);
});

client.on(Events.InteractionCreate, async (interaction) => {
  if (!interaction.isChatInputCommand()) return;
  const command = client.commands.get(interaction.commandName);
  if (!command) {
    console.error(`No command matching ${interaction.commandName} was found.`);
    return;
  }
  try {
    await command.execute(interaction);
  } catch (error) {
    console.error(error);
    const message = { content: 'This command failed.', flags: MessageFlags.Ephemeral };
    if (interaction.replied || interaction.deferred) await interaction.followUp(message);
    else await interaction.reply(message);
  }
});

// Cachecord: the commands come through the dispatcher above, and are deployed with the bot's own.
cachecord.start({ listen: 'components', register: false }).then(() => client.login(token));

process.once('SIGTERM', async () => {
  await cachecord.stop(); // Cachecord
  await cache.stop(); // Cachecord
  await client.destroy();
});
