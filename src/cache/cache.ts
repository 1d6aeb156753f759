/**
 * The cache manager. A read: memory, else join the load in flight, else load and fill.
 *
 * What must hold here: a miss is not a value (I1); a load that an invalidation covers fills nothing and nobody joins it
 * afterwards (I2); one load a key in flight, removed by identity, its rejection shared and not kept (I3); nothing that
 * goes wrong while a value is kept or counted makes the read fail (I4). Between looking a key up and registering its
 * load nothing is awaited, so nothing can slip in between.
 */
import { BurstLog } from './burst-log.ts';
import { type Clock, systemClock } from './clock.ts';
import { cloneValue } from './clone.ts';
import { completeKeys } from './completion.ts';
import { meanLoadTimes, sumFigures, totalsOf } from './counters.ts';
import { BUSY_HITS, type Entry, reportOf, servedPromise, servedValue } from './entry.ts';
import { CacheError } from './errors.ts';
import { Emitter } from './events.ts';
import { Filler, WRITTEN } from './filler.ts';
import { Invalidator } from './invalidator.ts';
import { assertKey } from './keys.ts';
import { MemoryLayer } from './layers/memory.ts';
import { Load } from './load.ts';
import { Loads } from './loads.ts';
import { preview } from './preview.ts';
import { compileTarget } from './target.ts';
import { assertTtl, TierBook } from './tier-book.ts';
import { TopKeys } from './top-keys.ts';
import type {
  Cache,
  CacheEvents,
  CacheOptions,
  CacheStats,
  EntryOptions,
  EntryReport,
  InvalidationTarget,
  LoadContext,
  Loader,
  LoadOptions,
  Lookup,
  Preview,
  Removal,
  TierPolicy,
} from './types.ts';
import { Upkeep } from './upkeep.ts';

const NO_OPTIONS: LoadOptions = {};
const MISS: Lookup<never> = { state: 'miss' };
const NOTHING: Removal = { entries: 0, weightBytes: 0, loads: 0 };

/**
 * A use within this time of the last one is not told to the eviction policy again: exact enough to choose who leaves,
 * and it spares the hits of a busy entry a third of their cost.
 */
const QUIET_MS = 4;

/**
 * Makes a cache.
 * @throws CacheError `ERR_ARGUMENT_INVALID` for a bound, interval or tier that makes no sense.
 */
export function createCache(options: CacheOptions): Cache {
  return new CacheManager(options);
}

class CacheManager implements Cache {
  readonly enabled: boolean;
  readonly maxWeightBytes: number;
  readonly cleanupIntervalMs: number;
  readonly tiers: readonly TierPolicy[];
  readonly clock: Clock;
  readonly #bursts: BurstLog;
  readonly #book: TierBook;
  readonly #memory: MemoryLayer;
  readonly #loads = new Loads();
  readonly #invalidator: Invalidator;
  readonly #top = new TopKeys();
  readonly #events: Emitter;
  readonly #filler: Filler;
  readonly #upkeep: Upkeep;
  readonly #closing = new AbortController();
  readonly #startedAt: number;
  #lastFailure: CacheStats['lastFailure'] = null;

