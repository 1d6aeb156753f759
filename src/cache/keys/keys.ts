/**
 * The grammar of keys: segments joined by `::`, made from typed parts so that two different calls never share a key.
 *
 * A segment shows plain text as it is and escapes what has a meaning elsewhere (`:`, `*`, `%`, control and
 * direction characters) the way URLs do. What is too long to read is hashed with SHA-256, over an encoding that keeps
 * types and lengths apart. Marks used: `%XX` and `%uXXXX` for characters, a lone `%` for the empty text, `%h…` for a
 * hash, `#…` for numbers, `%true` and the like for other kinds. Text that begins with `#` or holds `%` has these
 * escaped, so no text can forge a mark.
 */
import { hash } from 'node:crypto';
import { types } from 'node:util';
import { kindOf } from '../arguments.ts';
import { CacheError } from '../errors.ts';
import { describeClass, objectKindOf } from '../values/kinds.ts';

/** A part of a key. Snowflakes are text; numbers and booleans are told apart from text that looks like them. */
export type KeyPart = string | number | bigint | boolean | null | undefined;

export const SEPARATOR = '::';

/** The longest key the cache takes. Built keys stay far below it; hand-written ones are refused beyond it. */
export const MAX_KEY_LENGTH = 1_024;

/** Longer segments are hashed: nobody reads them, and a key must stay short enough to show. */
const MAX_SEGMENT_LENGTH = 96;

// Separators, wildcards, the escape itself, controls, line and direction marks, and surrogates that stand alone.
const NEEDS_ESCAPE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped
  /[%:*\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return code < 256
    ? `%${code.toString(16).toUpperCase().padStart(2, '0')}`
    : `%u${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** One segment of a key. Different parts give different segments. */
export function escapeSegment(part: KeyPart): string {
  if (typeof part !== 'string') return typeof part === 'number' ? numberSegment(part) : `%${typeMark(part)}`;
  if (part === '') return '%';
  let escaped = part.replace(NEEDS_ESCAPE, escapeCharacter);
  if (escaped.startsWith('#')) escaped = `%23${escaped.slice(1)}`;
  return escaped.length <= MAX_SEGMENT_LENGTH ? escaped : `%h${digest(escaped)}`;
}

function numberSegment(part: number): string {
  return Object.is(part, -0) ? '#-0' : `#${part}`;
}

