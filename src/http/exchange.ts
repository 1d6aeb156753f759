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
import { type RequestHeaders, resourceKey } from './outgoing-key.ts';
import { seeing } from './seeing-handler.ts';

type GetResult = Awaited<ReturnType<CacheStore['get']>>;

export interface ExchangeOptions {
  readonly answers: Answers;
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
      // A part is nothing to keep, and whoever wants one does not wait for the whole.
      if (headers.range !== undefined) return undefined;
      this.#isForHead = method === 'HEAD';
      try {
        const resource = resourceKey(origin, method, path);
        const request = { origin, resource, headers, signal: this.#signal };
        this.#request = request;
        const { answer, load } = await this.#found(request);
        this.#stored = answer;
        this.#load = load;
      } catch (error) {
        this.#options.warn(error);
      }
    }
    if (this.#stored === undefined || this.#stored.deleteAt <= Date.now()) return undefined;
    const { form, text, ...value } = this.#stored;
    // The interceptor changes none of it.
    return { ...value, body: new BodyPieces(text) } as GetResult;
  }

  #found(request: AnswerRequest): Found | Promise<Found> {
    const { answers } = this.#options;
    const wish = wishOf(request.headers);
    if (wish === 'what is kept') return { answer: answers.peek(request), load: undefined };
    return wish === 'anew' ? answers.begin(request) : answers.find(request);
  }

  createWriteStream(key: CacheKey, value: CacheValue): Writable | undefined {
    const load = this.#load;
    // A failure is not kept, whatever it says of itself.
    if (load === undefined || load.isOver || value.statusCode >= 500) return undefined;
    const { maxEntryBytes, maxTtlMs, maxStaleMs, staleIfErrorMs, defaultTtlMs } = this.#options;
    if (Number(value.headers['content-length']) > maxEntryBytes && key.method !== 'HEAD') return undefined;
    const now = Date.now();
    const mostMs = isFreshnessStated(value) ? maxTtlMs : Math.min(maxTtlMs, defaultTtlMs);
    const staleAt = Math.min(value.staleAt, mostMs === 0 ? value.cachedAt : now + mostMs);
    const said = value.cacheControlDirectives ?? {};
    const isErrorStated = staleIfErrorMs === 0 || said['stale-if-error'] !== undefined;
    const deleteAt = isErrorStated ? value.deleteAt : Math.max(value.deleteAt, staleAt + staleIfErrorMs);
    const answer = {
      ...value,
      form: 'answer' as const,
      headers: { ...value.headers },
      cacheControlDirectives: isErrorStated
        ? { ...said }
        : { ...said, 'stale-if-error': staleIfErrorMs / 1_000 },
      staleAt,
      deleteAt: Math.min(deleteAt, Math.max(now, staleAt) + maxStaleMs),
    };
    load.isCollecting = true;
    return new BodyCollector({
      maxBytes: maxEntryBytes,
      onWhole: (text) => load.keep({ ...answer, text }),
      onDropped: () => load.drop(),
    });
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
      return this.#send(options, new OriginHandler(this, this.#load, handler));
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

  /** The answer that a 304 stands for, where it confirms what is kept. */
  confirmed(status: number, said: Readonly<Record<string, string | string[] | undefined>>) {
    const kept = this.#stored;
    // Where the caller has its own copy, it may be that one which is confirmed.
    if (status !== 304 || kept === undefined || isConditional(this.#request?.headers ?? {})) return undefined;
    const headers = confirmedHeaders(kept, said);
    return headers && { ...kept, headers, text: this.#isForHead ? '' : kept.text };
  }
}

/** So undici marks what it serves beyond its freshness (RFC 7234, section 5.5.1). */
function isMarkedStale(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return String(headers.warning ?? '').startsWith('110');
}

function isConditional(headers: RequestHeaders): boolean {
  return headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;
}

/** What a request says that it wants. An answer that may be old is looked for first, and fetched only if undici says so. */
function wishOf(headers: RequestHeaders): 'anew' | 'what is kept' | undefined {
  const said = `${headers['cache-control'] ?? ''} ${headers.pragma ?? ''}`;
  if (/\b(?:only-if-cached|max-stale)\b/i.test(said)) return 'what is kept';
  return isConditional(headers) || /\bno-cache\b/i.test(said) ? 'anew' : undefined;
}

/** Undici guesses from `Last-Modified` where nothing is said (RFC 9111, section 4.2.2); we validate instead. */
function isFreshnessStated({ headers, cacheControlDirectives: said = {} }: CacheValue): boolean {
  return (
    said['max-age'] !== undefined ||
    said['s-maxage'] !== undefined ||
    said.immutable === true ||
    headers.expires !== undefined
  );
}
