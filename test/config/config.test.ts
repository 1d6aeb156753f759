import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CacheError } from '../../src/cache/errors.ts';
import { configNotices, loadConfig, parseConfig } from '../../src/config/config.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { findSyntaxFault } from '../../src/config/syntax.ts';
import { nearestName } from '../../src/nearest-name.ts';

const GUILD = '123456789012345678';
const TOKEN = `${'MTIzNDU2Nzg5MDEyMzQ1Njc4'}.GabcDe.${'x'.repeat(38)}`;
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function complaint(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(CacheError);
    expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID' });
    return (error as CacheError).message;
  }
  throw new Error('it was accepted');
}
const complaintOf = (value: unknown, env?: NodeJS.ProcessEnv) => complaint(() => parseConfig(value, env));
function fileWith(text: string): string {
  const path = join(folder, 'config.json');
  writeFileSync(path, text);
  return path;
}
const complaintOfText = (text: string) => complaint(() => loadConfig({ path: fileWith(text), env: {} }));

describe('the configuration', () => {
  it('takes its defaults where the file says nothing', () => {
    expect(parseConfig({})).toEqual({
      cacheSection: {
        enabled: true,
        max_size_mb: 100,
        ttl_config: 86_400,
        ttl_reference: 43_200,
        ttl_user: 3_600,
        ttl_query: 1_800,
        ttl_negative: 30,
        jitter: 0.05,
        disk_path: null,
        max_disk_mb: 256,
        disk_version: '',
        persist_interval: 30,
        cleanup_interval: 3_600,
      },
      cache: {
        enabled: true,
        maxWeightBytes: 104_857_600,
        cleanupIntervalMs: 3_600_000,
        tiers: [
          expect.objectContaining({
            tier: 'config',
            label: 'Configuration',
            ttlMs: 86_400_000,
            namespaces: ['config'],
          }),
          expect.objectContaining({
            tier: 'reference',
            label: 'Reference',
            ttlMs: 43_200_000,
            namespaces: ['products', 'categories', 'discounts'],
          }),
          expect.objectContaining({
            tier: 'user',
            label: 'User',
            ttlMs: 3_600_000,
            namespaces: ['user', 'user_orders'],
          }),
          expect.objectContaining({ tier: 'query', label: 'Query', ttlMs: 1_800_000, namespaces: ['query'] }),
        ],
      },
      admin: {
        guildIds: [],
        userIds: [],
        roleIds: [],
        allowGuildAdministrators: false,
        auditChannelId: null,
        replyStyle: 'components',
        confirmAbove: 5,
        cooldownMs: 5_000,
      },
      warmers: {
        startupBudgetMs: 10_000,
        concurrency: 4,
        hotKeys: 200,
        isPredictive: true,
        referenceIntervalMs: 21_600_000,
        referenceJitterMs: 600_000,
        user: { enabled: true, maxWaiting: 100, againAfterMs: 3_600_000 },
      },
      database: { path: './data/shop.db', pollIntervalMs: 250 },
      writeBehind: { path: 'data/write-behind.db', synchronous: 'normal' },
      api: { enabled: true, host: '127.0.0.1', port: 4_781 },
      source: null,
    });
  });

  it('honours zero as zero', () => {
    const config = parseConfig({
      cache: { ttl_user: 0, jitter: 0 },
      admin: { confirm_above: 0, cooldown: 0 },
      warmers: { startup_budget: 0, reference_interval: 0, user: { max_waiting: 0 } },
    });
    expect(config.cache.tiers[2]).toMatchObject({ ttlMs: 0, negativeTtlMs: 0, jitterRatio: 0 });
    expect(config.admin).toMatchObject({ confirmAbove: 0, cooldownMs: 0 });
    expect(config.warmers).toMatchObject({
      startupBudgetMs: 0,
      referenceIntervalMs: 0,
      user: { maxWaiting: 0 },
    });
  });

  it('remembers "no such row" never longer than the tier keeps anything', () => {
    const { tiers } = parseConfig({ cache: { ttl_negative: 60, ttl_user: 10 } }).cache;
    expect(tiers.map(({ negativeTtlMs }) => negativeTtlMs)).toEqual([60_000, 60_000, 10_000, 60_000]);
  });

  it('takes the admin guilds and the database from the environment first', () => {
    const file = { admin: { guild_ids: ['999999999999999999'] }, database: { path: 'a.db' } };
    const env = { ADMIN_GUILD_ID: ` ${GUILD}, 223456789012345678,${GUILD} `, DATABASE_PATH: '/data/b.db' };
    expect(parseConfig(file, env)).toMatchObject({
      admin: { guildIds: [GUILD, '223456789012345678'] },
      database: { path: '/data/b.db' },
    });
    expect(parseConfig(file, { ADMIN_GUILD_ID: '', DATABASE_PATH: ' ' })).toMatchObject({
      admin: { guildIds: ['999999999999999999'] },
      database: { path: 'a.db' },
    });
  });

  it('blames the environment, and no file, for what is wrong there alone', () => {
    expect(() => parseConfig({}, { ADMIN_GUILD_ID: '123' })).toThrow(
      'The environment has a problem:\n  ADMIN_GUILD_ID: "123" is no Discord id, expected 17 to 20 digits',
    );
  });

  it('takes the port of the HTTP API from the environment first, 0 for any free one', () => {
    const file = { api: { port: 8_080, host: '0.0.0.0' } };
    expect(parseConfig(file, { API_PORT: ' 0 ' }).api).toEqual({ enabled: true, host: '0.0.0.0', port: 0 });
    expect(parseConfig(file, { API_PORT: '' }).api.port).toBe(8_080);
  });
});

