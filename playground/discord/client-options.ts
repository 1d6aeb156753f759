/**
 * What a Discord client does with a slash command before it sends it: finds the options' types, refuses what the
 * command does not allow, and gathers the people, roles and channels that they name. Pure.
 */
import {
  type APIApplicationCommand,
  type APIApplicationCommandOption,
  ApplicationCommandOptionType as Option,
} from 'discord-api-types/v10';
import { isRecord, type JsonRecord, recordsOf } from './json.ts';
import type { LocalGuild, OptionValue } from './types.ts';
import type { World } from './world.ts';

export interface CommandUse {
  readonly data: JsonRecord;
  /** `/cache-stats view:tiers` */
  readonly summary: string;
}

export interface CommandInput {
  readonly command: APIApplicationCommand;
  /** `['shop', 'buy']` for a subcommand. */
  readonly path: readonly string[];
  readonly values: Readonly<Record<string, OptionValue>>;
  /** The option that is being typed, for autocomplete: it may be unfinished, and others may be missing. */
  readonly focused?: string;
}

/** @throws Error with the words a client would show */
export function commandUse(world: World, guild: LocalGuild, input: CommandInput): CommandUse {
  const { command, path, values, focused } = input;
  const leaf = leafOptions(command, path.slice(1));
  const label = `/${path.join(' ')}`;
  for (const name of Object.keys(values)) {
    if (!leaf.some((option) => option.name === name))
      throw new Error(`${label} has no option named "${name}"`);
  }
  const resolved: Record<string, JsonRecord> = {};
  const given: JsonRecord[] = [];
  for (const option of leaf) {
    const value = values[option.name];
    if (value === undefined) {
      if (option.required && focused === undefined) throw new Error(`${label}: "${option.name}" is required`);
      continue;
    }
    const isFocused = option.name === focused;
    if (!isFocused) checkValue(label, option, value);
    gather(world, guild, label, option, value, resolved);
    given.push({
      type: option.type,
      name: option.name,
      value: isFocused ? String(value) : value,
      ...(isFocused ? { focused: true } : {}),
    });
  }
  if (focused !== undefined) checkFocus(label, leaf, focused);
  const words = Object.entries(values).map(([name, value]) => `${name}:${value}`);
  return {
    summary: [label, ...words].join(' '),
    data: {
      id: command.id,
      name: command.name,
      type: command.type,
      ...(command.guild_id === undefined ? {} : { guild_id: command.guild_id }),
      options: nest(command, path.slice(1), given),
      ...(Object.keys(resolved).length > 0 ? { resolved } : {}),
    },
  };
}

/** People, roles and channels that ids name, as an interaction's `resolved` has them. */
export function gatherIds(
  world: World,
  guild: LocalGuild,
  ids: readonly string[],
  kinds: readonly ('users' | 'roles' | 'channels')[],
): Record<string, JsonRecord> {
  const resolved: Record<string, JsonRecord> = {};
  const put = (kind: string, id: string, value: unknown) => {
    const group = resolved[kind] ?? {};
    group[id] = value;
    resolved[kind] = group;
  };
  for (const id of ids) {
    const user = kinds.includes('users') ? world.users.get(id) : undefined;
    const role = kinds.includes('roles') ? guild.roles.get(id) : undefined;
    const channel = kinds.includes('channels') ? guild.channels.get(id) : undefined;
    if (user) {
      put('users', id, user);
      const member = guild.members.get(id);
      if (member) {
        const { user: _user, deaf: _deaf, mute: _mute, ...partial } = member;
        put('members', id, { ...partial, permissions: world.permissions(guild, id).toString() });
      }
    } else if (role) put('roles', id, role);
    else if (channel)
      put('channels', id, {
        ...channel,
        permissions: world.permissions(guild, world.botUser.id, id).toString(),
      });
    else throw new Error(`nobody and nothing here has the id ${id}`);
  }
  return resolved;
}

