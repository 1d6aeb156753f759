/** Discord's documented limits and error codes, and faults that are injected. */
import { ButtonStyle, ComponentType, Events, MessageFlags } from 'discord.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LocalDiscord } from '../../playground/discord/local-discord.ts';
import { handClock } from '../support/hand-clock.ts';
import { logIn, once, rest, startDiscord } from './discord-setup.ts';

const V2 = MessageFlags.IsComponentsV2;
const text = (content: string) => ({ type: ComponentType.TextDisplay, content });
const row = (...components: object[]) => ({ type: ComponentType.ActionRow, components });
const button = (custom_id: string, more: object = {}) => ({
  type: ComponentType.Button,
  style: ButtonStyle.Primary,
  label: 'Go',
  custom_id,
  ...more,
});
const options = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ label: `${n}`, value: `${n}` }));
const select = (more: object) => ({
  type: ComponentType.StringSelect,
  custom_id: 's',
  options: options(2),
  ...more,
});

/** What Discord says of a message in #general: the paths and codes of its errors. */
async function said(local: LocalDiscord, body: object): Promise<string[]> {
  const answer = await rest(local, 'POST', `/channels/${local.world.channels.general}/messages`, body);
  if (answer.status === 200) return [];
  expect(answer.body).toMatchObject({ code: 50035, message: 'Invalid Form Body' });
  return local.requestLog.at(-1)?.problems.map(({ path, code }) => `${path} ${code}`) ?? [];
}

