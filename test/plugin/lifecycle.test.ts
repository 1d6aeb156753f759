/** Start and stop: what the plugin adds to a host's client, and that all of it goes again (I13). */
import { Client, Events } from 'discord.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { cached } from '../../src/cache/wrappers/wrappers.ts';
import { parseConfig } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { createCachecord } from '../../src/plugin/plugin.ts';
import type { WarmTask } from '../../src/warmers/types.ts';
import { textOf } from '../commands/spoken.ts';
import { logIn, startDiscord } from '../playground/discord-setup.ts';
import { handClock } from '../support/hand-clock.ts';
import { COMMANDS, eventually, host, keptLog, registered } from './setup.ts';

/** How many listeners a client has, by event. */
function listeners(client: Client): Record<string, number> {
  return Object.fromEntries(client.eventNames().map((name) => [String(name), client.listenerCount(name)]));
}

/** Everything that a prototype or object has of its own. */
const own = (target: object) => Reflect.ownKeys(target).map(String).sort();

describe('start', () => {
  it('adds one listener for interactions, one for guilds that are left, and one for errors', async () => {
    const { client, plugin } = await host({ started: false });
    const before = listeners(client);
    await plugin.start({ register: false });
    expect(listeners(client)).toEqual({
      ...before,
      interactionCreate: 1,
      guildDelete: 1,
      error: (before.error ?? 0) + 1,
    });
  });

  it('called twice starts once', async () => {
    const { client, plugin } = await host({ started: false });
    await Promise.all([plugin.start({ register: false }), plugin.start({ register: false })]);
    expect(client.listenerCount(Events.InteractionCreate)).toBe(1);
  });

  it('is refused while another one runs on the client, with words that say what to do, and works after its stop', async () => {
    const { client, plugin } = await host({ started: false });
    await plugin.start({ register: false });
    const make = () => createCachecord(client, { config: parseConfig({}), logger: silentLogger });
    const second = make();
    onTestFinished(() => second.stop());
    await expect(second.start({ register: false })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT_INVALID',
      message: expect.stringMatching(/runs on this client already.*stop\(\)/),
    });
    expect(client.listenerCount(Events.InteractionCreate)).toBe(1);
    // A hot reload: what stops the first need not be awaited for its listeners to be gone.
    const stopping = plugin.stop();
    await second.start({ register: false });
    await stopping;
    expect(client.listenerCount(Events.InteractionCreate)).toBe(1);
    await expect(make().start({ register: false })).rejects.toThrow('already');
    await second.stop();
    expect(client.listenerCount(Events.InteractionCreate)).toBe(0);
  });

  it('is refused, too, where another copy of the package runs on the client', async () => {
    const { client, plugin } = await host({ started: false });
    const listener = Object.assign(() => undefined, { [Symbol.for('cachecord.running')]: '0.0.9' });
    client.on(Events.GuildDelete, listener);
    await expect(plugin.start({ register: false })).rejects.toThrow(
      'Cachecord 0.0.9 runs on this client already',
    );
    client.off(Events.GuildDelete, listener);
    await plugin.start({ register: false });
  });

  it('that was forgotten is named in the log, ten seconds after the login', async () => {
    const { clock, log } = await host({ started: false });
    await clock.advance(9_000);
    expect(log).toEqual([]);
    await clock.advance(2_000);
    expect(log.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^cachecord\.start\(\) was not called.*await cachecord\.start\(\)/),
    ]);
  });

  it.each(['start', 'stop'] as const)('is not missed any more after %s, before the login', async (act) => {
    const client = new Client({ intents: [] });
    onTestFinished(() => client.destroy());
    const { lines, logger } = keptLog();
    const clock = handClock(Date.now());
    const config = parseConfig({});
    const plugin = createCachecord(client, { config, clock, logger });
    onTestFinished(() => plugin.stop());
    await plugin[act]();
    const waits = client.listenerCount(Events.ClientReady);
    expect(waits).toBe(act === 'start' ? 1 : 0); // the one of `start` registers
    await clock.advance(60_000);
    expect(lines.filter(({ message }) => message.includes('was not called'))).toEqual([]);
  });

  it('before the login registers as soon as the client is ready', async () => {
    const local = await startDiscord();
    const client = new Client({ intents: [], rest: { api: local.apiUrl } });
    onTestFinished(() => client.destroy());
    const config = parseConfig({ admin: { guild_ids: [local.world.home.id] } });
    const plugin = createCachecord(client, { config, logger: silentLogger });
    onTestFinished(() => plugin.stop());
    await plugin.start();
    expect(local.registeredCommands(local.world.home.id)).toEqual([]);
    await client.login(local.token);
    await registered(local, [local.world.home.id]);
  });

  it('touches no prototype, and nothing of the client but its listeners', async () => {
    const prototypes = [Client.prototype, Object.getPrototypeOf(Client.prototype)];
    const before = prototypes.map(own);
    const { client } = await logIn();
    const clientBefore = own(client);
    const plugin = createCachecord(client, { config: parseConfig({}), logger: silentLogger });
    onTestFinished(() => plugin.stop());
    await plugin.start({ register: false });
    expect(prototypes.map(own)).toEqual(before);
    expect(own(client)).toEqual(clientBefore);
  });

  it.each(['components', 'none'] as const)(
    'with listen "%s" leaves the commands to the host',
    async (listen) => {
      const { local, plugin, client } = await host({ listen });
      const { people, channels } = local.world;
      const seen: string[] = [];
      client.on(Events.InteractionCreate, (interaction) => {
        seen.push(String(interaction.type));
        const command = plugin.commands.find(
          ({ data }) => interaction.isCommand() && data.name === interaction.commandName,
        );
        if (interaction.isChatInputCommand()) void command?.execute(interaction);
      });
      const run = await local.as(people.ada.id).run(channels.ops, 'cache-info');
      expect(textOf(await run.reply())).toContain('Cache Configuration');
      expect(seen).toHaveLength(1);
    },
  );

  it('keeps an error of the client from ending the process, and tells it where nobody else does', async () => {
    const local = await startDiscord();
    const { lines, logger } = keptLog();
    const client = new Client({ intents: [], rest: { api: local.apiUrl } });
    const plugin = createCachecord(client, { config: parseConfig({}), logger });
    onTestFinished(() => plugin.stop());
    await plugin.start();
    const errors = () => lines.filter(({ level }) => level === 'error');
    client.emit(Events.Error, new Error('connection reset'));
    expect(errors()).toHaveLength(1);
    client.on(Events.Error, () => undefined);
    client.emit(Events.Error, new Error('connection reset'));
    expect(errors()).toHaveLength(1);
  });

  it('logs what the configuration can hardly mean', async () => {
    const { lines, logger } = keptLog();
    const config = parseConfig({ cache: { enabled: false } });
    const plugin = createCachecord(new Client({ intents: [] }), { config, logger });
    await plugin.start();
    await plugin.stop();
    expect(lines.map(({ message }) => message).join('\n')).toMatch(
      /`cache.enabled` is false.*admin\.guild_ids/s,
    );
  });
});

