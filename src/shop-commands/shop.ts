/** `/shop`: the categories, what is in one of them page by page, or what a search found; each with a way to buy. */
import {
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type ChatInputCommandInteraction,
  type MessageComponentInteraction,
} from 'discord.js';
import { answer, update } from '../commands/answer.ts';
import { type Choice, respond } from '../commands/completion.ts';
import { pickedValue } from '../commands/press.ts';
import { type Format, formatFor, plural } from '../commands/views/format.ts';
import { keyText } from '../commands/views/key-text.ts';
import type { Button, ControlRow, View } from '../commands/views/view.ts';
import type { Product } from '../db/model.ts';
import type { BuyCommand } from './buy.ts';
import { priceFor } from './quote.ts';
import { type ShopCommand, type ShopServices, shopId } from './shop-command.ts';
import { money, nameLabel, nameText, stockText } from './text.ts';

const PER_PAGE = 8;
const MAX_OPTIONS = 25;

/** Who reads, and what is theirs to see. */
interface Reader {
  readonly userId: string;
  readonly locale: string;
  readonly format: Format;
  readonly services: ShopServices;
}

export function shopCommand(buy: BuyCommand): ShopCommand {
  return {
    name: 'shop',
    data: {
      name: 'shop',
      description: 'See what the shop sells',
      type: ApplicationCommandType.ChatInput,
      options: [
        {
          type: ApplicationCommandOptionType.String,
          name: 'category',
          description: 'Begin with this category',
          autocomplete: true,
        },
        {
          type: ApplicationCommandOptionType.String,
          name: 'search',
          description: 'Words to look for in names and descriptions',
          max_length: 100,
        },
      ],
    },
    async execute(interaction, services) {
      await answer(interaction, await firstView(interaction, readerOf(interaction, services)), services);
    },
    autocomplete: (interaction, services) =>
      respond(interaction, categoryChoices(interaction.options.getFocused(), services), services),
    async component(interaction, [action, category, page], services) {
      const reader = readerOf(interaction, services);
      const picked = Number(pickedValue(interaction));
      const view = {
        // A category that has moved since shows its neighbour: categories come and go with whole ranges of products.
        category: () => categoryView(picked, 0, reader),
        page: () => categoryView(Number(category), Number(page), reader),
        buy: () =>
          buy.offer({ userId: reader.userId, productId: picked, quantity: 1 }, reader.locale, services),
        overview: () => overview(reader),
      }[action ?? ''];
      await update(interaction, (view ?? (() => overview(reader)))(), services);
    },
  };
}

function readerOf(
  { user, locale }: ChatInputCommandInteraction | MessageComponentInteraction,
  services: ShopServices,
): Reader {
  return { userId: user.id, locale, format: formatFor(locale), services };
}

async function firstView(interaction: ChatInputCommandInteraction, reader: Reader): Promise<View> {
  const search = interaction.options.getString('search')?.trim() ?? '';
  const wanted = interaction.options.getString('category')?.trim() ?? '';
  const { shop } = reader.services;
  const names = shop.getMainCategories().map(({ name }) => name);
  const index = names.findIndex((name) => name.toLowerCase() === wanted.toLowerCase());
  if (wanted !== '' && index < 0) {
    return overview(reader, `There is no category called ${keyText(wanted)}. These are there:`);
  }
  if (search !== '') return searchView(search, names[index], reader);
  return index < 0 ? overview(reader) : categoryView(index, 0, reader);
}

function overview(reader: Reader, problem?: string): View {
  const { format, services } = reader;
  const categories = services.shop.getMainCategories();
  if (categories.length === 0) {
    return {
      tone: 'normal',
      title: '🛒 Shop',
      blocks: [{ lines: ['The shelves are empty. Come back later.'] }],
    };
  }
  return {
    tone: problem === undefined ? 'normal' : 'degraded',
    title: '🛒 Shop',
    subtitle: `${plural(format, categories.length, 'category', 'categories')} · buy with ${services.mention('buy')}`,
    blocks: [
      ...(problem === undefined ? [] : [{ lines: [problem] }]),
      {
        lines: categories.map(
          ({ name, products }) => `**${nameText(name)}** — ${plural(format, products, 'product')}`,
        ),
      },
    ],
    rows: categoryRows(undefined, reader),
  };
}

