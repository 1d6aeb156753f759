/**
 * A person at their client. It refuses what Discord's client refuses (a command they do not see, a disabled button,
 * a missing option), and sends the rest to the bot as an interaction.
 */
import { type APIMessage, ButtonStyle, ComponentType, InteractionType, Locale } from 'discord-api-types/v10';
import { checkChosen, modalSubmission } from './client-modal.ts';
import { commandUse, gatherIds } from './client-options.ts';
import type { Commands } from './commands.ts';
import type { Interactions } from './interactions.ts';
import { type JsonRecord, stringOf } from './json.ts';
import { everyComponent } from './limits/components.ts';
import type { Messages } from './messages.ts';
import type {
  LocalGuild,
  LocalInteraction,
  ModalValue,
  OptionValue,
  Session as SessionContract,
  VisibleCommand,
} from './types.ts';
import type { World } from './world.ts';

export interface SessionParts {
  readonly world: World;
  readonly commands: Commands;
  readonly messages: Messages;
  readonly interactions: Interactions;
}

const KINDS: Readonly<Record<number, readonly ('users' | 'roles' | 'channels')[]>> = {
  [ComponentType.UserSelect]: ['users'],
  [ComponentType.RoleSelect]: ['roles'],
  [ComponentType.MentionableSelect]: ['users', 'roles'],
  [ComponentType.ChannelSelect]: ['channels'],
};

export class Session implements SessionContract {
  readonly userId: string;
  #locale: Locale = Locale.EnglishUS;
  readonly #dismissed = new Set<string>();
  readonly #parts: SessionParts;

  constructor(userId: string, parts: SessionParts) {
    if (!parts.world.users.has(userId)) throw new Error(`nobody here has the id ${userId}`);
    this.userId = userId;
    this.#parts = parts;
  }

  get locale(): Locale {
    return this.#locale;
  }

  setLocale(locale: Locale): void {
    this.#locale = locale;
  }

  guildCommands(guildId: string): VisibleCommand[] {
    return this.#parts.commands.visibleTo(guildId, this.userId);
  }

