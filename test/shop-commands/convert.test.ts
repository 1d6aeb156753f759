/** What `/convert` says, whatever the rates do. */
import { expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import type { ExchangeRates, Rates } from '../../src/rates/exchange-rates.ts';
import { convertCommand, convertView } from '../../src/shop-commands/convert.ts';
import { shopCommandList } from '../../src/shop-commands/shop-commands.ts';
import { schemaIssues } from '../commands/spoken.ts';
import { NELLY, START_AT, smallShop } from '../db/shop-fixture.ts';

function giving(rates: Rates | Error): ExchangeRates {
  const latest = async () => {
    if (rates instanceof Error) throw rates;
    return rates;
  };
  return { latest, close: async () => undefined };
}

async function said(rates: Rates | Error, product = '1', currency = 'EUR', discounted = 0): Promise<string> {
  const { shop, clock, end } = smallShop();
  onTestFinished(end);
  if (discounted > 0) {
    const target = { kind: 'product', productId: 1 } as const;
    shop.createDiscount({
      name: 'Sale',
      percent: discounted,
      target,
      validFrom: START_AT - 1,
      validTo: null,
    });
  }
  const services = {
    ...{ shop, clock, logger: silentLogger, config: parseConfig({}) },
    mention: (name: string) => `/${name}`,
  };
  const view = await convertView({ userId: NELLY, product, currency }, 'en-US', giving(rates), services);
  return [view.title, ...view.blocks.flatMap(({ lines }) => lines), ...(view.notes ?? [])].join('\n');
}

const at = (secondsAgo: number) => `<t:${START_AT / 1_000 - secondsAgo}:R>`;
const fresh = { rates: { EUR: 0.5, JPY: 150 }, ageSeconds: 12, isOld: false };

it('tells the price in the other currency, written as the reader writes it, and when the rate was given', async () => {
  const text = await said(fresh);
  const [, cost = ''] = /costs \$([\d.]+)/.exec(text) ?? [];
  const [, euros = ''] = /which is \*\*€([\d.]+)\*\*/.exec(text) ?? [];
  expect(Number(euros)).toBeCloseTo(Number(cost) / 2, 1);
  expect(text).toContain(`Rates of ${at(12)}`);
  expect(await said(fresh, '1', 'JPY')).toMatch(/\*\*¥[\d,]+\*\*/);
});

it('converts what this person pays', async () => {
  expect(await said(fresh)).toContain('costs $19.99, which is **€10.00**');
  expect(await said(fresh, '1', 'EUR', 50)).toContain('costs $9.99, which is');
});

it('says so where the rates are old, and how old', async () => {
  const text = await said({ ...fresh, ageSeconds: 7_200, isOld: true });
  expect(text).toContain('old rates');
  expect(text).toContain(`does not answer: these are its rates of ${at(7_200)}.`);
});

it.each([
  ['no rates', new Error('down'), '1', /No exchange rates\n.*costs \$.*\n.*Try again later/],
  ['no such rate', { ...fresh, rates: {} }, '1', /costs \$.*no rate for .*EUR/],
  ['no such product', fresh, 'moonbeam', /No such product\n.*moonbeam.*\/shop/],
])('says what is there and what to do where there is %s', async (_what, rates, product, words) => {
  expect(await said(rates, product)).toMatch(words);
});

it('is a command only where there are rates, defined as Discord wants it', () => {
  expect(shopCommandList().map(({ name }) => name)).not.toContain('convert');
  expect(shopCommandList(giving(fresh)).map(({ name }) => name)).toContain('convert');
  expect(schemaIssues('ApplicationCommandCreateRequest', convertCommand(giving(fresh)).data)).toEqual([]);
});