describe('problems', () => {
  it('are reported all at once, each with its path, what stands there and what is expected', () => {
    expect(
      complaintOf(
        {
          cache: { enabled: 'yes', max_size_mb: -1, ttl_user: '3600', ttl_usr: 1 },
          admin: { guild_ids: [1], reply_style: 'fancy', confirm_above: 1.5 },
          warmers: { concurrency: 0, hot_keys: -1, predictive: 'yes', user: null },
          database: { path: '' },
          chache: {},
        },
        { ADMIN_GUILD_ID: 'my server' },
      ).split('\n'),
    ).toEqual([
      'config has 14 problems:',
      '  cache.enabled: is "yes", expected true or false, without quotes',
      '  cache.max_size_mb: is -1, expected a number of megabytes above 0, up to 1,048,576',
      '  cache.ttl_user: is "3600", expected a number of seconds from 0 to 2,592,000 (30 days). Write 3600 without quotes',
      '  cache.ttl_usr: unknown name, did you mean "ttl_user"?',
      expect.stringContaining(
        'admin.guild_ids[0]: is 1, expected a Discord id in quotes, 17 to 20 digits. Put it in quotes',
      ),
      '  admin.reply_style: is "fancy", expected "components" or "embeds"',
      '  admin.confirm_above: is 1.5, expected a whole number from 0 to 1,000,000,000',
      '  warmers.concurrency: is 0, expected a whole number from 1 to 64',
      '  warmers.hot_keys: is -1, expected a whole number from 0 to 1,000',
      '  warmers.predictive: is "yes", expected true or false, without quotes',
      '  warmers.user: is null, expected a section: { … }',
      '  database.path: is "", expected the path of a file, in quotes, not empty',
      '  chache: unknown name, did you mean "cache"?',
      '  ADMIN_GUILD_ID: "my server" is no Discord id, expected 17 to 20 digits',
    ]);
  });

  it.each(['http', '-1', '65536', '80.5'])('an API_PORT of %s is refused', (port) => {
    expect(complaintOf({}, { API_PORT: port })).toContain(
      `API_PORT: "${port}" is no port, expected 0 to 65535`,
    );
  });

  it.each(['', 'http://127.0.0.1', 'a host', 1])('an `api.host` of %j is refused', (host) => {
    expect(complaintOf({ api: { host } })).toContain('api.host: is ');
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2_592_001, '10', null, true, [], {}])(
    'a ttl of %j is refused',
    (ttl) => {
      expect(complaintOf({ cache: { ttl_query: ttl } })).toContain('cache.ttl_query: is ');
    },
  );

  it.each([
    ['ttlUser', 'did you mean "ttl_user"'],
    ['max_size', 'did you mean "max_size_mb"'],
    ['TTL_QUERY', 'did you mean "ttl_query"'],
    ['guild_ids', 'does not belong here, write it as admin.guild_ids'],
    ['zzzzzzzz', 'unknown name. Known here: enabled, max_size_mb'],
    ['__proto__', 'unknown name'],
  ])('the unknown name %s in section cache is answered with advice', (name, advice) => {
    expect(complaintOf(JSON.parse(`{ "cache": { "${name}": 1 } }`))).toContain(advice);
  });

  it.each([
    ['a list', []],
    ['null', null],
    ['a text', 'cache'],
    ['nothing', undefined],
  ])('%s is no configuration', (_, value) => {
    expect(complaintOf(value)).toContain('the file: is ');
  });

  it('says that a Discord id without quotes has lost digits', () => {
    expect(complaintOfText(`{ "admin": { "audit_channel_id": 1234567890123456789 } }`)).toContain(
      'Put it in quotes: as a number it has lost its last digits, so copy it from Discord again',
    );
  });

  it.each([
    ['an unknown name', { discord_token: TOKEN }, 'DISCORD_TOKEN'],
    ['a section', { admin: { token: TOKEN } }, 'DISCORD_TOKEN'],
    ['a known name', { database: { path: TOKEN } }, 'DISCORD_TOKEN'],
    ['a list', { admin: { user_ids: [TOKEN] } }, 'DISCORD_TOKEN'],
    ['a Redis address', { redis_url: 'redis://:hunter2@host' }, 'REDIS_URL'],
  ])('a secret in %s is refused, with advice and without repeating it', (_, value, variable) => {
    const message = complaintOf(value);
    expect(message).toContain(`Set ${variable} in the environment`);
    expect(message).not.toContain(TOKEN);
    expect(message).not.toContain('hunter2');
  });

  it.each([
    [{ cache: { disk_path: ':memory:' } }, 'cache.disk_path: is ":memory:"'],
    [
      { cache: { disk_path: './data/shop.db' }, database: { path: 'data/shop.db' } },
      "cache.disk_path: is the bot's database",
    ],
    [
      { cache: { disk_path: 'a.db' }, write_behind: { path: './a.db' } },
      'cache.disk_path: is the journal of write-behind',
    ],
    [
      { database: { path: 'a.db' }, write_behind: { path: 'a.db' } },
      "write_behind.path: is the bot's database",
    ],
  ])('no two of its files are one: %j', (value, problem) => {
    expect(complaintOf(value)).toContain(problem);
  });

  it('no two of its files are one, wherever they are named', () => {
    expect(complaintOf({}, { CACHE_PATH: 'x.db', DATABASE_PATH: './x.db' })).toContain('cache.disk_path');
    expect(() => parseConfig({}, { DATABASE_PATH: ':memory:', WRITE_BEHIND_PATH: ':memory:' })).not.toThrow();
  });

  it('runs of the periodic warmer cannot meet', () => {
    expect(complaintOf({ warmers: { reference_interval: 600 } })).toContain(
      'warmers.reference_jitter: is 600',
    );
  });
});