describe('a message', () => {
  it.each<[string, object, string[]]>([
    ['2,000 characters of content', { content: 'x'.repeat(2000) }, []],
    ['2,001 characters of content', { content: 'x'.repeat(2001) }, ['content BASE_TYPE_MAX_LENGTH']],
    [
      '25 fields',
      { embeds: [{ fields: options(25).map(({ label }) => ({ name: label, value: label })) }] },
      [],
    ],
    [
      '26 fields',
      { embeds: [{ fields: options(26).map(({ label }) => ({ name: label, value: label })) }] },
      ['embeds.0.fields BASE_TYPE_BAD_LENGTH'],
    ],
    [
      'a field of 1,025 characters',
      { embeds: [{ fields: [{ name: 'n', value: 'x'.repeat(1025) }] }] },
      ['embeds.0.fields.0.value BASE_TYPE_MAX_LENGTH'],
    ],
    [
      'an empty field',
      { embeds: [{ fields: [{ name: 'n', value: '' }] }] },
      ['embeds.0.fields.0.value BASE_TYPE_REQUIRED'],
    ],
    [
      'embeds of 6,001 characters together',
      { embeds: [{ description: 'x'.repeat(3000) }, { description: 'x'.repeat(3001) }] },
      ['embeds MAX_EMBED_SIZE_EXCEEDED'],
    ],
    ['a button of 80 characters', { components: [row(button('a', { label: 'x'.repeat(80) }))] }, []],
    [
      'a button of 81 characters',
      { components: [row(button('a', { label: 'x'.repeat(81) }))] },
      ['components.0.components.0.label BASE_TYPE_MAX_LENGTH'],
    ],
    [
      'a custom_id of 101 characters',
      { components: [row(button('x'.repeat(101)))] },
      ['components.0.components.0.custom_id BASE_TYPE_MAX_LENGTH'],
    ],
    [
      'the same custom_id twice',
      { components: [row(button('a'), button('a'))] },
      ['components.0.components.1.custom_id COMPONENT_CUSTOM_ID_DUPLICATED'],
    ],
    ['25 options in a select', { components: [row(select({ options: options(25) }))] }, []],
    [
      '26 options in a select',
      { components: [row(select({ options: options(26) }))] },
      ['components.0.components.0.options BASE_TYPE_BAD_LENGTH'],
    ],
    [
      'a select beside a button',
      { components: [row(select({}), button('a'))] },
      ['components.0.components COMPONENT_LAYOUT_WIDTH_EXCEEDED'],
    ],
    [
      'six buttons in a row',
      { components: [row(...'abcdef'.split('').map((id) => button(id)))] },
      ['components.0.components BASE_TYPE_BAD_LENGTH'],
    ],
    [
      'a text display without the flag',
      { components: [text('x')] },
      ['components.0.type UNION_TYPE_CHOICES'],
    ],
    ['40 components', { flags: V2, components: options(40).map(() => text('x')) }, []],
    [
      '41 components, nested ones counted',
      { flags: V2, components: [{ type: 17, components: options(40).map(() => text('x')) }] },
      ['components COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED'],
    ],
    [
      '4,001 characters of text displays',
      { flags: V2, components: [text('x'.repeat(2000)), text('x'.repeat(2001))] },
      ['components COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED'],
    ],
    [
      'content beside Components V2',
      { flags: V2, content: 'x', components: [text('x')] },
      ['content MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2'],
    ],
    [
      'embeds beside Components V2',
      { flags: V2, embeds: [{ title: 'x' }], components: [text('x')] },
      ['embeds MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2'],
    ],
    [
      'a picture that nobody uploaded',
      { flags: V2, components: [{ type: 12, items: [{ media: { url: 'attachment://a.png' } }] }] },
      ['components UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND'],
    ],
  ])('with %s', async (_, body, problems) => {
    const local = await startDiscord();
    expect(await said(local, body)).toEqual(problems);
  });

  it('is measured in characters, not in UTF-16 units', async () => {
    const local = await startDiscord();
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1990, max: 2010 }), async (length) => {
        expect((await said(local, { content: '🛒'.repeat(length) })).length).toBe(length > 2000 ? 1 : 0);
      }),
      { numRuns: 10 },
    );
  });

  it('is held against the published schema where no limit of ours speaks', async () => {
    const local = await startDiscord();
    expect(await said(local, { content: 'x', tts: 'loud' })).toEqual(['tts INVALID_TYPE']);
  });

  it('may use all that there is', async () => {
    const local = await startDiscord();
    const link = { type: 2, style: ButtonStyle.Link, label: 'Read', url: 'https://example.com/' };
    const media = { url: 'https://example.com/a.png' };
    const components = [
      {
        type: 17,
        accent_color: 0x3b82f6,
        components: [
          {
            type: 9,
            components: [text('# One'), text('two')],
            accessory: button('a', { emoji: { name: '🛒' } }),
          },
          { type: 9, components: [text('three')], accessory: { type: 11, media, description: 'A picture' } },
          { type: 14, divider: true, spacing: 2 },
          { type: 12, items: [{ media, description: 'A chart' }] },
          row(select({ placeholder: 'Which', min_values: 0, max_values: 2 })),
          row({ type: 5, custom_id: 'who' }),
          row(button('b', { style: ButtonStyle.Danger, disabled: true }), link),
        ],
      },
    ];
    expect(await said(local, { flags: V2, components, allowed_mentions: { parse: [] } })).toEqual([]);
    const embed = {
      title: 'One',
      description: 'two',
      color: 1,
      url: 'https://example.com/',
      timestamp: new Date(0).toISOString(),
      footer: { text: 'three' },
      author: { name: 'four' },
      image: media,
      fields: [{ name: 'five', value: 'six', inline: true }],
    };
    expect(await said(local, { embeds: [embed], components: [row(button('a'))] })).toEqual([]);
  });

  it('must not be empty', async () => {
    const local = await startDiscord();
    const answer = await rest(local, 'POST', `/channels/${local.world.channels.general}/messages`, {});
    expect(answer).toMatchObject({ status: 400, body: { code: 50006 } });
  });

  it('keeps the Components V2 flag for good', async () => {
    const local = await startDiscord();
    const path = `/channels/${local.world.channels.general}/messages`;
    const { body } = await rest(local, 'POST', path, { flags: V2, components: [text('x')] });
    const edit = await rest(local, 'PATCH', `${path}/${body.id}`, { flags: 0, content: 'x' });
    expect(edit.body.errors.content._errors[0].code).toBe(
      'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2',
    );
  });
});

