/** Offers that wait for a press: each is taken once, by nonce, so that a button pressed twice buys once. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../cache/clock.ts';
import type { Wish } from './quote.ts';

/** How long a price is asked about. */
export const OFFER_LIFE_MS = 60_000;
/** The oldest leave: nobody presses a thousand buttons a minute. */
const MAX_OFFERS = 1_000;

export interface Offer extends Wish {
  readonly totalCents: number;
}

interface Kept {
  readonly offer: Offer;
  readonly endsAt: number;
}

export class Offers {
  readonly #kept = new Map<string, Kept>();

  /** @returns the nonce by which it is taken, and when it ends (epoch ms) */
  open(offer: Offer, clock: Clock): { readonly nonce: string; readonly expiresAt: number } {
    const nonce = randomBytes(9).toString('base64url');
    const endsAt = clock.now() + OFFER_LIFE_MS;
    this.#kept.set(nonce, { offer, endsAt });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_OFFERS && oldest !== undefined) this.#kept.delete(oldest);
    return { nonce, expiresAt: clock.epochAt(endsAt) };
  }

  /** Once; `undefined` when it was taken, has ended, or is from before a restart. */
  take(nonce: string | undefined, clock: Clock): Offer | undefined {
    const kept = nonce === undefined ? undefined : this.#kept.get(nonce);
    if (nonce === undefined || kept === undefined) return undefined;
    this.#kept.delete(nonce);
    return clock.now() < kept.endsAt ? kept.offer : undefined;
  }
}
