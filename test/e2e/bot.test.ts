/** The admin commands of the real bot, through every page and question, by those who may and those who may not. */
import { ApplicationCommandPermissionType } from 'discord-api-types/v10';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { auditTable } from '../../src/db/audit-table.ts';
import { openDatabase } from '../../src/db/open.ts';
import { copied, Person, pressed, RunningBot } from './running-bot.ts';

let local: LocalDiscord;
let bot: RunningBot;
let ada: Person;
let grace: Person;
let linus: Person;
/** On the allow-list beside the owner. */
let alma: Person;

beforeAll(async () => {
  local = await LocalDiscord.start();
  const { world } = local;
  const [shopper] = world.shoppers;
  if (shopper === undefined) throw new Error('there is nobody in the shop');
  bot = await RunningBot.atWork(local, {
    config: { admin: { cooldown: 0, user_ids: [shopper.id], audit_channel_id: world.channels.audit } },
  });
  // A guild's administrators can show our commands to whom they like.
  for (const { id } of local.registeredCommands(world.home.id)) {
    local.setCommandPermissions(
      world.home.id,
      id,
      [world.people.linus, shopper].map((user) => ({
        id: user.id,
        type: ApplicationCommandPermissionType.User,
        permission: true,
      })),
    );
  }
  const at = (userId: string) => new Person(local, userId, world.channels.ops);
  ada = at(world.people.ada.id);
  grace = at(world.people.grace.id);
  linus = at(world.people.linus.id);
  alma = at(shopper.id);
});

afterAll(async () => {
  await bot.stop();
  await local.stop();
});

afterEach(() => {
  expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
});

/** The last lines of the bot's own audit log. */
function auditLines(limit = 50) {
  const db = openDatabase(bot.databasePath);
  try {
    return auditTable(db).recent(limit);
  } finally {
    db.close();
  }
}

describe('/cache-stats', () => {
  it('shows every page, and the inspection of a key from the list', async () => {
    await linus.run('leaderboard');
    const panel = await ada.run('cache-stats');
    expect(panel.isEphemeral).toBe(true);
    for (const heading of ['Performance', 'Memory Usage', 'Top Cached Entries']) await panel.shows(heading);
    await panel.pick('View', 'tiers');
    await panel.shows('Reference — ');
    await panel.pick('View', 'keys');
    await panel.shows('keys cached');
    await panel.pick('Inspect a key', '0');
    await panel.shows('Cached entry');
    await panel.click('Back to the keys');
    await panel.shows('keys cached');
    await panel.pick('View', 'overview');
    await panel.shows('Hit Rate:');
  });

  it('completes live keys, inspects the one that is named, and clears it', async () => {
    expect(await ada.complete('cache-stats', 'key', 'config')).toContain('config::vip_tiers');
    const panel = await ada.run('cache-stats', { key: 'config::vip_tiers' });
    await panel.shows('Cached entry');
    await panel.click('Clear this entry');
    await panel.shows('Cleared 1 entry');
    await (await ada.run('cache-stats', { key: 'config::vip_tiers' })).shows('is not cached');
    await (await ada.run('cache-stats', { key: 'config::payment_method' })).shows('Closest:');
  });

  it('sends the figures as a file', async () => {
    const panel = await ada.run('cache-stats');
    const message = await (await panel.click('Download JSON')).reply();
    expect(message.attachments[0]?.filename).toBe('cache-stats.json');
  });
});

