/**
 * The schema of the shop, as the ordered steps that lead to it. Each step runs in one transaction together with the
 * number that says it ran (`user_version`), so a database is always at exactly one version.
 * Released steps are never edited: a change is a new step at the end.
 *
 * Money is integer cents, Discord ids are text (they do not fit a JavaScript number), instants are epoch milliseconds.
 */
import type Database from 'better-sqlite3';
import { DatabaseError, explain } from './errors.ts';

/** Marks the file as ours in its header ("Ccrd"), so that we never migrate another program's database. */
export const APPLICATION_ID = 0x43_63_72_64;

/** The largest amount that JavaScript counts exactly. */
const MAX_CENTS = Number.MAX_SAFE_INTEGER;

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE users (
    id TEXT PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 20 AND id NOT GLOB '*[^0-9]*'),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    wallet_cents INTEGER NOT NULL DEFAULT 0 CHECK (wallet_cents BETWEEN 0 AND ${MAX_CENTS}),
    vip_tier INTEGER NOT NULL DEFAULT 0 CHECK (vip_tier BETWEEN 0 AND 100),
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE products (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    main_category TEXT NOT NULL CHECK (length(main_category) BETWEEN 1 AND 100),
    sub_category TEXT NOT NULL CHECK (length(sub_category) BETWEEN 1 AND 100),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description TEXT NOT NULL DEFAULT '' CHECK (length(description) <= 4000),
    -- NULL: never runs out, such as a licence key made on demand
    stock INTEGER CHECK (stock >= 0),
    price_cents INTEGER NOT NULL CHECK (price_cents BETWEEN 0 AND 100000000),
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Rows stay for the orders that name them.
    deleted_at INTEGER
  ) STRICT;
  CREATE INDEX products_by_category ON products (main_category, sub_category, name)
    WHERE active = 1 AND deleted_at IS NULL;

  CREATE TABLE discounts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    product_id INTEGER REFERENCES products (id),
    main_category TEXT,
    -- This tier and those above it.
    vip_tier INTEGER CHECK (vip_tier BETWEEN 1 AND 100),
    user_id TEXT REFERENCES users (id),
    percent INTEGER NOT NULL CHECK (percent BETWEEN 1 AND 100),
    valid_from INTEGER NOT NULL,
    -- The first instant at which it holds no more; NULL: no end.
    valid_to INTEGER CHECK (valid_to > valid_from),
    CHECK ((product_id IS NOT NULL) + (main_category IS NOT NULL) + (vip_tier IS NOT NULL) + (user_id IS NOT NULL) = 1)
  ) STRICT;
  CREATE INDEX discounts_by_user ON discounts (user_id) WHERE user_id IS NOT NULL;
  CREATE INDEX discounts_by_product ON discounts (product_id) WHERE product_id IS NOT NULL;
  CREATE INDEX discounts_for_everybody ON discounts (valid_from) WHERE user_id IS NULL;

  CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL REFERENCES users (id),
    product_id INTEGER NOT NULL REFERENCES products (id),
    -- As they were when it was bought.
    product_name TEXT NOT NULL,
    main_category TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 99),
    unit_price_cents INTEGER NOT NULL CHECK (unit_price_cents >= 0),
    discount_percent INTEGER NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100),
    total_cents INTEGER NOT NULL CHECK (total_cents >= 0),
    status TEXT NOT NULL CHECK (status IN ('completed', 'refunded')),
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX orders_by_user ON orders (user_id, id DESC);
  CREATE INDEX orders_by_product ON orders (product_id);
  CREATE INDEX orders_by_day ON orders (created_at, main_category, total_cents) WHERE status = 'completed';
  CREATE INDEX orders_spending ON orders (user_id, total_cents) WHERE status = 'completed';

  CREATE TABLE wallet_transactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'purchase', 'refund', 'adjustment')),
    amount_cents INTEGER NOT NULL,
    balance_cents INTEGER NOT NULL CHECK (balance_cents >= 0),
    order_id INTEGER REFERENCES orders (id),
    note TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX wallet_transactions_by_user ON wallet_transactions (user_id, id DESC);
  CREATE INDEX wallet_transactions_by_order ON wallet_transactions (order_id) WHERE order_id IS NOT NULL;

  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value)),
    updated_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    user_id TEXT NOT NULL,
    guild_id TEXT,
    channel_id TEXT,
    command TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reference TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_log_by_reference ON audit_log (reference);
  `,
  `
  -- Written behind, so a row may come before that of the person.
  CREATE TABLE user_activity (
    user_id TEXT PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 20),
    uses INTEGER NOT NULL CHECK (uses > 0),
    last_command TEXT NOT NULL,
    last_seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];

/** The version this program brings databases to. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/**
 * Refuses a database that is not ours to change. Reads only.
 * @throws DatabaseError `ERR_DB_NEWER`, `ERR_DB_FOREIGN`
 */
export function assertOurs(db: Database.Database): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  const application = Number(db.pragma('application_id', { simple: true }));
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (application !== APPLICATION_ID && !isEmpty) {
    throw new DatabaseError(
      'ERR_DB_FOREIGN',
      db.name,
      `The database ${db.name} belongs to another program. It was left as it is: set DATABASE_PATH to a file of the bot's own.`,
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new DatabaseError(
      'ERR_DB_NEWER',
      db.name,
      `The database ${db.name} has schema version ${version}, and this program knows versions up to ${SCHEMA_VERSION}. ` +
        'It was left as it is: start the newer program again, or set DATABASE_PATH to another file.',
    );
  }
}

/**
 * Brings the schema up to date. Does nothing to a database that is.
 * @returns how many steps ran
 * @throws DatabaseError after rolling the failed step back
 */
export function migrate(db: Database.Database): number {
  try {
    assertOurs(db);
    let steps = 0;
    // The version is read within the transaction, since a second process may be migrating at this moment.
    const step = db.transaction(() => {
      const version = Number(db.pragma('user_version', { simple: true }));
      const sql = MIGRATIONS[version];
      if (sql === undefined) return false;
      db.exec(sql);
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${version + 1}`);
      return true;
    });
    while (needsStep(db) && step.immediate()) steps++;
    return steps;
  } catch (error) {
    throw explain(error, db.name, 'brought up to date');
  }
}

function needsStep(db: Database.Database): boolean {
  return Number(db.pragma('user_version', { simple: true })) < SCHEMA_VERSION;
}
