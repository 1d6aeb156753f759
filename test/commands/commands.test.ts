import { afterEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { key } from '../../src/cache/keys/keys.ts';
import type { WarmJob } from '../../src/cache/warm-job.ts';
import { adminCommands } from '../../src/commands/commands.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { WarmTask } from '../../src/warmers/types.ts';
import { type Desk, desk, fillShop } from './desk.ts';
import { find, OTHER_ID } from './discord-edge.ts';
import { outsideCode, schemaIssues } from './spoken.ts';
import { warmReport, warmTask } from './stats-data.ts';

const desks: Desk[] = [];

function aDesk(...options: Parameters<typeof desk>): Desk {
  const made = desk(...options);
  desks.push(made);
  return made;
}

afterEach(async () => {
  for (const made of desks.splice(0)) {
    for (const message of made.discord.messages) {
      expect(schemaIssues('IncomingWebhookInteractionRequest', message)).toEqual([]);
    }
    expect(
      made.discord.requests.every((request) => !JSON.stringify(request.body).includes('"parse":["')),
    ).toBe(true);
    await made.stop();
    expect(made.clock.pendingTimers, 'I13: no timer is left').toBe(0);
  }
});

const EPHEMERAL = 64;

describe('the definitions', () => {
  const commands = adminCommands(parseConfig({}));

  it('are four, in the form Discord takes', () => {
    expect(commands.map((command) => command.name)).toEqual([
      'cache-stats',
      'cache-clear',
      'cache-warm',
      'cache-info',
    ]);
    for (const { data } of commands) {
      // Documented as a string of digits, published as a number.
      const body = { ...data, default_member_permissions: Number(data.default_member_permissions) };
      expect(schemaIssues('ApplicationCommandCreateRequest', body)).toEqual([]);
    }
  });

  it('I11: are hidden from everybody until the allow-list says otherwise', () => {
    for (const { data } of commands) expect(data.default_member_permissions).toBe('0');
  });

  it('are described in every language we keep, names being English everywhere', () => {
    for (const { data } of commands) {
      for (const part of [data, ...(data.options ?? [])]) {
        const languages = part.description_localizations ?? {};
        expect(Object.keys(languages).sort()).toEqual(['de', 'en-US', 'es-ES', 'fr', 'pt-BR']);
        for (const text of Object.values(languages)) expect(text?.length).toBeLessThanOrEqual(100);
        expect(part).not.toHaveProperty('name_localizations');
      }
    }
  });

  it('take their tiers and scopes from the configuration', () => {
    const options = JSON.stringify(commands.map((command) => command.data.options));
    for (const value of ['config', 'reference', 'query', 'user', 'all'])
      expect(options).toContain(`"value":"${value}"`);
  });
});

describe('/cache-stats', () => {
  it('answers at once, to the asker alone', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-stats');
    expect(at.discord.callbacks).toEqual([4]);
    expect(Number(at.discord.lastMessage.flags) & EPHEMERAL).toBe(EPHEMERAL);
    expect(at.said).toContain('**Total Hits:** 5');
    expect(at.said).toContain('**Entries:** 19');
    expect(at.said).toContain('1. `products::p7` — 5 hits');
  });

  it('changes its page with the select, and refreshes', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-stats');
    await at.press('View', { picks: 'tiers' });
    expect(at.said).toContain('### Reference — ');
    await at.press('View', { picks: 'keys' });
    expect(at.said).toContain('19 keys cached');
    at.cache.set('products::new', 1);
    await at.press('Refresh');
    expect(at.said).toContain('20 keys cached');
    expect(at.discord.callbacks).toEqual([4, 7, 7, 7]);
  });

  it('turns the pages of the keys, and inspects the one picked', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-stats', { view: 'keys' });
    expect(at.said).toContain('1/2');
    await at.press('▶');
    expect(at.said).toContain('11. ');
    await at.press('◀');
    await at.press('Inspect a key', { picks: '0' });
    expect(at.said).toContain('🔎 Cached entry');
    expect(at.said).toContain('`products::p7`');
    expect(at.said).toContain('**Tier:** Reference');
    await at.press('Back to the keys');
    expect(at.said).toContain('19 keys cached');
  });

  it('clears the entry under inspection, once', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-stats', { key: 'products::p7' });
    await at.press('Clear this entry');
    expect(at.cache.has('products::p7')).toBe(false);
    expect(at.cache.has('products::p6')).toBe(true);
    expect(at.said).toContain('**Cleared 1 entry**');
    expect(at.audit.at(-1)).toMatchObject({ action: 'clear', target: 'products::p7' });
  });

  it('suggests the closest key for one that is absent', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-stats', { key: 'user::123456::profle' });
    expect(at.said).toContain('`user::123456::profle` is not cached.');
    expect(at.said).toContain('Closest: `user::123456::profile`');
    await at.press('Inspect the closest');
    expect(at.said).toContain('🔎 Cached entry');
  });

  it('reloads a person through the user warmer', async () => {
    const at = aDesk();
    at.cache.set('user::123456789012345678::profile', 1);
    await at.run('cache-stats', { key: 'user::123456789012345678::profile' });
    const pressed = at.press('Reload this user now');
    await at.clock.settle();
    expect(at.warmers.requests).toMatchObject([{ scope: 'user', userId: '123456789012345678', force: true }]);
    expect(find(at.discord.lastMessage, 'Reload this user now')).toMatchObject({ disabled: true });
    at.warmers.finish(warmReport());
    await pressed;
    expect(at.audit.at(-1)).toMatchObject({ action: 'reload' });
  });

  it('gives the figures as a file, and puts that on record', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-stats');
    await at.press('Download JSON');
    const file = at.discord.requests.at(-1)?.files[0];
    expect(file?.name).toBe('cache-stats.json');
    expect(JSON.parse(file?.text ?? '')).toMatchObject({ total: { hits: 5 } });
    expect(at.audit.at(-1)).toMatchObject({ action: 'export' });
  });

  it('greys out its controls when the panel expires', async () => {
    const at = aDesk();
    await at.run('cache-stats');
    await at.clock.advanceAsync(14.5 * 60_000);
    expect(at.said).toContain('This panel has expired.');
    expect(find(at.discord.lastMessage, 'Refresh')).toMatchObject({ disabled: true });
  });

  it('offers live keys by prefix, most used first', async () => {
    const at = aDesk();
    fillShop(at.cache);
    const choices = await at.type('cache-stats', 'key', 'products::');
    expect(choices).toHaveLength(12);
    expect(choices[0]).toEqual({ name: 'products::p7', value: 'products::p7' });
  });

  it('offers keys of any length and kind within what a choice may hold', async () => {
    const at = aDesk();
    const long = `products::${'x'.repeat(400)}`;
    at.cache.set(long, 1);
    const [choice] = await at.type('cache-stats', 'key', 'products::x');
    expect(choice?.value.length).toBeLessThanOrEqual(100);
    expect(choice?.name.length).toBeLessThanOrEqual(100);
    await at.run('cache-stats', { key: choice?.value ?? '' });
    expect(at.said).toContain('🔎 Cached entry');
  });

  it('shows keys made from hostile names as text, in every page', async () => {
    const at = aDesk();
    const names = ['@everyone', '<@1> ** ` ``` ', 'a\u202eb', '](https://example.com)', '||x||', '# h'];
    const keys = names.map((name) => key.of('user', name, 'profile'));
    for (const one of [...keys, 'user::`@everyone`::x', 'user::<@&1>::y']) {
      at.cache.set(one, 1);
      at.cache.get(one);
    }
    for (const view of ['overview', 'tiers', 'keys']) {
      await at.run('cache-stats', { view });
      expect(outsideCode(at.markdown)).not.toMatch(/@everyone|<@|\|\||\]\(/);
    }
    await at.run('cache-stats', { key: 'user::`@everyone`::x' });
    expect(at.markdown).toContain('`user::ˋ@everyoneˋ::x`');
    await at.run('cache-clear', { pattern: 'user:*', preview: true });
    expect(outsideCode(at.markdown)).not.toMatch(/@everyone|<@|\|\||\]\(/);
  });

  it('lists the most used of very many keys, and says so', async () => {
    const at = aDesk();
    for (let i = 0; i < 3_000; i++) at.cache.set(`products::p${i}`, i);
    at.cache.get('products::p2999');
    await at.run('cache-stats', { view: 'keys' });
    expect(at.said).toContain('3,000 keys cached, the 250 most used listed');
    expect(at.said).toContain('1. `products::p2999` — 1 hit');
    expect(at.said).toContain('1/25');
  });

  it("writes in the reader's format", async () => {
    const at = aDesk();
    fillShop(at.cache);
    for (let i = 0; i < 1_229; i++) at.cache.get('products::p1');
    await at.run('cache-stats', {}, { locale: 'de' });
    expect(at.said).toContain('**Total Hits:** 1.234');
    expect(at.said).toContain('100,0 %');
  });
});

