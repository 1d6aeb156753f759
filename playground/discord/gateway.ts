/**
 * The gateway: the handshake that discord.js knows, sessions that survive a cut, and dispatches with their order.
 *
 * A session is apart from the socket it came over. While no socket carries it, its dispatches are kept, and RESUME
 * sends what came after the last one that the client saw. Nothing is compressed: discord.js asks for that only
 * where zlib-sync is installed, and then finds uncompressed text.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  GatewayDispatchEvents,
  GatewayIntentBits as Intent,
  GatewayOpcodes as Op,
} from 'discord-api-types/v10';
import { WebSocket, WebSocketServer } from 'ws';
import { guildCreate } from './guild-create.ts';
import { isRecord, type JsonRecord, numberOf, recordOf, stringOf } from './json.ts';
import { secret } from './snowflake.ts';
import type { World } from './world.ts';

const PRIVILEGED = Intent.GuildMembers | Intent.GuildPresences | Intent.MessageContent;
/** A session that nobody carries is forgotten after so many dispatches. */
const MOST_KEPT = 1000;

const INTENT_FOR: Partial<Record<GatewayDispatchEvents, Intent>> = {
  [GatewayDispatchEvents.GuildCreate]: Intent.Guilds,
  [GatewayDispatchEvents.GuildDelete]: Intent.Guilds,
  [GatewayDispatchEvents.MessageCreate]: Intent.GuildMessages,
  [GatewayDispatchEvents.MessageUpdate]: Intent.GuildMessages,
  [GatewayDispatchEvents.MessageDelete]: Intent.GuildMessages,
};

/** Discord takes 4 KiB from a client; ten times that leaves room for a list of user ids. */
const MOST_PAYLOAD_BYTES = 40_960;

interface GatewaySession {
  readonly id: string;
  readonly intents: number;
  readonly shard: readonly [number, number];
  socket: WebSocket | null;
  sequence: number;
  readonly sent: { readonly sequence: number; readonly text: string }[];
}

export interface GatewayParts {
  readonly world: World;
  readonly token: string;
  readonly heartbeatIntervalMs: number;
  /** Where to resume. */
  url(): string;
  online(isOnline: boolean): void;
}

export class Gateway {
  readonly #parts: GatewayParts;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MOST_PAYLOAD_BYTES });
  readonly #sessions = new Map<string, GatewaySession>();
  #wasOnline = false;

  constructor(parts: GatewayParts) {
    this.#parts = parts;
  }

