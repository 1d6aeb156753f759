/**
 * The triggers of the rules, as SQL. Pure: a schema and rules in, statements out.
 *
 * They write one row a rule for the old values, and one for the new ones where those differ in what is kept. Equality
 * is that of the stored values, whatever a column's collation says. Only built-in SQL is used, so that any program
 * that writes to the database runs them.
 *
 * `INSERT OR REPLACE` and its like remove rows without running delete triggers (unless `recursive_triggers` is on): so
 * a trigger before the statement looks up the rows that are about to be replaced.
 */
import type { CompiledRule } from './compile-rules.ts';
import { quoteName, quoteText } from './database.ts';
import type { TableSchema, Unique } from './schema.ts';
import { SLOTS } from './targets.ts';

export const TRIGGER_PREFIX = 'cachecord_';

export interface Trigger {
  readonly name: string;
  readonly sql: string;
}

/** @param set names the rules that they belong to, in their own names */
export function triggersOf(rule: CompiledRule, set: string): Trigger[] {
  const { on } = rule;
  const trigger = triggerMaker(rule, set);
  const made: (Trigger | undefined)[] = [
    on.includes('insert')
      ? trigger('insert', 'AFTER INSERT', undefined, [insertRow(rule, 'NEW')])
      : undefined,
    on.includes('delete')
      ? trigger('delete', 'AFTER DELETE', undefined, [insertRow(rule, 'OLD')])
      : undefined,
    on.includes('update') ? updateTrigger(rule, trigger) : undefined,
    ...(on.includes('update') || on.includes('delete') ? replacementTriggers(rule, trigger) : []),
  ];
  return made.filter((each) => each !== undefined);
}

type MakeTrigger = (
  suffix: string,
  event: string,
  when: string | undefined,
  statements: readonly string[],
) => Trigger;

function triggerMaker({ name, table }: CompiledRule, set: string): MakeTrigger {
  return (suffix, event, when, statements) => {
    const full = `${TRIGGER_PREFIX}${set}_${name}_${suffix}`;
    return {
      name: full,
      sql: `CREATE TRIGGER ${quoteName(full)} ${event} ON ${quoteName(table.name)}${when === undefined ? '' : ` WHEN ${when}`} BEGIN ${statements.join('; ')}; END`,
    };
  };
}

function updateTrigger(rule: CompiledRule, trigger: MakeTrigger): Trigger {
  const { table, kept, watched } = rule;
  const counted = watched ?? table.columns;
  // A statement whose SET names none of them skips the trigger altogether. Not where they may change unnamed.
  const isNamed =
    watched !== undefined &&
    !watched.some((column) => column === table.rowidAlias || table.generated.includes(column));
  const event =
    isNamed && counted.length > 0 ? `AFTER UPDATE OF ${counted.map(quoteName).join(', ')}` : 'AFTER UPDATE';
  const statements = [insertRow(rule, 'OLD')];
  if (kept.length > 0) statements.push(insertRow(rule, 'NEW', `WHERE ${anyChanged(kept)}`));
  return trigger('update', event, anyChanged(counted), statements);
}

function anyChanged(columns: readonly string[]): string {
  if (columns.length === 0) return '0';
  return columns
    .map((column) => `OLD.${quoteName(column)} IS NOT NEW.${quoteName(column)} COLLATE BINARY`)
    .join(' OR ');
}

/** Writes a change with the values of `row`; with a `tail`, for as many rows as that gives. */
function insertRow({ kept, targets }: CompiledRule, row: string, tail?: string): string {
  const slots = SLOTS.slice(0, kept.length);
  const values = [quoteText(targets), ...kept.map((column) => `${row}.${quoteName(column)}`)].join(', ');
  const into = `INSERT INTO cache_changes (${['targets', ...slots].join(', ')})`;
  return tail === undefined ? `${into} VALUES (${values})` : `${into} SELECT ${values} ${tail}`;
}

/** Whether all that a row covers which is replaced through this uniqueness is what its successor covers. */
function isCoveredBySuccessor({ kept }: CompiledRule, { columns }: Unique): boolean {
  const same = columns.filter(({ collation }) => collation === 'BINARY').map(({ name }) => name);
  return kept.every((column) => same.includes(column));
}

function replacementTriggers(rule: CompiledRule, trigger: MakeTrigger): (Trigger | undefined)[] {
  const { table, on, kept, watched } = rule;
  const counted = watched ?? table.columns;
  const body = (uniques: readonly Unique[], others: (unique: Unique) => string) =>
    uniques.flatMap((unique) => {
      const tail = `FROM ${quoteName(table.name)} AS replaced WHERE ${sameAsNew(unique)}${others(unique)}`;
      const rows = [insertRow(rule, 'replaced', tail)];
      // Else the insert itself tells of the new values.
      if (!on.includes('insert') && kept.length > 0) rows.push(insertRow(rule, 'NEW', tail));
      return rows;
    });
  const byInsert = table.uniques.filter(
    (unique) => !(on.includes('insert') && isCoveredBySuccessor(rule, unique)),
  );
  // The update is told only where it changes what is watched.
  const isTold = (unique: Unique) => namesOf(unique).every((name) => counted.includes(name));
  const byUpdate = table.uniques.filter(
    (unique) => !(on.includes('update') && isTold(unique) && isCoveredBySuccessor(rule, unique)),
  );
  const changed = anyChanged([...new Set(byUpdate.flatMap(namesOf))]);
  return [
    byInsert.length === 0
      ? undefined
      : trigger(
          'replace',
          'BEFORE INSERT',
          undefined,
          body(byInsert, () => ''),
        ),
    byUpdate.length === 0
      ? undefined
      : trigger(
          'replace_by_update',
          'BEFORE UPDATE',
          changed,
          body(byUpdate, (unique) => ` AND (${anyChanged(namesOf(unique))})`),
        ),
  ];
}

function sameAsNew({ columns }: Unique): string {
  return columns
    .map(
      ({ name, collation }) =>
        `replaced.${quoteName(name)} = NEW.${quoteName(name)} COLLATE ${quoteName(collation)}`,
    )
    .join(' AND ');
}

function namesOf({ columns }: Unique): string[] {
  return columns.map(({ name }) => name);
}

/** Replacements that cannot be followed, for people to be told. */
export function unfollowedReplacements(tables: Iterable<TableSchema>): string[] {
  return [...tables].flatMap(({ name, unfollowed }) => unfollowed.map((index) => `${name} (${index})`));
}