describe('/cache-clear', () => {
  it('clears one exact key at once', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'products::p1' });
    expect(at.discord.callbacks).toEqual([5]);
    expect(at.said).toContain('**Cleared 1 entry**');
    expect(at.cache.stats().total.entries).toBe(18);
  });

  it('asks before it removes more than a handful, and changes nothing meanwhile', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'products:*' });
    expect(at.said).toContain('Pattern `products:*` → **12 entries**');
    expect(find(at.discord.lastMessage, 'Clear 12 entries')).toBeDefined();
    expect(at.cache.stats().total.entries).toBe(19);
  });

  it('removes exactly what was agreed to, and puts it on record', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'products:*' });
    await at.press('Clear 12 entries');
    expect(at.said).toContain('**Cleared 12 entries**');
    expect(at.said).toContain('Warm reference now');
    expect(at.cache.stats().total.entries).toBe(7);
    expect(at.audit).toHaveLength(1);
    expect(at.audit[0]).toMatchObject({ action: 'clear', target: 'products:*', command: 'cache-clear' });
  });

  it('only tells what would go when asked for a preview', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'products:*', preview: true });
    expect(at.said).toContain('Pattern `products:*` → **12 entries**');
    expect(at.said).toContain('Only a preview: nothing was cleared.');
    expect(at.said).not.toContain('Cancel');
    expect(at.cache.stats().total.entries).toBe(19);
  });

  it('removes a handful without asking', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'user::123456::*' });
    expect(at.said).toContain('**Cleared 4 entries**');
  });

  it('greys out the question at the first press, and tells a second one that it is done', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'products:*' });
    const question = at.discord.lastMessage;
    await Promise.all([
      at.press('Clear 12 entries', { on: question }),
      at.press('Clear 12 entries', { on: question }),
    ]);
    expect(at.audit).toHaveLength(1);
    await at.press('Clear 12 entries', { on: question });
    expect(at.said).toMatch(/Already done\n12 entries cleared <t:\d+:R>\./);
  });

  it('asks anew when more match by the time of the press', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'products:*' });
    for (let i = 0; i < 3; i++) at.cache.set(`products::late${i}`, i);
    await at.press('Clear 12 entries');
    expect(at.said).toContain('**15 entries match now** (12 before)');
    expect(at.cache.stats().total.entries).toBe(22);
    await at.press('Clear 15 entries');
    expect(at.said).toContain('**Cleared 15 entries**');
  });

  it('changes nothing when it is cancelled', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'all' });
    await at.press('Cancel');
    expect(at.said).toContain('Cancelled. Nothing was cleared.');
    expect(at.cache.stats().total.entries).toBe(19);
  });

  it('changes nothing when it is not confirmed within a minute', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'all' });
    const question = at.discord.lastMessage;
    await at.clock.advanceAsync(60_000);
    expect(at.said).toContain('Not confirmed in 60 s. Nothing was cleared.');
    await at.press('Clear 19 entries', { on: question });
    expect(at.cache.stats().total.entries).toBe(19);
  });

  it('lets nobody but the asker press', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'all' });
    const question = at.discord.lastMessage;
    await at.press('Clear 19 entries', { userId: OTHER_ID });
    expect(at.said).toContain('Somebody else opened this panel.');
    expect(at.cache.stats().total.entries).toBe(19);
    await at.press('Clear 19 entries', { on: question });
    expect(at.cache.stats().total.entries).toBe(0);
  });

  it('knows panels from before a restart', async () => {
    const before = aDesk();
    fillShop(before.cache);
    await before.run('cache-clear', { pattern: 'all' });
    const after = aDesk();
    fillShop(after.cache);
    await after.press('Clear 19 entries', { on: before.discord.lastMessage });
    expect(after.said).toContain('This panel is from before the last restart. Run </cache-clear:1> again.');
    expect(after.cache.stats().total.entries).toBe(19);
  });

  it('clears everything and warms it again', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'all' });
    const pressed = at.press('Clear and warm');
    await at.clock.settle();
    expect(at.said).toContain('the whole cache');
    at.warmers.finish(warmReport({ failed: 0, tasks: [warmTask()] }));
    await pressed;
    expect(at.said).toContain('🔥 Warmed: everything');
    expect(at.cache.stats().total.entries).toBe(0);
  });

  it('without a pattern offers choices, and asks again after one', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear');
    expect(at.said).toContain('What should be cleared?');
    expect(at.said).toContain('Reference tier');
    expect(at.said).toContain('(asks again)');
    await at.press('Choose what to clear', { picks: 'tier:reference' });
    expect(at.said).toContain('The Reference tier → **12 entries**');
    await at.press('Clear 12 entries');
    expect(at.cache.stats().total.entries).toBe(7);
  });

  it('says that nothing matches, and suggests the nearest', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'prodcts:*' });
    expect(at.said).toContain('Nothing matches `prodcts:*`.');
    expect(at.said).toContain('Did you mean `products:*` (12 entries)?');
    await at.run('cache-clear', { pattern: 'products' });
    expect(at.said).toContain('Did you mean `products::*` (12 entries)?');
    await at.run('cache-clear', { pattern: 'user::123456::walet' });
    expect(at.said).toContain('Did you mean `user::123456::wallet` (1 entry)?');
  });

  it('takes the suggestion at a press, and asks about it like about any other', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: 'prodcts:*' });
    await at.press('Take the suggestion');
    expect(at.said).toContain('Pattern `products:*` → **12 entries**');
    await at.press('Clear 12 entries');
    expect(at.cache.stats().total.entries).toBe(7);
  });

  it.each([
    ['a pattern of 10,000 characters', 'x'.repeat(10_000)],
    ['control characters', 'products::\u0007*'],
    ['a tier that is not there', 'tier:nope'],
  ])('refuses %s, and says how patterns are written', async (_what, pattern) => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern });
    expect(at.said).toContain('Not a valid pattern');
    expect(at.said).toContain('Nothing was changed.');
    expect(at.cache.stats().total.entries).toBe(19);
  });

  it('reads a pattern of only stars as everything, and asks', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-clear', { pattern: '***' });
    expect(at.said).toContain('Clear the whole cache?');
  });

  it('says that there is nothing to do while the cache is off', async () => {
    const at = aDesk({ cache: { enabled: false } });
    await at.run('cache-clear', { pattern: 'all' });
    expect(at.said).toContain('The cache is off');
  });

  it('tells loads in flight that their results are not stored', async () => {
    const at = aDesk();
    let finish: (value: number) => void = () => undefined;
    const load = at.cache.getOrLoad(
      'products::slow',
      () => new Promise<number>((resolve) => (finish = resolve)),
    );
    await at.run('cache-clear', { pattern: 'products::slow' });
    finish(1);
    await load;
    expect(at.said).toContain('1 load in flight was discarded, not stored.');
    expect(at.cache.has('products::slow')).toBe(false);
  });

  it('offers everything, tiers, namespaces with their counts, then keys', async () => {
    const at = aDesk();
    fillShop(at.cache);
    const all = await at.type('cache-clear', 'pattern', '');
    expect(all[0]).toEqual({ name: 'Everything — 19 entries', value: 'all' });
    expect(all).toContainEqual({ name: 'Reference tier — 12 entries', value: 'tier:reference' });
    expect(all).toContainEqual({ name: 'products::* — 12 entries', value: 'products::*' });
    expect(all.length).toBeLessThanOrEqual(25);
    const some = await at.type('cache-clear', 'pattern', 'user::1');
    expect(some.map((choice) => choice.value)).toContain('user::123456::profile');
  });

  it('acts on nothing when its first answer does not arrive', async () => {
    const at = aDesk();
    fillShop(at.cache);
    at.discord.refuse = () => 10_062;
    await at.run('cache-clear', { pattern: 'products::p1' });
    expect(at.cache.has('products::p1')).toBe(true);
    expect(at.warnings).toHaveLength(1);
  });
});

