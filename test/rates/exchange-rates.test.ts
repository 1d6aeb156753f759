/** The shop's question to another API, against a real HTTP server, on a clock that the test turns. */
import { expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { exchangeRates } from '../../src/rates/exchange-rates.ts';
import { type Origin, outgoing } from '../http/origin.ts';

const headers = { 'cache-control': 'max-age=60' };
const body = JSON.stringify({ base: 'USD', rates: { EUR: 0.92 } });

async function asking(origin: Origin) {
  const parts = await outgoing(origin);
  const exchange = exchangeRates(parts.cache, { url: parts.url, base: 'USD', logger: silentLogger });
  onTestFinished(() => exchange.close());
  return { ...parts, exchange };
}

it('asks once for as long as the API says, and tells how old the rates are', async () => {
  const { exchange, asked, advance } = await asking(() => ({ headers, body }));
  for (let i = 0; i < 10; i++) await exchange.latest();
  advance(59_000);
  expect(await exchange.latest()).toEqual({ rates: { EUR: 0.92 }, ageSeconds: 59, isOld: false });
  expect(asked).toHaveLength(1);
});

it.each([
  ['fails', 503],
  ['breaks off', undefined],
])('gives old rates and their age for a day while the API %s, whatever it promised', async (_how, status) => {
  const { exchange, advance } = await asking((_asked, call, response) => {
    if (call === 1) return { headers, body };
    if (status === undefined) response.destroy();
    return status === undefined ? undefined : { status };
  });
  await exchange.latest();
  advance(3_600_000);
  expect(await exchange.latest()).toEqual({ rates: { EUR: 0.92 }, ageSeconds: 3_600, isOld: true });
  advance(24 * 3_600_000);
  await expect(exchange.latest()).rejects.toThrow();
});

it.each([
  ['an error', { status: 404 }],
  ['no rates', { headers, body: '{"error":"no"}' }],
  ['no JSON', { headers, body: '<html>' }],
  ['a rate of nothing', { headers, body: '{"base":"USD","rates":{"EUR":0}}' }],
])('rejects where the API gives %s', async (_what, told) => {
  const { exchange } = await asking(() => told);
  await expect(exchange.latest()).rejects.toThrow();
});

it('rejects rates of another currency than that of the prices', async () => {
  const { exchange } = await asking(() => ({ headers, body: body.replace('USD', 'EUR') }));
  await expect(exchange.latest()).rejects.toThrow('tells rates of EUR, not of USD');
});
