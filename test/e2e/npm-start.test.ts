/** `npm start` itself: which program it becomes, and what it says when that one can't begin. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { generateShop } from '../../src/db/generator.ts';
import { openDatabase } from '../../src/db/open.ts';

const START = path.join(import.meta.dirname, '../../start.js');
const PATIENCE_MS = 15_000;

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'cachecord-e2e-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Runs start.js in this folder. */
function npmStart(cwd: string, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [START], { cwd, env: { PATH: process.env.PATH, ...env } });
  const output = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    output.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output.err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, ...output }));
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  });
  return { child, output, ended };
}

it('is the bot where there is a token, with a shop in the folder that it is started in', async () => {
  const local = await LocalDiscord.start();
  onTestFinished(() => local.stop());
  const cwd = folder();
  const db = openDatabase(path.join(cwd, 'data/shop.db'));
  generateShop(db, { products: 20, users: 5, orders: 20 });
  db.close();
  const bot = npmStart(cwd, {
    DISCORD_TOKEN: local.token,
    DISCORD_API_URL: local.apiUrl,
    ADMIN_GUILD_ID: local.world.home.id,
  });
  await expect.poll(() => bot.output.out, { timeout: PATIENCE_MS }).toContain('Logged in as Cachecord');
  expect(bot.output.out).toContain('config.json: the defaults are used');
  expect(bot.output.out).not.toContain('filling it with generated data');
  bot.child.kill('SIGINT');
  expect(await bot.ended).toMatchObject({ code: 0, signal: null, err: '' });
  expect(bot.output.out).not.toContain(local.token);
});

it('is the playground where there is none, and says when its port is taken', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  onTestFinished(() => void taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { ended } = npmStart(folder(), { PORT: String(port) });
  expect(await ended).toMatchObject({
    code: 1,
    err: `Port ${port} is in use. Choose another: PORT=${port + 1} npm start\n`,
  });
});

it('suggests no port that there is not, where the last one is taken', async () => {
  const taken = createServer();
  // Somebody else may have it: then it is taken as well.
  const settled = Promise.race([once(taken, 'listening'), once(taken, 'error')]).catch(() => undefined);
  taken.listen(65_535, '127.0.0.1');
  await settled;
  onTestFinished(() => void taken.close());
  const { ended } = npmStart(folder(), { PORT: '65535' });
  expect(await ended).toMatchObject({
    code: 1,
    err: 'Port 65535 is in use. Choose another: PORT=4780 npm start\n',
  });
});

it.each(['eighty', '-1', '65536', '1.5'])('says that %s is no port', async (PORT) => {
  const { ended } = npmStart(folder(), { PORT });
  expect(await ended).toMatchObject({
    code: 1,
    err: `PORT must be a number from 0 to 65535, not "${PORT}".\n`,
  });
});

it('keeps the playground open when its bot cannot start, and tells why in the terminal', async () => {
  const cwd = folder();
  writeFileSync(path.join(cwd, 'config.json'), '{ "cache": { "ttl_usr": 5 } }');
  const playground = npmStart(cwd, { PORT: '0', DATABASE_PATH: path.join(cwd, 'shop.sqlite') });
  await expect.poll(() => playground.output.out, { timeout: PATIENCE_MS }).toContain('ttl_usr');
  await expect.poll(() => playground.output.out).toContain('playground is at');
  expect(playground.child.exitCode).toBeNull();
  playground.child.kill('SIGTERM');
  expect(await playground.ended).toMatchObject({ code: 0, signal: null });
});
