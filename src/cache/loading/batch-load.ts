/** One load for many keys: each key's own load waits for its share of it. */
import { hasMethods, kindOf } from '../arguments.ts';
import type { Clock } from '../clock.ts';
import { Call } from './call.ts';
import type { LoadContext, Loader } from './load-context.ts';

export type LoadMissing<T> = (
  missing: readonly string[],
) => ReadonlyMap<string, T> | PromiseLike<ReadonlyMap<string, T>>;

/** So many loads end between two looks at the clock. */
const ENDS_PER_READING = 32;
/** After so long the event loop turns (I12). */
const SLICE_MS = 2;

export class BatchLoad<T> {
  /** The call that all of its keys wait for. */
  readonly call: Call;
  readonly #loadMissing: LoadMissing<T>;
  readonly #clock: Clock;
  readonly #keys: string[] = [];
  readonly #shares: PromiseWithResolvers<T>[] = [];
  /** Whether the one load has failed. */
  hasFailed = false;

  constructor(loadMissing: LoadMissing<T>, call: Call, clock: Clock) {
    this.#loadMissing = loadMissing;
    this.call = call;
    this.#clock = clock;
  }

  /** The loader of each key: it puts the key on the list, and waits. */
  readonly load: Loader<T> = ({ key }: LoadContext) => {
    // A load behind is a call of its own, which waits for this one.
    Call.current()?.joins(this.call);
    this.call.add(key);
    const share = Promise.withResolvers<T>();
    this.#keys.push(key);
    this.#shares.push(share);
    return share.promise;
  };

  /** Runs the one load for the keys on the list, and ends theirs in slices. */
  async run(): Promise<void> {
    if (this.#keys.length > 0) await this.#run();
    this.call.endAll();
  }

  async #run(): Promise<void> {
    let end: (share: PromiseWithResolvers<T>, key: string) => void;
    try {
      const values = await this.call.run(this.#loadMissing, this.#keys);
      if (!hasMethods(values, 'get')) {
        throw new TypeError(
          `getOrLoadMany(keys, loadMissing): loadMissing gives ${kindOf(values)}, expected a Map of each key to its value.`,
        );
      }
      end = (share, key) => share.resolve(values.get(key) as T);
    } catch (error) {
      this.hasFailed = true;
      end = (share) => share.reject(error);
    }
    let beganAt = this.#clock.precise();
    for (const [at, share] of this.#shares.entries()) {
      try {
        end(share, this.#keys[at] as string);
      } catch (error) {
        share.reject(error);
      }
      if ((at + 1) % ENDS_PER_READING !== 0) continue;
      // These loads are ended by the microtasks before this one.
      await undefined;
      if (this.#clock.precise() - beganAt < SLICE_MS) continue;
      await this.#clock.yield();
      beganAt = this.#clock.precise();
    }
  }
}

/** The loader of one key alone. */
export function aloneWith<T>(loadMissing: LoadMissing<T>): Loader<T> {
  return async ({ key }) => (await loadMissing([key])).get(key) as T;
}
