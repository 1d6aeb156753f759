/**
 * `POST /interactions/:id/:token/callback`: the bot's first answer to an interaction.
 *
 * It comes once and in time, and must fit the kind of interaction: choices for autocomplete and nothing else,
 * updates only where there is a message to update, a modal not for a modal.
 */
import {
  type APIApplicationCommandOptionChoice,
  type APIMessage,
  type APIModalInteractionResponseCallbackData,
  InteractionType,
  MessageFlags,
  InteractionResponseType as Response,
} from 'discord-api-types/v10';
import { ApiError } from '../api-error.ts';
import type { Interaction } from '../interaction.ts';
import { type Interactions, interactionMetadata } from '../interactions.ts';
import { type JsonRecord, numberOf, recordOf } from '../json.ts';
import { choicesProblems, deferralProblems, modalProblems } from '../limits/callback.ts';
import { type MessageContext, messageProblems, NEW_MESSAGE } from '../limits/message.ts';
import type { Messages } from '../messages.ts';
import type { BodyProblem } from '../types.ts';
import type { World } from '../world.ts';
import { noContent, ok, param, type RestRequest, type Route } from './route.ts';

const SCHEMAS: Readonly<Record<number, string>> = {
  [Response.ChannelMessageWithSource]: 'CreateMessageInteractionCallbackRequest',
  [Response.DeferredChannelMessageWithSource]: 'CreateMessageInteractionCallbackRequest',
  [Response.DeferredMessageUpdate]: 'UpdateMessageInteractionCallbackRequest',
  [Response.UpdateMessage]: 'UpdateMessageInteractionCallbackRequest',
  [Response.ApplicationCommandAutocompleteResult]: 'ApplicationCommandAutocompleteCallbackRequest',
  [Response.Modal]: 'ModalInteractionCallbackRequest',
};

export interface CallbackParts {
  readonly world: World;
  readonly interactions: Interactions;
  readonly messages: Messages;
}

export function callbackRoutes(parts: CallbackParts): Route[] {
  return [
    {
      method: 'POST',
      pattern: '/interactions/:id/:token/callback',
      needsBotToken: false,
      schema: (body) => SCHEMAS[numberOf(recordOf(body).type)] ?? null,
      check: (request) => checkCallback(parts, request),
      answer: (request) => {
        const interaction = find(parts, request);
        const body = recordOf(request.body);
        const type = numberOf(body.type) as Response; // `check` has passed it
        const message = carryOut(parts, interaction, type, recordOf(body.data), request);
        if (request.query.get('with_response') !== 'true') return noContent;
        return ok(callbackResource(interaction, type, message));
      },
    },
  ];
}

function find(parts: CallbackParts, request: RestRequest): Interaction {
  const interaction = parts.interactions.byId(param(request, 'id'));
  if (!interaction || interaction.token !== param(request, 'token')) throw ApiError.refuse(10062);
  return interaction;
}

function checkCallback(parts: CallbackParts, request: RestRequest): readonly BodyProblem[] {
  const interaction = find(parts, request);
  if (interaction.response !== null) throw ApiError.refuse(40060);
  if (!interaction.mayBeAcknowledged) throw ApiError.refuse(10062);
  const body = recordOf(request.body);
  const type = numberOf(body.type, -1);
  const allowed = allowedTypes(interaction);
  if (!allowed.includes(type)) {
    const message = `Value must be one of {${allowed.join(', ')}} for this interaction.`;
    return [{ path: 'type', code: 'BASE_TYPE_CHOICES', message }];
  }
  const data = recordOf(body.data);
  const fileNames = request.files.map((file) => file.name);
  switch (type) {
    case Response.ChannelMessageWithSource:
      if (isEmpty(data, request)) throw ApiError.refuse(50006);
      return under('data', messageProblems(data, { ...NEW_MESSAGE, fileNames }));
    case Response.DeferredChannelMessageWithSource:
      return deferralProblems(data);
    case Response.UpdateMessage:
      return under(
        'data',
        messageProblems(data, contextOf(parts.messages, interaction.sourceMessageId, fileNames)),
      );
    case Response.ApplicationCommandAutocompleteResult:
      return choicesProblems(data);
    case Response.Modal:
      return modalProblems(data);
    default:
      return [];
  }
}

