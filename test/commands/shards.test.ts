/** Bots in several processes: each shard has a cache of its own, and no reply passes for all of them unless it is. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ANSWER_LIMIT_MS } from '../../src/commands/shards/shards.ts';
import type { MessageBody } from '../../src/commands/views/render.ts';
import { desk, fillShop } from './desk.ts';
import { shardedDesks } from './shard-bus.ts';
import { expectDiscordTakes } from './spoken.ts';
import { warmReport, warmTask } from './stats-data.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Shards with the same shop in each cache; the operator is at shard 0. */
function sharded(count = 3, options: Parameters<typeof shardedDesks>[1] = {}) {
  const { bus, desks } = shardedDesks(count, options);
  for (const one of desks) {
    fillShop(one.cache);
    stops.push(() => one.stop());
  }
  const [operator, other, third] = desks;
  if (operator === undefined || other === undefined) throw new Error('There are two at least.');
  return { bus, desks, operator, other, third };
}

describe('/cache-clear of several shards, exactly', () => {
  it('clears a tier by what its entries are, on every shard', async () => {
    const { operator, other, third } = sharded();
    for (const at of [operator, other, third]) {
      at?.cache.set('products::special', 1, { tier: 'config' });
      at?.cache.set('config::theirs', 1, { tier: 'user' });
    }
    await operator.run('cache-clear', { pattern: 'tier:config' });
    await operator.press('Clear 12 entries');
    for (const at of [operator, other, third]) {
      expect(at?.cache.inspect('products::special')).toBeUndefined();
      expect(at?.cache.inspect('config::theirs')).toBeDefined();
      expect(at?.cache.stats(0).total.entries).toBe(17);
    }
  });

  it.each(['all', 'tag:rules', 'tier:config', ' products::p1 '])(
    'clears a key called %j, that was picked, and nothing else anywhere',
    async (key) => {
      const { operator, other, third } = sharded();
      for (const at of [operator, other, third]) {
        at?.cache.set('a::1', 1, { tags: ['rules'] });
        at?.cache.set(key, 'odd');
      }
      const shown = key.replaceAll(' ', '␣');
      const choice = (await operator.type('cache-clear', 'pattern', '')).findLast(({ name }) =>
        name.startsWith(shown),
      );
      await operator.run('cache-clear', { pattern: choice?.value ?? '' });
      for (const at of [operator, other, third]) {
        expect(at?.cache.inspect(key)).toBeUndefined();
        expect(at?.cache.stats(0).total.entries).toBe(20);
      }
    },
  );
});

