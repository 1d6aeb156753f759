/**
 * Sending views as answers. A failed answer is logged with the delay since the interaction was made and never thrown
 * into the host: an interaction that is gone (10062) or that somebody else has answered (40060) is not retried.
 *
 * Where it is not known whether Discord took an answer (503, a connection that broke), it is sent once more. "Already
 * answered" means then that the first one arrived; what follows goes on from there, or "thinking…" would stand for ever.
 */
import {
  type ChatInputCommandInteraction,
  DiscordAPIError,
  type MessageComponentInteraction,
  MessageFlags,
  type ModalSubmitInteraction,
  RESTJSONErrorCodes,
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
  const send = () => {
    const options = messageOptions(view, services);
    return interaction.reply({ ...options, flags: [...options.flags, MessageFlags.Ephemeral] });
  };
  const arrived = async (isOurs: boolean) => {
    if (isOurs) interaction.replied = true;
    return isOurs;
  };
  return sent('reply', interaction, services, send, arrived);
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
  const send = () => interaction.deferReply({ flags: MessageFlags.Ephemeral });
  const arrived = async (isOurs: boolean) => {
    if (!isOurs && !(await isThinking(interaction))) return false;
    interaction.deferred = true;
    interaction.ephemeral = true;
    return true;
  };
  return sent('deferral', interaction, services, send, arrived);
}

/** Whether the person waits for our answer: the library may have sent a deferral twice by itself. */
async function isThinking(interaction: Answerable): Promise<boolean> {
  const { flags } = await interaction.fetchReply();
  return flags.has(MessageFlags.Loading) && flags.has(MessageFlags.Ephemeral);
}

/** Says that the message will change, before work that takes longer than Discord waits. */
export function deferUpdate(
  interaction: MessageComponentInteraction,
  services: AnswerServices,
): Promise<boolean> {
  const arrived = async () => {
    interaction.deferred = true;
    return true;
  };
  return sent('deferral', interaction, services, () => interaction.deferUpdate(), arrived);
}

/** Puts another view in place of the answer. */
export function edit(interaction: Answerable, view: View, services: AnswerServices): Promise<boolean> {
  const send = () => interaction.editReply(messageOptions(view, services));
  return sent('edit', interaction, services, send, async () => false);
}

/** Answers a press by changing the message it was on. */
export function update(
  interaction: MessageComponentInteraction,
  view: View,
  services: AnswerServices,
): Promise<boolean> {
  if (interaction.deferred || interaction.replied) return edit(interaction, view, services);
  const arrived = async () => {
    interaction.deferred = true;
    // The message is our own, whoever has acknowledged the press.
    await interaction.editReply(messageOptions(view, services));
    return true;
  };
  const send = () => interaction.update(messageOptions(view, services));
  return sent('update', interaction, services, send, arrived);
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

/**
 * Runs one request to Discord; its failure is logged and told, not thrown.
 * @param arrived makes what Discord has taken already the state of the interaction, and says whether it could; its
 * argument says that it was certainly our own. Without it the request is sent once only
 */
export async function sent(
  what: string,
  interaction: { readonly createdTimestamp: number; readonly id: string },
  services: Pick<CommandServices, 'logger' | 'conflicts'>,
  send: () => Promise<unknown>,
  arrived?: (isOurs: boolean) => Promise<boolean>,
): Promise<boolean> {
  // From Discord's clock to ours: only as good as the two agree, but what the three-second limit is measured against.
  const delayMs = Date.now() - interaction.createdTimestamp;
  const startedAt = performance.now();
  try {
    if (arrived === undefined) await send();
    else await sendForCertain(send, arrived);
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

/** @throws what Discord said last, where it has not arrived */
async function sendForCertain(
  send: () => Promise<unknown>,
  arrived: (isOurs: boolean) => Promise<boolean>,
): Promise<void> {
  try {
    await send();
  } catch (error) {
    // What Discord refuses it has not taken; of anything else that is not known.
    const isRefused = error instanceof DiscordAPIError;
    const last = isRefused ? error : await failureOf(send);
    if (last === undefined) return;
    const mayHaveArrived = isAnswered(last) || !(last instanceof DiscordAPIError);
    if (!mayHaveArrived || !(await arrived(isAnswered(last) && !isRefused))) throw last;
  }
}

async function failureOf(send: () => Promise<unknown>): Promise<unknown> {
  try {
    await send();
    return undefined;
  } catch (error) {
    return error ?? new Error('Discord gave no reason.');
  }
}

function isAnswered(error: unknown): boolean {
  return codeOf(error) === RESTJSONErrorCodes.InteractionHasAlreadyBeenAcknowledged;
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
