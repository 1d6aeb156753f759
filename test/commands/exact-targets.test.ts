/** What is picked, suggested or previewed stands for exactly what it names, however its text reads. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { Cooldown } from '../../src/commands/cooldown.ts';
import { type Desk, desk, fillShop } from './desk.ts';

const TIERS = { ttl_config: 3_600 };

function opened(fill: (at: Desk) => void = ({ cache }) => fillShop(cache), configuration: object = {}): Desk {
  const at = desk({ cache: TIERS, ...configuration });
  onTestFinished(() => at.stop());
  fill(at);
  return at;
}

/** The same with real cooldowns. */
function withCooldown(at: Desk): Desk {
  const cooldown = new Cooldown(at.clock, 5_000);
  Object.assign(at.services, { takeTurn: (who: string) => cooldown.take(who) });
  return at;
}

/** Picks the choice of that name, as Discord sends its value back. */
async function pickChoice(at: Desk, name: string, options: Readonly<Record<string, boolean>> = {}) {
  const choice = (await at.type('cache-clear', 'pattern', '')).find((one) => one.name === name);
  expect(choice, name).toBeDefined();
  await at.run('cache-clear', { pattern: choice?.value ?? '', ...options });
}

describe('/cache-clear tier:NAME', () => {
  it('clears the entries of the tier in more namespaces than are counted, and none of another tier', async () => {
    const at = opened(({ cache }) => {
      for (let i = 0; i < 2_000; i++) cache.set(`space${i}::x`, i, { tier: 'config' });
      for (let i = 0; i < 3; i++) cache.set(`space${i}::theirs`, i, { tier: 'user' });
    });
    await at.run('cache-clear', { pattern: 'tier:config' });
    expect(at.said).toContain('2,000 entries');
    await at.press('Clear 2,000 entries');
    await at.clock.settle();
    expect(at.cache.stats(0).total.entries).toBe(3);
    expect(at.cache.get('space1::theirs')).toBe(1);
  });
});

describe('a choice of completion stands for exactly what it names', () => {
  const beside = { tags: ['rules'] };
  const odd = [
    ['tag:rules', 'tag:rules'],
    ['tier:config', 'tier:config'],
    ['all', 'all'],
    ['ALL', 'ALL'],
    [' all ', '␣all␣'],
    [' products::p1', '␣products::p1'],
    ['   ', '␣␣␣'],
    ['\u00a0', '\\u00a0'],
    ['\u200b', '\\u200b'],
    ['#aaaaaaaaaaaaaaaaaaaaaa', '#aaaaaaaaaaaaaaaaaaaaaa'],
  ] as const;

  for (const [key, name] of odd) {
    it(`key ${JSON.stringify(key)}`, async () => {
      const at = opened(({ cache }) => {
        fillShop(cache);
        cache.set('a::1', 1, beside);
        cache.set('a::2', 2, beside);
        cache.set(key, 'odd');
      });
      const before = at.cache.stats(0).total.entries;
      const found = (await at.type('cache-clear', 'pattern', '')).filter((one) => one.name.startsWith(name));
      const last = found.at(-1);
      expect(last).toBeDefined();
      expect(last?.value.trim()).toBe(last?.value);
      await at.run('cache-clear', { pattern: last?.value ?? '' });
      await at.clock.settle();
      expect(at.cache.inspect(key)).toBeUndefined();
      expect(at.cache.stats(0).total.entries).toBe(before - 1);
      expect(at.audit.at(-1)?.target).not.toBe('all');
    });
  }

  it('a namespace whose pattern reads like a tag or a tier', async () => {
    const at = opened(({ cache }) => {
      cache.set('tag:x::1', 1);
      cache.set('tag:x::2', 2);
      cache.set('other::1', 3, { tags: ['x::*'] });
    });
    await pickChoice(at, 'tag:x::* — 2 entries');
    expect(at.cache.keys('', 10)).toEqual(['other::1']);
  });

  it('of /cache-stats and /cache-info, too', async () => {
    const at = opened(({ cache }) => cache.set('  two  ', 2));
    for (const command of ['cache-stats', 'cache-info'] as const) {
      const [choice] = await at.type(command, 'key', '');
      expect(choice?.name).toBe('␣␣two␣␣');
      await at.run(command, { key: choice?.value ?? '' });
      expect(at.said).not.toContain('not cached');
      expect(at.audit.at(-1)?.target).toBe('  two  ');
    }
  });

  it('and no choice of Discord is refused for a blank, whatever the keys are', async () => {
    const blank = ['   ', '\u200b', '\u3164', '\ufe0f', '\u2800', '\u00a0\u00a0', '\u202e', ' '.repeat(300)];
    const at = opened(({ cache }) => {
      for (const key of blank) cache.set(key, 1);
    });
    const drawn = /[^\s\p{M}\p{Cf}\u2800\u3164]/u;
    for (const [command, option] of [
      ['cache-clear', 'pattern'],
      ['cache-stats', 'key'],
      ['cache-info', 'key'],
    ] as const) {
      const choices = await at.type(command, option, '');
      expect(choices.length).toBeGreaterThanOrEqual(blank.length);
      for (const { name, value } of choices) {
        expect(name).toMatch(drawn);
        expect(value).toMatch(drawn);
        expect(name.length).toBeLessThanOrEqual(100);
        expect(value.length).toBeLessThanOrEqual(100);
      }
    }
  });
});

