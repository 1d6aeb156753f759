/**
 * The program of the playground's bot: the reference bot as it is, with a configuration in which the loading policies
 * can be watched and a database that the page can trouble.
 */
import { runBot } from '../src/bot.ts';
import { isTroubleMessage, Trouble } from './trouble.ts';
import { watchable } from './watchable-config.ts';

const trouble = new Trouble();
process.on('message', (message) => {
  if (isTroubleMessage(message)) trouble.set(message.trouble);
});
runBot({ configure: watchable, source: trouble.source });
