/**
 * The messages of all channels: made from request bodies that have passed the checks, edited, taken away.
 *
 * A message is replaced on every edit and never changed in place, so that what somebody holds stays what they saw.
 * An ephemeral message has one person who sees it, and never goes to the gateway.
 */
import {
  type APIMessage,
  type APIUser,
  ComponentType,
  GatewayDispatchEvents,
  MessageFlags,
  MessageType,
} from 'discord-api-types/v10';
import type { Clock } from '../../src/cache/clock.ts';
import { type Attachments, withAddresses } from './attachments.ts';
import { isRecord, type JsonRecord, numberOf, recordsOf, stringOf } from './json.ts';
import type { UploadedFile } from './rest/route.ts';
import type { SnowflakeMaker } from './snowflake.ts';
import type { LocalDiscordEvents } from './types.ts';
import type { World } from './world.ts';

/** The page runs for hours with shoppers in it. */
const MOST_KEPT = 5000;

export interface StoredMessage {
  readonly message: APIMessage;
  readonly channelId: string;
  /** The one person who sees it, if it is ephemeral. */
  readonly visibleTo: string | null;
}

export interface NewMessage {
  readonly channelId: string;
  readonly author: APIUser;
  readonly body: JsonRecord;
  readonly files?: readonly UploadedFile[];
  readonly visibleTo?: string | null;
  /** Flags that the bot does not set itself: LOADING of a deferral. */
  readonly extraFlags?: number;
  /** Fields that tell of the interaction it answers. */
  readonly extra?: Partial<APIMessage>;
}

export interface MessageParts {
  readonly world: World;
  readonly ids: SnowflakeMaker;
  readonly clock: Clock;
  readonly attachments: Attachments;
  emit<Name extends 'message' | 'messageUpdate' | 'messageDelete'>(
    name: Name,
    event: LocalDiscordEvents[Name],
  ): void;
  dispatch(guildId: string, event: GatewayDispatchEvents, data: unknown): void;
}

export class Messages {
  readonly #stored = new Map<string, StoredMessage>();
  readonly #parts: MessageParts;

  constructor(parts: MessageParts) {
    this.#parts = parts;
  }

  get(messageId: string): StoredMessage | undefined {
    return this.#stored.get(messageId);
  }

