/**
 * Which commands are ours, kept beyond the end of the process: so that a guild that is no longer an admin guild loses
 * them at the next start, and nobody loses a command that is not ours. A store that fails costs that, and nothing else.
 */
import type { Logger } from '../../logger.ts';

/** A command of ours as Discord had it when we last made or saw it. */
export interface KeptCommand {
  readonly applicationId: string;
  readonly guildId: string;
  readonly id: string;
  readonly name: string;
  /** Discord's: another one after every change of the definition, whoever makes it. */
  readonly version: string;
}

/** Where a host keeps them, such as a table of its database. */
export interface CommandStore {
  all(): readonly KeptCommand[] | PromiseLike<readonly KeptCommand[]>;
  /** Keeps it, in place of what was kept under the same id. */
  keep(command: KeptCommand): void | PromiseLike<void>;
  forget(command: KeptCommand): void | PromiseLike<void>;
}

/** Keeps them for as long as the process lives. */
export function memoryCommandStore(): CommandStore {
  const kept = new Map<string, KeptCommand>();
  return {
    all: () => [...kept.values()],
    keep: (command) => void kept.set(command.id, command),
    forget: ({ id }) => void kept.delete(id),
  };
}

/** A store that never fails its caller: what it could not do is logged. */
export class KeptCommands {
  readonly #store: CommandStore;
  readonly #logger: Logger;
  /** Versions by id, so that nothing is written anew that is there. */
  readonly #known = new Map<string, string>();

  constructor(store: CommandStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** Those of this application: another token may have used the same store. */
  async of(applicationId: string): Promise<readonly KeptCommand[]> {
    const all = (await this.#attempt('read', () => this.#store.all())) ?? [];
    for (const { id, version } of all) this.#known.set(id, version);
    return all.filter((command) => command.applicationId === applicationId);
  }

  async keep(command: KeptCommand): Promise<void> {
    if (this.#known.get(command.id) === command.version) return;
    this.#known.set(command.id, command.version);
    await this.#attempt('kept', () => this.#store.keep(command));
  }

  async forget(command: KeptCommand): Promise<void> {
    this.#known.delete(command.id);
    await this.#attempt('forgotten', () => this.#store.forget(command));
  }

  async #attempt<T>(what: string, run: () => T | PromiseLike<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      this.#logger.warn(
        `Which commands are ours could not be ${what}: a later change of the admin guilds may leave some.`,
        {
          error,
        },
      );
      return undefined;
    }
  }
}
