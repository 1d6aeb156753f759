/** Guilds that are no longer admin guilds: they lose our commands at the next start, and nothing else. */
import { Routes } from 'discord.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CommandStore, memoryCommandStore } from '../../src/commands/registration/command-store.ts';
import { parseConfig } from '../../src/config/config.ts';
import { commandStore } from '../../src/db/command-store.ts';
import { openDatabase } from '../../src/db/open.ts';
import type { Cachecord } from '../../src/plugin/cachecord.ts';
import { createCachecord } from '../../src/plugin/plugin.ts';
import { COMMANDS, eventually, type Hosted, host, keptLog } from './setup.ts';

const HOST_COMMAND = { name: 'ping', description: 'Answers.' };

/** What the host's next process makes, with other admin guilds and the same store. */
function next(
  { client }: Hosted,
  guild_ids: readonly string[],
  store: CommandStore,
): { readonly plugin: Cachecord; readonly warnings: () => string[]; readonly infos: () => string[] } {
  const { lines, logger } = keptLog();
  const plugin = createCachecord(client, {
    config: parseConfig({ admin: { guild_ids } }),
    logger,
    commandStore: store,
  });
  onTestFinished(() => plugin.stop());
  const at = (wanted: string) => lines.filter(({ level }) => level === wanted).map(({ message }) => message);
  return { plugin, warnings: () => at('warn'), infos: () => at('info') };
}

const namesIn = ({ local }: Hosted, guildId: string) =>
  local.registeredCommands(guildId).map(({ name }) => name);

/** The first process, with both guilds as admin guilds and a command of the host's own in the one that will go. */
async function firstStart(store: CommandStore) {
  const hosted = await host({
    guildIds: ({ world }) => [world.home.id, world.elsewhere.id],
    plugin: { commandStore: store },
  });
  const { home, elsewhere } = hosted.local.world;
  await hosted.client.application.commands.create(HOST_COMMAND, elsewhere.id);
  await hosted.plugin.stop();
  return { hosted, home: home.id, former: elsewhere.id };
}

