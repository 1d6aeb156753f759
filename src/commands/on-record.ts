/** Puts an action on record with who did it and where. */
import type { Answerable } from './answer.ts';
import type { AuditAction, AuditEntry } from './audit-entry.ts';
import type { CommandServices } from './command.ts';

/** The line as kept; its reference may be shown. Never throws. */
export function onRecord(
  interaction: Pick<Answerable, 'user' | 'guildId' | 'channelId'>,
  services: Pick<CommandServices, 'audit'>,
  command: string,
  line: { readonly action: AuditAction; readonly target: string; readonly outcome: string },
): AuditEntry {
  return services.audit.record({
    ...line,
    command,
    userId: interaction.user.id,
    guildId: interaction.guildId,
    channelId: interaction.channelId,
  });
}
