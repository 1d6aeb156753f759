/**
 * How long loads took: exact mean and maximum, and quantiles from a histogram of fixed size.
 * Buckets grow by a quarter of an octave, so a quantile is within 10 % of the true value, from 1 µs to over an hour.
 */
import type { LoadTimeBucket, LoadTimes } from './stats.ts';

const BUCKETS_PER_OCTAVE = 4;
const SMALLEST_MS = 0.001;
const BUCKETS = 32 * BUCKETS_PER_OCTAVE;

/** The longest time that a bucket counts. */
function boundMs(bucket: number): number {
  return SMALLEST_MS * 2 ** (bucket / BUCKETS_PER_OCTAVE);
}

export class LoadTimeHistogram {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #totalMs = 0;
  #maxMs = 0;

  record(ms: number): void {
    this.#count++;
    this.#totalMs += ms;
    if (ms > this.#maxMs) this.#maxMs = ms;
    const at = ms <= SMALLEST_MS ? 0 : Math.ceil(Math.log2(ms / SMALLEST_MS) * BUCKETS_PER_OCTAVE);
    const bucket = Math.min(at, BUCKETS - 1);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  add(other: LoadTimeHistogram): void {
    this.#count += other.#count;
    this.#totalMs += other.#totalMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
    for (let i = 0; i < BUCKETS; i++) this.#buckets[i] = (this.#buckets[i] ?? 0) + (other.#buckets[i] ?? 0);
  }

  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#totalMs / this.#count;
  }

  figures(): LoadTimes | null {
    if (this.#count === 0) return null;
    return {
      count: this.#count,
      meanMs: this.meanMs,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
      maxMs: this.#maxMs,
      buckets: this.#used(),
    };
  }

  #used(): LoadTimeBucket[] {
    const used: LoadTimeBucket[] = [];
    for (let i = 0; i < BUCKETS; i++) {
      const loads = this.#buckets[i] ?? 0;
      const isLast = i === BUCKETS - 1;
      if (loads > 0) used.push({ upToMs: isLast ? Number.POSITIVE_INFINITY : boundMs(i), loads });
    }
    return used;
  }

  #quantile(share: number): number {
    const rank = Math.ceil(share * this.#count);
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#buckets[i] ?? 0;
      // The middle of the bucket, in its own logarithmic measure.
      if (seen >= rank) return Math.min(this.#maxMs, SMALLEST_MS * 2 ** ((i - 0.5) / BUCKETS_PER_OCTAVE));
    }
    return this.#maxMs;
  }
}
