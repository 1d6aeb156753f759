/** The error boundary and the cooldown: what becomes of a use that goes wrong, or comes too soon. */
import {
  type APIMessage,
  ButtonStyle,
  type ChatInputCommandInteraction,
  ComponentType,
  Events,
  MessageFlags,
  Routes,
} from 'discord.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Access, ownersOf } from '../../src/commands/access.ts';
import type { AdminCommand } from '../../src/commands/command.ts';
import { Cooldown } from '../../src/commands/cooldown.ts';
import { Dispatcher } from '../../src/commands/dispatcher.ts';
import { incidentReference } from '../../src/commands/incident.ts';
import { CUSTOM_ID_PREFIX } from '../../src/commands/sessions.ts';
import { desk } from '../commands/desk.ts';
import { textOf } from '../commands/spoken.ts';
import { logIn } from '../playground/discord-setup.ts';
import { handClock } from '../support/hand-clock.ts';
import { eventually, host, keptLog } from './setup.ts';

const REFERENCE = /CA-[2-9A-HJKMNP-Z]{4}/;

/** A dispatcher with one command that does what the test says, where Ada owns the bot and Linus is let in by his id. */
async function failing(command: Partial<AdminCommand>) {
  const { local, client, errors } = await logIn();
  const { home, people, channels } = local.world;
  const { lines, logger } = keptLog();
  const bench = desk({ admin: { guild_ids: [home.id], role_ids: [], user_ids: [] } });
  onTestFinished(() => bench.stop());
  const [first] = bench.commands;
  if (first === undefined) throw new Error('there is a first command');
  const rules = { ...bench.config.admin, allowGuildAdministrators: true };
  const fetchOwners = async () =>
    ownersOf({ owner: people.ada, team: null } as Parameters<typeof ownersOf>[0]);
  const dispatcher = new Dispatcher({
    commands: [{ ...first, ...command }],
    services: { ...bench.services, logger },
    access: new Access({ rules, clock: bench.clock, logger, fetchOwners }),
    cooldown: new Cooldown(bench.clock, 0),
    registration: { idOf: () => undefined, learn: () => undefined },
  });
  client.on(Events.InteractionCreate, (interaction) => void dispatcher.handle(interaction));
  await client.application.commands.create(first.data, home.id);
  return { local, client, errors, lines, people, channels, ops: channels.ops };
}

const secret = new Error('SQLITE_BUSY at /home/ada/bot/shop.db\nwith token abc');

