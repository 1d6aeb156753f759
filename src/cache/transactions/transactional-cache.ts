/**
 * A cache as one SQLite connection may use it: outside of transactions it is the cache itself; within, it waits for
 * the commit. `sqlite.ts` says what is promised.
 */
import type { Logger } from '../../logger.ts';
import type { Cache, Lookup } from '../cache.ts';
import type { Clock } from '../clock.ts';
import type { EntryOptions, LoadOptions } from '../entry-options.ts';
import type { EntryReport } from '../entry-report.ts';
import { CacheError } from '../errors.ts';
import type { CacheEvents } from '../events.ts';
import type { Preview } from '../index/preview.ts';
import { assertKey, isKey } from '../keys/keys.ts';
import type { InvalidationTarget } from '../keys/target.ts';
import type { Provenance } from '../layers/disk/disk.ts';
import type { LoadMissing } from '../loading/batch-load.ts';
import type { LoadContext, Loader } from '../loading/load-context.ts';
import type { Unsaved } from '../loading/unsaved.ts';
import { assertSaved } from '../loading/writing.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { Forgotten, Removal } from '../removal.ts';
import type { CacheStats } from '../statistics/stats.ts';
import { assertCallOptions } from '../tiers/rules.ts';
import type { TierPolicy } from '../tiers/tier.ts';
import type { DeepReadonly, Frozen } from '../values/deep-readonly.ts';
import type { Values } from '../values/values.ts';
import type { Recipes } from '../warmth/recipes.ts';
import type { Warmth } from '../warmth/warmth.ts';
import type { ChangeSource } from './change-source.ts';
import {
  type Change,
  changeOfInvalidate,
  changeOfSet,
  type PendingChange,
  PendingChanges,
  withoutValue,
} from './pending-changes.ts';
import { type MarkedDatabase, RollbackMark } from './rollback-mark.ts';

const NO_OPTIONS: LoadOptions = {};
const MISS: Lookup<never> = { state: 'miss' };
const NOTHING_YET: Removal = { entries: 0, weightBytes: 0, loads: 0 };

/** With more changes than this, to look through them takes longer than to ask the database. */
const MANY_CHANGES = 1_000;

/**
 * How a call is to be treated: as usual, within a transaction of ours, within one begun elsewhere, or while the database
 * does not tell what this connection has written, since somebody holds it.
 */
type Place = 'outside' | 'within' | 'foreign' | 'behind';

type SetChange = Extract<Change, { readonly kind: 'set' }>;

export class TransactionalCache implements Cache {
  readonly #db: { readonly inTransaction: boolean };
  readonly #cache: Cache;
  readonly #logger: Logger;
  readonly #feed: ChangeSource | undefined;
  readonly #mark: RollbackMark;
  /** Transactions and savepoints of ours that are open. */
  #depth = 0;
  /** The outermost one of ours; as a guest it is only a savepoint in a transaction begun elsewhere. */
  #outermost = { depth: 1, isGuest: false };
  readonly #pending = new PendingChanges();
  /** The mark of the innermost one of ours; `undefined` before its first change. */
  #levelMark: number | undefined;
  /** Crosses out what the transaction has written down that it will invalidate. */
  #crossOut: (() => void) | undefined;
  /** Applied already, and to be applied once more when the transaction begun elsewhere has ended. */
  #foreign: Change[] = [];
  #foreignReported = false;

  constructor(db: MarkedDatabase, cache: Cache, logger: Logger, feed: ChangeSource | undefined) {
    this.#db = db;
    this.#mark = new RollbackMark(db);
    this.#cache = cache;
    this.#logger = logger;
    this.#feed = feed;
  }

