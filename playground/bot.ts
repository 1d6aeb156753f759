/**
 * The program of the playground's bot: the reference bot as it is, with a configuration in which the loading policies
 * can be watched and a database that the page can trouble.
 */

import { runBot } from '../src/bot.ts';
import type { Config } from '../src/config.ts';
import type { ApiMessage } from './bot-process.ts';
import { isTroubleMessage, Trouble } from './trouble.ts';
import { watchable } from './watchable-config.ts';

const trouble = new Trouble();
process.on('message', (message) => {
  if (isTroubleMessage(message)) trouble.set(message.trouble);
});
runBot({
  configure(config) {
    tellApi(config.api);
    return watchable(config);
  },
  source: trouble.source,
});

/** For the page to link to. */
function tellApi({ enabled, host, port }: Config['api']): void {
  if (!enabled || port === 0) return;
  const message: ApiMessage = {
    type: 'api',
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
  };
  // A parent that is gone needs no telling.
  process.send?.(message, undefined, undefined, () => undefined);
}
