/**
 * The reference bot's HTTP API: what is at which address, and what is said where there is nothing. The answers that are
 * kept are in kept-reads.ts; the server comes from whoever calls this.
 */
import { Registry } from 'prom-client';
import type { Cache } from '../cache/cache.ts';
import type { Shop } from '../db/shop.ts';
import type { RequestHandler } from '../http/cache-response.ts';
import type { Logger } from '../logger.ts';
import { cacheMetrics } from '../metrics/prometheus.ts';
import { type BotState, leaderboardRead, productsRead, statusRead } from './kept-reads.ts';
import { problem, quoted } from './query.ts';

export interface BotApiParts {
  readonly cache: Cache;
  readonly shop: Shop;
  readonly bot: () => BotState;
  /** Throws when the database does not answer. */
  readonly checkDatabase: () => void;
  readonly logger: Logger;
}

export interface BotApi {
  readonly handle: (request: Request) => Promise<Response>;
  /** Ends what it measures. */
  stop(): void;
}

/** Makes the API of a bot. */
export function createBotApi(parts: BotApiParts): BotApi {
  const { cache, shop, bot, logger } = parts;
  const registry = new Registry();
  const metrics = cacheMetrics(cache, registry);
  const routes: ReadonlyMap<string, RequestHandler> = new Map([
    ['/api/status', statusRead(cache, shop, bot)],
    ['/api/products', productsRead(cache, shop)],
    ['/api/leaderboard', leaderboardRead(cache, shop)],
    ['/healthz', () => health(parts)],
    ['/metrics', () => exposition(registry)],
  ]);

  const route = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const handler = routes.get(pathname);
    if (handler === undefined) {
      return problem(
        404,
        `There is nothing at ${quoted(pathname)}: there is ${[...routes.keys()].join(', ')}.`,
      );
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return problem(405, `${pathname} can only be read: use GET or HEAD.`, { allow: 'GET, HEAD' });
    }
    try {
      return await handler(request);
    } catch (error) {
      logger.error('A request to the HTTP API failed.', { path: pathname, error });
      return problem(500, "That failed, and the bot's log says why: try again later.");
    }
  };

  return {
    handle: async (request) => {
      const response = await route(request);
      response.headers.set('x-content-type-options', 'nosniff');
      return request.method === 'HEAD' ? new Response(null, response) : response;
    },
    stop: () => metrics.stop(),
  };
}

/** For whoever restarts what does not work: 200 or 503. */
function health({ bot, checkDatabase, logger }: BotApiParts): Response {
  const { online } = bot();
  const database = succeeds(checkDatabase, logger);
  const isWell = online && database;
  return Response.json(
    { status: isWell ? 'ok' : 'failing', discord: online, database },
    { status: isWell ? 200 : 503, headers: { 'cache-control': 'no-store' } },
  );
}

async function exposition(registry: Registry): Promise<Response> {
  const headers = { 'content-type': registry.contentType, 'cache-control': 'no-store' };
  return new Response(await registry.metrics(), { headers });
}

function succeeds(check: () => void, logger: Logger): boolean {
  try {
    check();
    return true;
  } catch (error) {
    logger.warn('The database does not answer.', { error });
    return false;
  }
}
