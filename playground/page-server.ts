/**
 * Serves the page beside the local Discord, on its port and behind its checks of Host and Origin: the page's files,
 * one stream of events for each window, and one address that takes what a person does. It decides who sees what;
 * what happens then is the local Discord's.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { MessageFlags } from 'discord-api-types/v10';
import type { CacheStats } from '../src/cache/types.ts';
import type { BotProcess } from './bot-process.ts';
import type { LocalDiscord } from './discord/local-discord.ts';
import type { APIMessage, LocalInteraction, RequestRecord } from './discord/types.ts';
import {
  type ActionResult,
  actionSchema,
  type Hello,
  type InteractionSummary,
  LOCALES,
  type PageAction,
  type PageEvent,
  type RequestSummary,
} from './protocol.ts';
import type { Shoppers } from './shoppers.ts';

const PAGE_DIRECTORY = path.join(import.meta.dirname, 'page');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Nothing inline, nothing from elsewhere: a key that holds markup stays text, whatever a renderer might forget. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

const REQUESTS_SHOWN = 12;
const MESSAGES_SHOWN = 80;
const SHOPPER_MESSAGES_SHOWN = 30;
/** A window that leaves so many events unread is asleep; it is let go, and asks anew when it wakes. */
const MOST_UNREAD = 5_000;
const MOST_ACTION_BYTES = 64 * 1024;

interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Window {
  readonly userId: string;
  send(event: PageEvent): void;
  close(): void;
}

export interface PageServerParts {
  readonly local: LocalDiscord;
  readonly bot: BotProcess;
  readonly shoppers: Shoppers;
}

export class PageServer {
  readonly #parts: PageServerParts;
  readonly #files: ReadonlyMap<string, PageFile>;
  readonly #windows = new Set<Window>();
  readonly #undo: (() => void)[] = [];
  #stats: CacheStats | null = null;

  private constructor(parts: PageServerParts, files: ReadonlyMap<string, PageFile>) {
    this.#parts = parts;
    this.#files = files;
    this.#listen();
  }

  static async create(parts: PageServerParts): Promise<PageServer> {
    const files = new Map<string, PageFile>();
    for (const name of await readdir(PAGE_DIRECTORY)) {
      const type = TYPES[path.extname(name)];
      const bytes = new Uint8Array(await readFile(path.join(PAGE_DIRECTORY, name)));
      if (type !== undefined) files.set(name === 'index.html' ? '/' : `/${name}`, { type, bytes });
    }
    return new PageServer(parts, files);
  }

  /** `null` where the address is not the page's. */
  async handle(request: Request): Promise<Response | null> {
    const url = new URL(request.url);
    const file = this.#files.get(url.pathname);
    if (file !== undefined && request.method === 'GET') {
      return new Response(file.bytes, { headers: { ...HEADERS, 'content-type': file.type } });
    }
    if (url.pathname === '/page/events' && request.method === 'GET') return this.#stream(request, url);
    if (url.pathname === '/page/act' && request.method === 'POST') return this.#take(request);
    return null;
  }

