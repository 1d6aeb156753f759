/** Hosts that dispatch interactions themselves, and answer what they do not know. */
import { Events, type Interaction } from 'discord.js';
import { describe, expect, it } from 'vitest';
import { tryDoors } from './doors.ts';
import { eventually, type Hosted, type HostedOptions, host } from './setup.ts';

/** Answers everything, as a dispatcher does with what it does not know. */
async function unknown(interaction: Interaction): Promise<void> {
  if (interaction.isAutocomplete()) await interaction.respond([{ name: 'Unknown', value: 'unknown' }]);
  else if (interaction.isButton() && interaction.customId === 'host:ask') return;
  else if (interaction.isRepliable()) await interaction.reply('Unknown command!');
}

type Listen = (hosted: Hosted) => void;

/** The plugin beside a listener of the host's that was there first. */
async function beside(listen: Listen, options: HostedOptions = {}): Promise<Hosted> {
  const hosted = await host({ ...options, started: false });
  listen(hosted);
  await hosted.plugin.start(options);
  await hosted.plugin.register();
  return hosted;
}

const told = ({ log }: Hosted) => log.filter(({ level }) => level === 'warn' || level === 'error');
const ada = ({ local }: Hosted) => local.world.people.ada.id;
const ops = ({ local }: Hosted) => local.world.channels.ops;

/** What of ours arrives at each door. */
const OURS = {
  command: expect.stringContaining('Cache Configuration'),
  choices: expect.any(Number),
  button: expect.stringContaining('Old panel'),
  modal: expect.stringContaining('Old panel'),
};

describe('a host that answers what it does not know', () => {
  it.each<[string, Listen]>([
    ['at once', ({ client }) => client.on(Events.InteractionCreate, unknown)],
    [
      'after it has waited for something',
      ({ client }) =>
        client.on(Events.InteractionCreate, async (interaction) => {
          await new Promise((resolve) => setImmediate(resolve));
          await unknown(interaction);
        }),
    ],
    [
      'and lets nobody hear of its failure',
      ({ client }) => client.on(Events.InteractionCreate, (each) => void unknown(each)),
    ],
    [
      'and defers everything first',
      ({ client }) =>
        client.on(Events.InteractionCreate, async (interaction) => {
          if (!interaction.isChatInputCommand()) return;
          await interaction.deferReply();
          await interaction.editReply('Unknown command!');
        }),
    ],
    [
      'and then takes its answer back',
      ({ client }) =>
        client.on(Events.InteractionCreate, async (interaction) => {
          await unknown(interaction);
          if (interaction.isRepliable() && !('customId' in interaction)) await interaction.deleteReply();
        }),
    ],
  ])('%s, is heard after Cachecord: every answer of ours arrives', async (_, listen) => {
    const hosted = await beside(listen);
    const { local, errors } = hosted;
    hosted.plugin.cache.set('products::1', 1);
    expect(await tryDoors(hosted, ada(hosted), ops(hosted))).toEqual(OURS);
    const choices = await local
      .as(ada(hosted))
      .autocomplete(ops(hosted), 'cache-clear', { pattern: 'prod' }, 'pattern');
    expect(choices.map(({ value }) => value)).toContain('products::1');
    expect(errors).toEqual([]);
    expect(JSON.stringify(local.requestLog)).not.toContain('40060');
  });

  it('is told once why its answer did not go out, and the three ways to leave ours alone', async () => {
    const hosted = await beside(({ client }) => client.on(Events.InteractionCreate, unknown));
    await tryDoors(hosted, ada(hosted), ops(hosted));
    await tryDoors(hosted, ada(hosted), ops(hosted));
    expect(told(hosted)).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: expect.stringMatching(
          /interaction\.reply\(\) for \/cache-info.*held back.*cachecord\.handle\(interaction\).*cachecord\.commands.*listen/,
        ),
      }),
    ]);
  });

  it('still answers its own commands, buttons and completions, through the objects of discord.js as they are', async () => {
    const hosted = await beside(({ client }) => client.on(Events.InteractionCreate, unknown));
    const { local, client } = hosted;
    await client.application.commands.create({ name: 'ping', description: 'Answers.' }, local.world.home.id);
    const reply = await (await local.as(ada(hosted)).run(ops(hosted), 'ping')).reply();
    expect(reply.content).toBe('Unknown command!');
    expect(told(hosted)).toEqual([]);
  });

  it('sees on the interaction that it has been answered', async () => {
    const states: unknown[] = [];
    const hosted = await beside(({ client }) =>
      client.on(Events.InteractionCreate, async (interaction) => {
        if (!interaction.isChatInputCommand()) return;
        states.push(interaction.replied);
        await eventually(() => expect(interaction.replied).toBe(true));
        states.push(interaction.replied, interaction.ephemeral, interaction.isChatInputCommand());
      }),
    );
    await (await hosted.local.as(ada(hosted)).run(ops(hosted), 'cache-info')).reply();
    await eventually(() => expect(states).toEqual([false, true, true, true]));
    expect(told(hosted)).toEqual([]);
  });

  it('is no trouble where it listens once, or not at all', async () => {
    const hosted = await beside(({ client }) => client.once(Events.InteractionCreate, unknown));
    for (let i = 0; i < 2; i++) expect(await tryDoors(hosted, ada(hosted), ops(hosted))).toEqual(OURS);
    expect(hosted.errors).toEqual([]);
  });

  it('may go on with its own listeners after Cachecord has stopped', async () => {
    const hosted = await beside(({ client }) => client.on(Events.InteractionCreate, unknown));
    await hosted.plugin.stop();
    expect(hosted.client.listeners(Events.InteractionCreate)).toEqual([unknown]);
    const reply = await (await hosted.local.as(ada(hosted)).run(ops(hosted), 'cache-info')).reply();
    expect(reply.content).toBe('Unknown command!');
  });
});

