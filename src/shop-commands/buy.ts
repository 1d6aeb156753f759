/** `/buy`: the price first, then a press, then the purchase. The price that was pressed is the price that is paid. */
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
  type MessageComponentInteraction,
} from 'discord.js';
import { answer, update } from '../commands/answer.ts';
import { type Choice, respond } from '../commands/completion.ts';
import { formatFor, instant } from '../commands/views/format.ts';
import { keyText } from '../commands/views/key-text.ts';
import type { View } from '../commands/views/view.ts';
import type { PurchaseResult } from '../db/model.ts';
import type { Shop } from '../db/shop.ts';
import { Offers } from './offers.ts';
import { priceFor, type Quote, quote, type Wish } from './quote.ts';
import { type ShopCommand, type ShopServices, shopId } from './shop-command.ts';
import { money, nameLabel, nameText, stockText } from './text.ts';

const MAX_QUANTITY = 99;
const MAX_CHOICES = 25;
const DESCRIPTION_LENGTH = 300;

export interface BuyCommand extends ShopCommand {
  /** The offer for a product, or why there is none. */
  offer(wish: Wish, locale: string, services: ShopServices): View;
}

export function buyCommand(): BuyCommand {
  const offers = new Offers();
  return {
    name: 'buy',
    data: {
      name: 'buy',
      description: 'Buy something from the shop',
      type: ApplicationCommandType.ChatInput,
      options: [
        {
          type: ApplicationCommandOptionType.String,
          name: 'product',
          description: 'What to buy: type a part of its name',
          required: true,
          autocomplete: true,
        },
        {
          type: ApplicationCommandOptionType.Integer,
          name: 'quantity',
          description: 'How many (one when left out)',
          min_value: 1,
          max_value: MAX_QUANTITY,
        },
      ],
    },
    offer: (wish, locale, services) => offerView(wish, locale, offers, services),
    async execute(interaction, services) {
      await answer(interaction, firstView(interaction, offers, services), services);
    },
    autocomplete: (interaction, services) =>
      respond(
        interaction,
        productChoices(interaction.options.getFocused(), interaction.user.id, interaction.locale, services),
        services,
      ),
    async component(interaction, [action, nonce], services) {
      // Whoever presses buys with their own money: an offer made to somebody else is none.
      const isTheirs = offers.isOf(interaction.user.id, nonce);
      const offer = isTheirs ? offers.take(nonce, services.clock) : undefined;
      // Not in place of the message: it may tell what the first press bought.
      if (offer === undefined) await answer(interaction, endedView(services), services);
      else if (action === 'confirm') await confirm(interaction, offer, offers, services);
      else await update(interaction, cancelledView(), services);
    },
  };
}

function firstView(interaction: ChatInputCommandInteraction, offers: Offers, services: ShopServices): View {
  const text = interaction.options.getString('product', true);
  const quantity = interaction.options.getInteger('quantity') ?? 1;
  const productId = findProduct(services.shop, text);
  if (productId === undefined) return unknownView(text, services);
  return offerView(
    { userId: interaction.user.id, productId, quantity },
    interaction.locale,
    offers,
    services,
  );
}

async function confirm(
  interaction: MessageComponentInteraction,
  offered: Wish & { readonly totalCents: number },
  offers: Offers,
  services: ShopServices,
): Promise<void> {
  const { locale } = interaction;
  const { userId, productId, quantity, totalCents } = offered;
  const { shop, clock } = services;
  // One transaction, so that nobody changes the price between the comparison and the purchase.
  const result = shop
    .transaction(() => {
      const now = quote(offered, shop, clock.epochAt(clock.now()));
      const hasChanged = now.kind === 'ok' && now.totalCents !== totalCents;
      return hasChanged ? undefined : shop.purchase(userId, productId, quantity);
    })
    .immediate();
  if (result !== undefined) {
    await update(interaction, resultView(result, offered, locale, services), services);
    return;
  }
  const view = offerView(offered, locale, offers, services);
  const changed = `**The price has changed** (it was ${money(totalCents, locale)}), so this asks again.`;
  await update(interaction, { ...view, blocks: [{ lines: [changed] }, ...view.blocks] }, services);
}

function offerView(wish: Wish, locale: string, offers: Offers, services: ShopServices): View {
  const { clock, shop } = services;
  const quoted = quote(wish, shop, clock.epochAt(clock.now()));
  if (quoted.kind === 'unknown') return goneView(services);
  if (quoted.kind === 'stock') return outOfStockView(quoted.product.name, quoted.stock, locale, services);
  if (quoted.kind === 'funds') return shortView(quoted, locale, services);
  const { nonce, expiresAt } = offers.open({ ...wish, totalCents: quoted.totalCents }, clock);
  const { product, quantity, totalCents, walletCents } = quoted;
  return {
    tone: 'normal',
    title: '🛍️ Buy this?',
    blocks: [
      {
        lines: [
          `**${nameText(product.name)}**${quantity === 1 ? '' : ` × ${quantity}`} — ${priceText(quoted, locale)}`,
          `${nameText(product.description, DESCRIPTION_LENGTH)} · ${stockText(product.stock, formatFor(locale).count)}`,
        ],
      },
      {
        heading: 'After it',
        lines: [
          `Your wallet holds ${money(walletCents - totalCents, locale)} (now ${money(walletCents, locale)}).`,
        ],
      },
    ],
    notes: [`Nothing is bought yet. This offer ends ${instant(expiresAt)}.`],
    rows: [
      [
        { id: shopId('buy', wish.userId, 'cancel', nonce), label: 'Cancel', style: 'secondary' },
        {
          id: shopId('buy', wish.userId, 'confirm', nonce),
          label: `Buy for ${money(totalCents, locale)}`,
          style: 'primary',
        },
      ],
    ],
  };
}

