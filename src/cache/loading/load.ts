/**
 * A load in flight: one record a load, which is also what the loader is told about it.
 * It remembers the invalidation position at which it began; an invalidation that covers it voids it, and a void load
 * answers those who wait for it and fills nothing.
 */
import { type Entry, type EntryLinks, type Labels, servedIfCopied, servedValue } from '../entry.ts';
import type { EntryOptions } from '../entry-options.ts';
import { errorText } from '../error-text.ts';
import { CacheError } from '../errors.ts';
import type { Inherited } from '../invalidation/lineage.ts';
import { canonicalKey } from '../keys/canonical.ts';
import { assertKey } from '../keys/keys.ts';
import type { Counters } from '../statistics/counters.ts';
import type { StaleReason } from '../statistics/stats.ts';
import type { ValuesMode } from '../tiers/policy.ts';
import type { Rules } from '../tiers/rules.ts';
import { assertTtl } from '../tiers/tier-book.ts';
import type { NotTaken, Taken } from '../values/take.ts';
import type { Call } from './call.ts';
import type { LoadContext } from './load-context.ts';

const NEVER = -1;
const NOTHING_INHERITED: Inherited = [];

/**
 * Why a load is begun: somebody misses; somebody wants the new value and no other; it runs behind, while the value
 * that is there is served; or a load of the key waits for whoever asks, so that nothing but a load of its own is left.
 */
export type Cause = 'miss' | 'forced' | 'behind' | 'nested';

export interface LoadParts {
  readonly key: string;
  readonly counters: Counters;
  readonly options: EntryOptions;
  readonly rules: Rules;
  /** Fires when the cache is closed. */
  readonly closing: AbortSignal;
  readonly position: number;
  readonly startedAt: number;
  /** What the key holds as the load begins, stale or fresh. */
  readonly previous: Entry | undefined;
}

/** Those who wait for a load together: until its soft timeout, or from then on until its end. */
export interface Waiting {
  readonly promise: Promise<unknown>;
  /** They were given this entry instead, for this reason. */
  answer: { readonly entry: Entry; readonly reason: StaleReason; readonly isStale: boolean } | undefined;
}

export class Load implements LoadContext {
  readonly key: string;
  readonly counters: Counters;
  readonly options: EntryOptions;
  readonly rules: Rules;
  readonly position: number;
  readonly startedAt: number;
  readonly previous: Entry | undefined;
  /** What whoever joins now shares. Set by the call that began the load, before anybody can join. */
  waiting: Waiting | undefined;
  /** The position of the invalidation that covers this load; `Infinity` when a newer load took its place. */
  voidedAt = NEVER;
  /** Whether the value may be stored, if nothing comes between. */
  mayKeep = true;
  /** When its loader was called, for its duration; a synchronous one that runs behind waits for its turn first. */
  beganAt = 0;
  cause: Cause = 'miss';
  /** What its loader runs in. Set as it begins. */
  call: Call | undefined;
  /** Our copy of its value, which those who joined get copies of; or why there can be none, and they load anew. */
  taken: Taken | NotTaken | undefined;
  /** Whoever began it has the old value already. */
  isAnswered = false;
  /** What those who joined at this position do at its end. */
  joiners:
    | {
        readonly waiting: Waiting;
        readonly joinedAt: number;
        readonly asked: ValuesMode | undefined;
        readonly take: (value: unknown) => unknown;
      }
    | undefined;
  /** The hard timeout has ended it: what it still gives is dropped. */
  isOver = false;
  /** A warning about its length was given. */
  saidToBeSlow = false;
  /** What the loader has set, which outranks everything else. */
  ttlMs: number | undefined;
  isSkipped = false;
  /** The loader says that the old value still holds. */
  isUnmodified = false;
  /** Counted among the loads in flight. Set as it begins, like {@link loads}. */
  number = 0;
  /** A newer load of the key has given its value. */
  isOvertaken = false;
  /** Who is told of dependencies that are learnt in the middle of the load. */
  loads: { learnt(load: Load, key: string): void } | undefined;
  /** What its value stems from, known once it has ended. */
  lineage: EntryLinks | undefined;
  /** What the old value had from those it depends on, where that still holds. */
  inherited: Inherited = NOTHING_INHERITED;
  /** What is wrong with a tag or dependency it was given: its value is served and not kept. */
  faultyLink: string | undefined;
  #links: { tags: string[]; dependsOn: string[] } | undefined;
  readonly #closing: AbortSignal;
  #controller: AbortController | undefined;
  #unfollowClosing: (() => void) | undefined;
  #hasEnded = false;
  #abortedFor: CacheError | undefined;

  constructor({ key, counters, options, rules, closing, position, startedAt, previous }: LoadParts) {
    this.key = key;
    this.counters = counters;
    this.options = options;
    this.rules = rules;
    this.position = position;
    this.startedAt = startedAt;
    this.previous = previous;
    this.#closing = closing;
    if (options.tags !== undefined) this.#addTags(options.tags);
    if (options.dependsOn !== undefined) this.#addDependencies(options.dependsOn);
  }

  /** Ends it: its signal fires. */
  abort(reason: CacheError): void {
    this.isOver = true;
    this.#abortedFor = reason;
    this.#controller?.abort(reason);
  }

