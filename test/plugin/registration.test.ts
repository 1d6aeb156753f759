/** Registration beside the host's own commands: never replaced, only what differs, told when it is gone. */
import { type APIApplicationCommand, REST, Routes } from 'discord.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { differences } from '../../src/commands/registration/differences.ts';
import { parseConfig } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { cacheCommandData, createCachecord } from '../../src/plugin/plugin.ts';
import { COMMANDS, eventually, type Hosted, host, registered } from './setup.ts';

const HOST_COMMAND = { name: 'ping', description: 'Answers.' };

/** Requests that changed commands: method and path. */
function changes(local: LocalDiscord): string[] {
  return local.requestLog
    .filter(({ method, path }) => method !== 'GET' && path.includes('/commands'))
    .map(({ method, route }) => `${method} ${route}`);
}

const namesIn = (local: LocalDiscord, guildId: string) =>
  local.registeredCommands(guildId).map(({ name }) => name);
const warnings = ({ log }: Hosted) =>
  log.filter(({ level }) => level === 'warn').map(({ message }) => message);
const POST = 'POST /applications/:application/guilds/:guild/commands';

describe('registration', () => {
  it('posts our four commands to the admin guild and nothing else, each as Discord wants it', async () => {
    const { local, errors } = await host();
    expect(changes(local)).toEqual([POST, POST, POST, POST]);
    expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
    for (const { default_member_permissions } of local.registeredCommands(local.world.home.id)) {
      expect(default_member_permissions).toBe('0');
    }
    expect(errors).toEqual([]);
  });

  it('changes nothing the second time, nor in the next process', async () => {
    const hosted = await host();
    const { local, client, plugin } = hosted;
    const before = changes(local).length;
    const report = await plugin.register();
    expect(report.problems).toEqual([]);
    expect(report.guilds).toEqual([
      { guildId: local.world.home.id, create: [], update: [], unchanged: [...COMMANDS] },
    ]);
    const next = createCachecord(client, {
      config: parseConfig({ admin: { guild_ids: [local.world.home.id] } }),
      logger: silentLogger,
    });
    onTestFinished(() => next.stop());
    expect((await next.register()).guilds[0]?.unchanged).toEqual([...COMMANDS]);
    expect(changes(local)).toHaveLength(before);
  });

  it("tells where a host's global list shows them twice", async () => {
    const { local, client, plugin } = await host();
    for (const { data } of plugin.commands) await client.application.commands.create(data.toJSON());
    const { problems } = await plugin.plan();
    expect(problems).toEqual([expect.stringMatching(/\/cache-info would show twice, and in every server/)]);
    expect(local.registeredCommands(null)).toHaveLength(COMMANDS.length);
  });

  it("leaves the host's commands alone, of the same and of other types", async () => {
    const hosted = await host({ started: false });
    const { local, client, plugin } = hosted;
    const { home } = local.world;
    await client.application.commands.create(HOST_COMMAND, home.id);
    await client.application.commands.create({ name: 'cache-stats', type: 2 }, home.id);
    const before = local.registeredCommands(home.id);
    await plugin.register();
    const after = local.registeredCommands(home.id);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length + COMMANDS.length);
    expect(changes(local).some((change) => /^(?:PUT|DELETE|PATCH)/.test(change))).toBe(false);
  });

  it('updates the one that differs, and no other', async () => {
    const { local, client, plugin } = await host();
    const { home } = local.world;
    const id = local.registeredCommands(home.id).find(({ name }) => name === 'cache-info')?.id ?? '';
    await client.application.commands.edit(id, { description: 'Something else' }, home.id);
    const plan = await plugin.plan();
    expect(plan.guilds[0]).toMatchObject({ create: [], update: ['cache-info'] });
    const before = changes(local).length;
    await plugin.register();
    expect(changes(local).slice(before)).toEqual([POST]);
    expect((await plugin.plan()).guilds[0]?.unchanged).toEqual([...COMMANDS]);
  });

  it('plans without changing anything', async () => {
    const { local, plugin } = await host({ started: false });
    expect((await plugin.plan()).guilds).toEqual([
      { guildId: local.world.home.id, create: [...COMMANDS], update: [], unchanged: [] },
    ]);
    expect(changes(local)).toEqual([]);
  });

  it('registers in every admin guild', async () => {
    const { local } = await host({ guildIds: ({ world }) => [world.home.id, world.elsewhere.id] });
    expect(namesIn(local, local.world.elsewhere.id)).toEqual([...COMMANDS]);
    expect(local.registeredCommands(null)).toEqual([]);
  });

  it('does not create a command twice when it is asked twice at once', async () => {
    const { local, plugin } = await host({ started: false });
    await Promise.all([plugin.register(), plugin.register()]);
    expect(changes(local)).toHaveLength(COMMANDS.length);
  });

  it('registers nothing where no admin guild is named, and says how', async () => {
    const hosted = await host({ guildIds: () => [] });
    const { plugin, local } = hosted;
    expect(warnings(hosted)).toEqual([expect.stringMatching(/admin\.guild_ids.*ADMIN_GUILD_ID/)]);
    const { guilds, problems } = await plugin.register();
    expect(guilds).toEqual([]);
    expect(problems).toEqual([expect.stringMatching(/admin\.guild_ids.*ADMIN_GUILD_ID/)]);
    expect(changes(local)).toEqual([]);
  });

  it('takes off what is ours and leaves the rest', async () => {
    const { local, client, plugin } = await host();
    const { home } = local.world;
    await client.application.commands.create(HOST_COMMAND, home.id);
    await plugin.unregister();
    expect(namesIn(local, home.id)).toEqual(['ping']);
  });

  it('takes off the others where Discord refuses one, and tells which is left', async () => {
    const hosted = await host();
    const { local, plugin } = hosted;
    local.failNext((request) => request.method === 'DELETE', {
      status: 403,
      body: { code: 50001, message: '' },
    });
    await plugin.unregister();
    expect(namesIn(local, local.world.home.id)).toEqual([COMMANDS[0]]);
    expect(warnings(hosted)).toEqual([expect.stringMatching(`^/${COMMANDS[0]}: .*not a member there`)]);
  });

  it("does not take off a host's command that only has our name", async () => {
    const { local, client, plugin } = await host({ started: false });
    const { home } = local.world;
    await client.application.commands.create({ name: 'cache-stats', description: "The host's own" }, home.id);
    await plugin.unregister();
    expect(namesIn(local, home.id)).toEqual(['cache-stats']);
  });

  it('refers to its commands so that they can be clicked, by the ids of the guild', async () => {
    const { local } = await host();
    const { people, channels, home } = local.world;
    const ada = local.as(people.ada.id);
    const reply = await (await ada.run(channels.ops, 'cache-info')).reply();
    const id = local.registeredCommands(home.id).find(({ name }) => name === 'cache-warm')?.id;
    expect(JSON.stringify(reply.components)).toContain(`</cache-warm:${id}>`);
  });
});

