/**
 * Back-pressure: writes for which there is no room wait for it in their order, up to a time. What a waiting write does
 * when its turn comes is its own affair.
 */
import type { Clock } from '../cache/clock.ts';

interface Waiter {
  readonly key: string;
  readonly admit: () => void;
  readonly refuse: () => void;
  readonly cancelTimer: () => void;
}

export class WaitingRoom {
  readonly #clock: Clock;
  readonly #waiters: Waiter[] = [];
  readonly #keys = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isEmpty(): boolean {
    return this.#waiters.length === 0;
  }

  /** Whether a write to this key waits: a later one must not pass it. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Resolves at its turn with what `admit` gives; rejects with what `admit` or `refusal` throws. */
  wait<T>(key: string, limitMs: number, admit: () => T, refusal: () => Error): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter: Waiter = {
      key,
      admit: () => {
        try {
          resolve(admit());
        } catch (error) {
          reject(error);
        }
      },
      refuse: () => reject(refusal()),
      cancelTimer: this.#clock.after(limitMs, () => {
        this.#leave(waiter);
        waiter.refuse();
      }),
    };
    this.#waiters.push(waiter);
    this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1);
    return promise;
  }

  /** Admits those whose turn it is, the first first, as long as there is room. */
  admit(hasRoomFor: (key: string) => boolean): void {
    for (let first = this.#waiters[0]; first !== undefined; first = this.#waiters[0]) {
      if (!hasRoomFor(first.key)) return;
      this.#leave(first);
      first.admit();
    }
  }

  /** Refuses everybody. */
  close(): void {
    for (const waiter of [...this.#waiters]) {
      this.#leave(waiter);
      waiter.refuse();
    }
  }

  #leave(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at === -1) return;
    this.#waiters.splice(at, 1);
    waiter.cancelTimer();
    const left = (this.#keys.get(waiter.key) ?? 1) - 1;
    if (left === 0) this.#keys.delete(waiter.key);
    else this.#keys.set(waiter.key, left);
  }
}
