/**
 * The file beneath the disk layer: a SQLite database of its own, its tables and statements. What may be believed is
 * decided in `disk.ts`; here a row is a row. Losing the file costs warmth and nothing else.
 */
import { crc32 } from 'node:zlib';
import { CacheError } from '../../errors.ts';
import { Continuity } from './continuity.ts';
import { createPrivate, keepPrivate } from './private-file.ts';
import { sealed, unsealed } from './sealed.ts';
import type { OpenDatabase, StoreDatabase, StoreStatement } from './store-database.ts';

export type { OpenDatabase, StoreDatabase } from './store-database.ts';

/** A row of `cache_storage`. Instants are epoch milliseconds; `null` stands for never. */
export interface StoredRow {
  readonly seq: number;
  readonly namespace: string;
  readonly key: string;
  /** What the codec wrote: text for people to read, or bytes where it is compressed. */
  readonly value: string | Uint8Array;
  /** JSON; see `disk.ts`. */
  readonly metadata: string;
  readonly created_at: number;
  readonly updated_at: number;
  readonly stale_at: number | null;
  readonly expires_at: number | null;
  /** CRC-32 of all the rest: a row that does not match is damaged. */
  readonly checksum: number;
}

const VERSION = 4;

/** Nobody is served yet, and another process may be opening it, too. */
const BUSY_AT_OPENING_MS = 1_000;
/** Another process holds the file for a few milliseconds; who waits for it holds the event loop (I12). */
const BUSY_TIMEOUT_MS = 8;
/**
 * Every so many pages the log is written back into the file, by the commit that comes then. SQLite's own 1,000 pages
 * held the event loop for up to 19 ms while 100,000 entries were written, on a machine where this takes 5.
 */
const PAGES_A_CHECKPOINT = 100;