describe('what Discord refuses', () => {
  it.each([
    [30032, /100 slash commands/],
    [30034, /200 new commands.*tomorrow/],
    [50001, /not a member there.*oauth2\/authorize\?client_id=\d+&scope=bot\+applications\.commands/],
    [10004, /not a member there/],
  ])('%i is told in words that help', async (code, words) => {
    const { local, plugin } = await host({ started: false });
    local.failNext(POST, { status: 403, body: { code, message: 'No' }, times: 100 });
    const { problems } = await plugin.register();
    expect(problems).toHaveLength(COMMANDS.length);
    for (const problem of problems) expect(problem).toMatch(words);
  });

  it('a guild without the bot spoils nothing in the others, and is in the log', async () => {
    const stranger = '123456789012345678';
    const hosted = await host({ started: false, guildIds: ({ world }) => [stranger, world.home.id] });
    await hosted.plugin.start();
    await registered(hosted.local, [hosted.local.world.home.id]);
    await eventually(() =>
      expect(warnings(hosted)).toEqual([
        expect.stringContaining(`cannot register commands in guild ${stranger}`),
      ]),
    );
  });
});

describe('commands that are gone while the bot runs', () => {
  const HOUR_MS = 3_600_000;
  /** What a deploy script of the host's does, in this process or in another. */
  async function deploys({ local, client }: Hosted, from: 'this process' | 'another process'): Promise<void> {
    const route = Routes.applicationGuildCommands(local.applicationId, local.world.home.id);
    const rest =
      from === 'this process'
        ? client.rest
        : new REST({ api: client.rest.options.api }).setToken(local.token);
    await rest.put(route, { body: [HOST_COMMAND] });
  }
  const restored = ({ local }: Hosted) =>
    eventually(() =>
      expect(namesIn(local, local.world.home.id).sort()).toEqual(['ping', ...COMMANDS].sort()),
    );
  const put = (hosted: Hosted) => warnings(hosted).filter((text) => text.includes('put back. '));

  it('are put back right after the host has replaced its whole list, and it is told which line it lacks', async () => {
    const hosted = await host();
    await hosted.clock.advanceAsync(5 * HOUR_MS + 60_000);
    await deploys(hosted, 'this process');
    await restored(hosted);
    await eventually(() => expect(warnings(hosted)).toHaveLength(1));
    expect(warnings(hosted)[0]).toMatch(
      /\/cache-stats, .* in guild \d+ had been taken off and was put back.*bulk PUT.*\.\.\.cacheCommandData\(config\)/,
    );
  });

  it("are put back through discord.js's own managers as well", async () => {
    const hosted = await host();
    await hosted.client.application.commands.set([HOST_COMMAND], hosted.local.world.home.id);
    await hosted.clock.advanceAsync(2_000);
    await restored(hosted);
  });

  it('are put back within the hour where another process took them off', async () => {
    const hosted = await host();
    await hosted.clock.advanceAsync(60_000);
    await deploys(hosted, 'another process');
    await hosted.clock.advanceAsync(HOUR_MS);
    await restored(hosted);
    await eventually(() => expect(put(hosted)).toHaveLength(1));
  });

  it('are put back half a minute after the start where a host deployed in the meantime', async () => {
    const hosted = await host();
    await deploys(hosted, 'another process');
    await hosted.clock.advanceAsync(30_000);
    await restored(hosted);
  });

  it('cost two looks where the host replaces its list several times at once', async () => {
    const hosted = await host();
    const reads = () =>
      hosted.local.requestLog.filter(
        ({ method, route }) => method === 'GET' && route.includes('/guilds/:guild/commands'),
      );
    const before = reads().length;
    for (let i = 0; i < 9; i++) await deploys(hosted, 'this process');
    await hosted.plugin.plan(); // behind the first look
    await hosted.clock.advanceAsync(2_000);
    await restored(hosted);
    await hosted.plugin.plan();
    await hosted.clock.advanceAsync(2_000);
    expect(put(hosted).length).toBeLessThanOrEqual(2);
    expect(reads().length - before).toBeLessThanOrEqual(2 * 2 + 2); // a look, and that of the registration; two plans
  });

  it('are not fought over: three times a day, then they are left off, which is said once', async () => {
    const hosted = await host();
    for (let times = 1; times <= 3; times++) {
      await deploys(hosted, 'this process');
      await hosted.clock.advanceAsync(2_000);
      await restored(hosted);
      await eventually(() => expect(put(hosted)).toHaveLength(times));
    }
    for (let times = 0; times < 3; times++) {
      await deploys(hosted, 'this process');
      await hosted.clock.advanceAsync(2_000);
    }
    await hosted.plugin.plan(); // behind the last look
    await hosted.clock.settle();
    expect(namesIn(hosted.local, hosted.local.world.home.id)).toEqual(['ping']);
    expect(warnings(hosted)).toHaveLength(4);
    expect(warnings(hosted).at(-1)).toMatch(/left off until tomorrow.*\.\.\.cacheCommandData\(config\)/);
    await hosted.clock.advanceAsync(25 * HOUR_MS);
    await restored(hosted);
  });

  it('restores them when it is asked to, beside what the host deployed', async () => {
    const hosted = await host();
    await deploys(hosted, 'another process');
    await hosted.plugin.register();
    await restored(hosted);
  });

  it("says once what the host's own deploy script lacks where it was to deploy them, and puts nothing there", async () => {
    const hosted = await host({ register: false });
    await hosted.clock.advanceAsync(30_000);
    await eventually(() => expect(warnings(hosted)).toHaveLength(1));
    expect(warnings(hosted)[0]).toMatch(/register: false.*\.\.\.cacheCommandData\(config\)/);
    await deploys(hosted, 'this process');
    await hosted.clock.advanceAsync(3 * HOUR_MS);
    await hosted.plugin.plan();
    expect(warnings(hosted)).toHaveLength(1);
    expect(namesIn(hosted.local, hosted.local.world.home.id)).toEqual(['ping']);
  });

  it('does not blame the host for what Discord refused', async () => {
    const hosted = await host({ started: false });
    hosted.local.failNext(POST, { status: 403, body: { code: 30034, message: 'No' }, times: 100 });
    await hosted.plugin.start();
    await eventually(() => expect(warnings(hosted)).toHaveLength(COMMANDS.length));
    await hosted.clock.advanceAsync(30_000);
    await hosted.plugin.plan(); // behind the check, which has ended by then
    expect(warnings(hosted)).toHaveLength(COMMANDS.length);
  });

  it('stay off after `unregister`, and after `stop`', async () => {
    const hosted = await host();
    await hosted.plugin.unregister();
    await hosted.clock.advanceAsync(2 * HOUR_MS);
    expect(namesIn(hosted.local, hosted.local.world.home.id)).toEqual([]);
    await hosted.plugin.register();
    await hosted.plugin.stop();
    expect(hosted.client.rest.listenerCount('response')).toBe(0);
    await deploys(hosted, 'this process');
    await hosted.clock.advanceAsync(2 * HOUR_MS);
    expect(namesIn(hosted.local, hosted.local.world.home.id)).toEqual(['ping']);
  });

  it.each([
    ['where they are in place', (hosted: Hosted) => hosted.clock.advanceAsync(30_000)],
    [
      'where the host deploys them with its own',
      async (hosted: Hosted) => {
        const body = [HOST_COMMAND, ...cacheCommandData(parseConfig({}))];
        const { local, client, clock } = hosted;
        await client.rest.put(Routes.applicationGuildCommands(local.applicationId, local.world.home.id), {
          body,
        });
        await clock.advanceAsync(2_000);
      },
    ],
  ])('say nothing %s', async (_, act) => {
    const hosted = await host();
    const reads = () =>
      hosted.local.requestLog.filter(({ method, path }) => method === 'GET' && path.includes('/commands'));
    const before = reads().length;
    await act(hosted);
    await eventually(() => expect(reads()).toHaveLength(before + 1));
    await hosted.clock.settle();
    expect(warnings(hosted)).toEqual([]);
  });
});

