/** Addresses of other services that the environment names. */
import { CacheError } from '../cache/errors.ts';

const EXAMPLES = {
  /** Another root of Discord's API, as the playground has. */
  DISCORD_API_URL: 'http://127.0.0.1:4780/api',
  /** An API of exchange rates; without one there is no `/convert`. */
  RATES_URL: 'https://api.frankfurter.dev/v1/latest?base=USD',
} as const;

/**
 * @returns the address without slashes at its end; `undefined` where it is not set
 * @throws CacheError `ERR_CONFIG_INVALID` that tells what it must be, and not what it is
 */
export function httpUrl(name: keyof typeof EXAMPLES, text: string | undefined): string | undefined {
  const url = text?.trim() ?? '';
  if (url === '') return undefined;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    // It is not shown, since a key or a password may be in it.
    throw new CacheError(
      'ERR_CONFIG_INVALID',
      `${name} is no http address: it must begin with http:// or https://. An example is ${EXAMPLES[name]}.`,
    );
  }
  return url.replace(/\/+$/, '');
}
