/** The tables of a database as far as triggers need them: columns, and what can make a row replace another. */
import { errorText } from '../cache/error-text.ts';
import { type FeedDatabase, quoteName, rowsOf } from './database.ts';
import { readIndexText } from './index-text.ts';

export type TableKind = 'table' | 'view' | 'virtual' | 'shadow';

/** What SQLite converts the values of a column to: https://sqlite.org/datatype3.html, section 3.1. */
export type Affinity = 'TEXT' | 'NUMERIC' | 'INTEGER' | 'REAL' | 'BLOB';

export interface TableSchema {
  readonly name: string;
  readonly kind: TableKind;
  readonly columns: readonly string[];
  readonly affinities: ReadonlyMap<string, Affinity>;
  /** Columns that are computed from others, and so never stand in the SET of an update. */
  readonly generated: readonly string[];
  /**
   * The columns for which `OR REPLACE` puts the default in the place of NULL, after the triggers before the statement
   * have run: each with its default as a literal of SQL, or `undefined` where that has to be computed.
   */
  readonly defaults: ReadonlyMap<string, string | undefined>;
  /** Another name of the rowid: `UPDATE … SET rowid = …` changes it without naming it. */
  readonly rowidAlias: string | undefined;
  /** The name by which a rowid that is no column can be read and written, where there is one. */
  readonly hiddenRowid: string | undefined;
  /** Columns that tell a row from all others. */
  readonly identity: readonly string[];
  readonly uniques: readonly Unique[];
  /** Why rows that are replaced in this table cannot be followed. */
  readonly problems: readonly string[];
}

/** What no two rows may share. */
export interface Unique {
  readonly terms: readonly Term[];
  /** Which rows it is about, as SQL; `undefined`: all. */
  readonly where: string | undefined;
  /** Every column that it depends on. */
  readonly columns: readonly string[];
}

/** A column or an expression over the columns of one row. */
export type Term =
  | { readonly column: string; readonly collation: string }
  | { readonly expression: string; readonly collation: string };

interface Column {
  readonly name: string;
  readonly affinity: Affinity;
  readonly isGenerated: boolean;
  readonly isNotNull: boolean;
  readonly pk: number;
  /** As SQL; `null` where there is none. */
  readonly default: unknown;
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

/** The databases beside the main one that hold a table of this name, such as `temp`. */
export function schemasOf(db: FeedDatabase, table: string): string[] {
  return rowsOf(
    db,
    "SELECT schema FROM pragma_table_list WHERE schema <> 'main' AND type = 'table' AND name = ? COLLATE NOCASE",
    table,
  ).map(({ schema }) => String(schema));
}

export function readSchema(db: FeedDatabase, name: string, kind: TableKind): TableSchema {
  const [{ strict = 0, wr: isWithoutRowid = 0 } = {}] = rowsOf(
    db,
    "SELECT strict, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?",
    name,
  );
  const columns = readColumns(db, name, strict !== 0);
  const names = columns.map((column) => column.name);
  const indices = rowsOf(
    db,
    'SELECT name, origin, partial FROM pragma_index_list(?, \'main\') WHERE "unique" = 1',
    name,
  );
  const primary = columns.filter(({ pk }) => pk > 0).map((column) => column.name);
  const [rowidAlias] = indices.some(({ origin }) => origin === 'pk') ? [] : primary;
  const taken = names.map((column) => column.toLowerCase());
  const hiddenRowid =
    isWithoutRowid !== 0 || rowidAlias !== undefined
      ? undefined
      : ['rowid', '_rowid_', 'oid'].find((each) => !taken.includes(each));
  const rowid = rowidAlias ?? hiddenRowid;
  const uniques: Unique[] = [];
  const problems: string[] = [];
  if (rowid !== undefined) {
    uniques.push({ terms: [{ column: rowid, collation: 'BINARY' }], where: undefined, columns: [rowid] });
  }
  for (const index of indices) {
    try {
      uniques.push(readUnique(db, name, names, rowidAlias, String(index.name), index.partial !== 0));
    } catch (error) {
      problems.push(
        `rows that are replaced through the unique index ${JSON.stringify(index.name)} cannot be noticed (${errorText(error)}). Make that index over columns, or do not watch the table.`,
      );
    }
  }
  return {
    name,
    kind,
    columns: names,
    affinities: new Map(columns.map((column) => [column.name, column.affinity])),
    generated: columns.filter(({ isGenerated }) => isGenerated).map((column) => column.name),
    defaults: new Map(
      columns
        .filter(
          ({ name: column, isNotNull, pk }) =>
            // In such tables the key is NOT NULL without being declared so.
            isNotNull || (pk > 0 && column !== rowidAlias && (isWithoutRowid !== 0 || strict !== 0)),
        )
        .filter((column) => column.name !== rowidAlias)
        .filter((column) => typeof column.default === 'string' && !/^null$/i.test(column.default))
        .map((column) => [column.name, literalDefault(column)]),
    ),
    rowidAlias,
    hiddenRowid,
    identity: rowid !== undefined ? [rowid] : isWithoutRowid !== 0 ? primary : [],
    uniques,
    problems,
  };
}

function readColumns(db: FeedDatabase, table: string, isStrict: boolean): Column[] {
  return rowsOf(
    db,
    'SELECT name, type, pk, hidden, "notnull", dflt_value FROM pragma_table_xinfo(?, \'main\') WHERE hidden <> 1',
    table,
  ).map((column) => ({
    name: String(column.name),
    affinity: affinityOf(String(column.type), isStrict),
    isGenerated: column.hidden === 2 || column.hidden === 3,
    isNotNull: column.notnull !== 0,
    pk: Number(column.pk),
    default: column.dflt_value,
  }));
}

function affinityOf(type: string, isStrict: boolean): Affinity {
  if (/int/i.test(type)) return 'INTEGER';
  if (/char|clob|text/i.test(type)) return 'TEXT';
  if (/blob/i.test(type) || type === '' || (isStrict && /^any$/i.test(type))) return 'BLOB';
  return /real|floa|doub/i.test(type) ? 'REAL' : 'NUMERIC';
}

/** The default as a literal, where the column keeps it as that is written. */
function literalDefault({ default: text, affinity }: Column): string | undefined {
  const literal = String(text).trim();
  const isText = /^'(?:[^']|'')*'$/.test(literal) && (affinity === 'TEXT' || affinity === 'BLOB');
  const isInteger = /^[+-]?\d{1,15}$/.test(literal) && affinity !== 'TEXT' && affinity !== 'REAL';
  return isText || isInteger ? literal : undefined;
}

