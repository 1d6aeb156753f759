/**
 * Two who answer one interaction. Discord takes the first answer and refuses the second (40060), and many bots answer
 * commands, buttons and completions that they do not know. Each kind of conflict is told once, with the ways out.
 */
import type { Logger } from '../logger.ts';

/** Discord's code for an interaction that has been acknowledged. */
export const ALREADY_ACKNOWLEDGED = 40_060;

const WAYS_OUT =
  "Let the bot's dispatcher leave ours alone in one of three ways: begin it with `if (await cachecord.handle(interaction)) return;`; " +
  'put `cachecord.commands` among its commands; or tell `cachecord.start({ listen })` what it leaves to you: ' +
  "'components' for commands, 'none' for everything.";

export class Conflicts {
  readonly #logger: Logger;
  #isHeldBackTold = false;
  #isLostTold = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The host's answer to an interaction of ours was kept from Discord. */
  heldBack(interaction: object, method: string): void {
    if (this.#isHeldBackTold) return;
    this.#isHeldBackTold = true;
    this.#logger.warn(
      `The bot's own code called interaction.${method}() for ${nameOf(interaction)}, which Cachecord answers; the call was held back. ${WAYS_OUT}`,
    );
  }

  /** Somebody else's answer reached Discord first, so that ours was refused. */
  lost(interaction: object, fields: Readonly<Record<string, unknown>>): void {
    if (this.#isLostTold) {
      this.#logger.debug(`${nameOf(interaction)} was answered by somebody else again.`, fields);
      return;
    }
    this.#isLostTold = true;
    this.#logger.warn(
      `${nameOf(interaction)} was answered before Cachecord could answer it: most likely by the bot's own dispatcher, ` +
        `else by a second process with the same token. ${WAYS_OUT}`,
      fields,
    );
  }
}

function nameOf(interaction: object): string {
  const command: unknown = Reflect.get(interaction, 'commandName');
  return typeof command === 'string' ? `/${command}` : 'A button or form of Cachecord';
}
