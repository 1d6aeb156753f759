/** `npx cachecord`, as it is installed: it puts the admin commands up and takes them down beside the host's own. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { REST } from '@discordjs/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { Registration } from '../../src/commands/registration/registration.ts';
import { parseConfig } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { cacheCommandData } from '../../src/plugin/plugin.ts';
import { rest, startDiscord } from '../playground/discord-setup.ts';
import { HostFolder } from '../plugin/built-package.ts';
import { COMMANDS } from '../plugin/setup.ts';
import { PACK_MS } from '../support/packed-package.ts';

const root = resolve(import.meta.dirname, '../..');
const SLASHED = COMMANDS.map((name) => `/${name}`).join(', ');
const UNKNOWN = '999999999999999999';
/** A few programs one after the other, on a machine that may be busy. */
const SLOW_MS = 60_000;

let host: HostFolder;
beforeAll(() => {
  host = new HostFolder();
}, PACK_MS);
afterAll(() => host.remove());

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program; its environment is this one alone. */
function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = host.path,
): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  return new Promise((done) => child.once('close', (code) => done({ code, out, err })));
}

function program(): string {
  const folder = join(host.path, 'node_modules/cachecord');
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: { cachecord: string };
  };
  return join(folder, bin.cachecord);
}

const envOf = (local: LocalDiscord) => ({
  DISCORD_TOKEN: local.token,
  DISCORD_API_URL: local.apiUrl,
  ADMIN_GUILD_ID: local.world.home.id,
});
const cachecord = (
  local: LocalDiscord,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) => run([program(), ...args], { ...envOf(local), ...env });
const namesIn = (local: LocalDiscord, guildId: string = local.world.home.id) =>
  local.registeredCommands(guildId).map(({ name }) => name);
const changes = (local: LocalDiscord) =>
  local.requestLog.filter(({ method }) => method !== 'GET').map(({ method, route }) => `${method} ${route}`);
const create = (local: LocalDiscord, body: object) =>
  rest(
    local,
    'POST',
    `/applications/${local.world.applicationId}/guilds/${local.world.home.id}/commands`,
    body,
  );

