/** One load for many keys: each key's own load waits for its share of it. */
import { hasMethods, kindOf } from '../arguments.ts';
import type { LoadContext, Loader } from './load-context.ts';

export type LoadMissing<T> = (
  missing: readonly string[],
) => ReadonlyMap<string, T> | PromiseLike<ReadonlyMap<string, T>>;

export class BatchLoad<T> {
  readonly #loadMissing: LoadMissing<T>;
  readonly #keys: string[] = [];
  readonly #loaded = Promise.withResolvers<ReadonlyMap<string, T>>();

  constructor(loadMissing: LoadMissing<T>) {
    this.#loadMissing = loadMissing;
  }

  /** The loader of each key: it puts the key on the list, and waits. */
  readonly load: Loader<T> = async ({ key }: LoadContext) => {
    this.#keys.push(key);
    const values = await this.#loaded.promise;
    if (!hasMethods(values, 'get')) {
      throw new TypeError(
        `getOrLoadMany(keys, loadMissing): loadMissing gives ${kindOf(values)}, expected a Map of each key to its value.`,
      );
    }
    return values.get(key) as T;
  };

  /** Begins the one load for the keys on the list. That it throws at once is a rejection like any other. */
  begin(): void {
    if (this.#keys.length === 0) return;
    try {
      this.#loaded.resolve(this.#loadMissing(this.#keys));
    } catch (error) {
      this.#loaded.reject(error);
    }
  }
}

/** The loader of one key alone. */
export function aloneWith<T>(loadMissing: LoadMissing<T>): Loader<T> {
  return (context) => {
    const batch = new BatchLoad(loadMissing);
    const value = batch.load(context);
    batch.begin();
    return value;
  };
}
