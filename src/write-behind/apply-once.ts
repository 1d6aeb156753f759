/**
 * At least once becomes exactly once in effect: a saver that writes down, in the very transaction that makes a change,
 * that it has made it, and makes no change twice. For writes that are not idempotent by themselves, such as increments.
 */
import { assertDatabase, assertFunction, assertText, assertType } from '../cache/arguments.ts';
import { assertKnown, type OptionNames } from '../cache/known-options.ts';
import type { SaveContext, SaveItem } from './types.ts';

/** What is used of better-sqlite3's `Database`: that of the bot, not the journal. */
export interface TargetDatabase {
  readonly inTransaction: boolean;
  prepare(source: string): { run(...parameters: readonly unknown[]): { readonly changes: number } };
  exec(source: string): unknown;
}

export interface ApplyOnceOptions {
  /** Made where there is none. @default 'idempotency' */
  readonly table?: string;
  /** How long what was applied is remembered: longer than the journal may hold a write. @default 30 days */
  readonly keepMs?: number;
  /** Epoch milliseconds. @default `Date.now` */
  readonly now?: () => number;
}

const OPTIONS: OptionNames<ApplyOnceOptions> = { table: true, keepMs: true, now: true };

const KEEP_MS = 30 * 86_400_000;
/** Forgotten in one go at most, so that a save stays quick. */
const FORGOTTEN_AT_ONCE = 500;

/**
 * A saver that applies each write once, all of a batch in one transaction.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for arguments of the wrong kind
 * @param apply makes the change of one write, in the same database
 * @example
 * const add = db.prepare('UPDATE users SET points = points + ? WHERE id = ?');
 * behind.writeBehind('points', applyOnce(db, ({ value }) => add.run(value.points, value.id)), { coalesce: false });
 */
export function applyOnce<V>(
  db: TargetDatabase,
  apply: (item: SaveItem<V>) => unknown,
  options: ApplyOnceOptions = {},
): (batch: readonly SaveItem<V>[], context: SaveContext) => void {
  const usage = 'applyOnce(db, apply)';
  assertDatabase(db, usage);
  assertFunction(apply, usage, 'apply');
  assertKnown('applyOnce', options, OPTIONS);
  const { table = 'idempotency', keepMs = KEEP_MS, now = Date.now } = options;
  assertText(table, usage, 'table', "'idempotency'");
  assertType(keepMs, 'number', usage, 'keepMs');
  assertType(now, 'function', usage, 'now');
  const name = `"${table.replaceAll('"', '""')}"`;
  db.exec(
    `CREATE TABLE IF NOT EXISTS ${name} (key TEXT PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE INDEX IF NOT EXISTS "${table.replaceAll('"', '""')}_by_age" ON ${name} (applied_at)`,
  );
  const remember = db.prepare(`INSERT OR IGNORE INTO ${name} (key, applied_at) VALUES (?, ?)`);
  const forget = db.prepare(
    `DELETE FROM ${name} WHERE key IN (SELECT key FROM ${name} WHERE applied_at < ? LIMIT ${FORGOTTEN_AT_ONCE})`,
  );
  return (batch) => {
    const at = now();
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const item of batch) {
        if (remember.run(item.idempotencyKey, at).changes > 0) apply(item);
      }
      forget.run(at - keepMs);
      db.exec('COMMIT');
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
  };
}