describe('warming by the way', () => {
  const seen: (string | undefined)[] = [];
  const task: WarmTask = {
    name: 'Profile',
    scope: 'user',
    jobs({ userId }) {
      seen.push(userId);
      return [];
    },
  };

  it("warms a person's entries at their first interaction, which nothing waits for", async () => {
    seen.length = 0;
    const { local, client, plugin } = await host({ plugin: { warmTasks: [task] } });
    const { people, channels, home } = local.world;
    await client.application.commands.create({ name: 'ping', description: 'Answers.' }, home.id);
    client.on(Events.InteractionCreate, (interaction) => {
      if (interaction.isChatInputCommand()) void interaction.reply('Pong!');
    });
    for (let i = 0; i < 3; i++) await (await local.as(people.linus.id).run(channels.general, 'ping')).reply();
    await eventually(() => expect(seen).toEqual([people.linus.id]));
    expect(plugin.warmers.status().find(({ warmer }) => warmer === 'user')?.runs).toBe(1);
  });

  it('never warms for bots, nor while the cache is off', async () => {
    seen.length = 0;
    const { client } = await host({ plugin: { warmTasks: [task] }, register: false });
    // As much of an interaction as the listener reads; the local Discord's bots do not use commands.
    client.emit(Events.InteractionCreate, {
      user: { id: '5', bot: true },
      isChatInputCommand: () => false,
      isAutocomplete: () => false,
      isMessageComponent: () => false,
      isModalSubmit: () => false,
    } as never);
    const off = await host({
      plugin: { warmTasks: [task], config: parseConfig({ cache: { enabled: false } }) },
      register: false,
    });
    const { people, channels, home } = off.local.world;
    await off.client.application.commands.create({ name: 'ping', description: 'Answers.' }, home.id);
    off.client.on(Events.InteractionCreate, (interaction) => {
      if (interaction.isChatInputCommand()) void interaction.reply('Pong!');
    });
    await (await off.local.as(people.linus.id).run(channels.general, 'ping')).reply();
    await off.clock.settle();
    expect(seen).toEqual([]);
  });

  it('takes tasks made from the cache, and has warmed before it has started', async () => {
    const { plugin } = await host({
      register: false,
      plugin: {
        warmTasks(cache) {
          const tiers = cached(cache, async () => ['gold'], { key: 'config::tiers' });
          return [{ name: 'Tiers', scope: 'config', jobs: () => [tiers.warm()] }];
        },
      },
    });
    expect(plugin.cache.get('config::tiers')).toEqual(['gold']);
  });
});

