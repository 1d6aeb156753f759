/** A journal in a real file, a cache on a hand-turned clock, and a saver that a test lets succeed or fail. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { Logger } from '../../src/logger.ts';
import { openJournal } from '../../src/write-behind/open-journal.ts';
import type { SaveItem, WriteBehind } from '../../src/write-behind/types.ts';
import { createWriteBehind, type WriteBehindOptions } from '../../src/write-behind/write-behind.ts';
import { tiers } from '../cache/support.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';

export interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'cachecord-behind-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function keptLog(): { readonly lines: Line[]; readonly logger: Logger } {
  const lines: Line[] = [];
  const at = (level: Line['level']) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push({ level, message, fields: fields ?? {} });
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
}

export const openFile = (file: string): Database.Database => new Database(file, { timeout: 20 });

export interface Bench {
  readonly file: string;
  readonly db: Database.Database;
  readonly cache: Cache;
  readonly clock: HandClock;
  readonly behind: WriteBehind;
  readonly lines: readonly Line[];
  /** The process is gone without a word: nothing more is saved, and the lock is let go. */
  die(): void;
}

/** @param file of an earlier bench: it starts anew on what that one left */
export function bench(
  file: string = join(folder(), 'write-behind.db'),
  given: WriteBehindOptions & {
    readonly cache?: Cache;
    readonly cacheOptions?: Partial<CacheOptions>;
  } = {},
): Bench {
  const { cache: givenCache, cacheOptions, ...options } = given;
  const clock = handClock();
  const { lines, logger } = keptLog();
  const db = openJournal(file, openFile, { logger, now: () => clock.epochAt(clock.now()) });
  onTestFinished(() => void db.close());
  const cache =
    givenCache ??
    createCache({
      maxWeightBytes: 10_000_000,
      tiers,
      cleanupIntervalMs: 600_000,
      clock,
      logger,
      ...cacheOptions,
    });
  const behind = createWriteBehind(db, cache, { logger, random: () => 0, ...options });
  return { file, db, cache, clock, behind, lines, die: () => void db.close() };
}

/** A source that keeps what it is given, and fails or waits as it is told. */
export function source<V = unknown>() {
  const batches: (readonly SaveItem<V>[])[] = [];
  const values = new Map<string, V>();
  const applied: SaveItem<V>[] = [];
  const signals: AbortSignal[] = [];
  let failure: ((batch: readonly SaveItem<V>[]) => unknown) | undefined;
  let held: PromiseWithResolvers<void> | undefined;
  return {
    batches,
    values,
    signals,
    /** Everything that was applied, in its order. */
    applied,
    /** From now on saves fail with what this gives; `undefined` lets a batch succeed. */
    failWith(error: (batch: readonly SaveItem<V>[]) => unknown) {
      failure = error;
    },
    recover() {
      failure = undefined;
    },
    /** From now on saves wait for `release`. */
    hold() {
      held = Promise.withResolvers();
    },
    release() {
      held?.resolve();
      held = undefined;
    },
    save: async (batch: readonly SaveItem<V>[], { signal }: { signal: AbortSignal }): Promise<void> => {
      batches.push(batch);
      signals.push(signal);
      await held?.promise;
      const error = failure?.(batch);
      if (error !== undefined) throw error;
      for (const item of batch) {
        values.set(item.key, item.value);
        applied.push(item);
      }
    },
  };
}

/** The rows of a journal, as the sqlite3 shell shows them. */
export function rows(db: Database.Database): readonly Readonly<Record<string, unknown>>[] {
  return db.prepare('SELECT * FROM writes ORDER BY id').all() as Readonly<Record<string, unknown>>[];
}
