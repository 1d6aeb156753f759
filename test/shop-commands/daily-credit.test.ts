/** The credit of the day: once a day for everybody, read from the wallet's own record. */
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  claimDailyCredit,
  DAILY_CREDIT_CENTS,
  isCreditTaken,
  nextCreditAt,
} from '../../src/shop-commands/daily-credit.ts';
import { type Fixture, MARK, NELLY, smallShop } from '../db/shop-fixture.ts';

const DAY_MS = 86_400_000;

/** Noon of a day in UTC, with people who have 100.00 (Nelly) and nothing (Mark). */
function bank() {
  const fixture: Fixture = smallShop();
  onTestFinished(() => fixture.end());
  const { clock, shop } = fixture;
  const now = () => clock.epochAt(clock.now());
  return {
    ...fixture,
    now,
    claim: (userId: string) => claimDailyCredit(shop, userId, now()),
    isTaken: (userId: string) => isCreditTaken(shop, userId, now()),
    walletOf: (userId: string) => shop.getUser(userId)?.walletCents,
  };
}

describe('the credit of the day', () => {
  it('is added once, is on record, and shows at once in what was cached', () => {
    const { claim, isTaken, walletOf, shop } = bank();
    expect([walletOf(MARK), isTaken(MARK)]).toEqual([0, false]);
    expect(claim(MARK)).toEqual({ ok: true, walletCents: DAILY_CREDIT_CENTS });
    expect([walletOf(MARK), isTaken(MARK)]).toEqual([DAILY_CREDIT_CENTS, true]);
    expect(shop.getTransactionHistory(MARK)).toMatchObject([
      { kind: 'deposit', amountCents: DAILY_CREDIT_CENTS, balanceCents: DAILY_CREDIT_CENTS },
    ]);
    expect(claim(MARK)).toEqual({ ok: false });
    expect(walletOf(MARK)).toBe(DAILY_CREDIT_CENTS);
  });

  it('of one person is nothing to another', () => {
    const { claim, isTaken } = bank();
    claim(NELLY);
    expect(isTaken(MARK)).toBe(false);
    expect(claim(MARK).ok).toBe(true);
  });

  it('comes again with the next day (UTC), to the millisecond', () => {
    const { claim, isTaken, clock, now } = bank();
    claim(MARK);
    clock.advance(nextCreditAt(now()) - now() - 1);
    expect([isTaken(MARK), claim(MARK).ok]).toEqual([true, false]);
    clock.advance(1);
    expect([isTaken(MARK), claim(MARK).ok]).toEqual([false, true]);
    expect(nextCreditAt(now())).toBe(now() + DAY_MS);
  });

  it('is found behind a day of many movements', () => {
    const { claim, isTaken, shop } = bank();
    claim(MARK);
    for (let nth = 0; nth < 45; nth++) shop.updateWallet(MARK, nth % 2 === 0 ? -1 : 1);
    expect([isTaken(MARK), claim(MARK).ok]).toEqual([true, false]);
  });

  it('is not mistaken for a deposit of another kind, nor for a purchase of that name', () => {
    const { claim, shop } = bank();
    shop.updateWallet(MARK, 1_000, 'deposit', 'Gift');
    shop.updateWallet(MARK, -500, 'adjustment', 'Daily credit');
    expect(claim(MARK).ok).toBe(true);
  });

  it('for somebody who is not known changes nothing and says so', () => {
    const { claim, db } = bank();
    const rows = () => db.prepare('SELECT count(*) FROM wallet_transactions').pluck().get();
    const before = rows();
    expect(() => claim('80351110224678999')).toThrow('not known');
    expect(rows()).toBe(before);
  });
});
