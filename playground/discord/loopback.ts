/**
 * The HTTP server underneath: it listens on 127.0.0.1 alone, and refuses whoever comes under another name or from
 * another page. A page on the web can make a browser send requests here, but not with our Host and Origin.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** `null` closes the socket without an answer. */
export type FetchHandler = (request: Request) => Promise<Response | null>;
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface Loopback {
  readonly port: number;
  readonly server: Server;
  stop(): Promise<void>;
}

/** Whether a request came to us by our own name, and from nowhere or from our own page. */
function isFromHere(
  headers: { host?: string | undefined; origin?: string | undefined },
  port: number,
): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (headers.host === undefined || !hosts.includes(headers.host)) return false;
  return headers.origin === undefined || hosts.some((host) => headers.origin === `http://${host}`);
}

export async function listenOnLoopback(
  port: number,
  handle: FetchHandler,
  upgrade: UpgradeHandler,
): Promise<Loopback> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo; // it listens on TCP
  server.on('request', (request, response) => {
    answer(request, response, address.port, handle).catch((error: unknown) => {
      if (!isGone(error)) console.error('local Discord could not answer', error);
      response.destroy();
    });
  });
  server.on('upgrade', (request, socket, head) => {
    if (isFromHere(request.headers, address.port)) return upgrade(request, socket, head);
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  return {
    port: address.port,
    server,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  handle: FetchHandler,
): Promise<void> {
  if (!isFromHere(request.headers, port)) {
    response
      .writeHead(403, { 'content-type': 'text/plain' })
      .end('This address is for this machine alone.\n');
    return;
  }
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const answered = await handle(toRequest(request, port, gone.signal));
  if (!answered) {
    request.socket.destroy();
    return;
  }
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  if (answered.body) await pipeline(Readable.fromWeb(answered.body), response);
  else response.end();
}

function toRequest(request: IncomingMessage, port: number, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    for (const one of Array.isArray(value) ? value : [value])
      if (one !== undefined) headers.append(name, one);
  }
  const method = request.method ?? 'GET';
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? `127.0.0.1:${port}`}`);
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal });
  return new Request(url, { method, headers, signal, body: Readable.toWeb(request), duplex: 'half' });
}

/** The other side left before it had its answer. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return (
    code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE' || code === 'ABORT_ERR'
  );
}