describe('/cache-stats of several shards', () => {
  it('shows the sums of all, and how each of them does', async () => {
    const { operator, other } = sharded();
    for (let i = 0; i < 10; i++) other.cache.get('config::limits');
    await operator.run('cache-stats');
    expect(operator.said).toContain('all 3 shards');
    expect(operator.said).toContain('**Total Hits:** 25');
    expect(operator.said).toContain('**Entries:** 57');
    expect(operator.said).toContain('**Max:** 300 MB');
    expect(operator.said).toContain('`config::limits` — 10 hits');
    expect(operator.said).toContain('`products::p7` — 15 hits');
    expect(operator.said).toMatch(/\*\*Shard 1\*\* — hit rate 100\.0% · 19 entries · ≈ [\d.]+ kB/);
    expect(operator.said).not.toContain('⚠️');
  });

  it('shows one shard when it is picked, and all again', async () => {
    const { operator, other } = sharded();
    for (let i = 0; i < 10; i++) other.cache.get('config::limits');
    await operator.run('cache-stats');
    await operator.press('Shards', { picks: '1' });
    expect(operator.said).toContain('shard 1 of 3');
    expect(operator.said).toContain('**Total Hits:** 15');
    await operator.press('Shards', { picks: 'all' });
    expect(operator.said).toContain('**Total Hits:** 25');
    await operator.press('View', { picks: 'tiers' });
    expect(operator.said).toContain('36 entries');
    expect(operator.said).toContain('all 3 shards');
  });

  it('says which shard is not running and still shows the others', async () => {
    const { bus, operator } = sharded();
    bus.faults.set(2, 'dead');
    await operator.run('cache-stats');
    expect(operator.said).toContain('2 of 3 shards answered');
    expect(operator.said).toContain('⚠️ **Shard 2** is not running.');
    expect(operator.said).toContain('**Entries:** 38');
    await operator.press('Shards', { picks: '2' });
    expect(operator.said).toContain('⚠️ **Shard 2** is not running.');
    expect(operator.said).not.toContain('Total Hits');
  });

  it('waits five seconds for a shard that hangs, and no longer', async () => {
    const { bus, operator } = sharded();
    bus.faults.set(1, 'frozen');
    const run = operator.run('cache-stats');
    await operator.clock.advanceAsync(ANSWER_LIMIT_MS);
    await run;
    expect(operator.said).toContain('⚠️ **Shard 1** did not answer within 5 s.');
    expect(operator.said).toContain('**Shard 2** — hit rate');
  });

  it('says of a shard that is starting or stopped that nobody is there', async () => {
    const { desks, operator } = sharded();
    desks[1]?.leave();
    await operator.run('cache-stats');
    expect(operator.said).toContain('⚠️ **Shard 1** did not answer: no Cachecord runs there');
  });

  it('does not believe a shard of another version, nor is believed by it', async () => {
    const { operator } = sharded(2, { version: (id) => `1.${id}.0` });
    await operator.run('cache-stats');
    expect(operator.said).toContain('⚠️ **Shard 1** runs another version (1.1.0/2, here 1.0.0/2)');
    expect(operator.said).toContain('**Entries:** 19');
  });

  it('logs what else goes wrong on the way, and shows no text of it', async () => {
    const { bus, operator } = sharded();
    bus.faults.set(1, 'odd');
    await operator.run('cache-stats');
    expect(operator.said).toContain('⚠️ **Shard 1** could not be asked; the log has why.');
    expect(operator.said).not.toContain('wire');
    expect(operator.warnings).toEqual(['Shard 1 could not be asked.']);
  });

  it('asks every shard by itself, and never the same question twice', async () => {
    const { bus, operator } = sharded();
    await operator.run('cache-stats');
    await operator.press('Refresh');
    expect(bus.messages).toHaveLength(4);
    expect(new Set(bus.messages.map(({ nonce }) => nonce)).size).toBe(4);
  });

  it('exports the sums and what each shard said', async () => {
    const { bus, operator } = sharded();
    bus.faults.set(2, 'dead');
    await operator.run('cache-stats');
    await operator.press('Download JSON');
    const file = operator.discord.requests.flatMap(({ files }) => files).at(-1);
    const { total, shards } = JSON.parse(file?.text ?? '{}');
    expect(total.entries).toBe(38);
    expect(shards).toMatchObject([
      { shard: 0, ok: true },
      { shard: 1, ok: true, value: { total: { entries: 19 } } },
      { shard: 2, ok: false, problem: 'is not running' },
    ]);
  });

  it('says of lists of keys that they are of one shard', async () => {
    const { operator } = sharded();
    await operator.run('cache-stats', { view: 'keys' });
    expect(operator.said).toContain('Shard 0 of 3 alone: the others have caches of their own.');
    await operator.run('cache-stats', { key: 'products::p7' });
    expect(operator.said).toContain('Shard 0 of 3 alone: the others have caches of their own.');
  });

  it('clears an inspected key on all of them', async () => {
    const { operator, other } = sharded();
    await operator.run('cache-stats', { key: 'products::p7' });
    await operator.press('Clear this entry');
    expect(operator.said).toContain('Cleared 3 entries');
    expect(other.cache.has('products::p7')).toBe(false);
  });

  it('clears a key that is called like everything, and nothing but it', async () => {
    const { operator, desks } = sharded(2);
    for (const { cache } of desks) for (const key of ['all', 'tier:query']) cache.set(key, key);
    for (const key of ['all', 'tier:query']) {
      await operator.run('cache-stats', { key });
      await operator.press('Clear this entry');
      expect(operator.said).toContain('Cleared 2 entries');
    }
    for (const { cache } of desks) expect(cache.stats(0).total.entries).toBe(19);
  });

  it.each(['components', 'embeds'])(
    'fits into a message with a hundred shards, as %s',
    async (reply_style) => {
      const { bus, operator } = sharded(100, { desk: [{ admin: { reply_style } }] });
      for (const dead of [3, 40, 41, 42, 43, 97]) bus.faults.set(dead, 'dead');
      bus.faults.set(98, 'odd');
      await operator.run('cache-stats');
      expect(operator.said).toContain('**93 of 100 shards answered.**');
      expect(operator.said).toContain('⚠️ **Each of the shards 3, 40–43, 97** is not running.');
      expect(operator.said).toContain('⚠️ **Shard 98** could not be asked');
      expect(operator.said).toMatch(/… and \d+ more/);
      const { flags = 0, components = [], embeds } = operator.discord.lastMessage;
      expectDiscordTakes({
        flags,
        components,
        ...(embeds === undefined ? {} : { embeds }),
        files: [],
        allowed_mentions: { parse: [] },
      } as MessageBody);
    },
  );
});

