/**
 * Keeps tokens of interactions and webhooks out of the log. discord.js puts the URL of a refused request into its
 * errors, and the token in it lets whoever reads it answer in the bot's name for a quarter of an hour.
 */
import { type Logger, tell } from '../logger.ts';

type Fields = Readonly<Record<string, unknown>>;

const IN_PATH = /\b((?:interactions|webhooks)\/\d{15,21}\/)[^/?#\s"'`]+/g;
/** How discord.js names what a rate limit is about. */
const ALONE = /^(\d{15,21}\/)[\w-]{20,}$/;
const TAKEN_OUT = '$1[token]';
/** An error, its causes, and what hangs on them; nothing of Discord's lies deeper. */
const MAX_DEPTH = 6;

/** The same logger, which is never given such a token. */
export function tokenFreeLogger(logger: Logger): Logger {
  const at = (level: keyof Logger) => (message: string, fields?: Fields) =>
    tell(logger, level, withoutTokens(message), fields && withoutTokens(fields));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The same value where no such token is in it; otherwise a copy without. Errors stay of their class. */
export function withoutTokens<T>(value: T, depth: number = MAX_DEPTH): T {
  if (typeof value === 'string') {
    return value.replace(IN_PATH, TAKEN_OUT).replace(ALONE, TAKEN_OUT) as T & string; // a string as before
  }
  if (typeof value !== 'object' || value === null || depth === 0 || !isOpen(value)) return value;
  if (Array.isArray(value)) {
    const clean = value.map((each: unknown) => withoutTokens(each, depth - 1));
    return clean.some((each, i) => each !== value[i]) ? (clean as T & unknown[]) : value; // a list as before
  }
  const properties = Object.getOwnPropertyDescriptors<object>(value) as PropertyDescriptorMap; // any object's are
  // An accessor in newer versions of V8, which reads nothing from a copy.
  if (value instanceof Error) properties.stack = { value: value.stack, writable: true, configurable: true };
  let isChanged = false;
  for (const property of Object.values(properties)) {
    const clean = withoutTokens(property.value, depth - 1);
    if (clean === property.value) continue;
    property.value = clean;
    isChanged = true;
  }
  // Of the same class, with the same properties.
  return isChanged ? (Object.create(Object.getPrototypeOf(value), properties) as T) : value;
}

/** Looked into are errors, lists and plain objects; what else there is may not be copied. */
function isOpen(value: object): boolean {
  if (value instanceof Error || Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
