/** Finds entries by label: their tags, or the keys they depend on. */
import type { Entry } from '../entry.ts';
import type { Pattern } from '../keys/pattern.ts';
import { type Group, membersOf, withMember, withoutMember } from './group.ts';
import { KeyIndex } from './key-index.ts';
import { SplitMap } from './split-map.ts';

/** A label and the entries that carry it. */
interface Label {
  readonly key: string;
  entries: Group<Entry>;
}

export class LabelIndex {
  // People choose the labels and one of them will be called `__proto__`: a map takes it.
  readonly #labels = new SplitMap<Label>();
  readonly #byKey: KeyIndex<Label> | undefined;

  /** Where labels are keys, they can be found by pattern, too. */
  constructor(labelsAre: 'keys' | 'names') {
    this.#byKey = labelsAre === 'keys' ? new KeyIndex() : undefined;
  }

  get isEmpty(): boolean {
    return this.#labels.size === 0;
  }

  has(label: string): boolean {
    return this.#labels.get(label) !== undefined;
  }

  /** No label twice. */
  add(entry: Entry, labels: readonly string[]): void {
    for (const key of labels) {
      const known = this.#labels.get(key);
      if (known !== undefined) {
        known.entries = withMember(known.entries, entry);
        continue;
      }
      const label: Label = { key, entries: entry };
      this.#labels.set(key, label);
      this.#byKey?.add(label);
    }
  }

  delete(entry: Entry, labels: readonly string[]): void {
    for (const key of labels) {
      const label = this.#labels.get(key);
      if (label === undefined) continue;
      const left = withoutMember(label.entries, entry);
      if (left !== undefined) {
        label.entries = left;
        continue;
      }
      this.#labels.delete(key);
      this.#byKey?.delete(label);
    }
  }

  /** The caller may remove the entries it is given while it goes on. */
  entriesOf(label: string): Iterable<Entry> {
    const known = this.#labels.get(label);
    return known === undefined ? [] : membersOf(known.entries);
  }

  /** The entries of labels among which those are found that begin with the prefix; see {@link KeyIndex.candidates}. */
  *candidates(prefix: string): Generator<Entry | undefined, void, undefined> {
    for (const label of this.#byKey?.candidates(prefix) ?? []) {
      if (label === undefined) yield undefined;
      else yield* membersOf(label.entries);
    }
  }

  /** The entries whose labels the pattern covers, and `undefined` for what was looked at in vain. */
  *matching(pattern: Pattern): Generator<Entry | undefined, void, undefined> {
    const { prefix, canonicalPrefix } = pattern;
    yield* this.#matchingFrom(prefix, pattern);
    if (canonicalPrefix !== prefix) yield* this.#matchingFrom(canonicalPrefix, pattern);
  }

  *#matchingFrom(prefix: string, pattern: Pattern): Generator<Entry | undefined, void, undefined> {
    for (const label of this.#byKey?.candidates(prefix) ?? []) {
      if (label === undefined || !pattern.matches(label.key)) yield undefined;
      else yield* membersOf(label.entries);
    }
  }
}
