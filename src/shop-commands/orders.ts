/** `/orders`: what this person bought last. */
import { ApplicationCommandType } from 'discord.js';
import { answer } from '../commands/answer.ts';
import { instant } from '../commands/views/format.ts';
import type { View } from '../commands/views/view.ts';
import type { Order } from '../db/model.ts';
import type { ShopCommand, ShopServices } from './shop-command.ts';
import { money, nameText } from './text.ts';

const SHOWN = 10;

export function ordersCommand(): ShopCommand {
  return {
    name: 'orders',
    data: {
      name: 'orders',
      description: 'See what you bought',
      type: ApplicationCommandType.ChatInput,
    },
    async execute(interaction, services) {
      await answer(interaction, ordersView(interaction.user.id, interaction.locale, services), services);
    },
  };
}

function ordersView(userId: string, locale: string, services: ShopServices): View {
  const orders = services.shop.getOrdersForUser(userId);
  if (orders.length === 0) {
    const lines = [`You have not bought anything yet. See what there is: ${services.mention('shop')}.`];
    return { tone: 'normal', title: '📦 Your orders', blocks: [{ lines }] };
  }
  const shown = orders.slice(0, SHOWN);
  return {
    tone: 'normal',
    title: '📦 Your orders',
    subtitle: 'The newest first',
    blocks: [{ lines: shown.map((order) => orderLine(order, locale)), more: orders.length - shown.length }],
  };
}

function orderLine(order: Order, locale: string): string {
  const { productName, quantity, totalCents, status, createdAt, id } = order;
  const times = quantity === 1 ? '' : ` × ${quantity}`;
  const refunded = status === 'refunded' ? ' · refunded' : '';
  return `**${nameText(productName)}**${times} — ${money(totalCents, locale)}\n-# Order ${id} · ${instant(createdAt)}${refunded}`;
}
