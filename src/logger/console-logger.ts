/**
 * The logger of a bot that names none: one line a message, through the console. Details for debugging are left out, and
 * so is what looks like a token or a password in an address.
 */

import type { Logger } from '../logger.ts';
import { errorChainText, fieldsText, oneLine } from './log-line.ts';

type Fields = Readonly<Record<string, unknown>>;

const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}/g, '[token]'],
  [/\b((?:interactions|webhooks)\/\d{15,21}\/)[^/?#\s"'`]+/g, '$1[token]'],
  [/(:\/\/[^\s:/@]*:)[^\s/@]+@/g, '$1[secret]@'],
];

function lineOf(message: string, fields: Fields | undefined): string {
  const shown =
    fields && Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
  const details = fieldsText(shown);
  const line = `[cachecord] ${oneLine(message)}${details === '' ? '' : ` (${details})`}`;
  return SECRETS.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);
}

function plain(value: unknown): unknown {
  return value instanceof Error ? errorChainText(value) : value;
}

/** Writes `[cachecord] message (name value, error Error: …)`. */
export const consoleLogger: Logger = {
  debug: () => undefined,
  info: (message, fields) => console.info(lineOf(message, fields)),
  warn: (message, fields) => console.warn(lineOf(message, fields)),
  error: (message, fields) => console.error(lineOf(message, fields)),
};