describe('a guild that is no longer an admin guild', () => {
  it("loses our commands when the next process registers, and keeps the host's own", async () => {
    const store = memoryCommandStore();
    const { hosted, home, former } = await firstStart(store);
    const { plugin } = next(hosted, [home], store);
    const report = await plugin.register();
    expect(report).toMatchObject({ former: [{ guildId: former, remove: [...COMMANDS] }], problems: [] });
    expect(namesIn(hosted, former)).toEqual(['ping']);
    expect(namesIn(hosted, home)).toEqual([...COMMANDS]);
    expect((await plugin.register()).former).toEqual([]);
  });

  it('loses them as the bot starts, also when none is left, and the log says so', async () => {
    const store = memoryCommandStore();
    const { hosted, former } = await firstStart(store);
    await hosted.plugin.stop();
    const { plugin, infos, warnings } = next(hosted, [], store);
    await plugin.start({ listen: 'none' });
    await eventually(() => expect(namesIn(hosted, former)).toEqual(['ping']));
    await eventually(() =>
      expect(infos()).toContain(
        `Removed /cache-stats, /cache-clear, /cache-warm, /cache-info from guild ${former}, which is no admin guild any more.`,
      ),
    );
    expect(warnings()).toEqual([expect.stringMatching(/admin\.guild_ids/)]);
  });

  it('is only looked at by a plan', async () => {
    const store = memoryCommandStore();
    const { hosted, home, former } = await firstStart(store);
    const { plugin } = next(hosted, [home], store);
    expect((await plugin.plan()).former).toEqual([{ guildId: former, remove: [...COMMANDS] }]);
    expect(namesIn(hosted, former)).toEqual([...COMMANDS, 'ping']);
  });

  it('keeps what the host has put in place of ours since, though it has our name and id', async () => {
    const store = memoryCommandStore();
    const { hosted, home, former } = await firstStart(store);
    const own = { name: 'cache-stats', description: "The host's own" };
    await hosted.client.rest.put(Routes.applicationGuildCommands(hosted.local.applicationId, former), {
      body: [HOST_COMMAND, own],
    });
    await next(hosted, [home], store).plugin.register();
    expect(namesIn(hosted, former).sort()).toEqual(['cache-stats', 'ping']);
  });

  it('keeps what nobody remembers to be ours', async () => {
    const { hosted, home, former } = await firstStart(memoryCommandStore());
    await next(hosted, [home], memoryCommandStore()).plugin.register();
    expect(namesIn(hosted, former)).toEqual([...COMMANDS, 'ping']);
  });

  it('that the bot has left is asked again at the next start, and no problem', async () => {
    const store = memoryCommandStore();
    const { hosted, home, former } = await firstStart(store);
    hosted.local.failNext('GET /applications/:application/guilds/:guild/commands', {
      status: 403,
      body: { code: 50001, message: 'Missing Access' },
    });
    const { plugin } = next(hosted, [home], store);
    expect(await plugin.register()).toMatchObject({ former: [], problems: [] });
    expect((await plugin.register()).former).toEqual([{ guildId: former, remove: [...COMMANDS] }]);
  });

  it('that Discord does not let go of is told, and tried again', async () => {
    const store = memoryCommandStore();
    const { hosted, home, former } = await firstStart(store);
    hosted.local.failNext('DELETE /applications/:application/guilds/:guild/commands/:command', {
      status: 400,
      body: { code: 40333, message: 'Not today' },
    });
    const { plugin } = next(hosted, [home], store);
    const { problems } = await plugin.register();
    expect(problems).toEqual([
      expect.stringMatching(`Guild ${former} is no admin guild any more.*Not today`),
    ]);
    await plugin.register();
    expect(namesIn(hosted, former)).toEqual(['ping']);
  });

  it("is not touched for another application's commands in the same store", async () => {
    const store = memoryCommandStore();
    const { hosted, home, former } = await firstStart(store);
    for (const command of await store.all()) void store.keep({ ...command, applicationId: '1' });
    await next(hosted, [home], store).plugin.register();
    expect(namesIn(hosted, former)).toEqual([...COMMANDS, 'ping']);
  });

  it('is cleared by `unregister`, too', async () => {
    const store = memoryCommandStore();
    const { hosted, home, former } = await firstStart(store);
    await next(hosted, [home], store).plugin.unregister();
    expect(namesIn(hosted, former)).toEqual(['ping']);
    expect(namesIn(hosted, home)).toEqual([]);
    expect(await store.all()).toEqual([]);
  });
});

describe('what is remembered', () => {
  it('lies in the database of the reference bot, the shop apart from the admin', async () => {
    const db = openDatabase(':memory:');
    onTestFinished(() => void db.close());
    const store = commandStore(db, 'cachecord');
    const { hosted, home, former } = await firstStart(store);
    expect(store.all()).toHaveLength(2 * COMMANDS.length);
    expect(commandStore(db, 'shop').all()).toEqual([]);
    await next(hosted, [home], commandStore(db, 'cachecord')).plugin.register();
    expect(namesIn(hosted, former)).toEqual(['ping']);
    expect(store.all().map(({ guildId }) => guildId)).toEqual(COMMANDS.map(() => home));
  });

  it('is written once, not at every start', async () => {
    const store = memoryCommandStore();
    const { hosted, home, former } = await firstStart(store);
    let writes = 0;
    const counting = { ...store, keep: () => void writes++ };
    await next(hosted, [home, former], counting).plugin.register();
    expect(writes).toBe(0);
  });

  it('may be out of order: registration goes on, and the log says what that costs', async () => {
    const broken: CommandStore = {
      all: () => Promise.reject(new Error('the disk is full')),
      keep: () => {
        throw new Error('the disk is full');
      },
      forget: () => undefined,
    };
    const hosted = await host({ plugin: { commandStore: broken } });
    expect(namesIn(hosted, hosted.local.world.home.id)).toEqual([...COMMANDS]);
    const warned = hosted.log.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warned[0]).toMatch(/could not be read: a later change of the admin guilds may leave some/);
  });
});