describe('a file that is no JSON', () => {
  it.each([
    ['{\n  "cache": {\n    "ttl_user": 1,\n  }\n}', 'line 3, column 18: remove this comma: } follows'],
    ['{\n  // the cache\n  "cache": {}\n}', 'line 2, column 3: comments are not JSON: remove this one'],
    ["{ 'cache': {} }", 'line 1, column 3: JSON wants double quotes (") here'],
    ['{ "cache": {} "admin": {} }', 'line 1, column 15: a comma (,) or } is missing before this'],
    [
      '{ "cache": { "ttl_user": 1 }',
      'line 1, column 29: the file ends here, but a comma (,) or } is missing',
    ],
    ['{ "cache": { "ttl_user": NaN } }', 'line 1, column 26: "NaN" stands where a value is expected'],
    ['{ "cache": { "jitter": .5 } }', 'line 1, column 24: ".5" stands where a value is expected'],
    ['{ "cache": {}, "cache": {} }', 'line 1, column 16: "cache" is given twice: keep one'],
    ['{ "cache": "abc }', 'line 1, column 12: this text has no end'],
    ['{ "cache" {} }', 'line 1, column 11: a colon (:) is expected here'],
    ['', 'line 1, column 1: the file ends here, but a value is missing'],
    ['{} {}', 'line 1, column 4: the file should end here'],
    ['['.repeat(100_000), 'nested too deeply'],
  ])('%j: says where and what to do', (text, message) => {
    expect(complaintOfText(text)).toContain(message);
  });

  it('shows the line and points at the place', () => {
    expect(complaintOfText('{\n  "cache": {},\n}')).toContain('\n      "cache": {},\n                 ^');
  });

  it('does not repeat a token that stands in that line', () => {
    expect(complaintOfText(`{ "token": "${TOKEN}", }`)).not.toContain(TOKEN);
  });

  it('is judged as JSON.parse judges, but for names given twice', () => {
    const almost = fc
      .tuple(
        fc.json({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom('', ',', '"', '}', ']', '{', '1', ' ', '\\', '-', '\u0000'),
      )
      .map(([json, place, extra]) => {
        const cut = place % (json.length + 1);
        return json.slice(0, cut) + extra + json.slice(cut + (place % 2));
      });
    fc.assert(
      fc.property(almost, (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        const fault = findSyntaxFault(text);
        if (fault?.message.includes('given twice')) return;
        expect(fault === undefined).toBe(isJson);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the file', () => {
  it('is read with its path and the time of reading', () => {
    const path = fileWith('\uFEFF{ "cache": { "max_size_mb": 5 } }');
    const config = loadConfig({ path, env: {} });
    expect(config.cache.maxWeightBytes).toBe(5 * 1_024 * 1_024);
    expect(config.source).toEqual({ path, readAt: expect.any(Number) });
  });

  it('may be missing: the defaults hold, and the log says so once', () => {
    const lines: string[] = [];
    const path = join(folder, 'none.json');
    const config = loadConfig({ path, env: {}, logger: { warn: (line) => lines.push(line) } });
    expect(config).toEqual(parseConfig({}));
    expect(lines).toEqual([`There is no ${path}: the defaults are used.`]);
  });

  it('must be readable', () => {
    expect(complaint(() => loadConfig({ path: folder, env: {} }))).toBe(
      `${folder} can't be read: it is a folder`,
    );
  });

  it('as shipped has the seven names with their defaults, keeps its cache on disk, and needs no environment', () => {
    const { cache } = JSON.parse(readFileSync('config.json', 'utf8'));
    expect(cache).toEqual({
      enabled: true,
      max_size_mb: 100,
      ttl_config: 86_400,
      ttl_reference: 43_200,
      ttl_user: 3_600,
      ttl_query: 1_800,
      cleanup_interval: 3_600,
      disk_path: './data/cache.db',
    });
    expect(loadConfig({ env: {} })).toMatchObject({
      ...parseConfig({ cache: { disk_path: './data/cache.db' } }),
      source: { path: resolve('config.json') },
    });
  });
});

describe('the schema for editors', () => {
  it('ships up to date: `node scripts/write-schema.ts` writes it', () => {
    expect(JSON.parse(readFileSync('schema.json', 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(configJsonSchema())),
    );
  });

  it('accepts the shipped file and refuses what we refuse', () => {
    const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync('schema.json', 'utf8')));
    expect(validate(JSON.parse(readFileSync('config.json', 'utf8')))).toBe(true);
    for (const wrong of [{ cach: {} }, { cache: { ttl_user: '1' } }, { admin: { guild_ids: [1] } }]) {
      expect(validate(wrong)).toBe(false);
    }
  });
});

describe('notices', () => {
  const notices = (value: object) =>
    configNotices(parseConfig({ admin: { guild_ids: [GUILD] }, ...value }), 4_000_000_000);

  it('are none for the defaults in an admin guild', () => {
    expect(notices({})).toEqual([]);
  });

  it.each([
    [{ cache: { ttl_user: 50_000 } }, '`ttl_user` is longer than `ttl_reference`.'],
    [{ cache: { ttl_reference: 90_000 } }, '`ttl_reference` is longer than `ttl_config`.'],
    [{ cache: { ttl_query: 0 } }, '`cache.ttl_query` is 0: entries of that tier are never kept.'],
    [{ cache: { cleanup_interval: 100_000 } }, '`cleanup_interval` is longer than every ttl'],
    [{ cache: { max_size_mb: 3_000 } }, '`max_size_mb` is more than half of the heap'],
    [{ cache: { enabled: false } }, '`cache.enabled` is false: every read goes to the database.'],
    [{ warmers: { reference_interval: 50_000 } }, 'reference data goes stale between two runs'],
    [{ admin: {} }, 'No admin guild is named'],
  ])('%j is legal and worth a word', (value, notice) => {
    expect(notices(value)).toEqual([expect.stringContaining(notice)]);
  });
});

describe('the nearest name', () => {
  it.each([
    ['tll_user', 'ttl_user'],
    ['ttl-query', 'ttl_query'],
    ['xyz', undefined],
    ['', undefined],
    ['t'.repeat(100_000), undefined],
  ])('of %s is %s', (name, nearest) => {
    expect(nearestName(name, ['ttl_user', 'ttl_query', 'enabled'])).toBe(nearest);
  });
});
