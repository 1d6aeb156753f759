/**
 * Simulations of the two ways to load before the end, by the rules that the cache itself goes by (`freshness.ts`):
 * when each loads first, and how many loads a fleet of readers makes. The random numbers are seeded, so every run is
 * the same run.
 *
 * Theory. Reads come at a rate of λ, a load takes δ, and a read x before the end loads with probability e^(−x/δβ). So
 * none has done so earlier than x before the end with probability exp(−λδβ·e^(−x/δβ)): a Gumbel distribution, whose
 * mean is δβ·(ln λδβ + γ). Where the readers are many processes that share one entry, each sets off its own load until
 * the first of them has filled, and there are e^(1/β) of them in the mean, however many processes there are.
 */
import { describe, expect, it } from 'vitest';
import { Entry } from '../../src/cache/entry.ts';
import { judge, undisturbedUntil } from '../../src/cache/loading/freshness.ts';

import { completeRules, type Rules } from '../../src/cache/tiers/rules.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { TierBook } from '../../src/cache/tiers/tier-book.ts';
import { Values } from '../../src/cache/values/values.ts';
import { bench, tierOf } from './support.ts';

const TTL_MS = 3_600_000;
const LOAD_MS = 500;
/** The Euler–Mascheroni constant: the mean of the Gumbel distribution. */
const GAMMA = 0.577_215_664_901_532_9;

const NONE = completeRules({});
const AHEAD = completeRules({ refreshAheadRatio: 0.8 });
const XFETCH = completeRules({ earlyRefreshBeta: 1 });

/** Numbers from 0 to 1, the same ones for a seed: mulberry32 by Tommy Ettinger. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const counters = new TierBook([tierOf('query', ['query'])], new Values()).countersFor('query::x', undefined);

/** An entry that was filled at instant 0 by a load of {@link LOAD_MS}. */
const ENTRY = new Entry({
  key: 'query::x',
  kept: { value: 1, form: 'shared', frozen: undefined },
  counters,
  createdAt: 0,
  staleAt: TTL_MS,
  expiresAt: TTL_MS,
  position: 0,
  weightBytes: 1,
  loadMicros: LOAD_MS * 1_000,
  extras: undefined,
});

/** Whether a read at this instant begins a load. */
type Loads = (now: number, random: () => number) => boolean;

const by =
  (rules: Rules): Loads =>
  (now, random) =>
    judge(ENTRY, rules, now, random) !== 'fresh';

/** The rule of the document that this project grew from, as it stands there. */
const asInTheDocument: Loads = (now, random) => TTL_MS - now < random() * TTL_MS;

/** The wait until the next of the reads that come at `perMs` a millisecond. */
const nextRead = (perMs: number, random: () => number) => -Math.log(1 - random()) / perMs;

