/** I11: who is let in. Every case goes through all four doors: command, completion, button and modal. */
import { TeamMemberMembershipState, TeamMemberRole } from 'discord.js';
import { describe, expect, it } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { Access, type Asker, isAllowed, ownersOf } from '../../src/commands/access.ts';
import { handClock } from '../support/hand-clock.ts';
import { deployTo, expectOpen, expectShut, openToEverybody, tryDoors } from './doors.ts';
import { type HostedOptions, host, keptLog } from './setup.ts';

/** A host whose cache holds something to complete, and where Discord itself lets everybody through. */
async function doorsOf(options: HostedOptions = {}) {
  const hosted = await host(options);
  hosted.plugin.cache.set('products::1', { name: 'Sword' });
  const { home, elsewhere } = hosted.local.world;
  await deployTo(hosted, elsewhere.id);
  openToEverybody(hosted, home.id);
  openToEverybody(hosted, elsewhere.id);
  return hosted;
}

const operatorRole = ({ world }: LocalDiscord) =>
  [...world.home.roles.values()].find(({ name }) => name === 'Operators')?.id ?? '';
const somewhereElse = ({ world }: LocalDiscord) => [...world.elsewhere.channels.keys()][0] ?? '';

describe('I11: the allow-list', () => {
  it("lets in the application's owner", async () => {
    const hosted = await doorsOf();
    const { people, channels } = hosted.local.world;
    expectOpen(await tryDoors(hosted, people.ada.id, channels.ops));
    expect(hosted.audit.filter(({ action }) => action === 'refused')).toEqual([]);
    expect(hosted.errors).toEqual([]);
  });

  it("lets in a team's developers, and not those who may only read", async () => {
    const hosted = await doorsOf({ discord: { world: { ownership: 'team' } } });
    const { people, channels } = hosted.local.world;
    expectOpen(await tryDoors(hosted, people.ada.id, channels.ops));
    expectOpen(await tryDoors(hosted, people.grace.id, channels.ops));
    expectShut(await tryDoors(hosted, people.linus.id, channels.ops));
  });

  it('lets in a listed user', async () => {
    const hosted = await doorsOf({ admin: ({ world }) => ({ user_ids: [world.people.linus.id] }) });
    const { people, channels } = hosted.local.world;
    expectOpen(await tryDoors(hosted, people.linus.id, channels.ops));
  });

  it('lets in who has a listed role', async () => {
    const hosted = await doorsOf({ admin: (local) => ({ role_ids: [operatorRole(local)] }) });
    const { people, channels } = hosted.local.world;
    expectOpen(await tryDoors(hosted, people.grace.id, channels.ops));
    expectShut(await tryDoors(hosted, people.linus.id, channels.ops));
  });

  it('takes a listed @everyone for nobody', async () => {
    const hosted = await doorsOf({ admin: ({ world }) => ({ role_ids: [world.home.id] }) });
    const { people, channels } = hosted.local.world;
    expectShut(await tryDoors(hosted, people.linus.id, channels.ops));
  });

  it('keeps out an administrator of the admin guild', async () => {
    const hosted = await doorsOf();
    const { people, channels } = hosted.local.world;
    expectShut(await tryDoors(hosted, people.grace.id, channels.ops));
  });

  it('lets in administrators of the admin guild where the configuration says so, and no ordinary member', async () => {
    const hosted = await doorsOf({ admin: () => ({ allow_guild_administrators: true }) });
    const { people, channels } = hosted.local.world;
    expectOpen(await tryDoors(hosted, people.grace.id, channels.ops));
    expectShut(await tryDoors(hosted, people.linus.id, channels.ops));
  });

  it('keeps out a stranger, whatever Discord would allow', async () => {
    const hosted = await doorsOf();
    const { people, channels } = hosted.local.world;
    expectShut(await tryDoors(hosted, people.linus.id, channels.ops));
  });

  it('keeps everybody out in another guild: its administrator, and a listed user too', async () => {
    const hosted = await doorsOf({
      admin: ({ world }) => ({ allow_guild_administrators: true, user_ids: [world.people.linus.id] }),
    });
    const { people } = hosted.local.world;
    expectShut(await tryDoors(hosted, people.mallory.id, somewhereElse(hosted.local)));
    expectShut(await tryDoors(hosted, people.linus.id, somewhereElse(hosted.local)));
  });

  it('keeps everybody out where no admin guild is named', async () => {
    const hosted = await host({ guildIds: () => [] });
    const { people, channels, home } = hosted.local.world;
    await deployTo(hosted, home.id);
    expectShut(await tryDoors(hosted, people.ada.id, channels.ops));
  });

  it('keeps the owner out while Discord does not tell who that is, and asks again later', async () => {
    const hosted = await host({ started: false });
    const { local, plugin, clock, log } = hosted;
    const { people, channels, home } = local.world;
    plugin.cache.set('products::1', { name: 'Sword' });
    await deployTo(hosted, home.id);
    const recover = local.failNext('/applications/@me', { status: 403, times: 1_000 });
    await plugin.start({ register: false });
    expectShut(await tryDoors(hosted, people.ada.id, channels.ops));
    expect(log.filter(({ message }) => message.includes('who owns the application'))).toHaveLength(1);
    recover();
    clock.advance(10_000);
    expectOpen(await tryDoors(hosted, people.ada.id, channels.ops));
  });
});

