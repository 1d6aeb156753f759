/** The fixture holds decorator syntax, which Node cannot run: it is compiled in both modes, as a bot's author would. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { cachedMethodOf } from '../../src/cache/wrappers/decorators.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

interface Users {
  loads: number;
  names: Map<string, string>;
  profile(id: string): Promise<{ id: string; name: string | undefined }>;
  name(id: string, locale?: string): string | undefined;
  shout(id: string): Promise<string | undefined>;
  age(id: string): Promise<number>;
  keyOf(id: string): string | undefined;
  rename(id: string, name: string): Promise<string>;
  renameNow(id: string, name: string): string;
}
/** What the fixture exports. */
interface Fixture {
  Users: (new (cache: Cache) => Users) & { cache?: Cache; count(): number };
  Elsewhere: new (cache: Cache) => { setting(name: string): string };
  mistakes: Record<'position' | 'target' | 'context' | 'option', () => unknown>;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Compiles the fixture as a bot's author would, with type checks, and loads it. */
async function compile(mode: 'standard' | 'legacy'): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'decorators-'));
  folders.push(folder);
  const source = readFileSync(join(root, 'test/cache/fixtures/decorated-class.ts.txt'), 'utf8');
  writeFileSync(join(folder, 'fixture.ts'), source.replaceAll('@@', relative(folder, root)));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const compilerOptions = {
    ...JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions,
    experimentalDecorators: mode === 'legacy',
    noEmit: true,
    rewriteRelativeImportExtensions: false,
    noUnusedLocals: false,
  };
  const project = join(folder, 'tsconfig.json');
  const tsc = (options: object) => {
    writeFileSync(
      project,
      JSON.stringify({ compilerOptions: { ...compilerOptions, ...options }, files: ['fixture.ts'] }),
    );
    try {
      execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], { encoding: 'utf8' });
    } catch (error) {
      throw new Error(String(Reflect.get(Object(error), 'stdout')), { cause: error });
    }
  };
  tsc({});
  // The fixture alone is emitted; what it imports is the very code under test.
  tsc({
    noEmit: false,
    noCheck: true,
    noResolve: true,
    allowImportingTsExtensions: true,
    outDir: folder,
    rewriteRelativeImportExtensions: true,
  });
  const emitted = join(folder, 'fixture.js');
  writeFileSync(
    emitted,
    readFileSync(emitted, 'utf8')
      .replaceAll(/from '(.*)\.js';/g, "from '$1.ts';")
      .replaceAll(/from "(.*)\.js";/g, 'from "$1.ts";'),
  );
  return import(pathToFileURL(emitted).href);
}

describe.each(['standard', 'legacy'] as const)('%s decorators', (mode) => {
  let fixture: Fixture;
  let cache: Cache;
  let users: Users;
  beforeAll(async () => {
    fixture = await compile(mode);
  }, 60_000);
  beforeEach(() => {
    const policy = { description: '', ttlMs: 60_000, negativeTtlMs: 60_000, jitterRatio: 0 };
    cache = createCache({
      maxWeightBytes: 1e7,
      tiers: [
        { tier: 'user', label: 'User', namespaces: ['user'], ...policy },
        { tier: 'query', label: 'Query', namespaces: [], ...policy },
      ],
      cleanupIntervalMs: 60_000,
      clock: handClock(),
      logger: silentLogger,
    });
    users = new fixture.Users(cache);
  });
  afterEach(() => cache.stop());

  it('cache an asynchronous method in the cache of its object', async () => {
    expect([await users.profile('1'), await users.profile('1')]).toEqual([
      { id: '1', name: 'Ada' },
      { id: '1', name: 'Ada' },
    ]);
    expect([users.loads, cache.inspect('user::1::profile')?.tags]).toEqual([1, ['users']]);
  });

  it('cache a synchronous method, which stays synchronous', () => {
    expect([users.name('1'), users.name('1'), users.name('2'), users.loads]).toEqual(['Ada', 'Ada', 'Bo', 2]);
  });

  it('make keys from a prefix, the arguments and the name of the method', async () => {
    await users.shout('1');
    expect(cache.has('user::1::shout')).toBe(true);
  });

  it('I7: invalidate after success only, asynchronous or not', async () => {
    await users.profile('1');
    await expect(users.rename('1', '')).rejects.toThrow('no name');
    expect(cache.has('user::1::profile')).toBe(true);
    expect(await users.rename('1', 'Eve')).toBe('Eve');
    expect((await users.profile('1')).name).toBe('Eve');
    expect(users.renameNow('1', 'Zoe')).toBe('Zoe');
    expect((await users.profile('1')).name).toBe('Zoe');
  });

  it('find the cache through a selector, and on a class for its static methods', () => {
    expect(new fixture.Elsewhere(cache).setting('a')).toBe('A');
    expect(cache.get('config::a')).toBe('A');
    fixture.Users.cache = cache;
    expect([fixture.Users.count(), cache.get('user::count')]).toEqual([2, 2]);
  });

  it('say so when the object has no cache', async () => {
    const homeless = Object.create(fixture.Users.prototype) as Users;
    await expect(async () => homeless.profile('1')).rejects.toThrow(/property "cache"/);
  });

  it('give each method its controls', async () => {
    const profile = cachedMethodOf(users, 'profile');
    expect(profile.key('1')).toBe('user::1::profile');
    await users.profile('1');
    users.names.set('1', 'Eve');
    expect((await profile.fresh('1')).name).toBe('Eve');
    expect((await users.profile('1')).name).toBe('Eve');
    expect(profile.invalidate('1').entries).toBe(1);
    expect(profile.warm('1').isFresh()).toBe(false);
    await profile.warm('1').run();
    expect(cache.has('user::1::profile')).toBe(true);
    expect(() => cachedMethodOf(users, 'rename')).toThrow(/no method decorated with cachedMethod/);
  });

  it('hand the context of the load to a method that asks for it, as its last argument and no part of the key', async () => {
    expect([await users.age('1'), await users.age('1')]).toEqual([1, 1]);
    expect(cache.inspect('user::1::age')?.tags).toEqual(['aged:1']);
    expect(users.keyOf('1')).toBe('user::1::keyOf');
    expect([users.age.length, users.keyOf.length]).toEqual([1, 1]);
  });

  it('keep the name and the length of the method', () => {
    expect([users.profile.name, users.profile.length, users.rename.name, users.rename.length]).toEqual([
      'profile',
      1,
      'rename',
      2,
    ]);
  });

  it('fail when the class is defined, for what names no parameter or is no option', () => {
    expect(fixture.mistakes.position).toThrow(/names parameter 2/);
    expect(fixture.mistakes.context).toThrow(/names parameter 2/);
    expect(fixture.mistakes.target).toThrow(/JavaScript does not keep the names/);
    expect(fixture.mistakes.option).toThrow(/no option "tl"/);
  });
});
