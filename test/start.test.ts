import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const startFile = new URL('../start.js', import.meta.url);
let folder = '';

/** Runs a copy of start.js beside a bot and a playground that say who they are, under a Node that claims a version. */
function start(version: string, env: Record<string, string> = {}) {
  const claim = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return spawnSync(
    process.execPath,
    ['--no-warnings', '--import', `data:text/javascript,${encodeURIComponent(claim)}`, 'start.js'],
    { cwd: folder, env, encoding: 'utf8' },
  );
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-start-'));
  await mkdir(join(folder, 'src'));
  await mkdir(join(folder, 'playground'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'start.js'), readFileSync(startFile));
  writeFileSync(
    join(folder, 'src/bot.ts'),
    `const name: string = 'the bot'; console.log(name);
     if (process.env.FAIL === 'config') throw Object.assign(new Error('config.json has a problem'), { code: 'ERR_CONFIG_INVALID' });
     if (process.env.FAIL === 'package') await import('a-package-that-is-not-there');`,
  );
  writeFileSync(join(folder, 'playground/main.ts'), `console.log('the playground');`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('npm start', () => {
  it.each(['12.22.12', '18.20.4', '20.19.0', '22.18.0', '23.5.0'])(
    'refuses Node %s in one line',
    (version) => {
      const { status, stderr, stdout } = start(version);
      expect(stderr).toBe(
        `Cachecord needs Node 22.19 or newer, and this is ${version}: install it from https://nodejs.org.\n`,
      );
      expect(stdout).toBe('');
      expect(status).toBe(1);
    },
  );

  it.each(['22.19.0', '22.21.3', '23.6.0', '24.0.0', '26.1.0'])('runs on Node %s', (version) => {
    expect(start(version)).toMatchObject({ status: 0, stderr: '', stdout: 'the playground\n' });
  });

  it('starts the bot where there is a token, and the playground where there is none', () => {
    expect(start('24.0.0', { DISCORD_TOKEN: 'x' }).stdout).toBe('the bot\n');
    expect(start('24.0.0', { DISCORD_TOKEN: '' }).stdout).toBe('the playground\n');
  });

  it('says what is wrong with the configuration without a stack', () => {
    expect(start('24.0.0', { DISCORD_TOKEN: 'x', FAIL: 'config' })).toMatchObject({
      status: 1,
      stderr: 'config.json has a problem\n',
    });
  });

  it('says what to do when the dependencies are not installed', () => {
    const { status, stderr } = start('24.0.0', { DISCORD_TOKEN: 'x', FAIL: 'package' });
    expect(stderr).toContain('run `npm install` first');
    expect(status).toBe(1);
  });

  it.runIf(existsSync('/usr/bin/node'))('is parsed by the Node of the system, however old', () => {
    const { stderr } = spawnSync('/usr/bin/node', ['start.js'], { cwd: folder, env: {}, encoding: 'utf8' });
    expect(stderr).not.toContain('SyntaxError');
  });
});
