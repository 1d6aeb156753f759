/** Registration beside the host's own commands: never replaced, only what differs, told when it is gone. */
import { type APIApplicationCommand, Routes } from 'discord.js';
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

describe('half a minute after the start', () => {
  async function wiped() {
    const hosted = await host();
    const { local, client, clock } = hosted;
    const { home } = local.world;
    await client.rest.put(Routes.applicationGuildCommands(local.applicationId, home.id), {
      body: [HOST_COMMAND],
    });
    clock.advance(30_000);
    return hosted;
  }

  it("says once that the host's deploy script has taken our commands off, and which line it lacks", async () => {
    const hosted = await wiped();
    await eventually(() => expect(warnings(hosted)).toHaveLength(1));
    expect(warnings(hosted)[0]).toMatch(/\/cache-stats.*bulk PUT.*\.\.\.cacheCommandData\(config\)/);
    await hosted.clock.advanceAsync(3_600_000);
    expect(warnings(hosted)).toHaveLength(1);
    // Nobody wants two programs that undo each other's work without end.
    expect(namesIn(hosted.local, hosted.local.world.home.id)).toEqual(['ping']);
  });

  it('restores them when it is asked to, beside what the host deployed', async () => {
    const { plugin, local } = await wiped();
    await plugin.register();
    expect(namesIn(local, local.world.home.id)).toEqual(['ping', ...COMMANDS]);
  });

  it("says what the host's own deploy script lacks where it was to deploy them", async () => {
    const hosted = await host({ register: false });
    hosted.clock.advance(30_000);
    await eventually(() => expect(warnings(hosted)).toHaveLength(1));
    expect(warnings(hosted)[0]).toMatch(/register: false.*\.\.\.cacheCommandData\(config\)/);
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

  it('says nothing where they are in place', async () => {
    const hosted = await host();
    const reads = () =>
      hosted.local.requestLog.filter(({ method, path }) => method === 'GET' && path.includes('/commands'));
    const before = reads().length;
    hosted.clock.advance(30_000);
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
