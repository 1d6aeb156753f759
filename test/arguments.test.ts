/** What authors who write JavaScript hand over by mistake: each complaint names the function, the argument and the remedy. */
import Database from 'better-sqlite3';
import { Client } from 'discord.js';
import { afterAll, describe, expect, it } from 'vitest';
import * as typed from '../src/index.ts';

/** The public functions as JavaScript sees them: nothing checks what is handed over. */
const api = typed as unknown as Readonly<Record<string, (...values: unknown[]) => never>>;
const call =
  (name: string, ...values: unknown[]) =>
  () =>
    (api[name] as (...given: unknown[]) => unknown)(...values);
/** Calls a method, whatever its types say. */
const method =
  (object: object, name: string, ...values: unknown[]) =>
  () =>
    (Reflect.get(object, name) as (...given: unknown[]) => unknown).apply(object, values);

const { createCache, createCachecord, parseConfig, silentLogger, sqliteCache, systemClock } = typed;
const config = parseConfig({});
const cache = createCache({ logger: silentLogger });
const db = new Database(':memory:');
db.exec('CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT)');
const client = new Client({ intents: [] });
const plugin = createCachecord(client, { logger: silentLogger });
const sql = sqliteCache(db, cache);
const fn = async (id: string) => ({ id });
const key = { key: 'user::{0}' };
const open = () => db;
const running = Promise.resolve(1);
afterAll(async () => {
  await plugin.stop();
  await cache.stop();
  db.close();
});

type Mistake = readonly [written: string, act: () => unknown, ...words: string[]];

function complaintOf(act: () => unknown): Promise<unknown> {
  return (async () => act())().then(
    () => 'nothing was said',
    (error: unknown) => error,
  );
}

function refuses(mistakes: readonly Mistake[]): void {
  for (const [written, act, ...words] of mistakes) {
    it(written, async () => {
      const error = await complaintOf(act);
      const code = expect.stringMatching(/^ERR_(?:ARGUMENT|KEY|CONFIG)_INVALID$/);
      expect(error).toMatchObject({ name: 'CacheError', code });
      for (const word of words) expect(String(error)).toContain(word);
    });
  }
}

describe('createCachecord', () => {
  const owner = 'createCachecord(client, options)';
  refuses([
    ['createCachecord()', call('createCachecord'), owner, 'client is undefined', 'new Client('],
    [
      'createCachecord({}, { config })',
      call('createCachecord', {}, { config }),
      owner,
      'client is an empty object',
    ],
    ['createCachecord(config, client)', call('createCachecord', config, client), 'The client comes first'],
    [
      'createCachecord(client, config)',
      call('createCachecord', client, config),
      owner,
      '{ config: loadConfig() }',
    ],
    ['createCachecord(client, null)', call('createCachecord', client, null), 'object of options, not null'],
    [
      'createCachecord(client, cache)',
      call('createCachecord', client, cache),
      owner,
      'options is a cache: write createCachecord(client, { cache })',
    ],
    [
      "createCachecord(client, { config: './config.json' })",
      call('createCachecord', client, { config: './config.json' }),
      'config is a text',
      'loadConfig({ path: "./config.json" })',
    ],
    [
      'createCachecord(client, { config: loadConfig })',
      call('createCachecord', client, { config: typed.loadConfig }),
      'config is a function: call it: loadConfig()',
    ],
    [
      'createCachecord(client, { config: { cache: … } })',
      call('createCachecord', client, { config: { cache: { max_size_mb: 5 } } }),
      'config is an object',
      'parseConfig({ … })',
    ],
    [
      'createCachecord(client, { config: promise })',
      call('createCachecord', client, { config: running }),
      'config is a promise: await it first',
    ],
    ...(['guildId', 'guildIds', 'admin', 'ttl', 'ownerId', 'maxSize'] as const).map(
      (name): Mistake => [
        `createCachecord(client, { ${name} })`,
        call('createCachecord', client, { [name]: '1' }),
        `there is no option "${name}"`,
        'parseConfig({ admin: { guild_ids: [',
        'loadConfig()',
      ],
    ),
    ['{ conifg }', call('createCachecord', client, { conifg: config }), 'did you mean config?'],
    [
      '{ cache: new Map() }',
      call('createCachecord', client, { cache: new Map() }),
      'cache is a Map',
      'createCache()',
    ],
    [
      '{ warmTasks: {} }',
      call('createCachecord', client, { warmTasks: {} }),
      'warmTasks is an empty object',
      'scope',
    ],
    [
      '{ warmTasks: [{}] }',
      call('createCachecord', client, { warmTasks: [{}] }),
      'warmTasks[0] is',
      'jobs: () =>',
    ],
    [
      '{ logger: console.log }',
      call('createCachecord', client, { logger: console.log }),
      'logger is a function',
      'console',
    ],
    [
      '{ clock: systemClock }',
      call('createCachecord', client, { clock: systemClock }),
      'clock is',
      'systemClock()',
    ],
    [
      '{ auditSink: [] }',
      call('createCachecord', client, { auditSink: [] }),
      'auditSink is a list',
      'a function',
    ],
    [
      '{ writeBehind: db }',
      call('createCachecord', client, { writeBehind: db }),
      'createWriteBehind(db, cache)',
    ],
    ['{ commandStore: db }', call('createCachecord', client, { commandStore: db }), 'all, keep and forget'],
  ]);

  it('takes a client alone: the defaults hold', async () => {
    const alone = createCachecord(client);
    expect(alone.cache.maxWeightBytes).toBe(config.cache.maxWeightBytes);
    expect(alone.commands).toHaveLength(4);
    await alone.stop();
  });
});

