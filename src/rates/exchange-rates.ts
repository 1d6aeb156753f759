/**
 * Another API that the shop asks: what its prices are in other currencies. Answers lie in the cache by HTTP's own rules,
 * so the API itself says for how long they hold; while it is down, those of the last day go on being served, with their
 * age. Undici is an optional peer: whoever wants rates imports this file when they do.
 */
import { request } from 'undici';
import { z } from 'zod';
import type { Cache } from '../cache/cache.ts';
import { cachingAgent } from '../http/caching-agent.ts';
import type { Logger } from '../logger.ts';

export interface Rates {
  /** What one unit of the base is worth, by ISO 4217 code. */
  readonly rates: Readonly<Record<string, number>>;
  /** How long ago the API gave them. */
  readonly ageSeconds: number;
  /** They are served although they are out of date: the API gave no newer ones. */
  readonly isOld: boolean;
}

export interface ExchangeRates {
  /** @throws Error when the API gives nothing, and nothing of it is kept */
  latest(): Promise<Rates>;
  close(): Promise<void>;
}

/** Undici looks at its timers every half a second, so a request ends within 2.5 s; people wait longer for nothing. */
const TIMEOUT_MS = 2_000;
/** Rates of yesterday are better than none. */
const STALE_IF_ERROR_MS = 86_400_000;

const answerSchema = z.object({ base: z.string(), rates: z.record(z.string(), z.number().positive()) });

export interface ExchangeRatesOptions {
  /** Answers `{ "base": "USD", "rates": { "EUR": 0.92 } }`. */
  readonly url: string;
  /** What the rates must be based on. */
  readonly base: string;
  readonly logger: Logger;
}

export function exchangeRates(cache: Cache, { url, base, logger }: ExchangeRatesOptions): ExchangeRates {
  const dispatcher = cachingAgent(cache, {
    staleIfErrorMs: STALE_IF_ERROR_MS,
    tags: ['rates'],
    logger,
  });
  return {
    async latest() {
      const { statusCode, headers, body } = await request(url, {
        dispatcher,
        headers: { accept: 'application/json' },
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: TIMEOUT_MS,
      });
      if (statusCode !== 200) {
        await body.dump();
        throw new Error(`The exchange-rate API answered ${statusCode}.`);
      }
      const answer = answerSchema.parse(await body.json());
      if (answer.base !== base) {
        throw new Error(`The exchange-rate API tells rates of ${answer.base}, not of ${base}.`);
      }
      return {
        rates: answer.rates,
        ageSeconds: Number(headers.age ?? 0) || 0,
        // What undici calls a response that it serves beyond its freshness (RFC 7234, section 5.5.1).
        isOld: String(headers.warning ?? '').startsWith('110'),
      };
    },
    // Not waiting for an API that is stuck.
    close: () => dispatcher.destroy(),
  };
}
