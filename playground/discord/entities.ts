/** Roles, members and guilds with every field that Discord sends, most of them empty. */
import {
  type APIGuild,
  type APIGuildMember,
  type APIRole,
  type APIUser,
  Locale,
  type RoleFlags,
} from 'discord-api-types/v10';

export function roleFields(
  id: string,
  name: string,
  permissions: bigint,
  position: number,
  color = 0,
): APIRole {
  return {
    id,
    name,
    color,
    colors: { primary_color: color, secondary_color: null, tertiary_color: null },
    hoist: false,
    icon: null,
    unicode_emoji: null,
    position,
    permissions: permissions.toString(),
    managed: false,
    mentionable: false,
    flags: 0 as RoleFlags,
  };
}

export function memberFields(user: APIUser, roleIds: string[], joinedAt: string): APIGuildMember {
  return {
    user,
    nick: null,
    avatar: null,
    banner: null,
    roles: roleIds,
    joined_at: joinedAt,
    premium_since: null,
    deaf: false,
    mute: false,
    pending: false,
    communication_disabled_until: null,
    flags: 0,
  } as unknown as APIGuildMember; // collectibles and decorations are left out: nobody here wears any
}

export function guildFields(id: string, name: string, ownerId: string): APIGuild {
  return {
    id,
    name,
    owner_id: ownerId,
    icon: null,
    splash: null,
    discovery_splash: null,
    banner: null,
    description: null,
    region: null,
    afk_channel_id: null,
    afk_timeout: 300,
    verification_level: 1,
    default_message_notifications: 1,
    explicit_content_filter: 0,
    emojis: [],
    stickers: [],
    features: [],
    mfa_level: 0,
    application_id: null,
    system_channel_id: null,
    system_channel_flags: 0,
    rules_channel_id: null,
    public_updates_channel_id: null,
    safety_alerts_channel_id: null,
    max_members: 500_000,
    max_presences: null,
    vanity_url_code: null,
    premium_tier: 0,
    premium_subscription_count: 0,
    premium_progress_bar_enabled: false,
    preferred_locale: Locale.EnglishUS,
    nsfw_level: 0,
    hub_type: null,
    incidents_data: null,
    roles: [],
  } as unknown as APIGuild; // roles are kept beside it, in a map
}
