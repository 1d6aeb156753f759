/** What is found on disk for a key, if it is sound, has not expired, and nothing covers it; and whether it is proven. */
import type { Clock } from '../../clock.ts';
import { CacheError } from '../../errors.ts';
import { decode } from '../../values/codec.ts';
import type { ValueTypes } from '../../values/value-types.ts';
import type { DiskChanges } from './changes.ts';
import type { DiskFile } from './file.ts';
import type { DiskProof } from './proof.ts';
import { metadataOf, type StoredEntry, storedEntry } from './rows.ts';
import { labelsOf } from './targets.ts';

export interface DiskReadsParts {
  readonly changes: DiskChanges;
  readonly proof: DiskProof;
  readonly clock: Clock;
  /** Values that take more once decompressed are dropped. */
  readonly maxBytes: number;
  readonly types: ValueTypes | undefined;
  /** Of the author's code: what another has written may have another shape. */
  readonly version: string;
}

export class DiskReads {
  readonly #parts: DiskReadsParts;
  /** Rows up to here are from before this process. */
  #seqAtOpen = 0;
  readonly counts = { hits: 0, restored: 0, unproven: 0, expired: 0, damaged: 0 };

  constructor(parts: DiskReadsParts) {
    this.#parts = parts;
  }

  begin(file: DiskFile): void {
    this.#seqAtOpen = file.lastSeq;
  }

  /** @throws whatever SQLite throws */
  take(file: DiskFile, key: string): StoredEntry | undefined {
    // SQLite would find the row of U+FFFD in its place.
    if (typeof key === 'string' && !key.isWellFormed()) return undefined;
    const { changes, proof, clock, maxBytes, version, types } = this.#parts;
    const row = file.read(key);
    if (row === undefined) return undefined;
    const metadata = row === 'damaged' ? undefined : metadataOf(row);
    if (row === 'damaged' || metadata === undefined) return this.#drop(file, key);
    const nowAt = clock.epochAt(clock.now());
    const hasExpired = row.expires_at !== null && row.expires_at <= nowAt;
    if (hasExpired || (metadata.version ?? '') !== version) {
      this.counts.expired++;
      return undefined;
    }
    if (changes.covers(file, row, metadata)) return undefined;
    if (!file.isLinked(key, labelsOf(key, metadata))) {
      // Another process may just have removed it.
      return file.seqOf(key) === row.seq ? this.#drop(file, key) : undefined;
    }
    let value: unknown;
    try {
      value = decode(row.value, { maxBytes, types });
    } catch (error) {
      if (!(error instanceof CacheError)) throw error;
      return this.#drop(file, key);
    }
    const isProven = proof.isProven(row, metadata, nowAt);
    this.counts[isProven ? 'hits' : 'unproven']++;
    if (isProven && row.seq <= this.#seqAtOpen) this.counts.restored++;
    return storedEntry(row, metadata, value, isProven);
  }

  #drop(file: DiskFile, key: string): undefined {
    this.counts.damaged++;
    file.delete(key);
    return undefined;
  }
}