describe('npx cachecord', () => {
  it('plans, deploys, changes nothing the second time, and removes', { timeout: SLOW_MS }, async () => {
    const local = await startDiscord();
    const { home } = local.world;
    await create(local, { name: 'ping', description: 'Answers.' });
    await create(local, { name: 'cache-stats', type: 2 });
    const before = changes(local).length;
    const own = local.registeredCommands(home.id);

    const planned = `Guild ${home.id}: would create ${SLASHED}.\n`;
    expect(await cachecord(local, ['plan'])).toEqual({ code: 0, out: planned, err: '' });
    expect(changes(local)).toHaveLength(before);

    const created = `Guild ${home.id}: created ${SLASHED}.\n`;
    expect(await cachecord(local, ['deploy'])).toEqual({ code: 0, out: created, err: '' });
    expect(local.registeredCommands(home.id)).toEqual([
      ...own,
      ...local.registeredCommands(home.id).slice(2),
    ]);
    expect(namesIn(local)).toEqual(['ping', 'cache-stats', ...COMMANDS]);

    const after = changes(local).length;
    const unchanged = `Guild ${home.id}: unchanged ${SLASHED}.\n`;
    for (const action of ['deploy', 'plan'])
      expect(await cachecord(local, [action])).toEqual({ code: 0, out: unchanged, err: '' });
    expect(changes(local)).toHaveLength(after);

    const removed = `Guild ${home.id}: removed ${SLASHED}.\n`;
    expect(await cachecord(local, ['remove'])).toEqual({ code: 0, out: removed, err: '' });
    const nothing = `Guild ${home.id}: nothing to remove.\n`;
    expect(await cachecord(local, ['remove'])).toEqual({ code: 0, out: nothing, err: '' });
    expect(local.registeredCommands(home.id)).toEqual(own);
    expect(changes(local).some((change) => change.startsWith('PUT'))).toBe(false);
    expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
    expect(local.isBotOnline).toBe(false);
  });

  it('updates what differs, and leaves what it does not know to be ours', { timeout: SLOW_MS }, async () => {
    const local = await startDiscord();
    const { home } = local.world;
    await create(local, { name: 'cache-stats', description: 'Of somebody else' });
    const removed = await cachecord(local, ['remove']);
    expect(removed.code).toBe(0);
    expect(removed.out).toContain(`Guild ${home.id}: left /cache-stats, because`);
    expect(namesIn(local)).toEqual(['cache-stats']);
    const { out } = await cachecord(local, ['deploy']);
    expect(out).toContain('; updated /cache-stats.');
    expect(out).not.toContain('created /cache-stats,');
  });

  it('deploys /cache-writes where it is asked to, and removes it unasked', { timeout: SLOW_MS }, async () => {
    const local = await startDiscord();
    await cachecord(local, ['deploy', '--write-behind']);
    expect(namesIn(local)).toContain('cache-writes');
    await cachecord(local, ['remove']);
    expect(namesIn(local)).toEqual([]);
  });

  it('reads the guilds from a file, from the environment, or from --guild', {
    timeout: SLOW_MS,
  }, async () => {
    const local = await startDiscord();
    const { home, elsewhere } = local.world;
    const file = host.write('own/cachecord.json', JSON.stringify({ admin: { guild_ids: [elsewhere.id] } }));
    const { DISCORD_TOKEN, DISCORD_API_URL } = envOf(local);
    const env = { DISCORD_TOKEN, DISCORD_API_URL };
    const inFolder = await run([program(), 'plan'], env, join(host.path, 'own'));
    expect(inFolder.out).toContain(`Guild ${elsewhere.id}: would create`);
    expect(inFolder.out).toContain('own/cachecord.json');
    const byName = await run([program(), 'plan', '--config', file], env);
    expect(byName.out).toContain(`Guild ${elsewhere.id}: would create`);
    const named = await run([program(), 'plan', '--config', file, '--guild', home.id], env);
    expect(named.out).toContain(`Guild ${home.id}: would create`);
    expect(named.out).not.toContain(`Guild ${elsewhere.id}: would`);
    expect(named.err).toBe(
      `Guild ${home.id} is no admin guild of the configuration: the commands refuse everybody there.\n`,
    );
  });

  it('deploys in every other guild where one is out of reach', { timeout: SLOW_MS }, async () => {
    const local = await startDiscord();
    const { home, applicationId } = local.world;
    const { code, out, err } = await cachecord(local, ['deploy', '--guild', UNKNOWN, home.id], {
      ADMIN_GUILD_ID: '',
    });
    expect(code).toBe(1);
    expect(out).toBe(`Guild ${home.id}: created ${SLASHED}.\n`);
    expect(err).toBe(
      `The bot cannot register commands in guild ${UNKNOWN}: it is not a member there, or was invited without \`applications.commands\`; ` +
        `check \`admin.guild_ids\`, or invite it with https://discord.com/oauth2/authorize?client_id=${applicationId}&scope=bot+applications.commands&guild_id=${UNKNOWN}\n`,
    );
  });

  it('tells in one sentence what is wrong, without a stack or the token', { timeout: SLOW_MS }, async () => {
    const local = await startDiscord();
    const wrong = `${local.token.slice(0, -4)}WXYZ`;
    const config = host.write('bots/config.json', JSON.stringify({ token: wrong, prefix: '!' }));
    const faulty = host.write('faulty.json', '{ "cache": { "ttl_user": -1 } }');
    const cases: readonly (readonly [
      args: readonly string[],
      env: Readonly<Record<string, string>>,
      told: string,
    ])[] = [
      [
        ['deploy'],
        { DISCORD_TOKEN: wrong },
        'Discord does not accept the token: check DISCORD_TOKEN, or make a new one',
      ],
      [
        ['deploy'],
        { DISCORD_TOKEN: `${wrong}\n${wrong}` },
        'DISCORD_TOKEN is no token, because there are blanks',
      ],
      [['deploy'], { DISCORD_TOKEN: `Bot ${wrong}` }, 'DISCORD_TOKEN is no token, because there are blanks'],
      [['deploy'], { DISCORD_TOKEN: '' }, 'DISCORD_TOKEN is not set: set it in the environment'],
      [
        ['deploy'],
        { ADMIN_GUILD_ID: '' },
        'No guild is named: set `admin.guild_ids` in cachecord.json or ADMIN_GUILD_ID',
      ],
      [
        ['deploy'],
        { ADMIN_GUILD_ID: 'hq' },
        'ADMIN_GUILD_ID: "hq" is no Discord id, expected 17 to 20 digits',
      ],
      [
        ['deploy'],
        { DISCORD_API_URL: 'http://127.0.0.1:1/api' },
        "Discord can't be reached: connect ECONNREFUSED",
      ],
      [['plan'], { DISCORD_API_URL: `bot:${wrong}@there` }, 'DISCORD_API_URL is no http address'],
      [
        ['plan', '--config', 'none.json'],
        {},
        'There is no file none.json: check what stands behind --config.',
      ],
      [['plan', '--config', faulty], {}, 'cache.ttl_user'],
      [['deplyo'], {}, 'There is no "deplyo": did you mean deploy?'],
      [['deploy', '--token', wrong], {}, 'There is no option --token: the token is read from DISCORD_TOKEN'],
      [[wrong], {}, 'it is plan, deploy or remove.'],
      [['plan', '--guild', wrong], {}, 'is no Discord id, expected 17 to 20 digits'],
      [['plan', `--${wrong}`], {}, 'There is no option'],
      [['plan'], { ADMIN_GUILD_ID: wrong }, 'is no Discord id'],
    ];
    for (const [args, env, told] of cases) {
      const { code, out, err } = await cachecord(local, args, env);
      expect(err).toContain(told);
      expect(code, told).toBe(1);
      expect(out, told).toBe('');
      expect(err, told).not.toMatch(/^ +at |node:/m);
      expect(err).not.toContain(wrong.slice(0, 30));
      // A faulty configuration has a line for each of its problems.
      const isOfConfig = args.includes(faulty) || ![undefined, ''].includes(env.ADMIN_GUILD_ID);
      if (!isOfConfig) expect(err.trimEnd().split('\n')).toHaveLength(1);
    }
    const elsewhere = await run(
      [program(), 'plan'],
      { ...envOf(local), DISCORD_TOKEN: '' },
      join(config, '..'),
    );
    expect(elsewhere.err).toContain(
      'the token in config.json is not read, because secrets come from the environment',
    );
    expect(changes(local)).toEqual([]);
  });

  it.each([
    [{ status: 404, body: { code: 10004, message: 'Unknown Guild' } }, 'Discord knows no guild'],
    [
      { status: 403, body: { code: 50001, message: 'Missing Access' } },
      'invited without `applications.commands`',
    ],
    [{ status: 500, times: 9 }, 'Discord answered 500'],
  ])('tells what Discord answers for a guild: %j', { timeout: SLOW_MS }, async (fault, told) => {
    const local = await startDiscord();
    local.failNext('GET /applications/:application/guilds/:guild/commands', fault);
    const { code, err } = await cachecord(local, ['deploy']);
    expect(err).toContain(told);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).not.toContain(local.token);
    expect(code).toBe(1);
    expect(changes(local)).toEqual([]);
  });

  it.each([
    [
      { status: 404, body: { code: 10002, message: 'Unknown Application' } },
      'Discord knows no application of yours',
    ],
    [
      { status: 403, body: { code: 20012, message: 'You are not authorized' } },
      'Discord knows no application of yours',
    ],
    [{ status: 503, times: 9 }, 'Discord answered 503'],
    [{ drop: true, times: 9 }, "Discord can't be reached"],
  ])('tells what Discord answers for the application: %j', { timeout: SLOW_MS }, async (fault, told) => {
    const local = await startDiscord();
    local.failNext('GET /applications/@me', fault);
    const { code, out, err } = await cachecord(local, ['remove']);
    expect(err).toContain(told);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, out }).toEqual({ code: 1, out: '' });
  });

  it('tells how it is called', async () => {
    const { code, out, err } = await run([program(), '--help'], {});
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('npx cachecord plan|deploy|remove [--guild ID …] [--config FILE] [--write-behind]');
  });

  it('tells a Node that is too old so, in one line and nothing else', async () => {
    host.write('old.cjs', `Object.defineProperty(process.versions, 'node', { value: '20.20.2' });`);
    expect(await run(['--require', join(host.path, 'old.cjs'), program(), 'deploy'], {})).toEqual({
      code: 1,
      out: '',
      err: 'Cachecord needs Node 22.19 or newer, and this is 20.20.2: install it from https://nodejs.org.\n',
    });
  });
});

