/**
 * The program of the playground's bot: the reference bot as it is, with a configuration in which the loading policies
 * can be watched, a database that the page can trouble, and somebody who tells what it does.
 */
import { runBot } from '../src/bot.ts';
import type { Config } from '../src/config/config.ts';
import type { ApiMessage } from './bot-process.ts';
import { BotWatch, isExpectMessage, type WatchMessage } from './bot-watch.ts';
import { isTroubleMessage, Trouble } from './trouble.ts';
import { watchable } from './watchable-config.ts';

const trouble = new Trouble();
const botWatch = new BotWatch(tell);
process.on('message', (message) => {
  if (isTroubleMessage(message)) trouble.set(message.trouble);
  if (isExpectMessage(message)) botWatch.expect(message.position);
});
runBot({
  configure(config) {
    tellApi(config.api);
    return watchable(config);
  },
  source: botWatch.counted(trouble.source),
  watch: (parts) => botWatch.watch(parts),
});

/** For the page to link to. */
function tellApi({ enabled, host, port }: Config['api']): void {
  if (!enabled || port === 0) return;
  tell({ type: 'api', url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` });
}

/** A parent that is gone needs no telling. */
function tell(message: ApiMessage | WatchMessage): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
