/** `cache.tiers`: tiers of one's own, policies for the built-in ones, and the advice about both. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { CacheError } from '../../src/cache/errors.ts';
import { defineTier } from '../../src/cache/tiers/define-tier.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { configNotices, loadConfig, parseConfig } from '../../src/config/config.ts';
import { tierSchema } from '../../src/config/tier-schema.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';

const GUILD = '123456789012345678';

/** The tiers of a configuration whose `cache.tiers` is this, by name. */
function tiersOf(tiers: object, cache: object = {}): Record<string, TierPolicy> {
  const policies = parseConfig({ cache: { ...cache, tiers } }).cache.tiers;
  return Object.fromEntries(policies.map((policy) => [policy.tier, policy]));
}

function problemsOf(tiers: unknown, cache: object = {}): string[] {
  try {
    parseConfig({ cache: { ...cache, tiers } });
  } catch (error) {
    return (error as Error).message.split('\n').slice(1);
  }
  throw new Error('it was accepted');
}

function noticesOf(tiers: object, cache: object = {}): string[] {
  const config = parseConfig({ cache: { ...cache, tiers }, admin: { guild_ids: [GUILD] } });
  return configNotices(config, 4_000_000_000);
}

/** The JSON blocks of a document, parsed. */
function jsonIn(path: string): unknown[] {
  const blocks = readFileSync(path, 'utf8').matchAll(/^```json\n(.*?)^```$/gms);
  return [...blocks].map(([, text = '']) => JSON.parse(text));
}

describe('a tier of the file', () => {
  it('follows the built-in ones, in the order of the file', () => {
    const { tiers } = parseConfig({ cache: { tiers: { b: { ttl: 1 }, a: { ttl: 2 } } } }).cache;
    expect(tiers.map(({ tier }) => tier)).toEqual(['config', 'reference', 'user', 'query', 'b', 'a']);
  });

  it('needs a ttl alone: the rest has defaults', () => {
    expect(tiersOf({ system_status: { ttl: 5 } }).system_status).toEqual({
      tier: 'system_status',
      label: 'System status',
      description: '',
      ttlMs: 5_000,
      negativeTtlMs: 5_000,
      jitterRatio: 0.05,
      namespaces: ['system_status'],
    });
  });

  it('states every policy, in seconds and kilobytes', () => {
    const stated = {
      ttl: 300,
      negative_ttl: 10,
      jitter: 0.1,
      grace: 3_600,
      grace_backoff: 20,
      stale_while_revalidate: 60,
      soft_timeout: 0.25,
      hard_timeout: 2.5,
      refresh_ahead: 0.8,
      early_refresh: 1,
      adaptive_ttl: { min: 60, max: 7_200 },
      values: 'frozen',
      compress_above_kb: 16,
      max_entry_kb: 0.5,
      skip_empty: true,
      persist: 'periodic',
      namespaces: ['character', 'character_sheet'],
      label: 'Characters',
      description: 'What players are.',
    };
    expect(Object.keys(stated).sort()).toEqual(Object.keys(tierSchema.shape).sort());
    expect(tiersOf({ character: stated }).character).toEqual({
      tier: 'character',
      label: 'Characters',
      description: 'What players are.',
      ttlMs: 300_000,
      negativeTtlMs: 10_000,
      jitterRatio: 0.1,
      namespaces: ['character', 'character_sheet'],
      graceMs: 3_600_000,
      graceBackoffMs: 20_000,
      staleWhileRevalidateMs: 60_000,
      softTimeoutMs: 250,
      hardTimeoutMs: 2_500,
      refreshAheadRatio: 0.8,
      earlyRefreshBeta: 1,
      adaptiveTtl: { minMs: 60_000, maxMs: 7_200_000 },
      values: 'frozen',
      compressAboveBytes: 16_384,
      maxEntryBytes: 512,
      skipEmpty: true,
      persist: 'periodic',
    });
  });

  it('honours zero as zero, and an empty list of namespaces as none', () => {
    const { mine } = tiersOf({ mine: { ttl: 0, jitter: 0, grace: 0, namespaces: [] } });
    expect(mine).toMatchObject({ ttlMs: 0, jitterRatio: 0, graceMs: 0, namespaces: [] });
  });

  it('takes jitter and the negative ttl from the section where it says nothing', () => {
    const { mine } = tiersOf({ mine: { ttl: 300 } }, { jitter: 0.2, ttl_negative: 7 });
    expect(mine).toMatchObject({ jitterRatio: 0.2, negativeTtlMs: 7_000 });
  });

  it('is where keys of its namespaces go', async () => {
    const { cache: section } = parseConfig({
      cache: { tiers: { character: { ttl: 300, jitter: 0, namespaces: ['hero', 'villain'] } } },
    });
    const clock = handClock();
    const cache = createCache({ ...section, clock, logger: silentLogger });
    cache.set('hero::1', 'Ada');
    cache.set('character::1', 'Bo');
    expect(['hero::1', 'character::1'].map((key) => cache.inspect(key)?.tier)).toEqual([
      'character',
      'query',
    ]);
    clock.advance(300_000);
    expect(cache.has('hero::1')).toBe(false);
    await cache.stop();
  });
});

