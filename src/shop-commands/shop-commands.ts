/** The shop's commands put together: heard by one listener, and registered beside whatever else the guild has. */
import { type Client, Events, type Interaction } from 'discord.js';
import type { CommandStore } from '../commands/registration/command-store.ts';
import { registerAndTell } from '../commands/registration/log.ts';
import { type CommandData, Registration } from '../commands/registration/registration.ts';
import { tokenFreeLogger } from '../commands/token-free.ts';
import type { ExchangeRates } from '../rates/exchange-rates.ts';
import { buyCommand } from './buy.ts';
import { CONVERT_DATA, convertCommand } from './convert.ts';
import { ShopDispatcher } from './dispatcher.ts';
import { leaderboardCommand } from './leaderboard.ts';
import { ordersCommand } from './orders.ts';
import { shopCommand } from './shop.ts';
import type { ShopCommand, ShopServices } from './shop-command.ts';
import { walletCommand } from './wallet.ts';

export interface ShopCommands {
  /** Listens, and registers in the admin guilds as soon as the client is ready. */
  start(): void;
  /** Listens no more. Resolves when what is under way has been answered. */
  stop(): Promise<void>;
}

/** Every command of the shop; `/convert` only where there are rates. */
export function shopCommandList(exchange?: ExchangeRates): readonly ShopCommand[] {
  const buy = buyCommand();
  return [
    ...[shopCommand(buy), buy, walletCommand(), ordersCommand(), leaderboardCommand()],
    ...(exchange === undefined ? [] : [convertCommand(exchange)]),
  ];
}

/** The same as Discord is told of them, without a shop: for deploying. */
export function shopCommandData(options: { readonly hasRates: boolean }): readonly CommandData[] {
  return [...shopCommandList().map(({ data }) => data), ...(options.hasRates ? [CONVERT_DATA] : [])];
}

export interface ShopCommandsOptions extends Omit<ShopServices, 'mention'> {
  /** Remembers which commands are the shop's. */
  readonly commandStore?: CommandStore;
  /** @default none, and no `/convert` */
  readonly exchange?: ExchangeRates | undefined;
}

export function createShopCommands(client: Client, options: ShopCommandsOptions): ShopCommands {
  const commands = shopCommandList(options.exchange);
  const logger = tokenFreeLogger(options.logger);
  let registration: Registration | undefined;
  const dispatcher = new ShopDispatcher(commands, { ...options, logger }, (guildId, name) =>
    registration?.idOf(guildId, name),
  );
  const seen = (interaction: Interaction) => void dispatcher.handle(interaction);
  const ready = (at: Client<true>) => {
    registration = new Registration({
      rest: at.rest,
      guildIds: options.config.admin.guildIds,
      // Of guilds that the bot is not in the plugin tells already.
      isOwn: (guildId) => at.guilds.cache.has(guildId),
      store: options.commandStore,
      wanted: commands.map(({ data }) => data),
      logger,
      applicationId: async () => at.application.id,
    });
    void registerAndTell(registration, logger);
  };
  return {
    start: () => {
      client.on(Events.InteractionCreate, seen);
      if (client.isReady()) ready(client);
      else client.once(Events.ClientReady, ready);
    },
    stop: () => {
      client.off(Events.InteractionCreate, seen).off(Events.ClientReady, ready);
      return dispatcher.idle();
    },
  };
}
