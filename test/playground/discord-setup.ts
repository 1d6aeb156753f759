/** A local Discord with an unmodified discord.js client logged in to it, both ended after the test. */
import { Client, type ClientEvents, Events, GatewayIntentBits } from 'discord.js';
import { onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import type { LocalDiscordOptions } from '../../playground/discord/types.ts';

/** A local Discord that ends with the test. */
export async function startDiscord(options: LocalDiscordOptions = {}): Promise<LocalDiscord> {
  const local = await LocalDiscord.start(options);
  onTestFinished(() => local.stop());
  return local;
}

export interface LoggedIn {
  readonly local: LocalDiscord;
  readonly client: Client<true>;
  /** Errors that the client reported; a test that expects none looks here. */
  readonly errors: Error[];
}

/** Logs a client in, with the Guilds intent unless others are named. */
export async function logIn(
  options: LocalDiscordOptions = {},
  intents: readonly GatewayIntentBits[] = [GatewayIntentBits.Guilds],
): Promise<LoggedIn> {
  const local = await startDiscord(options);
  const client = new Client({
    intents,
    rest: { api: local.apiUrl, retries: 1 },
    // By itself a client waits 5 seconds before it identifies a second time.
    ws: { buildIdentifyThrottler: async () => ({ waitForIdentify: async () => undefined }) },
  });
  const errors: Error[] = [];
  client.on(Events.Error, (error) => errors.push(error));
  onTestFinished(() => client.destroy());
  const ready = once(client, Events.ClientReady);
  await client.login(local.token);
  await ready;
  return { local, client: client as Client<true>, errors };
}

/** The next event of this name. */
export function once<Name extends keyof ClientEvents>(
  client: Client,
  name: Name,
): Promise<ClientEvents[Name]> {
  return new Promise((resolve) => {
    client.once(name, (...values) => resolve(values));
  });
}

/** A request as any program could send it. */
export async function rest(
  local: LocalDiscord,
  method: string,
  path: string,
  body?: unknown,
  token = local.token,
) {
  const response = await fetch(`${local.apiUrl}/v10${path}`, {
    method,
    headers: { authorization: `Bot ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // What Discord answers is for the test to look at.
  return { status: response.status, body: text === '' ? null : JSON.parse(text), headers: response.headers };
}