describe('a built-in tier that is named there', () => {
  it('gets policies and further namespaces, and keeps its own and its ttl', () => {
    const { user } = tiersOf(
      { user: { grace: 60, namespaces: ['wallet'], label: 'People' } },
      { ttl_user: 10 },
    );
    expect(user).toMatchObject({
      label: 'People',
      description: 'profiles, balances, orders. Cleared on update.',
      ttlMs: 10_000,
      graceMs: 60_000,
      namespaces: ['user', 'user_orders', 'wallet'],
    });
  });

  it('may repeat its ttl', () => {
    expect(tiersOf({ user: { ttl: 3_600 } }).user?.ttlMs).toBe(3_600_000);
  });

  it('says which ttl to use where the two contradict', () => {
    expect(problemsOf({ user: { ttl: 60 } })).toEqual([
      '  cache.tiers.user.ttl: is 60, but cache.ttl_user is 3600. Use cache.ttl_user for the ttl of this tier, and remove it here',
    ]);
  });
});

describe('problems', () => {
  it('of tiers are reported all at once, each with its path', () => {
    const problems = problemsOf({
      user: { graec: 5 },
      nothing: {},
      both: { ttl: '5', soft_timeout: 3, hard_timeout: 2, adaptive_ttl: { min: 5, max: 2 } },
      'a::b': { ttl: 1 },
      all: { ttl: 1 },
      mine: { ttl: 1, refresh_ahead: 1.5, namespaces: ['products'] },
    });
    expect(problems).toEqual([
      '  cache.tiers.user.graec: unknown name, did you mean "grace"?',
      expect.stringMatching(/cache\.tiers\.both\.ttl: is "5", expected .* Write 5 without quotes/),
      '  cache.tiers.mine.refresh_ahead: is 1.5, expected a number between 0 and 1, such as 0.8',
      expect.stringContaining(
        'cache.tiers.a::b: is no name of a tier, expected a name that can be a segment',
      ),
      '  cache.tiers.all: a tier cannot be named "all", choose another name',
      '  cache.tiers.nothing.ttl: is missing, expected a number of seconds; a tier of your own needs one',
      expect.stringContaining('cache.tiers.both.soft_timeout: has no old value to answer with. Add grace'),
      expect.stringContaining('cache.tiers.both.hard_timeout: is 2, expected more than soft_timeout (3)'),
      '  cache.tiers.both.adaptive_ttl: min is 5, expected no more than max (2)',
      '  cache.tiers.mine.namespaces: "products" belongs to tier reference, and a namespace has one tier only',
    ]);
  });

  it.each([
    ['refresh_ahead', 0],
    ['refresh_ahead', 1],
    ['jitter', 1.1],
    ['early_refresh', -1],
    ['grace', -1],
    ['soft_timeout', 0],
    ['hard_timeout', 0],
    ['ttl', 2_592_001],
    ['max_entry_kb', 0],
    ['skip_empty', 'yes'],
    ['persist', 'always'],
    ['namespaces', 'character'],
    ['namespaces', ['a:b']],
    ['namespaces', ['']],
    ['label', ''],
    ['label', '`x`'],
    ['description', 'a\nb'],
    ['adaptive_ttl', 5],
    ['adaptive_ttl', { min: 0, max: 5 }],
  ])('%s of %j is refused', (name, value) => {
    const [problem] = problemsOf({ mine: { ttl: 60, grace: 60, [name]: value } });
    expect(problem).toContain(`cache.tiers.mine.${name}`);
  });

  it.each([
    ['graceMs', 'grace'],
    ['grace_ms', 'grace'],
    ['refreshAheadRatio', 'refresh_ahead'],
    ['earlyRefreshBeta', 'early_refresh'],
    ['staleWhileRevalidate', 'stale_while_revalidate'],
    ['max_entry_bytes', 'max_entry_kb'],
    ['TTL', 'ttl'],
  ])('the unknown name %s is answered with %s', (name, right) => {
    expect(problemsOf({ mine: { ttl: 60, [name]: 1 } })).toContain(
      `  cache.tiers.mine.${name}: unknown name, did you mean "${right}"?`,
    );
  });

  it('a policy that stands in the section itself is told where it belongs', () => {
    expect(() => parseConfig({ cache: { grace: 60 } })).toThrow('write it as cache.tiers.NAME.grace');
  });

  it.each([
    ['two tiers of one’s own', { a: { ttl: 1, namespaces: ['x'] }, b: { ttl: 1, namespaces: ['x'] } }, 'b'],
    ['a tier’s own name', { a: { ttl: 1, namespaces: ['b'] }, b: { ttl: 1 } }, 'b'],
    ['a built-in tier that comes later', { a: { ttl: 1, namespaces: ['user'] }, user: { grace: 60 } }, 'a'],
  ])('a namespace claimed twice is refused: %s', (_, tiers, wrong) => {
    expect(problemsOf(tiers)).toEqual([expect.stringContaining(`cache.tiers.${wrong}.namespaces: "`)]);
  });

  it('a negative ttl is no longer than the ttl', () => {
    expect(problemsOf({ mine: { ttl: 5, negative_ttl: 6 } })).toEqual([
      '  cache.tiers.mine.negative_ttl: is 6, expected no more than ttl (5)',
    ]);
    expect(problemsOf({ query: { negative_ttl: 6 } }, { ttl_query: 5 })).toEqual([
      '  cache.tiers.query.negative_ttl: is 6, expected no more than ttl_query (5)',
    ]);
  });

  it.each([
    ['as a tier', { redis_url: 'redis://:hunter2@host' }],
    ['within a tier', { mine: { ttl: 5, api_key: 'hunter2' } }],
    ['as a name', { [`${'M'.repeat(24)}.hunter2.${'x'.repeat(30)}`]: { ttl: 5 } }],
    ['as a longer name', { [`${'M'.repeat(28)}.hunter2.${'x'.repeat(60)}`]: { ttl: 5 } }],
  ])('a secret %s is refused without repeating it', (_, tiers) => {
    expect(problemsOf(tiers).join()).not.toContain('hunter2');
  });

  it.each([[[]], ['tiers'], [5], [null]])('tiers of %j are no section', (tiers) => {
    expect(problemsOf(tiers)).toEqual([expect.stringContaining('cache.tiers: is ')]);
  });

  const accepted = (tiers: unknown): boolean => {
    try {
      const config = parseConfig({ cache: { tiers } });
      configNotices(config);
      void createCache({ ...config.cache, clock: handClock(), logger: silentLogger }).stop();
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(CacheError);
      expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID' });
      return false;
    }
  };

  it('whatever stands there, nothing but complaints comes of it', () => {
    const name = fc.oneof(fc.constantFrom('user', 'all', '__proto__', 'toString'), fc.string());
    const policy = fc.oneof(fc.constantFrom(...Object.keys(tierSchema.shape)), fc.string());
    const section = fc.dictionary(policy, fc.oneof(fc.double(), fc.jsonValue()));
    const tiers = fc.oneof({ weight: 5, arbitrary: fc.dictionary(name, section) }, fc.jsonValue());
    fc.assert(fc.property(tiers, (value) => void accepted(value)));
  });

  it('what is accepted, the engine takes', () => {
    const times = fc.constantFrom(0, 0.001, 0.5, 1, 60, 2_592_000);
    const aboveZero = fc.constantFrom(0.0001, 0.5, 1, 60);
    const section = fc.record(
      {
        ttl: times,
        negative_ttl: times,
        jitter: fc.constantFrom(0, 0.5, 1),
        grace: times,
        grace_backoff: times,
        stale_while_revalidate: times,
        soft_timeout: aboveZero,
        hard_timeout: aboveZero,
        refresh_ahead: fc.constantFrom(0.001, 0.5, 0.999),
        early_refresh: fc.constantFrom(0, 1, 10),
        adaptive_ttl: fc.record({ min: aboveZero, max: aboveZero }),
        compress_above_kb: fc.constantFrom(0.0001, 1, 1e9),
        max_entry_kb: fc.constantFrom(0.0001, 1, 1e9),
        skip_empty: fc.boolean(),
        persist: fc.constantFrom('memory', 'on_change', 'on_shutdown', 'periodic'),
        namespaces: fc.subarray(['a', 'b', 'é', 'constructor']),
      },
      { requiredKeys: ['ttl'] },
    );
    let count = 0;
    fc.assert(
      fc.property(section, (mine) => {
        if (accepted({ mine })) count++;
      }),
      { numRuns: 300 },
    );
    expect(count).toBeGreaterThan(20);
  });

  it('names that every object has are names like others, but for one', () => {
    expect(tiersOf({ constructor: { ttl: 1 } }).constructor).toMatchObject({ ttlMs: 1_000 });
    expect(problemsOf(JSON.parse('{ "__proto__": { "ttl": 5 } }'))).toEqual([
      expect.stringContaining('a tier cannot be named "__proto__"'),
    ]);
  });
});

