/**
 * Which entries go to disk, and when: at once, every so often, when the process ends, or never, as the policy of their
 * tier or call says. Only what has changed since is written, in slices (I12).
 */
import type { Clock } from '../clock.ts';
import type { Entry } from '../entry.ts';
import type { PersistenceLevel } from '../policy.ts';
import type { Disk } from './disk.ts';

/** One slice's length: with the commit on top, well under the 10 ms that the event loop may be held. */
const SLICE_MS = 1;
/** Writing what is left must not hold up the end of the process for longer. */
const LAST_WRITE_MS = 2_000;

export interface PersistenceParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Whether an entry is resident and may be served, fresh or stale. */
  readonly isHeld: (entry: Entry) => boolean;
}

export class Persistence {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #isHeld: (entry: Entry) => boolean;
  readonly #periodic = new Set<Entry>();
  readonly #onShutdown = new Set<Entry>();
  readonly #cancel: () => void;
  #writing: Promise<void> | undefined;
  #isStopped = false;

  constructor({ disk, clock, intervalMs, isHeld }: PersistenceParts) {
    this.#disk = disk;
    this.#clock = clock;
    this.#isHeld = isHeld;
    this.#cancel = clock.every(intervalMs, () => void this.flush());
  }

  /** Entries that wait to be written. */
  get waiting(): number {
    return this.#periodic.size + this.#onShutdown.size;
  }

  /** An entry was stored in memory. */
  kept(entry: Entry, level: PersistenceLevel): void {
    this.#disk.outdate(entry, level !== 'memory');
    if (level === 'periodic') this.#periodic.add(entry);
    else if (level === 'on_shutdown') this.#onShutdown.add(entry);
    else if (level === 'on_change') {
      this.#periodic.add(entry);
      this.#writeSome([entry]);
    }
  }

  /** An entry has left memory. */
  removed(entry: Entry): void {
    this.#periodic.delete(entry);
    this.#onShutdown.delete(entry);
  }

  /** Everything has left memory. */
  clear(): void {
    this.#periodic.clear();
    this.#onShutdown.clear();
  }

  /** Writes down what is due, removes what has had its time, and notes where the feed stands. */
  flush(): Promise<void> {
    this.#writing ??= this.#writeAll(this.#periodic, () => this.#isStopped)
      .then(() => this.#disk.cleanUp())
      .finally(() => {
        this.#writing = undefined;
      });
    return this.#writing;
  }

  async stop(): Promise<void> {
    this.#cancel();
    this.#isStopped = true;
    await this.#writing;
    const until = this.#clock.precise() + LAST_WRITE_MS;
    const isLate = () => this.#clock.precise() > until;
    await this.#writeAll(this.#periodic, isLate);
    await this.#writeAll(this.#onShutdown, isLate);
  }

  async #writeAll(entries: Set<Entry>, isOver: () => boolean): Promise<void> {
    while (entries.size > 0 && !isOver()) {
      // A disk that is full or locked: they wait for the next time.
      if (!this.#writeSome(entries)) return;
      await this.#clock.yield();
    }
  }

  /** A slice of them; false where the disk takes none. */
  #writeSome(entries: Iterable<Entry>): boolean {
    const until = this.#clock.precise() + SLICE_MS;
    const done = this.#disk.write(entries, this.#isHeld, () => this.#clock.precise() > until);
    for (const entry of done ?? []) this.removed(entry);
    return done !== undefined;
  }
}
