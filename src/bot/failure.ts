/** Why the bot could not start, in a line that says what to do. What is not known is told as it came. */
import { DiscordjsError, DiscordjsErrorCodes, GatewayCloseCodes } from 'discord.js';
import { CacheError } from '../cache/errors.ts';
import { discordFailure, TOKEN_REFUSED } from '../commands/discord-failure.ts';
import { DatabaseError } from '../db/errors.ts';
import { withoutSecrets } from '../logger/secrets.ts';

/** A failure that is told already as people should read it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Close codes after which the gateway takes nobody back. */
const CLOSINGS: Readonly<Record<number, string>> = {
  [GatewayCloseCodes.AuthenticationFailed]:
    'Discord did not accept the token at the gateway: check DISCORD_TOKEN, or make a new one in the developer portal.',
  [GatewayCloseCodes.DisallowedIntents]:
    'Discord does not allow this bot an intent that it asked for: enable it in the developer portal under Bot, ' +
    'Privileged Gateway Intents. Cachecord itself needs the intent Guilds alone.',
  [GatewayCloseCodes.InvalidIntents]:
    'Discord does not know an intent that the bot asked for: update discord.js.',
  [GatewayCloseCodes.ShardingRequired]:
    'Discord asks this bot to shard: it is in too many guilds for one process.',
};

/** @param code how the gateway closed */
export function closingError(code: number): StartError {
  return new StartError(CLOSINGS[code] ?? `Discord closed the gateway for good, with code ${code}.`);
}

/** One line, or as many as there are problems in the configuration. What is secret in an error is left out. */
export function failureText(error: unknown): string {
  return withoutSecrets(textOf(error));
}

function textOf(error: unknown): string {
  if (error instanceof CacheError || error instanceof DatabaseError || error instanceof StartError) {
    return error.message;
  }
  if (error instanceof DiscordjsError && error.code === DiscordjsErrorCodes.TokenInvalid) {
    return TOKEN_REFUSED;
  }
  const failure = discordFailure(error);
  if (failure !== undefined) return failure;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
