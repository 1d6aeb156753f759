/**
 * The turn that a command takes before it changes something. What is refused, mistyped or finds nothing takes none: only
 * the attempts are counted then, by the dispatcher.
 */
import { type Answerable, answer } from './answer.ts';
import type { AdminCommandName, CommandServices } from './command.ts';
import { onRecord } from './on-record.ts';
import { tooOften } from './views/states.ts';

/** False where it is too soon: then the person has been told, and it is on record. A press is part of a turn taken before. */
export async function hasTurn(
  interaction: Answerable,
  command: AdminCommandName,
  services: CommandServices,
): Promise<boolean> {
  if (!interaction.isChatInputCommand()) return true;
  const turn = services.takeTurn(`${interaction.user.id} ${command}`);
  if (turn.ok) return true;
  await refuseTooSoon(interaction, command, turn.retryAt, services);
  return false;
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
