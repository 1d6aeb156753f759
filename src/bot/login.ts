/** Logging in, which ends in one of two ways within a time: the client is ready, or an error says why not. */
import { type Client, Events } from 'discord.js';
import { unreachable } from '../commands/discord-failure.ts';
import { closingError, StartError } from './failure.ts';

/** Discord answers within a second or two; what takes longer than this is out of reach. */
const LOGIN_LIMIT_MS = 20_000;

/**
 * Resolves when the client is ready.
 * @throws StartError when the gateway refuses or the time is over; what discord.js throws otherwise
 */
export async function logIn(client: Client, token: string, limitMs: number = LOGIN_LIMIT_MS): Promise<void> {
  let settle = () => {};
  const decided = new Promise<void>((resolve, reject) => {
    const closed = ({ code }: { readonly code: number }) => reject(closingError(code));
    const ready = () => resolve();
    const timer = setTimeout(
      () => reject(new StartError(unreachable(`no answer within ${limitMs / 1_000} s`))),
      limitMs,
    );
    client.once(Events.ClientReady, ready).once(Events.ShardDisconnect, closed);
    settle = () => {
      clearTimeout(timer);
      client.off(Events.ClientReady, ready).off(Events.ShardDisconnect, closed);
    };
  });
  // The gateway may refuse after `login` has resolved, and `login` may wait for ever.
  const login = client.login(token).then(() => decided);
  try {
    await Promise.race([login, decided]);
  } finally {
    settle();
  }
}
