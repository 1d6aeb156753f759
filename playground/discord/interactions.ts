/**
 * All interactions, by id and by token, and the payload that a bot is sent for one: everything that Discord's
 * documentation lists for an interaction in a guild.
 */
import {
  type APIModalInteractionResponseCallbackData,
  ApplicationIntegrationType,
  GatewayDispatchEvents,
  InteractionContextType,
  InteractionType,
  type Locale,
} from 'discord-api-types/v10';
import type { Clock } from '../../src/cache/clock.ts';
import { Interaction } from './interaction.ts';
import type { JsonRecord } from './json.ts';
import { type SnowflakeMaker, secret } from './snowflake.ts';
import type { LocalGuild, LocalModal } from './types.ts';
import type { World } from './world.ts';

/** `attachment_size_limit` of a guild without boosts: 10 MiB. */
const ATTACHMENT_SIZE_LIMIT = 10 * 1024 * 1024;

export interface InteractionDraft {
  readonly type: InteractionType;
  readonly userId: string;
  readonly channelId: string;
  readonly locale: Locale;
  readonly summary: string;
  readonly data: JsonRecord;
  /** The message whose component was used, as the person sees it. */
  readonly message?: JsonRecord & { readonly id: string };
}

export interface InteractionsParts {
  readonly world: World;
  readonly ids: SnowflakeMaker;
  readonly clock: Clock;
  changed(interaction: Interaction): void;
  opened(modal: LocalModal): void;
  dispatch(guildId: string, event: GatewayDispatchEvents, data: unknown): void;
}

export class Interactions {
  readonly #byId = new Map<string, Interaction>();
  readonly #byToken = new Map<string, Interaction>();
  readonly #modals = new Map<string, LocalModal>();
  readonly #parts: InteractionsParts;

  constructor(parts: InteractionsParts) {
    this.#parts = parts;
  }

  byId(id: string): Interaction | undefined {
    return this.#byId.get(id);
  }

  byToken(token: string): Interaction | undefined {
    return this.#byToken.get(token);
  }

  /** Sends it to the bot and starts its clock. */
  begin(draft: InteractionDraft): Interaction {
    const { world, ids, clock } = this.#parts;
    const guild = world.guildOfChannel(draft.channelId);
    if (!guild) throw new Error(`there is no channel ${draft.channelId}`);
    const interaction = new Interaction({
      id: ids(),
      token: secret(),
      type: draft.type,
      userId: draft.userId,
      channelId: draft.channelId,
      guildId: guild.id,
      summary: draft.summary,
      sourceMessageId: draft.message?.id ?? null,
      payload: { type: draft.type, data: draft.data },
      clock,
      changed: (changed) => this.#parts.changed(changed),
    });
    this.#forgetExpired();
    this.#byId.set(interaction.id, interaction);
    this.#byToken.set(interaction.token, interaction);
    this.#parts.changed(interaction);
    const payload = interactionPayload(world, guild, interaction, draft);
    this.#parts.dispatch(guild.id, GatewayDispatchEvents.InteractionCreate, payload);
    return interaction;
  }

  openModal(interaction: Interaction, data: APIModalInteractionResponseCallbackData): void {
    const modal: LocalModal = {
      id: this.#parts.ids(),
      userId: interaction.userId,
      channelId: interaction.channelId,
      interactionId: interaction.id,
      data,
    };
    this.#modals.set(modal.id, modal);
    interaction.openModal(modal);
    this.#parts.opened(modal);
  }

  modal(modalId: string): LocalModal | undefined {
    return this.#modals.get(modalId);
  }

  closeModal(modalId: string): void {
    this.#modals.delete(modalId);
  }

  /** Ids are in order of time, so the expired ones come first. */
  #forgetExpired(): void {
    for (const interaction of this.#byId.values()) {
      if (interaction.tokenIsGood) return;
      this.#byId.delete(interaction.id);
      this.#byToken.delete(interaction.token);
    }
  }

  close(): void {
    for (const interaction of this.#byId.values()) interaction.close();
  }
}

function interactionPayload(
  world: World,
  guild: LocalGuild,
  interaction: Interaction,
  draft: InteractionDraft,
) {
  const channel = guild.channels.get(draft.channelId);
  const member = guild.members.get(draft.userId);
  const permissions = world.permissions(guild, draft.userId, draft.channelId).toString();
  return {
    id: interaction.id,
    application_id: world.applicationId,
    type: draft.type,
    data: draft.data,
    guild: { id: guild.id, locale: guild.guild.preferred_locale, features: guild.guild.features },
    guild_id: guild.id,
    channel: { ...channel, permissions },
    channel_id: draft.channelId,
    member: { ...member, permissions },
    token: interaction.token,
    version: 1,
    app_permissions: world.permissions(guild, world.botUser.id, draft.channelId).toString(),
    locale: draft.locale,
    guild_locale: guild.guild.preferred_locale,
    entitlements: [],
    entitlement_sku_ids: [],
    authorizing_integration_owners: { [ApplicationIntegrationType.GuildInstall]: guild.id },
    context: InteractionContextType.Guild,
    attachment_size_limit: ATTACHMENT_SIZE_LIMIT,
    ...(draft.message ? { message: draft.message } : {}),
  };
}

/** What a message tells of the interaction that it answers. */
export function interactionMetadata(world: World, interaction: Interaction): JsonRecord {
  const user = world.users.get(interaction.userId);
  const owners = { [ApplicationIntegrationType.GuildInstall]: interaction.guildId };
  const metadata = {
    id: interaction.id,
    type: interaction.type,
    user,
    authorizing_integration_owners: owners,
    ...(interaction.sourceMessageId === null ? {} : { interacted_message_id: interaction.sourceMessageId }),
  };
  if (interaction.type !== InteractionType.ApplicationCommand) return { interaction_metadata: metadata };
  const data = interaction.payload.data as { name?: unknown }; // a command's data has a name
  return {
    interaction_metadata: metadata,
    interaction: { id: interaction.id, type: interaction.type, name: data.name, user },
  };
}
