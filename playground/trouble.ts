/**
 * What can be the matter with the shop's database, for people to watch the loading policies at work. It stands between
 * the shop and SQLite, in the playground's bot alone.
 */
import type { SourceOptions } from '../src/db/source.ts';

/**
 * `slow`: the aggregate reads take 2 s. `stuck`: they get no answer while it lasts. `failing`: every statement throws.
 * SQLite answers within the tick, so only reads that are asynchronous can be slow without holding up the bot.
 */
export const TROUBLES = ['healthy', 'slow', 'stuck', 'failing'] as const;
export type TroubleKind = (typeof TROUBLES)[number];

export const SLOW_MS = 2_000;

/** Said by a parent process to its bot. */
export interface TroubleMessage {
  readonly type: 'trouble';
  readonly trouble: TroubleKind;
}

export function isTroubleMessage(message: unknown): message is TroubleMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'trouble';
}

export class Trouble {
  #kind: TroubleKind = 'healthy';
  /** Those who wait for a stuck database; they go on when it is stuck no more. */
  readonly #waiting = new Set<() => void>();

  /** For `createShop`. */
  readonly source: SourceOptions = {
    beforeQuery: () => this.#check(),
    gate: () => this.#wait(),
  };

  set(kind: TroubleKind): void {
    this.#kind = kind;
    if (kind === 'stuck') return;
    for (const release of this.#waiting) release();
    this.#waiting.clear();
  }

  #check(): void {
    if (this.#kind === 'failing')
      throw new Error('The database fails: this is switched on in the playground.');
  }

  #wait(): Promise<void> | undefined {
    if (this.#kind === 'slow') return new Promise((resolve) => void setTimeout(resolve, SLOW_MS).unref());
    if (this.#kind === 'stuck') return new Promise((resolve) => void this.#waiting.add(resolve));
    return undefined;
  }
}
