/** Why Discord does not take our commands, in words that say what to do. */
import { DiscordAPIError } from 'discord.js';
import { errorText } from '../../cache/error-text.ts';

/** A sentence or two about a failed request for a guild's commands. */
export function explainRefusal(error: unknown, guildId: string, applicationId: string): string {
  const code = error instanceof DiscordAPIError ? Number(error.code) : undefined;
  switch (code) {
    case 30032:
      return `Guild ${guildId} has 100 slash commands already, which is all that Discord allows: remove some there.`;
    case 30034:
      return `Guild ${guildId} has used up the 200 new commands that Discord allows in a day: try again tomorrow.`;
    case 10004:
    case 50001:
      return (
        `The bot cannot register commands in guild ${guildId}: it is not a member there, or was invited without ` +
        '`applications.commands`. Check `admin.guild_ids`, or invite it with ' +
        `https://discord.com/oauth2/authorize?client_id=${applicationId}&scope=bot+applications.commands&guild_id=${guildId}`
      );
    default:
      return `Discord did not take the commands in guild ${guildId}: ${errorText(error)}`;
  }
}
