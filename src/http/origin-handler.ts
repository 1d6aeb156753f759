/**
 * What comes from the origin, on its way to undici's cache interceptor: a 304 that confirms what is kept becomes the
 * answer that it stands for, and the load is told how it goes.
 */
import type { Dispatcher } from 'undici';
import type { AnswerLoad } from './answer-load.ts';
import type { Exchange } from './exchange.ts';
import { BodyPieces } from './kept-answer.ts';
import { rawHeaders } from './not-modified.ts';

export class OriginHandler implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #load: AnswerLoad | undefined;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #method: string;
  #body: BodyPieces | undefined;
  #history: readonly URL[] = [];

  constructor(
    exchange: Exchange,
    load: AnswerLoad | undefined,
    handler: Dispatcher.DispatchHandler,
    method: string,
  ) {
    this.#exchange = exchange;
    this.#load = load;
    this.#handler = handler;
    this.#method = method;
  }

  onRequestStart(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestStart']>>): void {
    this.#history = historyOf(args[1]);
    this.#handler.onRequestStart?.(...args);
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>): void {
    this.#load?.ended();
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
    this.#exchange.cameBy(this.#history, this.#method, status);
    const confirmed = this.#exchange.confirmed(status, headers);
    if (confirmed === undefined) {
      this.#handler.onResponseStart?.(controller, status, headers, statusMessage);
      this.#load?.answered(status);
      return;
    }
    this.#body = new BodyPieces(confirmed.text);
    // Handlers of undici 6 and of fetch read these.
    controller.rawHeaders = rawHeaders(confirmed.headers);
    this.#handler.onResponseStart?.(
      controller,
      confirmed.statusCode,
      confirmed.headers,
      confirmed.statusMessage,
    );
    this.#load?.answered(confirmed.statusCode);
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
    this.#load?.ended();
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#load?.failed(error);
    this.#handler.onResponseError?.(controller, error);
  }
}

/** Undici's redirect interceptor adds to this list each address that it is led to. */
function historyOf(context: unknown): readonly URL[] {
  if (typeof context !== 'object' || context === null) return [];
  const history: unknown = Reflect.get(context, 'history');
  return Array.isArray(history) ? history : [];
}