describe('the plugin', () => {
  refuses([
    [
      "start('components')",
      method(plugin, 'start', 'components'),
      'start(options)',
      "{ listen: 'components' }",
    ],
    [
      "start({ listen: 'buttons' })",
      method(plugin, 'start', { listen: 'buttons' }),
      "'all', 'components' or 'none'",
    ],
    [
      'start({ listens })',
      method(plugin, 'start', { listens: 'all' }),
      'start(options): there is no option',
      'listen',
    ],
    [
      "start({ register: 'no' })",
      method(plugin, 'start', { register: 'no' }),
      'register is a text',
      'true or false',
    ],
    ['handle()', method(plugin, 'handle'), 'handle(interaction)', 'interactionCreate'],
    ['forgetUser()', method(plugin, 'forgetUser'), 'forgetUser(id, also)', 'id is undefined'],
    ['forgetUser(5)', method(plugin, 'forgetUser', 5), 'a number loses its last digits'],
    ['forgetUser(user)', method(plugin, 'forgetUser', { id: '1' }), 'write user.id'],
    [
      'forgetGuild(guild)',
      method(plugin, 'forgetGuild', { id: '1' }),
      'forgetGuild(id, also)',
      'write guild.id',
    ],
    ["forgetUser('1', 'a')", method(plugin, 'forgetUser', '1', 'a'), 'also is a text', 'a list of keys'],
  ]);
});

