/** The four doors to our commands, all tried by one person: a command, its completion, a button and a modal. */
import {
  ApplicationCommandPermissionType,
  ButtonStyle,
  ComponentType,
  Events,
  type Interaction,
  Routes,
  TextInputStyle,
} from 'discord.js';
import { expect } from 'vitest';
import { CUSTOM_ID_PREFIX } from '../../src/commands/sessions.ts';
import { textOf } from '../commands/spoken.ts';
import type { Hosted } from './setup.ts';

/** What a person found at each door. */
export interface Doors {
  readonly command: string;
  readonly choices: number;
  readonly button: string;
  readonly modal: string;
}

/** Discord itself lets everybody to our commands in this guild, as its administrators may decide. */
export function openToEverybody({ local }: Hosted, guildId: string): void {
  for (const { id } of local.registeredCommands(guildId)) {
    local.setCommandPermissions(guildId, id, [
      { id: guildId, type: ApplicationCommandPermissionType.Role, permission: true },
    ]);
  }
}

/** Puts our commands where the plugin never would, as a host's careless deploy script may. */
export async function deployTo({ client, plugin }: Hosted, guildId: string): Promise<void> {
  for (const { data } of plugin.commands) await client.application.commands.create(data.toJSON(), guildId);
}

export async function tryDoors(hosted: Hosted, userId: string, channelId: string): Promise<Doors> {
  const { local, client } = hosted;
  const person = local.as(userId);
  const said = async (run: { reply(): Promise<unknown> }) =>
    textOf(await run.reply()).replaceAll('\u00a0', ' ');

  const command = await said(await person.run(channelId, 'cache-info'));
  const choices = await person.autocomplete(channelId, 'cache-clear', {}, 'pattern');

  // A message that everybody sees, with a button of ours and one that opens a modal of ours.
  const ours = `${CUSTOM_ID_PREFIX}cache-clear:confirm:unknown`;
  const button = (label: string, custom_id: string) => ({
    type: ComponentType.Button,
    style: ButtonStyle.Primary,
    label,
    custom_id,
  });
  const row = {
    type: ComponentType.ActionRow,
    components: [button('Clear', ours), button('Ask', 'host:ask')],
  };
  const body = { content: 'A panel', components: [row] };
  const { id } = (await client.rest.post(Routes.channelMessages(channelId), { body })) as { id: string };
  const open = (interaction: Interaction) => {
    if (!interaction.isButton() || interaction.customId !== 'host:ask') return;
    const input = { type: ComponentType.TextInput, custom_id: 'word', style: TextInputStyle.Short } as const;
    const label = { type: ComponentType.Label, label: 'Type CLEAR', component: input } as const;
    void interaction.showModal({ custom_id: ours, title: 'Sure?', components: [label] });
  };
  client.on(Events.InteractionCreate, open);
  try {
    const pressed = await said(await person.click(id, ours));
    const modal = await (await person.click(id, 'host:ask')).modal();
    const submitted = await said(await person.submitModal(modal.id, { word: 'CLEAR' }));
    return { command, choices: choices.length, button: pressed, modal: submitted };
  } finally {
    client.off(Events.InteractionCreate, open);
  }
}

export function expectOpen(doors: Doors): void {
  expect(doors.command).toContain('Cache Configuration');
  expect(doors.choices).toBeGreaterThan(0);
  expect(doors.button).toContain('Old panel');
  expect(doors.modal).toContain('Old panel');
}

export function expectShut(doors: Doors): void {
  const refusal = expect.stringContaining('Not allowed');
  expect(doors).toEqual({ command: refusal, choices: 0, button: refusal, modal: refusal });
}
