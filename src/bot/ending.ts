/**
 * How the process ends: by a signal, by its parent, or because it could not start. What was opened is closed in the
 * opposite order, each step on its own, and all of it within five seconds (I13).
 */
import type { Logger } from '../logger.ts';
import { failureText } from './failure.ts';

/** Half a second is left to those who wait for the process. */
const DEADLINE_MS = 4_500;

interface Step {
  readonly name: string;
  readonly close: () => unknown;
}

export class Ending {
  readonly #logger: Logger;
  readonly #steps: Step[] = [];
  #ended: Promise<void> | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Closes this when the process ends, before all that was opened earlier. */
  onEnd(name: string, close: () => unknown): void {
    this.#steps.push({ name, close });
  }

  /** Listens to what asks the process to end. */
  listen(): void {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => void this.end(0, `Got ${signal}: ending.`));
    }
    if (process.send === undefined) return;
    process.on('message', (message) => {
      if (isShutdown(message)) void this.end(0, 'Asked to end.');
    });
    const orphaned = () => void this.end(0, 'The parent process is gone: ending.');
    process.on('disconnect', orphaned);
    // It may have gone while the modules were read.
    if (!process.connected) orphaned();
  }

  /** Ends the process. The first call decides how. */
  end(code: number, why: string): Promise<void> {
    this.#ended ??= this.#end(code, why);
    return this.#ended;
  }

  async #end(code: number, why: string): Promise<void> {
    if (code === 0) this.#logger.info(why);
    else this.#logger.error(why);
    setTimeout(() => {
      this.#logger.error('Not everything could be closed in time.');
      process.exit(1);
    }, DEADLINE_MS).unref();
    let ended = code;
    for (const { name, close } of this.#steps.toReversed()) {
      try {
        await close();
      } catch (error) {
        ended = 1;
        this.#logger.error(`Could not close ${name}: ${failureText(error)}`);
      }
    }
    process.exit(ended);
  }
}

function isShutdown(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'shutdown';
}
