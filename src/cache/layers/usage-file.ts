/**
 * The tables in which the use of keys outlives the process, in the file of the disk layer, beside the entries: how a key
 * is loaded and how much it was used of late (`cache_recipes`), and the same by hour of the day (`cache_hours`). A row
 * is a row here; what is written and believed is decided in `../warmth.ts`. A damaged row is no row.
 */
import { crc32 } from 'node:zlib';
import type { DiskFile } from './disk-file.ts';

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
    checksum INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS cache_hours (
    key TEXT NOT NULL,
    hour INTEGER NOT NULL,
    heat REAL NOT NULL,
    PRIMARY KEY (key, hour)
  ) WITHOUT ROWID`,
];

const ROW = 'key, tier, recipe, args, links, load_micros, heat, checksum';

export class UsageFile {
  readonly #file: DiskFile;
  #damaged = 0;

  /** Makes the tables where there are none. */
  constructor(file: DiskFile) {
    this.#file = file;
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

  all(): UsageRow[] {
    return this.#allSound(this.#file.statement(`SELECT ${ROW} FROM cache_recipes`).all());
  }

  /** The keys of an hour, each with its heat at that hour. */
  ofHour(hour: number): UsageRow[] {
    const sql = `SELECT r.key, tier, recipe, args, links, load_micros, r.heat, checksum, h.heat AS hour_heat
      FROM cache_hours h JOIN cache_recipes r ON r.key = h.key WHERE hour = ?`;
    const rows = this.#file.statement(sql).all(hour) as (SealedRow & { readonly hour_heat: unknown })[];
    return rows.flatMap((row) => {
      const sound = this.#sound(row);
      return sound === undefined || !isHeat(row.hour_heat) ? [] : [{ ...sound, heat: row.hour_heat }];
    });
  }

  heatAt(hour: number, key: string): number | undefined {
    const sql = 'SELECT heat FROM cache_hours WHERE key = ? AND hour = ?';
    const heat = this.#file.statement(sql).pluck().get(key, hour);
    return isHeat(heat) ? heat : undefined;
  }

  write(row: UsageRow): void {
    const { key, tier, recipe, args, links, load_micros, heat } = row;
    this.#file
      .statement(`INSERT OR REPLACE INTO cache_recipes (${ROW}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(key, tier, recipe, args, links, load_micros, heat, checksumOf(row));
  }

  writeHour(hour: number, key: string, heat: number): void {
    this.#file.statement('INSERT OR REPLACE INTO cache_hours VALUES (?, ?, ?)').run(key, hour, heat);
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
  prune({ least, most }: { readonly least: number; readonly most: number }, limit: number): void {
    this.#file
      .statement(
        `DELETE FROM cache_recipes WHERE typeof(heat) <> 'real' OR heat < ? OR heat > ? OR key NOT IN
          (SELECT key FROM cache_recipes ORDER BY heat DESC LIMIT ?)`,
      )
      .run(least, most, limit);
    // So that nothing is left which a later `delete` would not know of.
    this.#file.statement('DELETE FROM cache_hours WHERE key NOT IN (SELECT key FROM cache_recipes)').run();
  }

  /** The same for one hour. */
  pruneHour(
    hour: number,
    { least, most }: { readonly least: number; readonly most: number },
    limit: number,
  ): void {
    this.#file
      .statement(
        `DELETE FROM cache_hours WHERE hour = ? AND (typeof(heat) <> 'real' OR heat < ? OR heat > ?
          OR key NOT IN (SELECT key FROM cache_hours WHERE hour = ? ORDER BY heat DESC LIMIT ?))`,
      )
      .run(hour, least, most, hour, limit);
  }

  #allSound(rows: readonly unknown[]): UsageRow[] {
    return rows.flatMap((row) => this.#sound(row as SealedRow) ?? []);
  }

  #sound({ checksum, ...row }: SealedRow): UsageRow | undefined {
    if (isHeat(row.heat) && checksum === checksumOf(row)) return row;
    this.#damaged++;
    this.delete(row.key);
    return undefined;
  }
}

function isHeat(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function checksumOf({ key, tier, recipe, args, links, load_micros, heat }: UsageRow): number {
  return crc32(JSON.stringify([key, tier, recipe, args, links, load_micros, heat]));
}
