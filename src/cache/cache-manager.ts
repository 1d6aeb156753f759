/**
 * The cache manager: the calls that bots make, and the parts that answer them. A read is memory (`reader.ts`), else
 * joining the load in flight, else loading and filling (`loading.ts`).
 */

import { consoleLogger } from '../logger/console-logger.ts';
import { assertFunction, assertList, invalidArgument, kindOf } from './arguments.ts';
import { BurstLog } from './burst-log.ts';
import type { Cache, Lookup } from './cache.ts';
import type { CacheOptions, DiskOptions } from './cache-options.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Entry, type EntryLinks, servedPromise, servedValue } from './entry.ts';
import type { EntryOptions, LoadOptions } from './entry-options.ts';
import type { EntryReport } from './entry-report.ts';
import { reportOf } from './entry-report.ts';
import { CacheError } from './errors.ts';
import type { CacheEvents } from './events.ts';
import { Emitter } from './events.ts';
import { completeKeys } from './index/completion.ts';
import type { Preview } from './index/preview.ts';
import { preview } from './index/preview.ts';
import { Invalidator } from './invalidation/invalidator.ts';
import { assertKey } from './keys/keys.ts';
import type { InvalidationTarget, Target } from './keys/target.ts';
import { compileTarget, covers } from './keys/target.ts';
import { Disk, type Provenance } from './layers/disk/disk.ts';
import { openWithBetterSqlite3 } from './layers/disk/open-sqlite.ts';
import { Persistence } from './layers/disk/persistence.ts';
import type { StoredEntries } from './layers/disk/stored-entries.ts';
import { MemoryLayer } from './layers/memory.ts';
import type { LoadMissing } from './loading/batch-load.ts';
import { Filler, WRITTEN } from './loading/filler.ts';
import { LiveObjects } from './loading/live-objects.ts';
import type { Load } from './loading/load.ts';
import type { LoadContext, Loader } from './loading/load-context.ts';
import { Loading } from './loading/loading.ts';
import { Loads } from './loading/loads.ts';
import { ManyReads } from './loading/many-reads.ts';
import { Reader } from './loading/reader.ts';
import { Room } from './loading/room.ts';
import { Unsaved } from './loading/unsaved.ts';
import { Writing } from './loading/writing.ts';
import type { Forgotten, Removal } from './removal.ts';
import { figuresByNamespace, meanLoadTimes, sumFigures, totalsOf } from './statistics/counters.ts';
import type { CacheStats } from './statistics/stats.ts';
import { TopKeys } from './statistics/top-keys.ts';
import { builtInPolicies } from './tiers/built-in-tiers.ts';
import type { TierPolicy } from './tiers/tier.ts';
import { TierBook } from './tiers/tier-book.ts';
import { Upkeep } from './upkeep.ts';
import type { DeepReadonly, Frozen } from './values/deep-readonly.ts';
import { Values } from './values/values.ts';
import { type NoteFollower, Recipes } from './warmth/recipes.ts';
import { type Warmth, warmthOf } from './warmth/warmth.ts';

const NO_OPTIONS: LoadOptions = {};
const DEFAULT_WEIGHT_BYTES = 100 * 1_024 ** 2;
const DEFAULT_CLEANUP_MS = 3_600_000;
const DEFAULT_DISK_BYTES = 256 * 1_024 ** 2;
const DEFAULT_DISK_INTERVAL_MS = 30_000;

const doNothing = () => undefined;

const NOTHING: Removal = { entries: 0, weightBytes: 0, loads: 0 };

