/**
 * Takes the interactions that are ours: allow-list, then attempts, then the command, within the one error boundary.
 * What a command does is its own affair; nothing that goes wrong here reaches the host.
 */
import type {
  ChatInputCommandInteraction,
  Interaction,
  MessageComponentInteraction,
  ModalSubmitInteraction,
} from 'discord.js';
import { errorText } from '../cache/error-text.ts';
import { type Access, askerOf } from './access.ts';
import { answer } from './answer.ts';
import { claim } from './claim.ts';
import type { AdminCommand, AdminCommandName, CommandServices } from './command.ts';
import { respond } from './completion.ts';
import { Conflicts } from './conflicts.ts';
import type { Cooldown } from './cooldown.ts';
import { type CommandUse, commandUse, mentionsIn, tellFailure, UnderWay } from './dispatching.ts';
import { onRecord } from './on-record.ts';
import type { Registration } from './registration/registration.ts';
import { CUSTOM_ID_PREFIX } from './sessions.ts';
import { refuseTooSoon } from './turn.ts';
import { notAllowed, oldPanel, stopped } from './views/states.ts';

/** Attempts at changing something for each turn to do so: enough to mistype a few times, and a flood stays one. */
const ATTEMPTS_A_TURN = 5;

/** The prefix in every version of the format. */
const ANY_CUSTOM_ID_PREFIX = 'cacheadmin:';

export interface DispatcherOptions {
  readonly commands: readonly AdminCommand[];
  readonly services: Omit<CommandServices, 'mention' | 'isOwner' | 'takeTurn' | 'conflicts'>;
  readonly access: Access;
  readonly cooldown: Cooldown;
  /** Knows the ids of commands, for mentions. */
  readonly registration: Pick<Registration, 'idOf' | 'learn'>;
}

/** An interaction of ours and the command it belongs to. A press may belong to a command that is no more. */
type Ours =
  | CommandUse<AdminCommand>
  | {
      readonly kind: 'press';
      readonly interaction: MessageComponentInteraction | ModalSubmitInteraction;
      readonly command: AdminCommand | undefined;
      readonly parts: readonly string[];
    };

export class Dispatcher {
  readonly #commands: ReadonlyMap<string, AdminCommand>;
  readonly #services: DispatcherOptions['services'];
  readonly #access: Access;
  readonly #cooldown: Cooldown;
  readonly #attempts: Cooldown;
  readonly #registration: DispatcherOptions['registration'];
  /** A host's dispatcher and our listener may both bring the same one: it is answered once, and both wait for that. */
  readonly #taken = new WeakMap<Interaction, Promise<void>>();
  readonly #underWay = new UnderWay();
  readonly #conflicts: Conflicts;
  #isStopped = false;

  constructor({ commands, services, access, cooldown, registration }: DispatcherOptions) {
    this.#commands = new Map(commands.map((command) => [command.name, command]));
    this.#services = services;
    this.#conflicts = new Conflicts(services.logger);
    this.#access = access;
    this.#cooldown = cooldown;
    this.#attempts = cooldown.withTurns(ATTEMPTS_A_TURN);
    this.#registration = registration;
  }

  /** Answers the interaction if it is ours and not taken yet; false if it is not ours. Resolves when it is answered. Never rejects. */
  async handle(interaction: Interaction): Promise<boolean> {
    const ours = this.#recognise(interaction);
    if (ours === undefined) return false;
    await this.#once(interaction, () => this.#answer(interaction, ours));
    return true;
  }

  /**
   * The same for a listener that shares its interactions with others: one of ours cannot be answered by them from the
   * call on, in the same turn of the event loop.
   */
  async take(interaction: Interaction): Promise<boolean> {
    if (this.#recognise(interaction) === undefined) return false;
    await this.#once(interaction, async () => {
      await this.handle(claim(interaction, (method) => this.#conflicts.heldBack(interaction, method)));
    });
    return true;
  }

  async #once(interaction: Interaction, work: () => Promise<void>): Promise<void> {
    let underWay = this.#taken.get(interaction);
    if (underWay === undefined) {
      underWay = work();
      this.#taken.set(interaction, underWay);
    }
    await underWay;
  }