/** @throws whatever is wrong with an index that is understood otherwise here than by SQLite */
function readUnique(
  db: FeedDatabase,
  table: string,
  columns: readonly string[],
  rowidAlias: string | undefined,
  index: string,
  isPartial: boolean,
): Unique {
  const parts = rowsOf(
    db,
    "SELECT cid, name, coll FROM pragma_index_xinfo(?, 'main') WHERE key = 1 ORDER BY seqno",
    index,
  );
  const isPlain = parts.every(({ cid }) => cid !== -2);
  const nameOf = ({ cid, name }: (typeof parts)[number]) =>
    cid === -1 ? (rowidAlias ?? 'rowid') : String(name);
  if (isPlain && !isPartial) {
    const terms = parts.map((part) => ({ column: nameOf(part), collation: String(part.coll) }));
    return { terms, where: undefined, columns: terms.map(({ column }) => column) };
  }
  const [{ sql = '' } = {}] = rowsOf(
    db,
    "SELECT sql FROM main.sqlite_schema WHERE type = 'index' AND name = ?",
    index,
  );
  const text = readIndexText(String(sql));
  if (text.terms.length !== parts.length) throw new Error(`its columns are not understood: ${sql}`);
  const terms = parts.map((part, i): Term => {
    const collation = String(part.coll);
    return part.cid === -2
      ? { expression: text.terms[i] ?? '', collation }
      : { column: nameOf(part), collation };
  });
  const where = isPartial ? text.where : undefined;
  // Asked of SQLite now, since a trigger that names what is not there would fail the author's writes.
  const expressions = terms.flatMap((term) => ('expression' in term ? [`(${term.expression})`] : []));
  const made = columns.map((column) => `NULL AS ${quoteName(column)}`).join(', ');
  for (const from of [`main.${quoteName(table)}`, `(SELECT ${made})`]) {
    db.prepare(
      `SELECT ${['1', ...expressions].join(', ')} FROM ${from} AS ${quoteName(table)} WHERE (${where ?? '1'})`,
    );
  }
  return { terms, where, columns: columns.filter((column) => mentions(String(sql), column)) };
}

/** Whether a text may name a column: it says so rather too often. */
function mentions(sql: string, column: string): boolean {
  return /["`\]]/.test(column) || sql.toLowerCase().includes(column.toLowerCase());
}
