/** The controls of the admin's panels on the real bot: each does what its label says, once, and on the newest state. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { auditTable } from '../../src/db/audit-table.ts';
import { openDatabase } from '../../src/db/open.ts';
import { Person, RunningBot } from './running-bot.ts';

let local: LocalDiscord;
let bot: RunningBot;
let ada: Person;

beforeAll(async () => {
  local = await LocalDiscord.start();
  bot = await RunningBot.atWork(local, { config: { admin: { cooldown: 0 } } });
  ada = new Person(local, local.world.people.ada.id, local.world.channels.ops);
});

afterAll(async () => {
  await bot?.stop();
  await local?.stop();
});

/** Every test finds the two settings and the reference data cached. */
beforeEach(async () => {
  for (const scope of ['config', 'reference'])
    await (await ada.run('cache-warm', { scope })).shows('Warmed: ');
});

/** What is cached under a prefix, as it is offered while one types. */
const cached = (prefix: string) => ada.complete('cache-stats', 'key', prefix);

function auditLines(limit: number) {
  const db = openDatabase(bot.databasePath);
  try {
    return auditTable(db).recent(limit);
  } finally {
    db.close();
  }
}

describe('/cache-stats', () => {
  it.each([
    ['overview', '**Entries:**'],
    ['tiers', 'Configuration — '],
    ['keys', 'keys cached'],
  ])('begins with the page %s where that is asked for', async (view, text) => {
    await (await ada.run('cache-stats', { view })).shows(text);
  });

  it('shows one tier alone', async () => {
    const panel = await ada.run('cache-stats', { view: 'tiers', tier: 'config' });
    await panel.shows('Configuration — ');
    expect(panel.text).not.toContain('Reference — ');
  });

  it('turns the pages of the keys, in the order that was picked', async () => {
    const panel = await ada.run('cache-stats', { view: 'keys' });
    await panel.shows('10. ');
    await panel.click('▶');
    await panel.shows('11. ');
    await panel.click('◀');
    await panel.shows(/\b1\. /);
    const [order = ''] = panel.valuesOf('Order').filter((value) => value === 'size');
    await panel.pick('Order', order);
    await panel.shows('products::all');
  });

  it('shows what has changed since on Refresh', async () => {
    const panel = await ada.run('cache-stats', { view: 'keys', tier: 'config' });
    await panel.shows('2 keys cached');
    await (await ada.run('cache-clear', { pattern: 'config::vip_tiers' })).shows('Cleared 1 entry');
    await panel.click('Refresh');
    await panel.shows('1 key cached');
  });

  it('hands out a file with every figure', async () => {
    const panel = await ada.run('cache-stats');
    const { attachments } = await (await panel.click('Download JSON')).reply();
    const answer = await fetch(String(attachments[0]?.url));
    expect(await answer.json()).toMatchObject({
      enabled: true,
      total: { entries: expect.any(Number), hits: expect.any(Number) },
      tiers: expect.arrayContaining([expect.objectContaining({ tier: 'reference' })]),
    });
  });

  it('loads the tier of an inspected key again', async () => {
    const panel = await ada.run('cache-stats', { key: 'config::vip_tiers' });
    await panel.shows('Cached entry');
    const before = (await bot.stats()).total.fills;
    await panel.click('Reload configuration now');
    await expect
      .poll(() => auditLines(1)[0])
      .toMatchObject({ action: 'reload', target: 'config::vip_tiers' });
    await expect.poll(() => panel.isDisabled('Reload configuration now')).toBe(false);
    expect((await bot.stats()).total.fills).toBe(before + 2);
  });

  it('opens the key that was probably meant', async () => {
    const panel = await ada.run('cache-stats', { key: 'config::vip_teirs' });
    await panel.shows('Closest: `config::vip_tiers`');
    await panel.click('Inspect the closest');
    await panel.shows('Cached entry');
  });
});

describe('/cache-clear', () => {
  it('removes one key without a question, and brings it back at a press', async () => {
    const panel = await ada.run('cache-clear', { pattern: 'config::vip_tiers' });
    await panel.shows('Cleared 1 entry');
    expect(await cached('config::')).toEqual(['config::payment_methods']);
    await panel.click('Warm configuration now');
    await expect.poll(() => cached('config::')).toHaveLength(2);
  });

  it('removes exactly what it told', async () => {
    const others = (await cached('categories::')).length;
    const panel = await ada.run('cache-clear', { pattern: 'products:*' });
    const [, told = ''] = /\*\*(\d+) entries\*\*/.exec(panel.text) ?? [];
    await panel.click(`Clear ${told} entries`);
    await panel.shows(`Cleared ${told} entries`);
    expect(await cached('products::')).toEqual([]);
    expect(await cached('categories::')).toHaveLength(others);
  });

  it('removes a tier that was picked', async () => {
    const panel = await ada.run('cache-clear');
    await panel.pick('Choose what to clear', 'tier:config');
    await panel.shows('Cleared 2 entries');
    expect(await cached('config::')).toEqual([]);
  });

  it('acts once on two presses', async () => {
    const panel = await ada.run('cache-clear', { pattern: 'products:*' });
    const [label = ''] = /Clear \d+ entries/.exec(panel.text) ?? [];
    const press = () => ada.session.click(panel.message.id, panel.idOf(label));
    const presses = await Promise.all([press(), press(), press()]);
    await Promise.all(presses.map((one) => one.acknowledged()));
    await panel.shows('Cleared ');
    const clears = auditLines(3).filter(({ action }) => action === 'clear');
    expect(clears).toHaveLength(1);
  });

  it('says why a text is no target', async () => {
    const panel = await ada.run('cache-clear', { pattern: 'tier:rubbish' });
    await panel.shows('There is no such tier. There are: config, reference, user, query.');
    await panel.shows('Nothing was changed.');
  });
});

it('Discord found nothing wrong with any request, and the log no fault', () => {
  expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
  expect(local.requestLog.filter(({ status }) => status >= 400)).toEqual([]);
  expect(bot.output).not.toMatch(/(warn|error) /);
});
