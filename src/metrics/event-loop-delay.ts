/**
 * How long the event loop was held, by windows of at least ten seconds: however many scrapers there are and however
 * often they look, each sees a window that is whole.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../cache/clock.ts';

/** Samples are taken this often; shorter holds do not show. */
const RESOLUTION_MS = 10;
const WINDOW_MS = 10_000;

/** What is shown of a window, in seconds: the median, the 99th percentile and the longest. */
const QUANTILES = ['0.5', '0.99', '1'] as const;
export type DelayQuantiles = Readonly<Record<(typeof QUANTILES)[number], number>>;

export class EventLoopDelay {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #window: { readonly until: number; readonly quantiles: DelayQuantiles } | undefined;

  /** Begins to measure. Does not keep the process alive. */
  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#histogram.enable();
  }

  /** Those of the last window; of the time since the start at the first look. */
  quantiles(): DelayQuantiles {
    const now = this.#clock.now();
    if (this.#window === undefined || now >= this.#window.until) {
      this.#window = { until: now + WINDOW_MS, quantiles: this.#measured() };
      this.#histogram.reset();
    }
    return this.#window.quantiles;
  }

  stop(): void {
    this.#histogram.disable();
  }

  #measured(): DelayQuantiles {
    // A sample is the time between two looks, so it holds the time that was to be between them.
    const delay = (ns: number) =>
      this.#histogram.count === 0 ? 0 : Math.max(0, ns / 1e9 - RESOLUTION_MS / 1e3);
    return {
      '0.5': delay(this.#histogram.percentile(50)),
      '0.99': delay(this.#histogram.percentile(99)),
      '1': delay(this.#histogram.max),
    };
  }
}
