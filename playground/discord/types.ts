/**
 * What the local Discord shows to those who use it: the page, the shoppers and the tests.
 *
 * Everything that Discord itself names keeps Discord's own shape (`discord-api-types`), so that a message seen here
 * is the message a real client would be sent. Only what has no name in Discord's API is named here.
 */
import type {
  APIApplicationCommand,
  APIApplicationCommandOptionChoice,
  APIChannel,
  APIGuild,
  APIGuildMember,
  APIMessage,
  APIModalInteractionResponseCallbackData,
  APIRole,
  APIUser,
  InteractionType,
  Locale,
} from 'discord-api-types/v10';
import type { Clock } from '../../src/cache/clock.ts';

export type { APIApplicationCommandOptionChoice, APIMessage, Locale };

/** Who owns the application: one person, or a team that this person leads. */
export type Ownership = 'user' | 'team';

/** What a world may be told to be; everything has a default. */
export interface WorldSeed {
  /** @default 'user' */
  readonly ownership?: Ownership;
  /** How many simulated shoppers the home guild has. @default 30 */
  readonly shoppers?: number;
  /** Whether the application may ask for privileged intents; if not, IDENTIFY with one ends with 4014. @default false */
  readonly privilegedIntents?: boolean;
  /** Further guilds, each with a `#general` and an administrator of its own. */
  readonly furtherGuilds?: readonly string[];
}

export interface LocalDiscordOptions {
  /** 0 takes any free port. @default 0 */
  readonly port?: number;
  readonly world?: WorldSeed;
  /** By default the machine's; tests hand in one that they turn. */
  readonly clock?: Clock;
  /** How many shards GET /gateway/bot recommends. @default 1 */
  readonly shards?: number;
  /** Milliseconds between heartbeats, as told in HELLO. @default 41_250 */
  readonly heartbeatIntervalMs?: number;
  /**
   * Serves what is not under `/api`, `/gateway` or `/attachments`, behind the same checks of Host and Origin.
   * Resolves to `null` for "not mine".
   */
  readonly extend?: (request: Request) => Promise<Response | null> | Response | null;
}

/** A guild as the world keeps it. Maps are keyed by id. */
export interface LocalGuild {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly guild: APIGuild;
  readonly channels: Map<string, APIChannel & { readonly name: string; readonly guild_id: string }>;
  readonly roles: Map<string, APIRole>;
  readonly members: Map<string, APIGuildMember>;
}

/** The people everybody speaks of. */
export interface People {
  /** Owns the application (or leads its team), and owns the home guild. */
  readonly ada: APIUser;
  /** Administrator of the home guild, and nothing to the application. */
  readonly grace: APIUser;
  /** An ordinary member of the home guild. */
  readonly linus: APIUser;
  /** Administrator of the other guild, and no member of the home guild. */
  readonly mallory: APIUser;
}

/** One request that reached the REST side, in the order of arrival. */
export interface RequestRecord {
  readonly at: number;
  readonly method: string;
  /** The path with its ids, without `/api/v10` and without an interaction's token. */
  readonly path: string;
  /** The path's pattern, such as `/channels/:channel/messages`; the path itself where nothing matched. */
  readonly route: string;
  readonly status: number;
  /** The JSON body as it came; `undefined` if there was none. */
  readonly body: unknown;
  /** What Discord's published schemas and documented limits find wrong with the body. */
  readonly problems: readonly BodyProblem[];
  /** The answer's JSON body. */
  readonly answer: unknown;
  readonly durationMs: number;
}

/** One thing wrong with a request's body. */
export interface BodyProblem {
  /** Where, as Discord writes it: `embeds.0.fields.3.name`. */
  readonly path: string;
  /** Discord's name for it: `BASE_TYPE_MAX_LENGTH`. */
  readonly code: string;
  readonly message: string;
}

/** Makes the REST side fail, to see what a bot makes of it. */
export interface Fault {
  /** @default 500 */
  readonly status?: number;
  readonly body?: unknown;
  /** Seconds to wait, for a 429. @default 1 */
  readonly retryAfter?: number;
  /** For a 429: whether it is the global limit. @default false */
  readonly global?: boolean;
  /** How many requests fail. @default 1 */
  readonly times?: number;
  /** How long the answer takes. Alone, without a status or body, it only slows the true answer. @default 0 */
  readonly delayMs?: number;
  /** Closes the socket without an answer. */
  readonly drop?: boolean;
  /** Carries the request out first, then fails: the effect took place, and its answer is lost. */
  readonly afterEffect?: boolean;
}