  /** To be called as the last thing within a transaction: writes down what its commit will invalidate. */
  beforeCommit(): void {
    const { depth, isGuest } = this.#outermost;
    if (this.#depth !== depth || isGuest || this.#pending.size === 0) return;
    this.#crossOut = this.#cache.intend(() => this.#pending.targets());
  }

  /** Runs a transaction or savepoint: what it changes applies if it succeeds, and is dropped if it is rolled back. */
  follow<R>(run: () => R): R {
    const place = this.#place();
    const { size } = this.#pending;
    const outermost = this.#outermost;
    const levelMark = this.#levelMark;
    // So it is, too, within one of ours that has ended already: SQLite rolls some back by itself, after an error that
    // somebody caught, and people may write COMMIT.
    const isOutermost = this.#depth === 0 || !this.#db.inTransaction;
    if (!this.#db.inTransaction) this.#mark.prepare();
    this.#depth++;
    this.#levelMark = undefined;
    if (isOutermost) this.#outermost = { depth: this.#depth, isGuest: place === 'foreign' };
    let succeeded = false;
    try {
      const result = run();
      succeeded = true;
      return result;
    } finally {
      this.#depth--;
      this.#levelMark = levelMark;
      if (!succeeded) this.#failed(size);
      else if (isOutermost) {
        this.#dropRolledBack();
        this.#committed(this.#pending.takeFrom(size).map(({ change }) => change));
      }
      if (isOutermost) {
        this.#outermost = outermost;
        this.#crossOut?.();
        this.#crossOut = undefined;
      }
    }
  }

  /** Drops what was rolled back. What may have been committed on the way, by hand for one, is invalidated. */
  #failed(size: number): void {
    const changes = this.#takeStanding(size);
    if (!this.#db.inTransaction) this.#apply(changes);
    else if (this.#depth > 0) for (const change of changes) this.#pending.add(change, undefined);
    else for (const change of changes) this.#applyForeign(change);
  }

  /** Takes out the changes from there on; of those that may stand, what was there is to be invalidated. */
  #takeStanding(size: number): Change[] {
    if (this.#pending.size <= size) return [];
    const { standing } = this.#mark;
    const isRolledBack = ({ mark }: PendingChange) =>
      mark !== undefined && standing !== undefined && mark > standing;
    const taken = this.#pending.takeFrom(size);
    this.#dropped(taken.filter(isRolledBack).map(({ change }) => change));
    return taken.filter((each) => !isRolledBack(each)).map(({ change }) => withoutValue(change));
  }

  /** What is written behind stays written. */
  #dropped(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === 'set' && this.unsaved.find(change.key).state === 'hit')
        this.#cache.invalidate(change.key);
    }
  }

  #committed(changes: readonly Change[]): void {
    if (this.#outermost.isGuest) {
      for (const change of changes) this.#applyForeign(change);
      return;
    }
    this.#apply(changes);
    this.#drainOwn();
  }

  /** What was set within a savepoint of others that was rolled back never came to be. */
  #dropRolledBack(): void {
    if (this.#pending.hasSets) this.#pending.dropSetsAfter(this.#mark.standing ?? 0);
  }

  #place(): Place {
    if (!this.#db.inTransaction) {
      // One of ours was ended by SQLite or by hand: nobody knows what was committed on the way.
      if (this.#pending.size > 0) this.#apply(this.#takeStanding(0));
      // A foreign transaction has ended, committed or not: what it may have changed is invalidated for good.
      if (this.#foreign.length > 0) this.#apply(this.#foreign.splice(0));
      this.#drainOwn();
      return this.#feed?.isBehind === true ? 'behind' : 'outside';
    }
    if (this.#depth > 0) return this.#outermost.isGuest ? 'foreign' : 'within';
    this.#reportForeign();
    return 'foreign';
  }

  /** Invalidates what was written past this cache, through the same connection. */
  #drainOwn(): void {
    if (this.#feed?.isBehind === true) this.#feed.drainOwn();
  }

  /**
   * Invalidates what was written before the value was set, so that it is not removed by what was noticed of the same
   * write, and by later ones only. False where the two can't be told apart.
   */
  #drainUntilSet({ written }: SetChange): boolean {
    if (this.#feed === undefined) return true;
    // What came before it may have drained more than that already: a disk layer does, before it writes.
    return written !== undefined && this.#feed.drainOwn(written);
  }

  /** Whether something was written since, which may concern it. */
  #isOvertaken({ written }: SetChange): boolean {
    return this.#feed?.isBehind === true && (written === undefined || written !== this.#feed.written);
  }

  /** `save`, with what it writes noticed before its value is kept. */
  #noticing<T, R>(save: (value: T) => R): (value: T) => R {
    if (this.#feed === undefined) return save;
    return (value) => {
      const result = save(value);
      this.#drainOwn();
      return result;
    };
  }

  #reportForeign(): void {
    if (this.#foreignReported) return;
    this.#foreignReported = true;
    this.#logger.warn(
      'The cache is used inside a transaction that it does not know: begin it with transaction() of sqliteCache. Until it ends, reads go to the database.',
    );
  }

