/**
 * Which entries go to disk, and when: at once, every so often, when the process ends, or never, as the policy of their
 * tier or call says. Only what has changed since is written, in slices (I12).
 */
import type { BurstLog } from '../../burst-log.ts';
import type { Clock } from '../../clock.ts';
import type { Entry } from '../../entry.ts';
import { SplitMap } from '../../index/split-map.ts';
import type { PersistenceLevel } from '../../tiers/policy.ts';
import type { Disk } from './disk.ts';

/** One slice's length: the commit takes half as long on top. */
const SLICE_MS = 2;
/** What comes while entries are written is written as well, and what comes then the next time: a flush must end. */
const PASSES = 2;
/** Writing what is left must not hold up the end of the process for longer. */
const LAST_WRITE_MS = 2_000;

export interface PersistenceParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly bursts: BurstLog;
  readonly intervalMs: number;
  /** Whether an entry is resident and may be served, fresh or stale. */
  readonly isHeld: (entry: Entry) => boolean;
}

export class Persistence {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #isHeld: (entry: Entry) => boolean;
  readonly #bursts: BurstLog;
  /** Entries that wait to be written, by their keys. */
  #waiting = { periodic: new SplitMap<Entry>(), on_shutdown: new SplitMap<Entry>() };
  readonly #cancel: () => void;
  #writing: Promise<void> | undefined;
  #isStopped = false;

  constructor({ disk, clock, bursts, intervalMs, isHeld }: PersistenceParts) {
    this.#disk = disk;
    this.#clock = clock;
    this.#bursts = bursts;
    this.#isHeld = isHeld;
    this.#cancel = clock.every(intervalMs, () => void this.flush());
  }

  /** An entry was stored in memory. */
  kept(entry: Entry, level: PersistenceLevel): void {
    this.#disk.outdate(entry, level !== 'memory');
    if (level !== 'memory') this.#waiting[level === 'on_shutdown' ? level : 'periodic'].set(entry.key, entry);
    if (level === 'on_change') this.#writeSome([entry].values());
  }

  /** An entry has left memory. */
  removed(entry: Entry): void {
    for (const waiting of Object.values(this.#waiting)) {
      if (waiting.get(entry.key) === entry) waiting.delete(entry.key);
    }
  }

  /** Everything has left memory. */
  clear(): void {
    this.#waiting = { periodic: new SplitMap(), on_shutdown: new SplitMap() };
  }

  /** Writes down what is due, removes what has had its time, and notes where the feed stands. */
  flush(): Promise<void> {
    const isOver = () => this.#isStopped;
    this.#writing ??= this.#writeAll('periodic', isOver, PASSES)
      .then(() => this.#disk.cleanUp(isOver))
      .catch((error: unknown) => {
        this.#bursts.warn('flush', 'What is kept on disk could not be looked after; memory goes on.', {
          error,
        });
      })
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
    await this.#writeAll('periodic', isLate);
    await this.#writeAll('on_shutdown', isLate);
    const unwritten = this.#waiting.periodic.size + this.#waiting.on_shutdown.size;
    if (unwritten === 0) return;
    const why = isLate() ? `within ${LAST_WRITE_MS / 1_000} s` : 'since the file takes nothing at the moment';
    this.#bursts.warn('unwritten', `${unwritten} entries could not be written to disk ${why}.`, {
      path: this.#disk.path,
      unwritten,
    });
  }

  async #writeAll(
    level: 'periodic' | 'on_shutdown',
    isOver: () => boolean,
    passes = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    let waiting = this.#waiting[level];
    for (let [entries, left] = [waiting.values(), passes]; waiting.size > 0 && left > 0 && !isOver(); ) {
      const writing = this.#writeSome(entries);
      // A disk that is full or locked: they wait for the next time.
      if (writing === 'failed') return;
      if (writing === 'all') left--;
      await this.#clock.yield();
      // What has come meanwhile may not have been among them, nor need they be waited for where all was cleared.
      if (writing === 'some' && waiting === this.#waiting[level]) continue;
      waiting = this.#waiting[level];
      entries = waiting.values();
    }
  }

  /** A slice of them. */
  #writeSome(entries: Iterator<Entry, unknown>): 'some' | 'all' | 'failed' {
    const until = this.#clock.precise() + SLICE_MS;
    let isAll = false;
    const next = () => {
      const { value, done } = entries.next();
      isAll = done === true;
      return done === true ? undefined : value;
    };
    const written = this.#disk.write(next, this.#isHeld, () => this.#clock.precise() > until);
    for (const entry of written ?? []) this.removed(entry);
    if (written === undefined) return 'failed';
    return isAll ? 'all' : 'some';
  }
}
