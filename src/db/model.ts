/** The shop's records as the bot sees them. Amounts are integer cents, Discord ids text, instants epoch milliseconds. */

export interface User {
  readonly id: string;
  readonly name: string;
  readonly walletCents: number;
  /** 0: none. */
  readonly vipTier: number;
  readonly createdAt: number;
}

export interface Product {
  readonly id: number;
  readonly mainCategory: string;
  readonly subCategory: string;
  readonly name: string;
  readonly description: string;
  /** `null`: never runs out. */
  readonly stock: number | null;
  readonly priceCents: number;
  /** Whether people can see and buy it. */
  readonly active: boolean;
}

export type NewProduct = Omit<Product, 'id' | 'active'> & { readonly active?: boolean };
export type ProductChange = Partial<NewProduct>;

/** A category with how many products people can see in it. */
export interface Category {
  readonly name: string;
  readonly products: number;
}

/** What a discount is for. A VIP tier stands for itself and those above it. */
export type DiscountTarget =
  | { readonly kind: 'product'; readonly productId: number }
  | { readonly kind: 'category'; readonly mainCategory: string }
  | { readonly kind: 'vip'; readonly vipTier: number }
  | { readonly kind: 'user'; readonly userId: string };

export interface Discount {
  readonly id: number;
  readonly name: string;
  readonly target: DiscountTarget;
  /** 1 to 100. */
  readonly percent: number;
  readonly validFrom: number;
  /** The first instant at which it holds no more; `null`: no end. */
  readonly validTo: number | null;
}

export type NewDiscount = Omit<Discount, 'id'>;
export type DiscountChange = Partial<Omit<NewDiscount, 'target'>>;

export interface Order {
  readonly id: number;
  readonly productId: number;
  /** As it was when it was bought. */
  readonly productName: string;
  readonly mainCategory: string;
  readonly quantity: number;
  readonly unitPriceCents: number;
  readonly discountPercent: number;
  readonly totalCents: number;
  readonly status: 'completed' | 'refunded';
  readonly createdAt: number;
}

export type TransactionKind = 'deposit' | 'withdrawal' | 'purchase' | 'refund' | 'adjustment';

export interface WalletTransaction {
  readonly id: number;
  readonly kind: TransactionKind;
  /** Negative when it left the wallet. */
  readonly amountCents: number;
  /** What the wallet held afterwards. */
  readonly balanceCents: number;
  readonly orderId: number | null;
  readonly note: string;
  readonly createdAt: number;
}

export interface VipTier {
  readonly tier: number;
  readonly name: string;
  /** What a person must have spent to reach it. */
  readonly fromSpentCents: number;
  readonly perks: readonly string[];
}

export interface PaymentMethod {
  readonly id: string;
  readonly name: string;
  readonly feePercent: number;
  readonly enabled: boolean;
}

/** The settings by their names. */
export interface Settings {
  readonly vip_tiers: readonly VipTier[];
  readonly payment_methods: readonly PaymentMethod[];
}

export interface LeaderboardRow {
  readonly rank: number;
  readonly userId: string;
  readonly name: string;
  readonly spentCents: number;
  readonly orders: number;
}

/** A product in a list of search results. Without its stock, so that results outlive a sale. */
export type SearchHit = Pick<Product, 'id' | 'name' | 'mainCategory' | 'subCategory' | 'priceCents'>;

export interface SalesAnalytics {
  /** `2026-01-31`, UTC, both included. */
  readonly fromDay: string;
  readonly toDay: string;
  readonly orders: number;
  readonly revenueCents: number;
  readonly categories: readonly {
    readonly name: string;
    readonly orders: number;
    readonly revenueCents: number;
  }[];
  readonly topProducts: readonly {
    readonly productId: number;
    readonly name: string;
    readonly sold: number;
    readonly revenueCents: number;
  }[];
}

export type WalletResult =
  | { readonly ok: true; readonly walletCents: number }
  | { readonly ok: false; readonly reason: 'unknown-user' }
  | { readonly ok: false; readonly reason: 'funds'; readonly walletCents: number };

export type PurchaseResult =
  | { readonly ok: true; readonly order: Order; readonly walletCents: number; readonly stock: number | null }
  | { readonly ok: false; readonly reason: 'unknown-user' | 'unknown-product' }
  | { readonly ok: false; readonly reason: 'stock'; readonly stock: number }
  | {
      readonly ok: false;
      readonly reason: 'funds';
      readonly walletCents: number;
      readonly totalCents: number;
    };
