/** Which slash commands the bot has made, as settings: one each, so that two processes never write the same one. */
import type Database from 'better-sqlite3';

/** Has the shape of the commands' `KeptCommand`, which this folder must not know. */
export interface CommandRow {
  readonly applicationId: string;
  readonly guildId: string;
  readonly id: string;
  readonly name: string;
  readonly version: string;
}

export interface CommandTable {
  all(): CommandRow[];
  /** @throws SqliteError when the database does not take it */
  keep(row: CommandRow): void;
  forget(row: Pick<CommandRow, 'id'>): void;
}

/** @param owner whose they are: the shop and the admin's commands are kept apart */
export function commandStore(db: Database.Database, owner: string): CommandTable {
  const prefix = `command/${owner}/`;
  const all = db
    .prepare<[{ prefix: string }], string>(
      'SELECT value FROM settings WHERE substr(name, 1, length(:prefix)) = :prefix ORDER BY name',
    )
    .pluck();
  const keep = db.prepare<[string, string, number]>(
    `INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
  );
  const forget = db.prepare<[string]>('DELETE FROM settings WHERE name = ?');
  return {
    all: () => all.all({ prefix }).map((value) => JSON.parse(value) as CommandRow),
    keep({ applicationId, guildId, id, name, version }) {
      const value = JSON.stringify({ applicationId, guildId, id, name, version });
      keep.run(prefix + id, value, Date.now());
    },
    forget: ({ id }) => void forget.run(prefix + id),
  };
}
