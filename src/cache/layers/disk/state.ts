/**
 * What the cache file says of itself, in one sealed record, so that damage to a part of it is damage to all of it. A
 * file that has lost its record proves nothing.
 */
import { CacheError } from '../../errors.ts';
import type { DiskFile } from './file.ts';

/** An invalidation whose rows are still being removed: those up to `through` that it covers are not there any more. */
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
  readonly pending: readonly PendingSweep[];
  /** When it was in use, to the minute; epoch milliseconds. */
  readonly seenAt?: number;
}

const NAME = 'state';

/** @throws CacheError `ERR_STORE_FAILED` where it is damaged, or gone from a file that holds rows */
export function stateOf(file: DiskFile): DiskState {
  const text = file.meta(NAME);
  if (text !== undefined) return JSON.parse(text) as DiskState;
  if (file.lastSeq === 0) return { believedAfter: 0, pending: [] };
  throw new CacheError('ERR_STORE_FAILED', 'What the cache file says of itself is gone.');
}

/** Changes a part of it; to be called within a transaction, so that no other process changes it meanwhile. */
export function changeState(file: DiskFile, change: Partial<DiskState>): void {
  const state = stateOf(file);
  const believedAfter = Math.max(state.believedAfter, change.believedAfter ?? 0);
  const text = JSON.stringify({ ...state, ...change, believedAfter });
  if (text !== file.meta(NAME)) file.setMeta(NAME, text);
}
