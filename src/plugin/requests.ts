/**
 * The plugin's own requests to Discord, each of which can be ended. discord.js waits 15 seconds for an answer and tries
 * three times more, and keeps the process alive meanwhile: a stopped bot would live on for a minute where Discord is
 * silent (I13).
 */
import type { Client } from 'discord.js';
import { CacheError } from '../cache/errors.ts';
import type { RegistrationRest } from '../commands/registration/registration.ts';
import { type Logger, tell } from '../logger.ts';

export class Requests implements RegistrationRest {
  readonly #client: Pick<Client, 'rest'>;
  readonly #running = new Set<AbortController>();
  #hasEnded = false;

  constructor(client: Pick<Client, 'rest'>) {
    this.#client = client;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get(route: `/${string}`, options?: { query?: URLSearchParams }): Promise<unknown> {
    return this.#send((signal) => this.#client.rest.get(route, { ...options, signal }));
  }

  post(route: `/${string}`, options: { body: unknown }): Promise<unknown> {
    return this.#send((signal) => this.#client.rest.post(route, { ...options, signal }));
  }

  delete(route: `/${string}`): Promise<unknown> {
    return this.#send((signal) => this.#client.rest.delete(route, { signal }));
  }

  /** Ends those that are under way; no other is begun any more. */
  end(): void {
    this.#hasEnded = true;
    for (const request of this.#running) request.abort();
  }

  /** @throws CacheError `ERR_CLOSED` where it was ended, or comes too late */
  async #send(send: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
    if (this.#hasEnded) throw closed();
    // One for each: discord.js leaves a listener at every signal that it is given.
    const request = new AbortController();
    const { signal } = request;
    this.#running.add(request);
    try {
      // While discord.js waits for a rate limit to pass, it does not listen.
      const ended = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(closed())),
      );
      return await Promise.race([ended, send(signal)]);
    } finally {
      this.#running.delete(request);
    }
  }
}

function closed(): CacheError {
  return new CacheError('ERR_CLOSED', 'Cachecord was stopped before Discord answered.');
}

/** The same logger, for what makes requests: that these were ended is no fault, and worth no more than `debug`. */
export function calmAfterEnd(logger: Logger, requests: Pick<Requests, 'hasEnded'>): Logger {
  const at = (level: 'warn' | 'error') => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    tell(logger, requests.hasEnded ? 'debug' : level, message, fields);
  return {
    debug: (message, fields) => tell(logger, 'debug', message, fields),
    info: (message, fields) => tell(logger, 'info', message, fields),
    warn: at('warn'),
    error: at('error'),
  };
}
