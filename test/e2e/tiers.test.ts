/** Tiers of an author's own in the running bot: registered, shown, explained and cleared through Discord. */
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { Person, RunningBot } from './running-bot.ts';

let local: LocalDiscord;

afterEach(() => {
  expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
});

async function atWork(tiers: object) {
  local = await LocalDiscord.start();
  const discord = local;
  onTestFinished(() => discord.stop());
  const bot = await RunningBot.atWork(local, { config: { cache: { tiers }, admin: { cooldown: 0 } } });
  onTestFinished(async () => void (await bot.stop()));
  const { people, channels } = local.world;
  return { bot, ada: new Person(discord, people.ada.id, channels.ops) };
}

describe('with tiers of one’s own', () => {
  it('the commands know them, and tell of the policies of each', async () => {
    const { ada } = await atWork({
      system_status: { ttl: 5 },
      character: { ttl: 300, grace: 3_600, soft_timeout: 0.5 },
      reference: { refresh_ahead: 0.8 },
    });
    const all = await ada.run('cache-info');
    await all.shows('**Character** — ttl 300 s (5 min) · empty');
    await all.shows('Policies of Character: grace, soft timeout');
    await (await ada.run('cache-info', { tier: 'reference' })).shows(
      '**Refresh-ahead** — a read after 80.0%',
    );
    await (await ada.run('cache-stats', { tier: 'system_status' })).shows('System status tier');
    await (await ada.run('cache-warm', { scope: 'character' })).shows('no warmer for `character`');
    await (await ada.run('cache-clear', { pattern: 'tier:charcter' })).shows('Did you mean tier:character?');
  });

  it('a key is explained', async () => {
    const { ada } = await atWork({ reference: { grace: 60 } });
    await (await ada.run('cache-warm', { scope: 'reference' })).shows('Warmed: reference');
    const [key = ''] = await ada.complete('cache-info', 'key', 'products::');
    const explained = await ada.run('cache-info', { key });
    await explained.shows('**Tier:** Reference — by its namespace `products`');
    await explained.shows('**Grace** — ');
  });

  it('there may be more than Discord has choices for', async () => {
    const { bot, ada } = await atWork(
      Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`mine_${i}`, { ttl: 60 + i }])),
    );
    expect((await bot.stats()).tiers).toHaveLength(34);
    const tiers = await ada.run('cache-stats', { view: 'tiers' });
    await tiers.shows('1/5');
    await tiers.click('▶');
    await tiers.shows('2/5');
    expect(await ada.complete('cache-info', 'tier', 'mine 29')).toEqual(['mine_29']);
    await (await ada.run('cache-info', { tier: 'mine 29' })).shows('ttl 89 s');
  });
});
