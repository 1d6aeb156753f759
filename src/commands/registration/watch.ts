/**
 * Notices when our commands are gone from an admin guild while the bot runs, and puts them back. A host that deploys by
 * replacing its whole list (a bulk PUT) takes them off with it: its own requests are seen at once, those of another
 * process at the next look. Two programs must not undo each other's work without end, so that is done a few times a day
 * and then left to the author, who is told which line is missing.
 */
import type { Clock } from '../../cache/clock.ts';
import type { Logger } from '../../logger.ts';
import type { Registration } from './registration.ts';

/** What is listened to of discord.js's REST client. */
export interface ResponseSource {
  on(event: 'response', listener: (request: unknown, response: unknown) => void): unknown;
  off(event: 'response', listener: (request: unknown, response: unknown) => void): unknown;
}

export interface CommandWatchOptions {
  readonly registration: Pick<Registration, 'missing' | 'register'>;
  readonly logger: Logger;
  readonly clock: Clock;
  /** The client whose requests are seen; `undefined` where it does not tell of them. */
  readonly rest: ResponseSource | undefined;
  /** Whether the plugin registers the commands, so that it may put them back. */
  readonly restores: boolean;
}

/** After ready a host may still be deploying; then its list is in place. */
const FIRST_LOOK_MS = 30_000;
/** One request for each admin guild. */
const LOOK_EVERY_MS = 3_600_000;
/** The first bulk PUT is looked after at once, and those that follow so soon together, when this has passed. */
const TOGETHER_MS = 2_000;
/** Enough for a few deployments; Discord allows 200 new commands a day in a guild. */
const RESTORES_A_DAY = 3;
const DAY_MS = 86_400_000;

const LINE = '`body: [...commands, ...cacheCommandData(config)]`';
const LIST_OF_A_GUILD = /\/applications\/\d+\/guilds\/\d+\/commands$/;

export class CommandWatch {
  readonly #options: CommandWatchOptions;
  /** When commands were put back, by guild. */
  readonly #restoredAt = new Map<string, number[]>();
  /** Guilds of which the last word has been said. */
  readonly #told = new Set<string>();
  #cancelWindow: (() => void) | undefined;
  #isReplacedAgain = false;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: CommandWatchOptions) {
    this.#options = options;
  }

  /** @returns what ends it */
  start(): () => void {
    const { clock, rest } = this.#options;
    const seen = (request: unknown, response: unknown) => {
      if (isBulkPut(request) && isSuccess(response)) this.#listReplaced();
    };
    rest?.on('response', seen);
    const cancelFirst = clock.after(FIRST_LOOK_MS, () => this.#look());
    const cancelEvery = clock.every(LOOK_EVERY_MS, () => this.#look());
    return () => {
      rest?.off('response', seen);
      cancelFirst();
      cancelEvery();
      this.#cancelWindow?.();
    };
  }

  #listReplaced(): void {
    if (this.#cancelWindow !== undefined) {
      this.#isReplacedAgain = true;
      return;
    }
    this.#look();
    this.#cancelWindow = this.#options.clock.after(TOGETHER_MS, () => {
      this.#cancelWindow = undefined;
      if (this.#isReplacedAgain) this.#listReplaced();
    });
    this.#isReplacedAgain = false;
  }

  #look(): void {
    this.#looking = this.#looking.then(() => this.#repair());
  }

  /** Never rejects. */
  async #repair(): Promise<void> {
    const { registration, logger, restores } = this.#options;
    try {
      const missing = await registration.missing({ registeredOnly: restores });
      if (!restores) return this.#tell(missing);
      const repairable = missing.filter(({ guildId }) => this.#mayRestore(guildId));
      this.#leave(missing.filter((each) => !repairable.includes(each)));
      if (repairable.length === 0) return;
      for (const { guildId } of repairable) this.#noteRestore(guildId);
      const { problems } = await registration.register();
      logger.warn(
        `${whereOf(repairable)} had been taken off and was put back. Most likely the bot's own deploy script replaced the ` +
          `whole list of commands (a bulk PUT). Add ours to the list that it deploys: ${LINE}.`,
      );
      for (const problem of problems) logger.warn(problem);
    } catch (error) {
      logger.warn('Whether the cache commands are registered could not be checked.', { error });
    }
  }

  #mayRestore(guildId: string): boolean {
    const now = this.#options.clock.now();
    const recent = (this.#restoredAt.get(guildId) ?? []).filter((at) => now - at < DAY_MS);
    this.#restoredAt.set(guildId, recent);
    return recent.length < RESTORES_A_DAY;
  }

  #noteRestore(guildId: string): void {
    this.#restoredAt.get(guildId)?.push(this.#options.clock.now());
    this.#told.delete(guildId);
  }

  /** What was put back as often as is allowed stays off. */
  #leave(missing: readonly Missing[]): void {
    const untold = this.#untold(missing);
    if (untold.length === 0) return;
    this.#options.logger.warn(
      `${whereOf(untold)} was taken off again and is left off until tomorrow: it was put back ${RESTORES_A_DAY} times ` +
        `today. Add ours to the list that the bot deploys: ${LINE}.`,
    );
  }

  #tell(missing: readonly Missing[]): void {
    const untold = this.#untold(missing);
    if (untold.length === 0) return;
    this.#options.logger.warn(
      `Discord does not have ${whereOf(untold)}. They were to be deployed with the bot's own (\`register: false\`). ` +
        `Add them to the list that it deploys: ${LINE}.`,
    );
  }

  /** Those not told of yet; a guild that has all of them again may be told of anew. */
  #untold(missing: readonly Missing[]): readonly Missing[] {
    const untold = missing.filter(({ guildId }) => !this.#told.has(guildId));
    for (const { guildId } of untold) this.#told.add(guildId);
    return untold;
  }
}

interface Missing {
  readonly guildId: string;
  readonly names: readonly string[];
}

function whereOf(missing: readonly Missing[]): string {
  return missing
    .map(({ guildId, names }) => `${names.map((name) => `/${name}`).join(', ')} in guild ${guildId}`)
    .join(', ');
}

function isBulkPut(request: unknown): boolean {
  const { method, path } = fieldsOf(request);
  return String(method).toUpperCase() === 'PUT' && LIST_OF_A_GUILD.test(String(path));
}

function isSuccess(response: unknown): boolean {
  const { status } = fieldsOf(response);
  return typeof status === 'number' && status >= 200 && status < 300;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