describe('/cache-warm', () => {
  it('shows progress every two seconds while it runs, then the result', async () => {
    const at = aDesk();
    const running = at.run('cache-warm', { scope: 'reference' });
    await at.clock.advanceAsync(300);
    expect(at.said).toContain('🔥 Warming: reference');
    expect(at.said).toContain('28 / 40');
    const edits = at.discord.messages.length;
    await at.clock.advanceAsync(1_900);
    expect(at.discord.messages).toHaveLength(edits);
    await at.clock.advanceAsync(100);
    expect(at.discord.messages).toHaveLength(edits + 1);
    at.warmers.finish(warmReport());
    await running;
    expect(at.said).toContain('**Warmed 40 of 54 keys**');
    expect(at.said).toContain('products::vr');
    expect(at.audit).toMatchObject([{ action: 'warm', target: 'reference' }]);
  });

  it('shows a quick run as its result only', async () => {
    const at = aDesk();
    const running = at.run('cache-warm');
    await at.clock.settle();
    at.warmers.finish(warmReport({ failed: 0, tasks: [warmTask()] }));
    await running;
    expect(at.discord.messages).toHaveLength(1);
    expect(at.warmers.requests).toMatchObject([{ scope: 'all', trigger: 'command' }]);
  });

  it('stops when it is told to', async () => {
    const at = aDesk();
    const running = at.run('cache-warm', { scope: 'reference' });
    await at.clock.advanceAsync(300);
    await at.press('Stop');
    await running;
    expect(at.warmers.stops).toBe(1);
    expect(at.said).toContain('Stopped after');
    expect(at.said).toContain('What was loaded stays.');
  });

  it('tries again what failed', async () => {
    const at = aDesk();
    const running = at.run('cache-warm', { scope: 'reference' });
    await at.clock.settle();
    at.warmers.finish(warmReport());
    await running;
    const again = at.press('Try again');
    await at.clock.settle();
    at.warmers.finish(warmReport({ failed: 0, tasks: [warmTask()] }));
    await again;
    expect(at.warmers.requests).toHaveLength(2);
    expect(at.said).toContain('🔥 Warmed: reference');
  });

  it('says that it joined a run that was under way', async () => {
    const at = aDesk();
    at.warmers.joined = true;
    at.warmers.now = { ...at.warmers.now, trigger: 'periodic' };
    const running = at.run('cache-warm', { scope: 'reference' });
    await at.clock.advanceAsync(300);
    expect(at.said).toContain('by the periodic run: you have joined that run.');
    at.warmers.finish(warmReport());
    await running;
  });

  it('asks for the person in scope user', async () => {
    const at = aDesk();
    await at.run('cache-warm', { scope: 'user' });
    expect(at.said).toContain('Whose entries?');
    expect(at.warmers.requests).toEqual([]);
    const running = at.press('Choose a person', { picks: '500000000000000001' });
    await at.clock.settle();
    at.warmers.finish(warmReport({ failed: 0, tasks: [warmTask()] }));
    await running;
    expect(at.warmers.requests).toMatchObject([{ scope: 'user', userId: '500000000000000001' }]);
    expect(at.said).toContain('Warmed: user `500000000000000001`');
  });

  it('says at once in scope user where the bot has no warmer for it', async () => {
    const at = aDesk();
    at.warmers.scopes = ['config'];
    await at.run('cache-warm', { scope: 'user' });
    expect(at.said).toContain('This bot has no warmer for `user`.');
  });

  it('warms one person', async () => {
    const at = aDesk();
    const running = at.run('cache-warm', { user: '500000000000000001' });
    await at.clock.settle();
    at.warmers.finish(warmReport({ failed: 0, tasks: [warmTask()] }));
    await running;
    expect(at.warmers.requests).toMatchObject([{ scope: 'user', userId: '500000000000000001' }]);
    expect(at.said).toContain('user `500000000000000001`');
  });

  it('names the scopes there are when one has no warmer', async () => {
    const at = aDesk();
    await at.run('cache-warm', { scope: 'query' });
    expect(at.said).toContain('This bot has no warmer for `query`.');
    expect(at.said).toContain('`reference`');
  });

  it('goes on in the background when Discord takes no more edits, and records how it ended', async () => {
    const at = aDesk();
    const running = at.run('cache-warm', { scope: 'reference' });
    await at.clock.advanceAsync(300);
    at.clock.advance(14 * 60_000);
    await running;
    expect(at.said).toContain('Continues in the background');
    at.warmers.finish(warmReport());
    await at.clock.settle();
    expect(at.audit).toMatchObject([{ action: 'warm' }]);
  });
});

