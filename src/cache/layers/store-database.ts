/** What the disk layer uses of better-sqlite3's `Database`, and what it makes of SQLite's errors. */
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { CacheError } from '../errors.ts';

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

/** Whether somebody else is writing. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error).startsWith('SQLITE_BUSY');
}

function sqliteCode(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

/** So many damaged files are kept for people to look at. */
const KEPT_ASIDE = 3;

/** Gives a file another name, dated, beside where it was, and removes the oldest of many such. @returns that name */
export function setAside(path: string, nowAt: number): string {
  const damaged = `${path}.damaged-`;
  const aside = `${damaged}${new Date(nowAt).toISOString().replaceAll(':', '-')}`;
  renameSync(path, aside);
  removeDatabase(path);
  const earlier = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(damaged)));
  for (const name of earlier.sort().slice(0, -KEPT_ASIDE)) rmSync(join(dirname(path), name));
  return aside;
}

/** A database with its log, or what is left of either. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}
