/**
 * What was invalidated since the oldest load in flight began: a load's tags and dependencies may be known only when it
 * ends, and what was invalidated before that must void it all the same. Bounded: what is forgotten counts against
 * every load from before.
 */
import type { EntryLinks } from '../entry.ts';
import type { Pattern } from '../keys/pattern.ts';
import type { Target } from '../keys/target.ts';

/** Keys and tags are looked up, patterns are gone through. */
const MAX_LABELS = 10_000;
const MAX_PATTERNS = 1_000;

export class InvalidatedSince {
  /** Positions of the last invalidations. */
  readonly #keys = new Map<string, number>();
  readonly #tags = new Map<string, number>();
  #patterns: { readonly position: number; readonly pattern: Pattern }[] = [];
  /** The last invalidation of a tier: the tiers of the keys that a load depends on are not known here. */
  #lastOfTier = 0;
  /** Invalidations up to here are forgotten. */
  #forgottenUpTo = 0;

  /** @param oldest the position at which the oldest load in flight began, asked for where there are too many */
  add(target: Target, position: number, oldest: () => number): void {
    if (position <= this.#forgottenUpTo) return;
    if (target.kind === 'tier') this.#lastOfTier = position;
    else if (target.kind === 'pattern') this.#patterns.push({ position, pattern: target.pattern });
    else if (target.kind === 'tag') raise(this.#tags, target.tag, position);
    else raise(this.#keys, target.key, position);
    if (this.#isOver(1)) this.#makeRoom(position, oldest());
  }

  /** Counts all up to here as forgotten. */
  forgetUpTo(position: number): void {
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, position);
  }

  clear(): void {
    if (this.#keys.size > 0) this.#keys.clear();
    if (this.#tags.size > 0) this.#tags.clear();
    if (this.#patterns.length > 0) this.#patterns = [];
    this.#lastOfTier = 0;
  }

  /** The position of an invalidation that covers what began at `since` and has these links, if there was any. */
  covering({ tags, dependsOn }: EntryLinks, since: number): number | undefined {
    if (since < this.#forgottenUpTo) return this.#forgottenUpTo;
    const of = (positions: Map<string, number>, label: string) => {
      const position = positions.get(label);
      return position !== undefined && position > since ? position : undefined;
    };
    for (const tag of tags) {
      const position = of(this.#tags, tag);
      if (position !== undefined) return position;
    }
    for (const key of dependsOn) {
      const position = of(this.#keys, key);
      if (position !== undefined) return position;
    }
    if (dependsOn.length === 0) return undefined;
    if (this.#lastOfTier > since) return this.#lastOfTier;
    return this.#patterns.findLast(
      ({ position, pattern }) => position > since && dependsOn.some((key) => pattern.matches(key)),
    )?.position;
  }

  /** Whether more than this part of what may be remembered is. */
  #isOver(part: number): boolean {
    const labels = this.#keys.size + this.#tags.size;
    return labels > MAX_LABELS * part || this.#patterns.length > MAX_PATTERNS * part;
  }

  /** Drops what no load in flight is older than; where that is too little, everything. */
  #makeRoom(position: number, oldest: number): void {
    for (const positions of [this.#keys, this.#tags]) {
      for (const [label, at] of positions) if (at <= oldest) positions.delete(label);
    }
    this.#patterns = this.#patterns.filter((past) => past.position > oldest);
    if (!this.#isOver(0.5)) return;
    this.forgetUpTo(position);
    this.clear();
  }
}

function raise(positions: Map<string, number>, label: string, position: number): void {
  if (position > (positions.get(label) ?? 0)) positions.set(label, position);
}