describe('/cache-warm, with the real warmers', () => {
  const job = (cache: Cache, key: string, load: () => unknown): WarmJob => ({
    key,
    isFresh: () => cache.has(key),
    run: () => cache.getOrLoad(key, load, { fresh: true }),
  });
  const locked = (): never => {
    throw new Error('SQLITE_BUSY: database is locked');
  };
  const tasks = (cache: Cache): WarmTask[] => [
    {
      name: 'products',
      scope: 'reference',
      jobs: () => ['a', 'b', 'c'].map((name) => job(cache, `products::${name}`, () => ({ name }))),
    },
    { name: 'discounts', scope: 'reference', jobs: () => [job(cache, 'discounts::all', locked)] },
    {
      name: 'profile',
      scope: 'user',
      jobs: ({ userId }) => [job(cache, `user::${userId}::profile`, () => ({ userId }))],
    },
  ];

  it('warms, leaves alone what is fresh, and names what failed', async () => {
    const at = aDesk({}, tasks);
    at.cache.set('products::b', 'fresh');
    await at.run('cache-warm', { scope: 'reference' });
    expect(at.said).toContain('**Warmed 2 of 4 keys**');
    expect(at.said).toContain('1 was fresh and left alone');
    expect(at.said).toContain('`discounts::all` — `SQLITE_BUSY: database is locked`');
    expect(at.cache.get('products::b')).toBe('fresh');
    expect(at.audit).toMatchObject([{ action: 'warm', target: 'reference' }]);
  });

  it('loads what is fresh, too, when forced', async () => {
    const at = aDesk({}, tasks);
    at.cache.set('products::b', 'fresh');
    await at.run('cache-warm', { scope: 'reference', force: true });
    expect(at.said).toContain('**Warmed 3 of 4 keys**');
    expect(at.cache.get('products::b')).toEqual({ name: 'b' });
  });

  it('warms one person', async () => {
    const at = aDesk({}, tasks);
    await at.run('cache-warm', { scope: 'user', user: '500000000000000001' });
    expect(at.cache.has('user::500000000000000001::profile')).toBe(true);
    expect(at.said).toContain('**Warmed 1 of 1 key**');
  });

  it('brings back what was cleared with the button of the answer', async () => {
    const at = aDesk({}, tasks);
    at.cache.set('products::a', 1);
    await at.run('cache-clear', { pattern: 'products::a' });
    await at.press('Warm reference now');
    expect(at.cache.get('products::a')).toEqual({ name: 'a' });
    expect(at.said).toContain('🔥 Warmed with failures: reference');
  });
});

