/**
 * The feed's own tables and triggers in the author's database: put there, kept as the rules are, and taken away again.
 *
 * Triggers come in sets, one for each set of rules, and carry its name: processes of two releases, with different
 * rules, each have theirs, and both write into the same table of changes. So nobody replaces what another still needs.
 * A set goes once no running process needs it. Triggers that are there are compared with those of the rules by their
 * whole text, so that lost ones are noticed (a table that is rebuilt loses its own).
 */

import { hash, randomUUID } from 'node:crypto';
import { assertDatabase } from '../cache/arguments.ts';
import type { CompiledRule } from './compile-rules.ts';
import { type FeedDatabase, inTransaction, quoteName, rowsOf } from './database.ts';
import { SLOTS } from './targets.ts';
import { TRIGGER_PREFIX, type Trigger, triggersOf } from './triggers.ts';

const TABLES = `
  CREATE TABLE IF NOT EXISTS main.cache_feed (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS main.cache_changes (
    position INTEGER PRIMARY KEY, -- without holes, and never given twice: the last row stays
    targets TEXT NOT NULL,        -- what to invalidate, as JSON; the values of its placeholders follow
    ${SLOTS.join(', ')},
    token INTEGER NOT NULL DEFAULT (random() >> 16) -- 48 bits: tells this change from another of its position
  );
  CREATE TABLE IF NOT EXISTS main.cache_readers (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,    -- the last change it has applied
    seen_at INTEGER NOT NULL,     -- epoch milliseconds
    rules TEXT                    -- the set of triggers that it needs; NULL while it does not run
  ) WITHOUT ROWID;
`;

/** By columns, so that the tables of before tokens do not count. */
const COUNT_TABLES = `SELECT (SELECT count(*) FROM pragma_table_info('cache_changes', 'main') WHERE name = 'token')
  + (SELECT count(*) FROM pragma_table_info('cache_readers', 'main') WHERE name = 'rules')
  + (SELECT count(*) FROM pragma_table_info('cache_feed', 'main') WHERE name = 'value') AS tables`;

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

const SET_LENGTH = 8;

/** What the triggers of a set of rules are called by. */
export function setOf(rules: readonly CompiledRule[]): string {
  const all = rules.flatMap((rule) => triggersOf(rule, '')).map(({ sql }) => sql);
  return hash('sha256', all.join('\n')).slice(0, SET_LENGTH);
}

function allTriggers(rules: readonly CompiledRule[]): Trigger[] {
  const set = setOf(rules);
  return [KEEP_LAST, ...rules.flatMap((rule) => triggersOf(rule, set))];
}

/** Whether the database has the triggers of these rules, and the tables that they need. */
export function isInstalled(db: FeedDatabase, rules: readonly CompiledRule[]): boolean {
  if (!hasTables(db) || installationOf(db, setOf(rules)) === undefined) return false;
  const present = new Map(ourTriggers(db).map(({ name, sql }) => [name, sql]));
  return allTriggers(rules).every(({ name, sql }) => present.get(name) === sql);
}

function hasTables(db: FeedDatabase): boolean {
  const [{ tables = 0 } = {}] = rowsOf(db, COUNT_TABLES);
  return tables === 3;
}

/** Makes the database as the rules say, and leaves alone what others need. Runs within a transaction. */
export function install(db: FeedDatabase, rules: readonly CompiledRule[]): void {
  if (!hasTables(db)) removeAll(db);
  const set = setOf(rules);
  db.exec(TABLES);
  db.prepare("INSERT OR IGNORE INTO main.cache_feed VALUES ('epoch', ?)").run(randomUUID());
  db.prepare('INSERT OR REPLACE INTO main.cache_feed VALUES (?, ?)').run(installationName(set), randomUUID());
  for (const { name, sql } of allTriggers(rules)) {
    db.exec(`DROP TRIGGER IF EXISTS main.${quoteName(name)}`);
    // SQLite keeps the text without the name of the database. Without it, a temporary table of that name would get it.
    db.exec(sql.replace('CREATE TRIGGER ', 'CREATE TRIGGER main.'));
  }
}

/** Sets of triggers that no running process needs, as far as is known. */
export function unneededSets(db: FeedDatabase, own: string): Set<string> {
  const needed = new Set(
    rowsOf(db, 'SELECT rules FROM main.cache_readers WHERE rules IS NOT NULL').map(({ rules }) => rules),
  );
  const present = ourTriggers(db).map(({ name }) => setIn(name));
  return new Set(present.filter((set) => set !== undefined && set !== own && !needed.has(set)) as string[]);
}

/** Runs within a transaction. */
export function removeUnneeded(db: FeedDatabase, own: string): void {
  const unneeded = unneededSets(db, own);
  if (unneeded.size === 0) return;
  for (const { name } of ourTriggers(db)) {
    if (unneeded.has(setIn(name) ?? '')) db.exec(`DROP TRIGGER main.${quoteName(name)}`);
  }
  for (const set of unneeded)
    db.prepare('DELETE FROM main.cache_feed WHERE name = ?').run(installationName(set));
}

/** Names the database: another file, or a feed that was begun anew, has another. */
export function epochOf(db: FeedDatabase): string | undefined {
  return metaOf(db, 'epoch');
}

/** Names the time since which the database has had a set of triggers without a break. */
export function installationOf(db: FeedDatabase, set: string): string | undefined {
  return metaOf(db, installationName(set));
}

function installationName(set: string): string {
  return `installation:${set}`;
}

function metaOf(db: FeedDatabase, name: string): string | undefined {
  const [row] = rowsOf(db, 'SELECT value FROM main.cache_feed WHERE name = ?', name);
  return row === undefined ? undefined : String(row.value);
}

function setIn(trigger: string): string | undefined {
  if (trigger === KEEP_LAST.name) return undefined;
  return trigger.slice(TRIGGER_PREFIX.length, TRIGGER_PREFIX.length + SET_LENGTH);
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
 * @throws CacheError `ERR_ARGUMENT_INVALID` for what is no database
 */
export function unwatchTables(db: FeedDatabase): void {
  assertDatabase(db, 'unwatchTables(db)');
  inTransaction(db, () => removeAll(db));
}

function removeAll(db: FeedDatabase): void {
  for (const { name } of ourTriggers(db)) db.exec(`DROP TRIGGER main.${quoteName(name)}`);
  for (const table of ['cache_changes', 'cache_readers', 'cache_feed']) {
    db.exec(`DROP TABLE IF EXISTS main.${table}`);
  }
}