describe('wrappers', () => {
  const read = 'cached(cache, fn, options)';
  const write = 'invalidates(cache, fn, targets)';
  refuses([
    [
      'cachedSync(undefined, fn)',
      call('cachedSync', undefined, fn, key),
      'cachedSync(cache, fn, options)',
      'createCache()',
    ],
    [
      'cached(undefined, fn)',
      call('cached', undefined, fn, key),
      read,
      'cache is undefined',
      'cachecord.cache',
    ],
    ['cached(cachecord, fn)', call('cached', plugin, fn, key), read, 'cache is a Plugin', 'cachecord.cache'],
    ['cached(sql, fn)', call('cached', sql, fn, key), read, 'sql.cache'],
    ['cached(new Map(), fn)', call('cached', new Map(), fn, key), read, 'cache is a Map'],
    ['cached(fn, cache)', call('cached', fn, cache, key), read, 'The cache comes first'],
    ['cached(db, fn)', call('cached', db, fn, key), read, 'order of the arguments'],
    ['cached(cache)', call('cached', cache), read, 'fn is undefined'],
    [
      'cached(cache, promise)',
      call('cached', cache, running, key),
      read,
      'fn is a promise',
      'getUser, not getUser(id)',
    ],
    ['cached(cache, fn)', call('cached', cache, fn), read, 'options is undefined', '{ key:'],
    ["cached(cache, fn, 'user::{0}')", call('cached', cache, fn, 'user::{0}'), read, "{ key: 'user::{0}' }"],
    [
      'cached(cache, fn, {})',
      call('cached', cache, fn, {}),
      'fn',
      'either key or keyPrefix',
      "key: 'user::{0}::profile'",
    ],
    ['{ key: 5 }', call('cached', cache, fn, { key: 5 }), 'fn: key is a number', "'user::{0}::profile'"],
    ['{ keyPrefix: 5 }', call('cached', cache, fn, { keyPrefix: 5 }), 'fn: keyPrefix is a number'],
    [
      '{ keyParams: 0 }',
      call('cached', cache, fn, { keyPrefix: 'user', keyParams: 0 }),
      'keyParams is a number',
      '[0]',
    ],
    ["{ tags: 'a' }", call('cached', cache, fn, { ...key, tags: 'a' }), 'tags is a text', "['user:{0}']"],
    ["{ dependsOn: 'a' }", call('cached', cache, fn, { ...key, dependsOn: 'a' }), 'dependsOn is a text'],
    ["{ parameters: 'id' }", call('cached', cache, fn, { ...key, parameters: 'id' }), "names such as ['id']"],
    ['{ tier: 5 }', call('cached', cache, fn, { ...key, tier: 5 }), 'tier is a number', "'user'"],
    ['{ ttl: 5 }', call('cached', cache, fn, { ...key, ttl: 5 }), 'milliseconds, as ttlMs'],
    [
      'invalidates(cache, fn)',
      call('invalidates', cache, fn),
      write,
      'targets is undefined',
      "'user::{0}::*'",
    ],
    ['invalidates(cache, fn, [])', call('invalidates', cache, fn, []), "'user::{0}::*'"],
    ['invalidates(cache, fn, [null])', call('invalidates', cache, fn, [null]), 'targets has null', '{ tag:'],
    [
      'invalidates(cache, fn, { tags })',
      call('invalidates', cache, fn, { tags: ['a'] }),
      'targets has an object',
      '{ tag:',
    ],
    ['invalidates(fn, cache)', call('invalidates', fn, cache, 'a::{0}'), write, 'The cache comes first'],
    ['invalidates(cache, promise)', call('invalidates', cache, running, 'a::{0}'), write, 'fn is a promise'],
  ]);

  describe('with one colon in a key, which would be a namespace for each value', () => {
    refuses([
      ['user:{0}', call('cached', cache, fn, { key: 'user:{0}' }), "write 'user::{0}'"],
      [
        'user:{0}:profile',
        call('cachedSync', cache, fn, { key: 'user:{0}:profile' }),
        "write 'user::{0}::profile'",
      ],
      [
        'user:{0}::profile',
        call('cached', cache, fn, { key: 'user:{0}::profile' }),
        "write 'user::{0}::profile'",
      ],
      ['{0}:profile', call('cached', cache, fn, { key: '{0}:profile' }), "write '{0}::profile'"],
      ['a prefix', call('cached', cache, fn, { keyPrefix: 'bot:{0}' }), "write 'bot::{0}"],
      ['a dependency', call('cached', cache, fn, { ...key, dependsOn: ['guild:{0}'] }), "write 'guild::{0}'"],
      ['a target', call('invalidates', cache, fn, 'user:{0}'), "write 'user::{0}'"],
      ['a pattern', call('invalidates', cache, fn, ['user:{0}:*']), "write 'user::{0}::*'"],
      ['a rule of the feed', call('watchTables', db, cache, { users: 'user:{id}' }), "write 'user::{"],
    ]);

    it.each([
      ['a tag', { key: 'user::{0}', tags: ['user:{0}'] }],
      ['a later segment', { key: 'query::page:{0}' }],
      ['a key without placeholders', { key: 'tag:rules' }],
      ['an address', { key: 'https://example.org/{0}' }],
    ])('takes one colon in %s', (_, options) => {
      expect(typed.cached(cache, fn, options).key('1')).toContain(
        '1'.repeat(options.key.includes('{') ? 1 : 0),
      );
    });

    it('in keys that are put together by hand, is told once when there are twenty', () => {
      const lines: string[] = [];
      const warn = (line: string) => void lines.push(line);
      const own = createCache({ logger: { ...silentLogger, warn } });
      for (let id = 0; id < 19; id++) own.set(`user:${id}`, id);
      own.set('tag:rules', 1);
      own.set('user::1', 1);
      expect(lines).toEqual([]);
      for (let id = 19; id < 100; id++) own.getOrLoadSync(`user:${id}`, () => id);
      expect(lines).toEqual([expect.stringContaining('Keys such as "user:…" have one colon')]);
      expect(lines[0]).toContain('write "user::…"');
      return own.stop();
    });

    it('takes one colon in a tag that is invalidated, and in a pattern without placeholders', () => {
      expect(typed.invalidates(cache, fn, [{ tag: 'user:{0}' }, 'products:*'])).toBeTypeOf('function');
    });
  });
});

