/**
 * Takes the interactions of the shop: makes the person known, checks whose button it is, and holds the error boundary.
 * Nothing that goes wrong in a command reaches the client.
 */
import type { Interaction, MessageComponentInteraction } from 'discord.js';
import { answer } from '../commands/answer.ts';
import {
  type CommandIds,
  type CommandUse,
  commandUse,
  mentionsIn,
  tellFailure,
  UnderWay,
} from '../commands/dispatching.ts';
import type { View } from '../commands/views/view.ts';
import { readShopId, type ShopCommand, type ShopCommandName, type ShopServices } from './shop-command.ts';

type Taken =
  | CommandUse<ShopCommand>
  | {
      readonly kind: 'press';
      readonly interaction: MessageComponentInteraction;
      readonly command: ShopCommand | undefined;
      readonly ownerId: string;
      readonly parts: readonly string[];
    };

export class ShopDispatcher {
  readonly #commands: ReadonlyMap<string, ShopCommand>;
  readonly #services: Omit<ShopServices, 'mention'>;
  readonly #idOf: CommandIds;
  readonly #underWay = new UnderWay();

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
    await this.#underWay.run(this.#within(taken));
    return true;
  }

  /** Resolves when what is under way has been answered. */
  idle(): Promise<void> {
    return this.#underWay.idle();
  }

  #recognise(interaction: Interaction): Taken | undefined {
    const use = commandUse(interaction, this.#commands);
    if (use !== undefined) return use;
    const id = interaction.isMessageComponent() ? readShopId(interaction.customId) : undefined;
    if (!interaction.isMessageComponent() || id === undefined) return undefined;
    const { command, userId: ownerId, parts } = id;
    return { kind: 'press', interaction, command: this.#commands.get(command), ownerId, parts };
  }

  async #within(taken: Taken): Promise<void> {
    try {
      await this.#dispatch(taken);
    } catch (error) {
      const { interaction, kind, command } = taken;
      const what = 'A command of the shop failed';
      await tellFailure({ what, interaction, kind, command: command?.name, error }, this.#services);
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

  #servicesFor({ guildId }: { readonly guildId: string | null }): ShopServices {
    return { ...this.#services, mention: mentionsIn<ShopCommandName>(guildId, this.#idOf) };
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
