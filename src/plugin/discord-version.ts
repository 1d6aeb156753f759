/** Whether a client is of a discord.js that the plugin works with; the range stands in package.json, too. */
import { version as ownVersion } from 'discord.js';
import { CacheError } from '../cache/errors.ts';
import type { DiscordClient } from './discord.ts';

const MAJOR = 14;
/** Older ones cannot send what the commands answer. */
const FIRST_MINOR = 21;

/**
 * @param client tells its own version in the user agent of its requests: there may be several discord.js in a process
 * @throws CacheError `ERR_ARGUMENT_INVALID` for a version that is too old, or of another major
 */
export function assertDiscordVersion(client: DiscordClient): void {
  const { options } = client as {
    readonly options?: { readonly rest?: { readonly userAgentAppendix?: unknown } };
  };
  const told = /discord\.js\/(\d+\.\d+\.\d+\S*)/.exec(String(options?.rest?.userAgentAppendix))?.[1];
  const version = told ?? ownVersion;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === MAJOR && minor >= FIRST_MINOR) return;
  throw new CacheError(
    'ERR_ARGUMENT_INVALID',
    `createCachecord needs discord.js ${MAJOR}.${FIRST_MINOR} or a newer ${MAJOR}, and this client is of ${version}: npm install discord.js@${MAJOR}`,
  );
}
