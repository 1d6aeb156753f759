/** The examples, unchanged: a bot as the guide writes them, and one made from create-discord-bot's template. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { APIMessage } from 'discord.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { find } from '../commands/discord-edge.ts';
import { textOf } from '../commands/spoken.ts';
import { startDiscord } from '../playground/discord-setup.ts';
import { PACK_MS } from '../support/packed-package.ts';
import { HostFolder, type Program } from './built-package.ts';
import { COMMANDS, eventually, registered } from './setup.ts';

let host: HostFolder;
beforeAll(() => {
  host = new HostFolder();
}, PACK_MS);
afterAll(() => host.remove());

async function online(local: LocalDiscord, program: Program): Promise<void> {
  await eventually(() => expect(local.isBotOnline, program.output()).toBe(true));
}

/** What Ada, who owns the application, is answered. */
async function run(local: LocalDiscord, name: string, options: Record<string, string> = {}) {
  const { people, channels } = local.world;
  return (await local.as(people.ada.id).run(channels.ops, name, options)).reply();
}

async function click(local: LocalDiscord, message: APIMessage, label: string): Promise<void> {
  const ada = local.as(local.world.people.ada.id);
  await (await ada.click(message.id, find(message, label)?.custom_id ?? `no ${label}`)).acknowledged();
}

function shows(local: LocalDiscord, message: APIMessage, text: string): Promise<void> {
  return eventually(() =>
    expect(textOf(local.message(message.id)).replaceAll('\u00a0', ' ')).toContain(text),
  );
}

/** Asked to end, it ends by itself within five seconds. */
async function endsCleanly(program: Program): Promise<void> {
  const askedAt = performance.now();
  program.child.kill('SIGTERM');
  expect(await program.ended, program.output()).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(5_000);
}

function namesIn(local: LocalDiscord, guildId: string | null): string[] {
  return local.registeredCommands(guildId).map(({ name }) => name);
}

describe('a bot as the discord.js guide writes them', () => {
  async function guideBot() {
    const local = await startDiscord();
    const folder = host.copyExample('guide-bot');
    const ids = { token: local.token, clientId: local.applicationId, guildId: local.world.home.id };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(ids));
    const env = { LOCAL_DISCORD: local.apiUrl };
    return { local, folder, start: (script: string) => host.start(folder, script, env) };
  }

  it('deploys our commands in its own list, and serves both through its own dispatcher', async () => {
    const { local, start } = await guideBot();
    const deploy = start('deploy-commands.js');
    expect(await deploy.ended, deploy.output()).toBe(0);
    expect(namesIn(local, local.world.home.id).sort()).toEqual(['ping', 'rule', ...COMMANDS].sort());

    const bot = start('index.js');
    await online(local, bot);
    expect((await run(local, 'ping')).content).toBe('Pong!');
    expect((await run(local, 'rule', { number: '1' })).content).toBe('Be kind.');
    const stats = await run(local, 'cache-stats');
    await shows(local, stats, '**Entries:** 1');

    // Completion and buttons, which this dispatcher does not know, reach the plugin.
    const { people, channels } = local.world;
    const ada = local.as(people.ada.id);
    const choices = await ada.autocomplete(channels.ops, 'cache-clear', { pattern: 'rul' }, 'pattern');
    expect(choices.map(({ value }) => value)).toContain('rules::1');
    const question = await run(local, 'cache-clear', { pattern: 'all' });
    await click(local, question, 'Cancel');
    await shows(local, question, 'Nothing was cleared');

    // What it writes through the cache is what it reads next.
    expect((await run(local, 'rule', { number: '1', text: 'Be very kind.' })).content).toBe('Be very kind.');
    expect((await run(local, 'rule', { number: '1' })).content).toBe('Be very kind.');

    expect(bot.output()).not.toMatch(/No command matching|Error|Warning/);
    expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
    await endsCleanly(bot);
  });

  it('may have our settings in its own config.json, beside its token', async () => {
    const { local, folder, start } = await guideBot();
    rmSync(join(folder, 'cachecord.json'));
    const ids = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...ids, cache: { max_size_mb: 7 } }));
    await start('deploy-commands.js').ended;
    const bot = start('index.js');
    await online(local, bot);
    const info = await run(local, 'cache-info');
    await shows(local, info, '7 MB');
    expect(bot.output()).toContain(`Cachecord is configured by ${join(folder, 'config.json')}.`);
    expect(bot.output()).not.toContain(local.token);
    await endsCleanly(bot);
  });

  it('runs without any settings of ours, and one line says where they belong', async () => {
    const { local, folder, start } = await guideBot();
    rmSync(join(folder, 'cachecord.json'));
    const bot = start('index.js');
    await online(local, bot);
    const ours = bot
      .output()
      .split('\n')
      .filter((line) => line.includes('cachecord'));
    expect(ours).toEqual([
      expect.stringMatching(/config\.json has no section "cache".*belong in cachecord\.json/),
    ]);
    await endsCleanly(bot);
  });

  it('keeps strangers out, though its dispatcher lets everybody through', async () => {
    const { local, start } = await guideBot();
    await start('deploy-commands.js').ended;
    await online(local, start('index.js'));
    const { people, channels } = local.world;
    const reply = await (await local.as(people.grace.id).run(channels.ops, 'cache-stats')).reply();
    expect(textOf(reply)).toContain('Not allowed');
  });
});