  async #answer(interaction: Interaction, ours: Ours): Promise<void> {
    if (isAnswered(interaction)) {
      // An edit would put what only admins may see into an answer that everybody may.
      this.#conflicts.lost(interaction, { interaction: interaction.id });
      return;
    }
    await this.#underWay.run(this.#within(ours));
  }

  /** From now on everything is answered with "stopping". Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const command of this.#commands.values()) command.stop?.();
    await this.#underWay.idle();
  }

  #recognise(interaction: Interaction): Ours | undefined {
    const use = commandUse(interaction, this.#commands);
    if (use !== undefined) return use;
    if (!interaction.isMessageComponent() && !interaction.isModalSubmit()) return undefined;
    const { customId } = interaction;
    if (!customId.startsWith(ANY_CUSTOM_ID_PREFIX)) return undefined;
    const isOfThisVersion = customId.startsWith(CUSTOM_ID_PREFIX);
    const [name = '', ...parts] = customId.slice(CUSTOM_ID_PREFIX.length).split(':');
    const command = isOfThisVersion ? this.#commands.get(name) : undefined;
    return { kind: 'press', interaction, command, parts };
  }

  /** The one error boundary. */
  async #within(ours: Ours): Promise<void> {
    const services = this.#servicesFor(ours.interaction);
    try {
      await this.#dispatch(ours, services);
    } catch (error) {
      // Only a logger that throws gets through this.
      await this.#failed(ours, error, services).catch((failure: unknown) => {
        process.emitWarning(`A cache command failed, and so did telling of it: ${String(failure)}`);
      });
    }
  }

  async #dispatch(ours: Ours, services: CommandServices): Promise<void> {
    if (!(await this.#access.allows(askerOf(ours.interaction)))) {
      this.#refused(ours, 'not on the allow-list', services);
      if (ours.kind === 'autocomplete') await respond(ours.interaction, [], services);
      else await answer(ours.interaction, notAllowed(), services);
    } else if (this.#isStopped) {
      if (ours.kind === 'autocomplete') await respond(ours.interaction, [], services);
      else await answer(ours.interaction, stopped(), services);
    } else if (ours.kind === 'command') {
      await this.#execute(ours.interaction, ours.command, services);
    } else if (ours.kind === 'autocomplete') {
      if (ours.command.autocomplete) await ours.command.autocomplete(ours.interaction, services);
      else await respond(ours.interaction, [], services);
    } else if (ours.command?.component) {
      await ours.command.component(ours.interaction, ours.parts, services);
    } else {
      await answer(
        ours.interaction,
        oldPanel(services.mention, ours.command?.name ?? 'cache-stats'),
        services,
      );
    }
  }

  async #execute(
    interaction: ChatInputCommandInteraction,
    command: AdminCommand,
    services: CommandServices,
  ): Promise<void> {
    this.#registration.learn(interaction.guildId, command.name, interaction.commandId);
    if (command.isCostly(interaction)) {
      const attempt = this.#attempts.take(`${interaction.user.id} ${command.name}`);
      if (!attempt.ok) return refuseTooSoon(interaction, command.name, attempt.retryAt, services);
    }
    await command.execute(interaction, services);
  }

  #refused(ours: Ours, outcome: string, services: CommandServices): void {
    const target = ours.kind === 'command' ? '' : ours.kind;
    onRecord(ours.interaction, services, ours.command?.name ?? 'cache', {
      action: 'refused',
      target,
      outcome,
    });
  }

  #failed({ interaction, command, kind }: Ours, error: unknown, services: CommandServices): Promise<void> {
    const cause = async () => {
      await this.#access.refresh();
      return services.isOwner(interaction.user.id) ? firstLine(error) : undefined;
    };
    const what = 'A cache command failed';
    return tellFailure({ what, interaction, command: command?.name, kind, error, cause }, services);
  }

  #servicesFor({ guildId }: { readonly guildId: string | null }): CommandServices {
    const mention = mentionsIn<AdminCommandName>(guildId, (id, name) => this.#registration.idOf(id, name));
    return {
      ...this.#services,
      conflicts: this.#conflicts,
      mention,
      takeTurn: (who) => this.#cooldown.take(who),
      isOwner: (userId) => this.#access.isOwner(userId),
    };
  }
}

function isAnswered(interaction: Interaction): boolean {
  return interaction.isAutocomplete()
    ? interaction.responded
    : interaction.isRepliable() && interaction.replied;
}

function firstLine(error: unknown): string {
  return errorText(error).split('\n', 1)[0] ?? '';
}
