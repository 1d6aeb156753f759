/**
 * What every dispatcher of slash commands does alike, the admin's and the shop's: which command is used, what is under
 * way, how a command is mentioned, and how a failure is told. Who may use what is for each of them.
 */
import type { AutocompleteInteraction, ChatInputCommandInteraction, Interaction } from 'discord.js';
import { type Answerable, type AnswerServices, answer, followUp } from './answer.ts';
import { respond } from './completion.ts';
import { incidentReference } from './incident.ts';
import { failure } from './views/states.ts';

/** A command or its completion, with the command it belongs to. */
export type CommandUse<Command> =
  | {
      readonly kind: 'command';
      readonly interaction: ChatInputCommandInteraction;
      readonly command: Command;
    }
  | {
      readonly kind: 'autocomplete';
      readonly interaction: AutocompleteInteraction;
      readonly command: Command;
    };

/** `undefined` for what is neither, or not of these commands. */
export function commandUse<Command>(
  interaction: Interaction,
  commands: ReadonlyMap<string, Command>,
): CommandUse<Command> | undefined {
  if (!interaction.isChatInputCommand() && !interaction.isAutocomplete()) return undefined;
  const command = commands.get(interaction.commandName);
  if (command === undefined) return undefined;
  return interaction.isAutocomplete()
    ? { kind: 'autocomplete', interaction, command }
    : { kind: 'command', interaction, command };
}

/** The id that a command has in a guild, where it is known. */
export type CommandIds = (guildId: string | null, name: string) => string | undefined;

/** Mentions carry the ids of the guild in which they are read: `</buy:123>`, or `` `/buy` `` where there is none. */
export function mentionsIn<Name extends string>(
  guildId: string | null,
  idOf: CommandIds,
): (name: Name) => string {
  return (name) => {
    const id = idOf(guildId, name);
    return id === undefined ? `\`/${name}\`` : `</${name}:${id}>`;
  };
}

/** What is being answered, so that an end can wait for it. */
export class UnderWay {
  readonly #running = new Set<Promise<void>>();

  /** @param work never rejects */
  async run(work: Promise<void>): Promise<void> {
    this.#running.add(work);
    await work;
    this.#running.delete(work);
  }

  /** Resolves when what is under way has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }
}

export interface Failed {
  /** Such as `A cache command failed`. */
  readonly what: string;
  readonly interaction: Answerable | AutocompleteInteraction;
  readonly command: string | undefined;
  readonly kind: string;
  readonly error: unknown;
  /** What the person may know of the cause. @default nothing */
  cause?(): Promise<string | undefined>;
}

/** Logs it under a reference, and tells the person that. A completion is answered with nothing. */
export async function tellFailure(failed: Failed, services: AnswerServices): Promise<void> {
  const { interaction, what, command, kind, error } = failed;
  const reference = incidentReference();
  services.logger.error(`${what} (${reference}).`, {
    reference,
    command,
    kind,
    userId: interaction.user.id,
    guildId: interaction.guildId,
    error,
  });
  if (interaction.isAutocomplete()) {
    if (!interaction.responded) await respond(interaction, [], services);
    return;
  }
  const send = interaction.replied ? followUp : answer;
  await send(interaction, failure(reference, await failed.cause?.()), services);
}
