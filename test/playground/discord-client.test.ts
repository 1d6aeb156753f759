/** An unmodified discord.js client against the local Discord: login, interactions of every kind, answers of every kind. */
import {
  ApplicationCommandOptionType,
  ComponentType,
  Events,
  GatewayIntentBits,
  LabelBuilder,
  MessageFlags,
  ModalBuilder,
  PermissionFlagsBits,
  TextInputBuilder,
  TextInputStyle,
} from 'discord.js';
import { describe, expect, it } from 'vitest';
import { handClock } from '../support/hand-clock.ts';
import { logIn, once, rest } from './discord-setup.ts';

const PING = { name: 'ping', description: 'Answers.' };

describe('a client that logs in', () => {
  it('is ready with its user, its guilds and the application', async () => {
    const { local, client, errors } = await logIn();
    expect(client.user.id).toBe(local.applicationId);
    expect(client.guilds.cache.map((guild) => guild.name)).toEqual(['Cachecord HQ', 'Somewhere Else']);
    const application = await client.application.fetch();
    expect(application.owner?.id).toBe(local.world.people.ada.id);
    expect(errors).toEqual([]);
  });

  it('is shown the team where a team owns the application', async () => {
    const { client } = await logIn({ world: { ownership: 'team' } });
    const { owner } = await client.application.fetch();
    expect(owner && 'members' in owner && owner.members.map((member) => member.role)).toEqual([
      'admin',
      'developer',
      'read_only',
    ]);
  });

  it('reads members, roles and channels', async () => {
    const { local, client } = await logIn();
    const guild = await client.guilds.fetch(local.world.home.id);
    const grace = await guild.members.fetch(local.world.people.grace.id);
    expect(grace.permissions.has(PermissionFlagsBits.Administrator)).toBe(true);
    const linus = await guild.members.fetch(local.world.people.linus.id);
    expect(linus.permissions.has(PermissionFlagsBits.Administrator)).toBe(false);
    expect([...(await guild.channels.fetch()).values()].map((channel) => channel?.name)).toEqual([
      'general',
      'ops',
      'shop',
      'audit',
    ]);
  });
});

