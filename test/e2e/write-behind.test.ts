/** I10, by the real bot: killed with writes that are acknowledged and not saved, and started again. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished, vi } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { Person, RunningBot } from './running-bot.ts';

/** Runs a query on a file that nobody else has open for long. */
function ask(file: string, sql: string): unknown[] {
  const db = new Database(file, { readonly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

async function setUp() {
  const local = await LocalDiscord.start();
  onTestFinished(() => local.stop());
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-behind-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const start = async () => {
    const bot = await RunningBot.atWork(local, { folder });
    onTestFinished(async () => void (await bot.stop()));
    return bot;
  };
  const { world } = local;
  const ada = new Person(local, world.people.ada.id, world.channels.ops);
  const stored = () => ask(join(folder, 'shop.sqlite'), 'SELECT user_id AS id, uses FROM user_activity');
  return { folder, start, ada, stored, adaId: world.people.ada.id };
}

it('I10: killed with pending writes, it saves each exactly once when it starts again', async () => {
  const { folder, start, ada, stored, adaId } = await setUp();
  const first = await start();
  for (const name of ['cache-stats', 'cache-info', 'wallet']) await ada.run(name);
  first.child.kill('SIGKILL');
  expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
  const journal = join(folder, 'write-behind.db');
  expect(existsSync(journal)).toBe(true);
  expect(ask(journal, 'SELECT name, key FROM writes')).toEqual([
    { name: 'user-activity', key: `user::${adaId}::activity` },
  ]);

  const second = await start();
  await vi.waitFor(() => expect(stored()).toEqual([{ id: adaId, uses: 3 }]), { timeout: 10_000 });
  await ada.run('wallet');
  const panel = await ada.run('cache-writes list');
  expect(panel.isEphemeral).toBe(true);
  await panel.shows(/`user-activity`\*\* — 1 waiting/);
  await (await ada.run('cache-info')).shows('Write-behind');
  expect(await second.stop()).toMatchObject({ code: 0 });
  expect(stored()).toEqual([{ id: adaId, uses: 6 }]);
  expect(ask(journal, 'SELECT * FROM writes')).toEqual([]);
}, 60_000);

it('a second bot on the same journal is refused, and told what to do', async () => {
  const { folder, start } = await setUp();
  await start();
  const second = new RunningBot(await anotherDiscord(), { folder });
  onTestFinished(async () => void (await second.stop()));
  expect(await second.ended).toMatchObject({ code: 1 });
  expect(second.output).toMatch(/another process has it\. Each process needs a journal of its own/);
}, 60_000);

async function anotherDiscord(): Promise<LocalDiscord> {
  const local = await LocalDiscord.start();
  onTestFinished(() => local.stop());
  return local;
}
