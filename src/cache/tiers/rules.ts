/** The policies of a tier with what a call says instead, complete: what the read path goes by. */
import type { LoadOptions } from '../entry-options.ts';
import { assertKnown, type OptionNames } from '../known-options.ts';
import {
  type AdaptiveTtl,
  DEFAULT_GRACE_BACKOFF_MS,
  type LoadingPolicy,
  type PersistenceLevel,
  type ValuesMode,
} from './policy.ts';
import { assertLoadingPolicy, LOADING_POLICIES } from './policy-check.ts';

const CALL_OPTIONS: OptionNames<Omit<LoadOptions, keyof LoadingPolicy>> = {
  tier: true,
  ttlMs: true,
  negativeTtlMs: true,
  tags: true,
  dependsOn: true,
  fresh: true,
};
/** What a call may say. */
const OPTIONS: readonly string[] = [...Object.keys(CALL_OPTIONS), ...LOADING_POLICIES];

/** {@link LoadingPolicy} with every default filled in. Times that never come are `Infinity`. */
export interface Rules {
  readonly jitterRatio: number;
  readonly graceMs: number;
  readonly graceBackoffMs: number;
  readonly staleWhileRevalidateMs: number;
  /** How long an entry is held beyond its ttl: for the longer of the two above. */
  readonly holdMs: number;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  /** 1 for never. */
  readonly refreshAheadRatio: number;
  /** 0 for never. */
  readonly earlyRefreshBeta: number;
  readonly adaptiveTtl: AdaptiveTtl | undefined;
  readonly values: ValuesMode;
  readonly compressAboveBytes: number;
  readonly maxEntryBytes: number;
  readonly skipEmpty: boolean;
  readonly persist: PersistenceLevel;
  readonly when: ((value: unknown) => boolean) | undefined;
  readonly cost: ((value: unknown) => number) | undefined;
}

export function completeRules(policy: LoadingPolicy): Rules {
  const { graceMs = 0, staleWhileRevalidateMs = 0 } = policy;
  return {
    jitterRatio: policy.jitterRatio ?? 0,
    graceMs,
    graceBackoffMs: policy.graceBackoffMs ?? DEFAULT_GRACE_BACKOFF_MS,
    staleWhileRevalidateMs,
    holdMs: Math.max(graceMs, staleWhileRevalidateMs),
    softTimeoutMs: policy.softTimeoutMs ?? Number.POSITIVE_INFINITY,
    hardTimeoutMs: policy.hardTimeoutMs ?? Number.POSITIVE_INFINITY,
    refreshAheadRatio: policy.refreshAheadRatio ?? 1,
    earlyRefreshBeta: policy.earlyRefreshBeta ?? 0,
    adaptiveTtl: policy.adaptiveTtl,
    values: policy.values ?? 'copy',
    compressAboveBytes: policy.compressAboveBytes ?? Number.POSITIVE_INFINITY,
    maxEntryBytes: policy.maxEntryBytes ?? Number.POSITIVE_INFINITY,
    skipEmpty: policy.skipEmpty ?? false,
    persist: policy.persist ?? 'memory',
    // The author knows the type of the values; from here on they are just values.
    when: policy.when as Rules['when'],
    cost: policy.cost as Rules['cost'],
  };
}

/** The rules of one tier, and those of calls that override some of them. */
export class RuleBook {
  readonly ofTier: Rules;
  readonly #tier: LoadingPolicy;
  /** Wrapped functions give the same options at every call. */
  readonly #ofCalls = new WeakMap<LoadingPolicy, Rules>();
  /** Told once of what calls ask for in vain. */
  #notice: ((text: string) => void) | undefined;

  constructor(tier: LoadingPolicy, notice?: (text: string) => void) {
    this.#tier = tier;
    this.#notice = notice;
    this.ofTier = completeRules(tier);
  }

  /** @throws CacheError `ERR_ARGUMENT_INVALID` for an option that does not exist, or makes no sense */
  of(call: LoadingPolicy): Rules {
    let rules = this.#ofCalls.get(call);
    if (rules === undefined) {
      rules = this.#merge(call);
      this.#ofCalls.set(call, rules);
    }
    return rules;
  }

  #merge(call: LoadingPolicy): Rules {
    assertKnown('the call', call, OPTIONS);
    const stated = LOADING_POLICIES.filter((name) => Reflect.get(call, name) !== undefined);
    if (stated.length === 0) return this.ofTier;
    assertLoadingPolicy(call, 'the call');
    const rules = completeRules({
      ...this.#tier,
      ...Object.fromEntries(stated.map((name) => [name, Reflect.get(call, name)])),
    });
    if (Number.isFinite(call.softTimeoutMs) && rules.graceMs === 0) {
      this.#notice?.(
        'softTimeoutMs of a call does nothing without graceMs: there is no old value to answer with, and staleWhileRevalidateMs waits for no load anyway.',
      );
      this.#notice = undefined;
    }
    return rules;
  }
}
