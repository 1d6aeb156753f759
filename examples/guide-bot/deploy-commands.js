const { cacheCommandData } = require('cachecord'); // Cachecord
const { REST, Routes } = require('discord.js');
const config = require('./cachecord.js'); // Cachecord
const { clientId, guildId, token } = require('./config.json');
const loadCommands = require('./load-commands.js');

const commands = loadCommands().map((command) => command.data.toJSON());
commands.push(...cacheCommandData(config)); // Cachecord: in the list, or the PUT below would take its commands away

const rest = new REST().setToken(token);

async function deploy() {
  const data = await rest.put(Routes.applicationGuildCommands(clientId, guildId), { body: commands });
  console.log(`Deployed ${data.length} commands.`);
}

deploy().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
