/**
 * The logger of a bot that names none: one line a message, through the console. Details for debugging are left out, and
 * so is what looks like a token or a password in an address.
 */

import type { Logger } from '../logger.ts';
import { errorChainText, fieldsText, oneLine } from './log-line.ts';
import { withoutSecrets } from './secrets.ts';

type Fields = Readonly<Record<string, unknown>>;

function lineOf(message: string, fields: Fields | undefined): string {
  const shown =
    fields && Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
  const details = fieldsText(shown);
  const line = `[cachecord] ${oneLine(message)}${details === '' ? '' : ` (${details})`}`;
  return withoutSecrets(line);
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
