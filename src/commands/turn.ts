/**
 * The turn that a command takes before it changes something, and gives back when the person cancels. What is refused,
 * mistyped or finds nothing takes none: only the attempts are counted then, by the dispatcher.
 */
import { type Answerable, answer } from './answer.ts';
import type { AdminCommandName, CommandServices } from './command.ts';
import type { Turn } from './cooldown.ts';
import { onRecord } from './on-record.ts';
import { tooOften } from './views/states.ts';

export type TakenTurn = Extract<Turn, { readonly ok: true }>;

/** `undefined` where it is too soon: then the person has been told, and it is on record. */
export async function takeTurn(
  interaction: Answerable,
  command: AdminCommandName,
  services: CommandServices,
): Promise<TakenTurn | undefined> {
  const turn = services.takeTurn(`${interaction.user.id} ${command}`);
  if (turn.ok) return turn;
  await refuseTooSoon(interaction, command, turn.retryAt, services);
  return undefined;
}

/** @param retryAt epoch milliseconds */
export async function refuseTooSoon(
  interaction: Answerable,
  command: string,
  retryAt: number,
  services: CommandServices,
): Promise<void> {
  onRecord(interaction, services, command, {
    action: 'refused',
    target: '',
    outcome: 'too soon after the last',
  });
  await answer(interaction, tooOften(retryAt), services);
}
