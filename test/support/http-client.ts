/** A real HTTP server around a handler for one test, and what a client gets from it. */
import { onTestFinished } from 'vitest';
import { serveHttp } from '../../src/api/http-server.ts';
import type { RequestHandler } from '../../src/http/cache-response.ts';
import { silentLogger } from '../../src/logger.ts';

export type Client = (path?: string, init?: RequestInit) => Promise<Response>;

/** @returns a client of the server, which ends with the test */
export async function serve(handle: RequestHandler): Promise<Client> {
  const server = await serveHttp({ port: 0, handle, logger: silentLogger });
  onTestFinished(() => server.stop());
  return (path = '/', init = {}) => fetch(`${server.url}${path}`, init);
}