describe('notices', () => {
  it('are none for tiers that make sense', () => {
    const tiers = { mine: { ttl: 60, grace: 600, refresh_ahead: 0.8, soft_timeout: 1, hard_timeout: 5 } };
    expect(noticesOf(tiers)).toEqual([]);
  });

  it.each([
    [
      { querry: { ttl: 5 } },
      '`cache.tiers.querry` is a tier of its own: did you mean the built-in tier `query`?',
    ],
    [{ mine: { ttl: 0 } }, '`cache.tiers.mine.ttl` is 0: entries of that tier are never kept.'],
    [{ mine: { ttl: 60, grace: 5 } }, '`cache.tiers.mine.grace` is shorter than `grace_backoff`'],
    [{ mine: { ttl: 60, grace: 30, grace_backoff: 60 } }, 'is shorter than `grace_backoff`'],
    [
      { mine: { ttl: 60, grace_backoff: 60 } },
      '`cache.tiers.mine.grace_backoff` does nothing without `grace`.',
    ],
    [
      { mine: { ttl: 60, grace: 60, stale_while_revalidate: 60 } },
      '.grace` adds nothing to `stale_while_revalidate`',
    ],
    [
      { mine: { ttl: 60, stale_while_revalidate: 60, soft_timeout: 1 } },
      '.soft_timeout` does nothing without',
    ],
    [{ mine: { ttl: 60, refresh_ahead: 0.5, early_refresh: 1 } }, 'sets `refresh_ahead` and `early_refresh`'],
    [{ mine: { ttl: 5, adaptive_ttl: { min: 10, max: 20 } } }, 'does not include the ttl'],
    [{ mine: { ttl: 5, adaptive_ttl: { min: 5, max: 5 } } }, 'has no room: `min` is `max`.'],
    [{ mine: { ttl: 5, max_entry_kb: 200_000 } }, 'is more than the whole cache may hold (`max_size_mb`).'],
    [{ mine: { ttl: 5, compress_above_kb: 64, max_entry_kb: 32 } }, 'is never reached'],
    [
      { mine: { ttl: 5, persist: 'periodic' } },
      '.persist` does nothing without a disk layer: set `cache.disk_path`',
    ],
    [{ mine: { ttl: 5, hard_timeout: 10 } }, '`cache.tiers.mine.hard_timeout` is longer than the ttl.'],
  ])('%j is legal and worth a word', (tiers, notice) => {
    expect(noticesOf(tiers)).toEqual([expect.stringContaining(notice)]);
  });

  it('are none about persistence where there is a disk layer', () => {
    expect(noticesOf({ mine: { ttl: 5, persist: 'periodic' } }, { disk_path: 'cache.db' })).toEqual([]);
    expect(noticesOf({ mine: { ttl: 5, persist: 'memory' } })).toEqual([]);
  });

  it('say which policies have nothing to work on with a ttl of 0', () => {
    expect(noticesOf({ query: { grace: 60, refresh_ahead: 0.5 } }, { ttl_query: 0 })).toContain(
      '`cache.tiers.query` sets `grace`, `refresh_ahead`, which do nothing while its ttl is 0.',
    );
  });
});

