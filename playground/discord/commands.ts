/**
 * The application's commands, by scope: one global list and one a guild.
 *
 * Creating by a name and type that exist is an update of it and counts as no creation; a list holds 100 chat
 * commands, 15 of each other type, and takes 200 creations a day. Who sees a command follows its default
 * permissions, what a guild's admins set instead, and that administrators see everything.
 */
import {
  type APIApplicationCommand,
  type APIApplicationCommandPermission,
  ApplicationCommandPermissionType,
  ApplicationCommandType,
  PermissionFlagsBits,
} from 'discord-api-types/v10';
import type { Clock } from '../../src/cache/clock.ts';
import { ApiError } from './api-error.ts';
import { isRecord, type JsonRecord, numberOf, recordsOf, stringOf } from './json.ts';
import type { SnowflakeMaker } from './snowflake.ts';
import type { World } from './world.ts';

const MOST_CHAT_COMMANDS = 100;
const MOST_CONTEXT_MENUS = 15;
const MOST_CREATES_A_DAY = 200;
const DAY_MS = 86_400_000;

type Scope = string | null;

export class Commands {
  readonly #scopes = new Map<Scope, Map<string, APIApplicationCommand>>();
  readonly #creates = new Map<Scope, number[]>();
  readonly #overwrites = new Map<string, readonly APIApplicationCommandPermission[]>();
  readonly #parts: { world: World; ids: SnowflakeMaker; clock: Clock; changed(scope: Scope): void };

  constructor(parts: { world: World; ids: SnowflakeMaker; clock: Clock; changed(scope: Scope): void }) {
    this.#parts = parts;
  }

  /** @param scope a guild's id, or `null` for the global list */
  list(scope: Scope): APIApplicationCommand[] {
    return [...this.#list(scope).values()];
  }

  get(scope: Scope, commandId: string): APIApplicationCommand | undefined {
    return this.#list(scope).get(commandId);
  }

  /** @returns whether it is new */
  upsert(scope: Scope, body: JsonRecord): { command: APIApplicationCommand; created: boolean } {
    const type = numberOf(body.type, ApplicationCommandType.ChatInput);
    const existing = this.list(scope).find((one) => one.name === body.name && one.type === type);
    if (!existing) {
      const most = type === ApplicationCommandType.ChatInput ? MOST_CHAT_COMMANDS : MOST_CONTEXT_MENUS;
      if (this.list(scope).filter((one) => one.type === type).length >= most) throw ApiError.refuse(30032);
      this.#countCreates(scope, 1);
    }
    const command = this.#keep(scope, body, existing);
    this.#parts.changed(scope);
    return { command, created: !existing };
  }

  patch(scope: Scope, commandId: string, body: JsonRecord): APIApplicationCommand | undefined {
    const existing = this.get(scope, commandId);
    if (!existing) return undefined;
    const command = this.#keep(scope, { ...existing, ...body }, existing);
    this.#parts.changed(scope);
    return command;
  }

  delete(scope: Scope, commandId: string): boolean {
    const gone = this.#list(scope).delete(commandId);
    if (gone) this.#parts.changed(scope);
    return gone;
  }

  /** Replaces the whole list: what is not in it is gone, of all types. */
  replaceAll(scope: Scope, bodies: readonly JsonRecord[]): APIApplicationCommand[] {
    const before = this.list(scope);
    const typeOf = (body: JsonRecord) => numberOf(body.type, ApplicationCommandType.ChatInput);
    const existing = (body: JsonRecord) =>
      before.find((one) => one.name === body.name && one.type === typeOf(body));
    const isChat = (body: JsonRecord) => typeOf(body) === ApplicationCommandType.ChatInput;
    if (bodies.filter(isChat).length > MOST_CHAT_COMMANDS) throw ApiError.refuse(30032);
    this.#countCreates(scope, bodies.filter((body) => !existing(body)).length);
    this.#list(scope).clear();
    for (const body of bodies) this.#keep(scope, body, existing(body));
    this.#parts.changed(scope);
    return this.list(scope);
  }

  /** What a guild's administrator sets in the integration settings instead of the default permissions. */
  setPermissions(
    guildId: string,
    commandId: string,
    permissions: readonly APIApplicationCommandPermission[],
  ): void {
    this.#overwrites.set(`${guildId} ${commandId}`, permissions);
    this.#parts.changed(guildId);
  }

  permissionsOf(guildId: string, commandId: string): readonly APIApplicationCommandPermission[] {
    return this.#overwrites.get(`${guildId} ${commandId}`) ?? [];
  }

  /** Commands that this member's client lists, the guild's own first. The same name in both scopes shows twice. */
  visibleTo(guildId: string, userId: string): APIApplicationCommand[] {
    const inGuilds = this.list(null).filter(({ contexts }) => !contexts || contexts.includes(0));
    return [...this.list(guildId), ...inGuilds].filter((command) => this.#sees(guildId, userId, command));
  }

  #sees(guildId: string, userId: string, command: APIApplicationCommand): boolean {
    const guild = this.#parts.world.guilds.get(guildId);
    const member = guild?.members.get(userId);
    if (!guild || !member) return false;
    const held = this.#parts.world.permissions(guild, userId);
    if (held & PermissionFlagsBits.Administrator) return true;
    if (!(held & PermissionFlagsBits.UseApplicationCommands)) return false;
    const overwrites = this.permissionsOf(guildId, command.id);
    const forUser = overwrites.find(
      (one) => one.type === ApplicationCommandPermissionType.User && one.id === userId,
    );
    if (forUser) return forUser.permission;
    const isRole = (one: APIApplicationCommandPermission) =>
      one.type === ApplicationCommandPermissionType.Role;
    const forRoles = overwrites.filter((one) => isRole(one) && member.roles.includes(one.id));
    if (forRoles.length > 0) return forRoles.some((one) => one.permission);
    const forEveryone = overwrites.find((one) => isRole(one) && one.id === guildId);
    if (forEveryone) return forEveryone.permission;
    if (command.default_member_permissions === null) return true;
    const needed = BigInt(command.default_member_permissions);
    return needed !== 0n && (held & needed) === needed;
  }

  #list(scope: Scope): Map<string, APIApplicationCommand> {
    const list = this.#scopes.get(scope) ?? new Map<string, APIApplicationCommand>();
    this.#scopes.set(scope, list);
    return list;
  }

