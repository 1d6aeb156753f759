/**
 * The package's types in the projects that bots have: each compiler and each way of modules, every declaration checked
 * (`skipLibCheck: false`). A host has discord.js; what else is optional is there only where it is used.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { PACK_MS, packedPackage } from '../support/packed-package.ts';

/** A compiler reads the types of discord.js, on a machine that may be busy. */
const COMPILER_MS = 120_000;
const root = resolve(import.meta.dirname, '../..');
const folders: string[] = [];

beforeAll(() => void packedPackage(), PACK_MS);
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}, COMPILER_MS);

/** A host that has installed discord.js, its compiler's types for Node, and `more`. */
function hostWith(more: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-types-'));
  folders.push(folder);
  for (const name of ['discord.js', 'discord-api-types', 'zod', '@types/node', 'undici-types', ...more]) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link);
  }
  cpSync(packedPackage().folder, join(folder, 'node_modules/cachecord'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "name": "host", "private": true }');
  return folder;
}

/** What a compiler has against the host's files or the package's; discord.js's own declarations are not ours. */
function problems(folder: string, compiler: string, compilerOptions: object, files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const config = {
    compilerOptions: {
      target: 'es2022',
      lib: ['es2022'],
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      ...compilerOptions,
    },
    files: Object.keys(files),
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(root, 'node_modules', compiler, 'bin/tsc');
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    encoding: 'utf8',
    cwd: folder,
  });
  const said = stdout.split('\n').filter((line) => /error TS/.test(line));
  if (status !== 0 && said.length === 0) return [stdout];
  return said.filter((line) => !/node_modules\/(?!cachecord\/)/.test(line));
}

const BOT = `
import { Client, Collection, type ChatInputCommandInteraction, type Interaction, REST, Routes } from 'discord.js';
import {
  type Cache, CacheError, type Cachecord, cacheCommandData, cached, cachedMethod, cachedMethodOf, cachedSync,
  cachedSyncMethod, createCache, createCachecord, defineTier, type HostCommand, invalidates, invalidatesAfter, key,
  parseConfig, type WarmTask,
} from 'cachecord';

const client = new Client({ intents: [] });
const config = parseConfig({});
const cache: Cache = createCache({ tiers: [defineTier('api', { ttlMs: 5_000 })] });
const warmTasks: WarmTask[] = [{ name: 'Rules', scope: 'reference', jobs: () => [getUser.warm('1')] }];
export const plugin: Cachecord = createCachecord(client, { config, cache, warmTasks });
client.on('interactionCreate', async (interaction: Interaction) => void (await plugin.handle(interaction)));
void new REST().put(Routes.applicationCommands('1'), { body: cacheCommandData(config) });

interface Command {
  data: { name: string; toJSON(): unknown };
  execute(interaction: ChatInputCommandInteraction): Promise<void>;
}
const commands = new Collection<string, Command>();
for (const command of plugin.commands) commands.set(command.data.name, command);
export const names: string[] = plugin.commands.map((command: HostCommand) => command.data.name);

const getUser = cached(cache, async (id: string) => ({ id, coins: 1 as number | null }), { key: 'user::{0}::profile' });
export const user: Promise<{ readonly id: string; readonly coins: number | null }> = getUser('1');
const top = cachedSync(cache, (id: string, size = 10) => [id, size], { key: 'query::{0}::{1}', parameters: 2 });
export const rows: readonly (string | number)[] = top('1');
const pay = invalidates(cache, (id: string, cents = 5) => cents > 0 && id !== '', 'user::{0}::*');
export const paid: boolean = pay('1');
export const text: string = key.user('1', 'profile');
export class Users {
  cache: Cache = cache;
  @cachedMethod({ key: 'user::{0}::profile' })
  async profile(id: string, size = 10): Promise<{ id: string; size: number }> { return { id, size }; }
  @cachedSyncMethod({ key: (id: string) => 'user::' + id })
  name(id: string): string { return id; }
  @invalidatesAfter('user::{0}::*')
  rename(id: string, name: string): boolean { return id !== name; }
}
export const fresh: Promise<{ id: string }> = cachedMethodOf(new Users(), 'profile').fresh('1');
export const code: string = new CacheError('ERR_CLOSED', 'closed').code;
// @ts-expect-error a wrong argument
getUser(1);
// @ts-expect-error no client
createCachecord({}, { config });
// @ts-expect-error an option in seconds
void cache.getOrLoad('user::1::x', () => 1, { ttl: 5 });
`;