describe('the startup warmer', () => {
  const startupScopes = (scopes: unknown) =>
    parseConfig({ cache: { tiers: { character: { ttl: 60 } } }, warmers: { startup_scopes: scopes } }).warmers
      .startupScopes;

  it('may be told which tiers to fill', () => {
    expect(startupScopes(['config', 'character'])).toEqual(['config', 'character']);
    expect(startupScopes([])).toEqual([]);
    expect(startupScopes(undefined)).toBeUndefined();
  });

  it.each([
    [['charcter'], 'warmers.startup_scopes[0]: there is no tier "charcter", did you mean "character"?'],
    [['config', 'user'], 'warmers.startup_scopes[1]: is "user", which needs a person'],
    [['config', 5], 'warmers.startup_scopes[1]: is 5, expected the name of a tier'],
    ['config', 'warmers.startup_scopes: is "config", expected a list of tiers'],
    [[`${'M'.repeat(28)}.aaaaaaa.${'x'.repeat(60)}`], 'there is no tier "…"'],
  ])('%j is refused', (scopes, problem) => {
    expect(() => startupScopes(scopes)).toThrow(problem);
  });
});

describe('in code', () => {
  it('a tier needs a ttl alone, too', () => {
    expect(defineTier('system_status', { ttlMs: 5_000, graceMs: 60_000 })).toEqual({
      tier: 'system_status',
      label: 'System status',
      description: '',
      ttlMs: 5_000,
      negativeTtlMs: 5_000,
      jitterRatio: 0.05,
      namespaces: ['system_status'],
      graceMs: 60_000,
    });
  });
});

