/** The bot that README.md shows, file by file as it stands there, beside the built package and against a local Discord. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { textOf } from '../commands/spoken.ts';
import { startDiscord } from '../playground/discord-setup.ts';
import { HostFolder, type Program } from '../plugin/built-package.ts';
import { COMMANDS, eventually } from '../plugin/setup.ts';
import { codeBlocks } from './code-blocks.ts';

/** A bot deploys its own commands with a script of its own. */
const DEPLOY = `
const { REST, Routes } = require('discord.js');
const [token, application, guild] = process.argv.slice(2);
const body = [{ name: 'work', description: 'Earn coins' }];
new REST().setToken(token).put(Routes.applicationGuildCommands(application, guild), { body });
`;

let host: HostFolder;
beforeAll(() => {
  host = new HostFolder();
}, 120_000);
afterAll(() => host.remove());

/** Writes the files of the README into a folder of their own. */
function writeBot(folder: string, guildId: string, enabled: boolean): string {
  const blocks = codeBlocks('README.md');
  for (const { code } of blocks) {
    const [, name] = /^\/\/ (\w+\.js)\n/.exec(code) ?? [];
    if (name !== undefined) host.write(`${folder}/${name}`, code);
  }
  const settings = JSON.parse(blocks.find(({ language }) => language === 'json')?.code ?? '');
  expect(settings.admin.guild_ids).toEqual(['your-server-id-goes-here']);
  const text = JSON.stringify({ admin: { guild_ids: [guildId] }, cache: { enabled } });
  host.write(`${folder}/cachecord.json`, text);
  return `${host.path}/${folder}`;
}

async function online(local: LocalDiscord, program: Program): Promise<void> {
  await eventually(() => expect(local.isBotOnline, program.output()).toBe(true));
}

describe('the bot of the README', () => {
  it.each([
    ['SIGTERM', 'on', true],
    ['SIGINT', 'off', false],
  ] as const)('earns coins, and ends on %s, with the cache %s', async (signal, _, enabled) => {
    const local = await startDiscord();
    const { home, people, channels } = local.world;
    const folder = writeBot(`readme-${signal}`, home.id, enabled);
    const env = { LOCAL_DISCORD: local.apiUrl, DISCORD_TOKEN: local.token };
    const deploy = host.write(`readme-${signal}/deploy.js`, DEPLOY);
    const deployed = host.start(folder, deploy, env, [local.token, local.applicationId, home.id]);
    expect(await deployed.ended, deployed.output()).toBe(0);

    const bot = host.start(folder, 'index.js', env);
    await online(local, bot);
    const ada = local.as(people.ada.id);
    for (const coins of [50, 100, 150]) {
      expect((await (await ada.run(channels.ops, 'work')).reply()).content).toBe(`You have ${coins} coins.`);
    }
    await eventually(() =>
      expect(local.registeredCommands(home.id).map(({ name }) => name)).toEqual(
        expect.arrayContaining(['work', ...COMMANDS]),
      ),
    );
    const info = await (await ada.run(channels.ops, 'cache-info')).reply();
    await eventually(() => expect(textOf(local.message(info.id))).toContain('Cache Configuration'));

    bot.child.kill(signal);
    expect(await bot.ended, bot.output()).toBe(0);
    expect(bot.output()).not.toMatch(/Error|Warning/);
  });
});
