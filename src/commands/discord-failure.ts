/**
 * Why a request to Discord failed, in one sentence that says what to do. Errors are known by their shape: the REST client
 * may come from another copy of `@discordjs/rest`, whose classes are not ours.
 */

/** What to do about a token that Discord refuses. */
export const TOKEN_REFUSED =
  'Discord does not accept the token: check DISCORD_TOKEN, or make a new one in the developer portal.';

/** Unknown Application, and an application that is not the token's. */
const WRONG_APPLICATION: readonly unknown[] = [10_002, 20_012];
const APPLICATION_REFUSED =
  'Discord knows no application of yours by this token: take DISCORD_TOKEN from the page Bot of the application in the developer portal.';

/** The code of Discord's JSON error (`50001`), if the error is Discord's answer. */
export function discordCode(error: unknown): number | undefined {
  if (statusOf(error) === undefined) return undefined;
  const code: unknown = Reflect.get(Object(error), 'code');
  return typeof code === 'number' ? code : undefined;
}

/** @returns undefined for what is neither an answer of Discord's nor a failure of the network */
export function discordFailure(error: unknown): string | undefined {
  const status = statusOf(error);
  if (status === undefined || !(error instanceof Error)) {
    return isNetworkError(error) ? unreachable(reasonOf(error)) : undefined;
  }
  if (status === 401) return TOKEN_REFUSED;
  if (WRONG_APPLICATION.includes(discordCode(error))) return APPLICATION_REFUSED;
  const todo =
    status >= 500 || status === 429
      ? 'try again later, and see https://discordstatus.com.'
      : 'https://discord.com/developers/docs/topics/opcodes-and-status-codes says what that means.';
  return `Discord answered ${status} (${error.message}): ${todo}`;
}

/** @param reason what was seen of it */
export function unreachable(reason: string): string {
  return `Discord can't be reached: ${reason}. Check the network and DISCORD_API_URL (if it is set), then start again.`;
}

/** The HTTP status of Discord's answer, where a request of `@discordjs/rest` was refused. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || !('url' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}

const NETWORK_CODES =
  /^(?:E(?:CONN\w+|HOST\w+|NET\w+|AI_\w+|NOTFOUND|PIPE|TIMEDOUT|PROTO)|UND_ERR_\w+|CERT_\w+|DEPTH_\w+|SELF_\w+)$/;

function isNetworkError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return NETWORK_CODES.test(codeOf(error)) || error.name === 'AbortError' || isNetworkError(error.cause);
}

function reasonOf(error: Error): string {
  if (error.cause instanceof Error && error.message === 'fetch failed') return reasonOf(error.cause);
  return error.message === '' ? codeOf(error) || error.name : error.message;
}

function codeOf(error: Error): string {
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : '';
}
