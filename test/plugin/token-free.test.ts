/** The log never holds a token with which somebody else could answer in the bot's name. */
import { inspect } from 'node:util';
import { DiscordAPIError, Events, RateLimitError } from 'discord.js';
import { describe, expect, it } from 'vitest';
import { withoutTokens } from '../../src/commands/token-free.ts';
import { host } from './setup.ts';

const ID = '1234567890123456789';
const TOKEN = `aW50ZXJhY3Rpb24_${'x'.repeat(180)}`;

function refused(path: string): DiscordAPIError {
  const url = `https://discord.com/api/v10${path}`;
  return new DiscordAPIError({ code: 10062, message: 'Unknown interaction' }, 10062, 404, 'POST', url, {
    body: undefined,
  });
}

describe('tokens of interactions and webhooks', () => {
  it.each([
    `/interactions/${ID}/${TOKEN}/callback`,
    `/webhooks/${ID}/${TOKEN}/messages/@original?with_components=true`,
    `/webhooks/${ID}/${TOKEN}`,
  ])('are taken out of the error of a refused request: %s', (path) => {
    const error = refused(path);
    const clean = withoutTokens({ error }).error;
    expect(inspect(clean, { depth: 9 })).not.toContain(TOKEN);
    expect(clean).toBeInstanceOf(DiscordAPIError);
    expect(clean).toMatchObject({
      message: 'Unknown interaction',
      name: 'DiscordAPIError[10062]',
      code: 10062,
    });
    expect(clean.stack).toBe(error.stack);
    expect(clean.url).toContain(`/${ID}/[token]`);
    // Who has it still needs it as it was.
    expect(error.url).toContain(TOKEN);
  });

  it('are taken out of causes, lists and rate limits', () => {
    const limit = new RateLimitError({
      global: false,
      method: 'POST',
      url: `https://discord.com/api/v10/webhooks/${ID}/${TOKEN}`,
      route: '/webhooks/:id/:token',
      majorParameter: `${ID}/${TOKEN}`,
      hash: 'POST:/webhooks/:id/:token',
      limit: 1,
      timeToReset: 1,
      retryAfter: 1,
      sublimitTimeout: 0,
      scope: 'user',
    });
    const error = new Error('could not answer', { cause: [limit, refused(`/webhooks/${ID}/${TOKEN}`)] });
    expect(inspect(withoutTokens({ error }), { depth: 9 })).not.toContain(TOKEN);
  });

  it('are all that is taken out: what has none is handed on as it is', () => {
    const fields = { error: refused(`/guilds/${ID}/members`), list: [1, { a: null }], map: new Map() };
    expect(withoutTokens(fields)).toBe(fields);
  });

  it('do not reach the logger when the client reports what a handler of the host could not send', async () => {
    const { client, log } = await host();
    // Of the listeners for errors only the plugin's, which came last, is left, as in a host that has none.
    const [ours] = client.listeners(Events.Error).slice(-1);
    client.removeAllListeners(Events.Error).on(Events.Error, (error) => ours?.(error));
    client.emit(Events.Error, refused(`/interactions/${ID}/${TOKEN}/callback`));
    const [line] = log.filter(({ level }) => level === 'error');
    expect(line?.message).toBe('The Discord client reported an error.');
    expect(inspect(line, { depth: 9 })).toContain(`/interactions/${ID}/[token]/callback`);
    expect(inspect(line, { depth: 9 })).not.toContain(TOKEN);
  });
});
