/**
 * One running Cachecord a client: two that listen would both answer an interaction, and the second answer fails (40060).
 * A listener carries the mark, so that it goes with it and nothing else of the client is touched; under a symbol of the
 * whole process, so that another copy of the package finds it: a second version, or the other module format.
 */
import type { Client } from 'discord.js';
import { CacheError } from '../cache/errors.ts';
import { ownVersion } from './own-version.ts';

const RUNNING = Symbol.for('cachecord.running');

/** The listener of this event carries the mark. */
const EVENT = 'guildDelete';

/** Marks the listener of `guildDelete` as that of a running Cachecord. */
export function marked<F extends object>(listener: F): F {
  return Object.assign(listener, { [RUNNING]: ownVersion() });
}

/** @throws CacheError `ERR_ARGUMENT_INVALID` where Cachecord runs on the client already */
export function assertAlone(client: Client): void {
  for (const listener of client.listeners(EVENT)) {
    if (!(RUNNING in listener)) continue;
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `Cachecord ${String(listener[RUNNING])} runs on this client already, and two would both answer. Await stop() of the first before you start another (as at a hot reload), or go on using the first.`,
    );
  }
}
