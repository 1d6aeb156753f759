/**
 * Cachecord in the life of a Sapphire client: made with the client, its commands among the host's pieces, warmed before
 * the login, ended with `destroy`. The framework is handed in, because Sapphire's two builds (ES modules and CommonJS)
 * have each their own client and container. Sapphire has no hook for the end of a client, so `destroy` of that one
 * client is wrapped; no prototype is touched.
 */
import type { Container, SapphireClient } from '@sapphire/framework';
import type { ClientOptions } from 'discord.js';
import { CacheError } from '../cache/errors.ts';
import { NO_GUILDS } from '../commands/registration/registration.ts';
import { consoleLogger } from '../logger/console-logger.ts';
import type { Logger } from '../logger.ts';
import type { Cachecord } from '../plugin/cachecord.ts';
import { createCachecord } from '../plugin/plugin.ts';
import { commandPiece } from './command-piece.ts';

/** What we need of `@sapphire/framework`. */
export type Framework = Pick<
  typeof import('@sapphire/framework'),
  'Command' | 'SapphireClient' | 'container'
>;

const NO_OPTION =
  'cachecord/sapphire/register was imported, but the client has no option `cachecord`: ' +
  'add `cachecord: { config: loadConfig() }` to the options of the SapphireClient.';

/** Registers the hooks. From then on every client needs the option `cachecord`. */
export function hookInto({ Command, SapphireClient, container }: Framework): void {
  const { plugins } = SapphireClient;

  // The first of the hooks, so that every other plugin finds the cache.
  plugins.registerPreGenericsInitializationHook(function makeCachecord(options) {
    container.cachecord = createCachecord(this, {
      logger: loggerOf(container),
      ...optionsOf(options),
    });
    container.cache = container.cachecord.cache;
    stopAtDestroy(this, container.cachecord);
  }, 'Cachecord-PreGenericsInitialization');

  plugins.registerPostInitializationHook(function loadCommands(options) {
    const guildIds = optionsOf(options).config?.admin.guildIds ?? [];
    if (guildIds.length === 0) container.logger.warn(NO_GUILDS);
    for (const command of container.cachecord.commands) {
      const piece = commandPiece(Command, command, guildIds);
      // Only queued before the login; it rejects for a piece of the wrong class, which this is not.
      void container.stores.loadPiece({ store: 'commands', name: command.data.name, piece });
    }
  }, 'Cachecord-PostInitialization');

  plugins.registerPreLoginHook(async function startCachecord() {
    await container.cachecord.start({ listen: 'components', register: false });
  }, 'Cachecord-PreLogin');
}

function optionsOf({ cachecord }: ClientOptions): NonNullable<ClientOptions['cachecord']> {
  if (cachecord === undefined) throw new CacheError('ERR_CONFIG_INVALID', NO_OPTION);
  return cachecord;
}

/** Ends Cachecord while answers can still be sent, then the client. */
function stopAtDestroy(client: SapphireClient, cachecord: Cachecord): void {
  const destroy = client.destroy.bind(client);
  client.destroy = async () => {
    try {
      await cachecord.stop();
    } finally {
      await destroy();
    }
  };
}

/** Sapphire makes its logger after the first hooks; until then the console has the lines. */
function loggerOf(container: Partial<Pick<Container, 'logger'>>): Logger {
  const at = (level: keyof Logger) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    (container.logger ?? consoleLogger)[level](message, ...(fields === undefined ? [] : [fields]));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