describe('commands', () => {
  const path = (local: LocalDiscord) =>
    `/applications/${local.applicationId}/guilds/${local.world.home.id}/commands`;

  it('are made once and updated by name, with a new version only for a change', async () => {
    const local = await startDiscord();
    const first = await rest(local, 'POST', path(local), { name: 'ping', description: 'One' });
    const same = await rest(local, 'POST', path(local), { name: 'ping', description: 'One' });
    const other = await rest(local, 'POST', path(local), { name: 'ping', description: 'Two' });
    expect([first.status, same.status, other.status]).toEqual([201, 200, 200]);
    expect(same.body).toEqual(first.body);
    expect(other.body.id).toBe(first.body.id);
    expect(other.body.version).not.toBe(first.body.version);
  });

  it('are gone after a bulk overwrite that does not name them', async () => {
    const local = await startDiscord();
    await rest(local, 'POST', path(local), { name: 'ping', description: 'One' });
    const { body } = await rest(local, 'PUT', path(local), [{ name: 'pong', description: 'Two' }]);
    expect(body.map((one: { name: string }) => one.name)).toEqual(['pong']);
  });

  it('show their localizations only when asked', async () => {
    const local = await startDiscord();
    await rest(local, 'POST', path(local), {
      name: 'ping',
      description: 'One',
      description_localizations: { de: 'Eins' },
    });
    expect((await rest(local, 'GET', path(local))).body[0].description_localizations).toBeUndefined();
    const full = await rest(local, 'GET', `${path(local)}?with_localizations=true`);
    expect(full.body[0].description_localizations).toEqual({ de: 'Eins' });
  });

  it.each<[string, object, string]>([
    ['a name in capitals', { name: 'Ping', description: 'x' }, 'name APPLICATION_COMMAND_INVALID_NAME'],
    ['no description', { name: 'ping', description: '' }, 'description BASE_TYPE_REQUIRED'],
    [
      'a required option after an optional one',
      {
        name: 'ping',
        description: 'x',
        options: [
          { type: 3, name: 'a', description: 'x' },
          { type: 3, name: 'b', description: 'x', required: true },
        ],
      },
      'options.1 APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
    ],
    [
      'contexts in a guild',
      { name: 'ping', description: 'x', contexts: [0] },
      'contexts APPLICATION_COMMAND_GLOBAL_ONLY',
    ],
    [
      'an unknown locale',
      { name: 'ping', description: 'x', name_localizations: { xx: 'p' } },
      'name_localizations.xx BASE_TYPE_CHOICES',
    ],
  ])('are refused with %s', async (_, body, problem) => {
    const local = await startDiscord();
    expect((await rest(local, 'POST', path(local), body)).status).toBe(400);
    expect(local.requestLog.at(-1)?.problems.map((one) => `${one.path} ${one.code}`)).toEqual([problem]);
  });

  it('are a hundred a scope (30032) and two hundred new ones a day (30034)', async () => {
    const clock = handClock();
    const local = await startDiscord({ clock });
    const many = (prefix: string) =>
      options(100).map(({ value }) => ({ name: `${prefix}${value}`, description: 'x' }));
    await rest(local, 'PUT', path(local), many('a'));
    const full = await rest(local, 'POST', path(local), { name: 'more', description: 'x' });
    expect(full.body.code).toBe(30032);
    await rest(local, 'PUT', path(local), many('b'));
    const spent = await rest(local, 'PUT', path(local), many('c'));
    expect(spent.body.code).toBe(30034);
    expect(local.registeredCommands(local.world.home.id)).toHaveLength(100);
    clock.advance(24 * 3_600_000);
    expect((await rest(local, 'PUT', path(local), many('c'))).status).toBe(200);
  });
});

describe('autocomplete', () => {
  const suggest = {
    name: 'find',
    description: 'Finds.',
    options: [{ type: 3, name: 'key', description: 'Key', autocomplete: true }],
  };

  it.each([
    ['26 choices', options(26).map(({ label, value }) => ({ name: label, value })), 'data.choices'],
    ['a value of 101 characters', [{ name: 'n', value: 'x'.repeat(101) }], 'data.choices.0.value'],
  ])('refuses %s', async (_, choices, path) => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.rest.post(`/applications/${local.applicationId}/guilds/${home.id}/commands`, {
      body: suggest,
    });
    const arrived = once(client, Events.InteractionCreate);
    const asked = local.as(people.ada.id).autocomplete(channels.ops, 'find', { key: 'p' }, 'key');
    asked.catch(() => undefined);
    const [interaction] = await arrived;
    if (!interaction.isAutocomplete()) throw new Error('it was no autocomplete');
    await expect(interaction.respond(choices)).rejects.toMatchObject({ code: 50035 });
    expect(local.requestLog.at(-1)?.problems.map((one) => one.path)).toEqual([path]);
  });

  it('cannot be deferred', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.rest.post(`/applications/${local.applicationId}/guilds/${home.id}/commands`, {
      body: suggest,
    });
    const arrived = once(client, Events.InteractionCreate);
    local
      .as(people.ada.id)
      .autocomplete(channels.ops, 'find', { key: 'p' }, 'key')
      .catch(() => undefined);
    const [{ id, token }] = await arrived;
    const answer = await rest(local, 'POST', `/interactions/${id}/${token}/callback`, { type: 5 });
    expect(answer).toMatchObject({ status: 400, body: { code: 50035 } });
  });
});

