/** `/convert`: what a product costs in another currency, by the rates of another API. Only there where one is configured. */
import { ApplicationCommandOptionType, ApplicationCommandType } from 'discord.js';
import { answer, defer } from '../commands/answer.ts';
import { respond } from '../commands/completion.ts';
import type { CommandData } from '../commands/registration/registration.ts';
import { instant } from '../commands/views/format.ts';
import { keyText } from '../commands/views/key-text.ts';
import type { View } from '../commands/views/view.ts';
import type { ExchangeRates, Rates } from '../rates/exchange-rates.ts';
import { findProduct, productChoices } from './buy.ts';
import { priceFor } from './quote.ts';
import type { ShopCommand, ShopServices } from './shop-command.ts';
import { money, nameText } from './text.ts';

const CURRENCIES = {
  EUR: 'Euro',
  GBP: 'Pound sterling',
  CHF: 'Swiss franc',
  JPY: 'Japanese yen',
  BRL: 'Brazilian real',
  CAD: 'Canadian dollar',
  INR: 'Indian rupee',
} as const;

export const CONVERT_DATA: CommandData = {
  name: 'convert',
  description: 'See what something costs in another currency',
  type: ApplicationCommandType.ChatInput,
  options: [
    {
      type: ApplicationCommandOptionType.String,
      name: 'product',
      description: 'What: type a part of its name',
      required: true,
      autocomplete: true,
    },
    {
      type: ApplicationCommandOptionType.String,
      name: 'currency',
      description: 'Into which currency',
      required: true,
      choices: Object.entries(CURRENCIES).map(([value, name]) => ({ name: `${name} (${value})`, value })),
    },
  ],
};

export function convertCommand(exchange: ExchangeRates): ShopCommand {
  return {
    name: 'convert',
    data: CONVERT_DATA,
    async execute(interaction, services) {
      const { options, locale } = interaction;
      // The API may take longer than Discord waits.
      if (!(await defer(interaction, services))) return;
      const wish = {
        userId: interaction.user.id,
        product: options.getString('product', true),
        currency: options.getString('currency', true),
      };
      await answer(interaction, await convertView(wish, locale, exchange, services), services);
    },
    autocomplete: (interaction, services) =>
      respond(
        interaction,
        productChoices(interaction.options.getFocused(), interaction.user.id, interaction.locale, services),
        services,
      ),
  };
}

/** @param wish who pays, the product's id or name, and an ISO 4217 code */
export async function convertView(
  wish: { readonly userId: string; readonly product: string; readonly currency: string },
  locale: string,
  exchange: ExchangeRates,
  { shop, clock, logger, mention }: ShopServices,
): Promise<View> {
  const id = findProduct(shop, wish.product);
  const product = id === undefined ? null : shop.getProduct(id);
  if (product === null || !product.active) {
    return refusal('🔍 No such product', [
      `Nothing in the shop is called ${keyText(wish.product)}. See what there is: ${mention('shop')}.`,
    ]);
  }
  const now = clock.epochAt(clock.now());
  const { cents } = priceFor(product, shop.getApplicableDiscounts(wish.userId), now);
  const price = `**${nameText(product.name)}** costs ${money(cents, locale)}`;
  let found: Rates;
  try {
    found = await exchange.latest();
  } catch (error) {
    logger.warn('The exchange-rate API gave nothing, and nothing of it is kept.', { error });
    return refusal('💱 No exchange rates', [`${price}.`, 'The rates cannot be had now. Try again later.']);
  }
  const rate = found.rates[wish.currency];
  if (rate === undefined) {
    return refusal('💱 No exchange rate', [`${price}. There is no rate for ${keyText(wish.currency)}.`]);
  }
  const { ageSeconds, isOld } = found;
  const converted = new Intl.NumberFormat(locale, { style: 'currency', currency: wish.currency });
  const since = instant(now - ageSeconds * 1_000);
  const lines = [`${price}, which is **${converted.format((cents / 100) * rate)}**.`];
  if (!isOld)
    return { tone: 'normal', title: '💱 Converted', blocks: [{ lines }], notes: [`Rates of ${since}`] };
  return {
    tone: 'degraded',
    title: '💱 Converted at old rates',
    blocks: [
      { lines: [...lines, `The exchange-rate API does not answer: these are its rates of ${since}.`] },
    ],
  };
}

function refusal(title: string, lines: readonly string[]): View {
  return { tone: 'degraded', title, blocks: [{ lines }] };
}
