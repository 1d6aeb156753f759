/**
 * What the cache file says of itself, in one sealed record, so that damage to a part of it is damage to all of it. A
 * file that has lost its record proves nothing.
 */
import { CacheError } from '../../errors.ts';
import type { DiskFile } from './file.ts';

/**
 * An invalidation whose rows are still being removed: those up to `through` that it covers are not there any more. Each
 * is a record of its own, so that many in one turn of the loop do not write each other anew (I12).
 */
export interface PendingSweep {
  readonly id: number;
  /** See `sweeps.ts`. */
  readonly target: string;
  readonly through: number;
}

export interface DiskState {
  /** Where the feed stood when the file was last right; absent where there was none. */
  readonly feed?: unknown;
  /** Rows up to here are not believed, whatever the feed says. */
  readonly believedAfter: number;
  /** Those that are pending have the numbers from the first, up to the one before `next`. */
  readonly sweeps: { readonly first: number; readonly next: number };
  /** When it was in use, to the minute; epoch milliseconds. */
  readonly seenAt?: number;
}

const NAME = 'state';

/** @throws CacheError `ERR_STORE_FAILED` where it is damaged, or gone from a file that holds rows */
export function stateOf(file: DiskFile): DiskState {
  const text = file.meta(NAME);
  if (text !== undefined) return JSON.parse(text) as DiskState;
  if (file.lastSeq === 0) return { believedAfter: 0, sweeps: { first: 1, next: 1 } };
  throw new CacheError('ERR_STORE_FAILED', 'What the cache file says of itself is gone.');
}

/** Changes a part of it; to be called within a transaction, so that no other process changes it meanwhile. */
export function changeState(file: DiskFile, change: Partial<DiskState>): void {
  const state = stateOf(file);
  const believedAfter = Math.max(state.believedAfter, change.believedAfter ?? 0);
  const text = JSON.stringify({ ...state, ...change, believedAfter });
  if (text !== file.meta(NAME)) file.setMeta(NAME, text);
}

/** The pending sweep of a number. @throws CacheError `ERR_STORE_FAILED` where it is damaged, or gone */
export function sweepOf(file: DiskFile, id: number): PendingSweep {
  const text = file.meta(sweepName(id));
  if (text === undefined)
    throw new CacheError('ERR_STORE_FAILED', 'An invalidation is gone from the cache file.');
  return JSON.parse(text) as PendingSweep; // its checksum matched, so `addSweep` wrote it
}

/** Within a transaction. */
export function addSweep(file: DiskFile, target: string, through: number): PendingSweep {
  const { first, next } = stateOf(file).sweeps;
  const sweep = { id: next, target, through };
  file.setMeta(sweepName(next), JSON.stringify(sweep));
  changeState(file, { sweeps: { first, next: next + 1 } });
  return sweep;
}

/** Removes the first of the pending ones, unless another process has. Within a transaction. */
export function endSweep(file: DiskFile, id: number): void {
  const { first, next } = stateOf(file).sweeps;
  if (id !== first || first === next) return;
  file.removeMeta(sweepName(id));
  changeState(file, { sweeps: { first: first + 1, next } });
}

function sweepName(id: number): string {
  return `sweep ${id}`;
}
