/** How the real bot starts, what it says when it can't, and how it ends. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { openDatabase } from '../../src/db/open.ts';
import { type BotOptions, Person, RunningBot } from './running-bot.ts';

/** Takes connections and never answers; one bot waits for it while the other tests run. */
const deaf = { server: createServer(), port: 0 };
let hanging: RunningBot;

beforeAll(async () => {
  await new Promise<void>((done) => deaf.server.listen(0, '127.0.0.1', done));
  const address = deaf.server.address();
  deaf.port = typeof address === 'object' && address !== null ? address.port : 0;
  hanging = new RunningBot(null, { env: at(deaf.port) });
});

afterAll(async () => {
  await hanging.stop();
  deaf.server.close();
});

describe('starting', () => {
  it('fills an empty shop by itself, and says so', async () => {
    const local = await discord();
    const bot = await atWork(local, { shop: null });
    expect(bot.output).toContain('is empty: filling it with generated data');
    expect(bot.output).toContain('Generated 2000 products, 5000 people and 50000 orders');
  });

  it('registers its commands beside what the guild has, and only once', async () => {
    const local = await discord();
    const first = await atWork(local);
    await first.stop();
    const writes = () =>
      local.requestLog.filter(({ method, path }) => method !== 'GET' && /commands/.test(path));
    expect(writes().every(({ method }) => method === 'POST')).toBe(true);
    const before = writes().length;
    expect(before).toBe(10);
    const second = await atWork(local);
    await second.says('Logged in');
    const ada = new Person(local, local.world.people.ada.id, local.world.channels.ops);
    await (await ada.run('cache-info')).shows('Cache Configuration');
    expect(writes().length).toBe(before);
  });

  it('warns of an admin guild that it is not in, and keeps running', async () => {
    const local = await discord();
    const bot = start(local, { env: { ADMIN_GUILD_ID: '80351110224678912' } });
    await bot.says('cannot register commands in guild 80351110224678912');
    await bot.stats();
    expect(local.isBotOnline).toBe(true);
  });

  it('warns when no admin guild is named, and keeps running', async () => {
    const local = await discord();
    const bot = start(local, { env: { ADMIN_GUILD_ID: '' } });
    await bot.says('No admin guild is named');
    await bot.says('Logged in');
    await bot.stats();
  });
});

describe('ending', () => {
  it.for(['SIGTERM', 'SIGINT'] as const)(
    'I13: ends within 5 s at %s, with nothing left open',
    async (signal) => {
      const local = await discord();
      const bot = await atWork(local);
      const startedAt = performance.now();
      bot.child.kill(signal);
      expect(await bot.ended).toMatchObject({ code: 0, signal: null });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      await expect.poll(() => local.isBotOnline).toBe(false);
      // The last to close a database in WAL mode takes its side files along.
      const db = new Database(bot.databasePath, { readonly: true, fileMustExist: true });
      expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
      db.close();
    },
  );

  it('I13: ends while it is still logging in', async () => {
    const bot = start(null, { env: at(deaf.port) });
    await bot.says('Warming startup ended');
    bot.child.kill('SIGTERM');
    expect(await bot.ended).toMatchObject({ code: 0, signal: null });
  });

  it('ends when its parent asks, and when its parent is gone', async () => {
    const local = await discord();
    const asked = await atWork(local);
    asked.child.send({ type: 'shutdown' });
    expect(await asked.ended).toMatchObject({ code: 0 });
    const orphaned = await atWork(local);
    orphaned.child.disconnect();
    expect(await orphaned.ended).toMatchObject({ code: 0 });
  });
});

describe('a bad configuration', () => {
  it('lists every problem of a bad configuration at once', async () => {
    const config = { cache: { max_size_mb: -1, ttl_usr: 5, enabled: 'yes' } };
    const output = await failing(null, { config, env: { DISCORD_TOKEN: 'not.a.token' } });
    expect(output).toContain('3 problems');
    for (const name of ['max_size_mb', 'ttl_usr', 'ttl_user', 'enabled']) expect(output).toContain(name);
  });

  it('says where the syntax of its configuration is wrong', async () => {
    const output = await failing(null, { config: '{ "cache": { ', env: { DISCORD_TOKEN: 'not.a.token' } });
    expect(output).toMatch(/config\.json has a problem:\n.*line 1/);
  });
});