describe('npm run deploy-commands', () => {
  const script = join(root, 'src/bot/deploy-commands.ts');

  it("puts up the reference bot's commands, and takes down these alone", { timeout: SLOW_MS }, async () => {
    const local = await startDiscord();
    await create(local, { name: 'ping', description: 'Answers.' });
    const deploy = (args: readonly string[]) => run([script, ...args], envOf(local));
    expect(await deploy([])).toMatchObject({ code: 0, err: '' });
    const shop = ['shop', 'buy', 'wallet', 'orders', 'leaderboard'];
    expect(namesIn(local)).toEqual(['ping', ...COMMANDS, 'cache-writes', ...shop]);
    const before = changes(local).length;
    expect(await deploy([])).toMatchObject({ code: 0, err: '' });
    expect(changes(local)).toHaveLength(before);
    expect(await deploy(['remove'])).toMatchObject({ code: 0, err: '' });
    expect(namesIn(local)).toEqual(['ping']);
  });

  it('has /convert where the bot has rates', { timeout: SLOW_MS }, async () => {
    const local = await startDiscord();
    const env = { ...envOf(local), RATES_URL: 'https://rates.example/latest' };
    expect(await run([script, 'deploy'], env)).toMatchObject({ code: 0, err: '' });
    expect(namesIn(local)).toContain('convert');
    expect(await run([script, 'remove'], envOf(local))).toMatchObject({ code: 0, err: '' });
    expect(namesIn(local)).toEqual([]);
  });
});

it('is the mechanism of a bot that logs in: a REST client of its own, and the client, fit alike', async () => {
  const local = await startDiscord();
  const client = new REST({ api: local.apiUrl }).setToken(local.token);
  const registration = new Registration({
    rest: client,
    guildIds: [local.world.home.id],
    wanted: cacheCommandData(parseConfig({})),
    logger: silentLogger,
    applicationId: async () => local.world.applicationId,
  });
  await registration.register();
  expect((await cachecord(local, ['plan'])).out).toBe(
    `Guild ${local.world.home.id}: unchanged ${SLASHED}.\n`,
  );
  expect(await registration.unregister()).toEqual({
    guilds: [{ guildId: local.world.home.id, remove: [...COMMANDS], left: [] }],
    problems: [],
  });
});
