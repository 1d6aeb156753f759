/** Finds keys by label: the tags of entries, or the keys that entries depend on. */
import { KeyIndex } from './key-index.ts';
import type { Pattern } from './pattern.ts';

export class LabelIndex {
  // A Map, since people choose the labels and one of them will be called `__proto__`.
  readonly #keys = new Map<string, Set<string>>();
  readonly #labels: KeyIndex | undefined;

  /** Where labels are keys, they can be found by pattern, too. */
  constructor(labelsAre: 'keys' | 'names') {
    this.#labels = labelsAre === 'keys' ? new KeyIndex() : undefined;
  }

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  add(key: string, labels: readonly string[]): void {
    for (const label of labels) {
      const keys = this.#keys.get(label);
      if (keys !== undefined) {
        keys.add(key);
        continue;
      }
      this.#keys.set(label, new Set([key]));
      this.#labels?.add(label);
    }
  }

  delete(key: string, labels: readonly string[]): void {
    for (const label of labels) {
      const keys = this.#keys.get(label);
      if (keys === undefined || !keys.delete(key) || keys.size > 0) continue;
      this.#keys.delete(label);
      this.#labels?.delete(label);
    }
  }

  /** The caller may delete the keys it is given. */
  keysOf(label: string): Iterable<string> {
    return this.#keys.get(label) ?? [];
  }

  labels(): Iterable<string> {
    return this.#keys.keys();
  }

  *labelsMatching(pattern: Pattern): Generator<string, void, undefined> {
    for (const label of this.#labels?.candidates(pattern.prefix) ?? []) {
      if (label !== undefined && pattern.matches(label)) yield label;
    }
  }
}
