/**
 * What a purchase would cost this person now, or why it can't be made. An offer is a promise, so it is made from the
 * database and not from the cache: another process may have written to it.
 */
import { bestPercent, discountedCents } from '../db/discount.ts';
import type { Discount, Product } from '../db/model.ts';
import type { Shop } from '../db/shop.ts';

export interface Wish {
  readonly userId: string;
  readonly productId: number;
  readonly quantity: number;
}

export interface Quote {
  readonly product: Product;
  readonly quantity: number;
  readonly percent: number;
  readonly totalCents: number;
  readonly walletCents: number;
}

/** `unknown`: there is no such product, or it is not for sale. */
export type Quoted =
  | ({ readonly kind: 'ok' } & Quote)
  | ({ readonly kind: 'funds' } & Quote)
  | { readonly kind: 'stock'; readonly product: Product; readonly stock: number }
  | { readonly kind: 'unknown' };

/** @param now epoch milliseconds */
export function quote({ userId, productId, quantity }: Wish, shop: Shop, now: number): Quoted {
  const { queries } = shop;
  const product = queries.product(productId);
  if (product === null || !product.active) return { kind: 'unknown' };
  if (product.stock !== null && product.stock < quantity) {
    return { kind: 'stock', product, stock: product.stock };
  }
  const discounts = queries.discountsForUser(userId, now);
  const { percent, cents: totalCents } = priceFor(product, discounts, now, quantity);
  const walletCents = queries.user(userId)?.walletCents ?? 0;
  const kind = walletCents < totalCents ? 'funds' : 'ok';
  return { kind, product, quantity, percent, totalCents, walletCents };
}

/** The price with the best of these discounts. */
export function priceFor(
  product: Pick<Product, 'id' | 'mainCategory' | 'priceCents'>,
  discounts: readonly Discount[],
  now: number,
  quantity = 1,
): { readonly percent: number; readonly cents: number } {
  const percent = bestPercent(discounts, product, now);
  return { percent, cents: discountedCents(product.priceCents * quantity, percent) };
}
