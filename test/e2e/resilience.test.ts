/** The real bot when things go wrong around it: the gateway drops it, Discord fails, it is ended amid work, or killed. */
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { type BotOptions, Person, RunningBot } from './running-bot.ts';

const CALM = { admin: { cooldown: 0 } };
const PATIENCE_MS = 15_000;

let local: LocalDiscord;

afterEach(() => {
  expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
});

async function atWork(options: BotOptions = {}): Promise<RunningBot> {
  local = await LocalDiscord.start();
  const discord = local;
  onTestFinished(() => discord.stop());
  const bot = await RunningBot.atWork(local, { config: CALM, ...options });
  onTestFinished(async () => void (await bot.stop()));
  await bot.says('Logged in');
  return bot;
}

const as = (userId: string | undefined) => new Person(local, String(userId), local.world.channels.ops);

/** Resolves when the bot is told to be on the gateway again, after it was off it. */
function backOnline(): Promise<void> {
  return new Promise((done) => {
    let wasOff = false;
    const off = local.on('bot', ({ online }) => {
      if (!online) wasOff = true;
      else if (wasOff) {
        off();
        done();
      }
    });
  });
}

describe('the gateway', () => {
  it.each([
    ['asks it to reconnect', { resumable: true }],
    ['is cut off', { resumable: true, cut: true }],
    ['has forgotten its session', { resumable: false }],
  ])('answers again after Discord %s, with what it had cached', async (_name, options) => {
    const bot = await atWork();
    const ada = as(local.world.people.ada.id);
    await (await ada.run('cache-warm', { scope: 'all' })).shows('failed 0');
    const { entries } = (await bot.stats()).total;
    const back = backOnline();
    local.disconnectBot(options);
    await back;
    await expect.poll(() => local.isBotOnline).toBe(true);
    await (await ada.run('cache-info')).shows('Cache Configuration');
    expect((await bot.stats()).total.entries).toBeGreaterThanOrEqual(entries);
    // Nothing is registered a second time.
    const made = local.requestLog.filter(
      ({ method, path }) => method === 'POST' && path.includes('/commands'),
    );
    expect(made).toHaveLength(local.registeredCommands(local.world.home.id).length);
    expect(bot.child.exitCode).toBeNull();
  });
});

describe("Discord's REST API", () => {
  // discord.js tries a request four times, and an answer that may be lost is sent once more.
  it.each([
    ['fails', { status: 500, times: 8 }],
    ['drops the connection', { drop: true, times: 8 }],
    ['has lost the interaction', { status: 404, body: { code: 10_062, message: 'Unknown interaction' } }],
  ])('an answer that %s is logged, and the next one comes', async (_name, fault) => {
    const bot = await atWork();
    const ada = as(local.world.people.ada.id);
    const isAnswer = ({ route }: { readonly route: string }) => route.includes('/callback');
    const takeBack = local.failNext(isAnswer, fault);
    const lost = await ada.session.run(local.world.channels.ops, 'cache-info');
    lost.reply().catch(() => undefined);
    await bot.says(/did not reach Discord/);
    takeBack();
    await (await ada.run('cache-info')).shows('Cache Configuration');
    expect(bot.child.exitCode).toBeNull();
  });

  it('waits as long as a rate limit says, and answers then', async () => {
    await atWork();
    const isEdit = ({ method }: { readonly method: string }) => method === 'PATCH';
    local.failNext(isEdit, { status: 429, retryAfter: 0.2 });
    const panel = await as(local.world.people.ada.id).run('cache-warm', { scope: 'config' });
    await panel.shows('🔥 Warmed: config');
  });
});

describe('amid work', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'I13: %s ends it within 5 s while people shop and admins warm',
    async (signal) => {
      const bot = await atWork();
      const ada = as(local.world.people.ada.id);
      const waiting = [
        ada.session.run(local.world.channels.ops, 'cache-warm', { scope: 'all', force: true }),
        ...local.world.shoppers.flatMap(({ id }) =>
          ['shop', 'wallet', 'leaderboard', 'orders'].map((name) =>
            local.as(id).run(local.world.channels.shop, name),
          ),
        ),
      ];
      // Who is not answered any more sees it fail.
      for (const each of waiting) each.then((one) => one.reply()).catch(() => undefined);
      await Promise.all(waiting);
      await expect
        .poll(() => local.requestLog.filter(({ path }) => path.includes('/callback')).length)
        .toBeGreaterThan(5);
      const startedAt = performance.now();
      bot.child.kill(signal);
      expect(await bot.ended).toMatchObject({ code: 0, signal: null });
      expect(performance.now() - startedAt).toBeLessThan(5_000);
      expect(bot.output).not.toMatch(/ error /);
      await expect.poll(() => local.isBotOnline, { timeout: PATIENCE_MS }).toBe(false);
    },
  );

  it('I9: tells what was committed last when it was killed while wallets were filled', async () => {
    const bot = await atWork();
    const buyers = local.world.shoppers.slice(0, 8);
    for (const { id } of buyers) {
      const panel = await as(id).run('wallet');
      const interaction = await local
        .as(id)
        .click(panel.message.id, panel.idOf(String(/Take [^\n]+/.exec(panel.text))));
      interaction.reply().catch(() => undefined);
    }
    bot.child.kill('SIGKILL');
    expect(await bot.ended).toMatchObject({ signal: 'SIGKILL' });
    const db = new Database(bot.databasePath, { readonly: true });
    onTestFinished(() => void db.close());
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
    const wallet = db.prepare<[string], number>('SELECT wallet_cents FROM users WHERE id = ?').pluck();
    const again = await RunningBot.atWork(local, {
      config: CALM,
      shop: null,
      env: { DATABASE_PATH: bot.databasePath },
    });
    onTestFinished(async () => void (await again.stop()));
    await again.says('Logged in');
    expect(buyers.filter(({ id }) => (wallet.get(id) ?? 0) > 0)).not.toEqual([]);
    for (const { id } of buyers) {
      const held = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' }).format(
        (wallet.get(id) ?? 0) / 100,
      );
      await (await as(id).run('wallet')).shows(`**Balance:** ${held}`);
    }
  });
});
