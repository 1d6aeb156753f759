/** Addresses in the environment: what is wrong with one is told, and not what is in it. */
import { expect, it } from 'vitest';
import { CacheError } from '../../src/cache/errors.ts';
import { httpUrl } from '../../src/config/http-url.ts';

it('takes an http address, and nothing where there is none', () => {
  expect(httpUrl('RATES_URL', ' https://rates.example/v1?base=USD ')).toBe(
    'https://rates.example/v1?base=USD',
  );
  expect(httpUrl('RATES_URL', '')).toBeUndefined();
  expect(httpUrl('RATES_URL', undefined)).toBeUndefined();
});

it.each([
  'rates.example/v6/0123456789abcdef01234567/latest/USD',
  'bot:hunter2@rates.example/latest',
  'ftp://bot:hunter2@rates.example',
  '0123456789abcdef01234567',
])('does not print one that is none, since a key may be in it: %s', (text) => {
  const refused = () => httpUrl('RATES_URL', text);
  expect(refused).toThrow(CacheError);
  expect(refused).toThrow('RATES_URL is no http address: it must begin with http:// or https://');
  expect(refused).not.toThrow(/hunter2|0123456789|rates\.example/);
});
