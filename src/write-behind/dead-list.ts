/** Which writes of a writer can't be saved: ids and keys. What they hold is in the journal. */
export class DeadList {
  readonly #keys = new Map<number, string>();
  readonly #ids = new Map<string, Set<number>>();

  get size(): number {
    return this.#keys.size;
  }

  add(id: number, key: string): void {
    this.#keys.set(id, key);
    const ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, new Set([id]));
    else ids.add(id);
  }

  /** False when it is not on the list. */
  delete(id: number): boolean {
    const key = this.#keys.get(id);
    if (key === undefined) return false;
    this.#keys.delete(id);
    const ids = this.#ids.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#ids.delete(key);
    return true;
  }

  has(id: number): boolean {
    return this.#keys.has(id);
  }

  of(key: string): readonly number[] {
    return [...(this.#ids.get(key) ?? [])];
  }

  entries(): Iterable<readonly [id: number, key: string]> {
    return this.#keys.entries();
  }
}
