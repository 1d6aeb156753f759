/**
 * What is wrong with a configuration, in words: where, what stands there, what is expected, and what to do.
 * Nothing here repeats a value that may be a secret.
 */
import { z } from 'zod';
import { nearestName, withoutUnit } from '../nearest-name.ts';
import { configFileSchema } from './schema.ts';
import { findSyntaxFault, placeOf } from './syntax.ts';

type Path = readonly PropertyKey[];

/** Names under which people keep secrets. */
const SECRET_NAME = /token|secret|passw|api_?key|redis_?url|credential/i;

/** The shape of a bot token: three parts of base64url, the first a snowflake, the last at least 27 characters. */
const TOKEN = /[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}/g;

const RENEW = 'renew it if anybody else could read this file';

/** How far before a fault the name of a secret is looked for: further than a token is long. */
const SECRET_DISTANCE = 200;

/** Longer values are cut where they are shown. */
const SHOWN_LENGTH = 60;

/**
 * What keeps a text from being JSON, with the line it stands in; `undefined` when nothing does. A line that may hold a
 * secret is not shown.
 */
export function syntaxProblem(text: string): string | undefined {
  const fault = findSyntaxFault(text);
  if (!fault) return undefined;
  const place = placeOf(text, fault.offset);
  const where = `line ${place.line}, column ${place.column}`;
  // A text that is not closed may have begun lines before, and a name may stand on the line above its value.
  const around = text.slice(Math.max(0, fault.offset - SECRET_DISTANCE), fault.offset) + place.text;
  if (SECRET_NAME.test(around) || withoutTokens(around) !== around) {
    return `${where}: ${fault.message.replace(/^".*"(?= stands| is given)/su, 'a word')}`;
  }
  const cutAt = Math.max(0, place.column - SHOWN_LENGTH);
  const line = place.text.slice(cutAt, cutAt + 2 * SHOWN_LENGTH).replaceAll('\t', ' ');
  const pointer = line === place.text.replaceAll('\t', ' ') ? `\n    ${' '.repeat(place.column - 1)}^` : '';
  return `${where}: ${fault.message}\n    ${line}${pointer}`;
}

/** Every problem of a parsed file, in the order of its names. */
export function fileProblems(file: unknown, error: z.ZodError | undefined): string[] {
  const problems = (error?.issues ?? []).flatMap((issue) => {
    // The names of tiers are judged in tier-problems.ts.
    if (issue.code === 'invalid_key') return [];
    if (isSecretSection(file, issue.path)) return [secretProblem(issue.path)];
    if (issue.code !== 'unrecognized_keys') return [valueProblem(file, issue.path, issue.message)];
    return issue.keys.map((name) => unknownName(issue.path, name));
  });
  return [...problems, ...tokensIn(file, [])];
}

function valueProblem(file: unknown, path: Path, expected: string): string {
  const value = path.reduce<unknown>((inner, name) => child(inner, name), file);
  const where = path.length === 0 ? 'the file' : pathText(path);
  return `${where}: is ${shown(value)}, expected ${expected}${hint(value, expected)}`;
}

function hint(value: unknown, expected: string): string {
  if (expected.startsWith('a Discord id') && typeof value === 'number') {
    return '. Put it in quotes: as a number it has lost its last digits, so copy it from Discord again';
  }
  if (expected.startsWith('a list of') && typeof value === 'string')
    return `. Put it in brackets: [${shown(value)}]`;
  if (typeof value !== 'string' || expected.includes('quotes')) return '';
  return value.trim() !== '' && Number.isFinite(Number(value))
    ? `. Write ${Number(value)} without quotes`
    : '';
}

function unknownName(path: Path, name: string): string {
  const where = pathText([...path, name]);
  if (SECRET_NAME.test(name)) return secretProblem([...path, name]);
  const siblings = namesAt(path);
  const unit = siblings.find((known) => withoutUnit(known) === withoutUnit(name));
  if (unit) return `${where}: unknown name, did you mean "${unit}"?`;
  const elsewhere = allPaths(configFileSchema, []).filter((known) => known.at(-1) === name);
  const [belongs] = elsewhere;
  if (belongs) return `${where}: does not belong here, write it as ${belongs.join('.')}`;
  const nearest = nearestName(name, siblings);
  if (nearest) return `${where}: unknown name, did you mean "${nearest}"?`;
  return `${where}: unknown name. Known here: ${siblings.filter((known) => known !== '$schema').join(', ')}`;
}

/** Where a section may have any name, what stands under the name of a secret is not shown. */
function isSecretSection(file: unknown, path: Path): boolean {
  const name = path.at(-1);
  const value = path.reduce<unknown>((inner, part) => child(inner, part), file);
  return typeof name === 'string' && SECRET_NAME.test(name) && typeof value !== 'object';
}

function secretProblem(path: Path): string {
  const name = String(path.at(-1));
  const variable = /redis/i.test(name) ? 'REDIS_URL' : /token/i.test(name) ? 'DISCORD_TOKEN' : 'a variable';
  return `${pathText(path)}: secrets do not belong in the configuration. Set ${variable} in the environment, remove it here, and ${RENEW}`;
}

/** Strings that look like a bot token, under a name that is known. Those under unknown names have been named already. */
function tokensIn(value: unknown, path: Path): string[] {
  if (typeof value === 'string') {
    return withoutTokens(value) === value
      ? []
      : [
          `${pathText(path)}: looks like a bot token. Set DISCORD_TOKEN in the environment, remove it here, and ${RENEW}`,
        ];
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => tokensIn(item, [...path, index]));
  if (typeof value !== 'object' || value === null) return [];
  const known = namesAt(path);
  const isOpen = schemaAt(path) instanceof z.ZodRecord;
  return Object.entries(value).flatMap(([name, inner]) =>
    isOpen || known.includes(name) ? tokensIn(inner, [...path, name]) : [],
  );
}

function child(value: unknown, name: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The names that may stand in a section. */
export function namesAt(path: Path): string[] {
  const schema = schemaAt(path);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

/** What may stand at a place of the file. */
function schemaAt(path: Path): z.core.$ZodType | undefined {
  return path.reduce<z.core.$ZodType | undefined>((outer, name) => {
    const inner =
      outer instanceof z.ZodRecord
        ? outer.valueType
        : outer instanceof z.ZodObject
          ? child(outer.shape, name)
          : undefined;
    return inner instanceof z.ZodType ? unwrapped(inner) : undefined;
  }, unwrapped(configFileSchema));
}

function allPaths(schema: z.core.$ZodType, path: readonly string[]): (readonly string[])[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodRecord) return allPaths(inner.valueType, [...path, 'NAME']);
  if (!(inner instanceof z.ZodObject)) return [path];
  return Object.entries(inner.shape as Record<string, z.core.$ZodType>).flatMap(([name, field]) =>
    allPaths(field, [...path, name]),
  );
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional
    ? unwrapped(schema.unwrap())
    : schema;
}

/** A place as a complaint names it: `admin.guild_ids[0]`. */
export function pathText(path: Path): string {
  return path
    .map((name) =>
      typeof name === 'number' ? `[${name}]` : withoutTokens(String(name)).slice(0, SHOWN_LENGTH),
    )
    .join('.')
    .replaceAll('.[', '[');
}

/** A value as a complaint repeats it: short, and without tokens. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a section';
  if (typeof value !== 'string') return String(value);
  const text = JSON.stringify(withoutTokens(value));
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…"` : text;
}

function withoutTokens(text: string): string {
  return text.replaceAll(TOKEN, '…');
}