export class CacheManager implements Cache {
  readonly enabled: boolean;
  readonly maxWeightBytes: number;
  readonly cleanupIntervalMs: number;
  readonly tiers: readonly TierPolicy[];
  readonly clock: Clock;
  readonly recipes: Recipes;
  readonly warmth: Warmth | undefined;
  readonly unsaved = new Unsaved();
  readonly values: Values;
  readonly #bursts: BurstLog;
  readonly #book: TierBook;
  readonly #memory: MemoryLayer;
  readonly #disk: Disk | undefined;
  readonly #persistence: Persistence | undefined;
  readonly #loads = new Loads();
  readonly #invalidator: Invalidator;
  readonly #top = new TopKeys((entry) => this.warmth?.used(entry));
  readonly #events: Emitter;
  readonly #filler: Filler;
  readonly #loading: Loading;
  readonly #reader: Reader;
  readonly #manyReads: ManyReads;
  readonly #writing: Writing;
  readonly #upkeep: Upkeep;
  readonly #closing = new AbortController();
  readonly #startedAt: number;
  #feed: Provenance | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: CacheOptions) {
    const { maxWeightBytes = DEFAULT_WEIGHT_BYTES, cleanupIntervalMs = DEFAULT_CLEANUP_MS } = options;
    assertBound(maxWeightBytes, 'maxWeightBytes');
    assertBound(cleanupIntervalMs, 'cleanupIntervalMs');
    this.enabled = options.enabled ?? true;
    this.maxWeightBytes = Math.floor(maxWeightBytes);
    this.cleanupIntervalMs = cleanupIntervalMs;
    this.tiers = options.tiers ?? builtInPolicies(options.disk !== undefined);
    this.clock = options.clock ?? systemClock();
    this.#bursts = new BurstLog(this.clock, options.logger ?? consoleLogger);
    this.values = new Values(options.valueTypes);
    this.#book = new TierBook(this.tiers, this.values, (text) => this.#bursts.warn('policy', text, {}));
    this.#events = new Emitter(this.#bursts);
    this.#memory = new MemoryLayer({
      maxWeightBytes: this.maxWeightBytes,
      onRemoved: (entry, reason) => {
        const { links } = entry;
        if (links !== undefined && reason !== 'invalidated') this.#loads.departed(entry.key, links);
        if (this.#invalidator.isSweeping) this.#invalidator.left(entry);
        if (entry.hits > 0) this.#top.removed(entry);
        this.#persistence?.removed(entry);
        this.warmth?.removed(entry);
      },
    });
    const { disk } = options;
    this.#disk =
      disk === undefined || !this.enabled
        ? undefined
        : new Disk({
            path: disk.path,
            open: disk.open ?? openWithBetterSqlite3,
            maxBytes: disk.maxBytes ?? DEFAULT_DISK_BYTES,
            version: disk.version ?? '',
            types: this.values.types,
            clock: this.clock,
            bursts: this.#bursts,
          });
    if (trustsWrites(disk)) this.#disk?.trustIntents();
    const saves = new Loads();
    this.#invalidator = new Invalidator({
      memory: this.#memory,
      loads: this.#loads,
      saves,
      disk: this.#disk,
      clock: this.clock,
      isClosed: () => this.closed,
    });
    const random = options.random ?? Math.random;
    const room = new Room({
      memory: this.#memory,
      maxWeightBytes: this.maxWeightBytes,
      clock: this.clock,
      bursts: this.#bursts,
      isClosed: () => this.closed,
    });
    this.#filler = new Filler({
      room,
      clock: this.clock,
      random,
      bursts: this.#bursts,
      events: this.#events,
      live: new LiveObjects(this.#bursts),
      onKept: (entry, rules) => this.#persistence?.kept(entry, rules.persist),
    });
    this.#loading = new Loading({
      enabled: this.enabled,
      memory: this.#memory,
      loads: this.#loads,
      invalidator: this.#invalidator,
      filler: this.#filler,
      book: this.#book,
      clock: this.clock,
      bursts: this.#bursts,
      events: this.#events,
      closing: this.#closing.signal,
      unsaved: this.unsaved,
      onOutdated: (key) => this.#disk?.outdateKey(key),
    });
    this.#reader = new Reader({
      memory: this.#memory,
      room,
      disk: this.#disk,
      loads: this.#loads,
      book: this.#book,
      invalidator: this.#invalidator,
      loading: this.#loading,
      top: this.#top,
      clock: this.clock,
      random,
      unsaved: this.unsaved,
    });
    this.#manyReads = new ManyReads({
      reader: this.#reader,
      loads: this.#loads,
      loading: this.#loading,
      clock: this.clock,
      getOrLoad: (key, load, options) => this.getOrLoad(key, load, options),
    });
    this.#persistence =
      this.#disk &&
      new Persistence({
        disk: this.#disk,
        clock: this.clock,
        bursts: this.#bursts,
        intervalMs: disk?.intervalMs ?? DEFAULT_DISK_INTERVAL_MS,
        isHeld: (entry) => this.#memory.holds(entry) && this.#reader.isHeld(entry),
      });
    const remembers = this.#disk !== undefined && (disk?.remembersUse ?? true);
    const follower: NoteFollower = {
      missed: (key) => this.warmth?.missed(key),
      isUsed: (key) => this.warmth?.isUsed(key) === true,
    };
    this.recipes = new Recipes(remembers ? follower : undefined);
    this.warmth = warmthOf(remembers, {
      disk: this.#disk,
      memory: this.#memory,
      loads: this.#loads,
      recipes: this.recipes,
      tiers: this.tiers,
      clock: this.clock,
      intervalMs: disk?.intervalMs ?? DEFAULT_DISK_INTERVAL_MS,
      fresh: (key) => this.#reader.fresh(key),
    });
    this.#writing = new Writing(this, this.#loading, saves);
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

  getOrLoad<T>(key: string, load: Loader<T>, options: LoadOptions & Frozen): Promise<DeepReadonly<T>>;
  getOrLoad<T>(key: string, load: Loader<T>, options?: LoadOptions): Promise<T>;
  getOrLoad<T>(key: string, load: Loader<T>, options: LoadOptions = NO_OPTIONS): Promise<T> {
    if (options.fresh !== true) {
      const entry = this.#reader.find(key, options, load, false);
      if (entry !== undefined) {
        try {
          return servedPromise(entry, options.values) as Promise<T>;
        } catch (error) {
          this.#loading.uncopied(entry, error);
        }
      }
      const running = this.#loads.get(key);
      if (running !== undefined) return this.#join(running, load, options);
    }
    return this.#loading.load(key, load, options);
  }

  #join<T>(running: Load, load: Loader<T>, options: LoadOptions): Promise<T> {
    const { key } = running;
    const joiner = {
      readAnew: () => this.getOrLoad(key, load, options),
      loadAlone: () => this.#loading.load(key, load, options),
      asked: options.values,
    };
    return this.#loading.join(running, joiner, load, options);
  }

  getOrLoadSync<T>(
    key: string,
    load: (context: LoadContext) => T,
    options: LoadOptions & Frozen,
  ): DeepReadonly<T>;
  getOrLoadSync<T>(key: string, load: (context: LoadContext) => T, options?: LoadOptions): T;
  getOrLoadSync<T>(key: string, load: (context: LoadContext) => T, options: LoadOptions = NO_OPTIONS): T {
    if (options.fresh !== true) {
      const entry = this.#reader.find(key, options, load, true);
      if (entry !== undefined) {
        try {
          return servedValue(entry, options.values) as T;
        } catch (error) {
          this.#loading.uncopied(entry, error);
        }
      }
    }
    return this.#loading.loadSync(key, load, options);
  }

  getOrLoadMany<T>(
    keys: readonly string[],
    loadMissing: LoadMissing<T>,
    options: LoadOptions & Frozen,
  ): Promise<Map<string, DeepReadonly<T>>>;
  getOrLoadMany<T>(
    keys: readonly string[],
    loadMissing: LoadMissing<T>,
    options?: LoadOptions,
  ): Promise<Map<string, T>>;
  async getOrLoadMany<T>(
    keys: readonly string[],
    loadMissing: LoadMissing<T>,
    options: LoadOptions = NO_OPTIONS,
  ): Promise<Map<string, T>> {
    const usage = 'getOrLoadMany(keys, loadMissing)';
    assertList(keys, usage, 'keys');
    assertFunction(loadMissing, usage, 'loadMissing');
    return this.#manyReads.getOrLoadMany(keys, loadMissing, options);
  }

  lookup<T>(key: string, options?: LoadOptions): Lookup<T> {
    const entry = this.#reader.find(key, NO_OPTIONS, undefined, true);
    if (entry !== undefined) {
      try {
        // Readers that say nothing of how they want the value get it as it is kept.
        const value =
          options === undefined ? servedValue(entry, entry.keptMode) : servedValue(entry, options.values);
        return { state: 'hit', value: value as T };
      } catch (error) {
        this.#loading.uncopied(entry, error);
      }
    }
    if (typeof key !== 'string') assertKey(key);
    this.#book.countersFor(key, undefined).misses++;
    return this.unsaved.find(key) as Lookup<T>; // what was written under the key is what is read there
  }

  get<T>(key: string): T | undefined {
    const found = this.lookup<T>(key);
    return found.state === 'hit' ? found.value : undefined;
  }

  getMany<T>(keys: readonly string[]): Map<string, T> {
    assertList(keys, 'getMany(keys)', 'keys');
    const found = new Map<string, T>();
    for (const key of keys) {
      const result = this.lookup<T>(key);
      if (result.state === 'hit') found.set(key, result.value);
    }
    return found;
  }

  has(key: string): boolean {
    return this.#reader.fresh(key) !== undefined;
  }

  // ---- writes ----

  write<T, R>(
    key: string,
    value: T,
    save: (value: T) => R | PromiseLike<R>,
    options: EntryOptions = NO_OPTIONS,
  ): Promise<R> {
    return this.#writing.write(key, value, save, options);
  }

  writeSync<T, R>(key: string, value: T, save: (value: T) => R, options: EntryOptions = NO_OPTIONS): R {
    return this.#writing.writeSync(key, value, save, options);
  }

  set<T>(key: string, value: T, options: EntryOptions = NO_OPTIONS): boolean {
    assertKey(key);
    if (!this.enabled || this.closed) return false;
    const load = this.#loading.record(key, options, undefined);
    // What was there is outdated, and so is what was made from it, even if the new value is not kept.
    this.#invalidator.written(key);
    this.#disk?.supersede(key);
    this.#loading.trace(load);
    const kept = this.#filler.keep(load, this.#invalidator.position, value, WRITTEN);
    this.#disk?.outdateStored(key, kept && load.rules.persist !== 'memory');
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
    assertList(entries, 'setMany(entries)', 'entries');
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
    return this.#invalidate(targets);
  }

  #invalidate(targets: readonly InvalidationTarget[]): Removal {
    const compiled = this.#compiled(targets);
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

  intend(targets: () => readonly InvalidationTarget[]): () => void {
    if (this.#disk === undefined || this.closed) return doNothing;
    return this.#disk.intend(() => this.#compiled(targets())) ?? doNothing;
  }

  #empty(): void {
    this.#invalidator.clear();
    this.#persistence?.clear();
    this.warmth?.cleared();
    this.#top.detach();
    for (const counters of this.#book.all()) {
      counters.removals.invalidated += counters.entries;
      counters.entries = 0;
      counters.weightBytes = 0;
    }
  }

  async forget(...targets: readonly InvalidationTarget[]): Promise<Forgotten> {
    const compiled = this.#compiled(targets);
    const found = (await this.#disk?.count(compiled)) ?? 0;
    const isCovered = (key: string, links: EntryLinks | undefined) =>
      compiled.some((target) => covers(target, key, links, undefined));
    const topKeys = this.#top.forget(isCovered);
    const forgetKeys = this.warmth?.forget(compiled);
    const removal = this.#invalidate(targets);
    const { entries, weightBytes, loads } = (await removal.pending) ?? removal;
    // Each step may wait for a lock: not all in one turn of the loop (I12).
    await this.clock.yield();
    const remembered = await forgetKeys?.();
    await this.clock.yield();
    const isGone = (await this.#disk?.forget()) ?? true;
    const left = isGone ? 0 : ((await this.#disk?.count(compiled)) ?? 0);
    this.#filler.forgetUnsafe();
    this.#loading.forgetFailure((key) => isCovered(key, undefined));
    this.#book.forget((namespace) => isCovered(namespace, undefined));
    return {
      entries,
      weightBytes,
      loads,
      stored: Math.max(0, found - left),
      topKeys,
      hotKeys: remembered?.keys ?? 0,
      isUnfinished: !isGone || remembered?.isFinished === false,
    };
  }

  preview(target: InvalidationTarget): Promise<Preview> {
    const isHeld = (entry: Entry) => this.#reader.isHeld(entry);
    const compiled = compileTarget(target, this.tiers);
    return preview(compiled, this.#memory, this.#disk, this.#loads, this.clock, isHeld);
  }

  #compiled(targets: readonly InvalidationTarget[]): Target[] {
    return targets.map((target) => compileTarget(target, this.tiers));
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
      namespaces: figuresByNamespace(all, meanLoadMs),
      windows: this.#upkeep.windows(),
      topKeys: this.#top.list(topKeys).map((used) => {
        const entry = this.#memory.peek(used.key);
        const isHeld = entry !== undefined && this.#reader.isHeld(entry);
        return {
          ...used,
          weightBytes: isHeld ? entry.weightBytes : undefined,
          freshForMs: isHeld ? Math.max(0, entry.staleAt - now) : undefined,
        };
      }),
      disk: this.#disk?.stats() ?? null,
      feed: this.#feed?.stats?.() ?? null,
      warmth: this.warmth?.stats() ?? null,
      loading: this.#loads.size,
      lastFailure: this.#loading.lastFailure,
      lastUnsafe: this.#filler.lastUnsafe,
    };
  }

  get stored(): StoredEntries | undefined {
    return this.#disk?.stored;
  }

  inspect(key: string): EntryReport | undefined {
    const entry = this.#memory.peek(key);
    if (entry === undefined || !this.#reader.isHeld(entry)) return undefined;
    return reportOf(entry, this.clock);
  }

  keys(prefix: string, limit: number): string[] {
    if (typeof prefix !== 'string')
      throw invalidArgument('keys(prefix, limit)', `prefix is ${kindOf(prefix)}, expected a text`);
    return completeKeys(this.#memory, prefix, limit, (entry) => this.#reader.isHeld(entry));
  }

  on<E extends keyof CacheEvents>(event: E, listener: (event: CacheEvents[E]) => void): () => void {
    return this.#events.on(event, listener);
  }

  warn(text: string): void {
    this.#bursts.warn(text, text, {});
  }

  provenBy(feed: Provenance): void {
    this.#feed = feed;
    this.#disk?.follow(feed);
  }

  get feedPosition(): unknown {
    return this.#disk?.feedPosition;
  }

  async persist(): Promise<void> {
    await Promise.all([this.#persistence?.flush(), this.warmth?.flush()]);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (this.#disk !== undefined) {
      await this.warmth?.stop();
      // While entries are written, reads and invalidations go on as before.
      await this.#persistence?.stop();
      await this.#disk.stop();
    }
    this.#closing.abort(new CacheError('ERR_CLOSED', 'The cache was stopped.'));
    // Invalidations are not heard any more, so nothing may be served from memory any more.
    this.#empty();
    await this.#upkeep.stop();
  }
}

function trustsWrites(disk: DiskOptions | undefined): boolean {
  if (disk?.trust === undefined) return false;
  if (disk.trust === 'wrapped-writes') return true;
  throw new CacheError('ERR_ARGUMENT_INVALID', `trust is 'wrapped-writes', not ${String(disk.trust)}.`);
}

function assertBound(value: number, name: string): void {
  if (typeof value === 'number' && value >= 1 && value < Number.MAX_SAFE_INTEGER) return;
  throw new CacheError(
    'ERR_ARGUMENT_INVALID',
    `${name} is ${String(value)}; it must be a finite number from 1 up.`,
  );
}
