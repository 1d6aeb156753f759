/** Starts the reference bot's HTTP API where the configuration wants it. That it cannot listen keeps no bot from Discord. */
import type { Config } from '../config/config.ts';
import { type BotApiParts, createBotApi } from './bot-api.ts';
import { serveHttp } from './http-server.ts';

/** @returns what ends it; nothing where it is off, or could not listen: the log says why */
export async function startBotApi(
  { enabled, host, port }: Config['api'],
  parts: BotApiParts,
): Promise<(() => Promise<void>) | undefined> {
  if (!enabled) return undefined;
  const { logger } = parts;
  const api = createBotApi(parts);
  try {
    const server = await serveHttp({ host, port, handle: api.handle, logger });
    logger.info(
      `The HTTP API is at ${server.url}/api/status, /api/products, /api/leaderboard, /healthz, /metrics`,
    );
    return async () => {
      api.stop();
      await server.stop();
    };
  } catch (error) {
    api.stop();
    logger.warn(`The HTTP API is not served: ${reasonOf(error, host, port)}`);
    return undefined;
  }
}

function reasonOf(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use. Set \`api.port\` in config.json or API_PORT to another one, or to 0 for any free one.`;
    case 'EACCES':
      return `port ${port} is not allowed to this user. Set \`api.port\` in config.json or API_PORT to one above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine. Set \`api.host\` in config.json to one, such as 127.0.0.1.`;
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