  get isOnline(): boolean {
    return [...this.#sessions.values()].some((session) => session.socket !== null);
  }

  /** How many sessions were begun and not given up: a resumed one is still one. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Takes a socket over from HTTP. The caller has checked Host and Origin. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#greet(ws));
  }

  /** Sends an event of a guild to the shard that has it, if that asked for such events. */
  dispatch(guildId: string, event: GatewayDispatchEvents, data: unknown): void {
    const needed = INTENT_FOR[event];
    for (const session of this.#sessions.values()) {
      const [shard, count] = session.shard;
      const isIts = Number((BigInt(guildId) >> 22n) % BigInt(count)) === shard;
      if (!isIts || (needed !== undefined && (session.intents & needed) === 0)) continue;
      this.#send(session, event, this.#withContent(session, event, data));
    }
  }

  /**
   * Takes the bot's connections away. A resumable one is asked to reconnect and may resume; another must identify anew.
   * `cut` drops the socket without a word, as a network does.
   */
  disconnect(options: { readonly resumable: boolean; readonly cut?: boolean }): void {
    for (const session of [...this.#sessions.values()]) {
      const { socket } = session;
      if (!options.resumable) this.#sessions.delete(session.id);
      session.socket = null;
      if (!socket) continue;
      if (options.cut) socket.terminate();
      else if (options.resumable)
        socket.send(JSON.stringify({ op: Op.Reconnect, d: null, s: null, t: null }));
      else socket.send(JSON.stringify({ op: Op.InvalidSession, d: false, s: null, t: null }));
    }
    this.#noteOnline();
  }

  /** Closes every connection with a code of the gateway's, such as 4000 or 4009. */
  close(code: number, reason: string): void {
    for (const session of this.#sessions.values()) session.socket?.close(code, reason);
  }

  async stop(): Promise<void> {
    this.#sessions.clear();
    for (const socket of this.#server.clients) socket.terminate();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #greet(socket: WebSocket): void {
    let session: GatewaySession | null = null;
    const reply = (op: Op, d: unknown) => socket.send(JSON.stringify({ op, d, s: null, t: null }));
    socket.on('error', () => socket.terminate());
    socket.on('close', (code) => {
      if (session?.socket !== socket) return;
      session.socket = null;
      // A client that says goodbye in order gives its session up.
      if (code === 1000 || code === 1001) this.#sessions.delete(session.id);
      this.#noteOnline();
    });
    socket.on('message', (raw) => {
      const message = parse(String(raw));
      if (!message) return socket.close(4002, 'Error while decoding payload.');
      const data = recordOf(message.d);
      switch (message.op) {
        case Op.Heartbeat:
          return reply(Op.HeartbeatAck, null);
        case Op.Identify:
          if (session) return socket.close(4005, 'Already authenticated.');
          session = this.#identify(socket, data);
          return;
        case Op.Resume:
          if (session) return socket.close(4005, 'Already authenticated.');
          session = this.#resume(socket, data);
          return;
        case Op.RequestGuildMembers:
          if (!session) return socket.close(4003, 'Not authenticated.');
          return this.#sendMembers(session, data);
        case Op.PresenceUpdate:
        case Op.VoiceStateUpdate:
          return session ? undefined : socket.close(4003, 'Not authenticated.');
        default:
          return socket.close(4001, 'Unknown opcode.');
      }
    });
    reply(Op.Hello, { heartbeat_interval: this.#parts.heartbeatIntervalMs, _trace: [] });
  }

  #identify(socket: WebSocket, data: JsonRecord): GatewaySession | null {
    const refuse = (code: number, reason: string) => {
      socket.close(code, reason);
      return null;
    };
    if (data.token !== this.#parts.token) return refuse(4004, 'Authentication failed.');
    const { intents } = data;
    if (typeof intents !== 'number' || intents < 0 || intents >= 2 ** 31)
      return refuse(4013, 'Invalid intent(s).');
    if ((intents & PRIVILEGED) !== 0 && !this.#parts.world.privilegedIntents) {
      return refuse(4014, 'Disallowed intent(s).');
    }
    const [shard = 0, count = 1] = Array.isArray(data.shard) ? data.shard.map(Number) : [];
    if (!(shard >= 0 && shard < count)) return refuse(4010, 'Invalid shard.');
    // A process that died without a goodbye comes back with a new session: nobody will resume the old one.
    for (const old of this.#sessions.values()) {
      if (old.socket === null && old.shard[0] === shard) this.#sessions.delete(old.id);
    }
    const session: GatewaySession = {
      id: secret(16),
      intents,
      shard: [shard, count],
      socket,
      sequence: 0,
      sent: [],
    };
    this.#sessions.set(session.id, session);
    this.#welcome(session);
    this.#noteOnline();
    return session;
  }

  #resume(socket: WebSocket, data: JsonRecord): GatewaySession | null {
    if (data.token !== this.#parts.token) {
      socket.close(4004, 'Authentication failed.');
      return null;
    }
    const session = this.#sessions.get(stringOf(data.session_id));
    if (!session) {
      socket.send(JSON.stringify({ op: Op.InvalidSession, d: false, s: null, t: null }));
      return null;
    }
    const seen = numberOf(data.seq);
    if (seen > session.sequence) {
      socket.close(4007, 'Invalid seq.');
      return null;
    }
    session.socket = socket;
    for (const { sequence, text } of session.sent) if (sequence > seen) socket.send(text);
    this.#send(session, GatewayDispatchEvents.Resumed, { _trace: [] });
    this.#noteOnline();
    return session;
  }

  #welcome(session: GatewaySession): void {
    const { world } = this.#parts;
    const [shard, count] = session.shard;
    const guilds = [...world.guilds.values()].filter(
      (guild) =>
        guild.members.has(world.botUser.id) && Number((BigInt(guild.id) >> 22n) % BigInt(count)) === shard,
    );
    this.#send(session, GatewayDispatchEvents.Ready, {
      v: 10,
      user: { ...world.botUser, verified: true, mfa_enabled: true, email: null },
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      resume_gateway_url: this.#parts.url(),
      shard: session.shard,
      application: { id: world.applicationId, flags: 0 },
    });
    if ((session.intents & Intent.Guilds) === 0) return;
    for (const guild of guilds) {
      this.#send(session, GatewayDispatchEvents.GuildCreate, guildCreate(world, guild, session.intents));
    }
  }

  #sendMembers(session: GatewaySession, data: JsonRecord): void {
    const guild = this.#parts.world.guilds.get(stringOf(data.guild_id));
    if (!guild) return;
    const wanted = Array.isArray(data.user_ids)
      ? data.user_ids.map(String)
      : data.user_ids
        ? [String(data.user_ids)]
        : null;
    const query = stringOf(data.query).toLowerCase();
    const all = [...guild.members.values()];
    const found = wanted
      ? all.filter(({ user }) => wanted.includes(user.id))
      : all.filter(({ user }) => user.username.toLowerCase().startsWith(query));
    const limit = numberOf(data.limit);
    const members = limit > 0 ? found.slice(0, limit) : found;
    this.#send(session, GatewayDispatchEvents.GuildMembersChunk, {
      guild_id: guild.id,
      members,
      chunk_index: 0,
      chunk_count: 1,
      not_found: wanted?.filter((id) => !guild.members.has(id)) ?? [],
      ...(data.nonce === undefined ? {} : { nonce: data.nonce }),
    });
  }

  /** Without the message content intent a bot reads its own messages and those that mention it, and nobody else's. */
  #withContent(session: GatewaySession, event: GatewayDispatchEvents, data: unknown): unknown {
    const isMessage =
      event === GatewayDispatchEvents.MessageCreate || event === GatewayDispatchEvents.MessageUpdate;
    if (!isMessage || !isRecord(data) || (session.intents & Intent.MessageContent) !== 0) return data;
    const botId = this.#parts.world.botUser.id;
    const isOwn = recordOf(data.author).id === botId;
    const mentions = Array.isArray(data.mentions) ? data.mentions : [];
    if (isOwn || mentions.some((one) => recordOf(one).id === botId)) return data;
    return { ...data, content: '', embeds: [], attachments: [], components: [] };
  }

  #send(session: GatewaySession, event: GatewayDispatchEvents, data: unknown): void {
    session.sequence++;
    const text = JSON.stringify({ op: Op.Dispatch, t: event, s: session.sequence, d: data });
    session.sent.push({ sequence: session.sequence, text });
    if (session.sent.length > MOST_KEPT) session.sent.shift();
    if (session.socket?.readyState === WebSocket.OPEN) session.socket.send(text);
  }

  #noteOnline(): void {
    if (this.isOnline === this.#wasOnline) return;
    this.#wasOnline = this.isOnline;
    this.#parts.online(this.isOnline);
  }
}

function parse(text: string): JsonRecord | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && typeof value.op === 'number' ? value : null;
  } catch {
    return null; // answered with 4002 by the caller
  }
}