describe('a suggestion stands for exactly what it names', () => {
  it('also a key that reads like a tag', async () => {
    const at = opened(({ cache }) => {
      cache.set('tag:rules', 'odd');
      cache.set('a::1', 1, { tags: ['rules'] });
    });
    await at.run('cache-clear', { pattern: 'tag:rulez' });
    await at.press('Take the suggestion');
    expect(at.cache.keys('', 10)).toEqual(['a::1']);
  });
});

describe('preview: true never removes anything', () => {
  it('also when something is picked then', async () => {
    const at = opened();
    await at.run('cache-clear', { preview: true });
    await at.press('Choose what to clear', { picks: 'products::*' });
    expect(at.said).toContain('nothing was cleared');
    expect(at.cache.stats(0).total.entries).toBe(19);
  });

  it('also when the suggestion is taken, even of one key', async () => {
    const at = opened();
    for (const pattern of ['prodcuts:*', 'user::123456::walet']) {
      await at.run('cache-clear', { pattern, preview: true });
      await at.press('Take the suggestion');
      expect(at.said).toContain('nothing was cleared');
    }
    expect(at.cache.stats(0).total.entries).toBe(19);
    expect(at.audit.filter(({ outcome }) => outcome.startsWith('preview'))).toHaveLength(2);
  });
});

describe('the chooser asks as the command does', () => {
  it('keeps the cooldown, also for what is picked after a bare command', async () => {
    const at = withCooldown(opened());
    await at.run('cache-clear');
    await at.press('Choose what to clear', { picks: 'config::*' });
    expect(at.said).toContain('Cleared 3 entries');
    await at.run('cache-clear');
    await at.press('Choose what to clear', { picks: 'user::*' });
    expect(at.said).toContain('Slow down');
    expect(at.cache.stats(0).total.entries).toBe(16);
  });

  it('asks before more than a handful goes', async () => {
    const at = opened();
    await at.run('cache-clear');
    await at.press('Choose what to clear', { picks: 'products::*' });
    expect(at.said).toContain('Clear cached entries?');
    expect(at.cache.stats(0).total.entries).toBe(19);
  });

  it('counts no turn for a question that was cancelled, or not answered', async () => {
    const at = withCooldown(opened());
    await at.run('cache-clear', { pattern: 'products:*' });
    await at.press('Cancel');
    await at.run('cache-clear', { pattern: 'products:*' });
    expect(at.said).toContain('Clear cached entries?');
    await at.press('Clear 12 entries');
    await at.run('cache-clear', { pattern: 'user:*' });
    expect(at.said).toContain('Slow down');
  });
});
