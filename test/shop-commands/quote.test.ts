/** What a purchase would cost: the price shown, and why there may be none. And offers, each taken once. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { OFFER_LIFE_MS, Offers } from '../../src/shop-commands/offers.ts';
import { quote } from '../../src/shop-commands/quote.ts';
import { MARK, NELLY, START_AT, smallShop } from '../db/shop-fixture.ts';
import { handClock } from '../support/hand-clock.ts';

function till() {
  const fixture = smallShop();
  onTestFinished(() => fixture.end());
  const { clock, shop } = fixture;
  const ask = (productId: number, quantity = 1, userId = NELLY) =>
    quote({ userId, productId, quantity }, shop, clock.epochAt(clock.now()));
  return { ...fixture, ask };
}

describe('a quote', () => {
  it('is the price times the quantity, with what the wallet holds', () => {
    const { ask } = till();
    expect(ask(1, 2)).toMatchObject({ kind: 'ok', percent: 0, totalCents: 3_998, walletCents: 100_00 });
  });

  it('takes the best discount that holds now, which is what the till takes', () => {
    const { ask, shop } = till();
    const holds = { validFrom: START_AT - 1, validTo: null };
    shop.createDiscount({ ...holds, name: 'A', percent: 10, target: { kind: 'product', productId: 1 } });
    shop.createDiscount({
      ...holds,
      name: 'B',
      percent: 25,
      target: { kind: 'category', mainCategory: 'gaming' },
    });
    shop.createDiscount({
      name: 'Later',
      percent: 90,
      target: { kind: 'product', productId: 1 },
      validFrom: START_AT + 1,
      validTo: null,
    });
    const quoted = ask(1, 3);
    expect(quoted).toMatchObject({ kind: 'ok', percent: 25, totalCents: 4_497 });
    expect(shop.purchase(NELLY, 1, 3)).toMatchObject({ ok: true, order: { totalCents: 4_497 } });
  });

  it('says what is missing: money, stock, or the product', () => {
    const { ask, shop } = till();
    expect(ask(1, 1, MARK)).toMatchObject({ kind: 'funds', walletCents: 0, totalCents: 1_999 });
    expect(ask(2, 2)).toMatchObject({ kind: 'stock', stock: 1 });
    expect(ask(999)).toEqual({ kind: 'unknown' });
    shop.updateProduct(3, { active: false });
    expect(ask(3)).toEqual({ kind: 'unknown' });
  });

  it('of what never runs out knows no stock', () => {
    expect(till().ask(3, 10)).toMatchObject({ kind: 'ok', totalCents: 100_00 });
  });

  it('follows a purchase, a price and a wallet at once, though all of it is cached', () => {
    const { ask, shop } = till();
    expect(ask(2).kind).toBe('ok');
    shop.purchase(NELLY, 2);
    expect(ask(2)).toMatchObject({ kind: 'stock', stock: 0 });
    shop.updateProduct(1, { priceCents: 5_000 });
    expect(ask(1)).toMatchObject({ totalCents: 5_000, walletCents: 95_00 });
  });
});

describe('an offer', () => {
  const offer = { userId: NELLY, productId: 1, quantity: 1, totalCents: 1_999 };

  it('is taken once, so that a button pressed twice buys once', () => {
    const clock = handClock();
    const offers = new Offers();
    const { nonce } = offers.open(offer, clock);
    expect(offers.take(nonce, clock)).toEqual(offer);
    expect(offers.take(nonce, clock)).toBeUndefined();
  });

  it('ends after a minute, as it says', () => {
    const clock = handClock();
    const offers = new Offers();
    const early = offers.open(offer, clock);
    const late = offers.open(offer, clock);
    expect(early.expiresAt).toBe(clock.epochAt(OFFER_LIFE_MS));
    clock.advance(OFFER_LIFE_MS - 1);
    expect(offers.take(early.nonce, clock)).toEqual(offer);
    clock.advance(1);
    expect(offers.take(late.nonce, clock)).toBeUndefined();
  });

  it('that nobody made is none', () => {
    expect(new Offers().take(undefined, handClock())).toBeUndefined();
    expect(new Offers().take('from before the restart', handClock())).toBeUndefined();
  });

  it('belongs to the person it was made to, who can still take it when somebody else has tried', () => {
    const clock = handClock();
    const offers = new Offers();
    const { nonce } = offers.open(offer, clock);
    expect(offers.isOf(MARK, nonce)).toBe(false);
    expect(offers.isOf(NELLY, nonce)).toBe(true);
    expect(offers.take(nonce, clock)).toEqual(offer);
    expect(offers.isOf(NELLY, nonce)).toBe(false);
  });

  it('is not ended by any number of offers to somebody else', () => {
    const clock = handClock();
    const offers = new Offers();
    const { nonce } = offers.open(offer, clock);
    for (let i = 0; i < 1_005; i++) offers.open({ ...offer, userId: MARK }, clock);
    expect(offers.take(nonce, clock)).toEqual(offer);
  });

  it('leaves for newer ones when there are too many', () => {
    const clock = handClock();
    const offers = new Offers();
    const nonces = Array.from({ length: 1_001 }, () => offers.open(offer, clock).nonce);
    expect(offers.take(nonces[0], clock)).toBeUndefined();
    expect(offers.take(nonces[1], clock)).toEqual(offer);
    expect(offers.take(nonces[1_000], clock)).toEqual(offer);
  });
});
