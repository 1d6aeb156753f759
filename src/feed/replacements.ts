/**
 * The rows that a statement is about to replace, as SQL for triggers before it. Pure.
 *
 * What is looked up is what shares a uniqueness with the new row, whether or not the statement replaces: triggers do
 * not learn that. Two things are not known before the statement: which default takes the place of NULL, where that has
 * to be computed, and what a condition makes of a value of another type than its column's, since values of a new row
 * have no affinity. There, all that the rule may cover is written down.
 */
import type { CompiledRule } from './compile-rules.ts';
import { quoteName, quoteText } from './database.ts';
import type { TableSchema, Term, Unique } from './schema.ts';
import { compileTargets, SLOTS } from './targets.ts';

/** The columns whose change is told; a rowid that is no column counts where all of them do. */
export function countedColumns({ table, watched }: CompiledRule): readonly string[] {
  if (watched !== undefined) return watched;
  return table.hiddenRowid === undefined ? table.columns : [...table.columns, table.hiddenRowid];
}

export function anyChanged(table: TableSchema, columns: readonly string[]): string {
  if (columns.length === 0) return '0';
  return columns.map((column) => changed(table, column)).join(' OR ');
}

/**
 * Whether a column has another value, or one of another type: a column without affinity may hold 1 and 1.0. There, too,
 * 0.0 and -0.0 cannot be told apart by SQL, so that writing one of them counts.
 */
function changed(table: TableSchema, column: string): string {
  const [old, fresh] = [`OLD.${quoteName(column)}`, `NEW.${quoteName(column)}`];
  const byValue = `${old} IS NOT ${fresh} COLLATE BINARY`;
  if (table.affinities.get(column) !== 'BLOB') return byValue;
  return `${byValue} OR typeof(${old}) <> typeof(${fresh}) OR (${old} = 0 AND typeof(${old}) = 'real')`;
}

/** Writes a change with the values of `row`; with a `tail`, for as many rows as that gives. */
export function insertRow(
  { kept, targets }: CompiledRule,
  row: string,
  tail?: string,
  read = (column: string): string => `${row}.${quoteName(column)}`,
): string {
  const slots = SLOTS.slice(0, kept.length);
  const values = [quoteText(targets), ...kept.map(read)].join(', ');
  const into = `INSERT INTO cache_changes (${['targets', ...slots].join(', ')})`;
  return tail === undefined ? `${into} VALUES (${values})` : `${into} SELECT ${values} ${tail}`;
}

/** Writes down all that the rule may cover. */
function insertWidest({ targets }: CompiledRule, condition: string): string {
  const widest = JSON.stringify(compileTargets(targets).widened ?? ['*']);
  return `INSERT INTO cache_changes (targets) SELECT ${quoteText(widest)} WHERE ${condition}`;
}

export interface ReplacementBodies {
  readonly byInsert: readonly string[];
  readonly byUpdate: { readonly when: string; readonly statements: readonly string[] };
}

/** The statements before an insert, and before an update; none where nothing needs to be told. */
export function replacementBodies(rule: CompiledRule): ReplacementBodies {
  const { table, on } = rule;
  const isTold = on.includes('update') || on.includes('delete');
  const counted = countedColumns(rule);
  const byInsert = isTold
    ? table.uniques.filter((unique) => !(on.includes('insert') && isCoveredBySuccessor(rule, unique)))
    : [];
  const byUpdate = isTold
    ? table.uniques.filter(
        (unique) =>
          // The update is told only where it changes what is watched.
          !(
            on.includes('update') &&
            unique.columns.every((column) => counted.includes(column)) &&
            isCoveredBySuccessor(rule, unique)
          ),
      )
    : [];
  return {
    byInsert: byInsert.flatMap((unique) => lookUp(rule, unique, [])),
    byUpdate: {
      when: anyChanged(table, [...new Set(byUpdate.flatMap(({ columns }) => columns))]),
      statements: byUpdate.flatMap((unique) =>
        lookUp(rule, unique, [`(${anyChanged(table, unique.columns)})`, ...isAnother(table)]),
      ),
    },
  };
}

