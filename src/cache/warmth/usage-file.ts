/**
 * The tables in which the use of keys outlives the process, in the file of the disk layer, beside the entries: how a key
 * is loaded and how much it was used of late (`cache_recipes`), and the same by hour of the day (`cache_hours`). A row
 * is a row here; what is written and believed is decided in `../warmth.ts`. A damaged row is no row.
 */
import { crc32 } from 'node:zlib';
import type { DiskFile } from '../layers/disk/file.ts';

export interface UsageRow {
  readonly key: string;
  readonly tier: string;
  readonly recipe: string;
  /** The arguments, as the codec wrote them. */
  readonly args: string;
  /** JSON: the tags and dependencies of its entry, so that it is forgotten with it. */
  readonly links: string;
  readonly load_micros: number;
  /** Hits that fade: see `../heat.ts`. */
  readonly heat: number;
  /** What rows are ordered by. */
  readonly worth: number;
}

/** Some rows in the order of their keys. */
export interface UsagePage {
  readonly rows: UsageRow[];
  /** Where the next page begins; `undefined` after the last. */
  readonly next: Uint8Array | undefined;
}

/** After which the first page begins. */
export const FIRST_PAGE: Uint8Array = new Uint8Array();

/** Heats that are worth something, and that can be. */
export interface HeatRange {
  readonly least: number;
  readonly most: number;
}

interface SealedRow extends UsageRow {
  readonly checksum: number;
}

const TABLES = [
  `CREATE TABLE IF NOT EXISTS cache_recipes (
    key TEXT PRIMARY KEY,
    tier TEXT NOT NULL,
    recipe TEXT NOT NULL,
    args TEXT NOT NULL,
    links TEXT NOT NULL,
    load_micros INTEGER NOT NULL,
    heat REAL NOT NULL,
    worth REAL NOT NULL,
    checksum INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS cache_hours (
    key TEXT NOT NULL,
    hour INTEGER NOT NULL,
    heat REAL NOT NULL,
    worth REAL NOT NULL,
    PRIMARY KEY (key, hour)
  ) WITHOUT ROWID`,
];

const COLUMNS = ['key', 'tier', 'recipe', 'args', 'links', 'load_micros', 'heat', 'worth', 'checksum'];
const ROW = COLUMNS.join(', ');

/** Rows read at once: 1 to 3 ms; and where they may be deleted, too. */
const PAGE = 128;
const STEP = 64;

export class UsageFile {
  readonly #file: DiskFile;
  #damaged = 0;

  /** Makes the tables where there are none, and anew where they are those of another version. */
  constructor(file: DiskFile) {
    this.#file = file;
    const columns = file.statement("SELECT group_concat(name, ', ') FROM pragma_table_info('cache_recipes')");
    const found = columns.pluck().get();
    if (found !== null && found !== ROW) {
      for (const table of ['cache_recipes', 'cache_hours'])
        file.statement(`DROP TABLE IF EXISTS ${table}`).run();
    }
    for (const table of TABLES) file.statement(table).run();
  }

  /** How many damaged rows were met since this was last asked. */
  takeDamaged(): number {
    const damaged = this.#damaged;
    this.#damaged = 0;
    return damaged;
  }

  transaction(work: () => void): void {
    this.#file.transaction(work);
  }

  get size(): number {
    return Number(this.#file.statement('SELECT count(*) FROM cache_recipes').pluck().get());
  }

  read(key: string): UsageRow | undefined {
    const row = this.#file.statement(`SELECT ${ROW} FROM cache_recipes WHERE key = ?`).get(key);
    return row === undefined ? undefined : this.#sound(row as SealedRow);
  }

  /** A page of the rows, in the order of their keys. */
  page(after: Uint8Array): UsagePage {
    // By bytes: a damaged key reads as another one, and would be found for ever.
    const sql = `SELECT ${ROW}, CAST(key AS BLOB) AS bytes FROM cache_recipes
      WHERE key > CAST(? AS TEXT) ORDER BY key LIMIT ?`;
    const found = this.#file.statement(sql).all(after, STEP) as (SealedRow & {
      readonly bytes: Uint8Array;
    })[];
    const rows = found.flatMap(({ bytes, ...row }) => this.#sound(row, bytes) ?? []);
    return { rows, next: nextPage(after, found.at(-1)?.bytes) };
  }

  /** Pages of the rows, those of most worth first; `undefined` beyond the last. */
  hottest({ least, most }: HeatRange, page: number): UsageRow[] | undefined {
    const sql = `SELECT ${ROW} FROM cache_recipes WHERE heat > ? AND heat <= ? ORDER BY worth DESC LIMIT ? OFFSET ?`;
    return this.#page(this.#file.statement(sql).all(least, most, PAGE, page * PAGE));
  }

