/** The gateway and the door: who is let in, what survives a cut, and what a page on the web gets. */
import { request } from 'node:http';
import { Client, Events, GatewayIntentBits, MessageFlags } from 'discord.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { logIn, once, rest, startDiscord } from './discord-setup.ts';

describe('the handshake', () => {
  it('closes with 4004 on a wrong token', async () => {
    const local = await startDiscord();
    const code = await closeCode(local, { op: 2, d: { token: 'wrong', intents: 1, properties: {} } });
    expect(code).toBe(4004);
  });

  it('closes with 4014 on a privileged intent that the application does not have', async () => {
    const local = await startDiscord();
    const client = new Client({ intents: [GatewayIntentBits.GuildMembers], rest: { api: local.apiUrl } });
    onTestFinished(() => client.destroy());
    await expect(client.login(local.token)).rejects.toThrow('disallowed intents');
  });

  it('closes with 4001, 4002, 4003 and 4013 on what it cannot take', async () => {
    const local = await startDiscord();
    expect(await closeCode(local, { op: 99, d: null })).toBe(4001);
    expect(await closeCode(local, 'no json')).toBe(4002);
    expect(await closeCode(local, { op: 8, d: { guild_id: '1' } })).toBe(4003);
    expect(await closeCode(local, { op: 2, d: { token: local.token, intents: -1 } })).toBe(4013);
  });

  it('refuses a login over REST with a wrong token', async () => {
    const local = await startDiscord();
    const client = new Client({ intents: [], rest: { api: local.apiUrl } });
    onTestFinished(() => client.destroy());
    await expect(client.login(local.token.replace(/.$/, '#'))).rejects.toThrow(/token/i);
  });

  it('answers a request for members where the intent is allowed', async () => {
    const intents = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMembers];
    const { local, client } = await logIn({ world: { privilegedIntents: true, shoppers: 5 } }, intents);
    const members = await client.guilds.cache.get(local.world.home.id)?.members.fetch();
    expect(members?.size).toBe(local.world.home.members.size);
  });

  it('recommends as many shards as it was told to', async () => {
    const shards = async (local: LocalDiscord) => (await rest(local, 'GET', '/gateway/bot')).body.shards;
    expect(await shards(await startDiscord())).toBe(1);
    expect(await shards(await startDiscord({ shards: 2 }))).toBe(2);
  });

  it('gives each shard the guilds that are its own', async () => {
    const local = await startDiscord({ world: { furtherGuilds: ['Third', 'Fourth'] } });
    const client = new Client({
      intents: [GatewayIntentBits.Guilds],
      rest: { api: local.apiUrl },
      shards: [0, 1],
      shardCount: 2,
    });
    onTestFinished(() => client.destroy());
    const ready = once(client, Events.ClientReady);
    await client.login(local.token);
    await ready;
    for (const guild of client.guilds.cache.values()) {
      expect(guild.shardId).toBe(Number((BigInt(guild.id) >> 22n) % 2n));
    }
    expect(client.guilds.cache.has(local.world.home.id)).toBe(true);
  });
});

describe('a connection that is lost', () => {
  it.each([
    ['as a network drops it', { resumable: true, cut: true }],
    ['as Discord asks for it', { resumable: true }],
  ])('is resumed, and what was missed is replayed: %s', async (_, how) => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create({ name: 'ping', description: 'Answers.' }, home.id);
    client.on(Events.InteractionCreate, (interaction) => {
      if (interaction.isChatInputCommand())
        interaction.reply({ content: 'pong', flags: MessageFlags.Ephemeral });
    });
    const resumed = once(client, Events.ShardResume);
    local.disconnectBot(how);
    expect(local.isBotOnline).toBe(false);
    const run = await local.as(people.ada.id).run(channels.ops, 'ping');
    await resumed;
    expect((await run.reply()).content).toBe('pong');
    expect(local.gatewaySessionCount).toBe(1);
  });

  it('ends for good when the client says goodbye', async () => {
    const { local, client } = await logIn();
    const offline = new Promise<boolean>((resolve) => {
      local.on('bot', ({ online }) => resolve(!online));
    });
    await client.destroy();
    expect(await offline).toBe(true);
    expect(local.gatewaySessionCount).toBe(0);
  });

  it('must identify anew where the session is gone', async () => {
    const { local, client } = await logIn();
    const ready = once(client, Events.ShardReady);
    local.disconnectBot({ resumable: false });
    await ready;
    expect(local.isBotOnline).toBe(true);
  });
});

describe('guilds', () => {
  it('go away in an outage and come back', async () => {
    const { local, client } = await logIn();
    const { elsewhere } = local.world;
    const away = once(client, Events.GuildUnavailable);
    local.setGuildAvailable(elsewhere.id, false);
    expect((await away)[0].id).toBe(elsewhere.id);
    const back = once(client, Events.GuildAvailable);
    local.setGuildAvailable(elsewhere.id, true);
    expect((await back)[0].id).toBe(elsewhere.id);
  });

  it('can remove the bot', async () => {
    const { local, client } = await logIn();
    const removed = once(client, Events.GuildDelete);
    local.removeBotFrom(local.world.elsewhere.id);
    expect((await removed)[0].name).toBe('Somewhere Else');
  });
});

describe('the door', () => {
  it('lets nobody in under another host name', async () => {
    const local = await startDiscord();
    expect(await statusOf(local, { host: `evil.example:${local.port}` })).toBe(403);
    expect(await statusOf(local, { host: `localhost:${local.port}` })).toBe(200);
  });

  it('lets no foreign page in, by REST or gateway', async () => {
    const local = await startDiscord();
    expect(await statusOf(local, { origin: 'https://evil.example' })).toBe(403);
    expect(await statusOf(local, { origin: 'null' })).toBe(403);
    expect(await statusOf(local, { origin: local.origin })).toBe(200);
    const socket = new WebSocket(local.gatewayUrl, { origin: 'https://evil.example' });
    const refusal = new Promise((resolve) => {
      socket.on('error', (error) => resolve(error.message));
    });
    expect(await refusal).toContain('403');
  });

  it('listens on loopback alone', async () => {
    const local = await startDiscord();
    expect(local.server.address()).toMatchObject({ address: '127.0.0.1' });
  });

  it('serves other pages on the same port, behind the same checks', async () => {
    const local = await startDiscord({
      extend: (asked) => (new URL(asked.url).pathname === '/' ? new Response('a page') : null),
    });
    expect(await (await fetch(local.origin)).text()).toBe('a page');
    expect((await fetch(`${local.origin}/else`)).status).toBe(404);
    expect(await statusOf(local, { origin: 'https://evil.example' }, '/')).toBe(403);
  });
});

/** The code that the gateway closes with after this message. */
function closeCode(local: LocalDiscord, message: unknown): Promise<number> {
  const socket = new WebSocket(`${local.gatewayUrl}?v=10&encoding=json`);
  socket.on('open', () => socket.send(typeof message === 'string' ? message : JSON.stringify(message)));
  return new Promise((resolve) => {
    socket.on('close', (code) => resolve(code));
  });
}

/** `fetch` sets Host by itself, so this goes a level below. */
function statusOf(
  local: LocalDiscord,
  headers: Record<string, string>,
  path = '/api/v10/gateway',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: local.port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end();
  });
}
