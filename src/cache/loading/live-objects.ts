/**
 * Notices loaders that give live objects of a store (a JSON file, lowdb, a Map): to change such an object is how the bot
 * writes, and a reader's copy is not that object, so that its change would be lost in silence.
 *
 * A loader that gives the same object again, for the same key, gives a live one; not so where nobody can change what is
 * read: frozen values, and instances of taught classes that never change. Objects are remembered at fills alone, so hits
 * pay nothing; and by a WeakMap, which keeps none of them alive (a WeakRef does, until the turn of the event loop has
 * ended).
 */
import type { BurstLog } from '../burst-log.ts';
import type { Counters } from '../statistics/counters.ts';
import type { Load } from './load.ts';

/** So many fills of a namespace are remembered, and from then on one in so many: a store may hold a million objects. */
const REMEMBERED_FILLS = 1_000;
const FILLS_A_MEMORY = 64;

interface Watch {
  /** The key under which an object was given first. */
  readonly keys: WeakMap<object, string>;
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
  loaded({ counters, rules, isUnmodified }: Load, key: string, value: unknown): void {
    const watch = this.#watchOf(counters);
    if (isUnmodified || watch.isTold || rules.values === 'frozen') return;
    // A list made anew of live objects is as live as they are.
    const object: unknown = Array.isArray(value) ? (value[0] ?? value) : value;
    if (typeof object !== 'object' || object === null || Object.isFrozen(object)) return;
    if (counters.values.types.find(object)?.isShared === true) return;
    const known = watch.keys.get(object);
    if (known === key) {
      watch.isTold = true;
      this.#tell(counters.namespace, key);
    } else if (known === undefined) {
      const isRemembered = watch.fills < REMEMBERED_FILLS || watch.fills % FILLS_A_MEMORY === 0;
      if (isRemembered) watch.keys.set(object, key);
      watch.fills++;
    }
  }

  #watchOf(counters: Counters): Watch {
    let watch = this.#watches.get(counters);
    if (watch === undefined) {
      watch = { keys: new WeakMap(), fills: 0, isTold: false };
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
