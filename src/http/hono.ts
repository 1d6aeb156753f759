/**
 * `cacheResponse` as Hono's middleware; the package entry is `cachecord/hono`. Hono itself is not imported, nor are its
 * types, which are those of an ES module and would be errors in a host that compiles to CommonJS.
 *
 * Once an answer is out, Hono drops what the handlers behind it still give, so no load can go on behind an answer here:
 * the policies for that are off. Around a whole app, `cacheResponse(cache, app.fetch, …)` has them all.
 */
import type { Cache } from '../cache/cache.ts';
import { CacheError } from '../cache/errors.ts';
import { ResponseCache } from './cache-response.ts';
import type { CacheResponseOptions } from './cache-response-options.ts';

export type { CacheResponseOptions } from './cache-response-options.ts';

/** What would let a load go on behind an answer, turned off: by a tier, too. */
const NOTHING_BEHIND = {
  staleWhileRevalidateMs: 0,
  softTimeoutMs: Number.POSITIVE_INFINITY,
  // A ratio is below 1; this one is reached with the end of the ttl.
  refreshAheadRatio: 1 - Number.EPSILON,
  earlyRefreshBeta: 0,
} as const;

/** As for handlers, without what would load behind an answer. */
export type HonoCacheOptions = Omit<CacheResponseOptions, keyof typeof NOTHING_BEHIND>;

/** What a middleware takes of Hono's context. */
export interface HonoContext {
  readonly req: { raw: Request };
  get res(): Response;
  set res(answer: Response | undefined);
}

/** A `MiddlewareHandler` of Hono. */
export type HonoMiddleware = (c: HonoContext, next: () => Promise<void>) => Promise<void>;

/**
 * Caches the answers of the handlers behind it.
 * @throws CacheError `ERR_ARGUMENT_INVALID` at once for options that make no sense, or that Hono cannot honour
 * @example
 * app.get('/api/status', cacheResponse(cache, { ttlMs: 5_000, keyPrefix: 'status' }), (c) => c.json(status()));
 */
export function cacheResponse(cache: Cache, options: HonoCacheOptions = {}): HonoMiddleware {
  for (const name of Object.keys(NOTHING_BEHIND)) {
    if (Reflect.get(options, name) === undefined) continue;
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `cacheResponse: Hono cannot honour ${name}; wrap the app instead: cacheResponse(cache, app.fetch, …) from cachecord.`,
    );
  }
  const { softTimeoutMs, ...others } = NOTHING_BEHIND;
  // Beside a hard timeout there is no soft one of `Infinity`.
  const off = options.hardTimeoutMs === undefined ? { softTimeoutMs, ...others } : others;
  const responses = new ResponseCache(cache, { ...options, ...off });
  return async (c, next) => {
    let hasRun = false;
    let isAnswered = false;
    const answer = await responses.answer(c.req.raw, async (request) => {
      const { raw } = c.req;
      c.req.raw = request;
      await next();
      if (isAnswered) throw new Error('The answer came after the request was answered: Hono has dropped it.');
      c.req.raw = raw;
      hasRun = true;
      return c.res;
    });
    isAnswered = true;
    // Else Hono would put the headers of the one over those of the other.
    if (hasRun) c.res = undefined;
    c.res = answer;
  };
}
