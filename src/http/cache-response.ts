/**
 * Answers of the bot's own HTTP API, kept: around a handler that makes a response from a request, or as Hono's
 * middleware (hono.ts). An answer is an entry like any other: made once for all who ask at a time (I3), and kept out
 * when an invalidation comes while its handler runs (I2).
 *
 * What may be kept is decided in cache-response-rules.ts. An answer that is for one request alone is never shared, not
 * even with those who wait: they ask the handler themselves.
 */
import { assertCache, assertFunction } from '../cache/arguments.ts';
import type { Cache } from '../cache/cache.ts';
import type { LoadOptions } from '../cache/entry-options.ts';
import type { LoadContext } from '../cache/loading/load-context.ts';
import type { TierPolicy } from '../cache/tiers/tier.ts';
import { restoreResponse, type StoredResponse, storeResponse, withoutBody } from './cache-response-body.ts';
import { cacheControl, matchesEtag, seconds, withoutContent } from './cache-response-headers.ts';
import {
  assertOptions,
  type CacheResponseOptions,
  entryOptionsOf,
  listOf,
  tierOf,
} from './cache-response-options.ts';
import {
  initialAgeMs,
  isCacheableRequest,
  isForOneAlone,
  isPersonal,
  responseKey,
  sharedRequest,
  statedTtlMs,
  varyNames,
} from './cache-response-rules.ts';

import { type ResponseShare, shareOf } from './response-share.ts';

export type { CacheResponseOptions } from './cache-response-options.ts';

/** Makes a response from a request. */
export type RequestHandler = (request: Request) => Response | PromiseLike<Response>;

/** Far more than most pages and lists take. */
const DEFAULT_BODY_BYTES = 1_024 * 1_024;
/** More headers than any handler varies by; what varies by more is not kept. */
const MAX_VARY = 16;

/** What a load gives in place of an answer to share. */
const FOR_ONE = 'for one request alone';
const VARIES = 'varies by more than the key';
type NotShared = typeof FOR_ONE | typeof VARIES;

/**
 * Caches the answers of a handler: GET and HEAD, with `ETag`, `Cache-Control`, `Age` and 304.
 * @returns a handler that rejects with whatever `handler` throws
 * @throws CacheError `ERR_ARGUMENT_INVALID` at once for options that make no sense
 * @example
 * const products = cacheResponse(cache, () => Response.json(shop.getAllProducts()), {
 *   keyPrefix: 'products',
 *   tier: 'reference',
 *   dependsOn: ['products::all'],
 *   edgeMaxAgeMs: 10_000,
 * });
 */
export function cacheResponse(
  cache: Cache,
  handler: RequestHandler,
  options: CacheResponseOptions = {},
): (request: Request) => Promise<Response> {
  const usage = 'cacheResponse(cache, handler, options)';
  assertCache(cache, usage);
  assertFunction(handler, usage, 'handler');
  const responses = new ResponseCache(cache, options);
  return (request) => responses.answer(request, handler);
}

/** The same where each request brings its handler. */
export class ResponseCache {
  readonly #cache: Cache;
  readonly #share: ResponseShare;
  readonly #options: CacheResponseOptions;
  readonly #tier: TierPolicy;
  readonly #ttlMs: number;
  readonly #maxBodyBytes: number;
  readonly #statuses: ReadonlySet<number>;
  /** One object for all loads: the cache works out the policies of a call once an object. */
  readonly #loadOptions: LoadOptions;
  /** The request headers in every key, sorted; replaced when one more is learnt. */
  #vary: readonly string[];

  /** @throws CacheError `ERR_ARGUMENT_INVALID` */
  constructor(cache: Cache, options: CacheResponseOptions) {
    assertOptions(options);
    this.#cache = cache;
    this.#share = shareOf(cache);
    this.#options = options;
    this.#tier = tierOf(cache.tiers, options.tier);
    this.#ttlMs = options.ttlMs ?? this.#tier.ttlMs;
    this.#maxBodyBytes = options.maxBodyBytes ?? DEFAULT_BODY_BYTES;
    this.#statuses = new Set(options.statuses ?? [200]);
    // Tags and dependencies are told by each load.
    this.#loadOptions = { ...entryOptionsOf(options), tier: this.#tier.tier };
    this.#vary = [...(options.vary ?? [])].map((name) => name.toLowerCase()).sort();
  }