  async run(
    channelId: string,
    name: string,
    options: Readonly<Record<string, OptionValue>> = {},
  ): Promise<LocalInteraction> {
    const { guild, command, path } = this.#command(channelId, name);
    const use = commandUse(this.#parts.world, guild, { command, path, values: options });
    return this.#begin(InteractionType.ApplicationCommand, channelId, use.summary, use.data);
  }

  async autocomplete(
    channelId: string,
    name: string,
    options: Readonly<Record<string, OptionValue>>,
    focused: string,
  ) {
    const { guild, command, path } = this.#command(channelId, name);
    const values = { [focused]: '', ...options };
    const use = commandUse(this.#parts.world, guild, { command, path, values, focused });
    return this.#begin(
      InteractionType.ApplicationCommandAutocomplete,
      channelId,
      use.summary,
      use.data,
    ).choices();
  }

  async click(messageId: string, customId: string): Promise<LocalInteraction> {
    const { message, component } = this.#component(messageId, customId);
    if (component.type !== ComponentType.Button) throw new Error(`"${customId}" is no button`);
    if (component.style === ButtonStyle.Link) throw new Error(`"${customId}" is a link`);
    return this.#useComponent(message, component, `button ${stringOf(component.label) || customId}`, {});
  }

  async select(messageId: string, customId: string, values: readonly string[]): Promise<LocalInteraction> {
    const { message, component } = this.#component(messageId, customId);
    if (component.type === ComponentType.Button) throw new Error(`"${customId}" is a button, not a select`);
    const chosen = checkChosen(component, customId, values);
    const kinds = KINDS[Number(component.type)];
    const guild = this.#guild(message.channel_id);
    const resolved = kinds ? { resolved: gatherIds(this.#parts.world, guild, chosen, kinds) } : {};
    return this.#useComponent(message, component, `select ${chosen.join(', ')}`, {
      values: chosen,
      ...resolved,
    });
  }

  async submitModal(
    modalId: string,
    values: Readonly<Record<string, ModalValue>>,
  ): Promise<LocalInteraction> {
    const modal = this.#parts.interactions.modal(modalId);
    if (!modal || modal.userId !== this.userId) throw new Error('this modal is not open');
    const guild = this.#guild(modal.channelId);
    const data = modalSubmission(this.#parts.world, guild, modal.data, values);
    this.#parts.interactions.closeModal(modalId);
    const from = this.#parts.interactions.byId(modal.interactionId)?.sourceMessageId ?? null;
    const message = from === null ? undefined : this.message(from);
    return this.#begin(
      InteractionType.ModalSubmit,
      modal.channelId,
      `modal ${modal.data.title}`,
      data,
      message,
    );
  }

  dismissModal(modalId: string): void {
    if (this.#parts.interactions.modal(modalId)?.userId === this.userId)
      this.#parts.interactions.closeModal(modalId);
  }

  dismissMessage(messageId: string): void {
    const stored = this.#parts.messages.get(messageId);
    if (stored?.visibleTo !== this.userId)
      throw new Error('only an ephemeral message of yours can be dismissed');
    this.#dismissed.add(messageId);
  }

  say(channelId: string, content: string): APIMessage {
    this.#guild(channelId);
    const author = this.#parts.world.users.get(this.userId);
    if (!author) throw new Error(`nobody here has the id ${this.userId}`);
    return this.#parts.messages.create({ channelId, author, body: { content } });
  }

  messages(channelId: string): APIMessage[] {
    if (!this.sees(channelId)) return [];
    return this.#parts.messages
      .inChannel(channelId)
      .filter(({ message, visibleTo }) => this.#mayRead(message.id, visibleTo))
      .map(({ message }) => message);
  }

  message(messageId: string): APIMessage | undefined {
    const stored = this.#parts.messages.get(messageId);
    const isVisible = stored && this.sees(stored.channelId) && this.#mayRead(messageId, stored.visibleTo);
    return isVisible ? stored.message : undefined;
  }

  sees(channelId: string): boolean {
    return this.#parts.world.mayRead(channelId, this.userId);
  }

  #mayRead(messageId: string, visibleTo: string | null): boolean {
    return (visibleTo === null || visibleTo === this.userId) && !this.#dismissed.has(messageId);
  }

  /** The channel's guild, if this person may be there. */
  #guild(channelId: string): LocalGuild {
    const guild = this.#parts.world.guildOfChannel(channelId);
    if (!guild || !this.sees(channelId)) throw new Error(`${this.#name} does not see channel ${channelId}`);
    return guild;
  }

  #command(channelId: string, name: string) {
    const guild = this.#guild(channelId);
    const path = name.replace(/^\//, '').split(' ');
    const command = this.guildCommands(guild.id).find((one) => one.type === 1 && one.name === path[0]);
    if (!command) throw new Error(`${this.#name} does not see /${path[0]} in ${guild.name}`);
    return { guild, command, path };
  }

  #component(messageId: string, customId: string): { message: APIMessage; component: JsonRecord } {
    const message = this.message(messageId);
    if (!message) throw new Error(`${this.#name} does not see message ${messageId}`);
    for (const component of everyComponent(message.components)) {
      if (component.custom_id !== customId) continue;
      if (component.disabled === true) throw new Error(`"${customId}" is disabled`);
      return { message, component };
    }
    throw new Error(`message ${messageId} has no component "${customId}"`);
  }

  #useComponent(
    message: APIMessage,
    component: JsonRecord,
    summary: string,
    more: JsonRecord,
  ): LocalInteraction {
    const data = {
      id: component.id,
      custom_id: component.custom_id,
      component_type: component.type,
      ...more,
    };
    return this.#begin(InteractionType.MessageComponent, message.channel_id, summary, data, message);
  }

  #begin(type: InteractionType, channelId: string, summary: string, data: JsonRecord, message?: APIMessage) {
    return this.#parts.interactions.begin({
      type,
      userId: this.userId,
      channelId,
      locale: this.#locale,
      summary,
      data,
      ...(message ? { message: { ...message } } : {}),
    });
  }

  get #name(): string {
    return this.#parts.world.nameOf(this.userId);
  }
}
