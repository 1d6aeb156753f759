/**
 * The world that the local Discord holds: an application and its bot, people, two guilds with channels and roles.
 *
 * Ids come from fixed instants, so that they are the same on every start: a configuration may name them, and a
 * picture of the page does not change from one run to the next. Permissions are computed as Discord documents it.
 */
import {
  type APIChannel,
  type APIGuildMember,
  type APIOverwrite,
  type APIUser,
  ChannelType,
  OverwriteType,
  PermissionFlagsBits as Permission,
} from 'discord-api-types/v10';
import { guildFields, memberFields, roleFields } from './entities.ts';
import { ALL_PERMISSIONS, applyOverwrites, EVERYONE } from './permissions.ts';
import { snowflakeAt } from './snowflake.ts';
import type { LocalGuild, Ownership, People, WorldSeed } from './types.ts';

const SHOPPER_NAMES = (
  'Alma Bruno Chiara Dmitri Esi Farid Greta Hiro Ines Jonas Kaya Liam Mei Noor Oskar Priya ' +
  'Quentin Rosa Sven Tala Umar Vera Wanda Ximena Yusuf Zoé Amara Björn Céline Đức Emeka Freya'
).split(' ');

const BORN = Date.UTC(2021, 2, 4, 9, 30);

/** Everything there is, and what may be asked of it without changing it. */
export class World {
  readonly applicationId = snowflakeAt(BORN);
  readonly applicationName = 'Cachecord';
  readonly ownership: Ownership;
  readonly privilegedIntents: boolean;
  readonly botUser: APIUser;
  readonly people: People;
  readonly shoppers: readonly APIUser[];
  readonly users = new Map<string, APIUser>();
  readonly guilds = new Map<string, LocalGuild>();
  /** The guild "Cachecord HQ". */
  readonly home: LocalGuild;
  /** The guild "Somewhere Else". */
  readonly elsewhere: LocalGuild;
  /** Ids of the home guild's channels. */
  readonly channels: {
    readonly general: string;
    readonly ops: string;
    readonly shop: string;
    readonly audit: string;
  };
  #born = BORN;