function categoryView(index: number, wantedPage: number, reader: Reader): View {
  const { services, format, userId } = reader;
  const category = services.shop.getMainCategories()[index];
  if (category === undefined) return overview(reader, 'This category is gone. These are there:');
  const products = services.shop.getProductsByCategory(category.name);
  const pages = Math.max(1, Math.ceil(products.length / PER_PAGE));
  const page = Math.min(Math.max(0, Number.isInteger(wantedPage) ? wantedPage : 0), pages - 1);
  const shown = products.slice(page * PER_PAGE, (page + 1) * PER_PAGE);
  const turn = (label: string, to: number): Button => ({
    id: shopId('shop', userId, 'page', index, to),
    label,
    style: 'secondary',
    disabled: to < 0 || to >= pages,
  });
  return {
    tone: 'normal',
    title: `🛒 ${nameText(category.name)}`,
    subtitle: `${plural(format, products.length, 'product')} · page ${format.count(page + 1)} of ${format.count(pages)}`,
    blocks: [{ lines: shown.length === 0 ? ['Nothing is for sale here now.'] : productLines(shown, reader) }],
    rows: [
      ...buyRows(shown, reader),
      ...categoryRows(index, reader),
      ...(pages > 1 ? [[turn('◀ Back', page - 1), turn('Next ▶', page + 1)]] : []),
    ],
  };
}

async function searchView(text: string, mainCategory: string | undefined, reader: Reader): Promise<View> {
  const { shop } = reader.services;
  const hits = await shop.searchProducts({ text, ...(mainCategory === undefined ? {} : { mainCategory }) });
  // Results outlive a sale, so what is left is looked up by itself.
  const products = hits.flatMap(({ id }) => shop.getProduct(id) ?? []).filter(({ active }) => active);
  const where = mainCategory === undefined ? 'the shop' : `**${nameText(mainCategory)}**`;
  if (products.length === 0) {
    return overview(
      reader,
      `Nothing in ${where} is like ${keyText(text)}. Try a shorter word, or look here:`,
    );
  }
  const shown = products.slice(0, PER_PAGE);
  return {
    tone: 'normal',
    title: '🔍 Found in the shop',
    subtitle: `${keyText(text)} in ${where}`,
    blocks: [{ lines: productLines(shown, reader), more: products.length - shown.length }],
    rows: [...buyRows(shown, reader), ...categoryRows(undefined, reader)],
  };
}

/** Each product with what this reader pays for it now. */
function priced(products: readonly Product[], { userId, services }: Reader) {
  const { shop, clock } = services;
  const discounts = shop.getApplicableDiscounts(userId);
  const now = clock.epochAt(clock.now());
  return products.map((product) => ({ product, ...priceFor(product, discounts, now) }));
}

function productLines(products: readonly Product[], reader: Reader): string[] {
  const { locale, format } = reader;
  return priced(products, reader).map(({ product, percent, cents }) => {
    const full = money(product.priceCents, locale);
    const price = percent === 0 ? full : `~~${full}~~ **${money(cents, locale)}**`;
    const about = `${nameText(product.subCategory)} · ${stockText(product.stock, format.count)}`;
    return `**${nameText(product.name)}** — ${price}\n-# ${about}`;
  });
}

function buyRows(products: readonly Product[], reader: Reader): ControlRow[] {
  const inStock = products.filter(({ stock }) => stock !== 0);
  if (inStock.length === 0) return [];
  return [
    {
      id: shopId('shop', reader.userId, 'buy'),
      placeholder: 'Buy one of these',
      options: priced(inStock, reader).map(({ product: { id, name }, cents }) => ({
        label: nameLabel(name),
        value: String(id),
        description: money(cents, reader.locale),
      })),
    },
  ];
}

function categoryRows(current: number | undefined, { userId, format, services }: Reader): ControlRow[] {
  return [
    {
      id: shopId('shop', userId, 'category'),
      placeholder: 'Choose a category',
      options: services.shop
        .getMainCategories()
        .slice(0, MAX_OPTIONS)
        .map(({ name, products }, index) => ({
          label: nameLabel(name),
          value: String(index),
          description: plural(format, products, 'product'),
          selected: index === current,
        })),
    },
  ];
}

function categoryChoices(typed: string, { shop }: ShopServices): Choice[] {
  const wanted = typed.trim().toLowerCase();
  return shop
    .getMainCategories()
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .slice(0, MAX_OPTIONS)
    .map(({ name }) => ({ name: nameLabel(name), value: name }));
}
