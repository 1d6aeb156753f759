/** The tables of a database as far as triggers need them: columns, and what can make a row replace another. */
import { type FeedDatabase, rowsOf } from './database.ts';

export type TableKind = 'table' | 'view' | 'virtual' | 'shadow';

export interface TableSchema {
  readonly name: string;
  readonly kind: TableKind;
  readonly columns: readonly string[];
  /** Columns that are computed from others, and so never stand in the SET of an update. */
  readonly generated: readonly string[];
  /** Another name of the rowid: `UPDATE … SET rowid = …` changes it without naming it. */
  readonly rowidAlias: string | undefined;
  readonly uniques: readonly Unique[];
  /** Indices that make rows replace others by an expression, or only some rows: those are not followed. */
  readonly unfollowed: readonly string[];
}

/** What no two rows may share. */
export interface Unique {
  readonly columns: readonly { readonly name: string; readonly collation: string }[];
}

/** Every table and view of the main database, by its name. */
export function readTables(db: FeedDatabase): Map<string, TableKind> {
  const rows = rowsOf(db, "SELECT name, type FROM pragma_table_list WHERE schema = 'main'");
  return new Map(
    rows
      .map(({ name, type }): [string, TableKind] => [String(name), type as TableKind])
      .filter(([name]) => !/^sqlite_/i.test(name)),
  );
}

export function readSchema(db: FeedDatabase, name: string, kind: TableKind): TableSchema {
  const columns = rowsOf(
    db,
    "SELECT name, pk, hidden FROM pragma_table_xinfo(?, 'main') WHERE hidden <> 1",
    name,
  );
  const names = columns.map((column) => String(column.name));
  const isGenerated = columns.map(({ hidden }) => hidden === 2 || hidden === 3);
  const indices = rowsOf(
    db,
    'SELECT name, origin, partial FROM pragma_index_list(?, \'main\') WHERE "unique" = 1',
    name,
  );
  const primary = columns.filter(({ pk }) => Number(pk) > 0).map((column) => String(column.name));
  const [rowidAlias] = indices.some(({ origin }) => origin === 'pk') ? [] : primary;
  const uniques: Unique[] = [];
  const unfollowed: string[] = [];
  if (rowidAlias !== undefined) uniques.push({ columns: [{ name: rowidAlias, collation: 'BINARY' }] });
  for (const index of indices) {
    const parts = rowsOf(
      db,
      "SELECT cid, name, coll FROM pragma_index_xinfo(?, 'main') WHERE key = 1 ORDER BY seqno",
      index.name,
    );
    if (index.partial !== 0 || parts.some(({ cid }) => Number(cid) < 0)) unfollowed.push(String(index.name));
    else
      uniques.push({
        columns: parts.map((part) => ({ name: String(part.name), collation: String(part.coll) })),
      });
  }
  return {
    name,
    kind,
    columns: names,
    generated: names.filter((_, i) => isGenerated[i]),
    rowidAlias,
    uniques,
    unfollowed,
  };
}