  /** The database accepted these writes, so that nothing here may fail them (I4). */
  #apply(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    try {
      let targets: InvalidationTarget[] = [];
      const flush = () => {
        if (targets.length > 0) this.#cache.invalidate(...targets);
        targets = [];
      };
      for (const change of changes) {
        if (change.kind === 'invalidate') {
          targets.push(change.target);
          if (targets.length >= MANY_CHANGES) flush();
          continue;
        }
        flush();
        if (change.kind === 'clear') this.#cache.clear();
        else if (!this.#drainUntilSet(change)) targets.push(change.key);
        else this.#cache.set(change.key, change.taken.value, change.options);
      }
      flush();
    } catch (error) {
      this.#logger.error(
        'What a transaction changed could not be invalidated, so the whole cache was cleared.',
        {
          error,
        },
      );
      this.#cache.clear();
    }
  }

  /** Whether it will be committed is not known: what it wrote is invalidated, now and when it has ended. */
  #applyForeign(change: Change): void {
    const known = withoutValue(change);
    this.#foreign = this.#foreign.length < MANY_CHANGES ? [...this.#foreign, known] : [{ kind: 'clear' }];
    this.#apply([known]);
  }

  /** Takes a change in while a transaction is open. @returns whether a value is to be kept at the commit */
  #defer(change: Change): boolean {
    if (this.#depth === 0) this.#applyForeign(change);
    else if (change.kind !== 'set') this.#pending.add(change, this.#markOfLevel());
    else {
      this.#dropRolledBack();
      const mark = this.#mark.make();
      this.#pending.add({ ...change, written: this.#feed?.written }, mark);
      return mark !== undefined;
    }
    return false;
  }

  /** A mark that goes back when the innermost transaction or savepoint of ours does. */
  #markOfLevel(): number | undefined {
    const { standing } = this.#mark;
    if (this.#levelMark === undefined || standing === undefined || this.#levelMark > standing) {
      this.#dropRolledBack();
      this.#levelMark = this.#mark.make();
    }
    return this.#levelMark;
  }

  #changeOf(key: string): Change | undefined {
    this.#dropRolledBack();
    const change = this.#pending.lastFor(key, (of) => this.#cache.inspect(of));
    return change?.kind === 'set' && this.#isOvertaken(change) ? changeOfInvalidate(change.key) : change;
  }

  /** What a read within a transaction gets from the cache. */
  #lookupWithin<T>(key: string, options?: LoadOptions): Lookup<T> {
    if (this.#pending.size > MANY_CHANGES) return { state: 'miss' };
    const change = this.#changeOf(key);
    if (change?.kind === 'set' && change.key === key) {
      const { taken } = change;
      const asSet = taken.frozen === undefined ? 'copy' : 'frozen';
      try {
        const value = this.values.serve(taken, options === undefined ? asSet : (options.values ?? 'copy'));
        return { state: 'hit', value: value as T };
      } catch {
        return { state: 'miss' }; // a taught class failed
      }
    }
    if (change !== undefined || this.#place() === 'foreign') return { state: 'miss' };
    // It has written to watched tables: what that covers is known at the commit.
    if (this.#feed?.isBehind === true) return { state: 'miss' };
    return this.#cache.lookup<T>(key, options);
  }

  /** A load whose value is handed out and not kept. */
  #bypass<R>(key: string, load: (context: LoadContext) => R): R {
    const signal = new AbortController().signal;
    const ignore = () => undefined;
    return this.unsaved.ask(load, {
      key,
      signal,
      stale: undefined,
      tag: ignore,
      dependsOn: ignore,
      setTtl: ignore,
      skip: ignore,
      servedStale: ignore,
      notModified: () => {
        throw new CacheError('ERR_LOAD_FAILED', 'Within a transaction there is no old value: load it.', {
          key,
        });
      },
    });
  }

  // ---- reads ----

  getOrLoad<T>(key: string, load: Loader<T>, options: LoadOptions & Frozen): Promise<DeepReadonly<T>>;
  getOrLoad<T>(key: string, load: Loader<T>, options?: LoadOptions): Promise<T>;
  getOrLoad<T>(key: string, load: Loader<T>, options?: LoadOptions): Promise<T> {
    if (this.#place() === 'outside') return this.#cache.getOrLoad(key, this.#watched(load), options);
    try {
      return Promise.resolve(this.#readWithin(key, load, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getOrLoadSync<T>(
    key: string,
    load: (context: LoadContext) => T,
    options: LoadOptions & Frozen,
  ): DeepReadonly<T>;
  getOrLoadSync<T>(key: string, load: (context: LoadContext) => T, options?: LoadOptions): T;
  getOrLoadSync<T>(key: string, load: (context: LoadContext) => T, options?: LoadOptions): T {
    if (this.#place() === 'outside') return this.#cache.getOrLoadSync(key, this.#watched(load), options);
    return this.#readWithin<T, T>(key, load, options);
  }

  /** Since a transaction of others may have been open, what was loaded may be rolled back later, or have been. */
  #openTransactions(): () => boolean {
    const { inTransaction } = this.#db;
    const openWrites = this.#feed?.openWrites;
    return () => inTransaction || this.#db.inTransaction || this.#feed?.openWrites !== openWrites;
  }

  /**
   * A loader whose value is not kept where a transaction of others was open as it began or ended, or wrote meanwhile: one
   * that waits, or that runs behind, may come upon what is rolled back later.
   */
  #watched<R>(load: (context: LoadContext) => R): (context: LoadContext) => R {
    return (context) => {
      const wasOpen = this.#openTransactions();
      const check = <T>(value: T): T => {
        if (wasOpen()) context.skip();
        return value;
      };
      check(undefined);
      const loaded = load(context);
      // A promise of the same.
      return isPromiseLike(loaded) ? (loaded.then(check) as R) : check(loaded);
    };
  }

  /** The same of many keys. */
  #watchedMany<T>(load: LoadMissing<T>): LoadMissing<T> {
    return async (missing) => {
      const wasOpen = this.#openTransactions();
      const loaded = await load(missing);
      // One by one, here and below: a call has no room for some 100,000 arguments.
      if (wasOpen()) for (const key of missing) if (isKey(key)) this.#cache.invalidate(key);
      return loaded;
    };
  }

  #readWithin<T, R>(key: string, load: (context: LoadContext) => R, options: LoadOptions | undefined): T | R {
    if (options !== undefined) assertCallOptions(options);
    if (options?.fresh === true) this.invalidate(key);
    else {
      const found = this.#lookupWithin<T>(key, options ?? NO_OPTIONS);
      if (found.state === 'hit') return found.value;
    }
    return this.#bypass(key, load);
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
    options?: LoadOptions,
  ): Promise<Map<string, T>> {
    if (this.#place() === 'outside')
      return this.#cache.getOrLoadMany(keys, this.#watchedMany(loadMissing), options);
    if (options?.fresh === true) for (const key of keys) this.invalidate(key);
    const found = new Map<string, T>();
    for (const key of keys) {
      const isRead = found.has(key) || options?.fresh === true;
      const kept: Lookup<T> = isRead ? MISS : this.#lookupWithin<T>(key, options ?? NO_OPTIONS);
      const known = kept.state === 'hit' || found.has(key) ? kept : this.unsaved.find(key);
      if (known.state === 'hit') found.set(key, known.value as T);
    }
    const missing = [...new Set(keys)].filter((key) => !found.has(key));
    const loaded = missing.length > 0 ? await loadMissing(missing) : new Map<string, T>();
    return new Map(keys.map((key) => [key, (found.has(key) ? found.get(key) : loaded.get(key)) as T]));
  }

  lookup<T>(key: string, options?: LoadOptions): Lookup<T> {
    return this.#place() === 'outside'
      ? this.#cache.lookup<T>(key, options)
      : this.#lookupWithin<T>(key, options);
  }

  get<T>(key: string): T | undefined {
    const found = this.lookup<T>(key);
    return found.state === 'hit' ? found.value : undefined;
  }

  getMany<T>(keys: readonly string[]): Map<string, T> {
    const values = new Map<string, T>();
    for (const key of keys) {
      const found = this.lookup<T>(key);
      if (found.state === 'hit') values.set(key, found.value);
    }
    return values;
  }

  has(key: string): boolean {
    const place = this.#place();
    if (place === 'outside') return this.#cache.has(key);
    if (this.#pending.size > MANY_CHANGES) return false;
    const change = this.#changeOf(key);
    if (change !== undefined) return change.kind === 'set' && change.key === key;
    return place === 'within' && this.#feed?.isBehind !== true && this.#cache.has(key);
  }

  // ---- writes ----

  async write<T, R>(
    key: string,
    value: T,
    save: (value: T) => R | PromiseLike<R>,
    options?: EntryOptions,
  ): Promise<R> {
    if (this.#place() === 'outside') return this.#cache.write(key, value, save, options);
    const saved = save(value);
    if (!isPromiseLike(saved)) {
      this.set(key, value, options);
      return saved;
    }
    const result = await saved;
    // The transaction may have ended meanwhile, in one way or the other.
    this.invalidate(key);
    return result;
  }

  writeSync<T, R>(key: string, value: T, save: (value: T) => R, options?: EntryOptions): R {
    if (this.#place() === 'outside') return this.#cache.writeSync(key, value, this.#noticing(save), options);
    const result = save(value);
    assertSaved(result, () => void this.invalidate(key));
    this.set(key, value, options);
    return result;
  }

  /** Within a transaction true says that it will be tried at the commit. */
  set<T>(key: string, value: T, options?: EntryOptions): boolean {
    const place = this.#place();
    if (place === 'outside') return this.#cache.set(key, value, options);
    assertKey(key);
    if (options !== undefined) assertCallOptions(options);
    return this.#defer(changeOfSet(key, value, options, this.values)) && place === 'within';
  }

  setMany<T>(entries: Iterable<readonly [key: string, value: T]>, options?: EntryOptions): number {
    let kept = 0;
    for (const [key, value] of entries) kept += this.set(key, value, options) ? 1 : 0;
    return kept;
  }

  delete(key: string): boolean {
    const wasResident = this.has(key);
    this.invalidate(key);
    return wasResident;
  }

  /** Within a transaction it removes nothing yet, so that all figures are 0. */
  invalidate(...targets: readonly InvalidationTarget[]): Removal {
    if (this.#place() === 'outside') return this.#cache.invalidate(...targets);
    // All are made first: of targets that are not all valid, none applies.
    const changes = targets.map((target) => changeOfInvalidate(target, this.tiers));
    for (const change of changes) this.#defer(change);
    return NOTHING_YET;
  }

  /** Within a transaction it removes nothing yet, so that all figures are 0. */
  clear(): Removal {
    if (this.#place() === 'outside') return this.#cache.clear();
    this.#defer({ kind: 'clear' });
    return NOTHING_YET;
  }

  /** Within a transaction nothing: what it covers is written down before the commit. */
  intend(targets: () => readonly InvalidationTarget[]): () => void {
    return this.#place() === 'outside' ? this.#cache.intend(targets) : () => undefined;
  }

  // ---- what is the same everywhere ----

  get enabled(): boolean {
    return this.#cache.enabled;
  }
  get maxWeightBytes(): number {
    return this.#cache.maxWeightBytes;
  }
  get cleanupIntervalMs(): number {
    return this.#cache.cleanupIntervalMs;
  }
  get tiers(): readonly TierPolicy[] {
    return this.#cache.tiers;
  }
  get clock(): Clock {
    return this.#cache.clock;
  }
  get closed(): boolean {
    return this.#cache.closed;
  }
  get recipes(): Recipes {
    return this.#cache.recipes;
  }
  get warmth(): Warmth | undefined {
    return this.#cache.warmth;
  }
  get values(): Values {
    return this.#cache.values;
  }
  get unsaved(): Unsaved {
    return this.#cache.unsaved;
  }
  forget(...targets: readonly InvalidationTarget[]): Promise<Forgotten> {
    return this.#cache.forget(...targets);
  }
  provenBy(feed: Provenance): void {
    this.#cache.provenBy(feed);
  }
  get feedPosition(): unknown {
    return this.#cache.feedPosition;
  }
  persist(): Promise<void> {
    return this.#cache.persist();
  }
  preview(target: InvalidationTarget): Promise<Preview> {
    return this.#cache.preview(target);
  }
  stats(topKeys?: number): CacheStats {
    return this.#cache.stats(topKeys);
  }
  get stored() {
    return this.#cache.stored;
  }
  inspect(key: string): EntryReport | undefined {
    return this.#cache.inspect(key);
  }
  keys(prefix: string, limit: number): string[] {
    return this.#cache.keys(prefix, limit);
  }
  on<E extends keyof CacheEvents>(event: E, listener: (event: CacheEvents[E]) => void): () => void {
    return this.#cache.on(event, listener);
  }
  warn(text: string): void {
    this.#cache.warn(text);
  }
  stop(): Promise<void> {
    return this.#cache.stop();
  }
}
