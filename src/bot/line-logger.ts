/** The bot's log: one line a message, for people. What is secret is taken out of every line, wherever it came from. */
import { styleText } from 'node:util';
import { fieldsText, valueText } from '../logger/log-line.ts';
import { withoutSecrets } from '../logger/secrets.ts';
import type { Logger } from '../logger.ts';

export interface LineLoggerOptions {
  /** Texts that no line may show, such as the token. */
  readonly secrets?: readonly (string | undefined)[];
  /** @default the process's standard output */
  readonly write?: (line: string) => void;
  /** @default the machine's */
  readonly now?: () => Date;
  /** @default false */
  readonly debug?: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const LEVELS = {
  debug: styleText('dim', 'debug'),
  info: styleText('cyan', 'info '),
  warn: styleText('yellow', 'warn '),
  error: styleText('red', 'error'),
} as const;

/** Shorter texts are no secrets, and taking them out would spoil every line. */
const MIN_SECRET_LENGTH = 8;

/** A logger that writes `12:30:05 info  message (name value, name value)`. */
export function lineLogger(options: LineLoggerOptions = {}): Logger {
  const { write = (line) => void process.stdout.write(line), now = () => new Date() } = options;
  const secrets = (options.secrets ?? []).filter(
    (each) => each !== undefined && each.length >= MIN_SECRET_LENGTH,
  );
  const at = (level: keyof typeof LEVELS) => (message: string, fields?: Fields) => {
    let line = `${now().toTimeString().slice(0, 8)} ${LEVELS[level]} ${message}${told(fields, level === 'error')}`;
    for (const secret of secrets) line = line.replaceAll(secret ?? '', '[secret]');
    line = withoutSecrets(line);
    write(`${line}\n`);
  };
  return {
    debug: options.debug === true ? at('debug') : () => undefined,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}

function told(fields: Fields | undefined, withStack: boolean): string {
  const words = fieldsText(fields);
  const stacks = withStack
    ? Object.values(fields ?? {})
        .map(stackOf)
        .filter((each) => each !== '')
    : [];
  return (words === '' ? '' : styleText('dim', ` (${words})`)) + stacks.map((stack) => `\n${stack}`).join('');
}

function stackOf(value: unknown): string {
  if (!(value instanceof Error)) return '';
  const frames = (value.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  const cause = value.cause instanceof Error ? `\n  caused by ${valueText(value.cause)}` : '';
  return frames.join('\n') + cause;
}
