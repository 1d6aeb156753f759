/** Tiers of an author's own in the four commands: definitions, completion, pages, targets and scopes. */
import { afterEach, describe, expect, it } from 'vitest';
import { adminCommands } from '../../src/commands/commands.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { WarmTask } from '../../src/warmers/types.ts';
import { type Desk, desk } from './desk.ts';
import { schemaIssues } from './spoken.ts';

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
    await made.stop();
    expect(made.clock.pendingTimers, 'I13: no timer is left').toBe(0);
  }
});

const TIERS = {
  character: { ttl: 300, jitter: 0, grace: 3_600, label: 'Characters', description: 'who posts' },
  system_status: { ttl: 5, jitter: 0 },
};
const OWN = { cache: { tiers: TIERS } };

/** A configuration with so many tiers of its own. */
function many(count: number, label = (i: number) => `Tier ${i}`): object {
  const tiers = Array.from({ length: count }, (_, i) => [`t${i}`, { ttl: 60, label: label(i) }] as const);
  return { cache: { tiers: Object.fromEntries(tiers) } };
}

/** The options of a command's definition by name. */
function optionsOf(configuration: object, name: string) {
  const { data } = adminCommands(parseConfig(configuration)).find((one) => one.name === name) ?? {};
  const options = (data?.options ?? []) as {
    name: string;
    autocomplete?: boolean;
    choices?: { name: string; value: string }[];
  }[];
  return Object.fromEntries(options.map((option) => [option.name, option]));
}

describe('the definitions', () => {
  it('offer custom tiers as choices, by their label', () => {
    for (const [command, option] of [
      ['cache-stats', 'tier'],
      ['cache-info', 'tier'],
      ['cache-warm', 'scope'],
    ] as const) {
      expect(optionsOf(OWN, command)[option]?.choices).toEqual(
        expect.arrayContaining([
          { name: 'Characters', value: 'character' },
          { name: 'System status', value: 'system_status' },
        ]),
      );
    }
  });

  it.each([0, 9, 21, 22, 40, 100])('with %i tiers of one’s own are such as Discord takes', (count) => {
    for (const { data } of adminCommands(parseConfig(many(count, () => 'x'.repeat(40))))) {
      const body = { ...data, default_member_permissions: Number(data.default_member_permissions) };
      expect(schemaIssues('ApplicationCommandCreateRequest', body)).toEqual([]);
      // Discord counts names, descriptions and values of a command, the longest language of each.
      const texts = JSON.stringify(data, (name, value) =>
        name === 'description_localizations' ? undefined : value,
      );
      expect(texts.length).toBeLessThan(8_000);
    }
  });

  it('complete where there are more tiers than choices, in each command by itself', () => {
    expect(optionsOf(many(21), 'cache-stats').tier?.choices).toHaveLength(25);
    expect(optionsOf(many(22), 'cache-stats').tier).toMatchObject({ autocomplete: true });
    expect(optionsOf(many(22), 'cache-stats').tier).not.toHaveProperty('choices');
    expect(optionsOf(many(20), 'cache-warm').scope?.choices).toHaveLength(25);
    expect(optionsOf(many(21), 'cache-warm').scope).toMatchObject({ autocomplete: true });
  });

  it('tell equal labels apart, which Discord wants', () => {
    const names = optionsOf(
      many(2, () => 'Same'),
      'cache-stats',
    ).tier?.choices?.map(({ name }) => name);
    expect(names).toEqual(['Configuration', 'Reference', 'User', 'Query', 'Same (t0)', 'Same (t1)']);
  });
});