  /** Oldest first. */
  inChannel(channelId: string): StoredMessage[] {
    return [...this.#stored.values()].filter((one) => one.channelId === channelId);
  }

  create(draft: NewMessage): APIMessage {
    const { channelId, body } = draft;
    const attachments = this.#parts.attachments.resolve(channelId, body, draft.files ?? [], []);
    const flags = (numberOf(body.flags) & KEPT_FLAGS) | (draft.extraFlags ?? 0);
    const message = {
      id: this.#parts.ids(),
      type: MessageType.Default,
      channel_id: channelId,
      author: draft.author,
      content: stringOf(body.content),
      timestamp: this.#now(),
      edited_timestamp: null,
      tts: body.tts === true,
      ...this.#mentions(channelId, body),
      attachments,
      embeds: embedsOf(body, attachments),
      components: componentsOf(body, attachments),
      pinned: false,
      flags,
      ...(typeof body.nonce === 'string' ? { nonce: body.nonce } : {}),
      ...draft.extra,
    } as APIMessage; // built field by field from a body that the schema has passed
    const stored: StoredMessage = { message, channelId, visibleTo: draft.visibleTo ?? null };
    this.#stored.set(message.id, stored);
    this.#forgetOldest();
    this.#parts.emit('message', { message, channelId, visibleTo: stored.visibleTo });
    this.#tell(stored, GatewayDispatchEvents.MessageCreate);
    return message;
  }

  /** What the body leaves out stays, what it says `null` goes. A deferral's placeholder becomes the answer. */
  edit(messageId: string, body: JsonRecord, files: readonly UploadedFile[] = []): APIMessage | undefined {
    const stored = this.#stored.get(messageId);
    if (!stored) return undefined;
    const before = stored.message;
    const attachments = this.#parts.attachments.resolve(stored.channelId, body, files, before.attachments);
    this.#parts.attachments.forget(before.attachments.filter((one) => !attachments.includes(one)));
    const wasLoading = ((before.flags ?? 0) & MessageFlags.Loading) !== 0;
    const message = {
      ...before,
      content: body.content === undefined ? before.content : stringOf(body.content),
      embeds: body.embeds === undefined ? before.embeds : embedsOf(body, attachments),
      components: body.components === undefined ? before.components : componentsOf(body, attachments),
      ...(body.content === undefined ? {} : this.#mentions(stored.channelId, body)),
      attachments,
      flags:
        ((before.flags ?? 0) & ~MessageFlags.Loading) | (numberOf(body.flags) & MessageFlags.IsComponentsV2),
      edited_timestamp: wasLoading ? null : this.#now(),
    } as APIMessage; // as above
    const next = { ...stored, message };
    this.#stored.set(messageId, next);
    this.#parts.emit('messageUpdate', { message, channelId: stored.channelId, visibleTo: stored.visibleTo });
    this.#tell(next, GatewayDispatchEvents.MessageUpdate);
    return message;
  }

  delete(messageId: string): boolean {
    const stored = this.#stored.get(messageId);
    if (!stored) return false;
    this.#stored.delete(messageId);
    this.#parts.attachments.forget(stored.message.attachments);
    const { channelId, visibleTo } = stored;
    this.#parts.emit('messageDelete', { messageId, channelId, visibleTo });
    const guild = this.#parts.world.guildOfChannel(channelId);
    if (guild && visibleTo === null) {
      const data = { id: messageId, channel_id: channelId, guild_id: guild.id };
      this.#parts.dispatch(guild.id, GatewayDispatchEvents.MessageDelete, data);
    }
    return true;
  }

  /** Nobody scrolls back this far; Discord would keep it all. */
  #forgetOldest(): void {
    for (const [id, { message }] of this.#stored) {
      if (this.#stored.size <= MOST_KEPT) return;
      this.#stored.delete(id);
      this.#parts.attachments.forget(message.attachments);
    }
  }

  #tell(stored: StoredMessage, event: GatewayDispatchEvents): void {
    const guild = this.#parts.world.guildOfChannel(stored.channelId);
    if (!guild || stored.visibleTo !== null) return;
    const { user: _, ...member } = guild.members.get(stored.message.author.id) ?? {};
    this.#parts.dispatch(guild.id, event, { ...stored.message, guild_id: guild.id, member });
  }

  /** Whom the text mentions, as far as `allowed_mentions` lets it ping them. */
  #mentions(channelId: string, body: JsonRecord) {
    const text = stringOf(body.content);
    const allowed = isRecord(body.allowed_mentions)
      ? body.allowed_mentions
      : { parse: ['users', 'roles', 'everyone'] };
    const kinds: unknown[] = Array.isArray(allowed.parse) ? allowed.parse : [];
    const pings = (kind: 'users' | 'roles', id: string) => {
      const listed: unknown = allowed[kind];
      return kinds.includes(kind) || (Array.isArray(listed) && listed.includes(id));
    };
    const ids = (pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))];
    const guild = this.#parts.world.guildOfChannel(channelId);
    return {
      mentions: ids(/<@!?(\d+)>/g)
        .filter((id) => pings('users', id))
        .flatMap((id) => this.#parts.world.users.get(id) ?? []),
      mention_roles: ids(/<@&(\d+)>/g).filter((id) => pings('roles', id) && guild?.roles.has(id)),
      mention_everyone: kinds.includes('everyone') && /@(everyone|here)/.test(text),
    };
  }

  #now(): string {
    return new Date(this.#parts.clock.epochAt(this.#parts.clock.now())).toISOString();
  }
}

const KEPT_FLAGS =
  MessageFlags.Ephemeral |
  MessageFlags.IsComponentsV2 |
  MessageFlags.SuppressEmbeds |
  MessageFlags.SuppressNotifications;

function embedsOf(body: JsonRecord, attachments: APIMessage['attachments']): unknown[] {
  return withAddresses(recordsOf(body.embeds), attachments).map((embed) => ({ type: 'rich', ...embed }));
}

/** Components with the numbers that Discord gives to those that have none. */
function componentsOf(body: JsonRecord, attachments: APIMessage['attachments']): unknown[] {
  const taken = new Set<number>();
  const note = (node: JsonRecord) => {
    if (typeof node.id === 'number') taken.add(node.id);
  };
  let next = 0;
  const fresh = () => {
    do next++;
    while (taken.has(next));
    return next;
  };
  const visit = (node: JsonRecord, each: (node: JsonRecord) => void): void => {
    each(node);
    for (const child of recordsOf(node.components)) visit(child, each);
    for (const child of [node.accessory, node.component]) if (isRecord(child)) visit(child, each);
  };
  const components = withAddresses(structuredClone(recordsOf(body.components)), attachments);
  for (const component of components) visit(component, note);
  for (const component of components) {
    visit(component, (node) => {
      if (typeof node.id !== 'number' || node.id === 0) node.id = fresh();
      if (node.type === ComponentType.Container) node.spoiler ??= false;
    });
  }
  return components;
}