function leafOptions(
  command: APIApplicationCommand,
  path: readonly string[],
): readonly APIApplicationCommandOption[] {
  let options: readonly APIApplicationCommandOption[] = command.options ?? [];
  for (const name of path) {
    const branch = options.find((option) => option.name === name && isBranch(option));
    if (!branch) throw new Error(`/${command.name} has no subcommand named "${name}"`);
    options = ('options' in branch && branch.options) || [];
  }
  if (options.some(isBranch)) throw new Error(`/${[command.name, ...path].join(' ')} needs a subcommand`);
  return options;
}

function isBranch(option: APIApplicationCommandOption): boolean {
  return option.type === Option.Subcommand || option.type === Option.SubcommandGroup;
}

/** Wraps the values in their subcommand, and that in its group. */
function nest(command: APIApplicationCommand, path: readonly string[], given: JsonRecord[]): JsonRecord[] {
  const [name, ...rest] = path;
  if (name === undefined) return given;
  const type = rest.length > 0 ? Option.SubcommandGroup : Option.Subcommand;
  return [{ type, name, options: nest(command, rest, given) }];
}

function checkFocus(label: string, leaf: readonly APIApplicationCommandOption[], focused: string): void {
  const option = leaf.find(({ name }) => name === focused);
  if (!option || !('autocomplete' in option) || option.autocomplete !== true) {
    throw new Error(`${label}: "${focused}" has no autocomplete`);
  }
}

function checkValue(label: string, option: APIApplicationCommandOption, value: OptionValue): void {
  const wrong = (why: string) => new Error(`${label}: "${option.name}" ${why}, not ${JSON.stringify(value)}`);
  const limits: JsonRecord = { ...option };
  const least = (field: string, size: number, what: string) => {
    const bound = limits[field];
    if (typeof bound === 'number' && size < bound) throw wrong(`must be ${bound} or more${what}`);
  };
  const most = (field: string, size: number, what: string) => {
    const bound = limits[field];
    if (typeof bound === 'number' && size > bound) throw wrong(`must be ${bound} or less${what}`);
  };
  switch (option.type) {
    case Option.String:
      if (typeof value !== 'string') throw wrong('must be text');
      if (value === '') throw wrong('must not be empty');
      least('min_length', value.length, ' characters');
      most('max_length', value.length, ' characters');
      break;
    case Option.Integer:
    case Option.Number:
      if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong('must be a number');
      if (option.type === Option.Integer && !Number.isInteger(value)) throw wrong('must be a whole number');
      least('min_value', value, '');
      most('max_value', value, '');
      break;
    case Option.Boolean:
      if (typeof value !== 'boolean') throw wrong('must be true or false');
      break;
    default:
      if (typeof value !== 'string' || !/^\d+$/.test(value)) throw wrong('must be an id');
  }
  const choices = recordsOf(limits.choices);
  if (choices.length > 0 && !choices.some((choice) => choice.value === value)) {
    throw wrong(`must be one of ${choices.map((choice) => JSON.stringify(choice.value)).join(', ')}`);
  }
}

const NAMES = {
  [Option.User]: ['users'],
  [Option.Role]: ['roles'],
  [Option.Channel]: ['channels'],
  [Option.Mentionable]: ['users', 'roles'],
} as const;

function gather(
  world: World,
  guild: LocalGuild,
  label: string,
  option: APIApplicationCommandOption,
  value: OptionValue,
  into: Record<string, JsonRecord>,
): void {
  if (option.type === Option.Attachment) throw new Error(`${label}: files as options are not offered here`);
  if (!(option.type in NAMES)) return;
  const kinds = NAMES[option.type as keyof typeof NAMES]; // the line above has checked it
  for (const [kind, found] of Object.entries(gatherIds(world, guild, [String(value)], kinds))) {
    const before = into[kind];
    into[kind] = isRecord(before) ? { ...before, ...found } : found;
  }
}
