/**
 * What an open transaction will do to the cache when it commits: an ordered list, with marks where savepoints began.
 * It answers, for the reads within, whether the transaction has changed what a key stands for.
 */
import type { EntryOptions } from '../entry-options.ts';
import type { InvalidationTarget } from '../keys/target.ts';
import { compileTarget, covers, keyTarget, type Target } from '../keys/target.ts';
import type { NotTaken, Taken } from '../values/take.ts';
import type { Values } from '../values/values.ts';

export type Change =
  | { readonly kind: 'invalidate'; readonly target: InvalidationTarget; readonly compiled: Target }
  | {
      readonly kind: 'set';
      readonly key: string;
      /** A copy of the value. */
      readonly taken: Taken;
      readonly options: EntryOptions | undefined;
      /** How far the feed's changes were written down when it was set. */
      readonly written?: number | undefined;
    }
  | { readonly kind: 'clear' };

/** What an entry is labelled with, as far as it matters here. */
interface Labels {
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
}

/** A change with what tells whether it was rolled back; `undefined` where nothing does. */
export interface PendingChange {
  readonly change: Change;
  readonly mark: number | undefined;
}

export class PendingChanges {
  readonly #changes: Change[] = [];
  /** Their marks, of what they were made in or after. */
  readonly #marks: (number | undefined)[] = [];
  /** Where the sets stand among them, each with a mark of its own; in the order of both. */
  readonly #sets: { readonly at: number; readonly mark: number }[] = [];

  get size(): number {
    return this.#changes.length;
  }

  /** @param mark where a set has none, only what was there is invalidated */
  add(change: Change, mark: number | undefined): void {
    if (change.kind === 'set' && mark !== undefined) this.#sets.push({ at: this.#changes.length, mark });
    this.#changes.push(mark === undefined ? withoutValue(change) : change);
    this.#marks.push(mark);
  }

  get hasSets(): boolean {
    return this.#sets.length > 0;
  }

  /** Of the sets with later marks only what was there is invalidated. */
  dropSetsAfter(standing: number): void {
    for (let set = this.#sets.at(-1); set !== undefined && set.mark > standing; set = this.#sets.at(-1)) {
      const change = this.#changes[set.at];
      if (change !== undefined) this.#changes[set.at] = withoutValue(change);
      this.#sets.pop();
    }
  }

  /** Takes out all that was added since the list had `size` changes. */
  takeFrom(size: number): PendingChange[] {
    while ((this.#sets.at(-1)?.at ?? -1) >= size) this.#sets.pop();
    const marks = this.#marks.splice(size);
    return this.#changes.splice(size).map((change, i) => ({ change, mark: marks[i] }));
  }

  /** What all of them cover. */
  targets(): InvalidationTarget[] {
    return this.#changes.map((change) =>
      change.kind === 'invalidate' ? change.target : change.kind === 'set' ? change.key : '*',
    );
  }

  /** The last change that concerns the key. */
  lastFor(key: string, labelsOf: (key: string) => Labels | undefined): Change | undefined {
    if (this.#changes.length === 0) return undefined;
    const labels = this.#labelsOf(key, labelsOf(key));
    return this.#changes.findLast((change) => {
      if (change.kind === 'invalidate') return covers(change.compiled, key, labels, undefined);
      return change.kind === 'clear' || covers(keyTarget(change.key), key, labels, undefined);
    });
  }

  /** The labels of the entry in the cache, and those it was set with in this transaction. */
  #labelsOf(key: string, resident: Labels | undefined): Labels {
    const sets = this.#changes.filter((change) => change.kind === 'set' && change.key === key);
    const options = sets.map((change) => (change.kind === 'set' ? change.options : undefined));
    return {
      tags: [...(resident?.tags ?? []), ...options.flatMap((option) => option?.tags ?? [])],
      dependsOn: [...(resident?.dependsOn ?? []), ...options.flatMap((option) => option?.dependsOn ?? [])],
    };
  }
}

/**
 * A write as a change: with the value as it is now, whatever its maker does with it until the commit. A value that
 * cannot be kept leaves nothing behind, as in the cache itself.
 */
export function changeOfSet(
  key: string,
  value: unknown,
  options: EntryOptions | undefined,
  values: Values,
): Change {
  let taken: Taken | NotTaken;
  try {
    taken = values.take(value, options?.values ?? 'copy');
  } catch {
    return changeOfInvalidate(key); // a taught class failed: as for any value that cannot be kept
  }
  return taken.refusal === undefined ? { kind: 'set', key, taken, options } : changeOfInvalidate(key);
}

/** Of a value that is set, only that what was there goes. */
export function withoutValue(change: Change): Change {
  return change.kind === 'set' ? changeOfInvalidate(change.key) : change;
}

/** @throws CacheError for what is no target, or names none of the tiers where they are given */
export function changeOfInvalidate(
  target: InvalidationTarget,
  tiers?: readonly { readonly tier: string }[],
): Change {
  return { kind: 'invalidate', target, compiled: compileTarget(target, tiers) };
}