describe("a bot made from create-discord-bot's TypeScript template", () => {
  async function templateBot() {
    const local = await startDiscord();
    const folder = host.copyExample('template-bot');
    const env = {
      LOCAL_DISCORD: local.apiUrl,
      DISCORD_TOKEN: local.token,
      APPLICATION_ID: local.applicationId,
      ADMIN_GUILD_ID: local.world.home.id,
    };
    return { local, start: (script: string) => host.start(folder, script, env) };
  }

  it('serves our commands beside its own, and its deploy script never touches them', async () => {
    const { local, start } = await templateBot();
    const bot = start('src/index.ts');
    await online(local, bot);
    await registered(local, [local.world.home.id]);

    const deploy = start('src/util/deploy.ts');
    expect(await deploy.ended, deploy.output()).toBe(0);
    expect(namesIn(local, null)).toEqual(['ping']);
    expect(namesIn(local, local.world.home.id).sort()).toEqual([...COMMANDS].sort());

    expect((await run(local, 'ping')).content).toBe('Pong!');
    const info = await run(local, 'cache-info');
    await shows(local, info, 'Cache Configuration');
    const { version } = JSON.parse(
      readFileSync(join(host.path, 'node_modules/cachecord/package.json'), 'utf8'),
    );
    await shows(local, info, version);
    const question = await run(local, 'cache-clear', { pattern: 'all' });
    expect(textOf(question)).not.toBe('');

    expect(bot.output()).not.toMatch(/not found|Event .* failed|Error|Warning/);
    expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
    await endsCleanly(bot);
  });
});

describe('a bot that configures nothing', () => {
  it('has its cache, and one line that says how to get the commands', async () => {
    const local = await startDiscord();
    const script = host.write(
      'bare/index.js',
      `const { cachedSync, createCachecord } = require('cachecord');
       const { Client } = require('discord.js');
       const client = new Client({ intents: [] });
       const cachecord = createCachecord(client);
       const read = cachedSync(cachecord.cache, (id) => ({ id }), { key: 'user::{0}' });
       read('1');
       cachecord.start().then(() => client.login(process.env.TOKEN));
       process.once('SIGTERM', () => cachecord.stop().then(() => client.destroy()));`,
    );
    const bot = host.start(dirname(script), script, { LOCAL_DISCORD: local.apiUrl, TOKEN: local.token });
    await online(local, bot);
    await endsCleanly(bot);
    expect(bot.output().trim().split('\n')).toEqual([
      expect.stringMatching(
        /^\[cachecord\] No admin guild is named.*`admin\.guild_ids` in cachecord\.json.*loadConfig\(\)/,
      ),
    ]);
    expect(namesIn(local, null)).toEqual([]);
  });
});

describe('the built package', () => {
  it('can be required by a CommonJS file, and does nothing by itself', async () => {
    const script = host.write(
      'require.cjs',
      `const api = require('cachecord');
       const cache = api.createCache(api.parseConfig({}).cache);
       cache.set(api.key.user('1', 'profile'), { name: 'Ada' });
       console.log(JSON.stringify({ names: Object.keys(api), value: cache.get('user::1::profile') }));
       cache.stop();`,
    );
    const program = host.start(host.path, script, {});
    expect(await program.ended, program.output()).toBe(0);
    const { names, value } = JSON.parse(program.output());
    expect(value).toEqual({ name: 'Ada' });
    const promised =
      'createCache key hashParameters CacheError systemClock cached cachedSync invalidates'.split(' ');
    promised.push('cachedMethod', 'cachedSyncMethod', 'invalidatesAfter', 'cachedMethodOf', 'sqliteCache');
    promised.push('loadConfig', 'parseConfig', 'createWarmers', 'createCachecord', 'cacheCommandData');
    expect(names).toEqual(expect.arrayContaining(promised));
  });

  it('has types that a strict project of a host takes', () => {
    const script = host.write(
      'typed.mts',
      `import { Client } from 'discord.js';
       import { type Cachecord, cached, createCachecord, type HostCommand, loadConfig, type WarmTask } from 'cachecord';
       const warmTasks: WarmTask[] = [{ name: 'Rules', scope: 'reference', jobs: () => [rule.warm('1')] }];
       const plugin: Cachecord = createCachecord(new Client({ intents: [] }), { config: loadConfig(), warmTasks });
       const rule = cached(plugin.cache, async (id: string) => ({ id, text: 'Be kind.' }), { key: 'rules::{0}' });
       export const text: Promise<string> = rule('1').then(({ text }) => text);
       export const names: string[] = plugin.commands.map((command: HostCommand) => command.data.toJSON().name);`,
    );
    expect(host.checkTypes([script])).toBe('');
  });
});
