/** Which discounts hold for a product at an instant, and what is left of the price. Pure: decided the same for display and at the till. */
import type { Discount, Product } from './model.ts';

/** What of a product a discount may ask for. */
export type Discounted = Pick<Product, 'id' | 'mainCategory'>;

export function holdsAt(discount: Discount, at: number): boolean {
  return discount.validFrom <= at && (discount.validTo === null || at < discount.validTo);
}

/** Whether it covers this product, for somebody to whom it is offered. */
export function covers({ target }: Discount, product: Discounted): boolean {
  if (target.kind === 'product') return target.productId === product.id;
  if (target.kind === 'category') return target.mainCategory === product.mainCategory;
  return true;
}

/** The highest percentage; discounts do not add up. 0 when there is none. */
export function bestPercent(discounts: readonly Discount[], product: Discounted, at: number): number {
  let best = 0;
  for (const discount of discounts) {
    if (discount.percent > best && holdsAt(discount, at) && covers(discount, product))
      best = discount.percent;
  }
  return best;
}

/** The price after the discount, rounded to the cent in the buyer's favour. */
export function discountedCents(priceCents: number, percent: number): number {
  return Math.floor((priceCents * (100 - percent)) / 100);
}
