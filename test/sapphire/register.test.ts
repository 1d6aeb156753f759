/**
 * Bots on Sapphire as programs of their own, with the built package: its client and its pieces exist once a process.
 * One is the example, unchanged; one is a bot in CommonJS, for which Sapphire has a second build.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { APIMessage } from 'discord.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { find } from '../commands/discord-edge.ts';
import { textOf } from '../commands/spoken.ts';
import { startDiscord } from '../playground/discord-setup.ts';
import { HostFolder, type Program } from '../plugin/built-package.ts';
import { COMMANDS, eventually } from '../plugin/setup.ts';
import { PACK_MS } from '../support/packed-package.ts';

/** Registers as the environment says; tells when that is done, what the bot did not know to do, and how it ended. */
const WATCH = `
const { ApplicationCommandRegistries, container, Events, RegisterBehavior, SapphireClient } = sapphire;
ApplicationCommandRegistries.setDefaultBehaviorWhenNotIdentical(RegisterBehavior[process.env.BEHAVIOR]);
SapphireClient.plugins.registerPostInitializationHook(function () {
  this.once(Events.ApplicationCommandRegistriesRegistered, () => console.log('REGISTERED'));
  for (const name of Object.values(Events)) {
    if (/unknown|doesNotHave|error|denied/i.test(name)) this.on(name, (...told) => console.log('EVENT', name, told));
  }
});
process.once('beforeExit', () => container.cachecord.start().catch(({ code }) => console.log('ENDED', code)));
`;

const CJS_BOT = `
require('cachecord/sapphire/register');
const sapphire = require('@sapphire/framework');
const { parseConfig } = require('cachecord');
${WATCH}
const config = parseConfig({ admin: { guild_ids: [process.env.ADMIN_GUILD_ID] } });
const client = new SapphireClient({ intents: ['Guilds'], cachecord: { config } });
process.once('SIGTERM', () => client.destroy());
void client.login(process.env.DISCORD_TOKEN);
`;

const CJS_COMMAND = `
const { Command, container } = require('@sapphire/framework');
exports.RuleCommand = class extends Command {
  registerApplicationCommands(registry) {
    registry.registerChatInputCommand({
      name: 'rule',
      description: 'Tells a rule',
      options: [{ type: 3, name: 'number', description: 'Which', required: true }],
    });
  }
  async chatInputRun(interaction) {
    container.cache.set('rules::1', 'Be kind.');
    await interaction.reply(container.cache.get('rules::1'));
  }
};
`;

let host: HostFolder;
beforeAll(() => {
  host = new HostFolder();
  cpSync('examples/sapphire-bot', join(host.path, 'esm'), { recursive: true });
  host.write(
    'esm/watched.js',
    `import * as sapphire from '@sapphire/framework';${WATCH}await import('./index.js');`,
  );
  host.write('cjs/package.json', '{ "type": "commonjs", "main": "watched.js" }');
  host.write('cjs/watched.js', CJS_BOT);
  host.write('cjs/commands/rule.js', CJS_COMMAND);
}, PACK_MS);
afterAll(() => host.remove());

/** Starts a bot and waits until Sapphire has registered its commands. */
async function start(local: LocalDiscord, modules: 'esm' | 'cjs', behavior: string): Promise<Program> {
  const bot = host.start(join(host.path, modules), 'watched.js', {
    LOCAL_DISCORD: local.apiUrl,
    DISCORD_TOKEN: local.token,
    ADMIN_GUILD_ID: local.world.home.id,
    BEHAVIOR: behavior,
  });
  await eventually(() => expect(bot.output()).toContain('REGISTERED'));
  expect(namesIn(local, null)).toEqual(['rule']);
  return bot;
}

function namesIn(local: LocalDiscord, guildId: string | null): string[] {
  return local.registeredCommands(guildId).map(({ name }) => name);
}

/** What a person is answered. */
async function run(
  local: LocalDiscord,
  person: 'ada' | 'grace',
  name: string,
  options: Record<string, string> = {},
) {
  const { people, channels } = local.world;
  return (await local.as(people[person].id).run(channels.ops, name, options)).reply();
}

function shows(local: LocalDiscord, message: APIMessage, text: string): Promise<void> {
  return eventually(() =>
    expect(textOf(local.message(message.id)).replaceAll('\u00a0', ' ')).toContain(text),
  );
}

/** Asked to destroy its client, it ends by itself: nothing of ours keeps it up. */
async function endsCleanly(bot: Program): Promise<void> {
  const askedAt = performance.now();
  bot.child.kill('SIGTERM');
  expect(await bot.ended, bot.output()).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(5_000);
  expect(bot.output()).toContain('ENDED ERR_CLOSED');
}

