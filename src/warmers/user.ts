/**
 * The user warmer: a person's entries, loaded on their first interaction and not again while they would still be
 * fresh. A few people at once; the others wait in a line of bounded length, and who finds it full is left out, is
 * counted, and may come again. Who is a person is for the caller to say: it must not report bots.
 */
import { AsyncResource } from 'node:async_hooks';
import type { Clock } from '../cache/clock.ts';
import type { Runs } from './runs.ts';
import type { WarmerStatus, WarmRun } from './types.ts';

/** So many people are remembered; a few megabytes. Whom we forget is only warmed once more. */
const MOST_REMEMBERED = 50_000;

export interface UserWarmerOptions {
  readonly enabled: boolean;
  readonly maxWaiting: number;
  readonly againAfterMs: number;
  readonly concurrency: number;
  readonly clock: Clock;
}

export class UserWarmer {
  readonly #runs: Runs;
  readonly #options: UserWarmerOptions;
  /** A run is no part of the interaction that set it off: what is kept for that (a trace, a counter) ends here. */
  readonly #own = new AsyncResource('cachecord:user-warmer');
  /** When each was accepted, oldest first. */
  readonly #seenAt = new Map<string, number>();
  readonly #waiting: string[] = [];
  #running = 0;
  #run: WarmRun | undefined;
  #count = 0;
  #dropped = 0;

  constructor(runs: Runs, options: UserWarmerOptions) {
    this.#runs = runs;
    this.#options = options;
  }

  /** Whether anybody is warmed at all: with a ttl of 0 nothing would be kept. */
  get isOn(): boolean {
    return this.#options.enabled && this.#options.againAfterMs > 0;
  }

  userSeen(userId: string): void {
    if (!this.isOn || userId === '') return;
    this.#forgetOld();
    if (this.#seenAt.has(userId)) return;
    if (this.#running >= this.#options.concurrency && this.#waiting.length >= this.#options.maxWaiting) {
      this.#dropped++;
      return;
    }
    this.#seenAt.set(userId, this.#options.clock.now());
    this.#waiting.push(userId);
    this.#next();
  }

  /** Who asks to be forgotten was just seen, and must not come back by that. */
  userForgotten(userId: string): void {
    if (!this.isOn) return;
    const at = this.#waiting.indexOf(userId);
    if (at >= 0) this.#waiting.splice(at, 1);
    // The oldest come first.
    this.#seenAt.delete(userId);
    this.#seenAt.set(userId, this.#options.clock.now());
    this.#forgetOld();
  }

  stop(): void {
    this.#waiting.length = 0;
  }

  status(): WarmerStatus {
    return {
      warmer: 'user',
      schedule: this.isOn ? 'on first interaction' : 'off',
      lastRun: this.#run?.report() ?? null,
      nextAt: null,
      dropped: this.#dropped,
      runs: this.#count,
    };
  }

  #next(): void {
    if (this.#running >= this.#options.concurrency) return;
    const userId = this.#waiting.shift();
    if (userId === undefined) return;
    const run = this.#own.runInAsyncScope(() => this.#runs.run({ scope: 'user', trigger: 'user', userId }));
    this.#run = run;
    this.#count++;
    this.#running++;
    void run.done.then(() => {
      this.#running--;
      this.#next();
    });
  }

  #forgetOld(): void {
    const limitAt = this.#options.clock.now() - this.#options.againAfterMs;
    for (const [userId, seenAt] of this.#seenAt) {
      if (seenAt > limitAt && this.#seenAt.size < MOST_REMEMBERED) return;
      this.#seenAt.delete(userId);
    }
  }
}