describe('a slash command', () => {
  it('carries member, permissions, locale, context and what its options name', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(
      {
        ...PING,
        options: [
          { type: ApplicationCommandOptionType.User, name: 'who', description: 'Whom', required: true },
          {
            type: ApplicationCommandOptionType.Integer,
            name: 'times',
            description: 'How often',
            minValue: 1,
          },
        ],
      },
      home.id,
    );
    const ada = local.as(people.ada.id);
    ada.setLocale('de' as typeof ada.locale);
    const arrived = once(client, Events.InteractionCreate);
    const run = await ada.run(channels.ops, 'ping', { who: people.linus.id, times: 3 });
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    expect(interaction.options.getMember('who')).toMatchObject({ id: people.linus.id });
    expect(interaction.options.getInteger('times')).toBe(3);
    expect(interaction.memberPermissions?.has(PermissionFlagsBits.Administrator)).toBe(true);
    expect(interaction).toMatchObject({ locale: 'de', guildLocale: 'en-US', context: 0, guildId: home.id });
    expect(interaction.attachmentSizeLimit).toBe(10 * 1024 * 1024);
    expect(interaction.authorizingIntegrationOwners['0']).toBe(home.id);
    await interaction.reply({ content: 'pong' });
    expect((await run.reply()).content).toBe('pong');
    expect(run.state).toBe('answered');
  });

  it('is deferred, edited with Components V2 and followed up, ephemerally as the deferral said', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    const run = await local.as(people.ada.id).run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    const deferral = await interaction.deferReply({ flags: MessageFlags.Ephemeral, withResponse: true });
    expect(run.state).toBe('acknowledged');
    expect(deferral.resource?.message?.flags.has(MessageFlags.Loading)).toBe(true);
    await interaction.editReply({
      flags: MessageFlags.IsComponentsV2,
      components: [{ type: ComponentType.TextDisplay, content: 'done' }],
    });
    await interaction.followUp({ content: 'and more' });
    const reply = await run.reply();
    expect(reply.flags).toBe(MessageFlags.IsComponentsV2 | MessageFlags.Ephemeral);
    expect(reply.components).toEqual([{ type: 10, content: 'done', id: 1 }]);
    expect((await run.followUp()).content).toBe('and more');
    expect(local.as(people.ada.id).messages(channels.ops)).toHaveLength(2);
    expect(
      local
        .as(people.grace.id)
        .messages(channels.ops)
        .map((one) => one.content),
    ).toEqual(['and more']);
  });

  it('takes the placeholder of a deferral for the first follow-up', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    const run = await local.as(people.ada.id).run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    await interaction.deferReply({ flags: MessageFlags.Ephemeral });
    await interaction.followUp({ content: 'meant for all' });
    expect(run.followUps).toEqual([]);
    expect((await run.reply()).flags).toBe(MessageFlags.Ephemeral);
  });

  it('fetches and deletes what it answered', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    const ada = local.as(people.ada.id);
    await ada.run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    await interaction.reply({ content: 'pong', flags: MessageFlags.Ephemeral });
    expect((await interaction.fetchReply()).content).toBe('pong');
    await interaction.deleteReply();
    expect(ada.messages(channels.ops)).toEqual([]);
    await expect(interaction.editReply('again')).rejects.toMatchObject({ code: 10008 });
  });

  it('keeps of its files those that an edit names', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    const run = await local.as(people.ada.id).run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    await interaction.reply({ content: 'x', files: [{ attachment: Buffer.from('1'), name: 'one.txt' }] });
    const first = (await run.reply()).attachments[0];
    await interaction.editReply({ files: [{ attachment: Buffer.from('2'), name: 'two.txt' }] });
    const names = (id: string) => local.message(id)?.attachments.map((one) => one.filename);
    expect(names((await run.reply()).id)).toEqual(['two.txt']);
    expect((await fetch(first?.url ?? '')).status).toBe(404);
  });

  it('asks for a picture to be shown where Components V2 brings one along', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    await local.as(people.ada.id).run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    const unseen = interaction.reply({
      flags: MessageFlags.IsComponentsV2,
      files: [{ attachment: Buffer.from('unseen'), name: 'chart.png' }],
      components: [{ type: ComponentType.TextDisplay, content: 'x' }],
    });
    await expect(unseen).rejects.toMatchObject({ code: 50035 });
    expect(local.requestLog.at(-1)?.problems[0]?.code).toBe('ATTACHMENT_NOT_REFERENCED');
  });

  it('is not answered by an update where there is no message, nor by anything with a deferral of other flags', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    await local.as(people.ada.id).run(channels.ops, 'ping');
    const [{ id, token }] = await arrived;
    for (const body of [{ type: 7 }, { type: 5, data: { flags: MessageFlags.IsComponentsV2 } }]) {
      const answer = await rest(local, 'POST', `/interactions/${id}/${token}/callback`, body);
      expect(answer).toMatchObject({ status: 400, body: { code: 50035 } });
    }
  });

  it('serves its files back and shows their addresses', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    const run = await local.as(people.ada.id).run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    await interaction.reply({
      flags: MessageFlags.IsComponentsV2,
      files: [{ attachment: Buffer.from('seen'), name: 'chart.txt' }],
      components: [{ type: ComponentType.File, file: { url: 'attachment://chart.txt' } }],
    });
    const reply = await run.reply();
    const url = reply.attachments[0]?.url ?? '';
    expect(JSON.stringify(reply.components)).toContain(url);
    expect(await (await fetch(url)).text()).toBe('seen');
  });
});

