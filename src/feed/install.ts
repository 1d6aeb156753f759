/**
 * The feed's own tables and triggers in the author's database: put there, kept as the rules are, and taken away again.
 *
 * Triggers that are there are compared with those of the rules by their whole text, so that rules of another version,
 * and triggers that were lost (a table that was rebuilt loses its own), are replaced in one transaction.
 */
import { hash, randomUUID } from 'node:crypto';
import type { CompiledRule } from './compile-rules.ts';
import { type FeedDatabase, inTransaction, quoteName, rowsOf } from './database.ts';
import { SLOTS } from './targets.ts';
import { TRIGGER_PREFIX, type Trigger, triggersOf } from './triggers.ts';

const FORMAT = 1;

const TABLES = `
  CREATE TABLE IF NOT EXISTS cache_feed (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS cache_changes (
    position INTEGER PRIMARY KEY, -- without holes, and never given twice: the last row stays
    targets TEXT NOT NULL,        -- what to invalidate, as JSON; the values of its placeholders follow
    ${SLOTS.join(', ')}
  );
  CREATE TABLE IF NOT EXISTS cache_readers (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,    -- the last change it has applied
    seen_at INTEGER NOT NULL      -- epoch milliseconds
  ) WITHOUT ROWID;
`;

const COUNT_TABLES = `SELECT count(*) AS tables FROM main.sqlite_schema
  WHERE type = 'table' AND name IN ('cache_feed', 'cache_changes', 'cache_readers')`;

/**
 * Positions go on from the last row, so that one has to stay. AUTOINCREMENT would do without it, and write a page more
 * in every transaction: of one UPDATE that costs a quarter.
 */
const KEEP_LAST: Trigger = {
  name: `${TRIGGER_PREFIX}keep_last`,
  sql: `CREATE TRIGGER ${TRIGGER_PREFIX}keep_last BEFORE DELETE ON cache_changes
    WHEN OLD.position = (SELECT max(position) FROM cache_changes)
    BEGIN SELECT RAISE(ABORT, 'the last row of cache_changes stays: readers find their place by its number'); END`,
};

function allTriggers(rules: readonly CompiledRule[]): Trigger[] {
  return [KEEP_LAST, ...rules.flatMap(triggersOf)];
}

/** What the triggers of a set of rules are called by, in `cache_feed`. */
export function fingerprintOf(rules: readonly CompiledRule[]): string {
  const all = allTriggers(rules).map(({ sql }) => sql);
  return hash('sha256', all.join('\n'), 'base64url');
}

/** Whether the database has exactly these triggers, and the tables that they need. */
export function isInstalled(db: FeedDatabase, rules: readonly CompiledRule[]): boolean {
  const [{ tables = 0 } = {}] = rowsOf(db, COUNT_TABLES);
  if (tables !== 3 || metaOf(db, 'format') !== String(FORMAT)) return false;
  const present = new Map(ourTriggers(db).map(({ name, sql }) => [name, sql]));
  const wanted = allTriggers(rules);
  return present.size === wanted.length && wanted.every(({ name, sql }) => present.get(name) === sql);
}

/** Makes the database as the rules say. Runs within a transaction. */
export function install(db: FeedDatabase, rules: readonly CompiledRule[]): void {
  db.exec(TABLES);
  db.prepare("INSERT OR IGNORE INTO cache_feed VALUES ('epoch', ?)").run(randomUUID());
  putMeta(db, 'format', String(FORMAT));
  putMeta(db, 'rules', fingerprintOf(rules));
  putMeta(db, 'installation', randomUUID());
  for (const { name } of ourTriggers(db)) db.exec(`DROP TRIGGER ${quoteName(name)}`);
  for (const { sql } of allTriggers(rules)) db.exec(sql);
}

/**
 * What the feed keeps beside its changes: `epoch` names the database, `rules` the triggers that it has, `installation`
 * the time since which it has had them without a break.
 */
export function metaOf(
  db: FeedDatabase,
  name: 'epoch' | 'rules' | 'installation' | 'format',
): string | undefined {
  const [row] = rowsOf(db, 'SELECT value FROM cache_feed WHERE name = ?', name);
  return row === undefined ? undefined : String(row.value);
}

function putMeta(db: FeedDatabase, name: string, value: string): void {
  db.prepare('INSERT OR REPLACE INTO cache_feed VALUES (?, ?)').run(name, value);
}

function ourTriggers(db: FeedDatabase): Trigger[] {
  return rowsOf(
    db,
    `SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND name GLOB '${TRIGGER_PREFIX}*'`,
  ).map(({ name, sql }) => ({ name: String(name), sql: String(sql) }));
}

/**
 * Takes all triggers and tables of the feed out of the database, in one transaction. Stop feeds that run on it first;
 * those of other processes find their tables gone, and say so.
 */
export function unwatchTables(db: FeedDatabase): void {
  inTransaction(db, () => {
    for (const { name } of ourTriggers(db)) db.exec(`DROP TRIGGER ${quoteName(name)}`);
    db.exec(
      'DROP TABLE IF EXISTS cache_changes; DROP TABLE IF EXISTS cache_readers; DROP TABLE IF EXISTS cache_feed',
    );
  });
}
