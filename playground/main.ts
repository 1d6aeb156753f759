/**
 * The playground: a local Discord, the real bot in a process of its own, and a page that looks like a channel.
 * This file puts them together and ends them together; none of it needs a token or leaves this machine.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { type Logger, silentLogger } from '../src/logger.ts';
import { AnswerCosts } from './answer-costs.ts';
import { BotProcess } from './bot-process.ts';
import { LocalDiscord } from './discord/local-discord.ts';
import { freePort } from './free-port.ts';
import { Outsider } from './outsider.ts';
import { PageServer } from './page-server.ts';
import { RatesApi } from './rates-api.ts';
import { Shoppers } from './shoppers.ts';

const DEFAULT_PORT = 4780;
const LAST_PORT = 65_535;

export interface PlaygroundOptions {
  /** 0 takes any free port. @default 4780 */
  readonly port?: number;
  /**
   * The shop's database; the cache's own file lies beside it. They outlive the bot, so that it can be killed and started
   * again, and not the playground: what is tried here is to be broken, and the next visitor begins afresh.
   * @default a new one, removed at the end
   */
  readonly databasePath?: string;
  /** The bot's program. @default playground/bot.ts */
  readonly botScript?: string;
  /** @default silent */
  readonly logger?: Logger;
}

export interface Playground {
  /** Where the page is. */
  readonly url: string;
  readonly local: LocalDiscord;
  readonly bot: BotProcess;
  stop(): Promise<void>;
}

/** @throws Error with code `EADDRINUSE` when the port is taken */
export async function startPlayground(options: PlaygroundOptions = {}): Promise<Playground> {
  let page: PageServer | null = null;
  const costs = new AnswerCosts((cost) => page?.broadcast({ type: 'cost', cost }));
  const rates = new RatesApi((status) => page?.broadcast({ type: 'rates', rates: status }));
  const local = await LocalDiscord.start({
    port: options.port ?? DEFAULT_PORT,
    extend: async (request) => (await rates.handle(request)) ?? (await page?.handle(request)) ?? null,
  });
  const ownDirectory =
    options.databasePath === undefined ? await mkdtemp(path.join(tmpdir(), 'cachecord-')) : null;
  const databasePath = options.databasePath ?? path.join(ownDirectory ?? '', 'shop.sqlite');
  const bot = new BotProcess({
    script: options.botScript ?? path.join(import.meta.dirname, 'bot.ts'),
    env: {
      ...process.env,
      DISCORD_TOKEN: local.token,
      DISCORD_API_URL: local.apiUrl,
      ADMIN_GUILD_ID: local.world.home.id,
      DATABASE_PATH: databasePath,
      RATES_URL: process.env.RATES_URL ?? RatesApi.urlOn(local.origin),
      CACHE_PATH: process.env.CACHE_PATH ?? path.join(path.dirname(databasePath), 'cache.db'),
      // Beside a bot that runs already, and the same when this one is restarted, so that links to it last.
      API_PORT: process.env.API_PORT ?? String(await freePort()),
    },
    onStatus: (status) => page?.broadcast({ type: 'bot', bot: status }),
    onStats: (stats) => page?.broadcast({ type: 'stats', stats }),
    onTrouble: (trouble) => page?.broadcast({ type: 'trouble', trouble }),
    onQueries: (interactionId, queries) => costs.queried(interactionId, queries),
  });
  const shoppers = new Shoppers({
    local,
    logger: options.logger ?? silentLogger,
    onStatus: (status) => page?.broadcast({ type: 'shoppers', shoppers: status }),
  });
  const outsider = new Outsider(databasePath);
  page = await PageServer.create({ local, bot, shoppers, outsider, rates, costs });
  local.on('bot', ({ online }) => bot.setOnline(online));
  bot.start();
  return {
    url: `${local.origin}/`,
    local,
    bot,
    stop: async () => {
      shoppers.stop();
      rates.setTrouble('healthy');
      await bot.stop();
      page?.close();
      await local.stop();
      if (ownDirectory !== null) await rm(ownDirectory, { recursive: true, force: true });
    },
  };
}

async function run(): Promise<void> {
  const port = Number(process.env.PORT ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > LAST_PORT) {
    throw new Error(`PORT must be a number from 0 to 65535, not "${process.env.PORT}".`);
  }
  const databasePath = process.env.DATABASE_PATH;
  const playground = await startPlayground({
    port,
    ...(databasePath === undefined ? {} : { databasePath }),
  });
  console.log(`Cachecord's playground is at ${playground.url} (Ctrl+C ends it)`);
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    setTimeout(() => process.exit(1), 5_000).unref();
    playground.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error('The playground did not end well:', error);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

function explain(error: unknown): string {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  if (isTaken) {
    const port = Number(process.env.PORT ?? DEFAULT_PORT);
    return `Port ${port} is in use. Choose another: PORT=${port === LAST_PORT ? DEFAULT_PORT : port + 1} npm start`;
  }
  return error instanceof Error ? error.message : String(error);
}

// `npm start` goes through start.js, which imports this file.
const program = path.resolve(process.argv[1] ?? '');
if ([import.meta.filename, path.join(import.meta.dirname, '../start.js')].includes(program)) {
  run().catch((error: unknown) => {
    console.error(explain(error));
    process.exit(1);
  });
}
