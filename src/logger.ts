import { withoutSecrets, withoutSecretsIn } from './logger/secrets.ts';

/**
 * What Cachecord asks of a logger. `console` fits, and so do pino and Sapphire's `ILogger` behind a line of glue:
 * a library must not choose for its host.
 */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** Tells a logger one line: without fields nothing stands for them, since the console would write `undefined`. */
export function tell(
  logger: Logger,
  level: keyof Logger,
  message: string,
  fields: Readonly<Record<string, unknown>> | undefined,
): void {
  if (fields === undefined) logger[level](message);
  else logger[level](message, fields);
}

/** The same logger, which is given no secret (see `logger/secrets.ts`). */
export function secretFreeLogger(logger: Logger): Logger {
  const at = (level: keyof Logger) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    tell(logger, level, withoutSecrets(message), fields && withoutSecretsIn(fields));
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * The same logger for code that must go on when the host's throws: Node is told of the line instead. It is given no
 * secret either.
 */
export function guardedLogger(logger: Logger): Logger {
  const careful = secretFreeLogger(logger);
  const at = (level: keyof Logger) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    try {
      careful[level](message, fields);
    } catch {
      process.emitWarning(`${withoutSecrets(message)} (The logger of Cachecord threw.)`);
    }
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