  constructor(seed: WorldSeed = {}) {
    this.ownership = seed.ownership ?? 'user';
    this.privilegedIntents = seed.privilegedIntents ?? false;
    this.botUser = this.#user('Cachecord', true, this.applicationId);
    const [ada, grace, linus, mallory] = ['Ada', 'Grace', 'Linus', 'Mallory'].map((name) => this.#user(name));
    if (!ada || !grace || !linus || !mallory) throw new Error('four names make four people');
    this.people = { ada, grace, linus, mallory };
    this.shoppers = Array.from({ length: seed.shoppers ?? 30 }, (_, nth) => {
      const name = SHOPPER_NAMES[nth % SHOPPER_NAMES.length] ?? 'Shopper';
      return this.#user(nth < SHOPPER_NAMES.length ? name : `${name} ${nth}`);
    });
    this.home = this.#guild('Cachecord HQ', ada, [grace], [linus, ...this.shoppers]);
    const [general, ops, shop, audit] = ['general', 'ops', 'shop', 'audit'].map((name) =>
      this.#channel(this.home, name, name === 'audit' ? this.#onlyFor(this.home, [ada.id]) : []),
    );
    this.channels = { general: general ?? '', ops: ops ?? '', shop: shop ?? '', audit: audit ?? '' };
    this.elsewhere = this.#guild('Somewhere Else', mallory, [], [linus]);
    this.#channel(this.elsewhere, 'general', []);
    for (const name of seed.furtherGuilds ?? []) {
      this.#channel(this.#guild(name, this.#user(`Admin of ${name}`), [], []), 'general', []);
    }
  }

  /** The people who own the application: one, or the team's members. */
  get ownerIds(): readonly string[] {
    return this.ownership === 'user' ? [this.people.ada.id] : [this.people.ada.id, this.people.grace.id];
  }

  guildOfChannel(channelId: string): LocalGuild | undefined {
    for (const guild of this.guilds.values()) if (guild.channels.has(channelId)) return guild;
    return undefined;
  }

  /** The person's or bot's display name; the id where there is none. */
  nameOf(userId: string): string {
    return this.users.get(userId)?.global_name ?? this.users.get(userId)?.username ?? userId;
  }

  /** What this member may do in the guild, or in one of its channels. 0n for strangers. */
  permissions(guild: LocalGuild, userId: string, channelId?: string): bigint {
    const member = guild.members.get(userId);
    if (!member) return 0n;
    if (guild.ownerId === userId) return ALL_PERMISSIONS;
    let granted = 0n;
    for (const roleId of [guild.id, ...member.roles])
      granted |= BigInt(guild.roles.get(roleId)?.permissions ?? 0);
    if (granted & Permission.Administrator) return ALL_PERMISSIONS;
    const channel = channelId === undefined ? undefined : guild.channels.get(channelId);
    const overwrites = (channel as { permission_overwrites?: APIOverwrite[] } | undefined)
      ?.permission_overwrites;
    return applyOverwrites(granted, overwrites ?? [], guild.id, member.roles, userId);
  }

  mayRead(channelId: string, userId: string): boolean {
    const guild = this.guildOfChannel(channelId);
    return (
      guild !== undefined && (this.permissions(guild, userId, channelId) & Permission.ViewChannel) !== 0n
    );
  }

  /** Every made thing is a day younger than the one before. */
  #id(): string {
    this.#born += 86_400_000 / 4;
    return snowflakeAt(this.#born, 1);
  }

  #user(name: string, bot = false, id = this.#id()): APIUser {
    const user = {
      id,
      username: name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, '_'),
      discriminator: bot ? '4126' : '0',
      global_name: bot ? null : name,
      avatar: null,
      banner: null,
      accent_color: null,
      avatar_decoration_data: null,
      public_flags: 0,
      flags: 0,
      ...(bot ? { bot: true, username: name } : {}),
    } as unknown as APIUser; // newer optional fields are left out, as Discord does for most accounts
    this.users.set(id, user);
    return user;
  }

  #guild(
    name: string,
    owner: APIUser,
    operators: readonly APIUser[],
    others: readonly APIUser[],
  ): LocalGuild {
    const id = this.#id();
    const operatorRole = roleFields(this.#id(), 'Operators', Permission.Administrator, 2, 0x3b82f6);
    const botRole = {
      ...roleFields(this.#id(), this.applicationName, EVERYONE | Permission.ManageMessages, 1),
      managed: true,
      tags: { bot_id: this.applicationId },
    };
    const roles = new Map(
      [roleFields(id, '@everyone', EVERYONE, 0), botRole, operatorRole].map((one) => [one.id, one]),
    );
    const joined = new Date(BORN).toISOString();
    const members = new Map<string, APIGuildMember>();
    const join = (user: APIUser, roleIds: string[]) =>
      members.set(user.id, memberFields(user, roleIds, joined));
    join(this.botUser, [botRole.id]);
    for (const user of [owner, ...operators]) join(user, [operatorRole.id]);
    for (const user of others) join(user, []);
    const guild: LocalGuild = {
      id,
      name,
      ownerId: owner.id,
      guild: guildFields(id, name, owner.id),
      channels: new Map(),
      roles,
      members,
    };
    this.guilds.set(id, guild);
    return guild;
  }

  #channel(guild: LocalGuild, name: string, overwrites: APIOverwrite[]): string {
    const id = this.#id();
    const channel = {
      id,
      type: ChannelType.GuildText,
      guild_id: guild.id,
      name,
      position: guild.channels.size,
      permission_overwrites: overwrites,
      nsfw: false,
      topic: null,
      parent_id: null,
      last_message_id: null,
      rate_limit_per_user: 0,
      flags: 0,
    } as unknown as APIChannel & { name: string; guild_id: string }; // a text channel, seen as the union
    guild.channels.set(id, channel);
    return id;
  }

  #onlyFor(guild: LocalGuild, userIds: readonly string[]): APIOverwrite[] {
    const view = Permission.ViewChannel.toString();
    const people = [...userIds, this.botUser.id];
    return [
      { id: guild.id, type: OverwriteType.Role, allow: '0', deny: view },
      ...people.map((id) => ({ id, type: OverwriteType.Member, allow: view, deny: '0' })),
    ];
  }
}
