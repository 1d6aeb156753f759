/** I11 on the real bot: who may use the cache commands, by guild and by each rule of the configuration. */
import Database from 'better-sqlite3';
import { ApplicationCommandPermissionType } from 'discord-api-types/v10';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import type { WorldSeed } from '../../playground/discord/types.ts';
import { rest } from '../playground/discord-setup.ts';
import { Person, RunningBot } from './running-bot.ts';

const REFUSED = "You can't use this.";
const ANSWERED = 'Cache Configuration';

let local: LocalDiscord;

afterEach(() => {
  expect(local.requestLog.flatMap(({ problems }) => problems)).toEqual([]);
});

/** @param admin the section of config.json, of the people in this world */
async function atWork(
  admin: (world: LocalDiscord['world']) => object = () => ({}),
  env: (world: LocalDiscord['world']) => NodeJS.ProcessEnv = () => ({}),
  world: WorldSeed = {},
): Promise<RunningBot> {
  local = await LocalDiscord.start({ world });
  const discord = local;
  onTestFinished(() => discord.stop());
  const bot = await RunningBot.atWork(local, {
    config: { admin: { cooldown: 0, ...admin(local.world) } },
    env: env(local.world),
  });
  onTestFinished(async () => void (await bot.stop()));
  return bot;
}

const inOps = (userId: string) => new Person(local, userId, local.world.channels.ops);

function inOtherGuild(userId: string): Person {
  const [channelId = ''] = local.world.elsewhere.channels.keys();
  return new Person(local, userId, channelId);
}

/** A guild's administrators can show a command to whom they like. */
function showTo(userId: string, guildId: string): void {
  for (const { id } of local.registeredCommands(guildId)) {
    const permission = { id: userId, type: ApplicationCommandPermissionType.User, permission: true };
    local.setCommandPermissions(guildId, id, [permission]);
  }
}

/** What the audit log holds, newest first. */
function refusals(bot: RunningBot) {
  const db = new Database(bot.databasePath, { readonly: true });
  const rows = db
    .prepare("SELECT user_id AS userId, guild_id AS guildId FROM audit_log WHERE action = 'refused'")
    .all();
  db.close();
  return rows;
}

describe('another guild', () => {
  it('has no cache commands, and its administrator is refused even where they were put there', async () => {
    const bot = await atWork();
    const { elsewhere, home, people } = local.world;
    const mallory = inOtherGuild(people.mallory.id);
    expect(local.registeredCommands(elsewhere.id)).toEqual([]);
    await expect(mallory.run('cache-clear', { pattern: 'all' })).rejects.toThrow('does not see /cache-clear');
    for (const { name, description, options } of local.registeredCommands(home.id)) {
      const path = `/applications/${local.applicationId}/guilds/${elsewhere.id}/commands`;
      await rest(local, 'POST', path, { name, description, ...(options ? { options } : {}) });
    }
    await (await mallory.run('cache-clear', { pattern: 'all' })).shows(REFUSED);
    await (await mallory.run('cache-info')).shows(REFUSED);
    expect(await mallory.complete('cache-clear', 'pattern', '')).toEqual([]);
    // One for each command that was tried.
    const refusal = { userId: people.mallory.id, guildId: elsewhere.id };
    expect(refusals(bot)).toEqual([refusal, refusal]);
    // Who is allowed at home is not allowed there.
    expect((await bot.stats()).total.entries).toBeGreaterThan(0);
  });

  it('has the commands when it is named beside the first, for those who are allowed', async () => {
    await atWork(
      ({ people }) => ({ user_ids: [people.linus.id] }),
      ({ home, elsewhere }) => ({ ADMIN_GUILD_ID: `${home.id}, ${elsewhere.id}` }),
    );
    const { elsewhere, people } = local.world;
    await expect
      .poll(() => local.registeredCommands(elsewhere.id).map(({ name }) => name))
      .toEqual(expect.arrayContaining(['cache-stats', 'cache-clear', 'cache-warm', 'cache-info']));
    await (await inOtherGuild(people.mallory.id).run('cache-info')).shows(REFUSED);
    showTo(people.linus.id, elsewhere.id);
    await (await inOtherGuild(people.linus.id).run('cache-info')).shows(ANSWERED);
  });
});

describe('the configuration', () => {
  it('lets nobody in but the owner by default', async () => {
    const bot = await atWork();
    const { ada, grace, linus } = local.world.people;
    await (await inOps(ada.id).run('cache-info')).shows(ANSWERED);
    await (await inOps(grace.id).run('cache-info')).shows(REFUSED);
    await expect(inOps(linus.id).run('cache-info')).rejects.toThrow('does not see /cache-info');
    showTo(linus.id, local.world.home.id);
    await (await inOps(linus.id).run('cache-info')).shows(REFUSED);
    expect(refusals(bot)).toHaveLength(2);
  });

  it('lets in the people that it lists', async () => {
    await atWork(({ people }) => ({ user_ids: [people.grace.id] }));
    await (await inOps(local.world.people.grace.id).run('cache-info')).shows(ANSWERED);
  });

  it('lets in a role of the admin guild', async () => {
    await atWork(({ home }) => ({
      role_ids: [...home.roles.values()].filter(({ name }) => name === 'Operators').map(({ id }) => id),
    }));
    await (await inOps(local.world.people.grace.id).run('cache-info')).shows(ANSWERED);
    showTo(local.world.people.linus.id, local.world.home.id);
    await (await inOps(local.world.people.linus.id).run('cache-info')).shows(REFUSED);
  });

  it('lets in the administrators of the admin guild where it says so', async () => {
    await atWork(() => ({ allow_guild_administrators: true }));
    await (await inOps(local.world.people.grace.id).run('cache-info')).shows(ANSWERED);
  });

  it("lets in the team where the application is a team's", async () => {
    await atWork(undefined, undefined, { ownership: 'team' });
    await (await inOps(local.world.people.ada.id).run('cache-info')).shows(ANSWERED);
    await (await inOps(local.world.people.grace.id).run('cache-info')).shows(ANSWERED);
  });
});
