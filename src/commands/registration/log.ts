/** Registration as the log tells it, when the bot starts. */
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

function slashed(names: readonly string[]): string {
  return names.map((name) => `/${name}`).join(', ');
}
