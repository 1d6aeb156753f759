/** A credit for everybody once a day (UTC). That it was given is read from the wallet's own record. */
import type { WalletTransaction } from '../db/model.ts';
import type { Shop } from '../db/shop.ts';

export const DAILY_CREDIT_CENTS = 25_00;

const NOTE = 'Daily credit';
const DAY_MS = 86_400_000;
const PAGE_SIZE = 20;

export type Claim =
  | { readonly ok: true; readonly walletCents: number }
  /** Taken today already. */
  | { readonly ok: false };

/** Adds today's credit, unless it was taken. @param now epoch milliseconds */
export function claimDailyCredit(shop: Shop, userId: string, now: number): Claim {
  // Begun as a writer, so that two processes can't both find it untaken.
  return shop
    .transaction((): Claim => {
      const page = (index: number) => shop.queries.transactions(userId, index, PAGE_SIZE);
      if (isTaken(page, now)) return { ok: false };
      const result = shop.updateWallet(userId, DAILY_CREDIT_CENTS, 'deposit', NOTE);
      if (!result.ok) throw new Error(`The person ${userId} who takes the credit is not known.`);
      return { ok: true, walletCents: result.walletCents };
    })
    .immediate();
}

/** Whether today's credit was taken, for display: from the cached history. */
export function isCreditTaken(shop: Shop, userId: string, now: number): boolean {
  return isTaken((index) => shop.getTransactionHistory(userId, index), now);
}

/** When there is a new one. */
export function nextCreditAt(now: number): number {
  return dayStart(now) + DAY_MS;
}

/** @param page of the wallet's record, newest first */
function isTaken(page: (index: number) => readonly WalletTransaction[], now: number): boolean {
  const start = dayStart(now);
  for (let index = 0; ; index++) {
    const rows = page(index);
    for (const { createdAt, note, kind } of rows) {
      if (createdAt < start) return false;
      if (kind === 'deposit' && note === NOTE) return true;
    }
    if (rows.length < PAGE_SIZE) return false;
  }
}

function dayStart(now: number): number {
  return Math.floor(now / DAY_MS) * DAY_MS;
}
