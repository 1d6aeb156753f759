/** The real bot in a process of its own, with a small shop in a folder that goes with it, and people who use it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { finished } from 'node:stream/promises';
import { ButtonStyle, ComponentType, MessageFlags } from 'discord-api-types/v10';
import { expect, vi } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import type { APIMessage, LocalInteraction, OptionValue, Session } from '../../playground/discord/types.ts';
import type { CacheStats } from '../../src/cache/statistics/stats.ts';
import { type GeneratorOptions, generateShop } from '../../src/db/generator.ts';
import { openDatabase } from '../../src/db/open.ts';
import { find } from '../commands/discord-edge.ts';
import { textOf } from '../commands/spoken.ts';
import { rest } from '../playground/discord-setup.ts';

const SCRIPT = resolve('src/bot.ts');
const SMALL: GeneratorOptions = { products: 200, users: 150, orders: 1_000, now: Date.now() };
/** Most of a start is reading modules; each of these is read once. */
const NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'cachecord-compile-cache');
/** Starting takes about a second; two cores may be busy with more than this. */
const PATIENCE_MS = 15_000;
const COMMANDS = [
  ...['cache-stats', 'cache-clear', 'cache-warm', 'cache-info', 'cache-writes'],
  ...['shop', 'buy', 'wallet', 'orders', 'leaderboard'],
];

export interface BotOptions {
  /** What config.json says; text is written as it is. @default nothing but defaults */
  readonly config?: object | string;
  readonly env?: NodeJS.ProcessEnv;
  /** What the shop is generated with; `null`: the bot finds no file. @default a small one */
  readonly shop?: GeneratorOptions | null;
  /** Where it starts, with the shop that is there; it stays when the bot is stopped. @default one of its own */
  readonly folder?: string;
}

/** How the process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Everything it wrote. */
  readonly output: string;
}

export class RunningBot {
  readonly databasePath: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #directory: string;
  readonly #isDirectoryOurs: boolean;
  #output = '';