describe('completion', () => {
  it('offers tiers by name and label, and never more than 25', async () => {
    const at = aDesk(many(40));
    expect(await at.type('cache-stats', 'tier', 'tier 3')).toHaveLength(11);
    expect(await at.type('cache-info', 'tier', 'T39')).toEqual([{ name: 'Tier 39', value: 't39' }]);
    expect(await at.type('cache-info', 'tier', '')).toHaveLength(25);
    expect((await at.type('cache-warm', 'scope', '')).slice(0, 2)).toEqual([
      { name: 'Everything', value: 'all' },
      { name: 'One user', value: 'user' },
    ]);
  });

  it('offers keys for the option key of /cache-info', async () => {
    const at = aDesk(OWN);
    at.cache.set('character::1', 1);
    expect(await at.type('cache-info', 'key', 'char')).toEqual([
      { name: 'character::1', value: 'character::1' },
    ]);
  });

  it('of /cache-clear offers tiers that hold something, and all of them once tier: is typed', async () => {
    const at = aDesk(OWN);
    at.cache.set('character::1', 1);
    const values = async (typed: string) =>
      (await at.type('cache-clear', 'pattern', typed)).map(({ value }) => value);
    expect(await values('')).toEqual(['all', 'tier:character', 'character::*', 'character::1']);
    expect(await values('tier:')).toEqual([
      'tier:character',
      'tier:config',
      'tier:reference',
      'tier:user',
      'tier:query',
      'tier:system_status',
    ]);
    expect(await values('tier:sys')).toEqual(['tier:system_status']);
  });

  it('of /cache-clear offers a key that is its namespace alone as a key', async () => {
    const at = aDesk(OWN);
    at.cache.set('system_status', 'up');
    const [choice] = await at.type('cache-clear', 'pattern', 'system_status');
    expect(choice).toMatchObject({ value: 'tier:system_status' });
    const values = (await at.type('cache-clear', 'pattern', 'system_status')).map(({ value }) => value);
    expect(values).toContain('system_status');
    expect(values).not.toContain('system_status::*');
  });
});

describe('/cache-stats', () => {
  it('turns the pages of many tiers', async () => {
    const at = aDesk(many(16));
    await at.run('cache-stats', { view: 'tiers' });
    expect(at.said).toContain('20 tiers');
    expect(at.said).toContain('1/3');
    expect(at.said).toContain('### Tier 3 — not used yet');
    expect(at.said).not.toContain('### Tier 4 — ');
    await at.press('▶');
    expect(at.said).toContain('### Tier 4 — not used yet');
    await at.press('▶');
    expect(at.said).toContain('### Tier 15 — not used yet');
    await at.press('◀');
    expect(at.said).toContain('2/3');
  });

  it('keeps the pages of tiers and of keys apart', async () => {
    const at = aDesk(many(16));
    for (let i = 0; i < 30; i++) at.cache.set(`t0::${i}`, i);
    await at.run('cache-stats', { view: 'keys' });
    await at.press('▶');
    await at.press('View', { picks: 'tiers' });
    expect(at.said).toContain('1/3');
    await at.press('View', { picks: 'keys' });
    expect(at.said).toContain('2/3');
  });

  it('shows one custom tier, by its name or its label', async () => {
    const at = aDesk(OWN);
    at.cache.set('character::1', 1);
    await at.run('cache-stats', { view: 'tiers', tier: 'characters' });
    expect(at.said).toContain('### Characters — ');
    expect(at.said).toContain('ttl 5 min');
    expect(at.said).not.toContain('### Reference');
  });

  it('says so where a tier does not exist, and which was probably meant', async () => {
    const at = aDesk(OWN);
    await at.run('cache-stats', { tier: 'charcter' });
    expect(at.said).toContain('There is no tier `charcter`. Did you mean `character`?');
    expect(at.said).toContain('`config` `reference` `user` `query` `character` `system_status`');
  });

  it('shows what happens beyond hits and loads', async () => {
    const at = aDesk(OWN);
    at.cache.set('character::1', 'old');
    at.clock.advance(300_000);
    const fail = () => Promise.reject(new Error('down'));
    await at.cache.getOrLoad('character::1', fail);
    await at.cache.getOrLoad('character::1', fail);
    await at.run('cache-stats', { view: 'tiers', tier: 'character' });
    expect(at.said).toContain('served stale 2 (1 while backing off, 1 after a failure)');
    await at.run('cache-stats');
    expect(at.said).toContain('Served stale 2');
    await at.run('cache-stats', { key: 'character::1' });
    expect(at.said).toContain('**State:** stale');
    expect(at.said).toContain('**Stale since:**');
  });
});

