/**
 * Which rows may be believed (I9): those that this process has written, which it follows as it follows what is in
 * memory, and those of which the change feed tells every change, where it continues where it stopped. The others may
 * have been changed since, and nobody would know.
 */
import { randomBytes } from 'node:crypto';
import type { DiskFile, StoredRow } from './file.ts';
import type { Provenance } from './provenance.ts';
import type { Metadata } from './rows.ts';
import { changeState, stateOf } from './state.ts';

const MINUTE_MS = 60_000;

export class DiskProof {
  /** Names this process in the rows that it writes. */
  readonly by = randomBytes(6).toString('base64url');
  #feed: Provenance | undefined;
  #position: unknown;
  /** Rows up to here are not believed, whatever the feed says. */
  #believedAfter = 0;
  #hasBegun = false;
  /** A time, to the minute, at which the file was in use already. */
  #seenAt = 0;

  /** Where the feed stood when the file was last right; `undefined` where that is not known. */
  get position(): unknown {
    return this.#position;
  }

  get beginning(): Provenance['beginning'] | 'none' {
    return this.#feed?.beginning ?? 'none';
  }

  /** Reads what a file that was just opened says of itself. */
  begin(file: DiskFile): void {
    file.transaction(() => changeState(file, {}));
    const { feed, believedAfter, seenAt = 0 } = stateOf(file);
    this.#seenAt = seenAt;
    // What was changed while another file was used, or none, is not known.
    this.#believedAfter = this.#hasBegun ? file.lastSeq : believedAfter;
    if (!this.#hasBegun) this.#position = feed;
  }

  /** Files that are opened from now on have missed something. */
  hasBegun(): void {
    this.#hasBegun = true;
  }

  follow(feed: Provenance): void {
    this.#feed = feed;
    // Until `checkpoint` knows what is there.
    if (feed.beginning !== 'resumed') this.#believedAfter = Number.MAX_SAFE_INTEGER;
  }

  /** Applies all changes that are committed; false where that cannot be done at the moment. */
  drain(): boolean {
    return this.#feed?.drain() ?? true;
  }

  /** Writes down where the feed stands; within a transaction in which all changes were applied. */
  checkpoint(file: DiskFile, nowAt: number): void {
    if (this.#feed === undefined) return;
    const isSetBack = nowAt < this.#seenAt;
    // By a clock that was set back nobody knows how old rows are.
    this.#believedAfter = isSetBack ? file.lastSeq : Math.min(this.#believedAfter, file.lastSeq);
    this.#seenAt = nowAt - (nowAt % MINUTE_MS);
    changeState(file, {
      feed: this.#feed.position(),
      believedAfter: this.#believedAfter,
      seenAt: this.#seenAt,
    });
  }

  isProven(
    { seq, key, created_at }: Pick<StoredRow, 'seq' | 'key' | 'created_at'>,
    metadata: Metadata,
    nowAt: number,
  ): boolean {
    // A clock that was set back would make entries live for too long.
    if (seq <= this.#believedAfter || created_at > nowAt) return false;
    return metadata.by === this.by || (this.#feed?.tellsOf(key, metadata) ?? false);
  }
}
