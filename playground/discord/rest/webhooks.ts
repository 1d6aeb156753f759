/**
 * `/webhooks/:application/:token`: everything after the first answer, with the interaction's token for a key.
 * The token is good for 15 minutes, and only once the interaction was acknowledged.
 */
import { InteractionResponseType, MessageFlags } from 'discord-api-types/v10';
import { ApiError } from '../api-error.ts';
import type { Interaction } from '../interaction.ts';
import { numberOf, recordOf } from '../json.ts';
import { messageProblems, NEW_MESSAGE } from '../limits/message.ts';
import { type CallbackParts, contextOf, isEmpty, send } from './callbacks.ts';
import { noContent, ok, param, type RestRequest, type Route } from './route.ts';

const HOOK = '/webhooks/:application/:token';
const MESSAGE = `${HOOK}/messages/:message`;

export function webhookRoutes(parts: CallbackParts): Route[] {
  const common = { needsBotToken: false } as const;
  return [
    {
      ...common,
      method: 'POST',
      pattern: HOOK,
      schema: () => 'IncomingWebhookRequestPartial',
      check: (request) => {
        find(parts, request);
        if (isEmpty(recordOf(request.body), request)) throw ApiError.refuse(50006);
        return messageProblems(recordOf(request.body), {
          ...NEW_MESSAGE,
          fileNames: request.files.map((file) => file.name),
        });
      },
      answer: (request) => ok(followUp(parts, find(parts, request), request)),
    },
    {
      ...common,
      method: 'GET',
      pattern: MESSAGE,
      answer: (request) => {
        const stored = parts.messages.get(messageId(find(parts, request), request));
        if (!stored) throw ApiError.refuse(10008);
        return ok(stored.message);
      },
    },
    {
      ...common,
      method: 'PATCH',
      pattern: MESSAGE,
      schema: () => 'IncomingWebhookUpdateRequestPartial',
      check: (request) => {
        const id = messageId(find(parts, request), request);
        if (!parts.messages.get(id)) throw ApiError.refuse(10008);
        const names = request.files.map((file) => file.name);
        return messageProblems(recordOf(request.body), contextOf(parts.messages, id, names));
      },
      answer: (request) => {
        const interaction = find(parts, request);
        const id = messageId(interaction, request);
        const message = parts.messages.edit(id, recordOf(request.body), request.files);
        if (!message) throw ApiError.refuse(10008);
        if (id === interaction.originalId) interaction.answerWith(message);
        return ok(message);
      },
    },
    {
      ...common,
      method: 'DELETE',
      pattern: MESSAGE,
      answer: (request) => {
        if (!parts.messages.delete(messageId(find(parts, request), request))) throw ApiError.refuse(10008);
        return noContent;
      },
    },
  ];
}

function find(parts: CallbackParts, request: RestRequest): Interaction {
  if (param(request, 'application') !== parts.world.applicationId) throw ApiError.refuse(10015);
  const interaction = parts.interactions.byToken(param(request, 'token'));
  if (!interaction?.tokenIsGood) throw ApiError.refuse(50027);
  const { ApplicationCommandAutocompleteResult } = InteractionResponseType;
  if (interaction.response === null || interaction.response === ApplicationCommandAutocompleteResult) {
    throw ApiError.refuse(10015);
  }
  return interaction;
}

/** `@original`, or one of the messages that came of this interaction. */
function messageId(interaction: Interaction, request: RestRequest): string {
  const named = param(request, 'message');
  const id = named === '@original' ? interaction.originalId : named;
  const isOwn = id !== null && (id === interaction.originalId || interaction.messageIds.has(id));
  if (!isOwn) throw ApiError.refuse(10008);
  return id;
}

/** After a deferral the first follow-up takes the placeholder's place, and its being ephemeral or not. */
function followUp(parts: CallbackParts, interaction: Interaction, request: RestRequest) {
  const body = recordOf(request.body);
  if (interaction.awaitsAnswer && interaction.originalId !== null) {
    const message = parts.messages.edit(interaction.originalId, body, request.files);
    if (!message) throw ApiError.refuse(10008);
    interaction.answerWith(message);
    return message;
  }
  const flags = numberOf(body.flags) & ~MessageFlags.Loading;
  const message = send(parts, interaction, { ...body, flags }, request);
  interaction.addFollowUp(message);
  return message;
}
