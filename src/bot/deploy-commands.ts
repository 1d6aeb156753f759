/** `npm run deploy-commands`: the commands of the reference bot, the shop's among them, without starting the bot. */
import { httpUrl } from '../config/http-url.ts';
import { main } from '../deploy/main.ts';
import { cacheCommandData } from '../plugin/plugin.ts';
import { shopCommandData } from '../shop-commands/shop-commands.ts';

await main({
  name: 'npm run deploy-commands --',
  action: 'deploy',
  commands: ({ config, env, all }) => [
    ...cacheCommandData(config, { writeBehind: true }),
    ...shopCommandData({ hasRates: all || httpUrl('RATES_URL', env.RATES_URL) !== undefined }),
  ],
});
