/** The application's commands over REST, in global and guild scope alike. */
import { ApiError } from '../api-error.ts';
import { type Commands, withoutLocalizations } from '../commands.ts';
import { recordOf, recordsOf } from '../json.ts';
import { bulkProblems, commandProblems } from '../limits/command.ts';
import type { World } from '../world.ts';
import { noContent, ok, param, type RestRequest, type Route } from './route.ts';

const GLOBAL = '/applications/:application/commands';
const GUILD = '/applications/:application/guilds/:guild/commands';

export function commandRoutes(parts: { readonly world: World; readonly commands: Commands }): Route[] {
  const permissions: Route = {
    method: 'GET',
    pattern: `${GUILD}/permissions`,
    answer: (request) => {
      const guildId = scopeOf(parts.world, request) ?? '';
      const ids = [...parts.commands.list(guildId), ...parts.commands.list(null)].map((one) => one.id);
      const set = ids.map((id) => ({ id, permissions: parts.commands.permissionsOf(guildId, id) }));
      const named = set.filter((one) => one.permissions.length > 0);
      return ok(
        named.map((one) => ({ ...one, application_id: parts.world.applicationId, guild_id: guildId })),
      );
    },
  };
  return [permissions, ...scopeRoutes(parts, GLOBAL), ...scopeRoutes(parts, GUILD)];
}

function scopeRoutes(
  parts: { readonly world: World; readonly commands: Commands },
  pattern: string,
): Route[] {
  const { world, commands } = parts;
  const kind = pattern === GUILD ? 'guild' : 'global';
  const one = `${pattern}/:command`;
  return [
    {
      method: 'GET',
      pattern,
      answer: (request) => {
        const list = commands.list(scopeOf(world, request));
        return ok(request.query.get('with_localizations') === 'true' ? list : list.map(withoutLocalizations));
      },
    },
    {
      method: 'POST',
      pattern,
      schema: () => 'ApplicationCommandCreateRequest',
      check: (request) => commandProblems(recordOf(request.body), kind),
      answer: (request) => {
        const { command, created } = commands.upsert(scopeOf(world, request), recordOf(request.body));
        return { status: created ? 201 : 200, body: command };
      },
    },
    {
      method: 'PUT',
      pattern,
      schema: () => 'ApplicationCommandUpdateRequest',
      check: (request) => bulkProblems(recordsOf(request.body), kind),
      answer: (request) => ok(commands.replaceAll(scopeOf(world, request), recordsOf(request.body))),
    },
    {
      method: 'GET',
      pattern: one,
      answer: (request) => ok(found(commands.get(scopeOf(world, request), param(request, 'command')))),
    },
    {
      method: 'PATCH',
      pattern: one,
      schema: () => 'ApplicationCommandPatchRequestPartial',
      check: (request) => commandProblems(recordOf(request.body), kind, true),
      answer: (request) =>
        ok(found(commands.patch(scopeOf(world, request), param(request, 'command'), recordOf(request.body)))),
    },
    {
      method: 'DELETE',
      pattern: one,
      answer: (request) => {
        if (!commands.delete(scopeOf(world, request), param(request, 'command')))
          throw ApiError.refuse(10063);
        return noContent;
      },
    },
  ];
}

/** The guild that the path names, or `null`. Only the application's own commands can be touched, where the bot is. */
function scopeOf(world: World, request: RestRequest): string | null {
  if (param(request, 'application') !== world.applicationId) throw ApiError.refuse(20012);
  const guildId = request.params.guild;
  if (guildId === undefined) return null;
  if (!world.guilds.get(guildId)?.members.has(world.botUser.id)) throw ApiError.refuse(50001);
  return guildId;
}

function found<T>(command: T | undefined): T {
  if (command === undefined) throw ApiError.refuse(10063);
  return command;
}
