/**
 * The way of one writer's writes: in, in batches to the saver, and again after a failure. What is kept of them is said
 * in `holdings.ts`, which of them may begin in `backlog.ts`; this file has the doors, the timers and the saver.
 */
import type { BurstLog } from '../cache/burst-log.ts';
import type { Lookup } from '../cache/cache.ts';
import { errorText } from '../cache/error-text.ts';
import { CacheError } from '../cache/errors.ts';
import { assertKey } from '../cache/keys/keys.ts';
import { Call } from '../cache/loading/call.ts';
import { isPromiseLike } from '../cache/promise-like.ts';
import { decode, encode } from '../cache/values/codec.ts';
import type { Backlog, PendingWrite } from './backlog.ts';
import { companyOf, restMs } from './backoff.ts';
import { Holdings, type HoldingsParts } from './holdings.ts';
import type { JournalRow } from './journal.ts';
import { WaitingRoom } from './room.ts';
import type { WriterSettings } from './settings.ts';
import type { Save, SaveItem, WriterStats } from './types.ts';

export interface LaneParts extends HoldingsParts {
  readonly save: Save<unknown>;
  readonly random: () => number;
}

export class Lane {
  readonly name: string;
  readonly #save: Save<unknown>;
  readonly #settings: WriterSettings;
  readonly #clock: HoldingsParts['clock'];
  readonly #bursts: BurstLog;
  readonly #random: () => number;
  readonly #holdings: Holdings;
  readonly #backlog: Backlog;
  readonly #room: WaitingRoom;
  readonly #counters = { saved: 0, coalesced: 0, retried: 0, refused: 0 };
  /** One a save in flight, with what cancels its timer. */
  readonly #saving = new Map<AbortController, () => void>();
  readonly #waiters = new Set<{ readonly isOver: () => boolean; readonly resolve: () => void }>();
  #phase: 'open' | 'draining' | 'over' = 'open';
  #flushes = 0;
  #lastFailure: WriterStats['lastFailure'] = null;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #isPumpDue = false;

