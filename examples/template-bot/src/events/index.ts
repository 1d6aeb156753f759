import type { ClientEvents } from 'discord.js';

/** What a file in this folder exports by default. */
export interface Event<Name extends keyof ClientEvents = keyof ClientEvents> {
  name: Name;
  once?: boolean;
  execute(...parameters: ClientEvents[Name]): Promise<void> | void;
}

export function isEvent(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && 'name' in value && 'execute' in value;
}
