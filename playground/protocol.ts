/**
 * What the page and its server say to each other. Events go to the page as server-sent events; what a person does
 * comes back as one POST, parsed here and nowhere else. The page is stateless to the server: each event stream and
 * each action names the person it is for.
 */
import { z } from 'zod';
import type { CacheStats } from '../src/cache/statistics/stats.ts';
import type { AnswerCost } from './answer-costs.ts';
import type {
  APIApplicationCommandOptionChoice,
  APIMessage,
  InteractionState,
  LocalModal,
  VisibleCommand,
} from './discord/types.ts';
import type { RatesStatus } from './rates-api.ts';
import { TROUBLES, type TroubleKind } from './trouble.ts';

/** The languages that the page offers; Discord knows them by these names. */
export const LOCALES = ['en-US', 'en-GB', 'de', 'es-ES', 'fr', 'pt-BR', 'ja'] as const;

/** `stopped` is what somebody asked for; `exited` is what happened by itself. */
export type BotState = 'starting' | 'online' | 'offline' | 'stopped' | 'exited';

export interface BotStatus {
  readonly state: BotState;
  /** How it ended, in a word: `code 1`, `SIGKILL`. */
  readonly ending: string | null;
  readonly pid: number | null;
  /** Where its HTTP API is; `null` while that is not known. */
  readonly api: string | null;
}

export interface ShopperStatus {
  readonly isOn: boolean;
  /** 1 is a calm afternoon. */
  readonly speed: number;
  readonly people: number;
  readonly commands: number;
}

export interface PersonSummary {
  readonly id: string;
  readonly name: string;
  readonly isBot: boolean;
  /** Of the home guild. */
  readonly isMember: boolean;
}

export interface ChannelSummary {
  readonly id: string;
  readonly name: string;
  readonly type: number;
}

export interface RequestSummary {
  readonly at: number;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

export interface InteractionSummary {
  readonly id: string;
  readonly type: number;
  readonly channelId: string;
  readonly summary: string;
  readonly state: InteractionState;
  readonly failure: string | null;
}

/** Everything that the page needs to draw itself. */
export interface Hello {
  readonly type: 'hello';
  readonly me: PersonSummary;
  readonly cast: readonly (PersonSummary & { readonly standing: 'owner' | 'admin' | 'member' })[];
  readonly people: readonly PersonSummary[];
  readonly shopperIds: readonly string[];
  readonly roles: readonly { readonly id: string; readonly name: string }[];
  readonly guild: { readonly id: string; readonly name: string };
  readonly channels: readonly ChannelSummary[];
  readonly messages: readonly APIMessage[];
  readonly ephemeralIds: readonly string[];
  readonly commands: readonly VisibleCommand[];
  readonly locales: readonly string[];
  readonly locale: string;
  readonly bot: BotStatus;
  readonly trouble: TroubleKind;
  readonly rates: RatesStatus;
  /** How long query results are fresh, unless config.json says otherwise. */
  readonly queryTtlSeconds: number;
  readonly shoppers: ShopperStatus;
  readonly stats: CacheStats | null;
  readonly requests: readonly RequestSummary[];
  readonly costs: readonly AnswerCost[];
}

export type PageEvent =
  | Hello
  | { readonly type: 'message' | 'messageUpdate'; readonly message: APIMessage }
  | { readonly type: 'messageDelete'; readonly messageId: string }
  | { readonly type: 'interaction'; readonly interaction: InteractionSummary }
  | { readonly type: 'modal'; readonly modal: LocalModal }
  | { readonly type: 'commands'; readonly commands: readonly VisibleCommand[] }
  | { readonly type: 'bot'; readonly bot: BotStatus }
  | { readonly type: 'trouble'; readonly trouble: TroubleKind }
  | { readonly type: 'rates'; readonly rates: RatesStatus }
  | { readonly type: 'shoppers'; readonly shoppers: ShopperStatus }
  | { readonly type: 'stats'; readonly stats: CacheStats }
  | { readonly type: 'cost'; readonly cost: AnswerCost }
  | { readonly type: 'request'; readonly request: RequestSummary };

/** A million, which the shop takes for prices and wallets alike. */
const MOST_CENTS = 100_000_000;

const id = z.string().regex(/^\d{1,20}$/);
const optionValues = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const cents = z.number().int().min(0).max(MOST_CENTS);

/** A change to the shop's database behind the bot's back; the wallet is that of the person who does it. */
const change = z.discriminatedUnion('what', [
  z.object({ what: z.literal('price'), productId: z.number().int(), cents }),
  z.object({ what: z.literal('wallet'), cents }),
]);

export type Change = z.infer<typeof change>;

/** What a person can do; `as` says who. */
export const actionSchema = z.intersection(
  z.object({ as: id, locale: z.enum(LOCALES) }),
  z.discriminatedUnion('do', [
    z.object({ do: z.literal('run'), channelId: id, name: z.string(), options: optionValues }),
    z.object({
      do: z.literal('autocomplete'),
      channelId: id,
      name: z.string(),
      options: optionValues,
      focused: z.string(),
    }),
    z.object({ do: z.literal('click'), messageId: id, customId: z.string() }),
    z.object({ do: z.literal('select'), messageId: id, customId: z.string(), values: z.array(z.string()) }),
    z.object({
      do: z.literal('submitModal'),
      modalId: id,
      values: z.record(z.string(), z.union([z.string(), z.array(z.string()), z.boolean()])),
    }),
    z.object({ do: z.literal('dismissModal'), modalId: id }),
    z.object({ do: z.literal('dismissMessage'), messageId: id }),
    z.object({ do: z.literal('say'), channelId: id, content: z.string().min(1).max(2000) }),
    z.object({ do: z.literal('bot'), order: z.enum(['start', 'kill', 'restart']) }),
    z.object({ do: z.literal('changeable') }),
    z.object({ do: z.literal('change'), change }),
    z.object({ do: z.literal('trouble'), trouble: z.enum(TROUBLES) }),
    z.object({ do: z.literal('ratesTrouble'), trouble: z.enum(TROUBLES) }),
    z.object({ do: z.literal('shoppers'), isOn: z.boolean(), speed: z.number().min(0.25).max(8) }),
  ]),
);

export type PageAction = z.infer<typeof actionSchema>;

/** What can be changed behind the bot's back, as it is in the database. */
export interface Changeable {
  /** Those that people see first, by category. */
  readonly products: readonly {
    readonly id: number;
    readonly name: string;
    readonly category: string;
    readonly cents: number;
  }[];
  readonly walletCents: number;
}

/** What was changed, from what to what, and when the bot noticed. */
export interface ChangeDone extends Changed {
  /** How long it took, and how many entries went; `null` where the bot is down, or has not noticed yet. */
  readonly noticed: { readonly ms: number; readonly entries: number } | null;
}

export interface Changed {
  readonly what: Change['what'];
  readonly name: string;
  /** Of a product, for people to look there. */
  readonly category: string | null;
  readonly before: number;
  readonly cents: number;
}

/** What an action is answered with. */
export type ActionResult =
  | {
      readonly ok: true;
      readonly choices?: readonly APIApplicationCommandOptionChoice[];
      readonly changeable?: Changeable;
      readonly changed?: ChangeDone;
    }
  | { readonly ok: false; readonly problem: string };
