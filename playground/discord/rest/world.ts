/** What may be read of the world over REST: the gateway, the application, people, guilds, channels, roles. */
import {
  type APIGuild,
  ApplicationFlags,
  TeamMemberMembershipState,
  TeamMemberRole,
} from 'discord-api-types/v10';
import { ApiError } from '../api-error.ts';
import { snowflakeAt } from '../snowflake.ts';
import type { LocalGuild } from '../types.ts';
import type { World } from '../world.ts';
import { ok, param, type RestRequest, type Route } from './route.ts';

export interface WorldRouteParts {
  readonly world: World;
  /** How many shards are recommended. */
  readonly shards: number;
  gatewayUrl(): string;
}

export function worldRoutes(parts: WorldRouteParts): Route[] {
  const { world } = parts;
  const get = (pattern: string, body: (request: RestRequest) => unknown): Route => ({
    method: 'GET',
    pattern,
    answer: (request) => ok(body(request)),
  });
  const guild = (request: RestRequest) => guildOf(world, request);
  return [
    { ...get('/gateway', () => ({ url: parts.gatewayUrl() })), needsBotToken: false },
    get('/gateway/bot', () => ({
      url: parts.gatewayUrl(),
      shards: parts.shards,
      session_start_limit: { total: 1000, remaining: 999, reset_after: 86_400_000, max_concurrency: 16 },
    })),
    get('/users/@me', () => ({
      ...world.botUser,
      verified: true,
      mfa_enabled: true,
      email: null,
      locale: 'en-US',
    })),
    get('/users/@me/guilds', () =>
      guildsOfBot(world).map((one) => ({
        id: one.id,
        name: one.name,
        icon: null,
        banner: null,
        owner: false,
        features: [],
        permissions: world.permissions(one, world.botUser.id).toString(),
      })),
    ),
    get('/users/:user', (request) => world.users.get(param(request, 'user')) ?? refuse(10013)),
    get('/applications/@me', () => application(world)),
    get('/oauth2/applications/@me', () => application(world)),
    get('/applications/:application/emojis', () => ({ items: [] })),
    get('/guilds/:guild', (request) => restGuild(guild(request))),
    get('/guilds/:guild/channels', (request) => [...guild(request).channels.values()]),
    get('/guilds/:guild/roles', (request) => [...guild(request).roles.values()]),
    get(
      '/guilds/:guild/roles/:role',
      (request) => guild(request).roles.get(param(request, 'role')) ?? refuse(10011),
    ),
    get('/guilds/:guild/members', (request) => {
      const limit = Math.min(Number(request.query.get('limit') ?? 1), 1000);
      const after = BigInt(request.query.get('after') ?? 0);
      const members = [...guild(request).members.values()].filter((one) => BigInt(one.user.id) > after);
      return members
        .sort((one, other) => (BigInt(one.user.id) < BigInt(other.user.id) ? -1 : 1))
        .slice(0, limit);
    }),
    get('/guilds/:guild/members/search', (request) => {
      const query = (request.query.get('query') ?? '').toLowerCase();
      const limit = Math.min(Number(request.query.get('limit') ?? 1), 1000);
      const named = [...guild(request).members.values()].filter((one) => one.user.username.startsWith(query));
      return named.slice(0, limit);
    }),
    get('/guilds/:guild/members/:user', (request) => {
      const user = param(request, 'user');
      return guild(request).members.get(user) ?? refuse(world.users.has(user) ? 10007 : 10013);
    }),
    get('/channels/:channel', (request) => {
      const id = param(request, 'channel');
      const channel = world.guildOfChannel(id)?.channels.get(id);
      if (!channel) throw ApiError.refuse(10003);
      if (!world.mayRead(id, world.botUser.id)) throw ApiError.refuse(50001);
      return channel;
    }),
  ];
}

function refuse(code: 10007 | 10011 | 10013): never {
  throw ApiError.refuse(code);
}

function guildsOfBot(world: World): LocalGuild[] {
  return [...world.guilds.values()].filter((one) => one.members.has(world.botUser.id));
}

function guildOf(world: World, request: RestRequest): LocalGuild {
  const guild = guildsOfBot(world).find((one) => one.id === param(request, 'guild'));
  if (!guild) throw ApiError.refuse(10004);
  return guild;
}

/** A guild as REST shows it, with its roles. */
function restGuild(guild: LocalGuild): APIGuild {
  return {
    ...guild.guild,
    roles: [...guild.roles.values()],
    approximate_member_count: guild.members.size,
    approximate_presence_count: guild.members.size,
  };
}

function application(world: World) {
  const team = world.ownership === 'team' ? teamOf(world) : null;
  const teamUser = team && {
    ...world.people.ada,
    id: team.id,
    username: `team${team.id}`,
    global_name: null,
  };
  return {
    id: world.applicationId,
    name: world.applicationName,
    icon: null,
    description: '',
    summary: '',
    type: null,
    bot_public: false,
    bot_require_code_grant: false,
    verify_key: '0'.repeat(64),
    flags: ApplicationFlags.ApplicationCommandBadge,
    owner: teamUser ?? world.people.ada,
    team,
    bot: world.botUser,
    approximate_guild_count: guildsOfBot(world).length,
    approximate_user_install_count: 0,
    redirect_uris: [],
    interactions_endpoint_url: null,
    role_connections_verification_url: null,
    integration_types_config: { 0: {} },
  };
}

/** A team that Ada leads; Grace is a developer in it, Linus may only read. */
function teamOf(world: World) {
  const { ada, grace, linus } = world.people;
  const id = snowflakeAt(Date.UTC(2021, 2, 3), 7);
  const member = (user: typeof ada, role: string) => ({
    team_id: id,
    user,
    role,
    membership_state: TeamMemberMembershipState.Accepted,
    permissions: ['*'],
  });
  return {
    id,
    name: 'Cachecord makers',
    icon: null,
    owner_user_id: ada.id,
    members: [
      member(ada, TeamMemberRole.Admin),
      member(grace, TeamMemberRole.Developer),
      member(linus, TeamMemberRole.ReadOnly),
    ],
  };
}