function typeMark(part: bigint | boolean | null | undefined): string {
  // JavaScript lets objects through, and all of them would give the same text.
  const type: string = part === null ? 'null' : typeof part;
  if (type === 'object' || type === 'function' || type === 'symbol') {
    throw new CacheError(
      'ERR_KEY_INVALID',
      `A part of a key is a text or a number, not ${kindOf(part)}: give its id, or hashParameters(…) of it.`,
    );
  }
  return typeof part === 'bigint' ? `i${part}` : `${part}`;
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/**
 * A short text that stands for any parameters: 43 characters of SHA-256 over {@link encodeParameters}.
 * @throws CacheError `ERR_KEY_INVALID` for parameters that have no stable form, such as functions.
 */
export function hashParameters(parameters: unknown): string {
  return digest(encodeParameters(parameters));
}

/** Deep enough for any parameter list a person writes; cycles end here too. */
const MAX_DEPTH = 64;

/**
 * Text that is equal for equal parameters and different for different ones: every value is led by its type, every
 * text and list by its length, and object keys are sorted. `1` ≠ `'1'`, `['a', 'b']` ≠ `['a::b']`, `{}` ≠ `[]`.
 */
export function encodeParameters(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw unstable('parameters nested too deeply, or in a cycle');
  switch (typeof value) {
    case 'string':
      return encodeText(value);
    case 'number':
      return Object.is(value, -0) ? 'n-0;' : `n${value};`;
    case 'bigint':
      return `i${value};`;
    case 'boolean':
      return value ? 't' : 'f';
    case 'undefined':
      return 'u';
    case 'object':
      return value === null ? '0' : encodeObject(value, depth + 1);
    default:
      throw unstable(`a ${typeof value} among the parameters`);
  }
}

function encodeText(text: string): string {
  // Surrogates that stand alone would all become U+FFFD when hashed as UTF-8; escaped they stay apart.
  const safe = text.isWellFormed() ? `s${text.length}:` : `S${text.length}:`;
  return safe + (text.isWellFormed() ? text : text.replace(NEEDS_ESCAPE, escapeCharacter));
}

function encodeObject(value: object, depth: number): string {
  if (Array.isArray(value)) return `a${value.length}:${encodeList(value, depth)}`;
  // By their structure: `instanceof` knows none of another realm (Jest, node:vm).
  if (types.isDate(value)) return `d${value.getTime()};`;
  if (types.isMap(value)) return `m${value.size}:${encodeList([...value].flat(), depth)}`;
  if (types.isSet(value)) return `e${value.size}:${encodeList([...value], depth)}`;
  if (types.isUint8Array(value)) return `b${value.length}:${digest(Buffer.from(value).toString('base64'))}`;
  const kind = objectKindOf(value);
  if (kind !== 'plain' && kind !== 'null-prototype')
    throw unstable(`${describeClass(value)} among the parameters`);
  const names = Object.keys(value).sort();
  const fields = names.map((name) => encodeText(name) + encodeParameters(Reflect.get(value, name), depth));
  return `o${names.length}:${fields.join('')}`;
}

function encodeList(values: readonly unknown[], depth: number): string {
  let text = '';
  for (let i = 0; i < values.length; i++) text += encodeParameters(values[i], depth);
  return text;
}

function unstable(what: string): CacheError {
  return new CacheError(
    'ERR_KEY_INVALID',
    `A key cannot be made from ${what}: give the key as text, numbers, plain objects or lists.`,
  );
}

/** Joins parts into a key; the namespace is taken as written. */
function keyOf(namespace: string, parts: readonly KeyPart[]): string {
  let text = namespace;
  for (const part of parts) text += SEPARATOR + escapeSegment(part);
  return text;
}

function queryParameters(parameters: unknown): string {
  if (typeof parameters === 'string' && parameters !== '' && parameters.length <= 32) {
    return escapeSegment(parameters);
  }
  return `%h${hashParameters(parameters)}`;
}

/**
 * Makes keys from typed parts.
 * @example
 * key.user('123456', 'profile')                 // 'user::123456::profile'
 * key.query('leaderboard', 'top10')             // 'query::leaderboard::top10'
 * key.query('search', { text: 'a', page: 2 })   // 'query::search::%h…'
 */
export const key = {
  config: (section: KeyPart) => keyOf('config', [section]),
  products: (...category: readonly KeyPart[]) => keyOf('products', category),
  categories: (...parts: readonly KeyPart[]) => keyOf('categories', parts),
  discounts: (...parts: readonly KeyPart[]) => keyOf('discounts', parts),
  user: (userId: KeyPart, dataType: KeyPart) => keyOf('user', [userId, dataType]),
  userOrders: (userId: KeyPart, ...parts: readonly KeyPart[]) => keyOf('user_orders', [userId, ...parts]),
  /** Short text shows as it is; anything else is hashed. Without parameters the key ends in their hash, too. */
  query: (name: KeyPart, parameters?: unknown) =>
    `${keyOf('query', [name])}${SEPARATOR}${queryParameters(parameters)}`,
  /** A key in a namespace of your own. */
  of: (namespace: string, ...parts: readonly KeyPart[]) => keyOf(escapeSegment(namespace), parts),
} as const;

/** The first segment of a key. */
export function namespaceOf(text: string): string {
  const end = text.indexOf(SEPARATOR);
  return end === -1 ? text : text.slice(0, end);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const NOT_IN_A_KEY = /[*\u0000-\u001f\u007f]/;

/**
 * Refuses what cannot be a key, where it would enter the cache.
 * @throws CacheError `ERR_KEY_INVALID`
 */
export function assertKey(text: unknown): asserts text is string {
  if (typeof text !== 'string') {
    throw new CacheError(
      'ERR_KEY_INVALID',
      `A key is text, not ${text === null ? 'null' : typeof text}: build it with key.of(…), such as key.of('user', id).`,
    );
  }
  if (text.length === 0) throw new CacheError('ERR_KEY_INVALID', 'A key cannot be empty.');
  if (text.length > MAX_KEY_LENGTH) {
    throw new CacheError(
      'ERR_KEY_INVALID',
      `A key of ${text.length} characters is too long (${MAX_KEY_LENGTH} at most): build it with key.of(…), which hashes long parts.`,
      { key: `${text.slice(0, 64)}…` },
    );
  }
  if (NOT_IN_A_KEY.test(text)) {
    throw new CacheError(
      'ERR_KEY_INVALID',
      'A key holds no "*" and no control characters: build it with key.of(…), which escapes them.',
      { key: text },
    );
  }
}

export function isKey(text: unknown): text is string {
  try {
    assertKey(text);
    return true;
  } catch {
    return false; // whoever asks says so
  }
}
