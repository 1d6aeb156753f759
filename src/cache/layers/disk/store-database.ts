/** What the disk layer uses of better-sqlite3's `Database`, and what it makes of SQLite's errors. */
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CacheError } from '../../errors.ts';
import { sqliteCode } from '../../sqlite-error.ts';

export interface StoreDatabase {
  readonly open: boolean;
  readonly inTransaction: boolean;
  prepare(source: string): StoreStatement;
  exec(source: string): unknown;
  pragma(source: string, options?: { readonly simple?: boolean }): unknown;
  close(): unknown;
}

export interface StoreStatement {
  run(...parameters: readonly unknown[]): unknown;
  get(...parameters: readonly unknown[]): unknown;
  all(...parameters: readonly unknown[]): unknown[];
  iterate(...parameters: readonly unknown[]): IterableIterator<unknown>;
  pluck(): StoreStatement;
  safeIntegers(on?: boolean): StoreStatement;
}

export type OpenDatabase = (path: string) => StoreDatabase;

/**
 * Whether an error says that the file itself is not usable, rather than the moment. No statement of ours breaks a
 * constraint of our tables, nor misses one of them, unless something else has changed them.
 */
export function isDamage(error: unknown): boolean {
  if (error instanceof CacheError) return error.code === 'ERR_STORE_FAILED';
  const code = sqliteCode(error);
  if (code === 'SQLITE_ERROR') return /^no such (?:table|column)/.test((error as Error).message);
  return /^SQLITE_(?:CORRUPT|NOTADB|FORMAT|CONSTRAINT)/.test(code);
}

/** So many damaged files are kept for people to look at, and for so long: they may hold what is to be forgotten. */
const KEPT_ASIDE = 3;
const KEPT_ASIDE_MS = 7 * 86_400_000;

/** Gives a file another name, dated, beside where it was, and removes the oldest of many such. @returns that name */
export function setAside(path: string, nowAt: number): string {
  const aside = asideName(path, nowAt);
  renameSync(path, aside);
  removeDatabase(path);
  for (const earlier of filesAside(path).slice(0, -KEPT_ASIDE)) rmSync(earlier, { force: true });
  return aside;
}

/** Removes those of the files set aside that were kept long enough. @throws what Node has against it */
export function removeOldAside(path: string, nowAt: number): void {
  const oldest = asideName(path, nowAt - KEPT_ASIDE_MS);
  for (const file of filesAside(path)) if (file < oldest) rmSync(file, { force: true });
}

/** Removes all of them. @throws what Node has against it */
export function removeAside(path: string): void {
  for (const file of filesAside(path)) rmSync(file, { force: true });
}

function asideName(path: string, at: number): string {
  return `${path}.damaged-${new Date(at).toISOString().replaceAll(':', '-')}`;
}

/** The oldest first. */
function filesAside(path: string): string[] {
  const folder = dirname(path);
  const beginning = `${basename(path)}.damaged-`;
  const names = readdirSync(folder).filter((name) => name.startsWith(beginning));
  return names.sort().map((name) => join(folder, name));
}

/** A database with its log, or what is left of either. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}
