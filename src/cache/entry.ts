/** An entry: a value with its metadata. Its instants are computed once, at the fill, and are of the cache's clock. */

import { EXTRAS_BYTES, PROMISE_BYTES } from './entry-weight.ts';
import type { RecencyLinks } from './layers/eviction.ts';
import type { Counters } from './statistics/counters.ts';
import type { ValuesMode } from './tiers/policy.ts';
import type { Kept } from './values/copy.ts';
import { Packed } from './values/packed.ts';
import type { Form } from './values/take.ts';

export interface Labels {
  readonly tags: readonly string[];
  /** Keys whose invalidation invalidates this entry. */
  readonly dependsOn: readonly string[];
}

/** By what an entry is invalidated beside its key, what it has from those it depends on included. */
export interface EntryLinks extends Labels {
  /** What is its own, and what it has from where; `undefined` where all is its own, or that is not known. */
  readonly origin?:
    | {
        readonly own: Labels;
        readonly inherited: readonly (readonly [key: string, labels: Labels])[];
      }
    | undefined;
}

/** How the ttl of a key came to be, where it is adaptive. */
export interface Adaptation {
  readonly baseMs: number;
  readonly ttlMs: number;
  /** Reloads that found it as it was, and those that did not. */
  readonly unchanged: number;
  readonly changed: number;
}

/** What few entries have, kept apart so that the many stay small. */
export interface EntryExtras {
  readonly links: EntryLinks | undefined;
  readonly adaptation: Adaptation | undefined;
  /** What a load of it costs, in the author's unit. */
  readonly cost: number;
  /** A load has just failed: until then none is begun while the old value can be served. */
  retryAt: number;
  /**
   * For a busy entry whose value all share: a promise that is settled already, made once and given to every awaited
   * hit. It is weighed from when it is there.
   */
  settled: Promise<unknown> | undefined;
}

export const NO_EXTRAS: EntryExtras = {
  links: undefined,
  adaptation: undefined,
  cost: 0,
  retryAt: 0,
  settled: undefined,
};

/** From so many hits on an entry is busy. A power of two. */
export const BUSY_HITS = 16;

const NEVER_QUIET = -1;

/** What an entry is made of. */
export interface EntryParts {
  readonly key: string;
  readonly kept: Kept;
  readonly counters: Counters;
  readonly createdAt: number;
  readonly staleAt: number;
  readonly expiresAt: number;
  readonly position: number;
  readonly weightBytes: number;
  readonly loadMicros: number;
  readonly extras: EntryExtras | undefined;
}

/** How a value is kept. Entries share these few, so that each takes one pointer. */
interface How {
  readonly form: Form;
  readonly frozen: Kept['frozen'];
  readonly shared: 'always' | 'frozen' | 'never';
}

const HOWS: readonly How[] = (['shared', 'flat', 'rows', 'tree', 'graph'] as const).flatMap((form) =>
  ([undefined, 'whole', 'in-part'] as const).map((frozen) => ({
    form,
    frozen,
    shared: form === 'shared' ? 'always' : frozen === 'whole' ? 'frozen' : 'never',
  })),
);

function howOf(form: Form, frozen: Kept['frozen']): How {
  for (const how of HOWS) if (how.form === form && how.frozen === frozen) return how;
  throw new TypeError(`No value is kept as ${form}, ${frozen}.`);
}

export class Entry implements RecencyLinks, Kept {
  // What every hit reads comes first, so that it lies in one line of the processor's cache.
  readonly value: unknown;
  readonly #how: How;
  readonly counters: Counters;
  /**
   * Until then a hit needs no look at expiry, policies or eviction: at most `staleAt`, and {@link NEVER_QUIET} for a
   * value whose hits save a cost.
   */
  quietUntil: number;
  hits = 0;
  extras: EntryExtras | undefined;
  /** The neighbours in the order of use, kept by the eviction policy. */
  newer: RecencyLinks | undefined = undefined;
  older: RecencyLinks | undefined = undefined;