  #countCreates(scope: Scope, creates: number): void {
    const now = this.#parts.clock.now();
    const today = (this.#creates.get(scope) ?? []).filter((at) => now - at < DAY_MS);
    if (today.length + creates > MOST_CREATES_A_DAY) throw ApiError.refuse(30034);
    this.#creates.set(scope, [...today, ...Array<number>(creates).fill(now)]);
  }

  /** A change gives a new version; the id stays for as long as the name does. */
  #keep(scope: Scope, body: JsonRecord, existing: APIApplicationCommand | undefined): APIApplicationCommand {
    const fields = {
      application_id: this.#parts.world.applicationId,
      type: numberOf(body.type, ApplicationCommandType.ChatInput),
      name: stringOf(body.name),
      name_localizations: body.name_localizations ?? null,
      description: stringOf(body.description),
      description_localizations: body.description_localizations ?? null,
      default_member_permissions: permissionsText(body.default_member_permissions),
      nsfw: body.nsfw === true,
      ...(scope === null
        ? {
            dm_permission: body.dm_permission !== false,
            contexts: body.contexts ?? null,
            integration_types: body.integration_types ?? [0],
          }
        : { guild_id: scope }),
      ...(recordsOf(body.options).length > 0 ? { options: recordsOf(body.options).map(storedOption) } : {}),
    };
    const { id: _id, version: _version, ...before } = existing ?? {};
    const same = existing !== undefined && JSON.stringify(before) === JSON.stringify(fields);
    const command = {
      ...fields,
      id: existing?.id ?? this.#parts.ids(),
      version: same ? existing.version : this.#parts.ids(),
    } as unknown as APIApplicationCommand; // built from a body that the schema has passed
    this.#list(scope).set(command.id, command);
    return command;
  }
}

/** As lists show a command: localizations only when they were asked for. */
export function withoutLocalizations(command: APIApplicationCommand): APIApplicationCommand {
  const strip = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(strip);
    if (!isRecord(node)) return node;
    const kept = Object.entries(node).filter(
      ([key]) => key !== 'name_localizations' && key !== 'description_localizations',
    );
    return Object.fromEntries(kept.map(([key, value]) => [key, strip(value)]));
  };
  return strip(command) as APIApplicationCommand; // optional fields less
}

function permissionsText(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

/** Discord gives options back without the fields that say nothing. */
function storedOption(option: JsonRecord): JsonRecord {
  const said = Object.entries(option).filter(
    ([, value]) => value !== undefined && value !== null && value !== false,
  );
  const copy = Object.fromEntries(said);
  if (Array.isArray(option.options)) copy.options = recordsOf(option.options).map(storedOption);
  return copy;
}