describe.each([
  { modules: 'esm', behavior: 'BulkOverwrite' },
  { modules: 'esm', behavior: 'Overwrite' },
  { modules: 'cjs', behavior: 'BulkOverwrite' },
  { modules: 'cjs', behavior: 'Overwrite' },
] as const)('a bot on Sapphire ($modules) that registers by $behavior', ({ modules, behavior }) => {
  it('has our commands in the admin guild alone, beside its own', async () => {
    const local = await startDiscord();
    const bot = await start(local, modules, behavior);
    expect(namesIn(local, local.world.home.id).sort()).toEqual([...COMMANDS].sort());
    for (const command of local.registeredCommands(local.world.home.id)) {
      expect(command.default_member_permissions).toBe('0');
    }
    await endsCleanly(bot);
  });

  it('serves its own commands and ours, with completion and buttons, each answered once', async () => {
    const local = await startDiscord();
    const bot = await start(local, modules, behavior);
    expect((await run(local, 'ada', 'rule', { number: '1' })).content).toBe('Be kind.');

    await shows(local, await run(local, 'ada', 'cache-stats'), '**Entries:** 1');
    expect(textOf(await run(local, 'grace', 'cache-stats'))).toContain('Not allowed');

    const { people, channels } = local.world;
    const ada = local.as(people.ada.id);
    const choices = await ada.autocomplete(channels.ops, 'cache-clear', { pattern: 'rul' }, 'pattern');
    expect(choices.map(({ value }) => value)).toContain('rules::1');

    const question = await run(local, 'ada', 'cache-clear', { pattern: 'all' });
    const button = find(question, 'Cancel')?.custom_id ?? 'no Cancel';
    await (await ada.click(question.id, button)).acknowledged();
    await shows(local, question, 'Nothing was cleared');

    expect(bot.output()).not.toMatch(/EVENT|ERROR|WARN|Error|Warning/);
    expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
    expect(local.requestLog.filter(({ status }) => status >= 400)).toEqual([]);
    await endsCleanly(bot);
  });
});

describe('a bot on Sapphire', () => {
  it('that is started again finds our commands as they are', async () => {
    const local = await startDiscord();
    await endsCleanly(await start(local, 'esm', 'Overwrite'));
    const before = local.registeredCommands(local.world.home.id);
    local.requestLog.splice(0);
    await endsCleanly(await start(local, 'esm', 'Overwrite'));
    const changes = local.requestLog.filter(
      ({ method, path }) => method !== 'GET' && /\/guilds\/\d+\/commands/.test(path),
    );
    expect(changes).toEqual([]);
    expect(local.registeredCommands(local.world.home.id)).toEqual(before);
  });

  it('is told when it imports the register and gives no option `cachecord`', async () => {
    const script = host.write(
      'without.mjs',
      `import 'cachecord/sapphire/register';
       import { SapphireClient } from '@sapphire/framework';
       new SapphireClient({ intents: [] });`,
    );
    const program = host.start(host.path, script, {});
    expect(await program.ended).not.toBe(0);
    expect(program.output()).toContain('ERR_CONFIG_INVALID');
    expect(program.output()).toContain('has no option `cachecord`');
  });

  it('without an admin guild registers our commands nowhere, and says so', async () => {
    const local = await startDiscord();
    const bot = host.start(join(host.path, 'esm'), 'watched.js', {
      LOCAL_DISCORD: local.apiUrl,
      DISCORD_TOKEN: local.token,
      BEHAVIOR: 'BulkOverwrite',
    });
    await eventually(() => expect(bot.output()).toContain('REGISTERED'));
    expect(namesIn(local, null)).toEqual(['rule']);
    expect(namesIn(local, local.world.home.id)).toEqual([]);
    expect(bot.output()).toContain('no admin guild is named');
    await endsCleanly(bot);
  });

  it.each(['mts', 'cts'])('finds the option and the container typed (.%s)', (extension) => {
    const script = host.write(
      `typed.${extension}`,
      extension === 'mts'
        ? `import 'cachecord/sapphire/register';
           import { container, SapphireClient } from '@sapphire/framework';
           import { loadConfig } from 'cachecord';
           export const client = new SapphireClient({ intents: [], cachecord: { config: loadConfig() } });
           export const isOn: boolean = container.cache.enabled;
           export const names: string[] = container.cachecord.commands.map(({ data }) => data.name);`
        : `import type {} from 'cachecord/sapphire/register';
           import type { Container, SapphireClientOptions } from '@sapphire/framework';
           import type { ClientOptions } from 'discord.js';
           export type Options = SapphireClientOptions & Required<Pick<ClientOptions, 'cachecord'>>;
           export type Get = Container['cache']['get'];
           export type Names = Container['cachecord']['commands'];`,
    );
    expect(host.checkTypes([script])).toBe('');
  });
});