describe('the definitions', () => {
  it('are had without a client, the same each time', () => {
    const config = parseConfig({});
    expect(cacheCommandData(config).map(({ name }) => name)).toEqual([...COMMANDS]);
    expect(cacheCommandData(config)).toEqual(cacheCommandData(config));
  });

  it('of the plugin are plain JSON that also has toJSON, as builders do', async () => {
    const { plugin } = await host({ started: false });
    for (const { data } of plugin.commands) {
      expect(Object.keys(data)).not.toContain('toJSON');
      expect(JSON.parse(JSON.stringify(data))).toEqual(data.toJSON());
      expect(JSON.parse(JSON.stringify({ ...data }))).toEqual(data.toJSON());
    }
  });

  it('are equal to what Discord gives back with its defaults filled in', () => {
    const wanted = cacheCommandData(parseConfig({}));
    const filled = wanted.map((command) => ({
      ...JSON.parse(JSON.stringify(command)),
      id: '1',
      application_id: '2',
      guild_id: '3',
      version: '4',
      type: 1,
      nsfw: false,
      name_localizations: null,
      dm_permission: true,
      contexts: null,
      integration_types: [0],
      handler: null,
    })) as APIApplicationCommand[];
    const found = differences(filled, wanted);
    expect(found).toMatchObject({ create: [], update: [] });
    expect(found.equal).toHaveLength(COMMANDS.length);
  });

  it.each([
    ['another text', { description: 'Other' }],
    ['another translation', { description_localizations: { de: 'Anders' } }],
    ['wider permissions', { default_member_permissions: null }],
    ['fewer options', { options: [] }],
  ])('differ by %s', (_what, change) => {
    const [command] = cacheCommandData(parseConfig({}));
    if (command === undefined) throw new Error('there is a first command');
    const existing = [{ ...command, type: 1, ...change }] as unknown as APIApplicationCommand[];
    expect(differences(existing, [command]).update).toEqual([command]);
  });
});
