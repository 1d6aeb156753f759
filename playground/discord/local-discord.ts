/**
 * A Discord of one's own on loopback: REST under `/api/v10`, a gateway, and people who use it. An unmodified
 * discord.js client logs in with `new Client({ rest: { api: local.apiUrl } })`.
 *
 * This file puts the parts together and decides nothing: the world is in `world.ts`, what bodies may hold in
 * `limits/`, what routes do in `rest/`, what people may do in `session.ts`.
 */
import type { Server } from 'node:http';
import {
  type APIApplicationCommandPermission,
  type APIMessage,
  type APIUser,
  GatewayDispatchEvents,
} from 'discord-api-types/v10';
import { type Clock, systemClock } from '../../src/cache/clock.ts';
import { Attachments } from './attachments.ts';
import { Commands } from './commands.ts';
import { Emitter } from './emitter.ts';
import { Faults } from './faults.ts';
import { Gateway } from './gateway.ts';
import { guildCreate } from './guild-create.ts';
import { Interactions } from './interactions.ts';
import { type Loopback, listenOnLoopback } from './loopback.ts';
import { Messages } from './messages.ts';
import { callbackRoutes } from './rest/callbacks.ts';
import { channelMessageRoutes } from './rest/channel-messages.ts';
import { commandRoutes } from './rest/commands.ts';
import { isApiPath, type RestServer, restServer } from './rest/http.ts';
import { webhookRoutes } from './rest/webhooks.ts';
import { worldRoutes } from './rest/world.ts';
import { Session } from './session.ts';
import { secret, snowflakes } from './snowflake.ts';
import type {
  Fault,
  FaultTarget,
  LocalDiscordEvents,
  LocalDiscordOptions,
  RequestRecord,
  Session as SessionContract,
} from './types.ts';
import { World } from './world.ts';

/** Older requests are forgotten: the page runs for hours. */
const MOST_REQUESTS_KEPT = 2000;

const HEARTBEAT_INTERVAL_MS = 41_250;

export class LocalDiscord {
  readonly world: World;
  readonly clock: Clock;
  /** What the bot logs in with. */
  readonly token: string;
  readonly requestLog: RequestRecord[] = [];
  readonly #emitter = new Emitter<LocalDiscordEvents>();
  readonly #faults = new Faults();
  readonly #gateway: Gateway;
  readonly #messages: Messages;
  readonly #commands: Commands;
  readonly #interactions: Interactions;
  readonly #attachments: Attachments;
  readonly #rest: RestServer;
  readonly #extend: LocalDiscordOptions['extend'];
  readonly #sessions = new Map<string, Session>();
  #loopback: Loopback | null = null;

