/**
 * The packed package, installed by npm into hosts that have a lock file: nothing that a host has is moved, at either end
 * of each range of the peers, and what is installed works. It reaches npm's registry, or its cache.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACK_MS, packedPackage } from '../support/packed-package.ts';

const run = promisify(execFile);
/** Two installations, on a machine that may be busy. */
const INSTALL_MS = 120_000;

type Lock = Readonly<Record<string, string>>;

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
}, INSTALL_MS);

class InstalledHost {
  readonly path = mkdtempSync(join(tmpdir(), 'cachecord-peers-'));

  constructor(dependencies: Readonly<Record<string, string>>) {
    folders.push(this.path);
    this.write('package.json', JSON.stringify({ name: 'host', private: true, dependencies }));
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.path, file), text);
  }

  async npm(...args: string[]): Promise<string> {
    // Nothing is compiled: which versions fit is npm's affair, and better-sqlite3 before 13 would take minutes.
    const options = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund'];
    const { stdout, stderr } = await run('npm', [...args, ...options], { cwd: this.path });
    return stdout + stderr;
  }

  /** The version of every package of the lock file, by its place. */
  lock(): Lock {
    const { packages } = JSON.parse(readFileSync(join(this.path, 'package-lock.json'), 'utf8'));
    const entries = Object.entries(packages as Record<string, { version?: string }>);
    return Object.fromEntries(entries.flatMap(([place, { version }]) => (version ? [[place, version]] : [])));
  }

  node(script: string): string {
    this.write('script.cjs', script);
    return execFileSync(process.execPath, ['script.cjs'], { cwd: this.path, encoding: 'utf8' });
  }
}

const ENDS = {
  lowest: {
    '@sapphire/framework': '5.0.2',
    '@sapphire/pieces': '4.0.2',
    'better-sqlite3': '9.6.0',
    'discord.js': '14.21.0',
    hono: '3.12.0',
    'prom-client': '13.0.0',
    undici: '6.21.3',
  },
  between: {
    'better-sqlite3': '11.10.0',
    'discord.js': '14.22.1',
    hono: '4.6.0',
    'prom-client': '14.2.0',
    undici: '7.30.2',
    zod: '3.25.76',
  },
  highest: {
    '@sapphire/framework': '5.5.1',
    '@sapphire/pieces': '4.4.1',
    'better-sqlite3': '13.2.0',
    'discord.js': '14.28.1',
    hono: '4.13.19',
    'prom-client': '15.1.3',
    undici: '8.13.1',
  },
  // Its `require('undici')` finds the one that discord.js brings.
  'discord.js alone': { 'discord.js': '14.28.1' },
};

describe.each(Object.entries(ENDS))('a host with a lock file, at the versions: %s', (end, dependencies) => {
  const host = new InstalledHost(dependencies);
  let before: Lock;

  beforeAll(async () => {
    await host.npm('install', '--package-lock-only');
    before = host.lock();
    await host.npm('install', '--save-exact', packedPackage().tarball);
  }, PACK_MS + INSTALL_MS);

  it('keeps every package where it is, and as it is', () => {
    const after = host.lock();
    expect(Object.fromEntries(Object.keys(before).map((place) => [place, after[place]]))).toEqual(before);
    const added = Object.keys(after).filter((place) => !(place in before));
    const ours = /^node_modules\/(?:cachecord(?:\/node_modules\/.*)?|zod|discord-api-types)$/;
    expect(added.filter((place) => !ours.test(place))).toEqual([]);
    expect(added).toContain('node_modules/cachecord');
    expect(added).not.toContain('node_modules/cachecord/node_modules/@discordjs/rest');
  });

  it('has a program that deploys, over the @discordjs/rest that discord.js brings', async () => {
    const env = { DISCORD_TOKEN: 'no-token', DISCORD_API_URL: 'http://127.0.0.1:1/api' };
    const deploy = [
      join(host.path, 'node_modules/.bin/cachecord'),
      'deploy',
      '--guild',
      '123456789012345678',
    ];
    await expect(run(process.execPath, deploy, { cwd: host.path, env })).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^Discord can't be reached: [^\n]+\n$/),
    });
  });

  it('finds what it requires, and a plugin for its client', () => {
    const script = `
      const undici = require('undici/package.json').version;
      const { Client } = require('discord.js');
      const { createCachecord, cachedSync, parseConfig } = require('cachecord');
      const plugin = createCachecord(new Client({ intents: [] }), { config: parseConfig({}) });
      const get = cachedSync(plugin.cache, (id) => ({ id }), { key: 'user::{0}' });
      get('1');
      get('1');
      console.log(JSON.stringify({ undici, hits: plugin.cache.stats().total.hits }));
      plugin.stop();`;
    const told = JSON.parse(host.node(script));
    expect(told).toEqual({ undici: before['node_modules/undici'], hits: 1 });
  });

  if (!('hono' in dependencies)) return;

  it('has the middleware, the metrics and the agent, or is told what it lacks', () => {
    const script = `
      const { createCache } = require('cachecord');
      const { cacheResponse } = require('cachecord/hono');
      const { cacheMetrics } = require('cachecord/prometheus');
      const { cachingAgent } = require('cachecord/undici');
      const { Hono } = require('hono');
      const { Registry } = require('prom-client');
      (async () => {
        const cache = createCache();
        let calls = 0;
        const app = new Hono();
        app.get('/status', cacheResponse(cache, { keyPrefix: 'status' }), (c) => c.json(++calls));
        await app.request('http://localhost/status');
        const hit = await (await app.request('http://localhost/status')).text();
        const registry = new Registry();
        const metrics = cacheMetrics(cache, registry);
        const isCounted = /cachecord_hits_total\\{[^}]*\\} 1/.test(await registry.metrics());
        metrics.stop();
        let agent = 'works';
        try {
          await cachingAgent(cache).close();
        } catch (error) {
          agent = error.message;
        }
        await cache.stop();
        console.log(JSON.stringify({ hit, isCounted, agent }));
      })();`;
    expect(JSON.parse(host.node(script))).toEqual({
      hit: '1',
      isCounted: true,
      agent: end === 'highest' ? 'works' : 'cachingAgent: it needs undici 8 or newer: npm install undici@8.',
    });
  });
});

describe('a discord.js that the plugin does not work with', () => {
  it('is refused by npm, and by the plugin in one sentence where it is there all the same', {
    timeout: INSTALL_MS,
  }, async () => {
    const host = new InstalledHost({ 'discord.js': '14.20.0' });
    await host.npm('install', '--package-lock-only');
    const install = ['install', packedPackage().tarball];
    await expect(host.npm(...install)).rejects.toThrow(/ERESOLVE/);
    await host.npm(...install, '--legacy-peer-deps');
    const told = host.node(`
      const { Client } = require('discord.js');
      const { createCachecord, parseConfig } = require('cachecord');
      try {
        createCachecord(new Client({ intents: [] }), { config: parseConfig({}) });
      } catch (error) {
        console.log(error.message);
      }`);
    expect(told).toBe(
      'createCachecord needs discord.js 14.21 or a newer 14, and this client is of 14.20.0: npm install discord.js@14\n',
    );
  });
});
