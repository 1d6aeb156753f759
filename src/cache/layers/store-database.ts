/** What the disk layer uses of better-sqlite3's `Database`, and what it makes of SQLite's errors. */
import { existsSync, renameSync, rmSync } from 'node:fs';
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

/** Whether an error says that the file itself is not usable, rather than the moment. */
export function isDamage(error: unknown): boolean {
  if (error instanceof CacheError) return true;
  return /^SQLITE_(CORRUPT|NOTADB|FORMAT)/.test(sqliteCode(error));
}

export function sqliteCode(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : '';
}

/** Gives a file another name, dated, beside where it was. @returns that name */
export function setAside(path: string, nowAt: number): string {
  const dated = `${path}.damaged-${new Date(nowAt).toISOString().replaceAll(':', '-')}`;
  renameSync(path, dated);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(path + suffix)) rmSync(path + suffix);
  }
  return dated;
}
