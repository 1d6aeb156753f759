/**
 * A host bot as discord.js's ShardingManager starts it, one process a shard. Shard n has n + 2 products in its cache;
 * its warmer brings one setting.
 */
import { Client, GatewayIntentBits } from 'discord.js';
import { parseConfig } from '../../src/config/config.ts';
import { createCachecord } from '../../src/plugin/plugin.ts';

const { DISCORD_API_URL: api = '', ADMIN_GUILD_ID: guildId = '', BOT_VERSION: version } = process.env;

const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api } });
const cachecord = createCachecord(client, {
  config: parseConfig({ admin: { guild_ids: [guildId], cooldown: 0 } }),
  logger: { ...console, debug: () => undefined, info: () => undefined },
  warmTasks: (cache) => [
    {
      name: 'settings',
      scope: 'config',
      jobs: () => [
        {
          key: 'config::limits',
          isFresh: () => cache.has('config::limits'),
          run: () => cache.set('config::limits', { most: 3 }),
        },
      ],
    },
  ],
  ...(version === undefined ? {} : { version }),
});
const products = 2 + (client.shard?.ids[0] ?? 0);
for (let n = 0; n < products; n++) cachecord.cache.set(`products::p${n}`, { n });
await cachecord.start();
cachecord.cache.delete('config::limits');
await client.login();