describe('decorators', () => {
  const Plain = class {
    async read(id: string) {
      return id;
    }
  };
  refuses([
    [
      '@cachedMethod',
      call('cachedMethod', Plain.prototype.read, { kind: 'method', name: 'read' }),
      '@cachedMethod({ key:',
    ],
    ['@cachedMethod, the older kind', call('cachedMethod', Plain.prototype, 'read', {}), 'without a key'],
    ['@cachedMethod()', call('cachedMethod'), 'cachedMethod(options)', 'options is undefined', '{ key:'],
    ["@cachedMethod('user::{0}')", call('cachedMethod', 'user::{0}'), "{ key: 'user::{0}' }"],
    ['@cachedMethod({ key, cache })', call('cachedMethod', { ...key, cache }), '(self) => self.cache'],
    [
      'cachedSyncMethod(cache, fn)',
      call('cachedSyncMethod', cache, fn),
      'cachedSyncMethod(options)',
      'for functions',
    ],
    ['@invalidatesAfter()', call('invalidatesAfter'), 'invalidatesAfter(targets, options)', "'user::{0}::*'"],
    ['invalidatesAfter(cache, fn)', call('invalidatesAfter', cache, fn), 'invalidates(cache, fn, targets)'],
    [
      "@invalidatesAfter('a', 'b')",
      call('invalidatesAfter', 'a::{0}', 'b'),
      'an object of options, not a text',
    ],
    ['cachedMethodOf()', call('cachedMethodOf'), 'cachedMethodOf(instance, name)', 'instance is undefined'],
    [
      "cachedMethodOf(object, 'read')",
      call('cachedMethodOf', new Plain(), 'read'),
      'decorated with cachedMethod',
    ],
    ['keepWarm()', call('keepWarm'), 'keepWarm(instance)', 'instance is undefined'],
    ['keepWarm(Users)', call('keepWarm', Plain), 'keepWarm(new Users(cache))'],
  ]);
});

describe('databases', () => {
  const watch = 'watchTables(db, cache, rules)';
  refuses([
    ['watchTables()', call('watchTables'), watch, 'db is undefined'],
    [
      'watchTables(cache, db)',
      call('watchTables', cache, db, { users: 'user::{id}' }),
      watch,
      'The database comes first',
    ],
    ['watchTables(path)', call('watchTables', 'bot.sqlite', cache, {}), watch, "new Database('bot.sqlite')"],
    ['watchTables(db, cachecord)', call('watchTables', db, plugin, {}), watch, 'cachecord.cache'],
    [
      'watchTables(db, cache)',
      call('watchTables', db, cache),
      watch,
      'rules is undefined',
      "{ users: 'user::{id}::*' }",
    ],
    ["watchTables(db, cache, 'users')", call('watchTables', db, cache, 'users'), watch, 'rules is a text'],
    [
      "watchTables(db, cache, ['users'])",
      call('watchTables', db, cache, ['users']),
      watch,
      'rules is a list',
    ],
    [
      '{ pollInterval }',
      call('watchTables', db, cache, {}, { pollInterval: 5 }),
      'milliseconds, as pollIntervalMs',
    ],
    ['unwatchTables()', call('unwatchTables'), 'unwatchTables(db)', 'db is undefined'],
    ['unwatchTables(cache)', call('unwatchTables', cache), 'unwatchTables(db)', 'expected a database'],
    ['sqliteCache()', call('sqliteCache'), 'sqliteCache(db, cache)', 'db is undefined'],
    [
      'sqliteCache(cache, db)',
      call('sqliteCache', cache, db),
      'sqliteCache(db, cache)',
      'The database comes first',
    ],
    ['sqliteCache(db)', call('sqliteCache', db), 'cache is undefined', 'createCache()'],
    ['sqliteCache(db, cachecord)', call('sqliteCache', db, plugin), 'cachecord.cache'],
    ['{ feed: {} }', call('sqliteCache', db, cache, { feed: {} }), 'feed is an empty object', 'watchTables('],
  ]);
});

