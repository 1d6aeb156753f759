/** A port of this machine that nothing listens on at the moment. */
import { once } from 'node:events';
import { createServer } from 'node:net';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  // What listens on a port has an address with one.
  if (address === null || typeof address === 'string') throw new Error('The machine gives no port.');
  return address.port;
}
