/** A line of the audit log, as hosts keep it. */

export type AuditAction = 'clear' | 'warm' | 'reload' | 'view' | 'export' | 'retry' | 'drop' | 'refused';

/** One line of the audit log. Keys in `target` are full here and masked where the line goes to a channel. */
export interface AuditEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly action: AuditAction;
  readonly userId: string;
  readonly guildId: string | null;
  readonly channelId: string | null;
  readonly command: string;
  /** The pattern, scope or view. */
  readonly target: string;
  /** `42 entries, 1.3 MB`, `not on the allow-list`. */
  readonly outcome: string;
  /** An id such as `CA-7F3K`, which the reply shows and the log has. */
  readonly reference: string;
}
