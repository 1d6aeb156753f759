/**
 * Notices loaders that give live objects of a store (a JSON file, lowdb, a Map): to change such an object is how the bot
 * writes, and a reader's copy is not that object, so that its change would be lost in silence.
 *
 * An object that a loader has given before, for the same key, is one. It is looked for at fills alone; hits pay nothing.
 */
import type { BurstLog } from '../burst-log.ts';
import type { Counters } from '../statistics/counters.ts';
import type { Load } from './load.ts';

export class LiveObjects {
  readonly #bursts: BurstLog;
  /** The key for which each object was given. It holds none of them. */
  readonly #keys = new WeakMap<object, string>();
  readonly #warned = new WeakSet<Counters>();

  constructor(bursts: BurstLog) {
    this.#bursts = bursts;
  }

  /** A loader has given this value. */
  loaded({ key, counters, isUnmodified }: Load, value: unknown): void {
    if (isUnmodified || this.#warned.has(counters)) return;
    // A list made anew of live objects is as live as they are.
    const object: unknown = Array.isArray(value) ? (value[0] ?? value) : value;
    if (typeof object !== 'object' || object === null || Object.isFrozen(object)) return;
    if (this.#keys.get(object) !== key) {
      this.#keys.set(object, key);
      return;
    }
    this.#warned.add(counters);
    this.#bursts.warn(
      `live ${counters.namespace}`,
      `The loader of "${counters.namespace}" gives the same object again: a live object of a store. Readers get copies of it, so that a change of what they read is not saved. Save changes through a function wrapped with invalidates, or read past the cache what is to be changed.`,
      { key },
    );
  }
}
