/** The plugin with a write-behind: its command, its end, and forgetting. */
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import type { Cachecord } from '../../src/plugin/cachecord.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import type { WriteBehind } from '../../src/write-behind/types.ts';
import { createWriteBehind } from '../../src/write-behind/write-behind.ts';
import { COMMANDS, eventually, host } from './setup.ts';

async function hosted(save: (values: readonly unknown[]) => unknown = () => undefined) {
  const db = openJournal(':memory:', (file) => new Database(file), { logger: silentLogger });
  const made: WriteBehind[] = [];
  const at = await host({
    plugin: {
      writeBehind: (cache: Cachecord['cache']) => {
        const behind = createWriteBehind(db, cache, { logger: silentLogger });
        made.push(behind);
        return behind;
      },
    },
  });
  const [behind] = made;
  if (behind === undefined) throw new Error('The plugin made no write-behind.');
  const write = behind.writeBehind('names', (batch) => save(batch.map(({ value }) => value)));
  const rows = () => db.prepare('SELECT key FROM writes').pluck().all();
  return { ...at, behind, write, rows };
}

describe('a plugin with a write-behind', () => {
  it('registers /cache-writes beside the others, and without one does not', async () => {
    const { local, plugin } = await hosted();
    const names = () => local.registeredCommands(local.world.home.id).map(({ name }) => name);
    await eventually(() => expect(names()).toEqual(expect.arrayContaining([...COMMANDS, 'cache-writes'])));
    expect(plugin.commands.map(({ data }) => data.name)).toContain('cache-writes');
    const without = await host({ started: false });
    expect(without.plugin.commands.map(({ data }) => data.name)).toEqual([...COMMANDS]);
  });

  it('I11: refuses /cache-writes to whoever is not allowed, on record', async () => {
    const { local, audit } = await hosted();
    await eventually(() =>
      expect(local.registeredCommands(local.world.home.id).map(({ name }) => name)).toContain('cache-writes'),
    );
    const { people, channels } = local.world;
    const stranger = local.as(people.grace.id);
    const interaction = await stranger.run(channels.ops, 'cache-writes list');
    const { content, components } = await interaction.reply();
    expect(JSON.stringify([content, components])).toContain('Not allowed');
    expect(audit).toMatchObject([{ action: 'refused', command: 'cache-writes' }]);
  });

  it('I13: saves what waits at its stop', async () => {
    const saved: unknown[] = [];
    const { plugin, write, rows } = await hosted((values) => saved.push(...values));
    await write('user::1', 'Ada');
    await plugin.stop();
    expect(saved).toEqual(['Ada']);
    expect(rows()).toEqual([]);
  });

  it('I13: ends in time where nothing can be saved, and leaves it in the journal', async () => {
    const { plugin, write, rows, clock } = await hosted(() => new Promise(() => undefined));
    await write('user::1', 'Ada');
    const stopping = plugin.stop();
    await clock.settle();
    await clock.advanceAsync(4_000);
    await stopping;
    expect(rows()).toEqual(['user::1']);
  });

  it('forgets what the journal holds of a person, and says how many in the receipt', async () => {
    const { plugin, write, rows } = await hosted();
    await write('user::42::name', 'Ada');
    await write('user::421::name', 'Grace');
    expect(await plugin.forgetUser('42')).toMatchObject({ writes: 1 });
    expect(rows()).toEqual(['user::421::name']);
  });
});
