/** Another API for one test: a real HTTP server that writes down what it is asked, and a clock for it and the cache. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, request } from 'undici';
import { onTestFinished, vi } from 'vitest';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import { type CachingAgentOptions, cachingAgent } from '../../src/http/caching-agent.ts';
import { silentLogger } from '../../src/logger.ts';
import { bench, tierOf, tiers } from '../cache/support.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Told {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

/** Answers, or writes to the response itself and returns nothing. */
export type Origin = (asked: Asked, call: number, response: ServerResponse) => Told | undefined;

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface RunningOrigin {
  readonly url: string;
  readonly asked: Asked[];
}

/** Starts a server that ends with the test. */
export async function startOrigin(origin: Origin): Promise<RunningOrigin> {
  const asked: Asked[] = [];
  const server = createServer((incoming, response) => {
    const { method = '', url: path = '', headers } = incoming;
    incoming.resume();
    asked.push({ method, path, headers });
    response.sendDate = false;
    const told = origin({ method, path, headers }, asked.length, response);
    if (told === undefined) return;
    const { status = 200, body = '' } = told;
    response.writeHead(status, { ...told.headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** An origin whose answers wait until the test gives them. */
export function heldOrigin() {
  const held: ServerResponse[] = [];
  const arrivals: (() => void)[] = [];
  const origin: Origin = (_asked, _call, response) => {
    held.push(response);
    arrivals.shift()?.();
    return undefined;
  };
  /** The answer to a request, counted from 0. */
  const response = (request: number): ServerResponse => {
    const found = held[request];
    if (found === undefined) throw new Error(`There were ${held.length} requests.`);
    return found;
  };
  return {
    origin,
    response,
    /** Resolves when so many requests have come. */
    async come(requests: number): Promise<void> {
      while (held.length < requests) await new Promise<void>((resolve) => arrivals.push(resolve));
    },
    give(request: number, { status = 200, headers = KEPT_A_MINUTE, body = '' }: Told = {}): void {
      response(request)
        .writeHead(status, { ...headers })
        .end(body);
    },
  };
}

const KEPT_A_MINUTE = { 'cache-control': 'max-age=60' };

/** An origin, a cache with a tier `api`, and an agent between them. */
export async function outgoing(
  origin: Origin,
  options: CachingAgentOptions = {},
  cacheOptions: Partial<CacheOptions> = {},
) {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const { url, asked } = await startOrigin(origin);
  const { cache, clock } = bench({ tiers: [...tiers, tierOf('api', ['api'])], ...cacheOptions });
  vi.setSystemTime(clock.epochAt(clock.now()));
  const agent = cachingAgent(cache, { logger: silentLogger, ...options });
  onTestFinished(() => agent.close());
  return {
    url,
    asked,
    cache,
    clock,
    agent,
    /** Turns the machine's clock, which undici goes by, and that of the cache. */
    advance(ms: number) {
      vi.setSystemTime(Date.now() + ms);
      clock.advance(ms);
    },
    get: (path = '/', headers: Record<string, string> = {}) => ask(agent, `${url}${path}`, { headers }),
    ask: (path: string, init: Parameters<typeof request>[1]) => ask(agent, `${url}${path}`, init),
    figures: () => {
      const found = cache.stats().tiers.find(({ tier }) => tier === 'api');
      if (found === undefined) throw new Error('There is no tier api.');
      return found;
    },
  };
}

export async function ask(
  dispatcher: Dispatcher,
  url: string,
  init: Parameters<typeof request>[1] = {},
): Promise<Got> {
  const { statusCode, headers, body } = await request(url, { ...init, dispatcher });
  return { status: statusCode, headers, body: await body.text() };
}
