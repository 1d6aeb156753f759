/**
 * Whether the cache file is still the one that this process knows, with all that was written to it since: somebody may
 * put a copy in its place, or write one over it, while it is open. What the copy holds was removed from the file
 * meanwhile, and would be believed.
 *
 * A count of the writes of all processes stands in the file, and for each process the count at its own last write. The
 * count never falls, and nobody else writes the other. Both are looked at again when another connection has written.
 */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { CacheError } from '../../errors.ts';

/** What is needed of the file. */
export interface Counted {
  readonly path: string;
  readonly dataVersion: number;
  /** Rows changed by this connection. */
  readonly changes: number;
  meta(name: string): string | undefined;
  /** Those that begin so. */
  metaNames(prefix: string): string[];
  setMeta(name: string, value: string): void;
  removeMeta(name: string): void;
}

const COUNT = 'writes';
const WRITER = 'writer ';
/** More than ever use one file at once. */
const KEPT_WRITERS = 100;

export class Continuity {
  readonly #file: Counted;
  /** Names this connection. */
  readonly #name: string;
  #seenVersion: number | undefined;
  #count = 0;
  #ownCount = 0;
  #changesBefore = 0;
  /** As of the first transaction. */
  #inodes: string | undefined;

  constructor(file: Counted) {
    this.#file = file;
    this.#name = WRITER + randomBytes(6).toString('base64url');
  }

  /** @throws CacheError `ERR_STORE_FAILED` where another connection has written something that cannot be */
  assert(): void {
    const version = this.#file.dataVersion;
    if (version === this.#seenVersion) return;
    const count = this.#read(COUNT);
    if (count < this.#count || this.#read(this.#name) < this.#ownCount) throw replaced();
    this.#count = count;
    this.#seenVersion = version;
  }

  /** The same at the beginning of a transaction, where also the files have to be the same. */
  begin(): void {
    if (this.#inodes !== undefined) {
      if (inodesOf(this.#file.path) !== this.#inodes) throw replaced();
      this.assert();
    }
    this.#changesBefore = this.#file.changes;
  }

  /** At the end of a transaction: counts what was written. @returns to be called once it is committed */
  count(): () => void {
    let count = this.#count;
    if (this.#file.changes !== this.#changesBefore) {
      if (this.#ownCount === 0) forgetEarlier(this.#file);
      count = this.#read(COUNT) + 1;
      this.#file.setMeta(COUNT, String(count));
      this.#file.setMeta(this.#name, String(count));
    }
    return () => {
      this.#inodes ??= inodesOf(this.#file.path);
      if (count === this.#count) return;
      this.#count = count;
      this.#ownCount = count;
    };
  }

  #read(name: string): number {
    return Number(this.#file.meta(name) ?? 0);
  }
}

/** Forgets processes that are long gone: those whose last write is the longest ago. Within a transaction. */
function forgetEarlier(file: Counted): void {
  const writers = file.metaNames(WRITER).map((name) => ({ name, count: Number(file.meta(name)) }));
  if (writers.length <= KEPT_WRITERS) return;
  for (const { name } of writers.sort((a, b) => b.count - a.count).slice(KEPT_WRITERS)) file.removeMeta(name);
}

function replaced(): CacheError {
  return new CacheError(
    'ERR_STORE_FAILED',
    'Another file was put in its place, or written over it, while it was open.',
  );
}

/** Of the file and its log; a file in memory has none. */
function inodesOf(path: string): string {
  return [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.ino ?? 0).join();
}