  /** To every window. */
  broadcast(event: PageEvent): void {
    if (event.type === 'stats') this.#stats = event.stats;
    for (const window of [...this.#windows]) window.send(event);
  }

  close(): void {
    for (const undo of this.#undo) undo();
    for (const window of [...this.#windows]) window.close();
  }

  #listen(): void {
    const { local } = this.#parts;
    const toReaders = (channelId: string, visibleTo: string | null, event: PageEvent) => {
      for (const window of [...this.#windows]) {
        const mayRead = visibleTo === null || visibleTo === window.userId;
        if (mayRead && local.as(window.userId).sees(channelId)) window.send(event);
      }
    };
    const toPerson = (userId: string, event: PageEvent) => {
      for (const window of [...this.#windows]) if (window.userId === userId) window.send(event);
    };
    this.#undo.push(
      local.on('message', ({ message, channelId, visibleTo }) =>
        toReaders(channelId, visibleTo, { type: 'message', message }),
      ),
      local.on('messageUpdate', ({ message, channelId, visibleTo }) =>
        toReaders(channelId, visibleTo, { type: 'messageUpdate', message }),
      ),
      local.on('messageDelete', ({ messageId, channelId, visibleTo }) =>
        toReaders(channelId, visibleTo, { type: 'messageDelete', messageId }),
      ),
      local.on('modal', (modal) => toPerson(modal.userId, { type: 'modal', modal })),
      local.on('interaction', (interaction) =>
        toPerson(interaction.userId, { type: 'interaction', interaction: summarize(interaction) }),
      ),
      local.on('commands', () => {
        for (const window of [...this.#windows])
          window.send({ type: 'commands', commands: this.#commandsOf(window.userId) });
      }),
      local.on('request', (record) => this.broadcast({ type: 'request', request: summarizeRequest(record) })),
    );
  }

  #stream(request: Request, url: URL): Response {
    const { local } = this.#parts;
    const userId = url.searchParams.get('as') ?? local.world.people.ada.id;
    const locale = LOCALES.find((one) => one === url.searchParams.get('locale')) ?? 'en-US';
    if (!this.#cast().some(({ id }) => id === userId)) return problem(404, 'nobody here has this id');
    let leave: () => void = () => undefined;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const encoder = new TextEncoder();
        const window: Window = {
          userId,
          send: (event) => {
            controller.enqueue(encoder.encode(`data: ${JSON.stringify(event)}\n\n`));
            if ((controller.desiredSize ?? 0) < -MOST_UNREAD) window.close();
          },
          close: () => {
            leave();
            controller.close();
          },
        };
        leave = () => void this.#windows.delete(window);
        this.#windows.add(window);
        window.send(this.#hello(userId, locale));
      },
      cancel: () => leave(),
    });
    request.signal.addEventListener('abort', () => leave());
    return new Response(stream, { headers: { ...HEADERS, 'content-type': 'text/event-stream' } });
  }

  async #take(request: Request): Promise<Response> {
    if (request.headers.get('content-type') !== 'application/json') return problem(415, 'JSON is wanted');
    const text = await request.text();
    if (text.length > MOST_ACTION_BYTES) return problem(413, 'that is too much');
    const parsed = actionSchema.safeParse(parseJson(text));
    if (!parsed.success) return problem(400, parsed.error.issues[0]?.message ?? 'not an action');
    if (!this.#cast().some(({ id }) => id === parsed.data.as)) return problem(404, 'nobody here has this id');
    try {
      return Response.json(await this.#act(parsed.data), { headers: HEADERS });
    } catch (error) {
      // What a client refuses, it refuses in words for the person.
      return problem(422, error instanceof Error ? error.message : String(error));
    }
  }

  async #act(action: PageAction): Promise<ActionResult> {
    const { local, bot, shoppers } = this.#parts;
    const session = local.as(action.as);
    session.setLocale(action.locale as Parameters<typeof session.setLocale>[0]); // an enum of the same words
    switch (action.do) {
      case 'run':
        quiet(await session.run(action.channelId, action.name, action.options));
        break;
      case 'autocomplete': {
        const { channelId, name, options, focused } = action;
        return { ok: true, choices: await session.autocomplete(channelId, name, options, focused) };
      }
      case 'click':
        quiet(await session.click(action.messageId, action.customId));
        break;
      case 'select':
        quiet(await session.select(action.messageId, action.customId, action.values));
        break;
      case 'submitModal':
        quiet(await session.submitModal(action.modalId, action.values));
        break;
      case 'dismissModal':
        session.dismissModal(action.modalId);
        break;
      case 'dismissMessage':
        session.dismissMessage(action.messageId);
        break;
      case 'say':
        session.say(action.channelId, action.content);
        break;
      case 'shoppers':
        shoppers.set(action.isOn, action.speed);
        break;
      case 'bot':
        if (action.order === 'kill') await bot.kill();
        if (action.order === 'restart') await bot.stop();
        if (action.order !== 'kill') bot.start();
        break;
    }
    return { ok: true };
  }

  #cast(): Hello['cast'] {
    const { ada, grace, linus } = this.#parts.local.world.people;
    const about = [
      [ada, 'Owns the bot'],
      [grace, 'Server admin, not an operator'],
      [linus, 'Member'],
    ] as const;
    return about.map(([user, words]) => ({
      id: user.id,
      name: user.global_name ?? user.username,
      isBot: false,
      about: words,
    }));
  }

  #commandsOf(userId: string): Hello['commands'] {
    const { local } = this.#parts;
    return local.as(userId).guildCommands(local.world.home.id);
  }

  #hello(userId: string, locale: string): Hello {
    const { local, bot, shoppers } = this.#parts;
    const { world } = local;
    const session = local.as(userId);
    const channels = [...world.home.channels.values()]
      .filter((channel) => session.sees(channel.id))
      .map(({ id, name }) => ({ id, name }));
    const people = [...world.users.values()].map((user) => ({
      id: user.id,
      name: user.global_name ?? user.username,
      isBot: user.bot === true,
    }));
    const shopperIds = new Set(world.shoppers.map((shopper) => shopper.id));
    const messages = channels.flatMap(({ id }) => recent(session.messages(id), shopperIds));
    return {
      type: 'hello',
      me: people.find(({ id }) => id === userId) ?? { id: userId, name: userId, isBot: false },
      cast: this.#cast(),
      people,
      shopperIds: world.shoppers.map(({ id }) => id),
      roles: [...world.home.roles.values()].map(({ id, name }) => ({ id, name })),
      guild: { id: world.home.id, name: world.home.name },
      channels,
      messages,
      ephemeralIds: messages
        .filter(({ flags }) => ((flags ?? 0) & MessageFlags.Ephemeral) !== 0)
        .map(({ id }) => id),
      commands: this.#commandsOf(userId),
      locales: LOCALES,
      locale,
      bot: bot.status,
      shoppers: shoppers.status,
      stats: this.#stats,
      requests: local.requestLog.slice(-REQUESTS_SHOWN).map(summarizeRequest),
    };
  }
}

/** The last messages, in their order; shoppers write without end, and push out nobody else's. */
function recent(messages: readonly APIMessage[], shopperIds: ReadonlySet<string>): APIMessage[] {
  const isShoppers = (message: APIMessage) =>
    shopperIds.has(message.interaction_metadata?.user.id ?? message.author.id);
  const kept = new Set([
    ...messages.filter((message) => !isShoppers(message)).slice(-MESSAGES_SHOWN),
    ...messages.filter(isShoppers).slice(-SHOPPER_MESSAGES_SHOWN),
  ]);
  return messages.filter((message) => kept.has(message));
}

/** Its states are told by events, so its promises may fail unheard. */
function quiet(interaction: LocalInteraction): void {
  interaction.acknowledged().catch(() => undefined);
}

function summarize({ id, type, channelId, summary, state, failure }: LocalInteraction): InteractionSummary {
  return { id, type, channelId, summary, state, failure };
}

function summarizeRequest(record: RequestRecord): RequestSummary {
  return {
    at: record.at,
    method: record.method,
    route: record.route,
    status: record.status,
    durationMs: record.durationMs,
    problems: record.problems.map(({ path: where, message }) => ({ path: where, message })),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the schema then says that it is no action
  }
}

function problem(status: number, words: string): Response {
  const body: ActionResult = { ok: false, problem: words };
  return Response.json(body, { status, headers: HEADERS });
}
