/** The recipes of docs/recipes.md, run as they stand there, with the libraries themselves where they need no server. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import Database from 'better-sqlite3';
import { Decimal } from 'decimal.js';
import Keyv from 'keyv';
import mongoose from 'mongoose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cache, type CacheOptions, createCache, parseConfig, silentLogger } from '../../src/index.ts';
import { fakePrisma } from '../support/fake-prisma.ts';
import { keepCollectionInMemory } from '../support/mongo-in-memory.ts';
import { runBlock, scriptsUnder } from './code-blocks.ts';

const PAGE = 'docs/recipes.md';

const caches: Cache[] = [];
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.stop();
});

/** The cache that `cache.js` makes, with a switch. */
function cacheOf(enabled: boolean, options: CacheOptions = {}): Cache {
  const cache = createCache({ ...options, enabled, logger: silentLogger });
  caches.push(cache);
  return cache;
}

/** Runs the `database.js` of a recipe. */
function database<T>(heading: string, cache: Cache, modules: Readonly<Record<string, unknown>> = {}): T {
  const block = scriptsUnder(PAGE, heading).find(({ code }) => code.startsWith('// database.js'));
  if (block === undefined) throw new Error(`There is no database.js under "${heading}".`);
  return runBlock(block, { modules: { './cache.js': { cache }, ...modules } }) as T;
}

/** How many lookups were hits: with the cache on there are some, with it off there are none. */
function hits(cache: Cache): number {
  return cache.stats().total.hits;
}

/** The file functions of a bot that runs in `folder`. */
function inFolder(folder: string): object {
  return {
    readFileSync: (file: string) => readFileSync(join(folder, file), 'utf8'),
    writeFileSync: (file: string, text: string) => writeFileSync(join(folder, file), text),
    renameSync: (from: string, to: string) => renameSync(join(folder, from), join(folder, to)),
  };
}

it('makes the cache of all recipes from the configuration', async () => {
  const [block] = scriptsUnder(PAGE, 'Recipes');
  if (block === undefined) throw new Error('The page begins with cache.js.');
  const cachecord = { createCache, loadConfig: () => parseConfig({}) };
  const { cache } = runBlock(block, { modules: { cachecord } }) as { cache: Cache };
  caches.push(cache);
  expect(cache.tiers.map(({ tier }) => tier)).toEqual(expect.arrayContaining(['user', 'config']));
});

