/** A guild as the gateway sends it when the bot comes to know of it. */
import { type GatewayGuildCreateDispatchData, GatewayIntentBits as Intent } from 'discord-api-types/v10';
import type { LocalGuild } from './types.ts';
import type { World } from './world.ts';

/** Without the members intent only the bot itself is listed. */
export function guildCreate(
  world: World,
  guild: LocalGuild,
  intents: number,
): GatewayGuildCreateDispatchData {
  const everyone = [...guild.members.values()];
  const members =
    intents & Intent.GuildMembers ? everyone : everyone.filter(({ user }) => user.id === world.botUser.id);
  return {
    ...guild.guild,
    roles: [...guild.roles.values()],
    joined_at: guild.members.get(world.botUser.id)?.joined_at ?? new Date(0).toISOString(),
    large: false,
    unavailable: false,
    member_count: guild.members.size,
    members,
    channels: [...guild.channels.values()],
    threads: [],
    presences: [],
    voice_states: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  } as unknown as GatewayGuildCreateDispatchData; // the channel type narrows to guild channels, which these are
}