/** `'POST /interactions/:id/:token/callback'`, `'/users/@me'`, or a function of the request. */
export type FaultTarget = string | ((request: { method: string; path: string; route: string }) => boolean);

/**
 * `pending`: sent to the bot. `acknowledged`: deferred. `answered`: a message, an update, a modal or choices came.
 * `failed`: the bot let the 3 seconds pass, or was not there.
 */
export type InteractionState = 'pending' | 'acknowledged' | 'answered' | 'failed';

/** An interaction as the person who caused it sees it. */
export interface LocalInteraction {
  readonly id: string;
  readonly type: InteractionType;
  readonly userId: string;
  readonly channelId: string;
  /** `/cache-stats view:tiers`, `button cacheadmin:1:…`: what was done, in a line. */
  readonly summary: string;
  readonly state: InteractionState;
  /** What the client shows when it failed, else `null`. */
  readonly failure: string | null;
  /** The first answer that can be seen: after a deferral the edit. Rejects when the interaction fails or opens a modal. */
  reply(): Promise<APIMessage>;
  /** The modal that it opened. Rejects when the interaction fails or is answered otherwise. */
  modal(): Promise<LocalModal>;
  /** The acknowledgement, of whatever kind. Rejects when the interaction fails. */
  acknowledged(): Promise<void>;
  /** Follow-ups so far, oldest first. */
  readonly followUps: readonly APIMessage[];
  /** Resolves with the n-th follow-up (from 0), as soon as there is one. */
  followUp(index?: number): Promise<APIMessage>;
}

/** A modal that stands open on somebody's screen. */
export interface LocalModal {
  readonly id: string;
  readonly userId: string;
  readonly channelId: string;
  readonly interactionId: string;
  readonly data: APIModalInteractionResponseCallbackData;
}

/** A command as a person's client lists it. */
export type VisibleCommand = APIApplicationCommand;

export type OptionValue = string | number | boolean;
export type ModalValue = string | readonly string[] | boolean;

/** A person at their client: sees what they may see, and is refused what a client refuses. */
export interface Session {
  readonly userId: string;
  readonly locale: Locale;
  setLocale(locale: Locale): void;
  /** Commands that this person sees in the guild: guild and global scope, by default permissions and overwrites. */
  guildCommands(guildId: string): VisibleCommand[];
  /** Runs `name` (`'shop buy'` for a subcommand). Rejects where the client would not send it. */
  run(
    channelId: string,
    name: string,
    options?: Readonly<Record<string, OptionValue>>,
  ): Promise<LocalInteraction>;
  /** The choices that the bot offers while `focused` is typed. */
  autocomplete(
    channelId: string,
    name: string,
    options: Readonly<Record<string, OptionValue>>,
    focused: string,
  ): Promise<readonly APIApplicationCommandOptionChoice[]>;
  click(messageId: string, customId: string): Promise<LocalInteraction>;
  select(messageId: string, customId: string, values: readonly string[]): Promise<LocalInteraction>;
  submitModal(modalId: string, values: Readonly<Record<string, ModalValue>>): Promise<LocalInteraction>;
  dismissModal(modalId: string): void;
  /** Takes an ephemeral message off this person's screen. */
  dismissMessage(messageId: string): void;
  /** Writes an ordinary message. */
  say(channelId: string, content: string): APIMessage;
  /** What this person sees in the channel, newest last. */
  messages(channelId: string): APIMessage[];
  message(messageId: string): APIMessage | undefined;
  /** Whether the person may read the channel. */
  sees(channelId: string): boolean;
}

/** What `local.on` can be asked for. `visibleTo` is the one person who sees an ephemeral message, else `null`. */
export interface LocalDiscordEvents {
  message: { readonly message: APIMessage; readonly channelId: string; readonly visibleTo: string | null };
  messageUpdate: {
    readonly message: APIMessage;
    readonly channelId: string;
    readonly visibleTo: string | null;
  };
  messageDelete: {
    readonly messageId: string;
    readonly channelId: string;
    readonly visibleTo: string | null;
  };
  modal: LocalModal;
  /** An interaction began or changed its state. */
  interaction: LocalInteraction;
  /** The commands of a scope changed; `null` is the global scope. */
  commands: { readonly guildId: string | null };
  bot: { readonly online: boolean };
  request: RequestRecord;
}