  async answer(request: Request, handler: RequestHandler): Promise<Response> {
    const identity = this.#options.identity?.(request);
    if (!isCacheableRequest(request) || (identity === undefined && isPersonal(request))) {
      return handler(request);
    }
    const vary = this.#vary;
    const key = responseKey(request, { keyPrefix: this.#options.keyPrefix, identity, vary });
    let own: Response | undefined;
    const load = async (context: LoadContext): Promise<StoredResponse | NotShared> => {
      for (const tag of listOf(this.#options.tags, request)) context.tag(tag);
      for (const key of listOf(this.#options.dependsOn, request)) context.dependsOn(key);
      const response = await handler(sharedRequest(request, context.signal));
      const refusal = this.#refusal(response, vary);
      const stored = refusal === undefined ? await storeResponse(response, this.#maxBodyBytes) : response;
      if (!(stored instanceof Response)) return this.#judged(stored, context);
      context.skip();
      own = stored;
      return refusal ?? FOR_ONE;
    };
    const found = await this.#cache.getOrLoad(key, load, this.#loadOptions).catch(answerOfFailed);
    if (typeof found === 'object') {
      this.#share.used(key);
      return this.#served(request, key, found, identity !== undefined);
    }
    if (own !== undefined) return request.method === 'HEAD' ? withoutBody(own) : own;
    // Somebody else's load, and what it gave is theirs. By now more may be known of what the key must hold.
    return found === VARIES && vary !== this.#vary ? this.answer(request, handler) : handler(request);
  }

  /** Why an answer may not be shared. Headers that it varies by are learnt for the keys to come. */
  #refusal(response: Response, vary: readonly string[]): NotShared | undefined {
    if (isForOneAlone(response)) return FOR_ONE;
    const names = varyNames(response.headers);
    if (names.every((name) => vary.includes(name))) return undefined;
    const known = new Set([...this.#vary, ...names]);
    if (known.size > this.#vary.length && known.size <= MAX_VARY) this.#vary = [...known].sort();
    return VARIES;
  }

  /** Decides how long a whole answer is kept. */
  #judged(answer: StoredResponse, context: LoadContext): StoredResponse {
    const { status, headers } = answer;
    if (this.#statuses.has(status)) {
      const stated = statedTtlMs(headers, this.#now()) ?? Number.POSITIVE_INFINITY;
      if (stated === 0) {
        // It is old already.
        context.skip();
        return answer;
      }
      const ttlMs = status < 400 ? stated : Math.min(stated, this.#tier.negativeTtlMs);
      if (ttlMs < this.#ttlMs) context.setTtl(ttlMs);
      return answer;
    }
    // A failed load: grace may serve the old answer.
    if (status >= 500) throw new HandlerFailed(answer);
    context.skip();
    return answer;
  }

  #served(request: Request, key: string, answer: StoredResponse, isPrivate: boolean): Response {
    const headers = new Headers(answer.headers);
    if (this.#statuses.has(answer.status)) {
      this.#describe(headers, answer, key, isPrivate);
      const isOk = answer.status < 300;
      if (isOk && matchesEtag(request.headers.get('if-none-match'), headers.get('etag'))) {
        return new Response(null, { status: 304, headers: withoutContent(headers) });
      }
    }
    return restoreResponse(answer, headers, request.method !== 'HEAD');
  }

  /** Epoch milliseconds. */
  #now(): number {
    const { clock } = this.#cache;
    return clock.epochAt(clock.now());
  }

  /** Says how old the answer is, what it depends on, and how long copies elsewhere hold, unless the handler did. */
  #describe(headers: Headers, answer: StoredResponse, key: string, isPrivate: boolean): void {
    const now = this.#now();
    const keptAt = this.#cache.inspect(key)?.createdAt ?? now;
    const ageMs = now - keptAt + initialAgeMs(answer.headers, keptAt);
    const options = this.#options;
    headers.set('age', String(seconds(ageMs)));
    const stated = [...(options.vary ?? []), ...(isPrivate ? ['Authorization', 'Cookie'] : [])];
    for (const name of stated) {
      if (!varyNames(headers).includes(name.toLowerCase())) headers.append('vary', name);
    }
    if (headers.has('cache-control')) return;
    const policy = {
      isPrivate,
      browserMaxAgeMs: options.browserMaxAgeMs ?? 0,
      edgeMaxAgeMs: options.edgeMaxAgeMs ?? 0,
      ttlMs: this.#ttlMs,
      staleWhileRevalidateMs: options.staleWhileRevalidateMs ?? this.#tier.staleWhileRevalidateMs ?? 0,
      graceMs: options.graceMs ?? this.#tier.graceMs ?? 0,
    };
    headers.set('cache-control', cacheControl(policy, ageMs));
  }
}

/** The handler answered that it failed. Those who wait get that answer, unless an old one may be served. */
class HandlerFailed extends Error {
  override readonly name = 'HandlerFailed';
  readonly answer: StoredResponse;

  constructor(answer: StoredResponse) {
    super(`The handler answered ${answer.status}.`);
    this.answer = answer;
  }
}

function answerOfFailed(error: unknown): StoredResponse {
  if (error instanceof HandlerFailed) return error.answer;
  throw error;
}