/**
 * Whether all that a row covers which is replaced through this uniqueness is what its successor covers. Without an
 * affinity equal numbers may read differently.
 */
function isCoveredBySuccessor({ table, kept }: CompiledRule, { terms }: Unique): boolean {
  const same = terms.flatMap((term) =>
    'column' in term && term.collation === 'BINARY' && table.affinities.get(term.column) !== 'BLOB'
      ? [term.column]
      : [],
  );
  return kept.every((column) => same.includes(column));
}

/** Not the row that is updated. */
function isAnother({ name, identity }: TableSchema): string[] {
  const same = identity.map(
    (column) => `${quoteName(name)}.${quoteName(column)} IS OLD.${quoteName(column)}`,
  );
  return same.length === 0 ? [] : [`NOT (${same.join(' AND ')})`];
}

function lookUp(rule: CompiledRule, unique: Unique, conditions: readonly string[]): string[] {
  const { table, on, kept } = rule;
  const row = quoteName(table.name);
  const matches = [
    ...unique.terms.map((term) => sameAsNew(table, unique, term)),
    ...(unique.where === undefined ? [] : [`(${unique.where})`]),
    ...conditions,
  ];
  const tail = `FROM ${row} WHERE ${matches.join(' AND ')}`;
  const statements = [insertRow(rule, row, tail)];
  const isNewUntold = !on.includes('insert') && kept.length > 0;
  // Else the insert itself tells of the new values.
  if (isNewUntold) statements.push(insertRow(rule, 'NEW', tail, (column) => valueOfNew(table, column)));
  const unknown = whatIsUnknown(table, unique, isNewUntold ? kept : []);
  if (unknown.length > 0) {
    const [change = '1'] = conditions;
    statements.push(insertWidest(rule, `(${unknown.join(' OR ')}) AND ${change}`));
  }
  return statements;
}

/** The value with the default that takes the place of NULL. */
function valueOfNew({ defaults }: TableSchema, column: string): string {
  const literal = defaults.get(column);
  const value = `NEW.${quoteName(column)}`;
  return literal === undefined ? value : `coalesce(${value}, ${literal})`;
}

function sameAsNew(table: TableSchema, unique: Unique, term: Term): string {
  const row = quoteName(table.name);
  const collate = `COLLATE ${quoteName(term.collation)}`;
  if ('column' in term) {
    return `${row}.${quoteName(term.column)} = ${valueOfNew(table, term.column)} ${collate}`;
  }
  // The expression names columns as if they were those of the table: so they are made into a row of that name.
  const columns = unique.columns.map(
    (column) => `${castNew(table, column, valueOfNew(table, column))} AS ${quoteName(column)}`,
  );
  return `(${term.expression}) = (SELECT (${term.expression}) FROM (SELECT ${['1', ...columns].join(', ')}) AS ${row}) ${collate}`;
}

/** Gives a value the affinity of its column. INTEGER is NUMERIC here, since a cast would cut fractions off. */
function castNew({ affinities }: TableSchema, column: string, value: string): string {
  const affinity = affinities.get(column) ?? 'INTEGER';
  return affinity === 'BLOB' ? value : `CAST(${value} AS ${affinity === 'INTEGER' ? 'NUMERIC' : affinity})`;
}

/** When it is not known before the statement which rows it replaces, and by what. */
function whatIsUnknown(table: TableSchema, unique: Unique, told: readonly string[]): string[] {
  const { defaults, generated } = table;
  const columns = [...new Set([...unique.columns, ...told])];
  // What is computed from a default is not computed yet.
  const isComputed = columns.some((column) => generated.includes(column));
  const absent = [...defaults]
    .filter(([column, literal]) => isComputed || (literal === undefined && columns.includes(column)))
    .map(([column]) => `NEW.${quoteName(column)} IS NULL`);
  const hasExpression = unique.terms.some((term) => 'expression' in term);
  const unlike = hasExpression
    ? unique.columns
        .filter((column) => table.affinities.get(column) !== 'BLOB')
        .map((column) => {
          const value = `NEW.${quoteName(column)}`;
          return `typeof(${value}) <> typeof(${castNew(table, column, value)})`;
        })
    : [];
  return [...absent, ...unlike];
}
