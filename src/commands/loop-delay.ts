/** How long the event loop was held, for `/cache-info`: what an operator feels as a bot that answers late. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The histogram samples this often; shorter holds do not show. */
const RESOLUTION_MS = 10;
/** With fewer samples a 99th percentile is a guess. */
const FEW_SAMPLES = 100;

export class LoopDelay {
  #histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;

  /** Begins to measure, once. Does not keep the process alive. */
  start(): void {
    if (this.#histogram !== undefined) return;
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
  }

  /** The 99th percentile since {@link start}, without the sampling interval itself; `null` while it is a guess. */
  p99Ms(): number | null {
    const histogram = this.#histogram;
    if (histogram === undefined || histogram.count < FEW_SAMPLES) return null;
    return Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS);
  }

  stop(): void {
    this.#histogram?.disable();
    this.#histogram = undefined;
  }
}