  constructor(options: CacheOptions) {
    assertBound(options.maxWeightBytes, 'maxWeightBytes');
    assertBound(options.cleanupIntervalMs, 'cleanupIntervalMs');
    this.enabled = options.enabled ?? true;
    this.maxWeightBytes = Math.floor(options.maxWeightBytes);
    this.cleanupIntervalMs = options.cleanupIntervalMs;
    this.tiers = options.tiers;
    this.clock = options.clock ?? systemClock();
    this.#bursts = new BurstLog(this.clock, options.logger ?? console);
    this.#book = new TierBook(options.tiers);
    this.#events = new Emitter(this.#bursts);
    this.#memory = new MemoryLayer({
      maxWeightBytes: this.maxWeightBytes,
      onRemoved: (entry) => {
        if (entry.hits > 0) this.#top.removed(entry);
      },
    });
    this.#invalidator = new Invalidator(this.#memory, this.#loads, this.clock, () => this.closed);
    this.#filler = new Filler({
      memory: this.#memory,
      maxWeightBytes: this.maxWeightBytes,
      clock: this.clock,
      random: options.random ?? Math.random,
      bursts: this.#bursts,
      events: this.#events,
    });
    this.#startedAt = this.clock.now();
    this.#upkeep = new Upkeep({
      memory: this.#memory,
      loads: this.#loads,
      clock: this.clock,
      bursts: this.#bursts,
      cleanupIntervalMs: this.cleanupIntervalMs,
      totals: () => totalsOf(this.#book.all()),
    });
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  // ---- reads ----

  getOrLoad<T>(key: string, load: Loader<T>, options: LoadOptions = NO_OPTIONS): Promise<T> {
    if (options.fresh !== true) {
      const entry = this.#hit(key);
      if (entry !== undefined) return servedPromise(entry) as Promise<T>;
      const running = this.#loads.get(key);
      if (running !== undefined) return this.#join(running, load, options);
    }
    return this.#load(key, load, options);
  }

  getOrLoadSync<T>(key: string, load: (context: LoadContext) => T, options: LoadOptions = NO_OPTIONS): T {
    if (options.fresh !== true) {
      const entry = this.#hit(key);
      if (entry !== undefined) return servedValue(entry) as T;
    }
    const record = this.#begin(key, options);
    const beganAt = this.clock.precise();
    // Registered, since the loader itself may invalidate or write.
    if (record.mayKeep) this.#loads.begin(record);
    let value: T;
    try {
      value = load(record);
    } catch (error) {
      this.#failed(record, beganAt, error);
      throw error;
    }
    return this.#loaded(record, beganAt, value) as T;
  }

  async getOrLoadMany<T>(
    keys: readonly string[],
    loadMissing: (missing: readonly string[]) => ReadonlyMap<string, T> | PromiseLike<ReadonlyMap<string, T>>,
    options: LoadOptions = NO_OPTIONS,
  ): Promise<Map<string, T>> {
    const values = new Map<string, T | Promise<T>>();
    const missing: string[] = [];
    const loadOne: Loader<T> = async ({ key }) => (await loadMissing([key])).get(key) as T;
    for (const key of keys) {
      if (values.has(key)) continue;
      const entry = options.fresh === true ? undefined : this.#hit(key);
      const running = options.fresh === true ? undefined : this.#loads.get(key);
      if (entry !== undefined) values.set(key, servedValue(entry) as T);
      else if (running !== undefined) values.set(key, this.#join(running, loadOne, options));
      else {
        missing.push(key);
        values.set(key, undefined as T);
      }
    }
    if (missing.length > 0) {
      // All keys are registered before the one load begins, so that it cannot miss an invalidation.
      const batch = Promise.withResolvers<ReadonlyMap<string, T>>();
      for (const key of missing) {
        values.set(
          key,
          this.#load<T>(key, () => batch.promise.then((loaded) => loaded.get(key) as T), options),
        );
      }
      batch.resolve(startBatch(missing, loadMissing));
    }
    const found = await Promise.all([...values.values()]);
    return new Map([...values.keys()].map((key, i) => [key, found[i] as T]));
  }

  lookup<T>(key: string): Lookup<T> {
    const entry = this.#hit(key);
    if (entry !== undefined) return { state: 'hit', value: servedValue(entry) as T };
    this.#book.countersFor(key, undefined).misses++;
    return MISS;
  }

  get<T>(key: string): T | undefined {
    const entry = this.#hit(key);
    if (entry !== undefined) return servedValue(entry) as T;
    this.#book.countersFor(key, undefined).misses++;
    return undefined;
  }

  getMany<T>(keys: readonly string[]): Map<string, T> {
    const found = new Map<string, T>();
    for (const key of keys) {
      const result = this.lookup<T>(key);
      if (result.state === 'hit') found.set(key, result.value);
    }
    return found;
  }

  has(key: string): boolean {
    const entry = this.#memory.peek(key);
    return entry !== undefined && this.#isFresh(entry);
  }

  // ---- writes ----

  async write<T, R>(
    key: string,
    value: T,
    save: (value: T) => R | PromiseLike<R>,
    options: EntryOptions = NO_OPTIONS,
  ): Promise<R> {
    assertKey(key);
    const result = await save(value);
    this.set(key, value, options);
    return result;
  }

  writeSync<T, R>(key: string, value: T, save: (value: T) => R, options: EntryOptions = NO_OPTIONS): R {
    assertKey(key);
    const result = save(value);
    this.set(key, value, options);
    return result;
  }

  set<T>(key: string, value: T, options: EntryOptions = NO_OPTIONS): boolean {
    assertKey(key);
    if (!this.enabled || this.closed) return false;
    const load = this.#record(key, options);
    // What was there is outdated, and so is what was made from it, even if the new value is not kept.
    this.#invalidator.written(key);
    const kept = this.#filler.keep(load, this.#invalidator.position, value, WRITTEN);
    if (kept) {
      load.counters.writes++;
      return true;
    }
    const outdated = this.#memory.peek(key);
    if (outdated !== undefined) this.#memory.remove(outdated, 'replaced');
    return false;
  }

  setMany<T>(
    entries: Iterable<readonly [key: string, value: T]>,
    options: EntryOptions = NO_OPTIONS,
  ): number {
    let kept = 0;
    for (const [key, value] of entries) kept += this.set(key, value, options) ? 1 : 0;
    return kept;
  }

  delete(key: string): boolean {
    assertKey(key);
    const wasResident = this.has(key);
    this.invalidate(key);
    return wasResident;
  }

  invalidate(...targets: readonly InvalidationTarget[]): Removal {
    const compiled = targets.map(compileTarget);
    if (this.closed) return NOTHING;
    const removal = this.#invalidator.invalidate(compiled);
    for (const target of targets) this.#events.emit('invalidated', { target, removal });
    return removal;
  }

  clear(): Removal {
    if (this.closed) return NOTHING;
    const removal: Removal = {
      entries: this.#memory.size,
      weightBytes: this.#memory.weightBytes,
      loads: this.#loads.size,
    };
    this.#empty();
    this.#events.emit('invalidated', { target: 'all', removal });
    return removal;
  }

  #empty(): void {
    this.#invalidator.clear();
    this.#top.detach();
    for (const counters of this.#book.all()) {
      counters.removals.invalidated += counters.entries;
      counters.entries = 0;
      counters.weightBytes = 0;
    }
  }

  preview(target: InvalidationTarget): Promise<Preview> {
    return preview(compileTarget(target), this.#memory, this.#loads, this.clock, (entry) =>
      this.#isFresh(entry),
    );
  }

  // ---- knowing ----

  stats(topKeys = 10): CacheStats {
    const all = [...this.#book.all()];
    const meanLoadMs = meanLoadTimes(all);
    const now = this.clock.now();
    return {
      enabled: this.enabled,
      sinceAt: this.clock.epochAt(this.#startedAt),
      at: this.clock.epochAt(now),
      maxWeightBytes: this.maxWeightBytes,
      total: sumFigures(all, meanLoadMs),
      tiers: this.tiers.map(({ tier, label }) => ({
        tier,
        label,
        ...sumFigures(this.#book.inTier(tier), meanLoadMs),
      })),
      namespaces: all.map((each) => ({
        namespace: each.namespace,
        tier: each.policy.tier,
        ...sumFigures([each], meanLoadMs),
      })),
      windows: this.#upkeep.windows(),
      topKeys: this.#top.list(topKeys).map((used) => {
        const entry = this.#memory.peek(used.key);
        const isFresh = entry !== undefined && this.#isFresh(entry);
        return {
          ...used,
          weightBytes: isFresh ? entry.weightBytes : undefined,
          freshForMs: isFresh ? entry.expiresAt - now : undefined,
        };
      }),
      loading: this.#loads.size,
      lastFailure: this.#lastFailure,
    };
  }

  inspect(key: string): EntryReport | undefined {
    const entry = this.#memory.peek(key);
    if (entry === undefined || !this.#isFresh(entry)) return undefined;
    return reportOf(entry, this.clock);
  }

  keys(prefix: string, limit: number): string[] {
    return completeKeys(this.#memory, prefix, limit, (entry) => this.#isFresh(entry));
  }

  on<E extends keyof CacheEvents>(event: E, listener: (event: CacheEvents[E]) => void): () => void {
    return this.#events.on(event, listener);
  }

  async stop(): Promise<void> {
    if (this.closed) return;
    this.#closing.abort(new CacheError('ERR_CLOSED', 'The cache was stopped.'));
    // Invalidations are not heard any more, so nothing may be served from memory any more.
    this.#empty();
    await this.#upkeep.stop();
  }

  // ---- the read path ----

  /** The entry that is served for the key now, counted as a hit. */
  #hit(key: string): Entry | undefined {
    const entry = this.#memory.peek(key);
    if (entry === undefined) return undefined;
    const isQuiet = this.clock.now() < entry.quietUntil && !this.#invalidator.isSweeping;
    if (!isQuiet && !this.#use(entry)) return undefined;
    entry.counters.hits++;
    const hits = ++entry.hits;
    if ((hits & (hits - 1)) === 0) {
      this.#top.offer(entry);
      if (hits === BUSY_HITS) entry.becomeBusy();
    }
    return entry;
  }

  /** Tells the eviction policy of the use; false when the entry may not be served any more. */
  #use(entry: Entry): boolean {
    if (!this.#isFresh(entry)) {
      this.#discard(entry);
      return false;
    }
    this.#memory.touch(entry);
    if (!entry.copied) entry.quietUntil = Math.min(entry.expiresAt, this.clock.now() + QUIET_MS);
    return true;
  }

  #isFresh(entry: Entry): boolean {
    return this.clock.now() < entry.expiresAt && !this.#invalidator.isSwept(entry);
  }

  #discard(entry: Entry): void {
    if (!this.#invalidator.sweepNow(entry)) this.#memory.remove(entry, 'expired');
  }

  /**
   * Waits for a load in flight. When it turns out to be void by an invalidation from before this caller came (its tags
   * were learnt too late to know), the caller loads anew.
   */
  #join<T>(running: Load, load: Loader<T>, options: LoadOptions): Promise<T> {
    running.counters.misses++;
    running.counters.joined++;
    const joinedAt = this.#invalidator.position;
    const shared =
      running.promise ?? Promise.reject(new CacheError('ERR_LOAD_FAILED', 'A load cannot wait for itself.'));
    return shared.then((value) => {
      if (running.isOutdatedFor(joinedAt)) return this.getOrLoad(running.key, load, options);
      return (running.original === undefined ? value : cloneValue(running.original.value)) as T;
    });
  }

  #load<T>(key: string, load: Loader<T>, options: LoadOptions): Promise<T> {
    let record: Load;
    try {
      record = this.#begin(key, options);
    } catch (error) {
      return Promise.reject(error);
    }
    const beganAt = this.clock.precise();
    // Registered before the loader runs, so that a loader that reads its own key cannot start a second load.
    if (record.mayKeep) this.#loads.begin(record);
    let result: T | PromiseLike<T>;
    try {
      result = load(record);
    } catch (error) {
      result = Promise.reject(error);
    }
    const promise = Promise.resolve(result).then(
      (value) => this.#loaded(record, beganAt, value) as T,
      (error: unknown) => {
        this.#failed(record, beganAt, error);
        throw error;
      },
    );
    record.promise = promise;
    return promise;
  }

  #begin(key: string, options: LoadOptions): Load {
    const record = this.#record(key, options);
    record.mayKeep = this.#mayKeep(key);
    // A forced load, such as a warmer's, asks for nothing that could have been a hit.
    if (options.fresh === true) record.counters.refreshes++;
    else record.counters.misses++;
    record.counters.loads++;
    return record;
  }

  #record(key: string, options: EntryOptions): Load {
    if (options.ttlMs !== undefined) assertTtl(options.ttlMs, 'ttlMs');
    if (options.negativeTtlMs !== undefined) assertTtl(options.negativeTtlMs, 'negativeTtlMs');
    if (typeof key !== 'string') assertKey(key);
    return new Load(
      key,
      this.#book.countersFor(key, options.tier),
      options,
      this.#closing.signal,
      this.#invalidator.position,
      this.clock.now(),
    );
  }

  /** A key that cannot be one is served by its loader and not kept: hostile text must not make a read fail. */
  #mayKeep(key: string): boolean {
    if (!this.enabled || this.closed) return false;
    try {
      assertKey(key);
      return true;
    } catch (error) {
      this.#bursts.warn('key', 'A value is served but not kept: its key is not valid.', { error });
      return false;
    }
  }

  // ---- the fill ----

  #loaded(load: Load, beganAt: number, value: unknown): unknown {
    const loadMs = this.clock.precise() - beganAt;
    load.counters.loadTimes.record(loadMs);
    if (this.#loads.settle(load)) this.#invalidator.voidedLate(load.key);
    const kept =
      load.mayKeep &&
      !this.closed &&
      this.#filler.keep(load, load.position, value, Math.round(loadMs * 1_000));
    if (kept) load.counters.fills++;
    this.#loads.end(load);
    this.#events.emit('loaded', { key: load.key, tier: load.counters.policy.tier, loadMs, kept });
    return value;
  }

  #failed(load: Load, beganAt: number, error: unknown): void {
    const loadMs = this.clock.precise() - beganAt;
    load.counters.failures++;
    this.#loads.end(load);
    this.#lastFailure = {
      key: load.key,
      message: messageOf(error),
      at: this.clock.epochAt(this.clock.now()),
    };
    this.#events.emit('failed', { key: load.key, tier: load.counters.policy.tier, loadMs, error });
  }
}

/** Begins the one load of a batch; that it throws at once is a rejection like any other. */
function startBatch<T>(
  missing: readonly string[],
  loadMissing: (missing: readonly string[]) => ReadonlyMap<string, T> | PromiseLike<ReadonlyMap<string, T>>,
): Promise<ReadonlyMap<string, T>> {
  try {
    return Promise.resolve(loadMissing(missing));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** People reject with anything, also with what cannot be made text. */
function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'an error that cannot be shown as text';
  }
}

function assertBound(value: number, name: string): void {
  if (typeof value === 'number' && value >= 1 && value < Number.MAX_SAFE_INTEGER) return;
  throw new CacheError(
    'ERR_ARGUMENT_INVALID',
    `${name} is ${String(value)}; it must be a finite number from 1 up.`,
  );
}
