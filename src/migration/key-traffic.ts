/**
 * Which reads of an old cache that answers later were overtaken by a write of the same key. What such a read brings
 * differs from the new cache for no fault of either, so it is not compared.
 */

export interface PendingRead {
  readonly overtaken: boolean;
  end(): void;
}

interface Traffic {
  writes: number;
  readonly reads: Set<{ overtaken: boolean }>;
}

export class KeyTraffic {
  readonly #keys = new Map<string, Traffic>();

  beginRead(key: string): PendingRead {
    const traffic = this.#of(key);
    const read = { overtaken: traffic.writes > 0 };
    traffic.reads.add(read);
    return {
      get overtaken() {
        return read.overtaken;
      },
      end: () => {
        traffic.reads.delete(read);
        this.#release(key, traffic);
      },
    };
  }

  /** @returns what ends the write */
  beginWrite(key: string): () => void {
    const traffic = this.#of(key);
    traffic.writes++;
    for (const read of traffic.reads) read.overtaken = true;
    return () => {
      traffic.writes--;
      this.#release(key, traffic);
    };
  }

  /** Everything was written, as by `clear`. */
  overtakeAll(): void {
    for (const { reads } of this.#keys.values()) for (const read of reads) read.overtaken = true;
  }

  #of(key: string): Traffic {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const traffic = { writes: 0, reads: new Set<{ overtaken: boolean }>() };
    this.#keys.set(key, traffic);
    return traffic;
  }

  #release(key: string, traffic: Traffic): void {
    if (traffic.writes === 0 && traffic.reads.size === 0) this.#keys.delete(key);
  }
}
