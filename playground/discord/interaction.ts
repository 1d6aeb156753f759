/**
 * One interaction, from the press of a key to its last follow-up: what state it is in, and who waits for what.
 *
 * It is acknowledged once, within 3 seconds; its token is good for 15 minutes. Both are the clock's to tell.
 * What the bot sends is carried out elsewhere (`rest/callbacks.ts`, `rest/webhooks.ts`) and noted here.
 */
import {
  type APIApplicationCommandOptionChoice,
  type APIMessage,
  InteractionResponseType,
  type InteractionType,
} from 'discord-api-types/v10';
import type { Clock } from '../../src/cache/clock.ts';
import { type Deferred, deferred } from './deferred.ts';
import type { JsonRecord } from './json.ts';
import type { InteractionState, LocalInteraction, LocalModal } from './types.ts';

const ACKNOWLEDGE_WITHIN_MS = 3000;
const TOKEN_GOOD_FOR_MS = 15 * 60_000;

export interface InteractionParts {
  readonly id: string;
  readonly token: string;
  readonly type: InteractionType;
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string;
  readonly summary: string;
  /** The message whose component was used, or from which the modal was opened. */
  readonly sourceMessageId: string | null;
  /** `type` and `data` as sent to the bot. */
  readonly payload: JsonRecord;
  readonly clock: Clock;
  changed(interaction: Interaction): void;
}

export class Interaction implements LocalInteraction {
  readonly id: string;
  readonly token: string;
  readonly type: InteractionType;
  readonly userId: string;
  readonly channelId: string;
  readonly guildId: string;
  readonly summary: string;
  readonly sourceMessageId: string | null;
  readonly payload: JsonRecord;
  /** The message that `@original` means. */
  originalId: string | null = null;
  /** Whether a deferral still waits for its message. */
  awaitsAnswer = false;
  /** How the bot acknowledged it, or `null`. */
  response: InteractionResponseType | null = null;
  failure: string | null = null;
  readonly followUps: APIMessage[] = [];
  /** Every message that this token may touch. */
  readonly messageIds = new Set<string>();
  readonly #beganAt: number;
  readonly #clock: Clock;
  readonly #changed: (interaction: Interaction) => void;
  readonly #reply: Deferred<APIMessage> = deferred();
  readonly #modal: Deferred<LocalModal> = deferred();
  readonly #choices: Deferred<readonly APIApplicationCommandOptionChoice[]> = deferred();
  readonly #acknowledged: Deferred<void> = deferred();
  readonly #followUpWaiters: { readonly index: number; readonly waiter: Deferred<APIMessage> }[] = [];
  readonly #cancelTimer: () => void;
  #state: InteractionState = 'pending';

  constructor(parts: InteractionParts) {
    this.id = parts.id;
    this.token = parts.token;
    this.type = parts.type;
    this.userId = parts.userId;
    this.channelId = parts.channelId;
    this.guildId = parts.guildId;
    this.summary = parts.summary;
    this.sourceMessageId = parts.sourceMessageId;
    this.payload = parts.payload;
    this.#clock = parts.clock;
    this.#changed = parts.changed;
    this.#beganAt = parts.clock.now();
    this.#cancelTimer = parts.clock.after(ACKNOWLEDGE_WITHIN_MS, () => {
      if (this.#state === 'pending') this.fail('The application did not respond');
    });
  }

  get state(): InteractionState {
    return this.#state;
  }

  get mayBeAcknowledged(): boolean {
    return this.#clock.now() - this.#beganAt < ACKNOWLEDGE_WITHIN_MS && this.#state !== 'failed';
  }

  get tokenIsGood(): boolean {
    return this.#clock.now() - this.#beganAt < TOKEN_GOOD_FOR_MS;
  }

  reply(): Promise<APIMessage> {
    return this.#reply.promise;
  }

  modal(): Promise<LocalModal> {
    return this.#modal.promise;
  }

  choices(): Promise<readonly APIApplicationCommandOptionChoice[]> {
    return this.#choices.promise;
  }

  acknowledged(): Promise<void> {
    return this.#acknowledged.promise;
  }

  followUp(index = 0): Promise<APIMessage> {
    const there = this.followUps[index];
    if (there) return Promise.resolve(there);
    const waiter = deferred<APIMessage>();
    this.#followUpWaiters.push({ index, waiter });
    return waiter.promise;
  }

  /** The bot deferred: an answer is to come. */
  defer(response: InteractionResponseType): void {
    this.response = response;
    this.awaitsAnswer = response === InteractionResponseType.DeferredChannelMessageWithSource;
    this.#acknowledge('acknowledged');
    this.#modal.reject(new Error(`${this.summary} was deferred, so no modal can come`));
  }

  /** A message is there that answers it. */
  answerWith(message: APIMessage, response?: InteractionResponseType): void {
    if (response !== undefined) this.response = response;
    this.awaitsAnswer = false;
    this.#acknowledge('answered');
    this.#reply.resolve(message);
    this.#modal.reject(new Error(`${this.summary} was answered with a message, not a modal`));
  }

  openModal(modal: LocalModal): void {
    this.response = InteractionResponseType.Modal;
    this.#acknowledge('answered');
    this.#modal.resolve(modal);
    this.#reply.reject(new Error(`${this.summary} was answered with a modal, not a message`));
  }

  offer(choices: readonly APIApplicationCommandOptionChoice[]): void {
    this.response = InteractionResponseType.ApplicationCommandAutocompleteResult;
    this.#acknowledge('answered');
    this.#choices.resolve(choices);
  }

  addFollowUp(message: APIMessage): void {
    this.messageIds.add(message.id);
    this.followUps.push(message);
    for (const { index, waiter } of this.#followUpWaiters) {
      const there = this.followUps[index];
      if (there) waiter.resolve(there);
    }
    this.#changed(this);
  }

  fail(why: string): void {
    this.#cancelTimer();
    this.#state = 'failed';
    this.failure = why;
    const error = new Error(`${this.summary}: ${why}`);
    for (const waiting of [this.#reply, this.#modal, this.#choices, this.#acknowledged])
      waiting.reject(error);
    for (const { waiter } of this.#followUpWaiters) waiter.reject(error);
    this.#changed(this);
  }

  /** Ends the timer without a word, when the local Discord stops. */
  close(): void {
    this.#cancelTimer();
    const error = new Error(`${this.summary}: the local Discord has stopped`);
    for (const waiting of [this.#reply, this.#modal, this.#choices, this.#acknowledged])
      waiting.reject(error);
  }

  #acknowledge(state: 'acknowledged' | 'answered'): void {
    this.#cancelTimer();
    this.#state = state;
    this.#acknowledged.resolve();
    this.#changed(this);
  }
}
