/** What a window of the page is told of the world: all of it at first, and of each thing only what the page shows. */
import { MessageFlags } from 'discord-api-types/v10';
import type { CacheStats } from '../src/cache/statistics/stats.ts';
import type { LocalDiscord } from './discord/local-discord.ts';
import type { APIMessage, LocalInteraction, RequestRecord } from './discord/types.ts';
import type { PageParts } from './page-actions.ts';
import { type Hello, type InteractionSummary, LOCALES, type RequestSummary } from './protocol.ts';
import { QUERY_TTL_SECONDS } from './watchable-config.ts';

const REQUESTS_SHOWN = 12;
const MESSAGES_SHOWN = 80;
const SHOPPER_MESSAGES_SHOWN = 30;

/** Those whom one can be. */
export function castOf({ world }: LocalDiscord): Hello['cast'] {
  const { ada, grace, linus } = world.people;
  const standings = [
    [ada, 'owner'],
    [grace, 'admin'],
    [linus, 'member'],
  ] as const;
  return standings.map(([user, standing]) => ({
    id: user.id,
    name: user.global_name ?? user.username,
    isBot: false,
    isMember: true,
    standing,
  }));
}

export function commandsOf(local: LocalDiscord, userId: string): Hello['commands'] {
  return local.as(userId).guildCommands(local.world.home.id);
}

/** Everything that a window needs to draw itself. */
export function helloFor(
  { local, bot, shoppers, rates, costs }: PageParts,
  userId: string,
  locale: string,
  stats: CacheStats | null,
): Hello {
  const { world } = local;
  const session = local.as(userId);
  const channels = [...world.home.channels.values()]
    .filter((channel) => session.sees(channel.id))
    .map(({ id, name, type }) => ({ id, name, type }));
  const people = [...world.users.values()].map((user) => ({
    id: user.id,
    name: user.global_name ?? user.username,
    isBot: user.bot === true,
    isMember: world.home.members.has(user.id),
  }));
  const shopperIds = new Set(world.shoppers.map((shopper) => shopper.id));
  const messages = channels.flatMap(({ id }) => recent(session.messages(id), shopperIds));
  return {
    type: 'hello',
    me: people.find(({ id }) => id === userId) ?? { id: userId, name: userId, isBot: false, isMember: false },
    cast: castOf(local),
    people,
    shopperIds: world.shoppers.map(({ id }) => id),
    roles: [...world.home.roles.values()].map(({ id, name }) => ({ id, name })),
    guild: { id: world.home.id, name: world.home.name },
    channels,
    messages,
    ephemeralIds: messages
      .filter(({ flags }) => ((flags ?? 0) & MessageFlags.Ephemeral) !== 0)
      .map(({ id }) => id),
    commands: commandsOf(local, userId),
    locales: LOCALES,
    locale,
    bot: bot.status,
    trouble: bot.trouble,
    rates: rates.status,
    queryTtlSeconds: QUERY_TTL_SECONDS,
    shoppers: shoppers.status,
    stats,
    costs: costs.all,
    requests: local.requestLog.slice(-REQUESTS_SHOWN).map(summarizeRequest),
  };
}

/** The last messages, in their order; shoppers write without end, and push out nobody else's. */
function recent(messages: readonly APIMessage[], shopperIds: ReadonlySet<string>): APIMessage[] {
  const isShoppers = (message: APIMessage) =>
    shopperIds.has(message.interaction_metadata?.user.id ?? message.author.id);
  const kept = new Set([
    ...messages.filter((message) => !isShoppers(message)).slice(-MESSAGES_SHOWN),
    ...messages.filter(isShoppers).slice(-SHOPPER_MESSAGES_SHOWN),
  ]);
  return messages.filter((message) => kept.has(message));
}

export function summarize(interaction: LocalInteraction): InteractionSummary {
  const { id, type, channelId, summary, state, failure } = interaction;
  return { id, type, channelId, summary, state, failure };
}

export function summarizeRequest(record: RequestRecord): RequestSummary {
  return {
    at: record.at,
    method: record.method,
    route: record.route,
    status: record.status,
    durationMs: record.durationMs,
    problems: record.problems.map(({ path, message }) => ({ path, message })),
  };
}
