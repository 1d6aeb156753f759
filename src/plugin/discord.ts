/**
 * What the plugin takes of discord.js, as types of its own. discord.js has its types twice, for ES modules and for
 * CommonJS, and a class with private members fits its own copy alone: a host in TypeScript could not hand its client to
 * declarations that name the other copy.
 */

/** A `Client` of discord.js 14, of whichever build. */
export interface DiscordClient {
  readonly rest: object;
  readonly ws: object;
  isReady(): boolean;
  login(token?: string): Promise<string>;
  destroy(): Promise<void>;
}

/** An interaction of discord.js 14: a command, a completion, a press of a component, or a modal. */
export interface DiscordInteraction {
  readonly id: string;
  readonly type: number;
  isChatInputCommand(): boolean;
  isAutocomplete(): boolean;
  isMessageComponent(): boolean;
  isModalSubmit(): boolean;
}