  readonly key: string;
  readonly createdAt: number;
  /** Until then it is fresh. */
  readonly staleAt: number;
  /** Until then it may be served stale, where the policies say so. */
  readonly expiresAt: number;
  /** The invalidation position at which the load began. */
  readonly position: number;
  /** Changed by the memory layer alone, which counts it. */
  weightBytes: number;
  /** Duration of the load in whole microseconds; -1 for a value that was written. */
  readonly loadMicros: number;

  constructor(parts: EntryParts) {
    const { value, form, frozen } = parts.kept;
    this.value = value;
    this.#how = howOf(form, frozen);
    this.counters = parts.counters;
    this.quietUntil = isSpecial(parts.extras) ? NEVER_QUIET : 0;
    this.extras = parts.extras;
    this.key = parts.key;
    this.createdAt = parts.createdAt;
    this.staleAt = parts.staleAt;
    this.expiresAt = parts.expiresAt;
    this.position = parts.position;
    this.weightBytes = parts.weightBytes;
    this.loadMicros = parts.loadMicros;
  }

  get form(): Form {
    return this.#how.form;
  }

  get frozen(): Kept['frozen'] {
    return this.#how.frozen;
  }

  /** Whether readers are given the value as it is kept: all of them, those who want it frozen, or none. */
  get shared(): How['shared'] {
    return this.#how.shared;
  }

  get canBeQuiet(): boolean {
    return this.quietUntil !== NEVER_QUIET;
  }

  /** The next hit looks at everything again. */
  disturb(): void {
    if (this.canBeQuiet) this.quietUntil = 0;
  }

  /** Readers that do not say how they want the value get it as it is kept. */
  get keptMode(): ValuesMode {
    return this.frozen === undefined ? 'copy' : 'frozen';
  }

  /** To be called when the hits have reached {@link BUSY_HITS}. @returns the bytes that it takes from now on */
  becomeBusy(): number {
    if (this.shared === 'never') return 0;
    const bytes = PROMISE_BYTES + (this.extras === undefined ? EXTRAS_BYTES : 0);
    this.#ownExtras().settled = Promise.resolve(this.value);
    return bytes;
  }

  get links(): EntryLinks | undefined {
    return this.extras?.links;
  }

  get retryAt(): number {
    return this.extras?.retryAt ?? 0;
  }

  /** A load has failed: the source is left alone until then. */
  backOffUntil(retryAt: number): void {
    this.#ownExtras().retryAt = retryAt;
  }

  #ownExtras(): EntryExtras {
    this.extras ??= { ...NO_EXTRAS };
    return this.extras;
  }
}

function isSpecial(extras: EntryExtras | undefined): boolean {
  return extras !== undefined && extras.cost !== 0;
}

/**
 * What the caller of a read gets: a copy of its own, or the frozen value that all share, as it asks, or else as the tier
 * of the entry says.
 * @throws what the `copy` or `decode` of a taught class throws
 */
export function servedValue(entry: Entry, asked: ValuesMode | undefined): unknown {
  return isServedAsKept(entry, asked)
    ? entry.value
    : entry.counters.values.serve(entry, asked ?? entry.counters.rules.ofTier.values);
}

/** The same for where a read goes on without it: `undefined` where a taught class cannot copy it. */
export function servedIfCopied(
  entry: Entry,
  asked: ValuesMode | undefined,
): { readonly value: unknown } | undefined {
  try {
    return { value: servedValue(entry, asked) };
  } catch {
    return undefined; // the next read of the entry says so
  }
}

/** The same as a promise that is settled already. */
export function servedPromise(entry: Entry, asked: ValuesMode | undefined): Promise<unknown> {
  if (!isServedAsKept(entry, asked)) return Promise.resolve(servedValue(entry, asked));
  return entry.extras?.settled ?? Promise.resolve(entry.value);
}

function isServedAsKept({ shared, counters }: Entry, asked: ValuesMode | undefined): boolean {
  return shared !== 'never' && (shared === 'always' || (asked ?? counters.rules.ofTier.values) === 'frozen');
}

/** The value as it is kept, decoded where it is compressed: for those who only look at it. */
export function heldValue(entry: Entry): unknown {
  return entry.value instanceof Packed ? servedValue(entry, 'copy') : entry.value;
}
