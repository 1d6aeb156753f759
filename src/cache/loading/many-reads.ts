/**
 * Reads of many keys at once, with one load for those that miss. Very many are looked up, and their loads ended, in
 * slices, so that the event loop keeps turning (I12); a few are looked up before anything is awaited.
 */
import type { Clock } from '../clock.ts';
import { servedValue } from '../entry.ts';
import type { LoadOptions } from '../entry-options.ts';
import { assertKey } from '../keys/keys.ts';
import { beginInSlices } from '../slices.ts';
import { aloneWith, BatchLoad, type LoadMissing } from './batch-load.ts';
import type { Loading } from './loading.ts';
import type { Loads } from './loads.ts';
import type { Reader } from './reader.ts';

export interface ManyReadsParts {
  readonly reader: Reader;
  readonly loads: Loads;
  readonly loading: Loading;
  readonly clock: Clock;
  /** The read of one key, for where what was joined proves nothing. */
  readonly getOrLoad: <T>(
    key: string,
    load: ReturnType<typeof aloneWith<T>>,
    options: LoadOptions,
  ) => Promise<T>;
}

export class ManyReads {
  readonly #parts: ManyReadsParts;

  constructor(parts: ManyReadsParts) {
    this.#parts = parts;
  }

  async getOrLoadMany<T>(
    keys: readonly string[],
    loadMissing: LoadMissing<T>,
    options: LoadOptions,
  ): Promise<Map<string, T>> {
    const { reader, loads, loading, clock, getOrLoad } = this.#parts;
    // Each has its place from the beginning, in the order of the keys, and its value before the map is handed out.
    const found = new Map<string, T>();
    const listing = beginInSlices(clock, keys, (key) => {
      // Before any load is registered: one that is waits for those after it.
      if (typeof key !== 'string') assertKey(key);
      found.set(key, undefined as T);
    });
    if (listing !== undefined) await listing;

    const batch = new BatchLoad(loadMissing, loading.callForMany(), clock);
    const isForced = options.fresh === true;
    const ended = Promise.withResolvers<void>();
    // Perhaps one fails before all are looked up.
    ended.promise.catch(() => undefined);
    let left = 1;
    const oneLess = () => {
      if (--left === 0) ended.resolve();
    };
    let running = Promise.resolve();
    // When the one load has failed, every key's has ended before that is told: a retry must not join one of them.
    const failed = (error: unknown) => {
      if (batch.hasFailed) void running.then(() => ended.reject(error));
      else ended.reject(error);
    };
    const takeLater = (key: string, value: Promise<T>) => {
      left++;
      value.then((loaded) => {
        found.set(key, loaded);
        oneLess();
      }, failed);
    };
    const read = (key: string) => {
      const entry = isForced ? undefined : reader.find(key, options, batch.load, false);
      if (entry !== undefined) {
        try {
          found.set(key, servedValue(entry, options.values) as T);
          return;
        } catch (error) {
          loading.uncopied(entry, error);
        }
      }
      const inFlight = isForced ? undefined : loads.get(key);
      if (inFlight === undefined) {
        takeLater(key, loading.load<T>(key, batch.load, options, batch.call));
        return;
      }
      const alone = aloneWith(loadMissing);
      const joiner = {
        readAnew: () => getOrLoad(key, alone, options),
        loadAlone: () => loading.load(key, alone, options),
        asked: options.values,
      };
      takeLater(key, loading.join(inFlight, joiner, batch.load, options, batch.call));
    };
    const reading = beginInSlices(clock, found.keys(), read);
    if (reading !== undefined) await reading;
    // All keys are registered before the one load begins, so that it cannot miss an invalidation.
    running = batch.run();
    oneLess();
    await ended.promise;
    return found;
  }
}