describe('a host that is first all the same', () => {
  it('is told once, at a command, a completion, a button and a modal alike', async () => {
    const hosted = await host();
    hosted.client.prependListener(Events.InteractionCreate, unknown);
    const doors = await tryDoors(hosted, ada(hosted), ops(hosted));
    expect(doors).toMatchObject({
      command: expect.stringContaining('Unknown command!'),
      button: 'Unknown command!',
      choices: 1,
    });
    await hosted.clock.settle();
    expect(told(hosted)).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: expect.stringMatching(
          /^\/cache-info was answered before.*own dispatcher.*same token.*cachecord\.handle\(interaction\).*cachecord\.commands.*listen/,
        ),
        fields: expect.objectContaining({ code: 40_060, msSinceCreated: expect.any(Number) }),
      }),
    ]);
    expect(hosted.errors).toEqual([]);
  });

  it.each([
    [
      'a completion',
      (hosted: Hosted) =>
        hosted.local.as(ada(hosted)).autocomplete(ops(hosted), 'cache-clear', {}, 'pattern'),
    ],
    [
      'a command',
      (hosted: Hosted) => hosted.local.as(ada(hosted)).run(ops(hosted), 'cache-clear', { pattern: 'all' }),
    ],
  ])('is told where the first conflict is %s', async (_, act) => {
    const hosted = await host();
    hosted.client.prependListener(Events.InteractionCreate, unknown);
    await act(hosted);
    await eventually(() => expect(told(hosted)).toHaveLength(1));
    expect(told(hosted)[0]?.message).toContain('/cache-clear was answered before');
  });

  it('keeps its public answer: nothing that only admins may see is put into it', async () => {
    const hosted = await beside(
      ({ client, plugin }) =>
        client.on(Events.InteractionCreate, async (interaction) => {
          await unknown(interaction);
          expect(await plugin.handle(interaction)).toBe(true);
        }),
      { listen: 'none' },
    );
    const run = await hosted.local.as(ada(hosted)).run(ops(hosted), 'cache-info');
    const reply = await run.reply();
    await eventually(() => expect(told(hosted)).toHaveLength(1));
    expect(hosted.local.message(reply.id)?.content).toBe('Unknown command!');
  });
});

describe('the three ways out', () => {
  it('`handle` first in its dispatcher: true for ours, which are answered, and false for its own', async () => {
    const results: boolean[] = [];
    const hosted = await beside(
      ({ client, plugin }) =>
        client.on(Events.InteractionCreate, async (interaction) => {
          const isOurs = await plugin.handle(interaction);
          results.push(isOurs);
          if (!isOurs) await unknown(interaction);
        }),
      { listen: 'none' },
    );
    expect(await tryDoors(hosted, ada(hosted), ops(hosted))).toEqual(OURS);
    await hosted.client.application.commands.create(
      { name: 'ping', description: 'x' },
      hosted.local.world.home.id,
    );
    const reply = await (await hosted.local.as(ada(hosted)).run(ops(hosted), 'ping')).reply();
    expect(reply.content).toBe('Unknown command!');
    expect(results.filter((isOurs) => isOurs)).toHaveLength(4);
    expect(told(hosted)).toEqual([]);
  });

  it('`commands` among its own, and what follows there sees that ours is answered', async () => {
    const states: boolean[] = [];
    const hosted = await beside(({ client, plugin }) =>
      client.on(Events.InteractionCreate, async (interaction) => {
        if (!interaction.isChatInputCommand()) return;
        await plugin.commands.find(({ data }) => data.name === interaction.commandName)?.execute(interaction);
        states.push(interaction.replied);
        if (!interaction.replied) await interaction.reply('Nothing was said.');
      }),
    );
    await (await hosted.local.as(ada(hosted)).run(ops(hosted), 'cache-info')).reply();
    await eventually(() => expect(states).toEqual([true]));
    expect(told(hosted)).toEqual([]);
  });

  it.each(['all', 'components'] as const)('`commands` among its own, with listen: %s', async (listen) => {
    const hosted = await beside(
      ({ client, plugin }) => {
        const commands = new Map(plugin.commands.map((command) => [command.data.name, command]));
        client.on(Events.InteractionCreate, async (interaction) => {
          if (!interaction.isChatInputCommand()) return;
          const command = commands.get(interaction.commandName);
          if (command === undefined) await unknown(interaction);
          else await command.execute(interaction);
        });
      },
      { listen },
    );
    expect(await tryDoors(hosted, ada(hosted), ops(hosted))).toEqual(OURS);
    expect(told(hosted)).toEqual([]);
  });
});
