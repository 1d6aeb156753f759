/**
 * Rates over the last minute, hour and day, from samples of the running totals: a window's figure is the difference
 * between now and the oldest sample within it. Sampling is on a timer, so lookups pay nothing.
 */
import type { WindowFigures } from './stats.ts';

/** Totals since start. */
export interface Totals {
  readonly hits: number;
  readonly misses: number;
  readonly loads: number;
  readonly failures: number;
}

const MINUTE_MS = 60_000;

/** How often {@link Windows.sample} wants to be called. */
export const SAMPLE_INTERVAL_MS = 5_000;

const WINDOWS = [
  { window: 'minute', spanMs: MINUTE_MS, stepMs: SAMPLE_INTERVAL_MS },
  { window: 'hour', spanMs: 60 * MINUTE_MS, stepMs: MINUTE_MS },
  { window: 'day', spanMs: 1_440 * MINUTE_MS, stepMs: 15 * MINUTE_MS },
] as const;

interface Sample extends Totals {
  readonly at: number;
}

export class Windows {
  readonly #rings: readonly Sample[][];

  constructor(startedAt: number) {
    this.#rings = WINDOWS.map(() => [{ at: startedAt, hits: 0, misses: 0, loads: 0, failures: 0 }]);
  }

  sample(at: number, totals: Totals): void {
    WINDOWS.forEach(({ spanMs, stepMs }, i) => {
      const ring = this.#rings[i] ?? [];
      const last = ring.at(-1);
      if (last !== undefined && at - last.at < stepMs) return;
      ring.push({ at, ...totals });
      dropBefore(ring, at - spanMs);
    });
  }

  figures(at: number, totals: Totals): WindowFigures[] {
    return WINDOWS.map(({ window, spanMs }, i) => {
      const ring = this.#rings[i] ?? [];
      dropBefore(ring, at - spanMs);
      const from = ring[0] ?? { at, ...totals };
      const hits = totals.hits - from.hits;
      const lookups = hits + totals.misses - from.misses;
      const coveredMs = at - from.at;
      return {
        window,
        coveredMs,
        lookups,
        hits,
        misses: lookups - hits,
        hitRate: lookups === 0 ? null : hits / lookups,
        loads: totals.loads - from.loads,
        failures: totals.failures - from.failures,
        lookupsPerSecond: coveredMs === 0 ? 0 : (lookups * 1_000) / coveredMs,
      };
    });
  }
}

/** Keeps the newest sample at or before the window's beginning, so that the window is covered whole. */
function dropBefore(ring: Sample[], beginsAt: number): void {
  let drop = 0;
  while ((ring[drop + 1]?.at ?? Number.POSITIVE_INFINITY) <= beginsAt) drop++;
  if (drop > 0) ring.splice(0, drop);
}
