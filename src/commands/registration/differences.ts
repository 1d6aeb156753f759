/**
 * What differs between the commands that Discord has and those we want. Discord fills in defaults and leaves out what
 * says nothing, so both sides are reduced to what we state; fields that we do not know are not compared.
 */
import { type APIApplicationCommand, ApplicationCommandType } from 'discord.js';
import type { CommandData } from './registration.ts';

export interface Differences {
  readonly create: readonly CommandData[];
  readonly update: readonly CommandData[];
  readonly unchanged: readonly CommandData[];
  /** Existing commands that are ours in every part. */
  readonly equal: readonly APIApplicationCommand[];
}

/** Everything in a definition that changes what people see or may do. Names of languages pass, they hold texts only. */
const STATED: ReadonlySet<string> = new Set([
  ...['type', 'name', 'name_localizations', 'description', 'description_localizations'],
  ...['default_member_permissions', 'nsfw', 'options', 'required', 'choices', 'value', 'autocomplete'],
  ...['channel_types', 'min_value', 'max_value', 'min_length', 'max_length'],
]);

/** Compares by name among chat commands; what else exists is the host's and is not looked at. */
export function differences(
  existing: readonly APIApplicationCommand[],
  wanted: readonly CommandData[],
): Differences {
  const byName = new Map(
    existing.filter(({ type }) => type === ApplicationCommandType.ChatInput).map((each) => [each.name, each]),
  );
  const found = wanted.map((command) => {
    const there = byName.get(command.name);
    const isEqual = there !== undefined && signature(there) === signature(command);
    return { command, there, isEqual };
  });
  const pick = (test: (each: (typeof found)[number]) => boolean) =>
    found.filter(test).map(({ command }) => command);
  return {
    create: pick(({ there }) => there === undefined),
    update: pick(({ there, isEqual }) => there !== undefined && !isEqual),
    unchanged: pick(({ isEqual }) => isEqual),
    equal: found.flatMap(({ there, isEqual }) => (isEqual && there !== undefined ? [there] : [])),
  };
}

function signature(command: object): string {
  return JSON.stringify(stated({ type: ApplicationCommandType.ChatInput, ...command }));
}

/** What a definition says, in one order, without what is a default or says nothing. */
function stated(value: unknown, isText = false): unknown {
  if (Array.isArray(value)) return value.map((each) => stated(each));
  if (typeof value !== 'object' || value === null) return value;
  const said = Object.entries(value)
    .filter(([name, each]) => (isText || STATED.has(name)) && !saysNothing(each))
    .map(([name, each]) => [name, stated(each, name.endsWith('_localizations'))] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(said);
}

function saysNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
