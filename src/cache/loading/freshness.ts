/**
 * What is to be done with an entry that was found: the loading policies around the end of its ttl, as one decision.
 * A pure function of the entry, the rules, the time and a random number; what follows from it is the reader's.
 */
import type { Entry } from '../entry.ts';
import type { Rules } from '../tiers/rules.ts';

export type Verdict =
  /** Serve it. */
  | 'fresh'
  /** Serve it, and load a new one behind: it is fresh, and near its end. */
  | 'refresh'
  /** Serve it, and load a new one behind: it is stale. */
  | 'revalidate'
  /** Serve it though it is stale: a load has just failed. */
  | 'back-off'
  /** Load. Where grace holds, the old value may be served when that fails or takes long. */
  | 'load';

/** With this many mean waits left, an early refresh has a chance of 2^-52, which is what random numbers can tell from 0. */
const NEVER_BEFORE = Math.log(2 ** 52);

export function judge(entry: Entry, rules: Rules, now: number, random: () => number): Verdict {
  if (now >= entry.expiresAt) return 'load';
  const mayAsk = now >= entry.retryAt;
  if (now < entry.staleAt) return mayAsk && isDue(entry, rules, now, random) ? 'refresh' : 'fresh';
  const staleForMs = now - entry.staleAt;
  if (staleForMs < rules.staleWhileRevalidateMs) return mayAsk ? 'revalidate' : 'back-off';
  return staleForMs < rules.graceMs && !mayAsk ? 'back-off' : 'load';
}

/** Until then a fresh entry is served without a look at the policies. */
export function undisturbedUntil(entry: Entry, rules: Rules): number {
  const { staleAt, createdAt } = entry;
  let until = staleAt;
  if (rules.refreshAheadRatio < 1) until = Math.min(until, refreshAheadAt(createdAt, staleAt, rules));
  if (rules.earlyRefreshBeta > 0) until = Math.min(until, staleAt - spreadMs(entry, rules) * NEVER_BEFORE);
  return until;
}

function isDue(entry: Entry, rules: Rules, now: number, random: () => number): boolean {
  const { staleAt, createdAt } = entry;
  if (rules.refreshAheadRatio < 1 && now >= refreshAheadAt(createdAt, staleAt, rules)) return true;
  // XFetch (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
  return rules.earlyRefreshBeta > 0 && now - spreadMs(entry, rules) * Math.log(random()) >= staleAt;
}

function refreshAheadAt(createdAt: number, staleAt: number, rules: Rules): number {
  return createdAt + (staleAt - createdAt) * rules.refreshAheadRatio;
}

/** The load's own duration times beta. A value that was written has none. */
function spreadMs(entry: Entry, rules: Rules): number {
  return entry.loadMicros <= 0 ? 0 : (entry.loadMicros / 1_000) * rules.earlyRefreshBeta;
}