describe('the decision', () => {
  const rules = { guildIds: ['1'], userIds: ['10'], roleIds: ['1', '20'], allowGuildAdministrators: false };
  const asker = (more: Partial<Asker>): Asker => ({
    userId: '99',
    guildId: '1',
    roleIds: [],
    isAdministrator: false,
    ...more,
  });

  it('allows nobody by default', () => {
    expect(isAllowed(asker({}), rules, new Set())).toBe(false);
    expect(isAllowed(asker({ isAdministrator: true }), rules, new Set())).toBe(false);
  });

  it('allows nobody in direct messages, the owner neither', () => {
    expect(isAllowed(asker({ guildId: null, userId: '10' }), rules, new Set(['10']))).toBe(false);
  });

  it('takes of a team those who have joined and may do more than read, and its leader', () => {
    const member = (
      id: string,
      role: TeamMemberRole,
      membership_state = TeamMemberMembershipState.Accepted,
    ) => ({
      user: { id },
      role,
      membership_state,
    });
    const members = [
      member('2', TeamMemberRole.Admin),
      member('3', TeamMemberRole.Developer),
      member('4', TeamMemberRole.ReadOnly),
      member('5', TeamMemberRole.Admin, TeamMemberMembershipState.Invited),
    ];
    // As much of Discord's answer as is read.
    const application = { owner: { id: '0' }, team: { owner_user_id: '1', members } } as unknown;
    expect([...ownersOf(application as Parameters<typeof ownersOf>[0])]).toEqual(['1', '2', '3']);
  });
});

describe('the owners', () => {
  const rules = { guildIds: ['1'], userIds: [], roleIds: [], allowGuildAdministrators: false };
  const owner: Asker = { userId: '7', guildId: '1', roleIds: [], isAdministrator: false };

  function access(fetchOwners: () => Promise<ReadonlySet<string>>) {
    const clock = handClock();
    const { lines, logger } = keptLog();
    return { clock, lines, access: new Access({ rules, clock, logger, fetchOwners }) };
  }

  it('are asked for once an hour, and one who has left is out', async () => {
    let owners = new Set(['7']);
    let asked = 0;
    const { clock, access: door } = access(async () => {
      asked++;
      return owners;
    });
    expect(await Promise.all([door.allows(owner), door.allows(owner)])).toEqual([true, true]);
    expect(asked).toBe(1);
    owners = new Set();
    clock.advance(3_599_999);
    expect(await door.allows(owner)).toBe(true);
    clock.advance(1);
    expect(await door.allows(owner)).toBe(false);
    expect(asked).toBe(2);
  });

  it('are believed for three hours while Discord fails, and then are nobody', async () => {
    let fails = false;
    const { clock, access: door } = access(async () => {
      if (fails) throw new Error('503');
      return new Set(['7']);
    });
    expect(await door.allows(owner)).toBe(true);
    fails = true;
    clock.advance(2 * 3_600_000);
    expect(await door.allows(owner)).toBe(true);
    expect(door.isOwner('7')).toBe(true);
    clock.advance(3_600_000);
    expect(await door.allows(owner)).toBe(false);
    expect(door.isOwner('7')).toBe(false);
  });

  it('are waited for only as long as an interaction can wait', async () => {
    const { clock, access: door } = access(() => new Promise(() => undefined));
    const asked = door.allows(owner);
    await clock.advanceAsync(1_500);
    expect(await asked).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it('are not asked for because of people in other guilds, nor again right after a failure', async () => {
    let asked = 0;
    const { clock, access: door } = access(async () => {
      asked++;
      throw new Error('503');
    });
    expect(await door.allows({ ...owner, guildId: '2' })).toBe(false);
    expect(asked).toBe(0);
    for (let i = 0; i < 5; i++) expect(await door.allows(owner)).toBe(false);
    expect(asked).toBe(1);
    clock.advance(10_000);
    await door.allows(owner);
    expect(asked).toBe(2);
  });
});
