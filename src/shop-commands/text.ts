/** Prices and names as people read them: by the locale of the reader, and without any markup that a name may hold. */
import { plainText } from '../commands/views/key-text.ts';

/** What the shop's prices are in. */
export const CURRENCY = 'USD';
/** Longer names are cut in the middle. */
const NAME_LENGTH = 60;

const monies = new Map<string, Intl.NumberFormat>();

/** `$1,234.50`, or `1.234,50 $`. */
export function money(cents: number, locale: string): string {
  const format =
    monies.get(locale) ?? new Intl.NumberFormat(locale, { style: 'currency', currency: CURRENCY });
  monies.set(locale, format);
  return format.format(cents / 100);
}

const MARKUP = /[\\*_~`|<>#\-[\]()]|:(?=\/\/)/g;

/** A name within a line of markdown: nothing in it is markup, a mention or a link. */
export function nameText(name: string, length: number = NAME_LENGTH): string {
  return plainText(name, length).replace(MARKUP, '\\$&');
}

/** A name in a label or a choice, where there is no markup. */
export function nameLabel(name: string): string {
  return plainText(name, NAME_LENGTH);
}

/** What is left of a product: in words, since a number alone says nothing. */
export function stockText(stock: number | null, count: (value: number) => string): string {
  if (stock === null) return 'in stock';
  return stock === 0 ? 'sold out' : `${count(stock)} left`;
}
