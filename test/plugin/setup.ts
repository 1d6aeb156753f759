/** A host bot logged in to a local Discord, with the plugin beside it. */
import { onTestFinished, vi } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import type { LocalDiscordOptions } from '../../playground/discord/types.ts';
import type { AuditEntry } from '../../src/commands/audit-entry.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { Logger } from '../../src/logger.ts';
import type { Cachecord, CachecordOptions, StartOptions } from '../../src/plugin/cachecord.ts';
import { createCachecord } from '../../src/plugin/plugin.ts';
import { type LoggedIn, logIn } from '../playground/discord-setup.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';

export interface Line {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A logger that keeps what it is told. */
export function keptLog(): { readonly lines: Line[]; readonly logger: Logger } {
  const lines: Line[] = [];
  const at = (level: keyof Logger) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push({ level, message, fields: fields ?? {} });
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

export interface Hosted extends LoggedIn {
  readonly plugin: Cachecord;
  readonly clock: HandClock;
  readonly log: readonly Line[];
  readonly audit: readonly AuditEntry[];
}

export interface HostedOptions extends StartOptions {
  /** Section `admin` of the configuration, beside the guild ids. */
  readonly admin?: (local: LocalDiscord) => object;
  /** @default the home guild */
  readonly guildIds?: (local: LocalDiscord) => readonly string[];
  readonly discord?: LocalDiscordOptions;
  readonly plugin?: Partial<CachecordOptions>;
  /** @default true */
  readonly started?: boolean;
}

/** The plugin at a client that is ready, started and registered. */
export async function host(options: HostedOptions = {}): Promise<Hosted> {
  const loggedIn = await logIn(options.discord);
  const { local, client } = loggedIn;
  const clock = handClock(Date.now());
  const { lines, logger } = keptLog();
  const audit: AuditEntry[] = [];
  const guild_ids = options.guildIds?.(local) ?? [local.world.home.id];
  const plugin = createCachecord(client, {
    config: parseConfig({ admin: { guild_ids, ...options.admin?.(local) } }),
    clock,
    logger,
    auditSink: (entry) => audit.push(entry),
    ...options.plugin,
  });
  onTestFinished(() => plugin.stop());
  if (options.started !== false) {
    await plugin.start(options);
    if (options.register !== false && guild_ids.length > 0) await registered(local, guild_ids);
  }
  return { ...loggedIn, plugin, clock, log: lines, audit };
}

/** Waits for what becomes true by itself, as long as a busy machine may need. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000, interval: 5 });
}

/** Waits until the four commands are in each of these guilds. */
export async function registered(local: LocalDiscord, guildIds: readonly string[]): Promise<void> {
  await eventually(() => {
    for (const id of guildIds) {
      const names = local.registeredCommands(id).map(({ name }) => name);
      for (const name of COMMANDS) if (!names.includes(name)) throw new Error(`no /${name} in ${id}`);
    }
  });
}

export const COMMANDS = ['cache-stats', 'cache-clear', 'cache-warm', 'cache-info'] as const;
