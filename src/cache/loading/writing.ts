/**
 * Write-through: the source first, then the cache. Writes to one key run one after another, so that the cache ends up
 * with what the source was given last. A write within the `save` of its own key runs at once: which of the two the
 * source was given last is not known then, so that the key is invalidated. An invalidation that comes while a value is
 * being saved wins: what was saved may be outdated already, so the key is invalidated in place of filled.
 */
import { isDeepStrictEqual } from 'node:util';
import { assertFunction } from '../arguments.ts';
import type { Cache } from '../cache.ts';
import type { EntryOptions } from '../entry-options.ts';
import { CacheError } from '../errors.ts';
import { assertKey } from '../keys/keys.ts';
import { isPromiseLike } from '../promise-like.ts';
import type { NotTaken, Taken } from '../values/take.ts';
import { Call } from './call.ts';
import type { Load } from './load.ts';
import type { Loading } from './loading.ts';
import type { Loads } from './loads.ts';

interface Turn {
  readonly call: Call;
  readonly end: Promise<void>;
}

export class Writing {
  readonly #cache: Pick<Cache, 'set' | 'invalidate' | 'intend'>;
  readonly #loading: Loading;
  /** Saves under way, which invalidations void as they void loads. */
  readonly #saves: Loads;
  /** The last write to a key. */
  readonly #turns = new Map<string, Turn>();

  constructor(cache: Pick<Cache, 'set' | 'invalidate' | 'intend'>, loading: Loading, saves: Loads) {
    this.#cache = cache;
    this.#loading = loading;
    this.#saves = saves;
  }

  async write<T, R>(
    key: string,
    value: T,
    save: (value: T) => R | PromiseLike<R>,
    options: EntryOptions,
  ): Promise<R> {
    assertFunction(save, 'write(key, value, save)', 'save');
    this.#check(key, options);
    const caller = Call.current();
    const before = this.#turns.get(key);
    const call = new Call(this, key, caller);
    if (before !== undefined && caller?.isAwaitedBy(before.call) === true) {
      caller.assertMayNest(this, key);
      return this.#saveWithin(call, key, value, save);
    }
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const turn = { call, end };
    this.#turns.set(key, turn);
    try {
      if (before !== undefined) {
        call.joins(before.call);
        await before.end;
      }
      const record = this.#begin(key, options);
      const crossOut = this.#cache.intend(() => [key]);
      try {
        const before = this.#snapshot(record, value);
        const result = await call.run(save, value);
        // Changed by its owner while it was being saved: nobody knows which of the two the source has.
        if (isSame(before, this.#snapshot(record, value))) this.#finish(record, value);
        else this.#cache.invalidate(key);
        return result;
      } finally {
        this.#saves.end(record);
        crossOut();
      }
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
      call.end(key);
      resolve();
    }
  }

  /** A write that the last one of its key waits for. */
  async #saveWithin<T, R>(
    call: Call,
    key: string,
    value: T,
    save: (value: T) => R | PromiseLike<R>,
  ): Promise<R> {
    const crossOut = this.#cache.intend(() => [key]);
    try {
      const result = await call.run(save, value);
      this.#cache.invalidate(key);
      return result;
    } finally {
      call.end(key);
      crossOut();
    }
  }

  writeSync<T, R>(key: string, value: T, save: (value: T) => R, options: EntryOptions): R {
    assertFunction(save, 'writeSync(key, value, save)', 'save');
    this.#check(key, options);
    const crossOut = this.#cache.intend(() => [key]);
    try {
      const result = save(value);
      assertSaved(result, () => void this.#cache.invalidate(key));
      this.#cache.set(key, value, options);
      return result;
    } finally {
      crossOut();
    }
  }

  #snapshot({ counters }: Load, value: unknown): Taken | NotTaken | undefined {
    try {
      return counters.values.take(value, 'copy');
    } catch {
      return undefined; // a taught class failed: the fill says so, of the same value
    }
  }

  /** Before anything is saved: what makes no sense must not be found out afterwards. */
  #check(key: string, options: EntryOptions): void {
    assertKey(key);
    this.#loading.record(key, options, undefined);
  }

  #begin(key: string, options: EntryOptions): Load {
    const record = this.#loading.record(key, options, undefined);
    this.#saves.begin(record);
    return record;
  }

  #finish(record: Load, value: unknown): void {
    if (record.isVoid) this.#cache.invalidate(record.key);
    else this.#cache.set(record.key, value, record.options);
  }
}

/** What cannot be copied is not kept, whatever it holds. */
function isSame(before: Taken | NotTaken | undefined, after: Taken | NotTaken | undefined): boolean {
  if (before === undefined || after === undefined) return true;
  if (before.refusal !== undefined || after.refusal !== undefined) return true;
  try {
    return isDeepStrictEqual(before.value, after.value);
  } catch {
    return false; // it goes down by recursion
  }
}

/**
 * Refuses what a synchronous write would have to wait for: whether it is saved is not known, so that what was there is
 * outdated (`outdate`), now and when it has ended.
 * @throws CacheError `ERR_ARGUMENT_INVALID`
 */
export function assertSaved(result: unknown, outdate: () => void): void {
  if (!isPromiseLike(result)) return;
  outdate();
  // Its failure would have nobody to hear it, beside the error below.
  void Promise.resolve(result).then(outdate, outdate);
  throw new CacheError(
    'ERR_ARGUMENT_INVALID',
    'What writeSync saves with gives a promise, so it needs the asynchronous kind: write.',
  );
}
