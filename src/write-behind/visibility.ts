/**
 * What reads see of writes that are on their way: the cache holds the new value from the acknowledgement on, in memory
 * alone, and gives it up once the source has it. The write is acknowledged by then, so nothing here may fail it (I4).
 */
import type { BurstLog } from '../cache/burst-log.ts';
import type { Cache } from '../cache/cache.ts';
import { invalidateAll } from '../cache/invalidation/many-targets.ts';
import type { InvalidationTarget } from '../cache/keys/target.ts';
import type { WriterSettings } from './settings.ts';

export type VisibleCache = Pick<Cache, 'set' | 'invalidate'>;

export class Visibility {
  readonly #cache: VisibleCache;
  readonly #settings: Pick<WriterSettings, 'entry' | 'invalidates'>;
  readonly #bursts: BurstLog;

  constructor(
    cache: VisibleCache,
    settings: Pick<WriterSettings, 'entry' | 'invalidates'>,
    bursts: BurstLog,
  ) {
    this.#cache = cache;
    this.#settings = settings;
    this.#bursts = bursts;
  }

  /** The cache holds the value; loads in flight fill nothing. */
  show(key: string, value: unknown): void {
    try {
      this.#cache.set(key, value, this.#settings.entry);
    } catch (error) {
      this.#bursts.warn('show', 'A written value could not be put into the cache.', { key, error });
      this.#invalidate([key]);
    }
  }

  /**
   * The source has these values now. What was loaded meanwhile may be older, and so may be what was made from it; what
   * the source makes of a value may differ.
   */
  saved(items: readonly { readonly key: string; readonly value: unknown }[]): void {
    const targets: InvalidationTarget[] = [];
    for (const { key, value } of items) {
      targets.push(key);
      try {
        for (const target of this.#settings.invalidates(key, value)) targets.push(target);
      } catch (error) {
        this.#bursts.warn('targets', 'What a saved write invalidates could not be told.', { key, error });
      }
    }
    this.#invalidate(targets);
  }

  /** The source will not get this value for now, so reads must not go on seeing it. */
  withdraw(key: string): void {
    this.#invalidate([key]);
  }

  #invalidate(targets: readonly InvalidationTarget[]): void {
    if (targets.length === 0) return;
    try {
      invalidateAll(this.#cache, targets);
    } catch (error) {
      this.#bursts.warn('invalidate', 'What a saved write covers could not be invalidated.', { error });
    }
  }
}
