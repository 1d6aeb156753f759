/** What is offered while a product is being typed. */
import { expect, it, onTestFinished } from 'vitest';
import { productChoices } from '../../src/shop-commands/buy.ts';
import { MARK, NELLY, START_AT, smallShop } from '../db/shop-fixture.ts';

it('offers each product at the price that this person pays, as buying charges it', () => {
  const { shop, clock, end } = smallShop();
  onTestFinished(end);
  const offered = (userId: string) =>
    productChoices('', userId, 'en-US', { shop, clock }).find(({ value }) => value === '1')?.name;
  expect(offered(NELLY)).toContain('$19.99');
  const target = { kind: 'user', userId: NELLY } as const;
  shop.createDiscount({ name: 'Yours', percent: 50, target, validFrom: START_AT - 1, validTo: null });
  expect(offered(NELLY)).toContain('$9.99');
  expect(offered(MARK)).toContain('$19.99');
});
