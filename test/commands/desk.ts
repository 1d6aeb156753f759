/** A desk to try commands at: the real engine on a hand-turned clock, the four commands, and Discord's edge. */
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { AuditEntry } from '../../src/commands/audit-entry.ts';
import type { AdminCommand, AdminCommandName, CommandServices } from '../../src/commands/command.ts';
import { adminCommands } from '../../src/commands/commands.ts';
import { CUSTOM_ID_PREFIX } from '../../src/commands/sessions.ts';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import type { Warmers, WarmReport, WarmRequest, WarmRun, WarmTask } from '../../src/warmers/types.ts';
import { createWarmers } from '../../src/warmers/warmers.ts';
import type { WriteBehind } from '../../src/write-behind/types.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { DiscordEdge } from './discord-edge.ts';
import { markdownOf, textOf } from './spoken.ts';
import { warmReport, warmTask } from './stats-data.ts';

export interface Desk {
  readonly clock: HandClock;
  readonly cache: Cache;
  readonly discord: DiscordEdge;
  readonly audit: AuditEntry[];
  readonly warnings: string[];
  readonly warmers: HandWarmers;
  readonly config: Config;
  readonly commands: readonly AdminCommand[];
  readonly services: CommandServices;
  /** What the last message says. */
  readonly said: string;
  /** The markdown of the last message, without its buttons and selects. */
  readonly markdown: string;
  run(...command: Parameters<DiscordEdge['command']>): Promise<void>;
  press(...press: Parameters<DiscordEdge['press']>): Promise<void>;
  /** The choices offered. */
  type(...typing: Parameters<DiscordEdge['typing']>): Promise<readonly { name: string; value: string }[]>;
  stop(): Promise<void>;
}

/** Warmers that do what the test says: a run goes on until it is told how it ended. */
export class HandWarmers implements Warmers {
  scopes: readonly string[] = ['config', 'reference', 'user'];
  readonly requests: WarmRequest[] = [];
  now: WarmReport = warmReport({
    state: 'running',
    failed: 0,
    tasks: [warmTask({ state: 'running', warmed: 28 })],
  });
  joined = false;
  stops = 0;
  #finish: ((report: WarmReport) => void) | undefined;

  run(request: WarmRequest): WarmRun {
    this.requests.push(request);
    const done = new Promise<WarmReport>((resolve) => {
      this.#finish = resolve;
    });
    const stop = () => {
      this.stops++;
      this.finish({ ...this.now, state: 'stopped' });
    };
    return { joined: this.joined, report: () => this.now, stop, done };
  }

  finish(report: WarmReport): void {
    this.now = report;
    this.#finish?.(report);
  }

  start = () => Promise.resolve();
  userSeen = () => undefined;
  userForgotten = () => undefined;
  status = () => [];
  stop = () => Promise.resolve(this.finish({ ...this.now, state: 'stopped' }));
}

/**
 * @param tasks with them the real warmers run, otherwise those that the test turns by hand
 * @param behind makes the write-behind that the commands know
 */
export function desk(
  configuration: object = {},
  tasks?: (cache: Cache) => readonly WarmTask[],
  behind?: (cache: Cache) => WriteBehind,
): Desk {
  const config = parseConfig(configuration);
  const clock = handClock();
  const cache = createCache({ ...config.cache, clock, logger: silentLogger, random: () => 0 });
  const discord = new DiscordEdge();
  const audit: AuditEntry[] = [];
  const warnings: string[] = [];
  const warmers = new HandWarmers();
  const realWarmers =
    tasks &&
    createWarmers({
      tasks: tasks(cache),
      config: config.warmers,
      clock,
      logger: silentLogger,
      random: () => 0,
    });
  const writeBehind = behind?.(cache);
  const commands = adminCommands(config, { writeBehind: writeBehind !== undefined });
  const services: CommandServices = {
    cache,
    warmers: realWarmers ?? warmers,
    config,
    audit: {
      record(line) {
        const entry = { ...line, at: clock.epochAt(clock.now()), reference: line.reference ?? 'CA-7F3K' };
        audit.push(entry);
        return entry;
      },
    },
    logger: { ...silentLogger, warn: (message) => warnings.push(message) },
    version: '0.1.0',
    startedAt: clock.epochAt(0),
    ...(writeBehind === undefined ? {} : { writeBehind }),
    takeTurn: () => ({ ok: true }),
    mention: (name) => `</${name}:1>`,
    isOwner: () => true,
  };
  const named = (name: string): AdminCommand => {
    const command = commands.find((one) => one.name === name);
    if (command === undefined) throw new Error(`There is no ${name}.`);
    return command;
  };
  return {
    clock,
    cache,
    discord,
    audit,
    warnings,
    warmers,
    config,
    commands,
    services,
    get said() {
      return textOf(discord.lastMessage).replaceAll('\u00a0', ' ');
    },
    get markdown() {
      return markdownOf({ components: [], ...discord.lastMessage });
    },
    run: (...command) => named(command[0].split(' ')[0] ?? '').execute(discord.command(...command), services),
    async press(...press) {
      const interaction = discord.press(...press);
      const [name = '', ...parts] = interaction.customId.slice(CUSTOM_ID_PREFIX.length).split(':');
      await named(name as AdminCommandName).component?.(interaction, parts, services);
    },
    async type(...typing) {
      await named(typing[0].split(' ')[0] ?? '').autocomplete?.(discord.typing(...typing), services);
      const data = discord.requests.at(-1)?.body.data;
      const choices = data?.choices as { name: string; value: string }[];
      return choices;
    },
    async stop() {
      for (const command of commands) command.stop?.();
      await warmers.stop();
      await realWarmers?.stop();
      await clock.settle();
      await cache.stop();
      await discord.client.destroy();
    },
  };
}

/** Fills a cache with a shop: 12 products, 3 settings, 4 entries of a person. */
export function fillShop(cache: Cache): void {
  for (let i = 0; i < 12; i++) cache.set(`products::p${i}`, { id: i, name: `Product ${i}` });
  for (const name of ['vip_tiers', 'payment_methods', 'limits']) cache.set(`config::${name}`, { name });
  for (const name of ['profile', 'wallet', 'cart', 'vip']) cache.set(`user::123456::${name}`, { name });
  for (let i = 0; i < 5; i++) cache.get('products::p7');
}