describe.each([
  ['on', true],
  ['off', false],
])('with the cache %s', (_, enabled) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cachecord-recipe-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('Prisma: rows with Decimals are kept, and every write of the model is seen', async () => {
    const client = fakePrisma({ item: [{ id: 1, name: 'Sword', price: new Decimal('9.99') }] });
    const modules = { '@prisma/client': client };
    const [cacheBlock] = scriptsUnder(PAGE, 'Prisma');
    if (cacheBlock === undefined) throw new Error('The recipe begins with cache.js.');
    const { cache: made } = runBlock(cacheBlock, {
      modules: {
        ...modules,
        cachecord: {
          createCache: (options: CacheOptions) => cacheOf(enabled, options),
          loadConfig: () => parseConfig({}),
        },
      },
    }) as { cache: Cache };
    interface Item {
      price: Decimal;
    }
    const { getItem, setPrice, prisma } = database<{
      getItem(id: number): Promise<Item>;
      setPrice(id: number, price: Decimal): Promise<unknown>;
      prisma: { item: { updateMany(args: object): Promise<unknown> } };
    }>('Prisma', made, modules);
    expect(String((await getItem(1)).price.times(2))).toBe('19.98');
    expect((await getItem(1)).price).toBeInstanceOf(Decimal);
    await setPrice(1, new Decimal('0.1').plus('0.2'));
    expect(String((await getItem(1)).price)).toBe('0.3');
    await prisma.item.updateMany({ data: { price: new Decimal(5) } });
    expect(String((await getItem(1)).price)).toBe('5');
    expect(hits(made)).toBe(enabled ? 1 : 0);
  });

  it('Drizzle: the change feed sees what Drizzle writes', () => {
    const cache = cacheOf(enabled);
    // The same library, on a file of this test.
    const file = join(folder, 'bot.sqlite');
    const modules = {
      'better-sqlite3': function Opened() {
        return new Database(file);
      },
    };
    const { getUser, addCoins, stop } = database<{
      getUser(id: string): { id: string; coins: number } | undefined;
      addCoins(id: string, coins: number): void;
      stop(): void;
    }>('Drizzle', cache, modules);
    expect(getUser('1')).toBeUndefined();
    addCoins('1', 10);
    expect([getUser('1'), getUser('1')]).toEqual(Array(2).fill({ id: '1', coins: 10 }));
    addCoins('1', 5);
    expect(getUser('1')?.coins).toBe(15);
    expect(hits(cache)).toBe(enabled ? 1 : 0);
    stop();
  });

  it('mongoose: lean rows are kept', async () => {
    const cache = cacheOf(enabled);
    mongoose.set({ autoCreate: false, autoIndex: false });
    const { Profile, getProfile, addCoins } = database<{
      Profile: Parameters<typeof keepCollectionInMemory>[0];
      getProfile(id: string): Promise<{ userId: string; coins: number } | null>;
      addCoins(id: string, coins: number): Promise<unknown>;
    }>('mongoose', cache);
    keepCollectionInMemory(Profile);
    expect(await getProfile('1')).toBeNull();
    await addCoins('1', 10);
    expect([await getProfile('1'), await getProfile('1')]).toMatchObject(
      Array(2).fill({ userId: '1', coins: 10 }),
    );
    await addCoins('1', 5);
    expect((await getProfile('1'))?.coins).toBe(15);
    expect(hits(cache)).toBe(enabled ? 1 : 0);
    mongoose.deleteModel('Profile');
  });

  it('Keyv: each caller may change what it got', async () => {
    const cache = cacheOf(enabled);
    const { getSettings, saveSettings } = database<{
      getSettings(guildId: string): Promise<{ prefix: string }>;
      saveSettings(guildId: string, value: object): Promise<boolean>;
    }>('Keyv', cache, { keyv: { Keyv } });
    const settings = await getSettings('7');
    settings.prefix = '?';
    expect((await getSettings('7')).prefix).toBe('!');
    await saveSettings('7', settings);
    expect((await getSettings('7')).prefix).toBe('?');
  });

  it('JSON files: a changed list of people is saved', () => {
    const cache = cacheOf(enabled);
    const { getUsers, saveUsers } = database<{
      getUsers(): Record<string, { coins: number }>;
      saveUsers(users: object): void;
    }>('JSON files', cache, { 'node:fs': inFolder(folder) });
    const users = getUsers();
    users['1'] = { coins: 50 };
    expect(getUsers()).toEqual({});
    saveUsers(users);
    const again = getUsers();
    if (again['1'] !== undefined) again['1'].coins += 1;
    expect(getUsers()).toEqual({ '1': { coins: 50 } });
    saveUsers(again);
    expect(getUsers()).toEqual({ '1': { coins: 51 } });
  });
});

describe('on Postgres', () => {
  let postgres: PGlite;
  let server: PGLiteSocketServer;
  beforeAll(async () => {
    postgres = await PGlite.create();
    server = new PGLiteSocketServer({ db: postgres, port: 0, host: '127.0.0.1', maxConnections: 10 });
    await server.start();
    vi.stubEnv('DATABASE_URL', `postgres://postgres@${server.getServerConn()}/postgres`);
  }, 120_000); // a new database takes some seconds, and more on a busy machine
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server.stop();
    await postgres.close();
  });
  beforeEach(async () => {
    await postgres.exec(
      'DROP TABLE IF EXISTS users; CREATE TABLE users (id TEXT PRIMARY KEY, coins INTEGER)',
    );
  });

  interface Users {
    getUser(id: string): Promise<{ id: string; coins: number } | null>;
    addCoins(id: string, coins: number): Promise<void>;
  }

  /** What a bot does, with the same outcome whether the cache is on or off. */
  async function drive({ getUser, addCoins }: Users, cache: Cache): Promise<void> {
    expect(await getUser('1')).toBeNull();
    await addCoins('1', 10);
    expect([await getUser('1'), await getUser('1')]).toEqual(Array(2).fill({ id: '1', coins: 10 }));
    await addCoins('1', 5);
    expect((await getUser('1'))?.coins).toBe(15);
    expect(hits(cache)).toBe(cache.enabled ? 1 : 0);
  }

  it.each([true, false])('pg: what a query gives is kept (cache.enabled: %s)', async (enabled) => {
    const cache = cacheOf(enabled);
    const users = database<Users & { pool: { end(): Promise<void> } }>('Postgres', cache);
    await drive(users, cache);
    await users.pool.end();
  });

  it.each([true, false])('Sequelize: raw rows are kept (cache.enabled: %s)', async (enabled) => {
    const cache = cacheOf(enabled);
    const users = database<
      Users & { sequelize: { sync(options: object): Promise<unknown>; close(): Promise<void> } }
    >('Sequelize', cache);
    await users.sequelize.sync({ force: true });
    await drive(users, cache);
    await users.sequelize.close();
  });
});