describe('write-behind', () => {
  refuses([
    ['createWriteBehind()', call('createWriteBehind'), 'createWriteBehind(db, cache)', 'db is undefined'],
    ['createWriteBehind(cache, db)', call('createWriteBehind', cache, db), 'The database comes first'],
    ['createWriteBehind(path, cache)', call('createWriteBehind', 'a.db', cache), 'Open it first'],
    ['createWriteBehind(db)', call('createWriteBehind', db), 'cache is undefined'],
    ['openJournal()', call('openJournal'), 'openJournal(path, open)', "'write-behind.db'"],
    ['openJournal(db)', call('openJournal', db), 'path is a Database'],
    ["openJournal('a.db')", call('openJournal', 'a.db'), 'open is undefined', '(file) => new Database(file)'],
    ['open gives nothing', call('openJournal', ':memory:', () => undefined), 'what open gives is undefined'],
    ['{ synchronous }', call('openJournal', ':memory:', open, { synchronous: 'on' }), "'normal' or 'full'"],
    ['applyOnce()', call('applyOnce'), 'applyOnce(db, apply)', 'db is undefined'],
    ['applyOnce(db)', call('applyOnce', db), 'apply is undefined', 'a function'],
    ['{ tabel }', call('applyOnce', db, fn, { tabel: 'x' }), 'did you mean table?'],
  ]);
});

describe('createCache and its tiers', () => {
  refuses([
    ['createCache(100)', call('createCache', 100), 'createCache takes an object of options, not a number'],
    ['{ maxSize: 100 }', call('createCache', { maxSize: 100 }), 'createCache', '"maxSize"', 'maxWeightBytes'],
    ['{ max: 100 }', call('createCache', { max: 100 }), '"max"', 'maxWeightBytes'],
    ['createCache(config)', call('createCache', config), 'loadConfig().cache'],
    ['{ tiers: {} }', call('createCache', { tiers: {} }), 'tiers is an empty object', 'defineTier()'],
    [
      "{ tiers: ['user'] }",
      call('createCache', { tiers: ['user'] }),
      'tiers[0] is a text',
      "defineTier('name'",
    ],
    ["{ disk: 'cache.db' }", call('createCache', { disk: 'cache.db' }), "{ path: 'cache.db' }"],
    ['{ disk: {} }', call('createCache', { disk: {} }), 'disk.path is undefined', "'cache.db'"],
    [
      '{ clock: systemClock }',
      call('createCache', { clock: systemClock }),
      'clock is a function',
      'systemClock()',
    ],
    ['{ logger: {} }', call('createCache', { logger: {} }), 'without debug, info, warn, error', 'console'],
    ["{ enabled: 'no' }", call('createCache', { enabled: 'no' }), 'enabled is a text', 'true or false'],
    ['{ random: 1 }', call('createCache', { random: 1 }), 'random is a number', 'a function'],
    ['defineTier()', call('defineTier'), 'defineTier(name, definition)', 'name is undefined'],
    ["defineTier('x', 5)", call('defineTier', 'x', 5), 'definition is a number', '{ ttlMs: 300_000 }'],
    ["defineTier('x', { ttl: 5 })", call('defineTier', 'x', { ttl: 5 }), 'milliseconds, as ttlMs'],
    ["defineTier('x', {})", call('defineTier', 'x', {}), 'ttlMs', 'milliseconds'],
    [
      "{ namespaces: 'x' }",
      call('defineTier', 'x', { ttlMs: 5, namespaces: 'x' }),
      'namespaces is a text',
      "['x']",
    ],
  ]);
});

