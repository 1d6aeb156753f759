import { describe, expect, it, vi } from 'vitest';
import { host } from './setup.ts';

describe('what the cache holds of a guild', () => {
  it('is forgotten when the bot leaves it, and not when Discord loses sight of it', async () => {
    const { plugin, local, log } = await host();
    const { id } = local.world.elsewhere;
    const fill = () => {
      plugin.cache.set(`settings::${id}`, 'x');
      plugin.cache.set('query::members', ['x'], { tags: [`guild:${id}`] });
      plugin.cache.set(`settings::${local.world.home.id}`, 'stays');
    };
    fill();
    local.setGuildAvailable(id, false);
    local.setGuildAvailable(id, true);
    local.removeBotFrom(id);
    await vi.waitFor(() =>
      expect(log).toContainEqual(
        expect.objectContaining({ message: 'What the cache held of a guild was forgotten.' }),
      ),
    );
    expect(log.filter(({ message }) => message.includes('was forgotten'))).toHaveLength(1);
    expect(plugin.cache.keys('', 10)).toEqual([`settings::${local.world.home.id}`]);
  });

  it('is forgotten when asked for, and so is what it holds of a person, with a receipt', async () => {
    const { plugin } = await host();
    plugin.cache.set('user::42::profile', 'x');
    plugin.cache.set('wallets::of-42', 'x');
    expect(await plugin.forgetUser('42', ['wallets::of-42'])).toMatchObject({
      kind: 'user',
      id: '42',
      entries: 2,
    });
    await expect(plugin.forgetGuild('*')).rejects.toThrow('no id of a guild');
  });
});
