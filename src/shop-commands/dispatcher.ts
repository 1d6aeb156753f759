/**
 * Takes the interactions of the shop: makes the person known, checks whose button it is, and holds the error boundary.
 * Nothing that goes wrong in a command reaches the client.
 */
import type {
  AutocompleteInteraction,
  ChatInputCommandInteraction,
  Interaction,
  MessageComponentInteraction,
} from 'discord.js';
import { answer, followUp } from '../commands/answer.ts';
import { respond } from '../commands/completion.ts';
import { incidentReference } from '../commands/incident.ts';
import { failure } from '../commands/views/states.ts';
import type { View } from '../commands/views/view.ts';
import { readShopId, type ShopCommand, type ShopCommandName, type ShopServices } from './shop-command.ts';

type Taken =
  | {
      readonly kind: 'command';
      readonly interaction: ChatInputCommandInteraction;
      readonly command: ShopCommand;
    }
  | {
      readonly kind: 'autocomplete';
      readonly interaction: AutocompleteInteraction;
      readonly command: ShopCommand;
    }
  | {
      readonly kind: 'press';
      readonly interaction: MessageComponentInteraction;
      readonly command: ShopCommand | undefined;
      readonly ownerId: string;
      readonly parts: readonly string[];
    };

/** The id that a command has in a guild, where it is known. */
export type CommandIds = (guildId: string | null, name: string) => string | undefined;

export class ShopDispatcher {
  readonly #commands: ReadonlyMap<string, ShopCommand>;
  readonly #services: Omit<ShopServices, 'mention'>;
  readonly #idOf: CommandIds;
  readonly #running = new Set<Promise<void>>();

  constructor(
    commands: readonly ShopCommand[],
    services: Omit<ShopServices, 'mention'>,
    idOf: CommandIds = () => undefined,
  ) {
    this.#commands = new Map(commands.map((command) => [command.name, command]));
    this.#services = services;
    this.#idOf = idOf;
  }

  /** Answers what is the shop's; false for everything else. Never rejects. */
  async handle(interaction: Interaction): Promise<boolean> {
    const taken = this.#recognise(interaction);
    if (taken === undefined) return false;
    const run = this.#within(taken);
    this.#running.add(run);
    await run;
    this.#running.delete(run);
    return true;
  }

  /** Resolves when what is under way has been answered. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #recognise(interaction: Interaction): Taken | undefined {
    if (interaction.isChatInputCommand() || interaction.isAutocomplete()) {
      const command = this.#commands.get(interaction.commandName);
      if (command === undefined) return undefined;
      return interaction.isAutocomplete()
        ? { kind: 'autocomplete', interaction, command }
        : { kind: 'command', interaction, command };
    }
    const id = interaction.isMessageComponent() ? readShopId(interaction.customId) : undefined;
    if (!interaction.isMessageComponent() || id === undefined) return undefined;
    const { command, userId: ownerId, parts } = id;
    return { kind: 'press', interaction, command: this.#commands.get(command), ownerId, parts };
  }

  async #within(taken: Taken): Promise<void> {
    try {
      await this.#dispatch(taken);
    } catch (error) {
      await this.#failed(taken, error);
    }
  }

  async #dispatch(taken: Taken): Promise<void> {
    const { interaction } = taken;
    const services = this.#servicesFor(interaction);
    if (taken.kind === 'autocomplete') {
      await taken.command.autocomplete?.(taken.interaction, services);
      return;
    }
    if (taken.kind === 'press' && taken.ownerId !== interaction.user.id) {
      await answer(taken.interaction, notYours(), services);
      return;
    }
    services.shop.ensureUser(interaction.user.id, interaction.user.displayName);
    if (taken.kind === 'command') await taken.command.execute(taken.interaction, services);
    else if (taken.command?.component)
      await taken.command.component(taken.interaction, taken.parts, services);
    else await answer(taken.interaction, unknownButton(), services);
  }

  async #failed({ kind, interaction, command }: Taken, error: unknown): Promise<void> {
    const reference = incidentReference();
    this.#services.logger.error(`A command of the shop failed (${reference}).`, {
      reference,
      command: command?.name,
      kind,
      userId: interaction.user.id,
      error,
    });
    if (interaction.isAutocomplete()) {
      if (!interaction.responded) await respond(interaction, [], this.#services);
      return;
    }
    const send = interaction.replied ? followUp : answer;
    await send(interaction, failure(reference), this.#services);
  }

  /** Mentions carry the ids of the guild in which they are read. */
  #servicesFor({ guildId }: { readonly guildId: string | null }): ShopServices {
    const mention = (name: ShopCommandName) => {
      const id = this.#idOf(guildId, name);
      return id === undefined ? `\`/${name}\`` : `</${name}:${id}>`;
    };
    return { ...this.#services, mention };
  }
}

function notYours(): View {
  const lines = ['Somebody else opened this. Run the command yourself for your own.'];
  return { tone: 'degraded', title: '🔒 Not yours', blocks: [{ lines }] };
}

function unknownButton(): View {
  const lines = ['This button is of an older version of the bot. Run the command again.'];
  return { tone: 'degraded', title: '🕰️ Old button', blocks: [{ lines }] };
}