describe('components and modals', () => {
  it('updates the message that a button stands on', async () => {
    const { local, client } = await logIn();
    const { people, channels } = local.world;
    const channel = await client.channels.fetch(channels.general);
    if (!channel?.isSendable()) throw new Error('it is no text channel');
    const sent = await channel.send({
      content: 'press',
      components: [
        {
          type: ComponentType.ActionRow,
          components: [
            { type: ComponentType.Button, style: 1, label: 'Go', customId: 'go' },
            { type: ComponentType.Button, style: 1, label: 'Off', customId: 'off', disabled: true },
          ],
        },
      ],
    });
    const linus = local.as(people.linus.id);
    await expect(linus.click(sent.id, 'off')).rejects.toThrow('disabled');
    const arrived = once(client, Events.InteractionCreate);
    const press = await linus.click(sent.id, 'go');
    const [interaction] = await arrived;
    if (!interaction.isButton()) throw new Error('it was no button');
    await interaction.update({ content: 'pressed', components: [] });
    expect((await press.reply()).id).toBe(sent.id);
    expect(linus.message(sent.id)?.content).toBe('pressed');
  });

  it('hands over the values of a select, and no others than it offers', async () => {
    const { local, client } = await logIn();
    const { people, channels } = local.world;
    const channel = await client.channels.fetch(channels.general);
    if (!channel?.isSendable()) throw new Error('it is no text channel');
    const options = [
      { label: 'A', value: 'a' },
      { label: 'B', value: 'b' },
    ];
    const sent = await channel.send({
      components: [
        {
          type: ComponentType.ActionRow,
          components: [{ type: ComponentType.StringSelect, customId: 's', options }],
        },
      ],
    });
    const linus = local.as(people.linus.id);
    await expect(linus.select(sent.id, 's', ['c'])).rejects.toThrow('does not offer "c"');
    await expect(linus.select(sent.id, 's', ['a', 'b'])).rejects.toThrow('takes 1 to 1');
    const arrived = once(client, Events.InteractionCreate);
    const choice = await linus.select(sent.id, 's', ['b']);
    const [interaction] = await arrived;
    if (!interaction.isStringSelectMenu()) throw new Error('it was no select');
    expect(interaction.values).toEqual(['b']);
    await interaction.deferUpdate();
    await interaction.editReply({ content: 'chosen' });
    expect((await choice.reply()).content).toBe('chosen');
  });

  it('opens a modal and hands over what was written', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const ada = local.as(people.ada.id);
    const arrived = once(client, Events.InteractionCreate);
    const run = await ada.run(channels.ops, 'ping');
    const [command] = await arrived;
    if (!command.isChatInputCommand()) throw new Error('it was no command');
    const word = new TextInputBuilder().setCustomId('word').setStyle(TextInputStyle.Short).setMaxLength(5);
    const label = new LabelBuilder().setLabel('Type CLEAR').setTextInputComponent(word);
    const sure = new ModalBuilder().setCustomId('sure').setTitle('Are you sure?').addLabelComponents(label);
    await command.showModal(sure);
    const modal = await run.modal();
    await expect(run.reply()).rejects.toThrow('answered with a modal');
    await expect(ada.submitModal(modal.id, { word: '' })).rejects.toThrow('required');
    await expect(ada.submitModal(modal.id, { word: 'CLEARED' })).rejects.toThrow('5 or fewer');
    const submitted = once(client, Events.InteractionCreate);
    const submission = await ada.submitModal(modal.id, { word: 'CLEAR' });
    const [submit] = await submitted;
    if (!submit.isModalSubmit()) throw new Error('it was no modal');
    expect(submit.fields.getTextInputValue('word')).toBe('CLEAR');
    await submit.reply({ content: 'cleared', flags: MessageFlags.Ephemeral });
    expect((await submission.reply()).content).toBe('cleared');
    await expect(ada.submitModal(modal.id, { word: 'CLEAR' })).rejects.toThrow('not open');
  });

  it('offers the choices of an autocomplete', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    const option = {
      type: ApplicationCommandOptionType.String,
      name: 'pattern',
      description: 'What',
      autocomplete: true,
    } as const;
    await client.application.commands.create({ ...PING, options: [option] }, home.id);
    client.on(Events.InteractionCreate, async (interaction) => {
      if (!interaction.isAutocomplete()) return;
      await interaction.respond([{ name: `${interaction.options.getFocused()}ucts`, value: 'products::*' }]);
    });
    const choices = local
      .as(people.ada.id)
      .autocomplete(channels.ops, 'ping', { pattern: 'prod' }, 'pattern');
    expect(await choices).toEqual([{ name: 'products', value: 'products::*' }]);
  });
});

