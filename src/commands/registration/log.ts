/** Registration as the log tells it, when the bot starts and half a minute later. */
import type { Logger } from '../../logger.ts';
import { NO_GUILDS, type Registration } from './registration.ts';

/** Registers, and says what changed and what to do about what did not. Never rejects. */
export async function registerAndTell(registration: Registration, logger: Logger): Promise<void> {
  try {
    const { guilds, former, problems } = await registration.register();
    for (const { guildId, create, update } of guilds) {
      if (create.length + update.length === 0) continue;
      logger.info(`Registered ${slashed([...create, ...update])} in guild ${guildId}.`);
    }
    for (const { guildId, remove } of former) {
      logger.info(`Removed ${slashed(remove)} from guild ${guildId}, which is no admin guild any more.`);
    }
    for (const problem of problems) {
      // The configuration's own notice has said so.
      if (problem !== NO_GUILDS) logger.warn(problem);
    }
  } catch (error) {
    logger.warn('The cache commands could not be registered.', { error });
  }
}

/**
 * A host that deploys by replacing its whole list takes our commands off with it; it is told, and not fought.
 * Never rejects.
 * @param weRegister whether we registered them at the start, so that only what was there can have been taken off
 */
export async function tellMissing(
  registration: Registration,
  logger: Logger,
  weRegister: boolean,
): Promise<void> {
  try {
    const missing = await registration.missing({ registeredOnly: weRegister });
    if (missing.length === 0) return;
    const where = missing.map(({ guildId, names }) => `${slashed(names)} in guild ${guildId}`).join(', ');
    const why = weRegister
      ? "Most likely the bot's own deploy script replaced the whole list of commands (a bulk PUT). Add ours to the"
      : "They were to be deployed with the bot's own (`register: false`). Add them to the";
    logger.warn(
      `Discord does not have ${where}. ${why} list that it deploys: \`body: [...commands, ...cacheCommandData(config)]\`.`,
    );
  } catch (error) {
    logger.warn('Whether the cache commands are registered could not be checked.', { error });
  }
}

function slashed(names: readonly string[]): string {
  return names.map((name) => `/${name}`).join(', ');
}