describe('/cache-clear of several shards', () => {
  it('counts on all of them before it asks, and clears all of them', async () => {
    const { operator, desks } = sharded();
    await operator.run('cache-clear', { pattern: 'products:*' });
    expect(operator.said).toContain('**36 entries**');
    expect(operator.said).toContain('**Shard 2** — 12 entries');
    await operator.press('Clear 36 entries');
    expect(operator.said).toContain('Cleared 36 entries');
    expect(operator.said).toContain('**Shard 1** — 12 entries cleared');
    for (const { cache } of desks) expect(cache.stats(0).total.entries).toBe(7);
    expect(operator.audit.at(-1)?.outcome).toMatch(/^36 entries, \d+ bytes, on 3 of 3 shards$/);
  });

  it('finds what only another shard holds', async () => {
    const { operator, other } = sharded();
    other.cache.set('user::777::profile', { name: 'Only there' });
    await operator.run('cache-clear', { pattern: 'user::777::profile' });
    expect(operator.said).toContain('Cleared 1 entry');
    expect(other.cache.has('user::777::profile')).toBe(false);
  });

  it('asks before it clears few entries where a shard may hold many', async () => {
    const { bus, operator } = sharded();
    bus.faults.set(2, 'dead');
    await operator.run('cache-clear', { pattern: 'limits:*' });
    expect(operator.said).toContain('Clear cached entries?');
    expect(operator.said).toContain('⚠️ **Shard 2** is not running; it will be tried again when you confirm.');
    bus.faults.clear();
    await operator.press('Clear 0 entries');
    expect(operator.said).toContain('Cleared on all 3 shards');
  });

  it('is never told as complete when a shard is missing, and tries that one again', async () => {
    const { bus, operator, other, third } = sharded();
    bus.faults.set(2, 'dead');
    await operator.run('cache-clear', { pattern: 'config::vip_tiers' });
    expect(operator.said).toContain('🧹 Cleared on 2 of 3 shards');
    expect(operator.said).toContain(
      '⚠️ **Shard 2** is not running; what it holds may be served until it expires.',
    );
    expect(operator.audit.at(-1)?.outcome).toContain('on 2 of 3 shards (not 2)');
    await operator.press('Try shard 2 again');
    expect(operator.said).toContain('🧹 Cleared on 0 of 1 shards');
    bus.faults.clear();
    other.cache.set('config::vip_tiers', 'newer');
    await operator.press('Try shard 2 again');
    expect(operator.said).toContain('🧹 Cleared on shard 2');
    // In place of the message that had the button.
    expect(operator.discord.callbacks).toEqual([5, 7, 7]);
    expect(operator.said).toContain('Cleared 1 entry');
    expect(third?.cache.has('config::vip_tiers')).toBe(false);
    expect(other.cache.get('config::vip_tiers')).toBe('newer');
  });

  it('offers what there is on all of them when nothing is named', async () => {
    const { operator } = sharded();
    await operator.run('cache-clear');
    const offered = JSON.stringify(operator.discord.lastMessage).replaceAll('\u00a0', ' ');
    expect(offered).toContain('57 entries');
  });
});

