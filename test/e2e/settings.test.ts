/** Settings that change how the bot answers: the cache off, replies as embeds, an audit channel, the cooldown. */
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { Person, RunningBot } from './running-bot.ts';

let local: LocalDiscord;

afterEach(() => {
  expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
});

async function atWork(config: (world: LocalDiscord['world']) => object) {
  local = await LocalDiscord.start();
  const discord = local;
  onTestFinished(() => discord.stop());
  const { world } = local;
  const bot = await RunningBot.atWork(local, { config: config(world) });
  onTestFinished(async () => void (await bot.stop()));
  const at = (userId: string) => new Person(discord, userId, world.channels.ops);
  return { bot, world, ada: at(world.people.ada.id), linus: at(world.people.linus.id) };
}

describe('with the cache off', () => {
  it('people shop as ever, every read goes to the database, and the commands say so', async () => {
    const { bot, ada, linus } = await atWork(() => ({ cache: { enabled: false }, admin: { cooldown: 0 } }));
    for (const name of ['shop', 'wallet', 'orders', 'leaderboard', 'shop']) await linus.run(name);
    const wallet = await linus.run('wallet');
    const [credit = ''] = /Take [^\n]+/.exec(wallet.text) ?? [];
    await wallet.click(credit);
    await wallet.shows('added.');
    await (await ada.run('cache-stats')).shows('The cache is off');
    await (await ada.run('cache-clear', { pattern: 'all' })).shows('The cache is off');
    await (await ada.run('cache-warm', { scope: 'all' })).shows('The cache is off');
    await (await ada.run('cache-info')).shows('Off: every read goes to the database');
    const { total } = await bot.stats();
    expect(total).toMatchObject({ entries: 0, hits: 0, fills: 0 });
    expect(total.loads).toBeGreaterThan(5);
    expect(bot.output).toContain('`cache.enabled` is false');
  });
});

describe('with replies as embeds', () => {
  it('every admin command answers with embeds, and its buttons work', async () => {
    const { ada } = await atWork(() => ({ admin: { cooldown: 0, reply_style: 'embeds' } }));
    const stats = await ada.run('cache-stats');
    expect(stats.message.embeds).toHaveLength(1);
    await stats.pick('View', 'tiers');
    await stats.shows('Reference — ');
    const clear = await ada.run('cache-clear', { pattern: 'products:*' });
    const [label = ''] = /Clear \d+ entries/.exec(clear.text) ?? [];
    await clear.click(label);
    await clear.shows(/Cleared \d+ entries/);
    await (await ada.run('cache-warm', { scope: 'reference' })).shows('Warmed: reference');
    await (await ada.run('cache-info')).shows('Cache Configuration');
  });
});

describe('with an audit channel', () => {
  it('every action is told there, with ids masked and nobody pinged', async () => {
    const { ada, world } = await atWork(({ channels }) => ({
      admin: { cooldown: 0, audit_channel_id: channels.audit },
    }));
    const { id } = world.people.linus;
    await (await ada.run('cache-warm', { user: id })).shows('Warmed: user');
    await (await ada.run('cache-clear', { pattern: `user::${id}::profile` })).shows('Cleared 1 entry');
    const lines = () => ada.session.messages(world.channels.audit).map(({ content }) => content);
    await expect
      .poll(lines)
      .toContainEqual(
        expect.stringMatching(/\*\*clear\*\* by <@\d+>: \/cache-clear `user::…\d{4}::profile`/),
      );
    await expect.poll(lines).toContainEqual(expect.stringContaining('**warm**'));
    const [message] = ada.session.messages(world.channels.audit);
    expect(message?.mentions).toEqual([]);
  });

  it('a channel that takes nothing stops no command', async () => {
    const { bot, ada } = await atWork(() => ({
      admin: { cooldown: 0, audit_channel_id: '80351110224678912' },
    }));
    await (await ada.run('cache-clear', { pattern: 'config::vip_tiers' })).shows('Cleared 1 entry');
    await bot.says('An audit line did not reach the audit channel');
    await (await ada.run('cache-info')).shows('Cache Configuration');
  });
});

describe('with the default cooldown', () => {
  it('a second clear at once is refused, and looking is not', async () => {
    const { ada } = await atWork(() => ({}));
    await (await ada.run('cache-clear', { pattern: 'config::vip_tiers' })).shows('Cleared 1 entry');
    await (await ada.run('cache-clear', { pattern: 'all' })).shows('That was a bit fast.');
    await (await ada.run('cache-clear', { pattern: 'config:*', preview: true })).shows('Only a preview');
    for (const name of ['cache-stats', 'cache-info', 'cache-stats'])
      await (await ada.run(name)).shows('Cache ');
  });
});
