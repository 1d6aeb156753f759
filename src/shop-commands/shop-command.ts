/**
 * What a command of the shop is: its definition and what it does. The dispatcher makes the person known, checks whose
 * buttons are pressed and holds the error boundary. Everything a button needs is in its `custom_id`, so that buttons
 * outlive a restart.
 */
import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  MessageComponentInteraction,
  RESTPostAPIChatInputApplicationCommandsJSONBody,
} from 'discord.js';
import type { Clock } from '../cache/clock.ts';
import type { Config } from '../config/config.ts';
import type { Shop } from '../db/shop.ts';
import type { Logger } from '../logger.ts';

export type ShopCommandName = 'shop' | 'buy' | 'wallet' | 'orders' | 'leaderboard' | 'convert';

export interface ShopServices {
  readonly shop: Shop;
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `</wallet:123>` where the id is known, else `` `/wallet` ``. */
  mention(command: ShopCommandName): string;
}

export interface ShopCommand {
  readonly name: ShopCommandName;
  readonly data: RESTPostAPIChatInputApplicationCommandsJSONBody;
  execute(interaction: ChatInputCommandInteraction, services: ShopServices): Promise<void>;
  autocomplete?(interaction: AutocompleteInteraction, services: ShopServices): Promise<void>;
  /** A button or select made with {@link shopId}; `parts` is the action and what was given with it. */
  component?(
    interaction: MessageComponentInteraction,
    parts: readonly string[],
    services: ShopServices,
  ): Promise<void>;
}

/** What every `custom_id` of the shop begins with; the number is the version of the format. */
const SHOP_ID_PREFIX = 'shop:1:';

/** The `custom_id` of an action that only this person may take. */
export function shopId(
  command: ShopCommandName,
  userId: string,
  action: string,
  ...parts: readonly (string | number)[]
): string {
  return SHOP_ID_PREFIX + [command, userId, action, ...parts].join(':');
}

/** What {@link shopId} put together. */
export function readShopId(
  customId: string,
): { readonly command: string; readonly userId: string; readonly parts: readonly string[] } | undefined {
  if (!customId.startsWith(SHOP_ID_PREFIX)) return undefined;
  const [command = '', userId = '', ...parts] = customId.slice(SHOP_ID_PREFIX.length).split(':');
  return { command, userId, parts };
}