describe('/cache-info', () => {
  it('shows custom tiers beside the others, with their policies by name', async () => {
    const at = aDesk(OWN);
    await at.run('cache-info');
    expect(at.said).toContain('**Characters** — ttl 300 s (5 min) · empty\n');
    expect(at.said).toContain('-# Who posts');
    expect(at.said).toContain('**System status** — ttl 5 s · empty');
  });

  it('tells the policies of one tier in plain words', async () => {
    const at = aDesk(OWN);
    await at.run('cache-info', { tier: 'character' });
    expect(at.said).toContain('**Grace** — when a load fails, the old value is served for up to 1 h');
    expect(at.said).toContain('`cache.tiers.character.ttl`');
    await at.run('cache-info', { tier: 'nothing' });
    expect(at.said).toContain('There is no tier `nothing`.');
  });

  it('explains how long one key lives, and why', async () => {
    const at = aDesk(OWN);
    at.cache.set('character::1', 1);
    at.cache.set('character::2', 1, { ttlMs: 1_000 });
    await at.run('cache-info', { key: 'character::1' });
    expect(at.said).toContain('**Ttl of this entry:** 300 s (5 min) — as the tier says');
    await at.run('cache-info', { key: 'character::2' });
    expect(at.said).toContain('**Ttl of this entry:** 1 s — its call or its loader says so');
    expect(at.audit.at(-1)).toMatchObject({ action: 'view', target: 'character::2' });
  });

  it('explains an adaptive ttl', async () => {
    const at = aDesk({ cache: { jitter: 0, tiers: { query: { adaptive_ttl: { min: 60, max: 7_200 } } } } });
    const read = () => at.cache.getOrLoad('query::top', () => [1, 2]);
    await read();
    await read();
    at.clock.advance(1_800_000);
    await read();
    await at.run('cache-info', { key: 'query::top' });
    expect(at.said).toContain('**Ttl of the tier:** 1,800 s (30 min)');
    expect(at.said).toMatch(/\*\*Ttl of this entry:\*\* 3,600 s \(1 h\) — `adaptive: .*`/);
    expect(at.said).toContain('**Adaptive ttl** — ');
  });

  it('says what is nearest where a key is not cached', async () => {
    const at = aDesk(OWN);
    at.cache.set('character::ada', 1);
    await at.run('cache-info', { key: 'character::adda' });
    expect(at.said).toContain('`character::adda` is not cached.');
    expect(at.said).toContain('Closest: `character::ada`');
  });
});

describe('/cache-clear', () => {
  it('clears a custom tier by its name or label, a key that is its namespace alone included', async () => {
    const at = aDesk(OWN);
    const fill = () => {
      for (const key of ['character', 'character::1', 'character::2', 'characters::1']) at.cache.set(key, 1);
    };
    for (const pattern of ['tier:character', 'tier:Characters']) {
      fill();
      await at.run('cache-clear', { pattern });
      expect(at.said).toContain('**Cleared 3 entries**');
      expect(at.cache.has('characters::1')).toBe(true);
    }
  });

  it('says which tier was probably meant', async () => {
    const at = aDesk(OWN);
    await at.run('cache-clear', { pattern: 'tier:charcter' });
    expect(at.said).toContain(
      'There is no such tier. Did you mean tier:character? There are: config, reference',
    );
  });
});

describe('/cache-warm', () => {
  const tasks: readonly WarmTask[] = [
    { name: 'Characters', scope: 'character', jobs: () => [job('character::1'), job('character::2')] },
    { name: 'VIP tiers', scope: 'config', jobs: () => [job('config::vip')] },
  ];
  let warmed: string[] = [];
  const job = (key: string) => ({ key, isFresh: () => false, run: () => warmed.push(key) });
  afterEach(() => {
    warmed = [];
  });
  const warm = async (at: Desk, options: Record<string, string>) => {
    const running = at.run('cache-warm', options);
    await at.clock.settle();
    await running;
  };

  it('warms a custom tier by its name or label', async () => {
    const at = aDesk(OWN, () => tasks);
    await warm(at, { scope: 'character' });
    expect(at.said).toContain('**Warmed 2 of 2 keys**');
    await warm(at, { scope: 'Characters' });
    expect(warmed).toEqual(['character::1', 'character::2', 'character::1', 'character::2']);
  });

  it('warms custom tiers with everything', async () => {
    const at = aDesk(OWN, () => tasks);
    await warm(at, {});
    expect(warmed.sort()).toEqual(['character::1', 'character::2', 'config::vip']);
  });

  it('offers to warm a custom tier that was cleared, and one of its keys', async () => {
    const at = aDesk(OWN, () => tasks);
    for (let i = 0; i < 3; i++) at.cache.set(`character::${i}`, i);
    await at.run('cache-stats', { key: 'character::1' });
    expect(at.said).toContain('Reload characters now');
    await at.run('cache-clear', { pattern: 'tier:character' });
    expect(at.said).toContain('Warm characters now');
  });

  it('says so where a tier has no warmer', async () => {
    const at = aDesk(OWN, () => tasks);
    await warm(at, { scope: 'system_status' });
    expect(at.said).toContain('This bot has no warmer for `system_status`.');
  });
});