  /** Starts it and does not wait. It logs in to this Discord unless the environment says otherwise. */
  constructor(local: LocalDiscord | null, { config = {}, env = {}, shop = SMALL, folder }: BotOptions = {}) {
    this.#directory = folder ?? mkdtempSync(join(tmpdir(), 'cachecord-e2e-'));
    this.#isDirectoryOurs = folder === undefined;
    this.databasePath = join(this.#directory, 'shop.sqlite');
    if (shop !== null && !existsSync(this.databasePath)) {
      const db = openDatabase(this.databasePath);
      generateShop(db, { ...SMALL, ...shop });
      db.close();
    }
    const text = typeof config === 'string' ? config : JSON.stringify(config);
    writeFileSync(join(this.#directory, 'config.json'), text);
    const discord =
      local === null
        ? {}
        : {
            DISCORD_TOKEN: local.token,
            DISCORD_API_URL: local.apiUrl,
            ADMIN_GUILD_ID: local.world.home.id,
          };
    this.child = fork(SCRIPT, [], {
      cwd: this.#directory,
      env: {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE,
        DATABASE_PATH: this.databasePath,
        API_PORT: '0',
        ...discord,
        ...env,
      },
      // What discord.js calls deprecated is an error here.
      execArgv: ['--throw-deprecation'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const hear = (chunk: Buffer) => {
      this.#output += chunk.toString();
    };
    this.child.stdout?.on('data', hear);
    this.child.stderr?.on('data', hear);
    // Not its event "close", which does not come once the channel to it was cut.
    const exited = once(this.child, 'exit');
    const written = [this.child.stdout, this.child.stderr].map((stream) => stream && finished(stream));
    this.ended = Promise.all([exited, ...written]).then(([[code, signal]]) => ({
      code,
      signal,
      output: this.#output,
    }));
  }

  get output(): string {
    return this.#output;
  }

  /** Starts it and waits until its commands are there. */
  static async atWork(local: LocalDiscord, options: BotOptions = {}): Promise<RunningBot> {
    const bot = new RunningBot(local, options);
    const registered = () => local.registeredCommands(local.world.home.id).map(({ name }) => name);
    await vi.waitFor(
      () => {
        if (bot.child.exitCode !== null) throw new Error(`The bot has ended:\n${bot.output}`);
        expect(bot.output).toContain('Logged in');
        expect(registered(), bot.output).toEqual(expect.arrayContaining(COMMANDS));
      },
      { timeout: PATIENCE_MS, interval: 10 },
    );
    return bot;
  }

  /** The next statistics that it takes; older ones, which may wait in the pipe, do not know what was just done. */
  stats(): Promise<CacheStats> {
    const askedAt = Date.now();
    return new Promise((done, fail) => {
      const gone = () => fail(new Error(`The bot has ended:\n${this.#output}`));
      const hear = (message: unknown) => {
        if (typeof message !== 'object' || message === null || !('stats' in message)) return;
        const stats = message.stats as CacheStats; // what src/bot.ts sends
        if (stats.at < askedAt) return;
        this.child.off('message', hear).off('exit', gone);
        done(stats);
      };
      this.child.on('message', hear).on('exit', gone);
    });
  }

  /** Waits until it has written this. */
  async says(text: string | RegExp): Promise<void> {
    await vi.waitFor(() => expect(this.#output).toMatch(text), { timeout: PATIENCE_MS, interval: 10 });
  }

  /** Ends the process, if it still runs, and removes its folder. */
  async stop(): Promise<Ended> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    const ended = await this.ended;
    if (this.#isDirectoryOurs) rmSync(this.#directory, { recursive: true, force: true });
    return ended;
  }
}

/** Somebody at their client in a channel. */
export class Person {
  readonly session: Session;
  readonly #channelId: string;

  constructor(local: LocalDiscord, userId: string, channelId: string) {
    this.session = local.as(userId);
    this.#channelId = channelId;
  }

  /** Runs a command and waits for what it answers. */
  async run(name: string, options: Readonly<Record<string, OptionValue>> = {}): Promise<Panel> {
    const interaction = await this.session.run(this.#channelId, name, options);
    return new Panel(this.session, await interaction.reply());
  }

  async complete(name: string, option: string, typed: string): Promise<readonly string[]> {
    const choices = await this.session.autocomplete(this.#channelId, name, { [option]: typed }, option);
    return choices.map(({ value }) => String(value));
  }
}

/** A message with its controls, as the person sees it now. */
export class Panel {
  readonly #session: Session;
  readonly #id: string;
  /** As it was when it came. */
  readonly message: APIMessage;

  constructor(session: Session, message: APIMessage) {
    this.#session = session;
    this.#id = message.id;
    this.message = message;
  }

  /** Its texts and labels, with plain spaces. */
  get text(): string {
    return textOf(this.#now()).replaceAll(/[\u00a0\u202f]/g, ' ');
  }

  get isEphemeral(): boolean {
    return ((this.#now()?.flags ?? 0) & MessageFlags.Ephemeral) !== 0;
  }

  /** The `custom_id` of the button or select with this label or placeholder. */
  idOf(label: string): string {
    const id = find(this.#now(), label)?.custom_id;
    if (id === undefined) throw new Error(`There is no "${label}" on:\n${this.text}`);
    return id;
  }

  isDisabled(label: string): boolean {
    return find(this.#now(), label)?.disabled === true;
  }

  /** What a select offers. */
  valuesOf(placeholder: string): readonly string[] {
    const control: object = find(this.#now(), placeholder) ?? {};
    const options = 'options' in control && Array.isArray(control.options) ? control.options : [];
    return options.map(({ value }) => String(value));
  }

  /** What a list says beneath its choices. */
  descriptionsOf(placeholder: string): readonly string[] {
    const control: object = find(this.#now(), placeholder) ?? {};
    const options = 'options' in control && Array.isArray(control.options) ? control.options : [];
    return options.map(({ description }) => String(description));
  }

  async click(label: string): Promise<LocalInteraction> {
    const interaction = await this.#session.click(this.#id, this.idOf(label));
    await interaction.acknowledged();
    return interaction;
  }

  async pick(placeholder: string, value: string): Promise<void> {
    const interaction = await this.#session.select(this.#id, this.idOf(placeholder), [value]);
    await interaction.acknowledged();
  }

  /** Waits until it says this. */
  async shows(text: string | RegExp): Promise<void> {
    await vi.waitFor(() => expect(this.text).toMatch(text), { timeout: 5_000, interval: 5 });
  }

  #now(): APIMessage | undefined {
    return this.#session.message(this.#id);
  }
}

/** The same button on a message that everybody sees: the only way in which somebody else's press could come. */
export async function copied(local: LocalDiscord, customId: string, label: string): Promise<string> {
  const button = { type: ComponentType.Button, custom_id: customId, label, style: ButtonStyle.Danger };
  const answer = await rest(local, 'POST', `/channels/${local.world.channels.ops}/messages`, {
    flags: MessageFlags.IsComponentsV2,
    components: [{ type: ComponentType.ActionRow, components: [button] }],
  });
  return answer.body.id;
}

/** What somebody is answered who presses a button on a message that everybody sees. */
export async function pressed({ session }: Person, messageId: string, label: string): Promise<Panel> {
  const message = session.message(messageId);
  if (message === undefined) throw new Error('the message is not seen');
  const interaction = await new Panel(session, message).click(label);
  return new Panel(session, await interaction.reply());
}
