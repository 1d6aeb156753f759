/**
 * Notices loaders that give live objects of a store (a JSON file, lowdb, a Map): to change such an object is how the bot
 * writes, and a reader's copy is not that object, so that its change would be lost in silence.
 *
 * A loader that gives the same object again, for the same key, gives a live one. Of each namespace a few keys are
 * watched, by weak references, at fills alone: hits pay nothing, and a fill of another key pays one look.
 */
import type { BurstLog } from '../burst-log.ts';
import type { Counters } from '../statistics/counters.ts';
import type { Load } from './load.ts';

const WATCHED_KEYS = 16;
/** One fill in so many of other keys takes the place of the key that was watched longest. */
const FILLS_A_CHANGE = 64;

interface Watch {
  readonly objects: Map<string, WeakRef<object>>;
  fills: number;
  isTold: boolean;
}

export class LiveObjects {
  readonly #bursts: BurstLog;
  readonly #watches = new Map<Counters, Watch>();

  constructor(bursts: BurstLog) {
    this.#bursts = bursts;
  }

  /** A loader has given this value; `key` is a text of its own. */
  loaded({ counters, isUnmodified }: Load, key: string, value: unknown): void {
    const watch = this.#watchOf(counters);
    if (isUnmodified || watch.isTold) return;
    const { objects } = watch;
    const known = objects.get(key);
    if (known === undefined && objects.size >= WATCHED_KEYS && ++watch.fills % FILLS_A_CHANGE !== 0) return;
    // A list made anew of live objects is as live as they are.
    const object: unknown = Array.isArray(value) ? (value[0] ?? value) : value;
    if (typeof object !== 'object' || object === null || Object.isFrozen(object)) return;
    if (known?.deref() === object) {
      watch.isTold = true;
      objects.clear();
      this.#tell(counters.namespace, key);
      return;
    }
    if (known === undefined && objects.size >= WATCHED_KEYS) {
      const [oldest] = objects.keys();
      if (oldest !== undefined) objects.delete(oldest);
    }
    objects.set(key, new WeakRef(object));
  }

  #watchOf(counters: Counters): Watch {
    let watch = this.#watches.get(counters);
    if (watch === undefined) {
      watch = { objects: new Map(), fills: 0, isTold: false };
      this.#watches.set(counters, watch);
    }
    return watch;
  }

  #tell(namespace: string, key: string): void {
    this.#bursts.warn(
      `live ${namespace}`,
      `The loader of "${namespace}" gives the same object again: a live object of a store. Readers get copies of it, so that a change of what they read is not saved. Save changes through a function wrapped with invalidates, or read past the cache what is to be changed.`,
      { key },
    );
  }
}
