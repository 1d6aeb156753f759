/**
 * The reference bot: a shop on SQLite with its cache, the shop's commands for people, and the admin commands beside
 * them. This file only puts the parts together; `npm start` runs it where DISCORD_TOKEN is set.
 */
import { join, parse, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { Client, Events, GatewayIntentBits, type Interaction } from 'discord.js';
import { startBotApi } from './api/start.ts';
import { Ending } from './bot/ending.ts';
import { closingError, failureText, StartError } from './bot/failure.ts';
import { lineLogger } from './bot/line-logger.ts';
import { logIn } from './bot/login.ts';
import type { Cache } from './cache/cache.ts';
import { createCache } from './cache/create-cache.ts';
import { type Config, loadConfig } from './config/config.ts';
import { httpUrl } from './config/http-url.ts';
import { type ActivityLog, activityLog } from './db/activity.ts';
import { auditTable } from './db/audit-table.ts';
import { commandStore } from './db/command-store.ts';
import { explain } from './db/errors.ts';
import { generateShop, isEmptyShop } from './db/generator.ts';
import { openDatabase } from './db/open.ts';
import { createShop } from './db/shop.ts';
import type { SourceOptions } from './db/source.ts';
import { shopWarmTasks } from './db/warm-tasks.ts';
import { watchShop } from './db/watch-rules.ts';
import type { Logger } from './logger.ts';
import { createCachecord } from './plugin/plugin.ts';
import type { ExchangeRates } from './rates/exchange-rates.ts';
import { createShopCommands } from './shop-commands/shop-commands.ts';
import { CURRENCY } from './shop-commands/text.ts';
import { openJournal } from './write-behind/open-journal.ts';
import { createWriteBehind } from './write-behind/write-behind.ts';

/** How often a parent process is told the statistics. */
const TELL_STATS_MS = 1_000;
/** How long a start waits for the journal of a process that is ending. */
const JOURNAL_TIMEOUT_MS = 5_000;

/** What those who run the bot as a part of something else may say about its parts. */
export interface BotParts {
  /** Has the last word on the configuration that was read. */
  readonly configure?: (config: Config) => Config;
  /** What stands between the shop and its database. */
  readonly source?: SourceOptions;
  /** Is shown what there is to watch, before the bot logs in. */
  readonly watch?: (parts: WatchedParts) => void;
}

export interface WatchedParts {
  readonly client: Client;
  readonly cache: Cache;
  readonly feed: ReturnType<typeof watchShop>;
}

async function start(env: NodeJS.ProcessEnv, logger: Logger, ending: Ending, parts: BotParts): Promise<void> {
  const token = env.DISCORD_TOKEN?.trim() ?? '';
  if (token === '') {
    throw new StartError(
      'DISCORD_TOKEN is not set: set it, or run `npm start` without it for the playground.',
    );
  }
  const api = httpUrl('DISCORD_API_URL', env.DISCORD_API_URL);
  const { configure = (read: Config) => read, source = {}, watch } = parts;
  const config = configure(loadConfig({ env, logger }));
  if (config.source === null)
    logger.info('There is no cachecord.json or config.json: the defaults are used.');

  const db = openDatabase(config.database.path);
  ending.onEnd('the database', () => db.close());
  if (isEmptyShop(db)) fill(db, logger);

  const cache = createCache({ ...config.cache, logger });
  const feed = watchShop(db, cache, { pollIntervalMs: config.database.pollIntervalMs, logger });
  ending.onEnd('the change feed', () => feed.stop());
  // Before the feed: what it writes down at its end is proven by it.
  ending.onEnd('the cache', () => cache.stop());
  const shop = createShop(db, cache, { feed, logger, source });

  const client = new Client({
    intents: [GatewayIntentBits.Guilds],
    ...(api === undefined ? {} : { rest: { api } }),
  });
  ending.onEnd('the connection to Discord', () => client.destroy());
  watch?.({ client, cache, feed });
  client.on(Events.Error, (error) => logger.warn('The connection to Discord reported an error.', { error }));

  const { path, synchronous } = config.writeBehind;
  const journal = openJournal(ownFile(path, client.shard?.ids[0]), openWaiting, { synchronous, logger });
  ending.onEnd('the journal', () => journal.close());
  const writeBehind = createWriteBehind(journal, cache, { synchronous, logger });
  const activity = activityLog(db, cache, writeBehind);
  client.on(Events.InteractionCreate, (interaction) => countUse(activity, interaction, logger));

  const audit = auditTable(db);
  const plugin = createCachecord(client, {
    config,
    cache,
    writeBehind,
    warmTasks: shopWarmTasks(shop),
    logger,
    auditSink: (entry) => audit.insert(entry),
    commandStore: commandStore(db, 'cachecord'),
  });
  ending.onEnd('Cachecord', () => plugin.stop());

  const exchange = await ratesFrom(httpUrl('RATES_URL', env.RATES_URL), cache, logger);
  if (exchange !== undefined) ending.onEnd('the exchange rates', () => exchange.close());
  const shopCommands = createShopCommands(client, {
    shop,
    config,
    clock: cache.clock,
    logger,
    commandStore: commandStore(db, 'shop'),
    exchange,
  });
  ending.onEnd('the shop', () => shopCommands.stop());
  shopCommands.start();

  if (process.send !== undefined)
    ending.onEnd('the statistics', tellStats(cache, process.send.bind(process)));

  const endApi = await startBotApi(config.api, {
    cache,
    shop,
    logger,
    bot: () => ({ online: client.isReady(), guilds: client.guilds.cache.size }),
    checkDatabase: () => db.pragma('user_version'),
  });
  if (endApi !== undefined) ending.onEnd('the HTTP API', endApi);

  await plugin.start();
  await logIn(client, token);
  logger.info(`Logged in as ${client.user?.tag}, in ${client.guilds.cache.size} guild(s).`);
  client.once(Events.ShardDisconnect, ({ code }) => void ending.end(1, closingError(code).message));
}

function fill(db: Parameters<typeof generateShop>[0], logger: Logger): void {
  logger.info(`The shop ${db.name} is empty: filling it with generated data.`);
  try {
    const { products, users, orders } = generateShop(db, { now: Date.now() });
    logger.info(`Generated ${products} products, ${users} people and ${orders} orders.`);
  } catch (error) {
    throw explain(error, db.name, 'filled');
  }
}

/** Each process has a journal of its own. */
function ownFile(path: string, shard = 0): string {
  if (shard === 0 || path === ':memory:') return path;
  const { dir, name, ext } = parse(path);
  return join(dir, `${name}-${shard}${ext}`);
}

/** A bot that is started anew may find the old process still ending. */
function openWaiting(file: string): Database.Database {
  return new Database(file, { timeout: JOURNAL_TIMEOUT_MS });
}

/** A person's command is answered whether it could be counted or not. */
function countUse(activity: ActivityLog, interaction: Interaction, logger: Logger): void {
  if (!interaction.isChatInputCommand() || interaction.user.bot) return;
  try {
    activity.used(interaction.user.id, interaction.commandName);
  } catch (error) {
    logger.warn('The use of a command could not be counted.', { error });
  }
}

/** Undici is an optional peer: a bot without it, or without rates, goes without `/convert`. */
async function ratesFrom(
  url: string | undefined,
  cache: Cache,
  logger: Logger,
): Promise<ExchangeRates | undefined> {
  if (url === undefined) return undefined;
  try {
    const { exchangeRates } = await import('./rates/exchange-rates.ts');
    return exchangeRates(cache, { url, base: CURRENCY, logger });
  } catch (error) {
    logger.warn('There is no /convert, which needs undici: npm install undici.', { error });
    return undefined;
  }
}

/** Tells the parent process how the cache does. @returns what ends it */
function tellStats(cache: Cache, send: NonNullable<typeof process.send>): () => void {
  const timer = setInterval(() => {
    // A parent that is gone is noticed by its disconnection.
    if (process.connected)
      send({ type: 'stats', stats: cache.stats() }, undefined, undefined, () => undefined);
  }, TELL_STATS_MS).unref();
  return () => clearInterval(timer);
}

/** Runs the bot as this process: it ends with it. */
export function runBot(parts: BotParts = {}): void {
  const logger = lineLogger({ secrets: [process.env.DISCORD_TOKEN] });
  const ending = new Ending(logger);
  ending.listen();
  start(process.env, logger, ending, parts).catch((error: unknown) => ending.end(1, failureText(error)));
}

// `npm start` goes through start.js, which imports this file.
const program = resolve(process.argv[1] ?? '');
if ([import.meta.filename, join(import.meta.dirname, '../start.js')].includes(program)) runBot();
