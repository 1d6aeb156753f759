/**
 * What an open transaction will do to the cache when it commits: an ordered list, with marks where savepoints began.
 * It answers, for the reads within, whether the transaction has changed what a key stands for.
 */
import { cloneValue } from './clone.ts';
import { deepFreeze } from './freeze.ts';
import { covers, type Target } from './target.ts';
import type { EntryOptions, InvalidationTarget } from './types.ts';
import { weigh } from './weigher.ts';

export type Change =
  | { readonly kind: 'invalidate'; readonly target: InvalidationTarget; readonly compiled: Target }
  | {
      readonly kind: 'set';
      readonly key: string;
      readonly value: unknown;
      readonly options: EntryOptions | undefined;
    }
  | { readonly kind: 'clear' };

/** What an entry is labelled with, as far as it matters here. */
interface Labels {
  readonly tags: readonly string[];
  readonly dependsOn: readonly string[];
}

export class PendingChanges {
  readonly #changes: Change[] = [];

  get size(): number {
    return this.#changes.length;
  }

  add(change: Change): void {
    this.#changes.push(change);
  }

  /** Takes out all that was added since the list had `size` changes. */
  takeFrom(size: number): Change[] {
    return this.#changes.splice(size);
  }

  /** The last change that concerns the key. */
  lastFor(key: string, labelsOf: (key: string) => Labels | undefined): Change | undefined {
    if (this.#changes.length === 0) return undefined;
    const labels = labelsOf(key);
    return this.#changes.findLast((change) => {
      if (change.kind === 'invalidate') return covers(change.compiled, key, labels);
      return change.kind === 'clear' || change.key === key || labels?.dependsOn.includes(change.key) === true;
    });
  }
}

/** The value as it is now, whatever its maker does with it until the commit. */
export function settled<T>(value: T): T {
  const { kind } = weigh(value);
  if (kind === 'frozen') return deepFreeze(value);
  return kind === 'copied' ? cloneValue(value) : value;
}