  /** The same by what they are worth at an hour. */
  hottestAt(hour: number, { least, most }: HeatRange, page: number): UsageRow[] | undefined {
    const columns = COLUMNS.map((name) => `r.${name}`).join(', ');
    const sql = `SELECT ${columns} FROM cache_hours h JOIN cache_recipes r ON r.key = h.key
      WHERE h.hour = ? AND h.heat > ? AND h.heat <= ? ORDER BY h.worth DESC LIMIT ? OFFSET ?`;
    return this.#page(this.#file.statement(sql).all(hour, least, most, PAGE, page * PAGE));
  }

  heatAt(hour: number, key: string): number | undefined {
    const sql = 'SELECT heat FROM cache_hours WHERE key = ? AND hour = ?';
    const heat = this.#file.statement(sql).pluck().get(key, hour);
    return isHeat(heat) ? heat : undefined;
  }

  write(row: UsageRow): void {
    const { key, tier, recipe, args, links, load_micros, heat, worth } = row;
    this.#file
      .statement(`INSERT OR REPLACE INTO cache_recipes (${ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(key, tier, recipe, args, links, load_micros, heat, worth, checksumOf(row));
  }

  writeHour(row: Pick<UsageRow, 'key' | 'heat' | 'worth'> & { readonly hour: number }): void {
    const sql = 'INSERT OR REPLACE INTO cache_hours (key, hour, heat, worth) VALUES (?, ?, ?, ?)';
    this.#file.statement(sql).run(row.key, row.hour, row.heat, row.worth);
  }

  delete(key: string): void {
    this.#file.statement('DELETE FROM cache_recipes WHERE key = ?').run(key);
    this.#file.statement('DELETE FROM cache_hours WHERE key = ?').run(key);
  }

  clear(): void {
    this.#file.statement('DELETE FROM cache_recipes').run();
    this.#file.statement('DELETE FROM cache_hours').run();
  }

  /** Keeps what is as hot as that, and of it the hottest so many. */
  prune({ least, most }: HeatRange, limit: number): void {
    this.#file.transaction(() => {
      this.#file
        .statement(
          `DELETE FROM cache_recipes WHERE typeof(heat) <> 'real' OR heat < ? OR heat > ? OR key NOT IN
            (SELECT key FROM cache_recipes ORDER BY heat DESC LIMIT ?)`,
        )
        .run(least, most, limit);
      this.pruneLeft();
    });
  }

  /** Removes what is left of keys whose recipes are gone: no later `delete` would know of it. */
  pruneLeft(): void {
    this.#file.statement('DELETE FROM cache_hours WHERE key NOT IN (SELECT key FROM cache_recipes)').run();
  }

  /** The same for one hour. */
  pruneHour(hour: number, { least, most }: HeatRange, limit: number): void {
    this.#file
      .statement(
        `DELETE FROM cache_hours WHERE hour = ? AND (typeof(heat) <> 'real' OR heat < ? OR heat > ?
          OR key NOT IN (SELECT key FROM cache_hours WHERE hour = ? ORDER BY heat DESC LIMIT ?))`,
      )
      .run(hour, least, most, hour, limit);
  }

  #page(rows: readonly unknown[]): UsageRow[] | undefined {
    return rows.length === 0 ? undefined : this.#allSound(rows);
  }

  #allSound(rows: readonly unknown[]): UsageRow[] {
    return rows.flatMap((row) => this.#sound(row as SealedRow) ?? []);
  }

  /** @param bytes of its key, where they are known */
  #sound({ checksum, ...row }: SealedRow, bytes?: Uint8Array): UsageRow | undefined {
    if (isHeat(row.heat) && checksum === checksumOf(row)) return row;
    this.#damaged++;
    if (bytes === undefined) this.delete(row.key);
    else this.#file.statement('DELETE FROM cache_recipes WHERE key = CAST(? AS TEXT)').run(bytes);
    return undefined;
  }
}

function isHeat(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function checksumOf({ key, tier, recipe, args, links, load_micros, heat, worth }: UsageRow): number {
  return crc32(JSON.stringify([key, tier, recipe, args, links, load_micros, heat, worth]));
}

/** After what the next page begins; `undefined` where there is none, or damage would lead back. */
function nextPage(after: Uint8Array, last: Uint8Array | undefined): Uint8Array | undefined {
  return last !== undefined && Buffer.compare(last, after) > 0 ? last : undefined;
}