function allowedTypes({ type, sourceMessageId }: Interaction): readonly number[] {
  if (type === InteractionType.ApplicationCommandAutocomplete)
    return [Response.ApplicationCommandAutocompleteResult];
  const messages = [Response.ChannelMessageWithSource, Response.DeferredChannelMessageWithSource];
  const updates = sourceMessageId === null ? [] : [Response.DeferredMessageUpdate, Response.UpdateMessage];
  const modal = type === InteractionType.ModalSubmit ? [] : [Response.Modal];
  return [...messages, ...updates, ...modal];
}

function carryOut(
  parts: CallbackParts,
  interaction: Interaction,
  type: Response,
  data: JsonRecord,
  request: RestRequest,
): APIMessage | null {
  switch (type) {
    case Response.ChannelMessageWithSource: {
      const message = send(parts, interaction, data, request);
      interaction.originalId = message.id;
      interaction.answerWith(message, type);
      return message;
    }
    case Response.DeferredChannelMessageWithSource: {
      const message = send(parts, interaction, data, request, MessageFlags.Loading);
      interaction.originalId = message.id;
      interaction.defer(type);
      return message;
    }
    case Response.DeferredMessageUpdate:
      interaction.originalId = interaction.sourceMessageId;
      interaction.defer(type);
      return null;
    case Response.UpdateMessage: {
      const messageId = interaction.sourceMessageId ?? '';
      const message = parts.messages.edit(messageId, data, request.files);
      if (!message) throw ApiError.refuse(10008);
      interaction.originalId = messageId;
      interaction.answerWith(message, type);
      return message;
    }
    case Response.ApplicationCommandAutocompleteResult:
      // The schema has passed them.
      interaction.offer(data.choices as APIApplicationCommandOptionChoice[]);
      return null;
    case Response.Modal:
      // As above.
      parts.interactions.openModal(interaction, data as unknown as APIModalInteractionResponseCallbackData);
      return null;
    default:
      throw ApiError.refuse(10062);
  }
}

/** A message of the bot's that answers this interaction; ephemeral messages go to the person alone. */
export function send(
  parts: CallbackParts,
  interaction: Interaction,
  data: JsonRecord,
  request: RestRequest,
  extraFlags = 0,
): APIMessage {
  const isEphemeral = (numberOf(data.flags) & MessageFlags.Ephemeral) !== 0;
  const message = parts.messages.create({
    channelId: interaction.channelId,
    author: parts.world.botUser,
    body: data,
    files: request.files,
    visibleTo: isEphemeral ? interaction.userId : null,
    extraFlags,
    extra: {
      type: interaction.type === InteractionType.ApplicationCommand ? 20 : 0,
      application_id: parts.world.applicationId,
      webhook_id: parts.world.applicationId,
      ...interactionMetadata(parts.world, interaction),
    },
  });
  interaction.messageIds.add(message.id);
  return message;
}

/** What the limits must know of a message that is about to be edited. */
export function contextOf(
  messages: Messages,
  messageId: string | null,
  fileNames: readonly string[],
): MessageContext {
  const message = messageId === null ? undefined : messages.get(messageId)?.message;
  if (!message) return { ...NEW_MESSAGE, fileNames };
  return {
    fileNames,
    existingFileNames: message.attachments.map((one) => one.filename),
    isV2: ((message.flags ?? 0) & MessageFlags.IsComponentsV2) !== 0,
    existing: { content: message.content !== '', embeds: message.embeds.length > 0 },
  };
}

export function isEmpty(data: JsonRecord, request: RestRequest): boolean {
  const lists = [data.embeds, data.components, data.sticker_ids];
  const hasContent = typeof data.content === 'string' && data.content.trim() !== '';
  const hasList = lists.some((list) => Array.isArray(list) && list.length > 0);
  return !hasContent && !hasList && request.files.length === 0 && !data.poll;
}

function under(prefix: string, problems: readonly BodyProblem[]): BodyProblem[] {
  return problems.map((one) => ({ ...one, path: `${prefix}.${one.path}` }));
}

function callbackResource(interaction: Interaction, type: Response, message: APIMessage | null) {
  const flags = message?.flags ?? 0;
  return {
    interaction: {
      id: interaction.id,
      type: interaction.type,
      channel_id: interaction.channelId,
      guild_id: interaction.guildId,
      ...(message
        ? {
            response_message_id: message.id,
            response_message_loading: (flags & MessageFlags.Loading) !== 0,
            response_message_ephemeral: (flags & MessageFlags.Ephemeral) !== 0,
          }
        : {}),
    },
    resource: { type, ...(message ? { message } : {}) },
  };
}
