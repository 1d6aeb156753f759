/** The plugin in one of several processes: it answers the others while it runs, and tends the guilds of its shard. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Shards } from '../../src/commands/shards/shards.ts';
import { parseConfig } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { createCachecord } from '../../src/plugin/plugin.ts';
import { ShardBus } from '../commands/shard-bus.ts';
import { handClock } from '../support/hand-clock.ts';
import { COMMANDS, host } from './setup.ts';

const NOBODY = 'did not answer: no Cachecord runs there (it is starting, or was stopped)';

describe('the plugin in one of two processes', () => {
  it('answers the other from its start to its stop', async () => {
    const bus = new ShardBus(2);
    const hosted = await host({ started: false, plugin: { shards: bus.link(1) } });
    const { plugin } = hosted;
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const other = new Shards({ link: bus.link(0), clock: handClock(), logger: silentLogger, version });
    plugin.cache.set('config::limits', { most: 3 });
    expect(await other.ask('info', {})).toEqual([{ shard: 1, ok: false, problem: NOBODY }]);
    await plugin.start();
    expect(await other.ask('info', {})).toMatchObject([
      { shard: 1, ok: true, value: { entries: 1, guilds: 2 } },
    ]);
    await plugin.stop();
    expect(await other.ask('info', {})).toEqual([{ shard: 1, ok: false, problem: NOBODY }]);
  });

  it('forgets a person in both, and says which shard did not answer', async () => {
    const bus = new ShardBus(2);
    const first = await host({ started: false, plugin: { shards: bus.link(0) } });
    const second = await host({ started: false, plugin: { shards: bus.link(1) } });
    await Promise.all([first.plugin.start(), second.plugin.start()]);
    for (const { plugin } of [first, second]) plugin.cache.set('user::42::profile', 'x');
    expect(await first.plugin.forgetUser('42')).toMatchObject({ entries: 2, silentShards: [] });
    expect(second.plugin.cache.has('user::42::profile')).toBe(false);
    await second.plugin.stop();
    expect(await first.plugin.forgetUser('42')).toMatchObject({ entries: 0, silentShards: [1] });
    expect(first.log).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('may still hold something') }),
    );
  });

  it('registers where the guild is of its own shard, and nowhere else', async () => {
    const hosted = await host({ started: false });
    const { local, client } = hosted;
    const { home, elsewhere } = local.world;
    const bus = new ShardBus(2);
    for (const shard of [0, 1]) {
      const plugin = createCachecord(client, {
        config: parseConfig({ admin: { guild_ids: [home.id, elsewhere.id] } }),
        logger: silentLogger,
        shards: bus.link(shard),
      });
      onTestFinished(() => plugin.stop());
      const own = [home.id, elsewhere.id].filter((id) => Number((BigInt(id) >> 22n) % 2n) === shard);
      const { guilds, problems } = await plugin.register();
      expect(guilds.map(({ guildId, create }) => [guildId, create])).toEqual(
        own.map((id) => [id, [...COMMANDS]]),
      );
      expect(problems).toEqual([]);
    }
    for (const { id } of [home, elsewhere])
      expect(local.registeredCommands(id)).toHaveLength(COMMANDS.length);
  });
});
