/**
 * Keys that the old cache could not be told of: it may hold an older value, so that reads of them come from the new
 * cache until the old one has taken a write again.
 */

/** Beyond it no key of the old cache is trusted, until it is cleared. About 1 MB. */
const MAX_KEYS = 10_000;

export class UntrustedKeys {
  readonly #keys = new Set<string>();
  #all = false;

  add(key: string): void {
    if (this.#keys.size < MAX_KEYS) this.#keys.add(key);
    else this.addAll();
  }

  addAll(): void {
    this.#all = true;
    this.#keys.clear();
  }

  has(key: string): boolean {
    return this.#all || this.#keys.has(key);
  }

  /** The old cache has the value of `key` again. */
  delete(key: string): void {
    this.#keys.delete(key);
  }

  clear(): void {
    this.#all = false;
    this.#keys.clear();
  }
}
