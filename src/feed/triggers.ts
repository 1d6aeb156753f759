/**
 * The triggers of the rules, as SQL. Pure: a schema and rules in, statements out.
 *
 * They write one row a rule for the old values, and one for the new ones where those differ in what is kept. Equality
 * is that of the stored values, whatever a column's collation says. Only built-in SQL is used, so that any program
 * that writes to the database runs them.
 *
 * `INSERT OR REPLACE` and its like remove rows without running delete triggers (unless `recursive_triggers` is on): so
 * a trigger before the statement looks up the rows that are about to be replaced (`replacements.ts`).
 */
import type { CompiledRule } from './compile-rules.ts';
import { quoteName } from './database.ts';
import { anyChanged, countedColumns, insertRow, replacementBodies } from './replacements.ts';

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
    ...replacementTriggers(rule, trigger),
  ];
  return made.filter((each) => each !== undefined);
}

type MakeTrigger = (
  suffix: string,
  event: string,
  when: string | undefined,
  statements: readonly string[],
) => Trigger;

/** As SQLite keeps the text of what was made with `CREATE TRIGGER main.…`. Names within are those of its database. */
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
  // A statement whose SET names none of them skips the trigger altogether. Not where they may change unnamed.
  const isNamed =
    watched !== undefined &&
    watched.length > 0 &&
    !watched.some((column) => column === table.rowidAlias || table.generated.includes(column));
  const event = isNamed ? `AFTER UPDATE OF ${watched.map(quoteName).join(', ')}` : 'AFTER UPDATE';
  const statements = [insertRow(rule, 'OLD')];
  if (kept.length > 0) statements.push(insertRow(rule, 'NEW', `WHERE ${anyChanged(table, kept)}`));
  return trigger('update', event, anyChanged(table, countedColumns(rule)), statements);
}

function replacementTriggers(rule: CompiledRule, trigger: MakeTrigger): (Trigger | undefined)[] {
  const { byInsert, byUpdate } = replacementBodies(rule);
  return [
    byInsert.length === 0 ? undefined : trigger('replace', 'BEFORE INSERT', undefined, byInsert),
    byUpdate.statements.length === 0
      ? undefined
      : trigger('replace_by_update', 'BEFORE UPDATE', byUpdate.when, byUpdate.statements),
  ];
}