function priceText({ product, quantity, percent, totalCents }: Quote, locale: string): string {
  if (percent === 0) return money(totalCents, locale);
  const full = money(product.priceCents * quantity, locale);
  return `~~${full}~~ **${money(totalCents, locale)}** (${formatFor(locale).percent(percent / 100)} off)`;
}

function resultView(result: PurchaseResult, wish: Wish, locale: string, services: ShopServices): View {
  if (result.ok) {
    const { order, walletCents } = result;
    return {
      tone: 'good',
      title: '🛍️ Bought',
      blocks: [
        {
          lines: [
            `**${nameText(order.productName)}**${order.quantity === 1 ? '' : ` × ${order.quantity}`} for ${money(order.totalCents, locale)}.`,
            `Your wallet holds ${money(walletCents, locale)}.`,
          ],
        },
      ],
      notes: [`Order ${order.id} · all of them: ${services.mention('orders')}`],
    };
  }
  const name = services.shop.getProduct(wish.productId)?.name ?? '';
  switch (result.reason) {
    case 'stock':
      return outOfStockView(name, result.stock, locale, services);
    case 'funds':
      return refusal('💸 Not enough in your wallet', [
        shortText(name, result.totalCents, result.walletCents, locale),
        creditText(services),
      ]);
    default:
      return goneView(services);
  }
}

function shortView(
  { product, totalCents, walletCents }: Quote,
  locale: string,
  services: ShopServices,
): View {
  return refusal('💸 Not enough in your wallet', [
    shortText(product.name, totalCents, walletCents, locale),
    creditText(services),
  ]);
}

function shortText(name: string, totalCents: number, walletCents: number, locale: string): string {
  return (
    `**${nameText(name)}** costs ${money(totalCents, locale)} and your wallet holds ${money(walletCents, locale)}: ` +
    `${money(totalCents - walletCents, locale)} are missing.`
  );
}

function creditText(services: ShopServices): string {
  return `Nothing was bought. ${services.mention('wallet')} has a credit for you every day.`;
}

function outOfStockView(name: string, stock: number, locale: string, services: ShopServices): View {
  const left = stock === 0 ? 'is sold out' : `has only ${formatFor(locale).count(stock)} left`;
  return refusal('📦 Not enough in stock', [
    `**${nameText(name)}** ${left}.`,
    `Nothing was bought. See what else there is: ${services.mention('shop')}.`,
  ]);
}

function goneView(services: ShopServices): View {
  return refusal('🔍 Not for sale', [
    `This is not for sale any more. See what there is: ${services.mention('shop')}.`,
  ]);
}

function unknownView(text: string, services: ShopServices): View {
  return refusal('🔍 No such product', [
    `Nothing in the shop is called ${keyText(text)}.`,
    `Pick one of the names that appear while you type, or browse with ${services.mention('shop')}.`,
  ]);
}

function endedView(services: ShopServices): View {
  return refusal('⌛ This offer has ended', [
    `It was answered already, or its minute is over. Run ${services.mention('buy')} for a new one.`,
  ]);
}

function cancelledView(): View {
  return { tone: 'normal', title: '✋ Cancelled', blocks: [{ lines: ['Nothing was bought.'] }] };
}

function refusal(title: string, lines: readonly string[]): View {
  return { tone: 'degraded', title, blocks: [{ lines }] };
}

/** The product of a choice (its id), or the one with that name. */
export function findProduct(shop: Shop, text: string): number | undefined {
  const wanted = text.trim().toLowerCase();
  if (/^\d{1,9}$/.test(wanted)) return Number(wanted);
  return shop.getAllProducts().find(({ name }) => name.toLowerCase() === wanted)?.id;
}

/** Products whose name or category has every word that was typed, at the price that this person pays. */
export function productChoices(
  typed: string,
  userId: string,
  locale: string,
  { shop, clock }: Pick<ShopServices, 'shop' | 'clock'>,
): Choice[] {
  const words = typed.toLowerCase().split(/\s+/);
  const discounts = shop.getApplicableDiscounts(userId);
  const now = clock.epochAt(clock.now());
  const found: Choice[] = [];
  for (const product of shop.getAllProducts()) {
    const { id, name, mainCategory, stock } = product;
    if (stock === 0) continue;
    const text = `${name} ${mainCategory}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const { cents } = priceFor(product, discounts, now);
    found.push({ name: `${nameLabel(name)} — ${money(cents, locale)}`, value: String(id) });
    if (found.length === MAX_CHOICES) break;
  }
  return found;
}
