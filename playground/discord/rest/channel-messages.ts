/** The bot's ordinary messages in channels: sent, read, edited and deleted as its permissions there allow. */
import { PermissionFlagsBits as Permission } from 'discord-api-types/v10';
import { ApiError } from '../api-error.ts';
import { recordOf } from '../json.ts';
import { messageProblems, NEW_MESSAGE } from '../limits/message.ts';
import type { Messages, StoredMessage } from '../messages.ts';
import type { World } from '../world.ts';
import { contextOf, isEmpty } from './callbacks.ts';
import { noContent, ok, param, type RestRequest, type Route } from './route.ts';

const LIST = '/channels/:channel/messages';
const ONE = `${LIST}/:message`;

export function channelMessageRoutes(parts: { readonly world: World; readonly messages: Messages }): Route[] {
  const { world, messages } = parts;
  return [
    {
      method: 'GET',
      pattern: LIST,
      answer: (request) => {
        const channelId = permitted(world, request, Permission.ViewChannel);
        const limit = Math.min(Number(request.query.get('limit') ?? 50), 100);
        const [before, after] = [request.query.get('before'), request.query.get('after')];
        const seen = messages
          .inChannel(channelId)
          .filter((one) => one.visibleTo === null)
          .map((one) => one.message)
          .filter(
            ({ id }) =>
              (before === null || BigInt(id) < BigInt(before)) &&
              (after === null || BigInt(id) > BigInt(after)),
          );
        return ok((after === null ? seen.slice(-limit) : seen.slice(0, limit)).reverse());
      },
    },
    {
      method: 'POST',
      pattern: LIST,
      schema: () => 'MessageCreateRequest',
      check: (request) => {
        permitted(world, request, Permission.SendMessages);
        if (isEmpty(recordOf(request.body), request)) throw ApiError.refuse(50006);
        const fileNames = request.files.map((file) => file.name);
        return messageProblems(recordOf(request.body), { ...NEW_MESSAGE, fileNames });
      },
      answer: (request) => {
        const channelId = param(request, 'channel');
        const body = recordOf(request.body);
        return ok(messages.create({ channelId, author: world.botUser, body, files: request.files }));
      },
    },
    {
      method: 'GET',
      pattern: ONE,
      answer: (request) => {
        permitted(world, request, Permission.ViewChannel);
        return ok(find(messages, request).message);
      },
    },
    {
      method: 'PATCH',
      pattern: ONE,
      schema: () => 'MessageEditRequestPartial',
      check: (request) => {
        permitted(world, request, Permission.ViewChannel);
        const { message } = find(messages, request);
        if (message.author.id !== world.botUser.id) throw ApiError.refuse(50005);
        const names = request.files.map((file) => file.name);
        return messageProblems(recordOf(request.body), contextOf(messages, message.id, names));
      },
      answer: (request) =>
        ok(messages.edit(param(request, 'message'), recordOf(request.body), request.files)),
    },
    {
      method: 'DELETE',
      pattern: ONE,
      answer: (request) => {
        permitted(world, request, Permission.ViewChannel);
        const { message } = find(messages, request);
        if (message.author.id !== world.botUser.id) permitted(world, request, Permission.ManageMessages);
        messages.delete(message.id);
        return noContent;
      },
    },
    {
      method: 'POST',
      pattern: '/channels/:channel/typing',
      answer: (request) => {
        permitted(world, request, Permission.SendMessages);
        return noContent;
      },
    },
  ];
}

/** The channel's id, if the bot may do this there. */
function permitted(world: World, request: RestRequest, permission: bigint): string {
  const channelId = param(request, 'channel');
  const guild = world.guildOfChannel(channelId);
  if (!guild) throw ApiError.refuse(10003);
  const held = world.permissions(guild, world.botUser.id, channelId);
  if (!(held & Permission.ViewChannel)) throw ApiError.refuse(50001);
  if (!(held & permission)) throw ApiError.refuse(50013);
  return channelId;
}

/** Ephemeral messages are not to be had this way. */
function find(messages: Messages, request: RestRequest): StoredMessage {
  const stored = messages.get(param(request, 'message'));
  if (!stored || stored.visibleTo !== null || stored.channelId !== param(request, 'channel')) {
    throw ApiError.refuse(10008);
  }
  return stored;
}