describe('what a client refuses to send', () => {
  it('knows who sees a command', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    const hidden = await client.application.commands.create(
      { ...PING, defaultMemberPermissions: 0n },
      home.id,
    );
    const linus = local.as(people.linus.id);
    const names = (userId: string) =>
      local
        .as(userId)
        .guildCommands(home.id)
        .map((one) => one.name);
    expect(names(people.grace.id)).toEqual(['ping']);
    expect(names(people.linus.id)).toEqual([]);
    expect(names(people.mallory.id)).toEqual([]);
    await expect(linus.run(channels.ops, 'ping')).rejects.toThrow('Linus does not see /ping');
    local.setCommandPermissions(home.id, hidden.id, [{ id: people.linus.id, type: 2, permission: true }]);
    expect(names(people.linus.id)).toEqual(['ping']);
  });

  it('checks required options, choices and bounds', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create(
      {
        ...PING,
        options: [
          {
            type: ApplicationCommandOptionType.String,
            name: 'view',
            description: 'Which',
            required: true,
            choices: [{ name: 'Tiers', value: 'tiers' }],
          },
          { type: ApplicationCommandOptionType.Integer, name: 'days', description: 'Days', maxValue: 7 },
        ],
      },
      home.id,
    );
    const ada = local.as(people.ada.id);
    await expect(ada.run(channels.ops, 'ping')).rejects.toThrow('"view" is required');
    await expect(ada.run(channels.ops, 'ping', { view: 'keys' })).rejects.toThrow('must be one of "tiers"');
    await expect(ada.run(channels.ops, 'ping', { view: 'tiers', days: 8 })).rejects.toThrow(
      'must be 7 or less',
    );
    await expect(ada.run(channels.ops, 'ping', { view: 'tiers', ways: 1 })).rejects.toThrow(
      'no option named "ways"',
    );
  });
});

describe('time', () => {
  it('fails an interaction that nobody acknowledges within 3 seconds, and refuses the late answer with 10062', async () => {
    const clock = handClock();
    const { local, client } = await logIn({ clock });
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    const run = await local.as(people.ada.id).run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    clock.advance(3000);
    await expect(run.reply()).rejects.toThrow('The application did not respond');
    expect(run.state).toBe('failed');
    await expect(interaction.reply('late')).rejects.toMatchObject({ code: 10062, status: 404 });
  });

  it('refuses a second acknowledgement with 40060, and an edit after 15 minutes with 50027', async () => {
    const clock = handClock();
    const { local, client } = await logIn({ clock });
    const { home, people, channels } = local.world;
    await client.application.commands.create(PING, home.id);
    const arrived = once(client, Events.InteractionCreate);
    await local.as(people.ada.id).run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    const answers = await Promise.allSettled([interaction.reply('one'), interaction.reply('two')]);
    expect(answers.filter((one) => one.status === 'rejected')).toMatchObject([{ reason: { code: 40060 } }]);
    clock.advance(15 * 60_000);
    await expect(interaction.editReply('much later')).rejects.toMatchObject({ code: 50027, status: 401 });
  });
});

it('I13: leaves no timer behind when it stops, and lets nobody wait', async () => {
  const clock = handClock();
  const { local, client } = await logIn({ clock });
  await client.application.commands.create(PING, local.world.home.id);
  const run = await local.as(local.world.people.ada.id).run(local.world.channels.ops, 'ping');
  expect(clock.pendingTimers).toBe(1);
  await client.destroy();
  await local.stop();
  await expect(run.reply()).rejects.toThrow('has stopped');
  expect(clock.pendingTimers).toBe(0);
});

describe('messages in channels', () => {
  it('tells a client with the message intent of what people and bots write', async () => {
    const { local, client } = await logIn({}, [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages]);
    const { people, channels } = local.world;
    const heard = once(client, Events.MessageCreate);
    local.as(people.linus.id).say(channels.general, 'secret');
    const [message] = await heard;
    expect(message.author.id).toBe(people.linus.id);
    expect(message.content).toBe('');
  });
});
