/** The four commands against the local Discord, which holds every request under Discord's documented limits. */
import { type APIMessage, Client, Events, GatewayIntentBits } from 'discord.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LocalDiscord } from '../../playground/discord/local-discord.ts';
import type { Session } from '../../playground/discord/types.ts';
import { CUSTOM_ID_PREFIX } from '../../src/commands/sessions.ts';
import { type Desk, desk, fillShop } from './desk.ts';
import { find } from './discord-edge.ts';
import { textOf } from './spoken.ts';
import { warmReport, warmTask } from './stats-data.ts';

interface Room {
  readonly local: LocalDiscord;
  readonly at: Desk;
  readonly grace: Session;
  readonly channelId: string;
  /** What Discord found wrong with any request. */
  readonly problems: () => readonly unknown[];
  run(name: string, options?: Record<string, string | boolean>): Promise<APIMessage>;
  click(message: APIMessage, label: string): Promise<void>;
  pick(message: APIMessage, placeholder: string, value: string): Promise<void>;
  /** Waits until the message says this. */
  shows(message: APIMessage, text: string): Promise<void>;
}

/** A bot with a dispatcher of the plainest kind, logged in. */
async function room(configuration: object = {}): Promise<Room> {
  const local = await LocalDiscord.start();
  onTestFinished(() => local.stop());
  const at = desk(configuration);
  fillShop(at.cache);
  const client = new Client({ intents: [GatewayIntentBits.Guilds], rest: { api: local.apiUrl, retries: 0 } });
  const { commands, services } = at;
  client.on(Events.InteractionCreate, async (interaction) => {
    if (interaction.isChatInputCommand()) {
      await commands.find(({ name }) => name === interaction.commandName)?.execute(interaction, services);
    } else if (interaction.isAutocomplete()) {
      await commands
        .find(({ name }) => name === interaction.commandName)
        ?.autocomplete?.(interaction, services);
    } else if (interaction.isMessageComponent()) {
      const [command, ...parts] = interaction.customId.slice(CUSTOM_ID_PREFIX.length).split(':');
      await commands.find(({ name }) => name === command)?.component?.(interaction, parts, services);
    }
  });
  const ready = new Promise<void>((resolve) => client.once(Events.ClientReady, () => resolve()));
  await client.login(local.token);
  await ready;
  onTestFinished(async () => {
    await at.stop();
    await client.destroy();
  });
  const { home, people, channels } = local.world;
  for (const { data } of commands) await client.application?.commands.create(data, home.id);
  const grace = local.as(people.grace.id);
  return {
    local,
    at,
    grace,
    channelId: channels.ops,
    problems: () => local.requestLog.flatMap((request) => request.problems),
    run: async (name, options = {}) => (await grace.run(channels.ops, name, options)).reply(),
    async click(message, label) {
      const now = grace.message(message.id);
      await (await grace.click(message.id, find(now, label)?.custom_id ?? `no ${label}`)).acknowledged();
    },
    async pick(message, placeholder, value) {
      const now = grace.message(message.id);
      const picked = await grace.select(
        message.id,
        find(now, placeholder)?.custom_id ?? `no ${placeholder}`,
        [value],
      );
      await picked.acknowledged();
    },
    shows: (message, text) =>
      vi.waitFor(() => expect(textOf(grace.message(message.id)).replaceAll('\u00a0', ' ')).toContain(text), {
        timeout: 5_000,
        interval: 5,
      }),
  };
}

describe('on the local Discord', () => {
  it.each(['components', 'embeds'])(
    'every page and state is taken without a complaint, as %s',
    async (style) => {
      const { run, pick, click, shows, problems, at, local } = await room({ admin: { reply_style: style } });
      const stats = await run('cache-stats');
      await shows(stats, '**Entries:** 19');
      await pick(stats, 'View', 'tiers');
      await shows(stats, 'Reference — ');
      await pick(stats, 'View', 'keys');
      await shows(stats, '19 keys cached');
      await click(stats, '▶');
      await shows(stats, '11. ');
      await click(stats, '◀');
      await shows(stats, '10. ');
      await pick(stats, 'Inspect a key', '0');
      await shows(stats, '`products::p7`');
      await click(stats, 'Clear this entry');
      await shows(stats, '**Cleared 1 entry**');
      await click(stats, 'Back to the statistics');
      await shows(stats, '18 keys cached');
      await click(stats, 'Download JSON');

      const cleared = await run('cache-clear', { pattern: 'products:*' });
      await shows(cleared, '**11 entries**');
      await click(cleared, 'Clear 11 entries');
      await shows(cleared, '**Cleared 11 entries**');
      await shows(await run('cache-clear', { pattern: 'nothing::*' }), 'Nothing matches');
      await shows(await run('cache-clear'), 'What should be cleared?');
      const info = await run('cache-info');
      await shows(info, 'Cache Configuration');
      for (const [page, text] of [
        ['process', 'discord.js 14.'],
        ['tier:user', 'Cache Configuration — User'],
        ['overview', '🧭 Status'],
      ] as const) {
        await pick(info, 'More about', page);
        await shows(info, text);
      }
      await shows(await run('cache-stats', { key: 'user::123456::profle' }), 'Closest:');

      const warming = run('cache-warm', { scope: 'reference' });
      await vi.waitFor(() => expect(at.warmers.requests).toHaveLength(1));
      at.warmers.finish(warmReport({ failed: 0, tasks: [warmTask()] }));
      await shows(await warming, '🔥 Warmed: reference');
      const whom = await run('cache-warm', { scope: 'user' });
      await pick(whom, 'Choose a person', local.world.people.linus.id);
      await vi.waitFor(() => expect(at.warmers.requests).toHaveLength(2));
      expect(at.warmers.requests.at(-1)).toMatchObject({ userId: local.world.people.linus.id });
      at.warmers.finish(warmReport({ failed: 0, tasks: [warmTask()] }));
      await shows(whom, '🔥 Warmed: user');
      expect(problems()).toEqual([]);
      expect(at.warnings).toEqual([]);
    },
  );

  it('completes keys from the live cache', async () => {
    const { grace, channelId } = await room();
    const choices = await grace.autocomplete(channelId, 'cache-clear', { pattern: 'prod' }, 'pattern');
    expect(choices.map((choice) => choice.value)).toContain('products::*');
  });

  it('answers are seen by the asker alone', async () => {
    const { run, local, channelId } = await room();
    const message = await run('cache-stats');
    const linus = local.as(local.world.people.linus.id);
    expect(linus.messages(channelId).some(({ id }) => id === message.id)).toBe(false);
  });
});