describe('error codes', () => {
  it.each([
    ['GET', '/users/1', 404, 10013],
    ['GET', '/guilds/1', 404, 10004],
    ['GET', '/channels/1', 404, 10003],
    ['POST', '/interactions/1/x/callback', 404, 10062],
    ['GET', '/nowhere', 404, 0],
  ])('%s %s is %i with %i', async (method, path, status, code) => {
    const local = await startDiscord();
    const body = method === 'POST' ? { type: 5 } : undefined;
    expect(await rest(local, method, path, body)).toMatchObject({ status, body: { code } });
  });

  it('are 401 for a wrong bot token and 50027 for a wrong webhook token', async () => {
    const local = await startDiscord();
    expect(await rest(local, 'GET', '/users/@me', undefined, 'wrong')).toMatchObject({
      status: 401,
      body: { code: 0 },
    });
    const hook = await rest(local, 'POST', `/webhooks/${local.applicationId}/wrong`, { content: 'x' });
    expect(hook).toMatchObject({ status: 401, body: { code: 50027 } });
  });

  it('are 50001 in a guild without the bot, and 10008 for a message that is not there', async () => {
    const local = await startDiscord({ world: { furtherGuilds: ['Third'] } });
    local.removeBotFrom(local.world.elsewhere.id);
    const path = `/applications/${local.applicationId}/guilds/${local.world.elsewhere.id}/commands`;
    expect((await rest(local, 'GET', path)).body.code).toBe(50001);
    expect((await rest(local, 'GET', `/channels/${local.world.channels.ops}/messages/1`)).body.code).toBe(
      10008,
    );
  });
});

describe('injected faults', () => {
  it('fail the named route as often as asked, then no more', async () => {
    const local = await startDiscord();
    local.failNext('GET /users/@me', { status: 503, times: 2 });
    const statuses = [];
    for (let n = 0; n < 3; n++) statuses.push((await rest(local, 'GET', '/users/@me')).status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  it('limit with the headers that a client waits by', async () => {
    const local = await startDiscord();
    local.failNext('/users/@me', { status: 429, retryAfter: 0.05 });
    const answer = await rest(local, 'GET', '/users/@me');
    expect(answer.headers.get('retry-after')).toBe('0.05');
    expect(answer.body).toMatchObject({ retry_after: 0.05, global: false });
  });

  it('are waited out by discord.js', async () => {
    const { local, client } = await logIn();
    local.failNext('/users/:id', { status: 429, retryAfter: 0.01 });
    expect((await client.users.fetch(local.world.people.linus.id, { force: true })).username).toBe('linus');
  });

  it('drop the socket without an answer', async () => {
    const local = await startDiscord();
    local.failNext('/users/@me', { drop: true });
    await expect(rest(local, 'GET', '/users/@me')).rejects.toThrow('fetch failed');
  });

  it('let the effect happen and lose the answer, so that the retry meets 40060', async () => {
    const { local, client } = await logIn();
    const { home, people, channels } = local.world;
    await client.application.commands.create({ name: 'ping', description: 'Answers.' }, home.id);
    const arrived = once(client, Events.InteractionCreate);
    const run = await local.as(people.ada.id).run(channels.ops, 'ping');
    const [interaction] = await arrived;
    if (!interaction.isChatInputCommand()) throw new Error('it was no command');
    local.failNext('/interactions/:id/:token/callback', { status: 502, afterEffect: true });
    await expect(interaction.reply('pong')).rejects.toMatchObject({ code: 40060 });
    expect((await run.reply()).content).toBe('pong');
  });
});

it('keeps interaction tokens out of the request log', async () => {
  const local = await startDiscord();
  await rest(local, 'POST', `/webhooks/${local.applicationId}/some-token`, { content: 'x' });
  expect(local.requestLog.at(-1)?.path).toBe(`/webhooks/${local.applicationId}/…`);
});
