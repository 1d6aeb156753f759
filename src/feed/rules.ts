/**
 * What the author says of the tables: which keys, patterns and tags a change of a row covers.
 * Checked against the database's schema when it is compiled (`compile-rules.ts`).
 */
import type { InvalidationTarget } from '../cache/keys/target.ts';
import type { SqliteValue } from './database.ts';

/**
 * A key, pattern or tag with columns in braces: `user::{id}::*`, `{ tag: 'category:{main_category}' }`.
 *
 * A column is escaped as `key.of` and the templates of `cached` escape it: a number as its text, exactly, a BLOB as its
 * hash. What is invalidated is invalidated in every spelling of an id, so that the keys of reads may be made from text,
 * numbers or bigints. (`{id:text}` and `{id:bigint}`, which chose one of them once, mean the same as `{id}`.)
 */
export type RuleTarget = string | { readonly tag: string };

export type ChangeKind = 'insert' | 'update' | 'delete';

interface RuleScope {
  /**
   * An update counts when it changes one of these, or one that the targets name. An update that changes no value
   * never counts.
   * @default every column
   */
  readonly columns?: readonly string[];
  /** @default all three. `INSERT OR REPLACE` that replaces a row counts as a delete and an insert, or as an update. */
  readonly on?: readonly ChangeKind[];
}

/** What one row covers, by templates. Both the old and the new values of an update count. */
export interface TemplateRule extends RuleScope {
  readonly targets: RuleTarget | readonly RuleTarget[];
}

/** What one row covers, by a function that runs when the change is drained; for each of the old and the new row. */
export interface DerivedRule extends RuleScope {
  /** The columns it gets; other processes and later versions must know them, so they are kept with the change. */
  readonly from: readonly string[];
  readonly derive: (
    row: Readonly<Record<string, SqliteValue>>,
  ) => InvalidationTarget | readonly InvalidationTarget[];
}

export type TableRule = RuleTarget | TemplateRule | DerivedRule;

/**
 * By table.
 * @example
 * const rules: TableRules = {
 *   users: ['user::{id}::*', { targets: 'query::leaderboard::*', columns: ['name'] }],
 *   products: [
 *     { targets: ['products:*', 'categories:*'], columns: ['name', 'price_cents', 'main_category'] },
 *     { targets: 'products::{main_category}', columns: ['stock'], on: ['update'] },
 *   ],
 *   settings: 'config::{name}',
 * };
 */
export type TableRules = Readonly<Record<string, TableRule | readonly TableRule[]>>;
