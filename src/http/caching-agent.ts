/**
 * Other APIs' answers, kept as RFC 9111 allows: undici's own cache interceptor over our cache, as a dispatcher for
 * `fetch`, undici's `request` and the REST client of discord.js. What may be kept, for how long, and who may get it,
 * is undici's to decide; where it lies and how it is removed, ours. Connections stay undici's.
 */

import { Agent, type Dispatcher, Dispatcher1Wrapper, interceptors } from 'undici';
import { assertCache, assertList, assertLogger, hasMethods, kindOf } from '../cache/arguments.ts';
import { BurstLog } from '../cache/burst-log.ts';
import type { Cache } from '../cache/cache.ts';
import { CacheError } from '../cache/errors.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import type { TierName } from '../cache/tiers/tier.ts';
import { consoleLogger } from '../logger/console-logger.ts';
import type { Logger } from '../logger.ts';
import { Answers } from './answers.ts';
import { Exchange, type ExchangeOptions, SAFE_METHODS } from './exchange.ts';

export interface CachingAgentOptions {
  /** What the requests go through: a pool, a proxy agent, one composed with other interceptors. @default a new `Agent` */
  readonly dispatcher?: Dispatcher | undefined;
  /** @default the tier that has the namespace `api`, else `query`. Its ttl does not matter: the origin states one. */
  readonly tier?: TierName | undefined;
  /**
   * `private` keeps what is for one user alone (`Cache-Control: private`), by `Authorization` and `Cookie`; `shared`
   * does not keep it at all. @default shared
   */
  readonly type?: 'shared' | 'private' | undefined;
  /** A longer body streams through and is not kept. @default 5 MiB */
  readonly maxEntryBytes?: number | undefined;
  /** No answer is fresh for longer, whatever its origin says. @default Infinity */
  readonly maxTtlMs?: number | undefined;
  /** For answers whose origin says nothing about caching. @default they are not kept */
  readonly defaultTtlMs?: number | undefined;
  /**
   * How long an answer is held beyond its freshness, to be validated, served to requests that say `max-stale`, or by
   * `stale-while-revalidate` and `stale-if-error` for as long as its origin says. @default a day
   */
  readonly maxStaleMs?: number | undefined;
  /**
   * How long an old answer is served while its origin fails, where the origin says nothing of it (`stale-if-error`).
   * What must be revalidated is never served so, nor anything beyond `maxStaleMs`. @default 0
   */
  readonly staleIfErrorMs?: number | undefined;
  /**
   * How long a request waits for the same request that is under way, before it goes to the origin itself; 0 waits for
   * nobody. @default 5 s
   */
  readonly maxWaitMs?: number | undefined;
  /** Only these origins are cached: texts such as `https://api.example.com`, or regular expressions. @default all */
  readonly origins?: readonly (string | RegExp)[] | undefined;
  /** Tags of every answer. */
  readonly tags?: readonly string[] | undefined;
  /** @default the console, one line a message */
  readonly logger?: Logger | undefined;
}

const DEFAULT_ENTRY_BYTES = 5 * 1_024 * 1_024;
const DAY_MS = 86_400_000;
/** As nginx does (`proxy_cache_lock_timeout`). */
const DEFAULT_WAIT_MS = 5_000;

/**
 * Makes a dispatcher whose answers lie in the cache, under `api::{origin}::…`.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for options that make no sense
 * @example
 * const agent = cachingAgent(cache, { maxTtlMs: 3_600_000 });
 * await fetch('https://api.example.com/items', { dispatcher: agent });
 */
export function cachingAgent(cache: Cache, options: CachingAgentOptions = {}): Dispatcher {
  assertCache(cache, 'cachingAgent(cache, options)');
  assertOptions(cache, options);
  const { type = 'shared', tier, tags = [], defaultTtlMs = 0, origins } = options;
  const { maxStaleMs = DAY_MS, maxWaitMs = DEFAULT_WAIT_MS, maxEntryBytes = DEFAULT_ENTRY_BYTES } = options;
  const bursts = new BurstLog(cache.clock, options.logger ?? consoleLogger);
  const exchangeOptions: ExchangeOptions = {
    type,
    answers: new Answers(cache, { type, tier, tags: [...tags], maxStaleMs, maxWaitMs }),
    // What the cache cannot take is not collected.
    maxEntryBytes: Math.min(maxEntryBytes, cache.maxWeightBytes),
    maxTtlMs: options.maxTtlMs ?? Number.POSITIVE_INFINITY,
    defaultTtlMs,
    maxStaleMs,
    staleIfErrorMs: options.staleIfErrorMs ?? 0,
    warn: (error) => bursts.warn('agent', 'An answer of another API is served without the cache.', { error }),
  };
  const rules = {
    type,
    methods: ['GET' as const, 'HEAD' as const],
    ...(defaultTtlMs === 0 ? {} : { cacheByDefault: defaultTtlMs }),
    ...(origins === undefined ? {} : { origins: origins.map(stateless) }),
  };
  const intercept: Interceptor = (send, origin) => (request, handler) => {
    if (!cache.enabled || cache.closed) return send(request, handler);
    const isUnsafe = !SAFE_METHODS.has(request.method);
    // Undici would let an unsafe request that says `no-store` by, and it invalidates all the same (RFC 9111, section 4.4).
    const asSent: Dispatcher.Dispatch = (options, to) =>
      send(isUnsafe ? { ...options, headers: request.headers ?? null } : options, to);
    const exchange = new Exchange(exchangeOptions, asSent, signalOf(request));
    const dispatch = (interceptors.cache({ ...rules, store: exchange }) as Interceptor)(
      exchange.dispatch,
      origin,
    );
    return dispatch(isUnsafe ? { ...request, headers: {} } : request, exchange.watched(handler));
  };
  const agent = (options.dispatcher ?? new Agent()).compose(
    intercept as Dispatcher.DispatcherComposeInterceptor,
  );
  return forAllVersions(agent);
}