describe('/cache-info', () => {
  it('answers at once with configuration, tiers and process', async () => {
    const at = aDesk();
    fillShop(at.cache);
    await at.run('cache-info');
    expect(at.discord.callbacks).toEqual([4]);
    for (const text of [
      'Cache Configuration',
      '**Enabled:** yes',
      '🗂️ Tiers',
      '🧭 Status',
      '**Process:** heap',
    ]) {
      expect(at.said).toContain(text);
    }
  });

  it('shows one tier in full', async () => {
    const at = aDesk();
    await at.run('cache-info', { tier: 'user' });
    expect(at.said).toContain('`user` `user_orders`');
    expect(at.said).not.toContain('🧭 Status');
  });

  it('turns to its pages in place, and back', async () => {
    const at = aDesk();
    await at.run('cache-info');
    await at.press('More about', { picks: 'process' });
    expect(at.markdown).toContain('discord.js 14.');
    await at.press('More about', { picks: 'tier:query' });
    expect(at.markdown).toContain('ℹ️ Cache Configuration — Query');
    await at.press('More about', { picks: 'overview' });
    expect(at.markdown).toContain('🧭 Status');
    expect(at.discord.callbacks).toEqual([4, 7, 7, 7]);
    await at.clock.advanceAsync(15 * 60_000);
    expect(at.markdown).toContain('This panel has expired.');
  });
});

describe('answers', () => {
  it('are never thrown into the host when they fail, but logged', async () => {
    for (const code of [10_062, 40_060, 50_035]) {
      const at = aDesk();
      at.discord.refuse = () => code;
      await at.run('cache-stats');
      await at.run('cache-info');
      expect(at.warnings).toHaveLength(2);
    }
  });

  it('come as embeds for hosts that ask for them', async () => {
    const at = aDesk({ admin: { reply_style: 'embeds' } });
    fillShop(at.cache);
    await at.run('cache-stats');
    expect(at.discord.lastMessage).toHaveProperty('embeds');
    expect(Number(at.discord.lastMessage.flags)).toBe(EPHEMERAL);
    await at.press('View', { picks: 'tiers' });
    expect(at.said).toContain('Reference — ');
  });
});
