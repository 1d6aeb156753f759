/** The front of every button: whose panel it is, and whether it still is one. Answers for those that are not. */
import type { MessageComponentInteraction, ModalSubmitInteraction } from 'discord.js';
import { answer } from './answer.ts';
import type { AdminCommandName, CommandServices } from './command.ts';
import type { Session, Sessions } from './sessions.ts';
import { alreadyDone, notYours, oldPanel } from './views/states.ts';

export interface OpenPress<State> {
  readonly interaction: MessageComponentInteraction;
  readonly action: string;
  readonly session: Session<State>;
}

/** The press, when it is on an open panel of this person; otherwise it has been answered. */
export async function openPress<State>(
  command: AdminCommandName,
  sessions: Sessions<State>,
  interaction: MessageComponentInteraction | ModalSubmitInteraction,
  parts: readonly string[],
  services: CommandServices,
): Promise<OpenPress<State> | undefined> {
  const [action = '', nonce] = parts;
  const press = sessions.press(nonce, interaction.user.id);
  const mention = services.mention;
  switch (press.kind) {
    case 'unknown':
      await answer(interaction, oldPanel(mention, command), services);
      return undefined;
    case 'not-yours':
      await answer(interaction, notYours(mention, command), services);
      return undefined;
    case 'over':
      await answer(interaction, alreadyDone(press.outcome), services);
      return undefined;
    case 'open':
      return interaction.isMessageComponent() ? { interaction, action, session: press.session } : undefined;
  }
}

/** The value picked in a select, which for people is their id; empty for a button. */
export function pickedValue(interaction: MessageComponentInteraction): string {
  return interaction.isStringSelectMenu() || interaction.isUserSelectMenu()
    ? (interaction.values[0] ?? '')
    : '';
}
