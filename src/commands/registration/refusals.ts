/** Why Discord does not take our commands, in words that say what to do. */
import { errorText } from '../../cache/error-text.ts';
import { discordCode, discordFailure } from '../discord-failure.ts';

/** A sentence about a failed request for a guild's commands. */
export function explainRefusal(error: unknown, guildId: string, applicationId: string): string {
  switch (discordCode(error)) {
    case 30032:
      return `Guild ${guildId} has 100 slash commands already, which is all that Discord allows: remove some there.`;
    case 30034:
      return `Guild ${guildId} has used up the 200 new commands that Discord allows in a day: try again tomorrow.`;
    case 10004:
      return `Discord knows no guild ${guildId}, or the bot is not a member there: ${wayIn(guildId, applicationId)}`;
    case 50001:
      return (
        `The bot cannot register commands in guild ${guildId}: it is not a member there, or was invited without ` +
        `\`applications.commands\`; ${wayIn(guildId, applicationId)}`
      );
    default:
      return `Discord did not change the commands in guild ${guildId}: ${discordFailure(error) ?? errorText(error)}`;
  }
}

function wayIn(guildId: string, applicationId: string): string {
  return (
    'check `admin.guild_ids`, or invite it with ' +
    `https://discord.com/oauth2/authorize?client_id=${applicationId}&scope=bot+applications.commands&guild_id=${guildId}`
  );
}