/** When the first load begins that a read sets off. */
function firstLoadAt(loads: Loads, perMs: number, random: () => number, from = 0): number {
  let now = from;
  do now += nextRead(perMs, random);
  while (!loads(now, random));
  return now;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The largest distance of what was seen from what is expected: the statistic of Kolmogorov and Smirnov. */
function distance(seen: readonly number[], expected: (value: number) => number): number {
  const sorted = [...seen].sort((a, b) => a - b);
  return Math.max(
    ...sorted.map((value, i) =>
      Math.max(
        Math.abs(expected(value) - i / sorted.length),
        Math.abs(expected(value) - (i + 1) / sorted.length),
      ),
    ),
  );
}

/** What that distance stays below in 99 of 100 samples of this size, where the expectation is right. */
const criticalDistance = (size: number) => 1.63 / Math.sqrt(size);

const RUNS = 1_000;

function sample(rules: Rules, perMs: number, seed: number): number[] {
  const random = seeded(seed);
  const from = undisturbedUntil(ENTRY, rules);
  return Array.from({ length: RUNS }, () => firstLoadAt(by(rules), perMs, random, from));
}

describe('of an entry with a ttl of an hour, whose load takes half a second, read a hundred times a second', () => {
  const PER_MS = 0.1;

  it('refresh-ahead at 0.8 loads at the first read after 48 minutes: 12 minutes too early', () => {
    const firsts = sample(AHEAD, PER_MS, 1);
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(TTL_MS * 0.8);
    expect(Math.max(...firsts)).toBeLessThan(TTL_MS * 0.8 + 100);
    expect(distance(firsts, (at) => 1 - Math.exp(-PER_MS * (at - TTL_MS * 0.8)))).toBeLessThan(
      criticalDistance(RUNS),
    );
  });

  it.each([0.5, 1, 2])('XFetch with β %d loads in the last seconds, distributed as theory says', (beta) => {
    const firsts = sample(completeRules({ earlyRefreshBeta: beta }), PER_MS, 2);
    const spreadMs = LOAD_MS * beta;
    const notBefore = (at: number) => Math.exp(-PER_MS * spreadMs * Math.exp(-(TTL_MS - at) / spreadMs));
    expect(distance(firsts, (at) => 1 - notBefore(at))).toBeLessThan(criticalDistance(RUNS));
    const meanBeforeMs = spreadMs * (Math.log(PER_MS * spreadMs) + GAMMA);
    expect(Math.abs(TTL_MS - mean(firsts) - meanBeforeMs)).toBeLessThan(spreadMs * 0.1);
  });

  it('XFetch loads 2.2 s before the end in the mean, never 10 s before it, and nearly never after it', () => {
    const before = sample(XFETCH, PER_MS, 3).map((at) => TTL_MS - at);
    expect(mean(before)).toBeCloseTo(2_240, -2);
    expect(Math.max(...before)).toBeLessThan(10_000);
    expect(before.filter((ms) => ms < 0)).toEqual([]);
  });

  it('is not looked at before its last 20 s, so that XFetch costs the hits of the first 59 minutes nothing', () => {
    const from = undisturbedUntil(ENTRY, XFETCH);
    expect(TTL_MS - from).toBeCloseTo(LOAD_MS * Math.log(2 ** 52), 0);
    expect(TTL_MS - from).toBeLessThan(20_000);
  });

  it('the rule `ttl − age < β·random·ttl` loads within the first seconds of the hour, and 480 times in it', () => {
    const random = seeded(4);
    const firsts = Array.from({ length: RUNS }, () => firstLoadAt(asInTheDocument, PER_MS, random));
    // Rayleigh: the chance grows with age, from the first read on.
    expect(distance(firsts, (at) => 1 - Math.exp((-PER_MS * at * at) / (2 * TTL_MS)))).toBeLessThan(
      criticalDistance(RUNS),
    );
    expect(mean(firsts)).toBeLessThan(8_000);
    expect(Math.max(...firsts)).toBeLessThan(TTL_MS / 100);
    expect(TTL_MS / mean(firsts)).toBeGreaterThan(460);
    expect(TTL_MS / mean(firsts)).toBeLessThan(500);
  });

  it('nor does that rule know how long a load takes, which is all that matters', () => {
    const slow = LOAD_MS * 4;
    expect(mean(sample(XFETCH, PER_MS, 5).map((at) => TTL_MS - at))).toBeLessThan(slow * 2);
    const slowEntry = new Entry({ ...partsOf(ENTRY), loadMicros: slow * 1_000 });
    const random = seeded(5);
    const before = Array.from({ length: RUNS }, () => {
      const loads: Loads = (now, dice) => judge(slowEntry, XFETCH, now, dice) !== 'fresh';
      return TTL_MS - firstLoadAt(loads, PER_MS, random, undisturbedUntil(slowEntry, XFETCH));
    });
    const meanBeforeMs = slow * (Math.log(PER_MS * slow) + GAMMA);
    expect(Math.abs(mean(before) - meanBeforeMs)).toBeLessThan(slow * 0.1);
  });
});

function partsOf(entry: Entry): ConstructorParameters<typeof Entry>[0] {
  const { key, createdAt, staleAt, expiresAt, position, weightBytes, loadMicros, extras } = entry;
  return {
    key,
    kept: entry,
    counters,
    createdAt,
    staleAt,
    expiresAt,
    position,
    weightBytes,
    loadMicros,
    extras,
  };
}

/** What happens around the end of one entry that many processes share, until its first load has filled it. */
interface Rush {
  readonly loads: number;
  /** Readers who had nothing to be served and so waited for a load. */
  readonly waiting: number;
}

/** Each process reads once a second and has one load in flight at most; the first to end fills for all. */
function rush(rules: Rules, processes: number, random: () => number): Rush {
  const loading = new Set<number>();
  let filledAt = Number.POSITIVE_INFINITY;
  let waiting = 0;
  let now = undisturbedUntil(ENTRY, rules);
  while (true) {
    now += nextRead(processes / 1_000, random);
    if (now >= filledAt) return { loads: loading.size, waiting };
    const verdict = judge(ENTRY, rules, now, random);
    if (verdict === 'load') waiting++;
    const reader = Math.floor(random() * processes);
    if (verdict === 'fresh' || loading.has(reader)) continue;
    loading.add(reader);
    filledAt = Math.min(filledAt, now + LOAD_MS);
  }
}

function rushes(rules: Rules, processes: number, seed: number): Rush {
  const random = seeded(seed);
  const all = Array.from({ length: 100 }, () => rush(rules, processes, random));
  return { loads: mean(all.map(({ loads }) => loads)), waiting: mean(all.map((each) => each.waiting)) };
}

describe('a fleet of processes that share the entry, each reading once a second', () => {
  const FLEET = 1_000;
  /** The share of them that reads while a load runs. */
  const SHARE = 1 - Math.exp(-LOAD_MS / 1_000);

  it('without a policy: 39 % of the fleet load at once when it expires, and wait', () => {
    const { loads, waiting } = rushes(NONE, FLEET, 6);
    expect(loads / FLEET).toBeCloseTo(SHARE, 2);
    expect(waiting).toBeGreaterThanOrEqual(loads);
  });

  it('refresh-ahead: the same rush, only earlier, so that nobody waits', () => {
    const { loads, waiting } = rushes(AHEAD, FLEET, 7);
    expect(loads / FLEET).toBeCloseTo(SHARE, 2);
    expect(waiting).toBe(0);
  });

  it.each([100, 1_000, 10_000])(
    'XFetch: three loads or so by %d processes, and nobody waits',
    (processes) => {
      const { loads, waiting } = rushes(XFETCH, processes, 8);
      expect(loads).toBeGreaterThan(Math.E * 0.85);
      expect(loads).toBeLessThan(Math.E * 1.15);
      expect(waiting / processes).toBeLessThan(0.001);
    },
  );

  it('XFetch with β 2: fewer loads, e^(1/2), for having begun earlier', () => {
    const { loads } = rushes(completeRules({ earlyRefreshBeta: 2 }), FLEET, 9);
    expect(loads).toBeGreaterThan(Math.exp(0.5) * 0.85);
    expect(loads).toBeLessThan(Math.exp(0.5) * 1.15);
  });
});

describe('a thousand readers in one process, each reading once a second over three ttls', () => {
  const READERS = 1_000;
  const CACHE_TTL_MS = 60_000;
  const STEP_MS = 5;

  /** Through the cache itself: the loads after the first one, and the reads that had to wait. */
  async function through(policy: Partial<TierPolicy>): Promise<{ loads: number; waited: number }> {
    const random = seeded(10);
    const { cache, clock } = bench({
      tiers: [tierOf('query', ['query'], { ...policy, ttlMs: CACHE_TTL_MS })],
      random,
    });
    const load = () => new Promise<number>((resolve) => clock.after(LOAD_MS, () => resolve(1)));
    const reads: Promise<number>[] = [];
    for (let at = 0; at < 3 * CACHE_TTL_MS; at += STEP_MS) {
      // Readers do not come in step: in each 5 ms there are five of the thousand.
      for (let i = 0; i < (READERS * STEP_MS) / 1_000; i++) reads.push(cache.getOrLoad('query::x', load));
      clock.advance(STEP_MS);
      // A load that has ended fills before the next step.
      for (let i = 0; i < 8; i++) await null;
    }
    clock.advance(LOAD_MS);
    await Promise.all(reads);
    const { loads, misses } = cache.stats().total;
    // Whoever came while the very first load ran is no matter of the policy.
    return { loads: loads - 1, waited: misses - (READERS * LOAD_MS) / 1_000 };
  }

  it('without a policy: one load a ttl, and all who come while it runs wait', async () => {
    const { loads, waited } = await through({});
    expect(loads).toBe(2);
    expect(waited / 2).toBeCloseTo((READERS * LOAD_MS) / 1_000, -1);
  });

  it.each([
    ['refresh-ahead', { refreshAheadRatio: 0.8 }, 3],
    ['XFetch', { earlyRefreshBeta: 1 }, 3],
  ])('%s: one load a ttl, and nobody waits', async (_name, policy, most) => {
    const { loads, waited } = await through(policy);
    expect(loads).toBeGreaterThanOrEqual(2);
    expect(loads).toBeLessThanOrEqual(most);
    expect(waited).toBe(0);
  });
});
