/**
 * Offers that wait for a press: each is taken once, by nonce, so that a button pressed twice buys once. It belongs to the
 * person it was made to, whose money it is about, and one person's offers never end another's.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../cache/clock.ts';
import type { Wish } from './quote.ts';

/** How long a price is asked about. */
export const OFFER_LIFE_MS = 60_000;
/** Of one person the oldest leave: nobody presses a thousand buttons a minute. */
const MAX_OF_ONE = 1_000;
/** Of all: more than a bot is asked for within a minute. */
const MAX_OFFERS = 50_000;

export interface Offer extends Wish {
  readonly totalCents: number;
}

interface Kept {
  readonly offer: Offer;
  readonly endsAt: number;
}

export class Offers {
  /** By nonce. All live equally long, so the one that ends next comes first. */
  readonly #kept = new Map<string, Kept>();
  /** The nonces of each person, the oldest first. */
  readonly #ofPeople = new Map<string, Set<string>>();

  /** @returns the nonce by which it is taken, and when it ends (epoch ms) */
  open(offer: Offer, clock: Clock): { readonly nonce: string; readonly expiresAt: number } {
    const nonce = randomBytes(9).toString('base64url');
    const endsAt = clock.now() + OFFER_LIFE_MS;
    this.#kept.set(nonce, { offer, endsAt });
    const own = this.#ofPeople.get(offer.userId) ?? new Set();
    this.#ofPeople.set(offer.userId, own.add(nonce));
    const [oldestOwn] = own;
    if (own.size > MAX_OF_ONE && oldestOwn !== undefined) this.#drop(oldestOwn);
    for (const [oldest, kept] of this.#kept) {
      if (clock.now() < kept.endsAt && this.#kept.size <= MAX_OFFERS) break;
      this.#drop(oldest);
    }
    return { nonce, expiresAt: clock.epochAt(endsAt) };
  }

  /** Whether it waits for a press of this person. */
  isOf(userId: string, nonce: string | undefined): boolean {
    return nonce !== undefined && this.#kept.get(nonce)?.offer.userId === userId;
  }

  /** Once; `undefined` when it was taken, has ended, or is from before a restart. */
  take(nonce: string | undefined, clock: Clock): Offer | undefined {
    const kept = nonce === undefined ? undefined : this.#drop(nonce);
    return kept !== undefined && clock.now() < kept.endsAt ? kept.offer : undefined;
  }

  #drop(nonce: string): Kept | undefined {
    const kept = this.#kept.get(nonce);
    if (kept === undefined) return undefined;
    const { userId } = kept.offer;
    const own = this.#ofPeople.get(userId);
    own?.delete(nonce);
    if (own?.size === 0) this.#ofPeople.delete(userId);
    this.#kept.delete(nonce);
    return kept;
  }
}
