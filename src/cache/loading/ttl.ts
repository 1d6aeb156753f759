/** How long a value is kept: what the loader has set, else what the call says, else the tier; "no such row" for less. */
import { isDeepStrictEqual } from 'node:util';
import { type Adaptation, heldValue } from '../entry.ts';
import type { AdaptiveTtl } from '../tiers/policy.ts';
import type { Rules } from '../tiers/rules.ts';
import type { Taken } from '../values/take.ts';
import type { Load } from './load.ts';

/** Two values heavier than this are not compared: it would hold up the event loop. */
const MAX_COMPARED_BYTES = 256 * 1_024;

export interface Lifetime {
  readonly ttlMs: number;
  readonly adaptation: Adaptation | undefined;
}

export function lifetimeOf(load: Load, rules: Rules, taken: Taken, random: () => number): Lifetime {
  const { policy } = load.counters;
  const usualMs = load.options.ttlMs ?? policy.ttlMs;
  const { value } = taken;
  const isNegative = value === null || value === undefined;
  const negativeMs = load.options.negativeTtlMs ?? Math.min(policy.negativeTtlMs, usualMs);
  const baseMs = load.ttlMs ?? (isNegative ? negativeMs : usualMs);
  const bounds = load.ttlMs === undefined && !isNegative && baseMs > 0 ? rules.adaptiveTtl : undefined;
  const adaptation = bounds && adapted(baseMs, bounds, load, () => isUnchanged(load, taken));
  const ttlMs = adaptation?.ttlMs ?? baseMs;
  if (ttlMs === Number.POSITIVE_INFINITY || rules.jitterRatio === 0) return { ttlMs, adaptation };
  return { ttlMs: Math.ceil(ttlMs * (1 - random() * rules.jitterRatio)), adaptation };
}

/** Twice as long when a reload found what was read in between unchanged, half as long when it found it changed. */
function adapted(
  baseMs: number,
  { minMs, maxMs }: AdaptiveTtl,
  { previous }: Load,
  isUnchanged: () => boolean | undefined,
): Adaptation {
  const within = (ttlMs: number) => Math.min(maxMs, Math.max(minMs, ttlMs));
  const before = previous?.extras?.adaptation;
  if (previous === undefined || before === undefined) {
    return { baseMs, ttlMs: within(baseMs), unchanged: 0, changed: 0 };
  }
  switch (isUnchanged()) {
    case undefined:
      return before;
    case true:
      return {
        ...before,
        ttlMs: within(previous.hits > 0 ? before.ttlMs * 2 : before.ttlMs),
        unchanged: before.unchanged + 1,
      };
    case false:
      return { ...before, ttlMs: within(before.ttlMs / 2), changed: before.changed + 1 };
  }
}

/** `undefined`: too large to tell. What is nested too deeply to be compared counts as changed. */
function isUnchanged(load: Load, { value, weightBytes }: Taken): boolean | undefined {
  const { previous } = load;
  if (previous === undefined) return undefined;
  if (load.isUnmodified || previous.value === value) return true;
  if (weightBytes > MAX_COMPARED_BYTES || previous.weightBytes > MAX_COMPARED_BYTES) return undefined;
  try {
    return isDeepStrictEqual(heldValue(previous), value);
  } catch {
    return false; // it goes down by recursion
  }
}
