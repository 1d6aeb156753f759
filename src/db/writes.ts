/**
 * Every change to the shop, straight on SQLite: prepared once, nothing invalidated. Whether a change may happen is
 * decided here, on the database, within the statement that makes it, never on a value read before.
 * The caller runs what takes several statements in one transaction.
 */
import type Database from 'better-sqlite3';
import type {
  Discount,
  NewDiscount,
  NewProduct,
  Order,
  Product,
  Settings,
  TransactionKind,
} from './model.ts';

/** A product that was taken out of the stock. */
export type Taken = Pick<Product, 'id' | 'name' | 'mainCategory' | 'subCategory' | 'priceCents' | 'stock'>;
type NewOrder = Omit<Order, 'id'> & { readonly userId: string };

export type Writes = ReturnType<typeof createWrites>;

/** @param db an open database with the current schema */
export function createWrites(db: Database.Database) {
  const ensureUser = db.prepare<[{ id: string; name: string; at: number }]>(
    `INSERT INTO users (id, name, created_at) VALUES (:id, :name, :at)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE name <> excluded.name`,
  );
  const setVipTier = db.prepare<[{ id: string; vipTier: number }]>(
    'UPDATE users SET vip_tier = :vipTier WHERE id = :id AND vip_tier <> :vipTier',
  );
  const addToWallet = db
    .prepare<[{ id: string; cents: number }], number>(
      `UPDATE users SET wallet_cents = wallet_cents + :cents WHERE id = :id AND wallet_cents + :cents >= 0
       RETURNING wallet_cents`,
    )
    .pluck();
  const addTransaction = db.prepare<
    [
      {
        userId: string;
        kind: TransactionKind;
        cents: number;
        balanceCents: number;
        orderId: number | null;
        note: string;
        at: number;
      },
    ]
  >(
    `INSERT INTO wallet_transactions (user_id, kind, amount_cents, balance_cents, order_id, note, created_at)
     VALUES (:userId, :kind, :cents, :balanceCents, :orderId, :note, :at)`,
  );
  const takeFromStock = db.prepare<[{ id: number; quantity: number }], Taken>(
    `UPDATE products SET stock = stock - :quantity
     WHERE id = :id AND active = 1 AND deleted_at IS NULL AND (stock IS NULL OR stock >= :quantity)
     RETURNING id, name, main_category AS mainCategory, sub_category AS subCategory, price_cents AS priceCents, stock`,
  );
  const insertOrder = db.prepare<[NewOrder]>(
    `INSERT INTO orders (user_id, product_id, product_name, main_category, quantity, unit_price_cents, discount_percent,
       total_cents, status, created_at)
     VALUES (:userId, :productId, :productName, :mainCategory, :quantity, :unitPriceCents, :discountPercent,
       :totalCents, :status, :createdAt)`,
  );
  const insertProduct = db.prepare<[ProductParameters]>(
    `INSERT INTO products (main_category, sub_category, name, description, stock, price_cents, active, created_at, updated_at)
     VALUES (:mainCategory, :subCategory, :name, :description, :stock, :priceCents, :active, :at, :at)`,
  );
  const updateProduct = db.prepare<[ProductParameters & { id: number }]>(
    `UPDATE products SET main_category = :mainCategory, sub_category = :subCategory, name = :name,
       description = :description, stock = :stock, price_cents = :priceCents, active = :active, updated_at = :at
     WHERE id = :id AND deleted_at IS NULL`,
  );
  const deleteProduct = db.prepare<[{ id: number; at: number }]>(
    'UPDATE products SET deleted_at = :at, updated_at = :at WHERE id = :id AND deleted_at IS NULL',
  );
  const insertDiscount = db.prepare<[ReturnType<typeof discountParameters>]>(
    `INSERT INTO discounts (name, product_id, main_category, vip_tier, user_id, percent, valid_from, valid_to)
     VALUES (:name, :productId, :mainCategory, :vipTier, :userId, :percent, :validFrom, :validTo)`,
  );
  const updateDiscount = db.prepare<[Omit<Discount, 'target'>]>(
    `UPDATE discounts SET name = :name, percent = :percent, valid_from = :validFrom, valid_to = :validTo WHERE id = :id`,
  );
  const deleteDiscount = db.prepare<[number]>('DELETE FROM discounts WHERE id = ?');
  const putSetting = db.prepare<[{ name: string; value: string; at: number }]>(
    `INSERT INTO settings (name, value, updated_at) VALUES (:name, :value, :at)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
  );

  return {
    /** True when the person was new or has a new name. */
    ensureUser: (id: string, name: string, at: number): boolean =>
      ensureUser.run({ id, name, at }).changes > 0,
    /** True when it was another tier before. */
    setVipTier: (id: string, vipTier: number): boolean => setVipTier.run({ id, vipTier }).changes > 0,
    /** What the wallet holds now; `undefined`, and nothing changed, when there is no such person or it holds too little. */
    addToWallet: (id: string, cents: number): number | undefined => addToWallet.get({ id, cents }),
    addTransaction: (row: Parameters<typeof addTransaction.run>[0]): void => void addTransaction.run(row),
    /** `undefined`, and nothing changed, when it is not for sale or there are too few. */
    takeFromStock: (id: number, quantity: number): Taken | undefined => takeFromStock.get({ id, quantity }),
    /** The new order's id. */
    insertOrder: (row: NewOrder): number => Number(insertOrder.run(row).lastInsertRowid),
    /** The new product's id. */
    insertProduct: (product: NewProduct, at: number): number =>
      Number(insertProduct.run(productParameters(product, at)).lastInsertRowid),
    updateProduct: ({ id, ...product }: Product, at: number): void =>
      void updateProduct.run({ id, ...productParameters(product, at) }),
    deleteProduct: (id: number, at: number): boolean => deleteProduct.run({ id, at }).changes > 0,
    /** The new discount's id. */
    insertDiscount: (discount: NewDiscount): number =>
      Number(insertDiscount.run(discountParameters(discount)).lastInsertRowid),
    updateDiscount: ({ target: _, ...discount }: Discount): void => void updateDiscount.run(discount),
    deleteDiscount: (id: number): boolean => deleteDiscount.run(id).changes > 0,
    putSetting: <N extends keyof Settings>(name: N, value: Settings[N], at: number): void =>
      void putSetting.run({ name, value: JSON.stringify(value), at }),
  };
}

type ProductParameters = Omit<NewProduct, 'active'> & { readonly active: 0 | 1; readonly at: number };

function productParameters(product: NewProduct, at: number): ProductParameters {
  return { ...product, active: product.active === false ? 0 : 1, at };
}

function discountParameters({ name, target, percent, validFrom, validTo }: NewDiscount) {
  return {
    name,
    percent,
    validFrom,
    validTo,
    productId: target.kind === 'product' ? target.productId : null,
    mainCategory: target.kind === 'category' ? target.mainCategory : null,
    vipTier: target.kind === 'vip' ? target.vipTier : null,
    userId: target.kind === 'user' ? target.userId : null,
  };
}
