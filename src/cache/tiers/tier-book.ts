/**
 * Decides the tier of a key and where it is counted: what a call says, else the key's namespace, else `query`,
 * the tier with the shortest ttl.
 */
import { CacheError } from '../errors.ts';
import { namespaceOf } from '../keys/keys.ts';
import { Counters } from '../statistics/counters.ts';
import { ownText } from '../values/own-text.ts';
import type { Values } from '../values/values.ts';
import { assertLoadingPolicy } from './policy-check.ts';
import { RuleBook } from './rules.ts';
import type { TierName, TierPolicy } from './tier.ts';

const FALLBACK_TIER = 'query';

/** Namespaces come from code, so there are few. Beyond this many (keys built from hostile text), they are counted as one. */
const MAX_COUNTED_NAMESPACES = 500;
const OTHER_NAMESPACES = '…';

export class TierBook {
  readonly #policies: ReadonlyMap<string, TierPolicy>;
  readonly #rules: ReadonlyMap<string, RuleBook>;
  readonly #tierOfNamespace: ReadonlyMap<string, TierPolicy>;
  readonly #fallback: TierPolicy;
  readonly #counters = new Map<string, Map<string, Counters>>();
  readonly #values: Values;
  #count = 0;

  /** @param notice is told of what calls ask for in vain */
  constructor(tiers: readonly TierPolicy[], values: Values, notice?: (text: string) => void) {
    this.#values = values;
    const last = tiers.at(-1);
    if (last === undefined) throw new CacheError('ERR_ARGUMENT_INVALID', 'A cache needs at least one tier.');
    for (const policy of tiers) assertPolicy(policy);
    this.#policies = new Map(tiers.map((policy) => [policy.tier, policy]));
    this.#rules = new Map(tiers.map((policy) => [policy.tier, new RuleBook(policy, notice)]));
    this.#tierOfNamespace = new Map(
      tiers.flatMap((policy) => policy.namespaces.map((namespace) => [namespace, policy] as const)),
    );
    this.#fallback = this.#policies.get(FALLBACK_TIER) ?? last;
  }

  /**
   * The counters of a key, which know its policy.
   * @throws CacheError `ERR_ARGUMENT_INVALID` for a tier that does not exist.
   */
  countersFor(key: string, tier: TierName | undefined): Counters {
    const namespace = namespaceOf(key);
    const policy =
      tier === undefined ? (this.#tierOfNamespace.get(namespace) ?? this.#fallback) : this.policy(tier);
    let ofTier = this.#counters.get(policy.tier);
    if (ofTier === undefined) {
      ofTier = new Map();
      this.#counters.set(policy.tier, ofTier);
    }
    const counters = ofTier.get(namespace);
    if (counters !== undefined) return counters;
    const name = this.#count < MAX_COUNTED_NAMESPACES ? ownText(namespace) : OTHER_NAMESPACES;
    let created = ofTier.get(name);
    if (created === undefined) {
      const rules = this.#rules.get(policy.tier) ?? new RuleBook(policy);
      created = new Counters(policy, name, rules, this.#values);
      ofTier.set(name, created);
      this.#count++;
    }
    return created;
  }

  has(tier: TierName): boolean {
    return this.#policies.has(tier);
  }

  policy(tier: TierName): TierPolicy {
    const policy = this.#policies.get(tier);
    if (policy !== undefined) return policy;
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `There is no tier "${tier}"; there are ${[...this.#policies.keys()].join(', ')}.`,
    );
  }

  *all(): Generator<Counters, void, undefined> {
    for (const ofTier of this.#counters.values()) yield* ofTier.values();
  }

  inTier(tier: TierName): Counters[] {
    return [...(this.#counters.get(tier)?.values() ?? [])];
  }
}

/**
 * A duration is a number of milliseconds from 0 up; `Infinity` is one, `NaN` is not.
 * @throws CacheError `ERR_ARGUMENT_INVALID`
 */
export function assertTtl(ttlMs: number, name: string): void {
  if (typeof ttlMs !== 'number' || !(ttlMs >= 0)) {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `${name} is ${String(ttlMs)}; it must be 0 or more milliseconds (0 keeps nothing, Infinity keeps until evicted or invalidated).`,
    );
  }
}

function assertPolicy(policy: TierPolicy): void {
  assertTtl(policy.ttlMs, `The ttl of tier "${policy.tier}"`);
  assertTtl(policy.negativeTtlMs, `The negative ttl of tier "${policy.tier}"`);
  assertLoadingPolicy(policy, `tier "${policy.tier}"`);
}
