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
  const { table, on } = rule;
  const trigger = triggerMaker(rule, set);
  const uniques = table.uniques.filter((unique) => isReplacementUnseen(rule, unique));
  const made: (Trigger | undefined)[] = [
    on.includes('insert')
      ? trigger('insert', 'AFTER INSERT', undefined, [insertRow(rule, 'NEW')])
      : undefined,
    on.includes('delete')
      ? trigger('delete', 'AFTER DELETE', undefined, [insertRow(rule, 'OLD')])
      : undefined,
    on.includes('update') ? updateTrigger(rule, trigger) : undefined,
    ...(uniques.length > 0 ? replacementTriggers(rule, uniques, trigger) : []),
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

/** Whether a row that is replaced through this uniqueness may be covered by something else than its successor is. */
function isReplacementUnseen({ on, kept }: CompiledRule, { columns }: Unique): boolean {
  if (!on.includes('update') && !on.includes('delete')) return false;
  const same = columns.filter(({ collation }) => collation === 'BINARY').map(({ name }) => name);
  return !on.includes('insert') || !kept.every((column) => same.includes(column));
}

function replacementTriggers(
  rule: CompiledRule,
  uniques: readonly Unique[],
  trigger: MakeTrigger,
): Trigger[] {
  const { table, on, kept } = rule;
  const body = (others: (unique: Unique) => string) =>
    uniques.flatMap((unique) => {
      const tail = `FROM ${quoteName(table.name)} AS replaced WHERE ${sameAsNew(unique)}${others(unique)}`;
      const rows = [insertRow(rule, 'replaced', tail)];
      // Else the insert itself tells of the new values.
      if (!on.includes('insert') && kept.length > 0) rows.push(insertRow(rule, 'NEW', tail));
      return rows;
    });
  const keys = uniques.flatMap((unique) => unique.columns.map(({ name }) => name));
  const changed = anyChanged([...new Set(keys)]);
  return [
    trigger(
      'replace',
      'BEFORE INSERT',
      undefined,
      body(() => ''),
    ),
    trigger(
      'replace_by_update',
      'BEFORE UPDATE',
      changed,
      body((unique) => ` AND (${anyChanged(namesOf(unique))})`),
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