  constructor({ save, random, ...parts }: LaneParts) {
    this.name = parts.name;
    this.#save = save;
    this.#settings = parts.settings;
    this.#clock = parts.clock;
    this.#bursts = parts.bursts;
    this.#random = random;
    this.#holdings = new Holdings(parts);
    this.#backlog = this.#holdings.backlog;
    this.#room = new WaitingRoom(parts.clock);
    if (this.#backlog.size > 0) this.#pumpSoon();
  }

  // ---- writing ----

  write(key: string, value: unknown): Promise<void> {
    try {
      const stored = this.#enter(key, value);
      if (this.#hasRoom(key)) return Promise.resolve(this.#accept(key, stored, value));
      const { maxWaitMs } = this.#settings;
      if (maxWaitMs === 0) throw this.#refusal(key);
      // Its value as it is now, whatever its owner does with it meanwhile.
      const admit = () => this.#accept(key, stored, decode(stored));
      return this.#room.wait(key, maxWaitMs, admit, () => this.#refusal(key));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  writeSync(key: string, value: unknown): void {
    const stored = this.#enter(key, value);
    if (!this.#hasRoom(key)) throw this.#refusal(key);
    this.#accept(key, stored, value);
  }

  pending(key: string): Lookup<unknown> {
    const write = this.#backlog.newest(key);
    return write === undefined ? { state: 'miss' } : { state: 'hit', value: decode(write.stored) };
  }

  #enter(key: string, value: unknown): string | Uint8Array {
    if (this.#phase !== 'open') throw this.#refusal(key);
    assertKey(key);
    const { text, bytes } = encode(value);
    return text ?? bytes;
  }

  /** @param isNext nobody waits before this one */
  #hasRoom(key: string, isNext = false): boolean {
    if (!isNext && this.#room.has(key)) return false;
    if (this.#holdings.supersedable(key) > 0) return true;
    return (isNext || this.#room.isEmpty) && this.#backlog.size < this.#settings.maxPending;
  }

  #accept(key: string, stored: string | Uint8Array, value: unknown): void {
    try {
      this.#counters.coalesced += this.#holdings.add(key, stored, value);
    } catch (error) {
      this.#counters.refused++;
      throw error;
    }
    if (this.#backlog.ready >= this.#settings.maxBatch || this.#isUrgent) this.#pumpSoon();
    else this.#wakeAt(this.#clock.now() + this.#settings.maxDelayMs);
  }

  #refusal(key: string): CacheError {
    this.#counters.refused++;
    if (this.#phase !== 'open') {
      const message = `A write of ${this.name} was refused: write-behind was stopped.`;
      return new CacheError('ERR_CLOSED', message, { key });
    }
    const why = this.#lastFailure === null ? '' : ` The last failure: ${this.#lastFailure.message}`;
    return new CacheError(
      'ERR_BACKLOG_FULL',
      `A write of ${this.name} was refused: ${this.#backlog.size} wait to be saved already. Nothing was written.${why}`,
      { key },
    );
  }

  // ---- saving ----

  get #isUrgent(): boolean {
    return this.#phase === 'draining' || this.#flushes > 0;
  }

  /** In a later turn of the loop, so that no writer has to wait for a save. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    void this.#clock.yield().then(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #wakeAt(at: number): void {
    if (!Number.isFinite(at) || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#timer?.cancel();
    const run = () => {
      this.#timer = undefined;
      this.#pump();
    };
    this.#timer = { at, cancel: this.#clock.after(Math.max(0, at - this.#clock.now()), run) };
  }

  /** Begins what may begin, and sees to it that the rest begins in time. */
  #pump(): void {
    if (this.#phase === 'over') return;
    this.#room.admit((key) => this.#phase === 'open' && this.#hasRoom(key, true));
    const now = this.#clock.now();
    const { concurrency, maxBatch: max } = this.#settings;
    const companyFor = ({ failures }: PendingWrite) => companyOf(failures, this.#settings);
    this.#backlog.wake(now);
    while (this.#saving.size < concurrency) {
      const batch = this.#backlog.take(now, { max, companyOf: companyFor, isUrgent: this.#isUrgent });
      if (batch.length === 0) break;
      void this.#run(batch);
    }
    const { nextAt } = this.#backlog;
    if (nextAt !== undefined && this.#saving.size < concurrency) this.#wakeAt(nextAt);
    for (const waiter of this.#waiters) if (waiter.isOver()) waiter.resolve();
  }

  /** One save. A saver that returns at once is settled at once, with nothing in between. */
  async #run(batch: readonly PendingWrite[]): Promise<void> {
    const controller = new AbortController();
    // Nobody's: whoever has written does not wait for the save.
    const call = new Call(this, this.name, undefined);
    this.#saving.set(controller, this.#limit(controller));
    try {
      const items = batch.map(itemOf);
      // A list of its own: what it does with that does not change what was saved.
      const result = call.run((list) => this.#save(list, { signal: controller.signal }), [...items]);
      if (isPromiseLike(result)) await result;
      this.#counters.saved += batch.length;
      this.#holdings.saved(batch, items);
    } catch (error) {
      this.#failed(batch, error);
    }
    call.end(this.name);
    this.#saving.get(controller)?.();
    // Others have their turn, however quick the saver is (I12).
    await this.#clock.yield();
    this.#saving.delete(controller);
    this.#pump();
  }

  #limit(controller: AbortController): () => void {
    const { saveTimeoutMs } = this.#settings;
    if (!Number.isFinite(saveTimeoutMs)) return () => undefined;
    const message = `The save of ${this.name} takes longer than ${saveTimeoutMs} ms.`;
    return this.#clock.after(saveTimeoutMs, () => controller.abort(new CacheError('ERR_TIMEOUT', message)));
  }

  #failed(batch: readonly PendingWrite[], error: unknown): void {
    const message = errorText(error);
    this.#lastFailure = { message, at: this.#clock.epochAt(this.#clock.now()) };
    this.#bursts.warn(`failed ${this.name}`, `Writes of ${this.name} could not be saved; they wait.`, {
      error,
    });
    for (const write of batch) write.failures++;
    const fates = this.#holdings.sort(batch, ({ failures }) => failures >= this.#settings.maxAttempts);
    this.#counters.coalesced += fates.gone.length;
    this.#counters.retried += fates.again.length;
    this.#holdings.failed(fates, message);
    this.#rest(batch);
  }

  /** What failed together comes back together, so that the source is not asked once a write. */
  #rest(writes: readonly PendingWrite[]): void {
    const now = this.#clock.now();
    const failures = writes.reduce((most, write) => Math.max(most, write.failures), 0);
    const isOpen = this.#phase === 'open';
    const until = isOpen ? now + restMs(failures, this.#settings, this.#random()) : Number.POSITIVE_INFINITY;
    for (const { key } of writes) this.#backlog.rest(key, until, now);
  }

  // ---- decisions ----

  /** @param rows of this writer, on the list @throws SqliteError; then nothing has changed */
  retry(rows: readonly JournalRow[]): number {
    const count = this.#holdings.retry(rows);
    this.#pumpSoon();
    return count;
  }

  /** @throws SqliteError; then nothing has changed */
  drop(ids: ReadonlySet<number>): number {
    const count = this.#holdings.drop(ids);
    this.#pumpSoon();
    return count;
  }

  /** Lets go of writes. @returns their ids, to be removed from the journal */
  forget(matches: (key: string) => boolean): number[] {
    const ids = this.#holdings.forget(matches);
    this.#pumpSoon();
    return ids;
  }

  stats(): WriterStats {
    const { size, inFlight, held, oldestAt } = this.#backlog;
    return {
      name: this.name,
      isClaimed: true,
      waiting: size,
      inFlight,
      held,
      ...this.#counters,
      dead: this.#holdings.dead,
      oldestAt,
      lastFailure: this.#lastFailure,
    };
  }

  // ---- the end ----

  async flush(): Promise<void> {
    if (this.#phase === 'over') return;
    if (Call.current()?.isWithin(this, this.name) === true) {
      throw new CacheError(
        'ERR_ARGUMENT_INVALID',
        `flush() of ${this.name} was called within its own save, which it would wait for without end. Flush after the save.`,
      );
    }
    const upTo = this.#holdings.lastId;
    this.#flushes++;
    await this.#until(() => !this.#backlog.hasUpTo(upTo));
    this.#flushes--;
  }

  /** Takes no more, and resolves when what waits is saved, or has failed once more. */
  drain(): Promise<void> {
    this.#phase = 'draining';
    this.#room.close();
    this.#backlog.wake(Number.POSITIVE_INFINITY);
    return this.#until(() => this.#saving.size === 0 && this.#backlog.ready === 0);
  }

  /** Ends all. @returns how many writes are left in the journal to be saved */
  end(): number {
    this.#phase = 'over';
    this.#timer?.cancel();
    const reason = new CacheError('ERR_CLOSED', 'Write-behind was stopped.');
    for (const [controller, cancelTimer] of this.#saving) {
      cancelTimer();
      controller.abort(reason);
    }
    for (const waiter of this.#waiters) waiter.resolve();
    return this.#backlog.size;
  }

  #until(isOver: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => {
      this.#waiters.delete(waiter);
      resolve();
    };
    const waiter = { isOver, resolve: done };
    this.#waiters.add(waiter);
    this.#pumpSoon();
    return promise;
  }
}

function itemOf({ key, stored, idempotencyKey, failures, isReplayed }: PendingWrite): SaveItem<unknown> {
  return { key, value: decode(stored), idempotencyKey, attempt: failures + (isReplayed ? 2 : 1) };
}
