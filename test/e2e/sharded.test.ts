/** A bot in two processes under discord.js's own ShardingManager, each with a cache of its own, and one operator. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { ShardingManager } from 'discord.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { COMMANDS } from '../plugin/setup.ts';
import { Person } from './running-bot.ts';

let local: LocalDiscord;
let manager: ShardingManager;
let ada: Person;
/** The shard that the home guild is on, and the other one. */
let own: number;
let other: number;

beforeAll(async () => {
  local = await LocalDiscord.start({ shards: 2, world: { furtherGuilds: ['Third', 'Fourth'] } });
  const { home, people, channels } = local.world;
  own = Number((BigInt(home.id) >> 22n) % 2n);
  other = 1 - own;
  // The manager hands its own environment down, and writes into it that it is one.
  const before = { ...process.env };
  Object.assign(process.env, { DISCORD_API_URL: local.apiUrl, ADMIN_GUILD_ID: home.id });
  try {
    manager = new ShardingManager(resolve('test/e2e/sharded-bot.ts'), {
      totalShards: 2,
      token: local.token,
      respawn: false,
    });
    await manager.spawn({ delay: 0 });
  } finally {
    process.env = before;
  }
  ada = new Person(local, people.ada.id, channels.ops);
  await vi.waitFor(
    () =>
      expect(local.registeredCommands(home.id).map(({ name }) => name)).toEqual(
        expect.arrayContaining([...COMMANDS]),
      ),
    { timeout: 15_000, interval: 10 },
  );
});

afterAll(async () => {
  for (const shard of manager.shards.values()) {
    const child = shard.process;
    if (child === null) continue;
    const exited = once(child, 'exit');
    shard.kill();
    await exited;
  }
  await local?.stop();
});

describe('a bot in two processes', () => {
  it('registers its commands once, from the process that has the guild', () => {
    const requests = local.requestLog.filter(
      ({ path }) => path.endsWith('/commands') && path.includes('/guilds/'),
    );
    const of = (wanted: string) => requests.filter(({ method }) => method === wanted);
    expect(of('POST')).toHaveLength(COMMANDS.length);
    // The other process has not even looked.
    expect(of('GET')).toHaveLength(1);
  });

  it('/cache-stats shows the sums of both, and each alone', async () => {
    const panel = await ada.run('cache-stats');
    await panel.shows('all 2 shards');
    expect(panel.text).toContain('**Entries:** 5');
    expect(panel.text).toContain('**Max:** 200 MB');
    expect(panel.text).toMatch(/\*\*Shard 0\*\* — .* · 2 entries/);
    expect(panel.text).toMatch(/\*\*Shard 1\*\* — .* · 3 entries/);
    await panel.pick('Shards', String(other));
    await panel.shows(`shard ${other} of 2`);
    expect(panel.text).toContain(`**Entries:** ${2 + other}`);
  });

  it('/cache-info tells how both processes are', async () => {
    const panel = await ada.run('cache-info');
    await panel.shows(/\*\*Shard 0\*\* — 2 entries .* heap/);
    expect(panel.text).toMatch(/\*\*Shard 1\*\* — 3 entries .* heap/);
  });

  it('/cache-warm warms both', async () => {
    const panel = await ada.run('cache-warm', { scope: 'config' });
    await panel.shows('Warmed: config');
    expect(panel.text).toMatch(/\*\*Shard 0\*\* — done · 1 of 1 key/);
    expect(panel.text).toMatch(/\*\*Shard 1\*\* — done · 1 of 1 key/);
  });

  it('/cache-clear clears both', async () => {
    const panel = await ada.run('cache-clear', { pattern: 'config::limits' });
    await panel.shows('Cleared 2 entries');
    await (await ada.run('cache-stats')).shows('**Entries:** 5');
  });

  it('says which process is gone, and what that means for a clear', async () => {
    const child = manager.shards.get(other)?.process;
    if (child === null || child === undefined) throw new Error('It never was.');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const stats = await ada.run('cache-stats');
    await stats.shows('1 of 2 shards answered');
    expect(stats.text).toContain(`⚠️ **Shard ${other}** is not running.`);
    expect(stats.text).toContain(`**Entries:** ${2 + own}`);
    const clear = await ada.run('cache-clear', { pattern: 'products::p0' });
    await clear.shows('Cleared on 1 of 2 shards');
    expect(clear.text).toContain(`**Shard ${other}** is not running; what it holds may be served`);
    // Its manager brings it back, with the cache of a new process; what was asked for is done there, too.
    await manager.shards.get(other)?.spawn();
    await clear.click(`Try shard ${other} again`);
    await clear.shows(`Cleared on shard ${other}`);
    expect(clear.text).toContain(`**Shard ${other}** — 1 entry cleared`);
    await (await ada.run('cache-stats')).shows('**Entries:** 3');
  });
});