describe('a database that it cannot use', () => {
  it('says when the file is no database, and leaves it as it was', async () => {
    const path = join(folder(), 'notes.txt');
    writeFileSync(path, 'shopping list: '.repeat(500));
    const before = readFileSync(path);
    expect(await failing(null, elsewhere(path))).toContain('is no SQLite database');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('says when the database is of another program', async () => {
    const path = join(folder(), 'other.sqlite');
    const db = new Database(path);
    db.exec('CREATE TABLE somebody_elses (id INTEGER)');
    db.close();
    expect(await failing(null, elsewhere(path))).toMatch(/another program/);
  });

  it('says when the database is from a newer version', async () => {
    const path = join(folder(), 'newer.sqlite');
    const db = openDatabase(path);
    db.pragma('user_version = 9999');
    db.close();
    expect(await failing(null, elsewhere(path))).toMatch(/newer/);
  });

  it("says when the database's folder can't be made", async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, '');
    expect(await failing(null, elsewhere(join(path, 'shop.sqlite')))).toContain(
      'set DATABASE_PATH to another file',
    );
  });
});

describe('a Discord that does not let it in', () => {
  it('says when there is no token, and what to do without one', async () => {
    expect(await failing(null)).toContain('DISCORD_TOKEN is not set');
  });

  it('says when the token is wrong, and never shows it', async () => {
    const local = await discord();
    const token = `${'M'.repeat(24)}.Gabcde.${'x'.repeat(38)}`;
    const output = await failing(local, { env: { DISCORD_TOKEN: token } });
    expect(output).toContain('Discord does not accept the token: check DISCORD_TOKEN');
    expect(output).not.toContain(token);
  });

  it('says when the address of the API is none', async () => {
    const output = await failing(await discord(), { env: { DISCORD_API_URL: 'localhost' } });
    expect(output).toContain('DISCORD_API_URL is no http address');
  });

  it('says when nobody listens where Discord should be', async () => {
    const env = { DISCORD_TOKEN: 'not.a.token', DISCORD_API_URL: 'http://127.0.0.1:9/api' };
    expect(await failing(null, { env })).toContain("Discord can't be reached");
  });

  it('says when Discord does not allow an intent', async () => {
    const local = await discord();
    local.on('bot', ({ online }) => online && local.closeGateway(4014));
    expect(await failing(local)).toContain('Discord does not allow this bot an intent that it asked for');
  });

  it('ends with a word when the gateway closes for good later', async () => {
    const local = await discord();
    const bot = await atWork(local);
    await bot.says('Logged in');
    local.closeGateway(4004);
    const { code, output } = await bot.ended;
    expect(code).toBe(1);
    expect(output).toContain('Discord did not accept the token at the gateway');
  });

  it('gives up within half a minute when Discord takes the connection and never answers', {
    timeout: 30_000,
  }, async () => {
    const { code, output } = await hanging.ended;
    expect(code).toBe(1);
    expect(output).toContain("Discord can't be reached: no answer within 20 s");
  });
});

/** A Discord that ends with the test. */
async function discord(): Promise<LocalDiscord> {
  const local = await LocalDiscord.start();
  onTestFinished(() => local.stop());
  return local;
}

/** A bot that ends with the test. */
function start(local: LocalDiscord | null, options: BotOptions = {}): RunningBot {
  const bot = new RunningBot(local, options);
  onTestFinished(async () => void (await bot.stop()));
  return bot;
}

async function atWork(local: LocalDiscord, options: BotOptions = {}): Promise<RunningBot> {
  const bot = await RunningBot.atWork(local, options);
  onTestFinished(async () => void (await bot.stop()));
  return bot;
}

/** What a bot wrote that ended with code 1: one message, and no stack. */
async function failing(local: LocalDiscord | null, options: BotOptions = {}): Promise<string> {
  const { code, output } = await start(local, options).ended;
  expect(code, output).toBe(1);
  expect(output.match(/ error /g) ?? [], output).toHaveLength(1);
  expect(output).not.toMatch(/^ {4}at /m);
  return output;
}

/** The environment of a bot whose Discord is at this port. */
function at(port: number): NodeJS.ProcessEnv {
  return { DISCORD_TOKEN: 'not.a.token', DISCORD_API_URL: `http://127.0.0.1:${port}/api` };
}

/** A bot with another database. */
function elsewhere(databasePath: string): BotOptions {
  return { shop: null, env: { DISCORD_TOKEN: 'not.a.token', DATABASE_PATH: databasePath } };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'cachecord-e2e-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}