const TABLES = `
CREATE TABLE cache_storage (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  namespace TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  value BLOB NOT NULL,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  stale_at INTEGER,
  expires_at INTEGER,
  checksum INTEGER NOT NULL
);
CREATE INDEX cache_storage_expires_at ON cache_storage (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE cache_links (label TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (label, key)) WITHOUT ROWID;
CREATE INDEX cache_links_key ON cache_links (key);
CREATE TABLE cache_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

const OWN_TABLES = ['cache_storage', 'cache_links', 'cache_meta'];

export class DiskFile {
  readonly path: string;
  readonly #db: StoreDatabase;
  readonly #statements = new Map<string, StoreStatement>();
  readonly #pluckedStatements = new Map<string, StoreStatement>();
  readonly #pageBytes: number;
  readonly #continuity = new Continuity(this);
  /** Within a transaction, once it is known: nobody else writes meanwhile. */
  #lastSeq: number | undefined;

  /** @throws whatever SQLite has against the file */
  constructor(path: string, open: OpenDatabase) {
    this.path = path;
    createPrivate(path);
    this.#db = open(path);
    try {
      this.#db.pragma(`busy_timeout = ${BUSY_AT_OPENING_MS}`);
      this.#refuseForeign();
      keepPrivate(path);
      this.#db.pragma('journal_mode = WAL');
      this.#db.pragma('synchronous = NORMAL');
      this.#db.pragma(`wal_autocheckpoint = ${PAGES_A_CHECKPOINT}`);
      // What is deleted is overwritten: people have a right to it.
      this.#db.pragma('secure_delete = ON');
      this.transaction(() => this.#prepareTables());
      this.#db.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
      this.#pageBytes = Number(this.#plucked('PRAGMA page_size').get());
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** From now on nothing waits for the disk: see `power-cut.ts`. */
  writeWithoutWaiting(): void {
    this.#db.pragma('synchronous = OFF');
  }

  /** Before anything is changed: a database of something else must not be taken for a damaged cache. */
  #refuseForeign(): void {
    const found = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    const tables = this.#statement(found).pluck().all();
    if (tables.length === 0 || OWN_TABLES.every((name) => tables.includes(name))) return;
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `${this.path} is a database of something else: give the cache a file of its own.`,
    );
  }

  #prepareTables(): void {
    const version = Number(this.#db.pragma('user_version', { simple: true }));
    if (version === VERSION) return;
    const tables = Number(this.#statement('SELECT count(*) FROM sqlite_schema').pluck().get());
    if (version !== 0 || tables > 0) {
      throw new CacheError('ERR_STORE_FAILED', `${this.path} is not a cache of this version (${version}).`);
    }
    this.#db.exec(TABLES);
    this.#db.pragma(`user_version = ${VERSION}`);
  }

  /** Bytes that rows and indexes take; what is free within the file is not counted. */
  get bytes(): number {
    const pages = Number(this.#plucked('PRAGMA page_count').get());
    return (pages - Number(this.#plucked('PRAGMA freelist_count').get())) * this.#pageBytes;
  }

  get entries(): number {
    return Number(this.#plucked('SELECT count(*) FROM cache_storage').get());
  }

  /** How many rows come after a key, at most `limit`, and the key of the last of them. */
  countAfter(after: string, limit: number): { readonly rows: number; readonly last: string } {
    const sql = `SELECT count(*) AS rows, max(key) AS last
      FROM (SELECT key FROM cache_storage WHERE key > ? ORDER BY key LIMIT ?)`;
    return this.#statement(sql).get(after, limit) as { readonly rows: number; readonly last: string };
  }

  /** The number of the last row that was ever written. */
  get lastSeq(): number {
    if (this.#lastSeq !== undefined) return this.#lastSeq;
    const given = this.#plucked("SELECT seq FROM sqlite_sequence WHERE name = 'cache_storage'").get();
    const present = this.#plucked('SELECT max(seq) FROM cache_storage').get();
    const last = Math.max(Number(given ?? 0), Number(present ?? 0));
    if (this.#db.inTransaction) this.#lastSeq = last;
    return last;
  }

  /** Changes when another connection has written. */
  get dataVersion(): number {
    return Number(this.#plucked('PRAGMA data_version').get());
  }

  /** Rows that this connection has changed. */
  get changes(): number {
    return Number(this.#plucked('SELECT total_changes()').get());
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /** Runs as one writer; within a transaction, as a part of it. Undone when `work` throws. */
  transaction<T>(work: () => T): T {
    if (this.#db.inTransaction) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#lastSeq = undefined;
    try {
      this.#continuity.begin();
      const result = work();
      // SQLite ends some transactions by itself, such as when the disk is full.
      if (!this.#db.inTransaction) throw new Error('SQLite has undone the transaction.');
      const counted = this.#continuity.count();
      this.#db.exec('COMMIT');
      counted();
      return result;
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      throw error;
    } finally {
      this.#lastSeq = undefined;
    }
  }

  /** Reads what is there at one moment: no other process writes in between. */
  snapshot<T>(read: () => T): T {
    if (this.#db.inTransaction) return read();
    this.#statement('BEGIN').run();
    try {
      return read();
    } finally {
      if (this.#db.inTransaction) this.#statement('COMMIT').run();
    }
  }

  /**
   * The row as it was written, `undefined` where there is none, `'damaged'` where it is not what was written.
   * @throws CacheError `ERR_STORE_FAILED` where the file is not the one that was opened
   */
  read(key: string): StoredRow | 'damaged' | undefined {
    this.#continuity.assert();
    const row = this.#statement('SELECT * FROM cache_storage WHERE key = ?').get(key) as
      | StoredRow
      | undefined;
    if (row === undefined) return undefined;
    return row.key === key && row.checksum === checksumOf(row) ? row : 'damaged';
  }

  /** Puts a row in place of the one with its key. */
  write(row: Omit<StoredRow, 'seq' | 'checksum'>, labels: readonly string[]): void {
    this.delete(row.key);
    const seq = this.lastSeq + 1;
    this.#statement('INSERT INTO cache_storage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      seq,
      row.namespace,
      row.key,
      row.value,
      row.metadata,
      row.created_at,
      row.updated_at,
      row.stale_at,
      row.expires_at,
      checksumOf({ ...row, seq }),
    );
    if (this.#db.inTransaction) this.#lastSeq = seq;
    for (const label of labels) {
      this.#statement('INSERT OR IGNORE INTO cache_links VALUES (?, ?)').run(label, row.key);
    }
  }

  seqOf(key: string): number | undefined {
    return this.#plucked('SELECT seq FROM cache_storage WHERE key = ?').get(key) as number | undefined;
  }

  /** Whether the row is found by all of its labels. */
  isLinked(key: string, labels: readonly string[]): boolean {
    const link = this.#plucked('SELECT 1 FROM cache_links WHERE label = ? AND key = ?');
    return labels.every((label) => link.get(label, key) !== undefined);
  }

  /** @returns whether there was a row */
  delete(key: string): boolean {
    const found = this.#plucked('DELETE FROM cache_storage WHERE key = ? RETURNING 1').get(key);
    if (found === undefined) return false;
    this.#statement('DELETE FROM cache_links WHERE key = ?').run(key);
    return true;
  }

  /** Removes rows that were written longest ago. @returns how many */
  deleteOldest(limit: number): number {
    return this.#deleteRows('ORDER BY seq LIMIT ?', limit);
  }

  /** Removes links, which only damage can leave where there is no row. @returns how many */
  deleteLinks(limit: number): number {
    const sql = 'SELECT label, key FROM cache_links LIMIT ?';
    const links = this.#statement(`SELECT count(*) FROM (${sql})`).pluck().get(limit);
    this.#statement(`DELETE FROM cache_links WHERE (label, key) IN (${sql})`).run(limit);
    return Number(links);
  }

  hasExpired(nowAt: number): boolean {
    return (
      this.#plucked('SELECT 1 FROM cache_storage WHERE expires_at <= ? LIMIT 1').get(nowAt) !== undefined
    );
  }

  /** Removes rows that have had their time. @returns how many */
  deleteExpired(nowAt: number, limit: number): number {
    return this.#deleteRows('WHERE expires_at <= ? LIMIT ?', nowAt, limit);
  }

  /** By their numbers, since a key may be damaged. */
  #deleteRows(which: string, ...parameters: readonly number[]): number {
    const sql = `SELECT seq, CAST(key AS BLOB) AS bytes FROM cache_storage ${which}`;
    const rows = this.#statement(sql).all(...parameters) as {
      readonly seq: number;
      readonly bytes: Uint8Array;
    }[];
    if (rows.length === 0) return 0;
    this.transaction(() => {
      for (const { seq, bytes } of rows) {
        this.#statement('DELETE FROM cache_storage WHERE seq = ?').run(seq);
        this.#statement('DELETE FROM cache_links WHERE key = CAST(? AS TEXT)').run(bytes);
      }
    });
    return rows.length;
  }

  /** @throws CacheError `ERR_STORE_FAILED` where it is damaged */
  meta(name: string): string | undefined {
    const value = this.#plucked('SELECT value FROM cache_meta WHERE name = ?').get(name) as
      | string
      | undefined;
    return value === undefined ? undefined : unsealed(value);
  }

  /** Names that begin so. */
  metaNames(prefix: string): string[] {
    return this.#plucked('SELECT name FROM cache_meta WHERE substr(name, 1, ?) = ?').all(
      prefix.length,
      prefix,
    ) as string[];
  }

  setMeta(name: string, value: string): void {
    this.#statement(
      'INSERT INTO cache_meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    ).run(name, sealed(value));
  }

  removeMeta(name: string): void {
    this.#statement('DELETE FROM cache_meta WHERE name = ?').run(name);
  }

  /**
   * Writes the log back into the file, and empties it: deleted rows are in neither then. False where another process
   * reads what was before.
   */
  tidy(): boolean {
    return Number(this.#db.pragma('wal_checkpoint(TRUNCATE)', { simple: true })) === 0;
  }

  /** @returns what SQLite finds wrong with the file; empty when nothing is */
  check(): string[] {
    const found = this.#plucked('PRAGMA integrity_check').all() as string[];
    return found.filter((line) => line !== 'ok');
  }

  close(): void {
    if (this.#db.open) this.#db.close();
  }

  /** A statement for the tables beside the entries: see `usage-file.ts`. */
  statement(sql: string): StoreStatement {
    return this.#statement(sql);
  }

  #plucked(sql: string): StoreStatement {
    let statement = this.#pluckedStatements.get(sql);
    if (statement === undefined) {
      statement = this.#prepare(sql).pluck();
      this.#pluckedStatements.set(sql, statement);
    }
    return statement;
  }

  #statement(sql: string): StoreStatement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Numbers come as numbers, also where the host opens its databases with `defaultSafeIntegers`. */
  #prepare(sql: string): StoreStatement {
    return this.#db.prepare(sql).safeIntegers(false);
  }
}

function checksumOf(row: Omit<StoredRow, 'checksum'>): number {
  const { seq, namespace, key, metadata, created_at, updated_at, stale_at, expires_at, value } = row;
  const head = JSON.stringify([seq, namespace, key, metadata, created_at, updated_at, stale_at, expires_at]);
  return crc32(value, crc32(head));
}