describe('I13: stop', () => {
  it('takes every listener off and leaves no timer', async () => {
    const { client, plugin, clock, local } = await host({ started: false });
    const before = listeners(client);
    await plugin.start();
    await registered(local, [local.world.home.id]);
    const { people, channels } = local.world;
    await (await local.as(people.ada.id).run(channels.ops, 'cache-stats')).reply();
    await plugin.stop();
    expect(listeners(client)).toEqual(before);
    expect(clock.pendingTimers).toBe(0);
    expect(local.registeredCommands(local.world.home.id).map(({ name }) => name)).toEqual([...COMMANDS]);
  });

  it('before the login takes back what waited for it', async () => {
    const clock = handClock();
    const client = new Client({ intents: [] });
    const config = parseConfig({ admin: { guild_ids: ['123456789012345678'] } });
    const before = listeners(client);
    const plugin = createCachecord(client, { config, logger: silentLogger, clock });
    await plugin.start();
    await plugin.stop();
    expect(listeners(client)).toEqual(before);
    expect(clock.pendingTimers).toBe(0);
  });

  it('may be called twice, and without a start; a start after it is refused', async () => {
    const { plugin } = await host({ started: false });
    await Promise.all([plugin.stop(), plugin.stop()]);
    await expect(plugin.start()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  it('ends within five seconds, though Discord never answers', async () => {
    const { local, plugin, clock, client } = await host({
      admin: ({ world }) => ({ audit_channel_id: world.channels.audit }),
    });
    const { people, channels } = local.world;
    const recover = local.failNext(({ method }) => method !== 'GET', { delayMs: 60_000, times: 100 });
    void local.as(people.ada.id).run(channels.ops, 'cache-stats');
    await new Promise<void>((resolve) => client.once(Events.InteractionCreate, () => resolve()));
    let isStopped = false;
    const stopping = plugin.stop().then(() => {
      isStopped = true;
    });
    await clock.advanceAsync(5_000);
    expect(isStopped).toBe(true);
    await stopping;
    recover();
  });

  it('sends the audit lines that wait', async () => {
    const { local, plugin } = await host({
      admin: ({ world }) => ({ audit_channel_id: world.channels.audit }),
    });
    const { people, channels } = local.world;
    await (await local.as(people.grace.id).run(channels.ops, 'cache-stats')).reply();
    await plugin.stop();
    expect(local.as(people.ada.id).messages(channels.audit)).toHaveLength(1);
  });

  it('says so to whom a host still sends to it', async () => {
    const { local, client, plugin } = await host();
    const { people, channels } = local.world;
    await plugin.stop();
    client.on(Events.InteractionCreate, (interaction) => void plugin.handle(interaction));
    const run = await local.as(people.ada.id).run(channels.ops, 'cache-stats');
    expect(textOf(await run.reply())).toContain('being stopped');
  });

  it("stops a cache of its own, and not the host's", async () => {
    const config = parseConfig({});
    const cache = createCache({ ...config.cache, logger: silentLogger, clock: handClock() });
    onTestFinished(() => cache.stop());
    const borrowing = createCachecord(new Client({ intents: [] }), { config, cache, logger: silentLogger });
    await borrowing.stop();
    cache.set('config::a', 1);
    expect(cache.has('config::a')).toBe(true);
    const owning = createCachecord(new Client({ intents: [] }), { config, logger: silentLogger });
    await owning.stop();
    owning.cache.set('config::a', 1);
    expect(owning.cache.has('config::a')).toBe(false);
  });
});
