/**
 * One request of the caching agent, from the lookup to the end of its answer. Undici's cache interceptor, which knows
 * RFC 9111, stands in the middle: it takes this object for its store, and sends through it to the origin. So what
 * belongs to a request is known without any table of requests.
 *
 * Nothing that goes wrong here fails the request (I4): the interceptor is told that nothing is stored.
 */
import type { Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { AnswerLoad } from './answer-load.ts';
import type { AnswerRequest, Answers, Found } from './answers.ts';
import {
  BodyCollector,
  BodyPieces,
  type CacheKey,
  type CacheStore,
  type CacheValue,
  type KeptAnswer,
} from './kept-answer.ts';
import { confirmedHeaders } from './not-modified.ts';
import { OriginHandler } from './origin-handler.ts';
import { resourceKey } from './outgoing-key.ts';
import { isConditional, mustBeFresh, satisfies, wishOf } from './request-wish.ts';
import { seeing } from './seeing-handler.ts';

type GetResult = Awaited<ReturnType<CacheStore['get']>>;

export interface ExchangeOptions {
  readonly answers: Answers;
  readonly type: 'shared' | 'private';
  readonly maxEntryBytes: number;
  readonly maxTtlMs: number;
  /** For what says nothing about its freshness. */
  readonly defaultTtlMs: number;
  readonly maxStaleMs: number;
  /** How long an old answer is served while its origin fails, where the origin does not say. */
  readonly staleIfErrorMs: number;
  /** Told of what went wrong in the cache. */
  readonly warn: (error: unknown) => void;
}

export class Exchange implements CacheStore {
  readonly #options: ExchangeOptions;
  readonly #send: Dispatcher.Dispatch;
  readonly #signal: AbortSignal | undefined;
  /** There from the lookup on; no other request is kept. */
  #request: AnswerRequest | undefined;
  /** What the interceptor was given, and may validate. */
  #stored: KeptAnswer | undefined;
  #load: AnswerLoad | undefined;
  #isForHead = false;
  /** Where the answer comes from, if by way of redirects. */
  #way: readonly URL[] = [];
  #isOriginAsked = false;

  /** @param signal fires when the caller gives up */
  constructor(options: ExchangeOptions, send: Dispatcher.Dispatch, signal: AbortSignal | undefined) {
    this.#options = options;
    this.#send = send;
    this.#signal = signal;
  }

  // ---- the store of undici's interceptor ----

  async get({ origin, method, path, headers = {} }: CacheKey): Promise<GetResult> {
    if (this.#request === undefined) {
      // A part is nothing to keep, and whoever wants one does not wait for the whole. What another host than that of
      // the address is asked for belongs to neither of them.
      if (headers.range !== undefined || isForOtherHost(origin, headers.host)) return undefined;
      this.#isForHead = method === 'HEAD';
      try {
        const resource = resourceKey(origin, method, path);
        const request = { resource, headers, wish: wishOf(headers), signal: this.#signal };
        this.#request = request;
        const { answer, load } = await this.#found(request);
        this.#stored = answer;
        this.#load = load;
      } catch (error) {
        this.#options.warn(error);
      }
    }
    if (this.#stored === undefined || this.#stored.deleteAt <= this.#options.answers.now()) return undefined;
    const { form, text, isRedirected, ...value } = shifted(
      this.#stored,
      this.#options.answers.machineAheadMs(),
    );
    // The interceptor changes none of it.
    return { ...value, body: new BodyPieces(text) } as GetResult;
  }

  async #found(request: AnswerRequest): Promise<Found> {
    const { answers, type } = this.#options;
    const { wish } = request;
    if (wish.isOnlyKept) return answers.kept(request);
    const found = wish.isAnew ? answers.begin(request) : await answers.find(request);
    const { answer } = found;
    if (answer === undefined || satisfies(answer, wish, type, answers.now())) return found;
    // Its address has no validator of it, so that it is fetched as if it were not there.
    if (answer.isRedirected) return answers.begin(request);
    // Undici would serve it stale to who wants more than a fresh one.
    if (wish.minFresh === undefined) return found;
    const cacheControlDirectives = { ...answer.cacheControlDirectives, 'stale-while-revalidate': 0 };
    return { ...found, answer: { ...answer, cacheControlDirectives } };
  }

  createWriteStream(key: CacheKey, told: CacheValue): Writable | undefined {
    const value = shifted(told, -this.#options.answers.machineAheadMs());
    const load = this.#load;
    // A failure is not kept, whatever it says of itself.
    if (load === undefined || load.isOver || value.statusCode >= 500) return undefined;
    const { maxEntryBytes, maxStaleMs, answers } = this.#options;
    if (Number(value.headers['content-length']) > maxEntryBytes && key.method !== 'HEAD') return undefined;
    const now = answers.now();
    const staleAt = this.#staleAt(value, now);
    // What is never fresh is kept to be validated.
    if (staleAt <= now && (this.#isRedirected || !hasValidator(value))) return undefined;
    const answer = {
      ...value,
      form: 'answer' as const,
      headers: { ...value.headers },
      cacheControlDirectives: this.#directivesOf(value),
      staleAt,
      deleteAt: Math.max(now, staleAt) + maxStaleMs,
      ...(this.#isRedirected ? { isRedirected: true } : {}),
    };
    load.dependsOn(this.#resourcesOnTheWay().filter((resource) => resource !== this.#request?.resource));
    load.isCollecting = true;
    return new BodyCollector({
      maxBytes: maxEntryBytes,
      onWhole: (text) => load.keep({ ...answer, text }),
      onDropped: () => load.drop(),
    });
  }

  #staleAt(value: CacheValue, now: number): number {
    const { maxTtlMs, defaultTtlMs, type } = this.#options;
    const mostMs = isFreshnessStated(value, type) ? maxTtlMs : Math.min(maxTtlMs, defaultTtlMs);
    return Math.min(value.staleAt, mostMs === 0 ? value.cachedAt : now + mostMs);
  }

  #directivesOf(value: CacheValue): NonNullable<CacheValue['cacheControlDirectives']> {
    const { staleIfErrorMs, type } = this.#options;
    const said = value.cacheControlDirectives ?? {};
    // What must be validated is not served in place of an error either, whoever wishes it.
    if (mustBeFresh({ cacheControlDirectives: said }, type)) return { ...said, 'stale-if-error': 0 };
    const isStated = staleIfErrorMs === 0 || said['stale-if-error'] !== undefined || this.#isRedirected;
    return isStated ? { ...said } : { ...said, 'stale-if-error': staleIfErrorMs / 1_000 };
  }

  delete({ origin, method, path }: CacheKey): void {
    const resource = resourceKey(origin, method, path);
    // What is asked for after this is asked for anew.
    if (this.#request?.resource === resource) {
      this.#load?.drop();
      this.#stored = undefined;
    }
    try {
      this.#options.answers.delete(resource);
    } catch (error) {
      this.#options.warn(error);
    }
  }

  // ---- the way to the origin ----

  readonly dispatch: Dispatcher.Dispatch = (options, handler) => {
    this.#isOriginAsked = true;
    // It is asked a second time, or what was found is not good enough for this request.
    if (this.#request !== undefined && this.#load?.isOver !== false) this.#beginNow(this.#request);
    try {
      return this.#send(options, new OriginHandler(this, this.#load, handler, options.method));
    } catch (error) {
      this.#load?.fail(error);
      throw error;
    }
  };

  #beginNow(request: AnswerRequest): void {
    try {
      this.#load = this.#options.answers.begin(request).load;
    } catch (error) {
      this.#options.warn(error);
    }
  }

  /** What is given to the caller goes by here, to be counted where the interceptor serves what it was given, stale. */
  watched(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return seeing(handler, (headers) => {
      if (this.#stored === undefined || !isMarkedStale(headers) || isMarkedStale(this.#stored.headers))
        return;
      this.#load?.servedStale(this.#isOriginAsked ? 'failed' : 'revalidating');
    });
  }

  /**
   * The way of an answer, as its redirects were followed beneath: it is learnt before the answer is told.
   * @param history the addresses that were asked, the last one being that of the answer
   */
  cameBy(history: readonly URL[], method: string, status: number): void {
    this.#way = history.length > 1 ? history : [];
    if (!this.#isRedirected || SAFE_METHODS.has(method) || status < 200 || status >= 400) return;
    // An unsafe request changed each resource that it was led to.
    for (const { origin, pathname, search } of this.#way) {
      this.delete({ origin, method: 'GET', path: pathname + search });
      this.delete({ origin, method: 'HEAD', path: pathname + search });
    }
  }

  get #isRedirected(): boolean {
    return this.#way.length > 0;
  }

  #resourcesOnTheWay(): string[] {
    const method = this.#isForHead ? 'HEAD' : 'GET';
    return this.#way.map(({ origin, pathname, search }) => resourceKey(origin, method, pathname + search));
  }

  /** The answer that a 304 stands for, where it confirms what is kept. */
  confirmed(status: number, said: Readonly<Record<string, string | string[] | undefined>>) {
    const kept = this.#stored;
    if (status !== 304 || kept === undefined) return undefined;
    // It says of another resource that it has not changed.
    if (this.#isRedirected) {
      this.#load?.drop();
      return undefined;
    }
    // Where the caller has its own copy, it may be that one which is confirmed.
    if (isConditional(this.#request?.headers ?? {})) return undefined;
    const headers = confirmedHeaders(kept, said, this.#options.type);
    return headers && { ...kept, headers, text: this.#isForHead ? '' : kept.text };
  }
}

/** As undici has them: methods that change nothing (RFC 9110, section 9.2.1). */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** The same instants by another clock. */
function shifted<T extends CacheValue>(value: T, byMs: number): T {
  const { cachedAt, staleAt, deleteAt } = value;
  return { ...value, cachedAt: cachedAt + byMs, staleAt: staleAt + byMs, deleteAt: deleteAt + byMs };
}

/** So undici marks what it serves beyond its freshness (RFC 7234, section 5.5.1). */
function isMarkedStale(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return String(headers.warning ?? '').startsWith('110');
}

function isForOtherHost(origin: string, host: string | readonly string[] | undefined): boolean {
  if (host === undefined) return false;
  const address = URL.parse(origin);
  const asked = typeof host === 'string' ? URL.parse(`${address?.protocol}//${host.trim()}/`) : null;
  // Neither a user nor a path stands in a name.
  return address === null || asked?.href !== `${address.origin}/`;
}

/**
 * Undici guesses from `Last-Modified` where nothing is said (RFC 9111, section 4.2.2), and from `immutable`, which says
 * something of fresh answers only (RFC 8246, section 2); we validate instead.
 */
function isFreshnessStated(
  { headers, cacheControlDirectives: said = {} }: CacheValue,
  type: 'shared' | 'private',
): boolean {
  return (
    said['max-age'] !== undefined ||
    (type === 'shared' && said['s-maxage'] !== undefined) ||
    headers.expires !== undefined
  );
}

function hasValidator({ etag, headers }: CacheValue): boolean {
  return etag !== undefined || headers['last-modified'] !== undefined;
}
