/** What a worker of the crash harness tells, a line each, written before it goes on: what was said outlives a SIGKILL. */
export type Told =
  /** It has started, and everything it has looked at was right. */
  | { readonly kind: 'ready'; readonly restored: number; readonly unproven: number; readonly proof: string }
  /** A write of this number was acknowledged; with a key, it is the newest of that key. */
  | { readonly kind: 'acknowledged'; readonly n: number; readonly key?: string }
  /** A cached read that is not what the database holds, or a file that is not sound. */
  | {
      readonly kind: 'wrong';
      readonly what: string;
      readonly when: string;
      readonly cached?: unknown;
      readonly stored?: unknown;
    };

export interface WorkerOptions {
  readonly folder: string;
  /** Workers of different slots run at once; each has a journal of its own. */
  readonly slot: number;
  readonly seed: number;
  /** The first number it may give to a write. */
  readonly firstNumber: number;
  /** It looks, and does nothing. */
  readonly isLast: boolean;
}

export const shopFile = (folder: string): string => `${folder}/shop.sqlite`;
export const cacheFile = (folder: string): string => `${folder}/cache.db`;
export const journalFile = (folder: string, slot: number): string => `${folder}/write-behind-${slot}.db`;

/** Where what write-behind saves ends up: nothing keeps a write from being there twice. */
export const WRITE_BEHIND_TABLES = `
  CREATE TABLE crash_applied (n INTEGER NOT NULL);
  CREATE TABLE crash_seen (key TEXT PRIMARY KEY, n INTEGER NOT NULL);
`;

/** The shop's instant: what depends on the time of day would differ between a cached read and the database. */
export const NOW = Date.UTC(2026, 0, 2);
export const CATEGORIES = ['games', 'music', 'all'] as const;
export const SUB_CATEGORIES = ['new', 'used'] as const;
