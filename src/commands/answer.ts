/**
 * Sending views as answers. A failed answer is logged with the delay since the interaction was made and never thrown
 * into the host: an interaction that is gone (10062) or already answered (40060) is nobody's fault and is not retried.
 */
import {
  type ChatInputCommandInteraction,
  type MessageComponentInteraction,
  MessageFlags,
  type ModalSubmitInteraction,
} from 'discord.js';
import { errorText } from '../cache/error-text.ts';
import type { CommandServices } from './command.ts';
import { ALREADY_ACKNOWLEDGED } from './conflicts.ts';
import { render } from './views/render.ts';
import type { View } from './views/view.ts';

/** Everything that can be answered with a message. */
export type Answerable = ChatInputCommandInteraction | MessageComponentInteraction | ModalSubmitInteraction;

/** What sending needs of the services. */
export type AnswerServices = Pick<CommandServices, 'config' | 'logger' | 'conflicts'>;

/** Answers whatever state the interaction is in: an ephemeral reply, or the edit that a deferral waits for. True when it arrived. */
export function answer(interaction: Answerable, view: View, services: AnswerServices): Promise<boolean> {
  if (interaction.deferred || interaction.replied) return edit(interaction, view, services);
  return sent('reply', interaction, services, () => {
    const options = messageOptions(view, services);
    return interaction.reply({ ...options, flags: [...options.flags, MessageFlags.Ephemeral] });
  });
}

/** A further ephemeral message, beside the answer. */
export function followUp(interaction: Answerable, view: View, services: AnswerServices): Promise<boolean> {
  if (!interaction.deferred && !interaction.replied) return answer(interaction, view, services);
  return sent('follow-up', interaction, services, () => {
    const options = messageOptions(view, services);
    return interaction.followUp({ ...options, flags: [...options.flags, MessageFlags.Ephemeral] });
  });
}

/** Says "thinking…" to the invoker alone. False when it did not arrive: then nobody would see what is done. */
export function defer(interaction: Answerable, services: AnswerServices): Promise<boolean> {
  return sent('deferral', interaction, services, () =>
    interaction.deferReply({ flags: MessageFlags.Ephemeral }),
  );
}

/** Says that the message will change, before work that takes longer than Discord waits. */
export function deferUpdate(
  interaction: MessageComponentInteraction,
  services: AnswerServices,
): Promise<boolean> {
  return sent('deferral', interaction, services, () => interaction.deferUpdate());
}

/** Puts another view in place of the answer. */
export function edit(interaction: Answerable, view: View, services: AnswerServices): Promise<boolean> {
  return sent('edit', interaction, services, () => interaction.editReply(messageOptions(view, services)));
}

/** Answers a press by changing the message it was on. */
export function update(
  interaction: MessageComponentInteraction,
  view: View,
  services: AnswerServices,
): Promise<boolean> {
  if (interaction.deferred || interaction.replied) return edit(interaction, view, services);
  return sent('update', interaction, services, () => interaction.update(messageOptions(view, services)));
}

function messageOptions(view: View, services: AnswerServices) {
  const body = render(view, services.config.admin.replyStyle);
  const flags: MessageFlags.IsComponentsV2[] = body.flags === 0 ? [] : [body.flags];
  return {
    flags,
    components: body.components,
    ...(body.embeds === undefined ? {} : { embeds: body.embeds }),
    allowedMentions: { parse: [] },
    ...(body.files.length === 0
      ? {}
      : { files: body.files.map((file) => ({ attachment: Buffer.from(file.text), name: file.name })) }),
  };
}

/** Runs one request to Discord; its failure is logged and told, not thrown. */
export async function sent(
  what: string,
  interaction: { readonly createdTimestamp: number; readonly id: string },
  services: Pick<CommandServices, 'logger' | 'conflicts'>,
  send: () => Promise<unknown>,
): Promise<boolean> {
  // From Discord's clock to ours: only as good as the two agree, but what the three-second limit is measured against.
  const delayMs = Date.now() - interaction.createdTimestamp;
  const startedAt = performance.now();
  try {
    await send();
    return true;
  } catch (error) {
    const code = codeOf(error);
    const fields = {
      interaction: interaction.id,
      code,
      error: errorText(error),
      msSinceCreated: Math.round(delayMs),
      requestMs: Math.round(performance.now() - startedAt),
      // Whether it was we who were late.
      eventLoopBusy: Number(performance.eventLoopUtilization().utilization.toFixed(3)),
    };
    const { conflicts } = services;
    if (code === ALREADY_ACKNOWLEDGED && conflicts !== undefined) conflicts.lost(interaction, fields);
    else services.logger.warn(`An answer (${what}) did not reach Discord.`, fields);
    return false;
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
