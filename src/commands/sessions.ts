/**
 * Panels with buttons: who opened them, what they are about, and when they end. The state stays here under a nonce, and
 * only the nonce travels in the `custom_id` (`cacheadmin:1:<command>:<action>:<nonce>`). A nonce that is not known is
 * from before a restart. Only the invoker may press; what is over says so instead of acting twice.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../cache/clock.ts';
import type { AdminCommandName } from './command.ts';
import type { ControlId } from './views/view.ts';

/** What every `custom_id` of ours begins with; the number is the version of the format. */
export const CUSTOM_ID_PREFIX = 'cacheadmin:1:';

/** A question waits this long. */
export const CONFIRM_LIFE_MS = 60_000;
/** Half a minute less than the 15 minutes for which Discord lets an answer be edited. */
export const PANEL_LIFE_MS = 14.5 * 60_000;
/** How long a panel that is over still tells what became of it. */
const MEMORY_MS = 5 * 60_000;
/** Panels open at once; the oldest leave. An operator has a handful. */
const MAX_SESSIONS = 500;

export interface Session<State> {
  readonly nonce: string;
  readonly userId: string;
  /** Epoch ms at which the panel ends by itself. */
  readonly expiresAt: number;
  state: State;
  /** The `custom_id` of an action of this panel. */
  readonly id: ControlId;
}

export type Press<State> =
  /** From before the last restart, or too old. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'not-yours' }
  /** Pressed twice: what became of it the first time. */
  | { readonly kind: 'over'; readonly outcome: string }
  | { readonly kind: 'open'; readonly session: Session<State> };

export interface OpenOptions<State> {
  readonly clock: Clock;
  readonly userId: string;
  readonly state: State;
  readonly lifeMs: number;
  /** Called once when the panel ends by itself; must not throw. */
  readonly onExpire?: (session: Session<State>) => void;
}

interface Kept<State> {
  readonly session: Session<State>;
  outcome: string | undefined;
  cancelTimer: () => void;
}

/** The open panels of one command. */
export class Sessions<State> {
  readonly #command: AdminCommandName;
  readonly #limit: number;
  readonly #kept = new Map<string, Kept<State>>();
  #stopped = false;

  constructor(command: AdminCommandName, limit: number = MAX_SESSIONS) {
    this.#command = command;
    this.#limit = limit;
  }

  /** How many are kept, those that are over and remembered included. */
  get size(): number {
    return this.#kept.size;
  }

  open(options: OpenOptions<State>): Session<State> {
    const { clock, lifeMs, onExpire } = options;
    const nonce = randomBytes(9).toString('base64url');
    const session: Session<State> = {
      nonce,
      userId: options.userId,
      expiresAt: clock.epochAt(clock.now() + lifeMs),
      state: options.state,
      id: (action) => `${CUSTOM_ID_PREFIX}${this.#command}:${action}:${nonce}`,
    };
    if (this.#stopped) return session;
    const kept: Kept<State> = { session, outcome: undefined, cancelTimer: () => undefined };
    kept.cancelTimer = clock.after(lifeMs, () => {
      this.#drop(nonce);
      onExpire?.(session);
    });
    this.#kept.set(nonce, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#limit) break;
      this.#drop(oldest);
    }
    return session;
  }

  /** What a press by `userId` finds. */
  press(nonce: string | undefined, userId: string): Press<State> {
    const kept = nonce === undefined ? undefined : this.#kept.get(nonce);
    if (kept === undefined) return { kind: 'unknown' };
    if (kept.session.userId !== userId) return { kind: 'not-yours' };
    if (kept.outcome !== undefined) return { kind: 'over', outcome: kept.outcome };
    return { kind: 'open', session: kept.session };
  }

  /**
   * Ends the panel: from this call on, presses get `outcome`. False when it was over already, so that of two presses
   * only one acts. May be called again to put the final outcome in place of a provisional one.
   */
  end(session: Session<State>, clock: Clock, outcome: string): boolean {
    const kept = this.#kept.get(session.nonce);
    if (kept === undefined) return false;
    const isFirst = kept.outcome === undefined;
    kept.outcome = outcome;
    if (isFirst) {
      kept.cancelTimer();
      kept.cancelTimer = clock.after(MEMORY_MS, () => this.#drop(session.nonce));
    }
    return isFirst;
  }

  /** Forgets every panel and ends their timers. */
  stop(): void {
    this.#stopped = true;
    for (const nonce of [...this.#kept.keys()]) this.#drop(nonce);
  }

  #drop(nonce: string): void {
    this.#kept.get(nonce)?.cancelTimer();
    this.#kept.delete(nonce);
  }
}
