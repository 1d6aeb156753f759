/**
 * What is counted for one namespace within one tier. Everything shown anywhere is summed from these,
 * and each outcome of a lookup is counted in one place, so figures cannot disagree.
 */
import type { RemovalReason } from '../removal.ts';
import type { RuleBook } from '../tiers/rules.ts';
import type { TierPolicy } from '../tiers/tier.ts';
import type { Values } from '../values/values.ts';
import { LoadTimeHistogram } from './load-times.ts';
import type { Figures, RefusalReason, StaleReason } from './stats.ts';
import type { Totals } from './windows.ts';

export class Counters {
  readonly policy: TierPolicy;
  readonly namespace: string;
  readonly rules: RuleBook;
  hits = 0;
  diskHits = 0;
  misses = 0;
  joined = 0;
  loads = 0;
  refreshes = 0;
  failures = 0;
  timeouts = 0;
  unchanged = 0;
  fills = 0;
  writes = 0;
  entries = 0;
  weightBytes = 0;
  savedCost = 0;
  readonly stale: Record<StaleReason, number> = { revalidating: 0, 'backing-off': 0, failed: 0, slow: 0 };
  readonly refusals: Record<RefusalReason, number> = {
    invalidated: 0,
    'too-large': 0,
    unsafe: 0,
    'not-wanted': 0,
  };
  readonly removals: Record<RemovalReason, number> = { evicted: 0, expired: 0, invalidated: 0, replaced: 0 };
  readonly loadTimes = new LoadTimeHistogram();
  /** Why the last value that could not be copied was not kept: `price is a Decimal`. */
  lastUnsafe: string | undefined;
  readonly values: Values;

  constructor(policy: TierPolicy, namespace: string, rules: RuleBook, values: Values) {
    this.policy = policy;
    this.namespace = namespace;
    this.rules = rules;
    this.values = values;
  }
}

/** How much time the hits of these counters saved, measured by the mean load time of their tier. */
function savedMsOf(counters: Iterable<Counters>, meanLoadMs: ReadonlyMap<string, number>): number {
  let savedMs = 0;
  for (const each of counters) savedMs += each.hits * (meanLoadMs.get(each.policy.tier) ?? 0);
  return savedMs;
}

/** Mean load time by tier. */
export function meanLoadTimes(counters: Iterable<Counters>): Map<string, number> {
  const histograms = new Map<string, LoadTimeHistogram>();
  for (const each of counters) {
    const histogram = histograms.get(each.policy.tier) ?? new LoadTimeHistogram();
    histogram.add(each.loadTimes);
    histograms.set(each.policy.tier, histogram);
  }
  return new Map([...histograms].map(([tier, histogram]) => [tier, histogram.meanMs]));
}

/** The sum of several counters, as figures. */
export function sumFigures(all: readonly Counters[], meanLoadMs: ReadonlyMap<string, number>): Figures {
  const sum = (pick: (counters: Counters) => number) => all.reduce((total, each) => total + pick(each), 0);
  const loadTimes = new LoadTimeHistogram();
  for (const each of all) loadTimes.add(each.loadTimes);
  const hits = sum((c) => c.hits);
  const misses = sum((c) => c.misses);
  const fills = sum((c) => c.fills);
  const writes = sum((c) => c.writes);
  return {
    lookups: hits + misses,
    hits,
    diskHits: sum((c) => c.diskHits),
    misses,
    hitRate: hits + misses === 0 ? null : hits / (hits + misses),
    joined: sum((c) => c.joined),
    loads: sum((c) => c.loads),
    refreshes: sum((c) => c.refreshes),
    failures: sum((c) => c.failures),
    timeouts: sum((c) => c.timeouts),
    unchanged: sum((c) => c.unchanged),
    stale: {
      revalidating: sum((c) => c.stale.revalidating),
      'backing-off': sum((c) => c.stale['backing-off']),
      failed: sum((c) => c.stale.failed),
      slow: sum((c) => c.stale.slow),
    },
    sets: fills + writes,
    fills,
    writes,
    refusals: {
      invalidated: sum((c) => c.refusals.invalidated),
      'too-large': sum((c) => c.refusals['too-large']),
      unsafe: sum((c) => c.refusals.unsafe),
      'not-wanted': sum((c) => c.refusals['not-wanted']),
    },
    removals: {
      evicted: sum((c) => c.removals.evicted),
      expired: sum((c) => c.removals.expired),
      invalidated: sum((c) => c.removals.invalidated),
      replaced: sum((c) => c.removals.replaced),
    },
    entries: sum((c) => c.entries),
    weightBytes: sum((c) => c.weightBytes),
    loadTimes: loadTimes.figures(),
    savedMs: savedMsOf(all, meanLoadMs),
    savedCost: sum((c) => c.savedCost),
  };
}

/** What the rates are made from. */
export function totalsOf(all: Iterable<Counters>): Totals {
  const totals = { hits: 0, misses: 0, loads: 0, failures: 0 };
  for (const each of all) {
    totals.hits += each.hits;
    totals.misses += each.misses;
    totals.loads += each.loads;
    totals.failures += each.failures;
  }
  return totals;
}
