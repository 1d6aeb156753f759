import process from 'node:process';
import 'cachecord/sapphire/register'; // Cachecord
import { SapphireClient } from '@sapphire/framework';
import { loadConfig } from 'cachecord'; // Cachecord
import { GatewayIntentBits } from 'discord.js';

const client = new SapphireClient({
  intents: [GatewayIntentBits.Guilds],
  // Cachecord: its commands become pieces of this bot, registered in the guilds of ADMIN_GUILD_ID.
  cachecord: { config: loadConfig() },
});

process.once('SIGTERM', () => client.destroy()); // ends Cachecord, too

await client.login(process.env.DISCORD_TOKEN);
