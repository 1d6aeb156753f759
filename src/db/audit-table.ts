/** The audit log's table: lines go in, the last ones come out. What a line says is the commands' affair. */
import type Database from 'better-sqlite3';

/** One line. Has the shape of the commands' `AuditEntry`, which this folder must not know. */
export interface AuditRow {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly action: 'clear' | 'warm' | 'reload' | 'view' | 'export' | 'retry' | 'drop' | 'refused';
  readonly userId: string;
  readonly guildId: string | null;
  readonly channelId: string | null;
  readonly command: string;
  readonly target: string;
  readonly outcome: string;
  readonly reference: string;
}

export interface AuditTable {
  /** @throws SqliteError when the database does not take it */
  insert(row: AuditRow): void;
  /** The last lines, newest first. */
  recent(limit: number): AuditRow[];
  /** The lines whose reply showed this reference, newest first. */
  byReference(reference: string): AuditRow[];
}

const COLUMNS =
  'at, action, user_id AS userId, guild_id AS guildId, channel_id AS channelId, command, target, outcome, reference';

export function auditTable(db: Database.Database): AuditTable {
  const insert = db.prepare<[AuditRow]>(
    `INSERT INTO audit_log (at, action, user_id, guild_id, channel_id, command, target, outcome, reference)
     VALUES (:at, :action, :userId, :guildId, :channelId, :command, :target, :outcome, :reference)`,
  );
  const recent = db.prepare<[number], AuditRow>(`SELECT ${COLUMNS} FROM audit_log ORDER BY id DESC LIMIT ?`);
  const byReference = db.prepare<[string], AuditRow>(
    `SELECT ${COLUMNS} FROM audit_log WHERE reference = ? ORDER BY id DESC LIMIT 100`,
  );
  return {
    insert: (row) => void insert.run(row),
    recent: (limit) => recent.all(limit),
    byReference: (reference) => byReference.all(reference),
  };
}
