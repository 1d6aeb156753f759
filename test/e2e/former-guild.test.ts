/** The real bot after its admin guilds have changed: what it had registered in the other guild is gone. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startDiscord } from '../playground/discord-setup.ts';
import { RunningBot } from './running-bot.ts';

it('takes its commands off a guild that is no longer an admin guild, those of the shop too', async () => {
  const local = await startDiscord();
  const { home, elsewhere } = local.world;
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-former-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const DATABASE_PATH = join(folder, 'shop.sqlite');
  const namesIn = (guildId: string) => local.registeredCommands(guildId).map(({ name }) => name);

  const first = await RunningBot.atWork(local, {
    env: { DATABASE_PATH, ADMIN_GUILD_ID: `${home.id},${elsewhere.id}` },
  });
  onTestFinished(async () => void (await first.stop()));
  await vi.waitFor(() => expect(namesIn(elsewhere.id).sort()).toEqual(namesIn(home.id).sort()), {
    timeout: 10_000,
    interval: 10,
  });
  await first.stop();

  const second = await RunningBot.atWork(local, { env: { DATABASE_PATH, ADMIN_GUILD_ID: home.id } });
  onTestFinished(async () => void (await second.stop()));
  await vi.waitFor(() => expect(namesIn(elsewhere.id)).toEqual([]), { timeout: 10_000, interval: 10 });
  expect(namesIn(home.id)).toEqual(expect.arrayContaining(['cache-stats', 'shop']));
  for (const name of ['cache-stats', 'shop']) {
    await second.says(
      new RegExp(`Removed /${name}.* from guild ${elsewhere.id}, which is no admin guild any more`),
    );
  }
});
