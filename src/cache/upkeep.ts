/**
 * What the cache does by the clock: removing expired entries, in slices (I12), sampling the totals for the rates over
 * the last minute, hour and day, and saying which loads have been running for too long.
 */
import type { BurstLog } from './burst-log.ts';
import type { Clock } from './clock.ts';
import type { Entry } from './entry.ts';
import type { MemoryLayer } from './layers/memory.ts';
import type { Loads } from './loading/loads.ts';
import { inSlices } from './slices.ts';
import type { WindowFigures } from './statistics/stats.ts';
import { SAMPLE_INTERVAL_MS, type Totals, Windows } from './statistics/windows.ts';

/** A load still running after this long is said once in the log. */
const SLOW_LOAD_MS = 30_000;

export interface UpkeepOptions {
  readonly memory: MemoryLayer;
  readonly loads: Loads;
  readonly clock: Clock;
  readonly bursts: BurstLog;
  readonly cleanupIntervalMs: number;
  readonly totals: () => Totals;
}

export class Upkeep {
  readonly #memory: MemoryLayer;
  readonly #loads: Loads;
  readonly #clock: Clock;
  readonly #bursts: BurstLog;
  readonly #totals: () => Totals;
  readonly #windows: Windows;
  readonly #timers: (() => void)[];
  #cleaning: Promise<void> | undefined;
  #isStopped = false;

  constructor({ memory, loads, clock, bursts, cleanupIntervalMs, totals }: UpkeepOptions) {
    this.#memory = memory;
    this.#loads = loads;
    this.#clock = clock;
    this.#bursts = bursts;
    this.#totals = totals;
    this.#windows = new Windows(clock.now());
    this.#timers = [
      clock.every(cleanupIntervalMs, () => this.#cleanUp()),
      clock.every(SAMPLE_INTERVAL_MS, () => this.#sample()),
    ];
  }

  windows(): WindowFigures[] {
    return this.#windows.figures(this.#clock.now(), this.#totals());
  }

  /** Resolves when a clean-up under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const cancel of this.#timers) cancel();
    await this.#cleaning;
  }

  #sample(): void {
    const now = this.#clock.now();
    this.#windows.sample(now, this.#totals());
    for (const load of this.#loads.all()) {
      if (load.saidToBeSlow || now - load.startedAt < SLOW_LOAD_MS) continue;
      load.saidToBeSlow = true;
      this.#bursts.warn(
        'slow',
        'A load has been running for over 30 s. Whoever reads its key waits for it.',
        {
          key: load.key,
        },
      );
    }
  }

  #cleanUp(): void {
    if (this.#cleaning !== undefined) return;
    const now = this.#clock.now();
    const visit = (entry: Entry) => {
      if (entry.expiresAt <= now && this.#memory.holds(entry)) this.#memory.remove(entry, 'expired');
    };
    this.#cleaning = inSlices(this.#clock, this.#memory.all(), visit, () => this.#isStopped).finally(() => {
      this.#cleaning = undefined;
    });
  }
}