const PARTS = `
import { cacheMetrics } from 'cachecord/prometheus';
import { cachingAgent, type CachingAgentOptions } from 'cachecord/undici';
import { cacheResponse } from 'cachecord/hono';
import { createCache } from 'cachecord';
import { Registry } from 'prom-client';
import { request } from 'undici';

const cache = createCache();
const options: CachingAgentOptions = { maxTtlMs: 60_000 };
export const answer = request('http://localhost/', { dispatcher: cachingAgent(cache, options) });
export const metrics = cacheMetrics(cache, new Registry());
export const middleware = cacheResponse(cache, { keyPrefix: 'status' });
`;

const HONO = `
import { Hono } from 'hono';
import { createCache } from 'cachecord';
import { cacheResponse } from 'cachecord/hono';
export const app = new Hono().get('/status', cacheResponse(createCache(), { keyPrefix: 'status' }), (c) => c.json(1));
`;

const SAPPHIRE = `
import 'cachecord/sapphire/register';
import { container, SapphireClient } from '@sapphire/framework';
import { parseConfig } from 'cachecord';
export const client = new SapphireClient({ intents: [], cachecord: { config: parseConfig({}) } });
export const names: string[] = container.cachecord.commands.map((command) => command.data.name);
export const entries: number = container.cache.stats().total.entries;
`;

const OLD = ['typescript-5.4', 'typescript-5.9'];
const ALL = [...OLD, 'typescript'];
const both = (name: string, text: string) => ({ [`${name}.cts`]: text, [`${name}.mts`]: text });
const PROJECTS: [
  name: string,
  compilers: string[],
  options: object,
  files: (text: string) => Record<string, string>,
][] = [
  [
    'CommonJS, with moduleResolution node and experimentalDecorators',
    OLD,
    { module: 'commonjs', moduleResolution: 'node', experimentalDecorators: true },
    (text) => ({ 'bot.ts': text }),
  ],
  [
    'CommonJS, for a bundler',
    ['typescript'],
    { module: 'commonjs', moduleResolution: 'bundler' },
    (text) => ({ 'bot.ts': text }),
  ],
  [
    'CommonJS and ES modules in node16',
    ALL,
    { module: 'node16', moduleResolution: 'node16' },
    (text) => both('bot', text),
  ],
  [
    'CommonJS and ES modules in nodenext',
    ALL,
    { module: 'nodenext', moduleResolution: 'nodenext' },
    (text) => both('bot', text),
  ],
  [
    'ES modules for a bundler',
    ALL,
    { module: 'esnext', moduleResolution: 'bundler' },
    (text) => ({ 'bot.ts': text }),
  ],
];
const MATRIX = PROJECTS.flatMap(([name, compilers, options, files]) =>
  compilers.map((compiler) => ({ name, compiler, options, files })),
);

it.each(MATRIX)(
  'fit a bot with discord.js alone: $name ($compiler)',
  { timeout: COMPILER_MS },
  ({ compiler, options, files }) => {
    expect(problems(hostWith([]), compiler, options, files(BOT))).toEqual([]);
  },
);

/** The oldest compiler with the oldest way of modules, and the newer ones with the newest. */
const OF_PARTS = MATRIX.filter(({ name, compiler }) =>
  compiler === 'typescript-5.4' ? /node and exp/.test(name) : /nodenext/.test(name),
);

it.each(OF_PARTS)(
  'fit a host with the optional peers: $name ($compiler)',
  { timeout: COMPILER_MS },
  ({ compiler, options, files }) => {
    const host = hostWith([
      'prom-client',
      'undici',
      '@sapphire/framework',
      '@sapphire/pieces',
      '@opentelemetry/api',
    ]);
    const sapphire = Object.entries(files(SAPPHIRE)).map(([name, text]) => [
      name.replace('bot', 'sapphire'),
      text,
    ]);
    const all = { ...files(PARTS), ...Object.fromEntries(sapphire) };
    expect(problems(host, compiler, options, all)).toEqual([]);
  },
);

it.each(['typescript-5.4', 'typescript'])(
  'make a middleware of Hono (%s)',
  { timeout: COMPILER_MS },
  (compiler) => {
    const options = {
      module: 'nodenext',
      moduleResolution: 'nodenext',
      lib: ['es2022', 'dom', 'dom.iterable'],
    };
    expect(problems(hostWith(['hono']), compiler, options, { 'api.mts': HONO })).toEqual([]);
  },
);