  /** Lets go of its signal: what a loader has left listening there would be held until the cache is closed. */
  ended(): void {
    this.#hasEnded = true;
    this.call?.end(this.key);
    this.#unfollowClosing?.();
  }

  /** Made when it is asked for: most loaders do without, and it costs as much as a short load. */
  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    const controller = new AbortController();
    const closing = this.#closing;
    if (this.#abortedFor !== undefined) controller.abort(this.#abortedFor);
    else if (closing.aborted) controller.abort(closing.reason);
    else if (!this.#hasEnded) {
      const close = () => controller.abort(closing.reason);
      closing.addEventListener('abort', close, { once: true });
      this.#unfollowClosing = () => closing.removeEventListener('abort', close);
    }
    this.#controller = controller;
    return controller.signal;
  }

  /** Whether whoever began it wants the new value and no other. */
  get wantsNew(): boolean {
    return this.cause === 'forced' || this.cause === 'nested';
  }

  get isVoid(): boolean {
    return this.voidedAt !== NEVER;
  }

  /**
   * Whether a caller who joined at this position must load anew. Tags and dependencies may have been learnt after
   * an invalidation of them that came before it joined, so a void load that has some proves nothing to it.
   */
  isOutdatedFor(joinedAt: number): boolean {
    if (!this.isVoid) return false;
    return this.voidedAt <= joinedAt || (this.#links !== undefined && this.position < joinedAt);
  }

  /** As far as they are known by now. */
  get links(): EntryLinks | undefined {
    return this.lineage ?? this.#links;
  }

  /** What was said of it itself: tags by their canonical texts, keys as they were given and by theirs. */
  get ownLinks(): Labels | undefined {
    return this.#links;
  }

  // The members a loader calls are bound when they are asked for, so that `({ tag }) => …` works
  // and a loader that takes no context costs nothing.
  get tag(): LoadContext['tag'] {
    return (...tags) => this.#addTags(tags);
  }

  get dependsOn(): LoadContext['dependsOn'] {
    return (...keys) => this.#addDependencies(keys);
  }

  get setTtl(): LoadContext['setTtl'] {
    return (ttlMs) => {
      assertTtl(ttlMs, 'The ttl set by the loader');
      this.ttlMs = ttlMs;
    };
  }

  get skip(): LoadContext['skip'] {
    return () => {
      this.isSkipped = true;
    };
  }

  get servedStale(): LoadContext['servedStale'] {
    return (reason) => {
      this.counters.stale[reason]++;
    };
  }

  get stale(): LoadContext['stale'] {
    const { previous } = this;
    const served = previous && servedIfCopied(previous, this.rules.values);
    if (previous === undefined || served === undefined) return undefined;
    return { value: served.value, ageMs: this.startedAt - previous.createdAt };
  }

  get notModified(): LoadContext['notModified'] {
    return () => {
      if (this.previous === undefined) {
        throw new CacheError(
          'ERR_LOAD_FAILED',
          'notModified() needs an old value, and there is none: load it.',
          {
            key: this.key,
          },
        );
      }
      this.isUnmodified = true;
      // It still stems from what it stemmed from, though this load has not seen it.
      const { links } = this.previous;
      if (links !== undefined) {
        const { tags, dependsOn } = links.origin?.own ?? links;
        this.#addTags(tags);
        this.#addDependencies(dependsOn);
        this.inherited = links.origin?.inherited ?? NOTHING_INHERITED;
      }
      // It is typed `never` so that a loader which returns it keeps the type of its other values.
      return servedValue(this.previous, this.rules.values) as never;
    };
  }

  /** Takes over what was said of the same key by a load within this one. */
  takeOver({ ownLinks, isSkipped, faultyLink }: Load): void {
    if (ownLinks !== undefined) {
      this.#addTags(ownLinks.tags);
      this.#addDependencies(ownLinks.dependsOn);
    }
    if (isSkipped) this.isSkipped = true;
    this.faultyLink ??= faultyLink;
  }

  /** A number is the frequent mistake where nothing checks types: no invalidation would find it. */
  #addTags(given: readonly string[]): void {
    const { tags } = this.#ownLinks();
    for (const tag of this.#listed(given, 'tags')) {
      if (typeof tag === 'string') tags.push(canonicalKey(tag));
      else this.faultyLink ??= `A tag is text, not ${typeof tag}: String(id) makes one.`;
    }
  }

  #addDependencies(given: readonly string[]): void {
    const { dependsOn } = this.#ownLinks();
    for (const key of this.#listed(given, 'dependsOn')) {
      try {
        assertKey(key);
        this.#dependOn(key, dependsOn);
        const canonical = canonicalKey(key);
        // A pattern may cover the key as it is written, too.
        if (canonical !== key) this.#dependOn(canonical, dependsOn);
      } catch (error) {
        this.faultyLink ??= `It depends on what can be no key. ${errorText(error)}`;
      }
    }
  }

  #dependOn(key: string, dependsOn: string[]): void {
    dependsOn.push(key);
    this.loads?.learnt(this, key);
  }

  #listed(given: unknown, name: string): readonly unknown[] {
    if (Array.isArray(given)) return given;
    this.faultyLink ??= `${name} takes a list of texts.`;
    return [];
  }

  #ownLinks(): { tags: string[]; dependsOn: string[] } {
    this.#links ??= { tags: [], dependsOn: [] };
    return this.#links;
  }
}