describe('the methods of a cache', () => {
  refuses([
    ['get()', method(cache, 'get'), 'A key is text, not undefined'],
    ['set(1, 2)', method(cache, 'set', 1, 2), 'A key is text, not number'],
    ["set('a', 1, 5000)", method(cache, 'set', 'a', 1, 5_000), 'an object of options, not a number'],
    ["getOrLoad('a')", method(cache, 'getOrLoad', 'a'), 'getOrLoad(key, load)', 'load is undefined'],
    [
      "getOrLoad('a', promise)",
      method(cache, 'getOrLoad', 'a', running),
      'load is a promise',
      'getUser, not getUser(id)',
    ],
    [
      "getOrLoadSync('a', 5)",
      method(cache, 'getOrLoadSync', 'a', 5),
      'getOrLoadSync(key, load)',
      'load is a number',
    ],
    [
      "getOrLoadMany('a')",
      method(cache, 'getOrLoadMany', 'a', fn),
      'getOrLoadMany(keys, loadMissing)',
      'a list',
    ],
    ["getOrLoadMany(['a'])", method(cache, 'getOrLoadMany', ['a']), 'loadMissing is undefined'],
    ['getMany()', method(cache, 'getMany'), 'getMany(keys)', 'keys is undefined'],
    ['setMany({})', method(cache, 'setMany', { a: 1 }), 'setMany(entries)', 'entries is an object'],
    ["write('a', 1)", method(cache, 'write', 'a', 1), 'write(key, value, save)', 'save is undefined'],
    [
      "writeSync('a', 1)",
      method(cache, 'writeSync', 'a', 1),
      'writeSync(key, value, save)',
      'save is undefined',
    ],
    ["on('hits')", method(cache, 'on', 'hits', fn), 'there is no event "hits"', 'loaded'],
    ["on('loaded')", method(cache, 'on', 'loaded'), 'listener is undefined'],
    ['keys()', method(cache, 'keys'), 'keys(prefix, limit)', 'prefix is undefined'],
    ['invalidate([a])', method(cache, 'invalidate', ['a']), 'keys, patterns'],
  ]);
});

it('a loader of many that gives a list is told what to give', async () => {
  const error = await complaintOf(method(cache, 'getOrLoadMany', ['b'], () => [1]));
  expect(String(error)).toContain(
    'getOrLoadMany(keys, loadMissing): loadMissing gives a list, expected a Map',
  );
});

describe('the others', () => {
  refuses([
    ['cacheCommandData()', call('cacheCommandData'), 'cacheCommandData(config)', 'loadConfig()'],
    ['cacheCommandData(client)', call('cacheCommandData', client), 'config is a Client'],
    [
      "parseConfig('./config.json')",
      call('parseConfig', './config.json'),
      'parseConfig(value)',
      'loadConfig({ path:',
    ],
    ['parseConfig(config)', call('parseConfig', config), 'a configuration already'],
    ['parseConfig({}, null)', call('parseConfig', {}, null), 'env is null', 'process.env'],
    ['configNotices()', call('configNotices'), 'configNotices(config)', 'loadConfig()'],
    ['createWarmers()', call('createWarmers'), 'createWarmers'],
    ['createWarmers({})', call('createWarmers', {}), 'createWarmers(options)', 'tasks is undefined'],
    [
      'createWarmers({ tasks })',
      call('createWarmers', { tasks: [] }),
      'config is undefined',
      'loadConfig().warmers',
    ],
    [
      'createWarmers({ tasks, config })',
      call('createWarmers', { tasks: [], config: config.warmers }),
      'clock is undefined',
      'cache.clock',
    ],
    [
      'cacheResponse(fn, cache)',
      call('cacheResponse', fn, cache),
      'cacheResponse(cache, handler, options)',
      'comes first',
    ],
    ['cacheResponse(cache)', call('cacheResponse', cache), 'handler is undefined', 'a function'],
    [
      "key.user({ id: '1' }, 'profile')",
      method(typed.key, 'user', { id: '1' }, 'profile'),
      'not an object',
      'give its id',
    ],
    ["key.of('user', fn)", method(typed.key, 'of', 'user', fn), 'not a function'],
    ['escapeSegment({})', call('escapeSegment', {}), 'not an empty object', 'hashParameters'],
    ['hashParameters(fn)', call('hashParameters', fn), 'text, numbers, plain objects or lists'],
  ]);
});
