/** The packed package in each way that a bot loads it: required, imported, compiled to CommonJS, or put into one file. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textOf } from '../commands/spoken.ts';
import { startDiscord } from '../playground/discord-setup.ts';
import { HostFolder } from '../plugin/built-package.ts';
import { eventually, registered } from '../plugin/setup.ts';
import { PACK_MS, packedPackage } from '../support/packed-package.ts';

const root = resolve(import.meta.dirname, '../..');
const ENTRIES = [
  'cachecord',
  'cachecord/undici',
  'cachecord/hono',
  'cachecord/prometheus',
  'cachecord/sapphire/register',
];
/** A compiler or npm, on a machine that may be busy. */
const SLOW_MS = 60_000;

let host: HostFolder;
beforeAll(() => {
  host = new HostFolder();
}, PACK_MS);
afterAll(() => host.remove());

function node(args: readonly string[], cwd = host.path) {
  return spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
}

describe('the package', () => {
  it('is one copy, whether required or imported', () => {
    const file = host.write(
      'copies.mjs',
      `import { createRequire } from 'node:module';
       const require = createRequire(import.meta.url);
       for (const entry of ${JSON.stringify(ENTRIES.slice(0, 4))}) {
         const [required, imported] = [require(entry), await import(entry)];
         const names = Object.keys(required).sort();
         console.log(entry, names.length > 0 && names.join() === Object.keys(imported).sort().join());
         for (const name of names) if (required[name] !== imported[name]) console.log('two copies of', name);
       }`,
    );
    expect(node([file]).stdout).toBe(
      ENTRIES.slice(0, 4)
        .map((entry) => `${entry} true\n`)
        .join(''),
    );
  });

  it.each(ENTRIES)('%s is loaded where ES modules cannot be required, such as in Jest', (entry) => {
    const file = host.write('required.cjs', `require(${JSON.stringify(entry)}); console.log('loaded');`);
    const { stdout, stderr } = node(['--no-experimental-require-module', file]);
    expect(stdout, stderr).toBe('loaded\n');
  });

  it.each(ENTRIES)('%s tells a Node that is too old so, in one line', (entry) => {
    host.write('old.cjs', `Object.defineProperty(process.versions, 'node', { value: '20.20.2' });`);
    const required = host.write('too-old.cjs', `require(${JSON.stringify(entry)});`);
    const imported = host.write('too-old.mjs', `import ${JSON.stringify(entry)};`);
    for (const file of [required, imported]) {
      const { stderr, status } = node(['--require', join(host.path, 'old.cjs'), file]);
      expect(status).toBe(1);
      expect(stderr).toContain(
        'Cachecord needs Node 22.19 or newer, and this is 20.20.2: install it from https://nodejs.org.',
      );
      expect(stderr).not.toMatch(/^ +at /m);
    }
  });

  it('passes publint and attw', { timeout: SLOW_MS }, () => {
    const { tarball } = packedPackage();
    for (const [tool, ...args] of [
      ['publint/src/cli.js', tarball, '--strict'],
      ['@arethetypeswrong/cli/dist/index.js', tarball, '--format', 'ascii'],
    ] as const) {
      const { status, stdout, stderr } = node([join(root, 'node_modules', tool), ...args]);
      expect(status, stdout + stderr).toBe(0);
    }
  });

  it('has what its README links to and shows', () => {
    const { folder } = packedPackage();
    const links = [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/\]\(([^)]+)\)/g)];
    const files = links
      .map(([, link = '']) => link.split('#')[0] ?? '')
      .filter((link) => !/^(?:https?:|$)/.test(link));
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  });

  it('has every picture and page that its docs link to', () => {
    const docs = join(packedPackage().folder, 'docs');
    const missing = readdirSync(docs, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .flatMap((file) =>
        [...readFileSync(join(docs, file), 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g)]
          .map(([, link = '']) => link)
          // The sources and the tests are in the repository alone.
          .filter((link) => !/^(?:https?:|\.\.\/(?:src|test|bench)\b)/.test(link))
          .filter((link) => !existsSync(join(docs, dirname(file), link)))
          .map((link) => `${file}: ${link}`),
      );
    expect(missing).toEqual([]);
  });

  it('is packed without a change to the checkout', { timeout: SLOW_MS }, () => {
    const status = () => execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
    const before = status();
    const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`;
    execFileSync('npm', ['pack', '--pack-destination', host.path], {
      cwd: root,
      stdio: 'pipe',
      env: { ...process.env, PATH: path },
    });
    expect(status()).toBe(before);
  });
});

/** In sloppy mode, and it changes the rows that it reads: as most bots in JavaScript are written. */
const SLOPPY_BOT = `
const { Client } = require('discord.js');
const { createCachecord, cachedSync, invalidates, parseConfig } = require('cachecord');
const rows = new Map([['1', { id: '1', coins: 50 }]]);
client = new Client({ intents: ['Guilds'] });
const config = parseConfig({ admin: { guild_ids: [process.env.ADMIN_GUILD_ID] } });
const cachecord = createCachecord(client, { config });
getUser = cachedSync(cachecord.cache, (id, size = 10) => ({ ...rows.get(id), size }), { key: 'user::{0}::{1}', parameters: 2 });
saveUser = invalidates(cachecord.cache, (id, user) => rows.set(id, user), 'user::{0}::*');
saveUser('1', { ...getUser('1'), coins: 100 });
console.log('coins', getUser('1').coins);
cachecord.start().then(() => client.login(process.env.DISCORD_TOKEN));
process.once('SIGTERM', () => cachecord.stop().then(() => client.destroy()));
`;

/** Compiled with \`module: commonjs\` and \`moduleResolution: node\`, as most bots in TypeScript are. */
const TYPESCRIPT_BOT = `
import { Client } from 'discord.js';
import { cachedSync, createCachecord, invalidates, parseConfig } from 'cachecord';
const rows = new Map([['1', { id: '1', coins: 50 }]]);
const client = new Client({ intents: ['Guilds'] });
const config = parseConfig({ admin: { guild_ids: [process.env.ADMIN_GUILD_ID] } });
const cachecord = createCachecord(client, { config });
const getUser = cachedSync(cachecord.cache, (id: string, size = 10) => ({ coins: rows.get(id)?.coins, size }), { key: 'user::{0}::{1}', parameters: 2 });
const saveUser = invalidates(cachecord.cache, (id: string, coins = 100) => rows.set(id, { id, coins }), 'user::{0}::*');
getUser('1');
saveUser('1');
console.log('coins', getUser('1').coins);
void cachecord.start().then(() => client.login(process.env.DISCORD_TOKEN));
process.once('SIGTERM', () => void cachecord.stop().then(() => client.destroy()));
`;

describe.each(['a sloppy bot in CommonJS', 'a bot in TypeScript that compiles to CommonJS'])('%s', (kind) => {
  it('has its rows cached, answers the admin, and ends', { timeout: SLOW_MS }, async () => {
    let script: string;
    if (kind.includes('TypeScript')) {
      const source = host.write('typescript-bot/bot.ts', TYPESCRIPT_BOT);
      const compiler = join(root, 'node_modules/typescript-5.9/bin/tsc');
      const options = [
        '--module',
        'commonjs',
        '--moduleResolution',
        'node',
        '--target',
        'es2022',
        '--strict',
      ];
      const { stdout } = node([compiler, ...options, '--skipLibCheck', '--types', 'node', source]);
      expect(stdout).toBe('');
      script = source.replace('.ts', '.js');
    } else script = host.write('sloppy-bot/bot.js', SLOPPY_BOT);
    const local = await startDiscord();
    const bot = host.start(dirname(script), script, {
      LOCAL_DISCORD: local.apiUrl,
      DISCORD_TOKEN: local.token,
      ADMIN_GUILD_ID: local.world.home.id,
    });
    await eventually(() => expect(local.isBotOnline, bot.output()).toBe(true));
    expect(bot.output()).toContain('coins 100');
    await registered(local, [local.world.home.id]);
    const { people, channels } = local.world;
    const reply = await (await local.as(people.ada.id).run(channels.ops, 'cache-stats')).reply();
    await eventually(() => expect(textOf(local.message(reply.id))).toContain('Entries'));
    bot.child.kill('SIGTERM');
    expect(await bot.ended, bot.output()).toBe(0);
  });
});

/** Keeps an entry on disk, and tells what became of it. */
const BUNDLED_BOT = `
import { createCache, cachedSync, createCachecord, parseConfig } from 'cachecord';
import { Client } from 'discord.js';
const said = [];
const note = (text, fields) => void said.push(text + ' ' + (fields?.error ?? ''));
const logger = { debug() {}, info() {}, warn: note, error: note };
const cache = createCache({ logger, disk: { path: 'cache.db' } });
const plugin = createCachecord(new Client({ intents: [] }), { config: parseConfig({}), cache, logger });
const read = cachedSync(cache, (id) => ({ id }), { key: 'config::{0}', persist: 'on_change' });
read('1'); read('1');
const { disk, total } = cache.stats();
console.log(JSON.stringify({ hits: total.hits, stored: disk?.entries, commands: plugin.commands.length, said }));
cache.stop().then(() => process.exit(0));
`;
const EXTERNAL = ['better-sqlite3', 'discord.js'];

describe('a bot in one file', () => {
  const runs = (file: string) => {
    rmSync(join(host.path, 'cache.db'), { force: true });
    const { stdout, stderr } = node([file]);
    expect(stdout, stderr).not.toBe('');
    expect(JSON.parse(stdout)).toEqual({ hits: 1, stored: 1, commands: 4, said: [] });
  };

  it.each(['cjs', 'esm'] as const)('that esbuild made, as %s, keeps entries on disk', async (format) => {
    const outfile = join(host.path, format === 'cjs' ? 'esbuild.cjs' : 'esbuild.mjs');
    const entry = host.write('bundled.js', BUNDLED_BOT);
    const banner = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
    await build({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format,
      outfile,
      external: EXTERNAL,
      logLevel: 'error',
      // As esbuild's users give it to bundles of ES modules with CommonJS in them, such as discord.js.
      ...(format === 'esm' && { banner: { js: banner } }),
    });
    runs(outfile);
  });

  it('that rolldown made keeps entries on disk', async () => {
    const bundle = await rolldown({
      input: host.write('bundled.js', BUNDLED_BOT),
      platform: 'node',
      external: EXTERNAL,
      logLevel: 'silent',
    });
    const file = join(host.path, 'rolldown.cjs');
    await bundle.write({ file, format: 'cjs' });
    await bundle.close();
    runs(file);
  });

  it('says what is wrong with better-sqlite3, and where it was looked for', async () => {
    const folder = join(packedPackage().folder, '..', 'alone');
    const outfile = join(folder, 'bundle.cjs');
    await build({
      stdin: {
        contents: `import { createCache } from 'cachecord'; createCache({ disk: { path: 'cache.db' } });`,
        resolveDir: host.path,
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile,
      logLevel: 'error',
    });
    const said = () => node([outfile], folder).stderr;
    expect(said()).toContain(
      `A cache on disk needs better-sqlite3, which is not installed where ${outfile} would find it: npm install better-sqlite3`,
    );
    const installed = join(folder, 'node_modules/better-sqlite3');
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, 'package.json'), '{ "version": "8.7.0", "main": "index.js" }');
    expect(said()).toContain(
      'better-sqlite3, which is 8.7.0, and must be 9.6 or newer: npm install better-sqlite3',
    );
    writeFileSync(join(installed, 'package.json'), '{ "version": "9.6.0", "main": "index.js" }');
    const unbuilt = `module.exports = function Database() { throw new Error('Could not locate the bindings file. Tried:'); };`;
    writeFileSync(join(installed, 'index.js'), unbuilt);
    expect(said()).toContain('was not built for this Node: npm rebuild better-sqlite3');
  });
});
