/**
 * The HTTP server underneath: Node's own, speaking `Request` and `Response`. The address of a request is made from its
 * path alone: the name in `Host` is whatever a client writes there, and stays a header. Where the server listens on this machine alone it
 * answers to this machine's names alone: a page on the web can make a browser send requests here, under a name of its
 * own that leads to 127.0.0.1 (DNS rebinding), but not under ours.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '../logger.ts';

export interface HttpServerOptions {
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly handle: (request: Request) => Response | PromiseLike<Response>;
  /** Hears of requests that could not be answered. */
  readonly logger: Pick<Logger, 'error'>;
}

export interface HttpServer {
  /** Such as `http://127.0.0.1:4781`. */
  readonly url: string;
  /** Takes no more requests and ends when those under way are answered, or after a second. */
  stop(): Promise<void>;
}

const LAST_ANSWERS_MS = 1_000;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** @throws what Node does when it cannot listen, such as an error with code `EADDRINUSE` */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', handle, logger } = options;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('It listens on no port.');
  const { port } = address;
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  // An address with a zone (`fe80::1%eth0`) can be listened at, and stands in no URL.
  const origin = URL.canParse(url) ? url : `http://localhost:${port}`;
  const isOurs = LOOPBACK.check(address.address, isIPv6(address.address) ? 'ipv6' : 'ipv4')
    ? (name: string | undefined) => isLoopbackName(name, port)
    : () => true;
  server.on('request', (incoming, outgoing) => {
    const answered = isOurs(incoming.headers.host)
      ? answer(incoming, outgoing, handle, origin)
      : send(outgoing, new Response('This address is for this machine alone.\n', { status: 403 }));
    answered.catch((error: unknown) => {
      if (!outgoing.destroyed || !isGone(error)) logger.error('A request could not be answered.', { error });
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500).end();
    });
  });
  return {
    url,
    stop: () =>
      new Promise((resolve) => {
        const enforce = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
        server.close(() => {
          clearTimeout(enforce);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function isLoopbackName(host: string | undefined, port: number): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].some((name) => host === `${name}:${port}`);
}

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handle: HttpServerOptions['handle'],
  origin: string,
): Promise<void> {
  // No `Request` can have it. Node itself refuses CONNECT, and methods that it does not know.
  if (incoming.method === 'TRACE') {
    incoming.resume();
    await send(outgoing, new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } }));
    return;
  }
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const request = requestOf(incoming, origin, gone.signal);
  const response =
    request === undefined ? new Response('That is no address.\n', { status: 400 }) : await handle(request);
  await send(outgoing, response);
}

async function send(outgoing: ServerResponse, response: Response): Promise<void> {
  outgoing.statusMessage = response.statusText;
  outgoing.setHeaders(response.headers);
  outgoing.writeHead(response.status);
  if (response.body === null) outgoing.end();
  else await pipeline(Readable.fromWeb(response.body), outgoing);
}

/** `undefined` where the address cannot be one. */
function requestOf(incoming: IncomingMessage, origin: string, signal: AbortSignal): Request | undefined {
  const { method = 'GET', url = '/' } = incoming;
  // Appended to, not resolved against: `//other.example/` is a path here.
  const address = URL.parse(origin + url);
  if (address === null || !url.startsWith('/')) return undefined;
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const hasBody = method !== 'GET' && method !== 'HEAD';
  return new Request(address, {
    method,
    headers,
    signal,
    ...(hasBody ? { body: Readable.toWeb(incoming), duplex: 'half' } : {}),
  });
}

/** The other side left before it had its answer. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ABORT_ERR'].includes(String(code));
}
