import process from 'node:process';
import { createCachecord, loadConfig } from 'cachecord'; // Cachecord
import { Client, GatewayIntentBits } from 'discord.js';
import { commands } from './events/interactionCreate.ts'; // Cachecord
import { loadEvents } from './util/loaders.ts';

const client = new Client({ intents: [GatewayIntentBits.Guilds] });

for (const event of await loadEvents(new URL('events/', import.meta.url))) {
  client[event.once ? 'once' : 'on'](event.name, async (...parameters) => {
    try {
      await event.execute(...parameters);
    } catch (error) {
      console.error(`Event ${event.name} failed:`, error);
    }
  });
}

// Cachecord: its commands go through the bot's dispatcher and are registered in the guilds of ADMIN_GUILD_ID.
const cachecord = createCachecord(client, { config: loadConfig() });
for (const command of cachecord.commands) commands.set(command.data.name, command);
await cachecord.start({ listen: 'components' });

await client.login(process.env.DISCORD_TOKEN);

process.once('SIGTERM', async () => {
  await cachecord.stop(); // Cachecord
  await client.destroy();
});