  private constructor(options: LocalDiscordOptions) {
    const clock = options.clock ?? systemClock();
    const world = new World(options.world);
    const ids = snowflakes(() => clock.epochAt(clock.now()));
    const dispatch = (guildId: string, event: GatewayDispatchEvents, data: unknown) =>
      this.#gateway.dispatch(guildId, event, data);
    const emit = this.#emitter.emit.bind(this.#emitter);
    this.clock = clock;
    this.world = world;
    this.token = `${Buffer.from(world.applicationId).toString('base64url')}.${secret(4)}.${secret(28)}`;
    this.#extend = options.extend;
    this.#attachments = new Attachments(ids, () => this.origin);
    this.#messages = new Messages({ world, ids, clock, attachments: this.#attachments, emit, dispatch });
    this.#commands = new Commands({ world, ids, clock, changed: (guildId) => emit('commands', { guildId }) });
    this.#interactions = new Interactions({
      world,
      ids,
      clock,
      dispatch,
      changed: (interaction) => emit('interaction', interaction),
      opened: (modal) => emit('modal', modal),
    });
    this.#gateway = new Gateway({
      world,
      token: this.token,
      heartbeatIntervalMs: options.heartbeatIntervalMs ?? HEARTBEAT_INTERVAL_MS,
      url: () => this.gatewayUrl,
      online: (online) => emit('bot', { online }),
    });
    const parts = {
      world,
      interactions: this.#interactions,
      messages: this.#messages,
      commands: this.#commands,
    };
    this.#rest = restServer({
      routes: [
        ...worldRoutes({ world, shards: options.shards ?? 1, gatewayUrl: () => this.gatewayUrl }),
        ...commandRoutes(parts),
        ...callbackRoutes(parts),
        ...webhookRoutes(parts),
        ...channelMessageRoutes(parts),
      ],
      token: this.token,
      clock,
      faults: this.#faults,
      record: (entry) => this.#record(entry),
    });
  }

  /** Listens on 127.0.0.1, and is ready when this resolves. */
  static async start(options: LocalDiscordOptions = {}): Promise<LocalDiscord> {
    const local = new LocalDiscord(options);
    local.#loopback = await listenOnLoopback(
      options.port ?? 0,
      (request) => local.#answer(request),
      (request, socket, head) => {
        const isGateway =
          new URL(request.url ?? '/', local.origin).pathname.replace(/\/$/, '') === '/gateway';
        if (isGateway) local.#gateway.upgrade(request, socket, head);
        else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      },
    );
    return local;
  }

  get port(): number {
    return this.#listening.port;
  }

  /** `http://127.0.0.1:PORT` */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** For `rest.api` of discord.js, or `DISCORD_API_URL`. */
  get apiUrl(): string {
    return `${this.origin}/api`;
  }

  get gatewayUrl(): string {
    return `ws://127.0.0.1:${this.port}/gateway`;
  }

  get server(): Server {
    return this.#listening.server;
  }

  get applicationId(): string {
    return this.world.applicationId;
  }

  get botUser(): APIUser {
    return this.world.botUser;
  }

  get isBotOnline(): boolean {
    return this.#gateway.isOnline;
  }

  /** How many gateway sessions stand; one that was resumed is still the same. */
  get gatewaySessionCount(): number {
    return this.#gateway.sessionCount;
  }

  /** @returns what takes the listener off again */
  on<Name extends keyof LocalDiscordEvents>(
    name: Name,
    listener: (event: LocalDiscordEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener);
  }

  /** The person at their client; the same object every time. */
  as(userId: string): SessionContract {
    const session =
      this.#sessions.get(userId) ??
      new Session(userId, {
        world: this.world,
        commands: this.#commands,
        messages: this.#messages,
        interactions: this.#interactions,
      });
    this.#sessions.set(userId, session);
    return session;
  }

  /** The commands of a scope as registered; `null` is the global one. */
  registeredCommands(guildId: string | null) {
    return this.#commands.list(guildId);
  }

  /** What a guild's administrator sets in the integration settings: it overrules the default permissions. */
  setCommandPermissions(
    guildId: string,
    commandId: string,
    permissions: readonly APIApplicationCommandPermission[],
  ): void {
    this.#commands.setPermissions(guildId, commandId, permissions);
  }

  /** Any message, whoever may see it. */
  message(messageId: string): APIMessage | undefined {
    return this.#messages.get(messageId)?.message;
  }

  /**
   * Makes coming requests fail. A `delayMs` alone makes a slow answer, and not a failure.
   * @returns what takes the fault back
   */
  failNext(target: FaultTarget, fault: Fault = {}): () => void {
    return this.#faults.add(target, fault);
  }

  /** Cuts the bot off. `cut` drops the socket as a network does; otherwise Discord asks for it. */
  disconnectBot(options: { readonly resumable: boolean; readonly cut?: boolean }): void {
    this.#gateway.disconnect(options);
  }

  /** Ends the bot's connections with one of the gateway's close codes. */
  closeGateway(code: number, reason = ''): void {
    this.#gateway.close(code, reason);
  }

  /** The bot is removed from a guild. */
  removeBotFrom(guildId: string): void {
    const guild = this.world.guilds.get(guildId);
    if (!guild?.members.delete(this.world.botUser.id)) return;
    this.#gateway.dispatch(guildId, GatewayDispatchEvents.GuildDelete, { id: guildId });
  }

  /** A guild goes away in an outage, or comes back. */
  setGuildAvailable(guildId: string, isAvailable: boolean): void {
    const guild = this.world.guilds.get(guildId);
    if (!guild) throw new Error(`there is no guild ${guildId}`);
    if (isAvailable) {
      this.#gateway.dispatch(guildId, GatewayDispatchEvents.GuildCreate, guildCreate(this.world, guild, 0));
    } else {
      this.#gateway.dispatch(guildId, GatewayDispatchEvents.GuildDelete, { id: guildId, unavailable: true });
    }
  }

  /** Ends every connection and timer. */
  async stop(): Promise<void> {
    this.#interactions.close();
    await this.#gateway.stop();
    await this.#listening.stop();
  }

  async #answer(request: Request): Promise<Response | null> {
    const { pathname } = new URL(request.url);
    if (isApiPath(pathname)) return this.#rest(request);
    const file = this.#attachments.serve(pathname);
    return file ?? (await this.#extend?.(request)) ?? new Response('Not found\n', { status: 404 });
  }

  #record(entry: RequestRecord): void {
    this.requestLog.push(entry);
    if (this.requestLog.length > MOST_REQUESTS_KEPT) this.requestLog.shift();
    this.#emitter.emit('request', entry);
  }

  get #listening(): Loopback {
    if (!this.#loopback) throw new Error('the local Discord does not listen yet');
    return this.#loopback;
  }
}
