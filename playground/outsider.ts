/**
 * Somebody who changes the shop's database behind the bot's back: with a connection of their own, from another process,
 * as a person with the sqlite3 shell would. Nothing here tells the bot; whether its next answer is right is what there
 * is to see. Works while the bot is down, too.
 */
import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import type { Change, Changeable, Changed } from './protocol.ts';

/** As many as the first page of a category shows in the shop. */
const PRODUCTS_OF_CATEGORY = 8;
/** A bot that writes is done within milliseconds. */
const BUSY_TIMEOUT_MS = 2_000;

interface Person {
  readonly id: string;
  readonly name: string;
}

export class Outsider {
  readonly #path: string;
  readonly #busyTimeoutMs: number;

  /** @param path the shop's database @param busyTimeoutMs how long to wait for the bot's own writes */
  constructor(path: string, busyTimeoutMs: number = BUSY_TIMEOUT_MS) {
    this.#path = path;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /** What may be changed, as it is in the database now. */
  changeable(person: Person): Changeable {
    return this.#connected((db) => ({
      products: db
        .prepare<[number], Changeable['products'][number]>(
          `SELECT id, name, category, cents FROM (
             SELECT id, name, main_category AS category, price_cents AS cents, row_number() OVER
               (PARTITION BY main_category ORDER BY sub_category, name, id) AS place
             FROM products WHERE active = 1 AND deleted_at IS NULL AND coalesce(stock, 1) > 0
           ) WHERE place <= ? ORDER BY category, place`,
        )
        .all(PRODUCTS_OF_CATEGORY),
      walletCents: walletOf(db, person.id) ?? 0,
    }));
  }

  /** @throws Error with the words for the person */
  change(change: Change, person: Person): Changed {
    return this.#connected((db) => {
      const { cents } = change;
      if (change.what === 'wallet') {
        const before = walletOf(db, person.id) ?? 0;
        db.prepare(
          `INSERT INTO users (id, name, wallet_cents, created_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET wallet_cents = excluded.wallet_cents`,
        ).run(person.id, person.name, cents, Date.now());
        return { what: 'wallet', name: person.name, category: null, before, cents };
      }
      const product = db
        .prepare<[number], { name: string; category: string; before: number }>(
          'SELECT name, main_category AS category, price_cents AS before FROM products WHERE id = ?',
        )
        .get(change.productId);
      if (product === undefined) throw new Error('This product is gone. Choose another.');
      db.prepare('UPDATE products SET price_cents = ?, updated_at = ? WHERE id = ?').run(
        cents,
        Date.now(),
        change.productId,
      );
      return { what: 'price', ...product, cents };
    });
  }

  /** How far the change feed has come; `null` where there is none. */
  position(): number | null {
    return this.#connected((db) => {
      const isThere = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'cache_changes'").get();
      if (isThere === undefined) return null;
      const head = db.prepare<[], number | null>('SELECT max(position) FROM cache_changes').pluck().get();
      return head ?? null;
    });
  }

  #connected<T>(work: (db: Database.Database) => T): T {
    if (!existsSync(this.#path)) throw new Error(NO_DATABASE);
    const db = new Database(this.#path, { fileMustExist: true, timeout: this.#busyTimeoutMs });
    try {
      return db.transaction(() => work(db)).immediate();
    } catch (error) {
      throw new Error(wordsFor(error), { cause: error });
    } finally {
      db.close();
    }
  }
}

const NO_DATABASE = 'There is no database yet: the bot makes it when it starts.';

function wordsFor(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/locked|busy/i.test(text)) return 'The bot is writing just now. Try again in a moment.';
  return text.startsWith('no such table') ? NO_DATABASE : text;
}

function walletOf(db: Database.Database, userId: string): number | undefined {
  const cents = db.prepare('SELECT wallet_cents FROM users WHERE id = ?').pluck().get(userId);
  return cents === undefined ? undefined : Number(cents);
}
