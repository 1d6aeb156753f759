/**
 * Takes our commands off guilds that are no longer admin guilds. Ours is what we remember to have made, and what
 * nobody has changed since: Discord gives a command that a host puts in place of ours the same id, with another version.
 */
import { type APIApplicationCommand, RESTJSONErrorCodes, Routes } from 'discord-api-types/v10';
import { errorText } from '../../cache/error-text.ts';
import { discordCode, discordFailure } from '../discord-failure.ts';
import type { KeptCommand, KeptCommands } from './command-store.ts';
import type { RegistrationRest } from './registration.ts';

/** A guild that is no longer an admin guild. */
export interface FormerGuild {
  readonly guildId: string;
  readonly remove: readonly string[];
}

export interface FormerOptions {
  readonly rest: RegistrationRest;
  readonly kept: KeptCommands;
  readonly application: string;
  isFormer(guildId: string): boolean;
  /** Otherwise it only looks. */
  readonly removes: boolean;
}

/** What is to leave each of them, or has left. A guild that the bot is not in is asked again at the next start. */
export async function tidyFormer(
  options: FormerOptions,
): Promise<{ readonly former: readonly FormerGuild[]; readonly problems: readonly string[] }> {
  const { kept, application, isFormer } = options;
  const ours = (await kept.of(application)).filter(({ guildId }) => isFormer(guildId));
  const former: FormerGuild[] = [];
  const problems: string[] = [];
  for (const [guildId, commands] of Map.groupBy(ours, (command) => command.guildId)) {
    try {
      const remove = await tidyGuild(guildId, commands, options);
      if (remove.length > 0) former.push({ guildId, remove });
    } catch (error) {
      if (isOutside(error)) continue;
      const why = discordFailure(error) ?? errorText(error);
      problems.push(
        `Guild ${guildId} is no admin guild any more, but still lists our commands, which refuse everybody: ${why}`,
      );
    }
  }
  return { former, problems };
}

async function tidyGuild(
  guildId: string,
  commands: readonly KeptCommand[],
  { rest, kept, application, removes }: FormerOptions,
): Promise<string[]> {
  const answer = await rest.get(Routes.applicationGuildCommands(application, guildId));
  const there = answer as readonly APIApplicationCommand[]; // as Discord documents it
  const names: string[] = [];
  for (const command of commands) {
    const isThere = there.some(({ id, version }) => id === command.id && version === command.version);
    if (isThere) names.push(command.name);
    if (!removes) continue;
    if (isThere) await rest.delete(Routes.applicationGuildCommand(application, guildId, command.id));
    await kept.forget(command);
  }
  return names;
}

function isOutside(error: unknown): boolean {
  const code = discordCode(error);
  return code === RESTJSONErrorCodes.UnknownGuild || code === RESTJSONErrorCodes.MissingAccess;
}
