/**
 * One request of the caching agent, from the lookup to the end of its answer. Undici's cache interceptor, which knows
 * RFC 9111, stands in the middle: it takes this object for its store, and sends through it to the origin. So what
 * belongs to a request is known without any table of requests.
 *
 * Nothing that goes wrong here fails the request (I4): the interceptor is told that nothing is stored.
 */
import type { Writable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { AnswerLoad, Answers } from './answers.ts';
import {
  BodyCollector,
  BodyPieces,
  type CacheKey,
  type CacheStore,
  type CacheValue,
  type KeptAnswer,
} from './kept-answer.ts';
import { confirmedHeaders, rawHeaders } from './not-modified.ts';
import { type RequestHeaders, resourceKey } from './outgoing-key.ts';

type GetResult = Awaited<ReturnType<CacheStore['get']>>;

export interface ExchangeOptions {
  readonly answers: Answers;
  readonly maxEntryBytes: number;
  readonly maxTtlMs: number;
  readonly maxStaleMs: number;
  /** Told of what went wrong in the cache. */
  readonly warn: (error: unknown) => void;
}

export class Exchange implements CacheStore {
  readonly #options: ExchangeOptions;
  readonly #send: Dispatcher.Dispatch;
  #key: { readonly resource: string; readonly headers: RequestHeaders } | undefined;
  isForHead = false;
  /** What the interceptor was given, and may validate. */
  #stored: KeptAnswer | undefined;
  #load: AnswerLoad | undefined;
  /** The interceptor has returned: what it still sends, nobody waits for. */
  #isBehind = false;
  #isSent = false;
  #isKeeping = false;

  constructor(options: ExchangeOptions, send: Dispatcher.Dispatch) {
    this.#options = options;
    this.#send = send;
  }

  /** To be called when the interceptor has returned. */
  begun(): void {
    this.#isBehind = true;
    // What it sends behind, to revalidate, it sends in a microtask that stands before this one.
    queueMicrotask(() => {
      if (!this.#isSent) this.#load?.drop();
    });
  }

  // ---- the store of undici's interceptor ----

  get(key: CacheKey): GetResult {
    return this.#orNothing(() => {
      const { headers = {} } = key;
      const { answers } = this.#options;
      if (this.#stored === undefined) {
        const resource = resourceKey(key.origin, key.method, key.path);
        this.#key = { resource, headers };
        this.isForHead = key.method === 'HEAD';
        const whole = this.isForHead ? resourceKey(key.origin, 'GET', key.path) : resource;
        const isAnsweredByGet = whole !== resource && answers.has(whole, headers);
        const found = asksOrigin(headers)
          ? answers.begin(resource, headers, false)
          : answers.find(isAnsweredByGet ? whole : resource, headers);
        this.#load = found.load;
        this.#stored = found.answer;
      }
      if (this.#stored === undefined || this.#stored.deleteAt <= Date.now()) return undefined;
      const { form, text, ...value } = this.#stored;
      // The interceptor changes none of it.
      return { ...value, body: new BodyPieces(text) } as GetResult;
    });
  }

  createWriteStream(key: CacheKey, value: CacheValue): Writable | undefined {
    return this.#orNothing(() => {
      const load = this.#load;
      const { answers, maxEntryBytes, maxTtlMs, maxStaleMs } = this.#options;
      if (load === undefined || load.isOver) return undefined;
      if (Number(value.headers['content-length']) > maxEntryBytes && key.method !== 'HEAD') return undefined;
      const place = answers.placeOf(load.resource, load.headers, Object.keys(value.vary ?? {}));
      if (place === undefined) return undefined;
      const staleAt = Math.min(value.staleAt, Date.now() + maxTtlMs);
      const answer = {
        ...value,
        form: 'answer' as const,
        headers: { ...value.headers },
        cacheControlDirectives: { ...value.cacheControlDirectives },
        staleAt,
        deleteAt: Math.min(value.deleteAt, staleAt + maxStaleMs),
      };
      this.#isKeeping = true;
      return new BodyCollector({
        maxBytes: maxEntryBytes,
        onWhole: (text) => load.keep({ ...answer, text }, place),
        onDropped: () => load.drop(),
      });
    });
  }

  delete({ origin, method, path }: CacheKey): void {
    this.#orNothing(() => {
      const resource = resourceKey(origin, method, path);
      this.#options.answers.delete(resource);
      // What is asked for after this is asked for anew.
      if (this.#load?.resource === resource) {
        this.#load.drop();
        this.#load = undefined;
        this.#stored = undefined;
      }
    });
  }

  // ---- the way to the origin ----

  readonly dispatch: Dispatcher.Dispatch = (options, handler) => {
    this.#isSent = true;
    if (this.#load === undefined && this.#key !== undefined) {
      // Somebody else is fetching it: nobody waits for a second time.
      if (this.#isBehind && !this.#beginNow()) return true;
      if (!this.#isBehind) this.#beginNow();
    }
    try {
      return this.#send(options, new OriginHandler(this, handler));
    } catch (error) {
      this.failed(error);
      throw error;
    }
  };

  #beginNow(): boolean {
    return (
      this.#orNothing(() => {
        if (this.#key === undefined) return false;
        this.#load = this.#options.answers.begin(this.#key.resource, this.#key.headers, false).load;
        return this.#load !== undefined;
      }) ?? true
    );
  }

  /** The stored answer with the headers it has now, where a 304 means that. */
  confirmed(status: number, said: Readonly<Record<string, string | string[] | undefined>>) {
    const kept = this.#stored;
    if (status !== 304 || kept === undefined || this.#key === undefined) return undefined;
    if (isConditional(this.#key.headers)) return undefined;
    const headers = this.#orNothing(() => confirmedHeaders(kept, said));
    return headers && { kept, headers };
  }

  /** The head of an answer has come, and the interceptor has decided whether it is stored. */
  answered(status: number): void {
    if (this.#isKeeping) return;
    if (status >= 500) this.#load?.fail(new Error(`The origin answered ${status}.`));
    else if (status !== 304) this.#load?.drop();
  }

  ended(): void {
    if (!this.#isKeeping) this.#load?.drop();
  }

  failed(error: unknown): void {
    const isGivenUp =
      error instanceof Error &&
      (error.name === 'AbortError' || ('code' in error && error.code === 'UND_ERR_ABORTED'));
    if (isGivenUp) this.#load?.drop();
    else this.#load?.fail(error);
  }

  #orNothing<T>(run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.#options.warn(error);
      return undefined;
    }
  }
}

/** Hands on what comes from the origin, and tells the exchange. */
class OriginHandler implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #handler: Dispatcher.DispatchHandler;
  #body: BodyPieces | undefined;

  constructor(exchange: Exchange, handler: Dispatcher.DispatchHandler) {
    this.#exchange = exchange;
    this.#handler = handler;
  }

  onRequestStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestStart']>>): void {
    this.#handler.onRequestStart?.(...args);
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    this.#exchange.ended();
    this.#handler.onRequestUpgrade?.(...args);
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.();
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    statusMessage?: string,
  ): void {
    const confirmed = this.#exchange.confirmed(status, headers);
    if (confirmed === undefined) {
      this.#handler.onResponseStart?.(controller, status, headers, statusMessage);
      this.#exchange.answered(status);
      return;
    }
    const { kept } = confirmed;
    if (!this.#exchange.isForHead) this.#body = new BodyPieces(kept.text);
    // Handlers of undici 6 and of fetch read these.
    controller.rawHeaders = rawHeaders(confirmed.headers);
    this.#handler.onResponseStart?.(controller, kept.statusCode, confirmed.headers, kept.statusMessage);
    this.#exchange.answered(kept.statusCode);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#handler.onResponseData?.(controller, chunk);
  }

  onResponseEnd(
    controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>,
  ): void {
    for (const piece of this.#body ?? []) this.#handler.onResponseData?.(controller, piece);
    this.#handler.onResponseEnd?.(controller, trailers);
    this.#exchange.ended();
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#exchange.failed(error);
    this.#handler.onResponseError?.(controller, error);
  }
}

const isConditional = (headers: RequestHeaders) =>
  headers['if-none-match'] !== undefined || headers['if-modified-since'] !== undefined;

/** Whether the caller wants no answer that was not checked with the origin, so that asking here is no lookup. */
function asksOrigin(headers: RequestHeaders): boolean {
  return (
    isConditional(headers) ||
    /\bno-cache\b/i.test(`${headers['cache-control'] ?? ''} ${headers.pragma ?? ''}`)
  );
}
