/**
 * Keeps secrets out of the log, tokens of interactions and webhooks among them: discord.js puts the URL of a refused
 * request into its errors, and the token in it lets whoever reads it answer in the bot's name for a quarter of an hour.
 */

export { withoutSecretsIn as withoutTokens } from '../logger/secrets.ts';
export { secretFreeLogger as tokenFreeLogger } from '../logger.ts';
