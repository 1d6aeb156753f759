/**
 * Values that were written and that the source does not have yet (write-behind). While there is one for a key, every
 * load and lookup of the key gives it and the source is not asked: what was there before an acknowledged write never comes back,
 * whether the entry was evicted, has expired, or was invalidated.
 */
import type { Lookup } from '../cache.ts';
import type { LoadContext } from './load-context.ts';

/** What a key is about to be in the source; a miss where nothing is on its way. */
export type FindUnsaved = (key: string) => Lookup<unknown>;

const MISS: Lookup<never> = { state: 'miss' };

export class Unsaved {
  readonly #finders = new Map<string, FindUnsaved>();

  /** Takes the place of whoever had the name before. Of several that know a key, the one that came first is believed. */
  add(name: string, find: FindUnsaved): void {
    this.#finders.set(name, find);
  }

  find(key: string): Lookup<unknown> {
    for (const find of this.#finders.values()) {
      const found = find(key);
      if (found.state === 'hit') return found;
    }
    return MISS;
  }

  /** Runs a loader, unless there is such a value: that is served and not kept, since it is held until it is saved. */
  ask<C extends Pick<LoadContext, 'key' | 'skip'>, R>(load: (context: C) => R, context: C): R {
    if (this.#finders.size === 0) return load(context);
    const found = this.find(context.key);
    if (found.state === 'miss') return load(context);
    context.skip();
    return found.value as R; // what was written under the key is what its loader gives
  }
}