describe('/cache-clear', () => {
  it('tells what a pattern covers and removes it after a press', async () => {
    await ada.run('cache-warm', { scope: 'reference' });
    const before = (await bot.stats()).namespaces.find(({ namespace }) => namespace === 'products');
    expect(before?.entries).toBeGreaterThan(5);
    const panel = await ada.run('cache-clear', { pattern: 'products:*' });
    await panel.shows('Clear cached entries?');
    const [label = ''] = /Clear \d+ entries/.exec(panel.text) ?? [];
    await panel.click(label);
    await panel.shows(/Cleared \d+ entries/);
    const after = (await bot.stats()).namespaces.find(({ namespace }) => namespace === 'products');
    expect(after?.entries ?? 0).toBe(0);
  });

  it('removes nothing when it is cancelled, or only previewed', async () => {
    await ada.run('cache-warm', { scope: 'reference' });
    const preview = await ada.run('cache-clear', { pattern: 'products:*', preview: true });
    await preview.shows('nothing was cleared');
    const panel = await ada.run('cache-clear', { pattern: 'products:*' });
    await panel.click('Cancel');
    await panel.shows('Nothing was cleared');
    const { namespaces } = await bot.stats();
    expect(namespaces.find(({ namespace }) => namespace === 'products')?.entries).toBeGreaterThan(5);
  });

  it('asks what to clear when no pattern is given, and clears everything and warms when that is picked', async () => {
    const panel = await ada.run('cache-clear');
    await panel.shows('What should be cleared?');
    await panel.pick('Choose what to clear', 'all');
    await panel.shows('Clear the whole cache?');
    await panel.click('Clear and warm');
    await panel.shows(/Cleared \d+ entries/);
  });

  it('suggests the nearest when nothing matches, and takes the suggestion at a press', async () => {
    await ada.run('cache-warm', { scope: 'reference' });
    const panel = await ada.run('cache-clear', { pattern: 'prodcuts:*' });
    await panel.shows('Nothing matches');
    await panel.shows('Did you mean');
    await panel.click('Take the suggestion');
    await panel.shows(/Clear \d+ entries/);
    await panel.click('Cancel');
    await panel.shows('Nothing was cleared');
  });

  it('completes tiers, namespaces and live keys', async () => {
    const values = await ada.complete('cache-clear', 'pattern', 'prod');
    expect(values).toContain('products::*');
    expect(values.some((value) => value.startsWith('products::') && !value.includes('*'))).toBe(true);
  });

  it('refuses what is no pattern, and takes the longest text or only stars calmly', async () => {
    await (await ada.run('cache-clear', { pattern: '::::' })).shows(/can't be used|Nothing matches/);
    await (await ada.run('cache-clear', { pattern: '*'.repeat(100), preview: true })).shows('Only a preview');
    await (await ada.run('cache-clear', { pattern: 'x'.repeat(6_000) })).shows(
      /can't be used|Nothing matches/,
    );
  });
});

describe('/cache-warm', () => {
  it.each(['config', 'reference', 'query', 'all'])(
    'warms %s and tells how long each part took',
    async (scope) => {
      const panel = await ada.run('cache-warm', { scope, force: true });
      await panel.shows(/Warmed (\d+) of \1 keys?/);
      await panel.shows('failed 0');
    },
  );

  it('leaves alone what is fresh', async () => {
    await ada.run('cache-warm', { scope: 'config' });
    await (await ada.run('cache-warm', { scope: 'config' })).shows('fresh and left alone');
  });

  it('warms one person, and asks who when nobody is named', async () => {
    await (await ada.run('cache-warm', { scope: 'user' })).shows('Whose entries?');
    const { id } = local.world.people.grace;
    await (await ada.run('cache-warm', { user: id, force: true })).shows('Warmed 3 of 3 keys');
    await (await ada.run('cache-stats', { key: `user_orders::${id}::recent` })).shows('Cached entry');
  });
});

describe('/cache-info', () => {
  it('tells the configuration, the warmers and the process', async () => {
    const panel = await ada.run('cache-info');
    for (const text of ['Cache Configuration', 'max_size_mb', 'Tiers', 'Startup']) await panel.shows(text);
    await panel.pick('More about', 'process');
    await panel.shows('Node');
  });

  it.each(['config', 'reference', 'user', 'query'])('tells more about the tier %s', async (tier) => {
    await (await ada.run('cache-info', { tier })).shows('Namespaces:');
  });
});

describe('who may use them', () => {
  it('I11: refuses an administrator of the guild and a member, whatever Discord allows them, on record', async () => {
    for (const person of [grace, linus]) {
      for (const name of ['cache-stats', 'cache-clear', 'cache-warm', 'cache-info']) {
        const panel = await person.run(name, name === 'cache-clear' ? { pattern: 'all' } : {});
        await panel.shows('Not allowed');
        expect(panel.isEphemeral).toBe(true);
        expect(panel.text).not.toMatch(/products|entries/);
      }
      expect(await person.complete('cache-clear', 'pattern', '')).toEqual([]);
    }
    const refused = auditLines().filter(({ action }) => action === 'refused');
    expect(new Set(refused.map(({ userId }) => userId))).toEqual(
      new Set([grace, linus].map(({ session }) => session.userId)),
    );
    const { audit } = local.world.channels;
    await expect
      .poll(() => ada.session.messages(audit).map(({ content }) => content))
      .toContainEqual(expect.stringContaining('**refused**'));
  });

  it('shows the commands to no ordinary member by itself', () => {
    const [, other] = local.world.shoppers;
    const names = local
      .as(other?.id ?? '')
      .guildCommands(local.world.home.id)
      .map(({ name }) => name);
    expect(names.toSorted()).toEqual(['buy', 'leaderboard', 'orders', 'shop', 'wallet']);
  });

  it('takes a press from nobody but who opened the panel, whether allowed or not', async () => {
    await ada.run('cache-warm', { scope: 'reference' });
    const question = await ada.run('cache-clear', { pattern: 'products:*' });
    const [label = ''] = /Clear \d+ entries/.exec(question.text) ?? [];
    const copy = await copied(local, question.idOf(label), label);
    await (await pressed(alma, copy, label)).shows('Somebody else opened this panel');
    await (await pressed(linus, copy, label)).shows('Not allowed');
    await question.click('Cancel');
    await (await pressed(ada, copy, label)).shows('Already done');
  });

  it('says so when a panel is from before the last start', async () => {
    const copy = await copied(local, 'cacheadmin:1:cache-stats:refresh:gone', 'Refresh');
    await (await pressed(ada, copy, 'Refresh')).shows('before the last restart');
  });

  it('keeps every action with its reference', async () => {
    const panel = await ada.run('cache-warm', { scope: 'config' });
    const [reference = ''] = /CA-\w{4}/.exec(panel.text) ?? [];
    expect(auditLines().find((line) => line.reference === reference)).toMatchObject({
      action: 'warm',
      userId: ada.session.userId,
      target: 'config',
    });
  });
});

describe('a second /cache-warm', () => {
  it('joins the run of somebody else, and is told to slow down when it is from the same person', async () => {
    const here = await LocalDiscord.start();
    onTestFinished(() => here.stop());
    const { world } = here;
    // Enough of it that a run takes some tenths of a second.
    const large = await RunningBot.atWork(here, {
      shop: { products: 10_000, orders: 0 },
      config: { admin: { user_ids: [world.people.grace.id] } },
    });
    onTestFinished(async () => void (await large.stop()));
    const [one, other] = [world.people.ada, world.people.grace].map(
      ({ id }) => new Person(here, id, world.channels.ops),
    );
    const warm = (person = one) => person?.run('cache-warm', { scope: 'reference', force: true });
    const [first, second] = await Promise.all([warm(one), warm(other)]);
    const result = /Warmed .*/;
    await first?.shows(result);
    await second?.shows(result);
    // One run, so one duration.
    expect(result.exec(second?.text ?? '')?.[0]).toBe(result.exec(first?.text ?? '')?.[0]);
    await (await warm(one))?.shows('That was a bit fast');
    expect(here.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
  });
});

describe('languages', () => {
  it('writes numbers as the reader does', async () => {
    ada.session.setLocale('de' as typeof ada.session.locale);
    try {
      await (await ada.run('cache-info')).shows('86.400');
    } finally {
      ada.session.setLocale('en-US' as typeof ada.session.locale);
    }
  });
});
