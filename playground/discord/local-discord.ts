/** A Discord of one's own on loopback: REST, gateway, and people who use it. */
import type { Clock } from '../../src/cache/clock.ts';
import type { LocalDiscordOptions, RequestRecord, Session } from './types.ts';

export class LocalDiscord {
  static start(_options: LocalDiscordOptions = {}): Promise<LocalDiscord> {
    throw new Error('not built yet');
  }
  declare readonly apiUrl: string;
  declare readonly origin: string;
  declare readonly token: string;
  declare readonly applicationId: string;
  declare readonly clock: Clock;
  declare readonly requestLog: readonly RequestRecord[];
  declare readonly as: (userId: string) => Session;
  declare readonly stop: () => Promise<void>;
}