/** Undici tells an interceptor the origin of a dispatcher that has one, which its types leave out. */
type Interceptor = (send: Dispatcher.Dispatch, origin?: string | null) => Dispatcher.Dispatch;

/** An expression with `g` or `y` goes on from where it matched last. */
function stateless(origin: string | RegExp): string | RegExp {
  return typeof origin === 'string' ? origin : new RegExp(origin.source, origin.flags.replace(/[gy]/g, ''));
}

/** Undici hands on the options of `request`, whose signal its types leave out; events of its own kind it takes as well. */
function signalOf(request: object): AbortSignal | undefined {
  const signal: unknown = Reflect.get(request, 'signal');
  return signal instanceof AbortSignal ? signal : undefined;
}

/**
 * Node's own fetch and discord.js bring older versions of undici, whose handlers have other methods; version 6 hands on
 * the dispatcher among the options, which version 8 refuses.
 */
function forAllVersions(agent: Dispatcher): Dispatcher {
  const older = new Dispatcher1Wrapper(agent);
  const dispatch: Dispatcher.Dispatch = (request, handler) => {
    if (typeof handler?.onRequestStart === 'function') return agent.dispatch(request, handler);
    const { dispatcher: _self, ...options } = request as typeof request & { readonly dispatcher?: unknown };
    return older.dispatch(options, handler);
  };
  return new Proxy(agent, {
    get: (target, name) => (name === 'dispatch' ? dispatch : Reflect.get(target, name)),
  });
}

const OPTIONS: OptionNames<CachingAgentOptions> = {
  dispatcher: true,
  tier: true,
  type: true,
  maxEntryBytes: true,
  maxTtlMs: true,
  defaultTtlMs: true,
  maxStaleMs: true,
  staleIfErrorMs: true,
  maxWaitMs: true,
  origins: true,
  tags: true,
  logger: true,
};

const NUMBERS = [
  'maxEntryBytes',
  'maxTtlMs',
  'defaultTtlMs',
  'maxStaleMs',
  'staleIfErrorMs',
  'maxWaitMs',
] as const;

function assertOptions(cache: Cache, options: CachingAgentOptions): void {
  assertKnown('cachingAgent', options, OPTIONS);
  // Older ones are found where the host has none of its own: discord.js brings undici 6.
  if (typeof Dispatcher1Wrapper !== 'function')
    throw invalid('it needs undici 8 or newer: npm install undici@8');
  for (const name of NUMBERS) {
    const value = options[name];
    const isCountable = name !== 'maxEntryBytes' || Number.isSafeInteger(value);
    if (value === undefined || (typeof value === 'number' && value >= 0 && isCountable)) continue;
    const given = typeof value === 'number' ? String(value) : kindOf(value);
    throw invalid(`${name} is ${given}; it is a number from 0 up`);
  }
  const { tier, type, dispatcher } = options;
  if (dispatcher !== undefined && !hasMethods(dispatcher, 'dispatch', 'compose')) {
    throw invalid(`dispatcher is ${kindOf(dispatcher)}, expected one of undici, such as new Agent()`);
  }
  assertOrigins(options.origins);
  assertTags(options.tags);
  assertLogger(options.logger, USAGE);
  if (type !== undefined && type !== 'shared' && type !== 'private') {
    throw invalid(`type is ${String(type)}; it is "shared" or "private"`);
  }
  if (tier !== undefined && !cache.tiers.some((each) => each.tier === tier)) {
    throw invalid(`tier is "${tier}"; there are ${cache.tiers.map((each) => each.tier).join(', ')}`);
  }
}

const USAGE = 'cachingAgent(cache, options)';

/** @throws CacheError `ERR_ARGUMENT_INVALID` for what would match no origin, and so cache nothing */
function assertOrigins(origins: unknown): void {
  if (origins === undefined) return;
  const example = "['https://api.example.com']";
  if (typeof origins === 'string' || origins instanceof RegExp || origins instanceof URL) {
    throw invalid(`origins is ${kindOf(origins)}, expected a list: origins: ${example}`);
  }
  if (!Array.isArray(origins))
    throw invalid(`origins is ${kindOf(origins)}, expected a list such as ${example}`);
  if (origins.length === 0)
    throw invalid('origins is empty, so that nothing is cached; leave it out for all');
  for (const origin of origins) {
    if (origin instanceof RegExp) continue;
    if (typeof origin !== 'string') {
      throw invalid(
        `origins holds ${kindOf(origin)}, expected texts such as ${example} or regular expressions`,
      );
    }
    const parsed = URL.parse(origin)?.origin;
    if (parsed !== undefined && parsed === origin.toLowerCase()) continue;
    const hint = parsed === undefined || parsed === 'null' ? `such as ${example}` : `: write '${parsed}'`;
    throw invalid(`origins holds a text that is no origin, expected scheme, host and port ${hint}`);
  }
}

function assertTags(tags: unknown): void {
  if (tags === undefined) return;
  assertList(tags, USAGE, 'tags');
  for (const tag of tags as Iterable<unknown>) {
    if (typeof tag !== 'string' || tag === '') throw invalid(`tags holds ${kindOf(tag)}, expected texts`);
  }
}

function invalid(what: string): CacheError {
  return new CacheError('ERR_ARGUMENT_INVALID', `cachingAgent: ${what}.`);
}