describe('the example in docs/policies.md', () => {
  const [example] = jsonIn('docs/policies.md') as [{ cache: { tiers: object } }];

  it('has nine types of data of a bot that posts pictures, with their ttls', () => {
    const own = parseConfig(example).cache.tiers.slice(4);
    expect(Object.fromEntries(own.map(({ tier, ttlMs }) => [tier, ttlMs / 1_000]))).toEqual({
      character: 300,
      content_metadata: 600,
      platform_status: 60,
      analytics: 900,
      system_status: 5,
      api_response: 60,
      checkpoint_list: 60,
      sampler_list: 60,
      scheduler_list: 60,
    });
  });

  it('and every other there parses, without a notice', () => {
    for (const block of jsonIn('docs/policies.md') as object[]) {
      if (!('cache' in block)) continue;
      expect(configNotices(parseConfig({ ...block, admin: { guild_ids: [GUILD] } }))).toEqual([]);
    }
  });

  it('passes the schema for editors, which refuses what we refuse', () => {
    const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync('schema.json', 'utf8')));
    expect(validate(example)).toBe(true);
    for (const wrong of [{ 'a::b': { ttl: 1 } }, { mine: { graec: 1 } }, { mine: { ttl: -1 } }]) {
      expect(validate({ cache: { tiers: wrong } })).toBe(false);
    }
  });

  it('comes with a table of every name, and no other', () => {
    const [section = ''] =
      readFileSync('docs/policies.md', 'utf8').match(/^### Every name$.*?(?=^##)/ms) ?? [];
    const rows = section.matchAll(/^\| `([a-z_]+)` \|/gm);
    expect([...rows].map(([, name]) => name).sort()).toEqual(Object.keys(tierSchema.shape).sort());
  });
});

it('the shipped file is still the seven names', () => {
  expect(loadConfig({ env: {} }).cacheSection.tiers).toBeUndefined();
});