describe('/cache-warm of several shards', () => {
  it('warms all of them, and shows how far each is', async () => {
    const { operator, other } = sharded(2);
    const run = operator.run('cache-warm', { scope: 'reference' });
    await operator.clock.advanceAsync(300);
    expect(other.warmers.requests).toEqual([{ scope: 'reference', force: false, trigger: 'command' }]);
    expect(operator.said).toContain('**Shard 1** — warming · 52 of 54 keys');
    operator.warmers.finish(warmReport({ failed: 0, tasks: [warmTask({ failures: [] })] }));
    await operator.clock.advanceAsync(2_000);
    expect(operator.said).toContain('**Shard 1** — warming');
    other.warmers.finish(warmReport({ failed: 0, warmed: 40, skipped: 0, total: 40, tasks: [] }));
    await operator.clock.advanceAsync(2_000);
    await run;
    expect(operator.said).toContain('Warmed: reference');
    expect(operator.said).toContain('**Shard 1** — done · 40 of 40 keys');
    expect(operator.audit.at(-1)?.outcome).toContain('on 2 of 2 shards');
  });

  it('stops all of them', async () => {
    const { operator, other } = sharded(2);
    const run = operator.run('cache-warm', { scope: 'reference' });
    await operator.clock.advanceAsync(300);
    await operator.press('Stop');
    await operator.clock.advanceAsync(3_000);
    await run;
    expect(other.warmers.stops).toBe(1);
    expect(operator.said).toContain('**Shard 1** — stopped');
  });

  it('says which shard was not warmed', async () => {
    const { bus, operator } = sharded(2);
    bus.faults.set(1, 'dead');
    const run = operator.run('cache-warm', { scope: 'reference' });
    await operator.clock.settle();
    operator.warmers.finish(warmReport({ failed: 0, tasks: [] }));
    await run;
    expect(operator.said).toContain('⚠️ **Shard 1** is not running');
  });

  it('says what failed there under a reference that its log has', async () => {
    const { operator, other } = sharded(2);
    const logged = vi.spyOn(other.services.logger, 'error');
    other.warmers.run = () => {
      throw new Error('secret');
    };
    const run = operator.run('cache-warm', { scope: 'reference' });
    await operator.clock.settle();
    operator.warmers.finish(warmReport({ failed: 0, tasks: [] }));
    await run;
    const [, reference = 'none'] = /failed; its log has why under (CA-\w{4})/.exec(operator.said) ?? [];
    expect(operator.said).not.toContain('secret');
    expect(JSON.stringify(logged.mock.calls)).toContain(reference);
  });
});

describe('/cache-info of several shards', () => {
  it('tells how each process is', async () => {
    const { bus, operator } = sharded();
    bus.faults.set(2, 'dead');
    await operator.run('cache-info');
    expect(operator.said).toMatch(/\*\*Shard 1\*\* — 19 entries · ≈ [\d.]+ kB of 100 MB · heap [\d.]+ MB/);
    expect(operator.said).toContain('⚠️ **Shard 2** is not running.');
    expect(operator.said).toContain(
      'Settings, tiers, warmers and process are of shard 0; the rest is of all that answered.',
    );
  });
});

describe('in one process', () => {
  it('nothing is said of shards, and answers come at once', async () => {
    const operator = desk();
    stops.push(() => operator.stop());
    fillShop(operator.cache);
    for (const command of ['cache-stats', 'cache-info', 'cache-clear']) {
      await operator.run(command);
      expect(operator.said).not.toMatch(/shard/i);
    }
    expect(operator.discord.callbacks).toEqual([4, 4, 5]);
  });
});