describe('a command that fails', () => {
  it('answers with a reference that the log has, too, with the error', async () => {
    const { local, lines, people, ops, errors } = await failing({ execute: () => Promise.reject(secret) });
    const message = await (await local.as(people.ada.id).run(ops, 'cache-stats')).reply();
    const reference = REFERENCE.exec(textOf(message))?.[0];
    expect(reference).toBeDefined();
    expect((message.flags ?? 0) & MessageFlags.Ephemeral).toBeTruthy();
    const logged = lines.filter(({ level }) => level === 'error');
    expect(logged).toHaveLength(1);
    expect(logged[0]?.message).toContain(reference);
    expect(logged[0]?.fields).toMatchObject({ reference, command: 'cache-stats', error: secret });
    expect(errors).toEqual([]);
  });

  it('tells an owner the first line of the cause, without paths, and nobody else', async () => {
    const { local, people, ops } = await failing({ execute: () => Promise.reject(secret) });
    const forOwner = textOf(await (await local.as(people.ada.id).run(ops, 'cache-stats')).reply());
    expect(forOwner).toContain('SQLITE_BUSY');
    expect(forOwner).not.toMatch(/home|shop\.db|with token/);
    const forOperator = textOf(await (await local.as(people.grace.id).run(ops, 'cache-stats')).reply());
    expect(forOperator).toMatch(REFERENCE);
    expect(forOperator).not.toContain('SQLITE_BUSY');
  });

  it('after a deferral puts the failure where the answer was awaited', async () => {
    const { local, people, ops, errors } = await failing({
      async execute(interaction) {
        await interaction.deferReply({ flags: MessageFlags.Ephemeral });
        throw secret;
      },
    });
    const run = await local.as(people.ada.id).run(ops, 'cache-stats');
    expect(textOf(await run.reply())).toMatch(REFERENCE);
    expect(run.followUps).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('after an answer leaves it standing and tells the failure beside it', async () => {
    const { local, people, ops } = await failing({
      async execute(interaction) {
        await interaction.reply({ content: 'So far so good', flags: MessageFlags.Ephemeral });
        throw secret;
      },
    });
    const run = await local.as(people.ada.id).run(ops, 'cache-stats');
    expect((await run.reply()).content).toBe('So far so good');
    expect(textOf(await run.followUp())).toMatch(REFERENCE);
  });

  it('at a throw that is no error, and at one without words, still answers', async () => {
    let next: unknown = 'just text';
    const { local, people, ops } = await failing({ execute: () => Promise.reject(next) });
    const ada = local.as(people.ada.id);
    expect(textOf(await (await ada.run(ops, 'cache-stats')).reply())).toContain('just text');
    next = new Error('');
    expect(textOf(await (await ada.run(ops, 'cache-stats')).reply())).toMatch(REFERENCE);
    next = undefined;
    expect(textOf(await (await ada.run(ops, 'cache-stats')).reply())).toMatch(REFERENCE);
  });

  it('at a button answers beside the panel', async () => {
    const { local, client, people, ops } = await failing({ component: () => Promise.reject(secret) });
    const custom_id = `${CUSTOM_ID_PREFIX}cache-stats:page:1`;
    const button = { type: ComponentType.Button, style: ButtonStyle.Primary, label: 'Next', custom_id };
    const body = { components: [{ type: ComponentType.ActionRow, components: [button] }], content: 'Panel' };
    const panel = (await client.rest.post(Routes.channelMessages(ops), { body })) as APIMessage;
    const press = await local.as(people.ada.id).click(panel.id, custom_id);
    expect(textOf(await press.reply())).toMatch(REFERENCE);
    expect(local.message(panel.id)?.content).toBe('Panel');
  });

  it('at completion offers nothing, and the log has it', async () => {
    const { local, people, ops, lines, errors } = await failing({
      autocomplete: () => Promise.reject(secret),
    });
    const choices = await local.as(people.ada.id).autocomplete(ops, 'cache-stats', {}, 'key');
    expect(choices).toEqual([]);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(errors).toEqual([]);
  });
});

describe('an answer that Discord does not take', () => {
  it.each([
    [10062, 'Unknown interaction'],
    [40060, 'Interaction has already been acknowledged.'],
  ])('%i is logged with the measured delay, not tried again and not thrown', async (code, message) => {
    const hosted = await host();
    const { local, log, errors } = hosted;
    const { people, channels } = local.world;
    local.failNext(({ route }) => route.endsWith('/callback'), {
      status: 400,
      body: { code, message },
      times: 5,
    });
    await local.as(people.ada.id).run(channels.ops, 'cache-stats');
    const refused = () => log.filter(({ fields }) => fields.code === code);
    await eventually(() => expect(refused()).not.toHaveLength(0));
    expect(refused()[0]?.fields.msSinceCreated).toEqual(expect.any(Number));
    await hosted.clock.settle();
    expect(local.requestLog.filter(({ route }) => route.endsWith('/callback'))).toHaveLength(1);
    expect(errors).toEqual([]);
  });

  it('while a failure is told is logged beside the failure', async () => {
    const { local, lines, people, ops, errors } = await failing({ execute: () => Promise.reject(secret) });
    local.failNext(({ route }) => route.endsWith('/callback'), {
      status: 400,
      body: { code: 10062, message: 'x' },
    });
    await local.as(people.ada.id).run(ops, 'cache-stats');
    await eventually(() => expect(lines.map(({ level }) => level)).toEqual(['error', 'warn']));
    expect(errors).toEqual([]);
  });
});

describe('the cooldown', () => {
  async function clearing() {
    const hosted = await host({ admin: () => ({ allow_guild_administrators: true, cooldown: 5 }) });
    const { people, channels } = hosted.local.world;
    const clear = async (
      userId: string,
      options: Record<string, string | boolean> = { pattern: 'products:*' },
    ) => textOf(await (await hosted.local.as(userId).run(channels.ops, 'cache-clear', options)).reply());
    for (let i = 0; i < 40; i++) hosted.plugin.cache.set(`products::${i}`, i);
    return { ...hosted, people, clear };
  }

  it('keeps a second clear by the same person back until its time is over, and it is on record', async () => {
    const { people, clear, clock, audit } = await clearing();
    expect(await clear(people.ada.id)).not.toContain('Slow down');
    expect(await clear(people.ada.id)).toMatch(/Slow down.*<t:\d+:R>/s);
    expect(audit.at(-1)).toMatchObject({ action: 'refused', command: 'cache-clear', userId: people.ada.id });
    clock.advance(5_000);
    expect(await clear(people.ada.id)).not.toContain('Slow down');
  });

  it('is not used up by what is mistyped, refused or finds nothing, nor keeps that back', async () => {
    const { people, clear } = await clearing();
    expect(await clear(people.ada.id, { pattern: 'nothing::here' })).toContain('Nothing matches');
    expect(await clear(people.ada.id)).toContain('Clear cached entries?');
    expect(await clear(people.ada.id, { pattern: 'prodcts:*' })).toContain('Did you mean');
    expect(await clear(people.ada.id, { pattern: 'tier:nothing' })).toContain('no such tier');
  });

  it('I11: is used up by a flood of attempts, whatever comes of them', async () => {
    const { people, clear, clock, audit } = await clearing();
    for (let i = 0; i < 5; i++) {
      expect(await clear(people.ada.id, { pattern: 'nothing::here' })).not.toContain('Slow down');
    }
    expect(await clear(people.ada.id, { pattern: 'nothing::here' })).toContain('Slow down');
    expect(audit.at(-1)).toMatchObject({ action: 'refused', outcome: 'too soon after the last' });
    clock.advance(5_000);
    expect(await clear(people.ada.id)).not.toContain('Slow down');
  });

  it('does not concern other people, nor what only looks', async () => {
    const { people, clear } = await clearing();
    await clear(people.ada.id);
    expect(await clear(people.grace.id)).not.toContain('Slow down');
    expect(await clear(people.ada.id, { pattern: 'products:*', preview: true })).not.toContain('Slow down');
    expect(await clear(people.ada.id, {})).not.toContain('Slow down');
  });

  it('remembers a bounded number of people, and forgets those whose time is over', () => {
    const clock = handClock();
    const cooldown = new Cooldown(clock, 1_000, { limit: 100 });
    for (let i = 0; i < 10_000; i++) cooldown.take(String(i));
    expect(cooldown.size).toBe(100);
    expect(cooldown.take('9999')).toEqual({ ok: false, retryAt: clock.epochAt(1_000) });
    clock.advance(1_000);
    expect(cooldown.take('9999')).toEqual({ ok: true });
    expect(cooldown.size).toBe(1);
  });

  it('of 0 is never in the way', () => {
    const cooldown = new Cooldown(handClock(), 0);
    expect([cooldown.take('1'), cooldown.take('1')]).toEqual([{ ok: true }, { ok: true }]);
    expect(cooldown.size).toBe(0);
  });
});

describe('who dispatches', () => {
  it('answers once where both the host and the listener bring an interaction', async () => {
    const { local, client, plugin, log, clock } = await host();
    const { people, channels } = local.world;
    client.on(Events.InteractionCreate, (interaction) => {
      const command = plugin.commands.find(
        ({ data }) => interaction.isCommand() && data.name === interaction.commandName,
      );
      // What dispatchers hand over is a chat command by its name.
      void command?.execute(interaction as ChatInputCommandInteraction);
    });
    const run = await local.as(people.ada.id).run(channels.ops, 'cache-info');
    expect(textOf(await run.reply())).toContain('Cache Configuration');
    const callbacks = () => local.requestLog.filter(({ route }) => route.endsWith('/callback'));
    await eventually(() => expect(callbacks()).toHaveLength(1));
    await clock.settle();
    expect(callbacks()).toHaveLength(1);
    expect(log.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it("leaves the host's own interactions alone", async () => {
    const { local, client, plugin } = await host();
    const { people, channels, home } = local.world;
    await client.application.commands.create({ name: 'ping', description: 'Answers.' }, home.id);
    const seen: boolean[] = [];
    client.on(Events.InteractionCreate, async (interaction) => {
      seen.push(await plugin.handle(interaction));
      if (interaction.isChatInputCommand()) await interaction.reply('Pong!');
    });
    expect((await (await local.as(people.linus.id).run(channels.general, 'ping')).reply()).content).toBe(
      'Pong!',
    );
    expect(seen).toEqual([false]);
  });

  it('answers a button of an older version of the panels with "old panel"', async () => {
    const { local, client } = await host();
    const { people, channels } = local.world;
    const custom_id = 'cacheadmin:0:cache-clear:confirm:x';
    const button = { type: ComponentType.Button, style: ButtonStyle.Primary, label: 'Clear', custom_id };
    const body = { components: [{ type: ComponentType.ActionRow, components: [button] }], content: 'Panel' };
    const panel = (await client.rest.post(Routes.channelMessages(channels.ops), { body })) as APIMessage;
    const press = await local.as(people.ada.id).click(panel.id, custom_id);
    expect(textOf(await press.reply())).toContain('Old panel');
  });
});

describe('a reference', () => {
  it('has no letter or digit that is mistaken for another', () => {
    for (let i = 0; i < 1_000; i++) expect(incidentReference()).toMatch(/^CA-[2-9A-HJKMNP-Z]{4}$/);
  });
});
