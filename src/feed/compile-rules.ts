/**
 * Rules against the schema they are for: every name is looked up, every template tried, and all problems are told at
 * once, before a trigger is made. What comes out says for each rule which columns a change must keep, and how its
 * targets read in the table of changes (`targets.ts` reads them there).
 */
import { errorText } from '../cache/error-text.ts';
import { CacheError } from '../cache/errors.ts';
import { nearestName } from '../nearest-name.ts';
import type { FeedDatabase } from './database.ts';
import type { ChangeKind, DerivedRule, RuleTarget, TableRule, TableRules, TemplateRule } from './rules.ts';
import { readSchema, readTables, schemasOf, type TableKind, type TableSchema } from './schema.ts';
import { compileTargets, SLOTS, writeDerived, writeTargets } from './targets.ts';

export interface CompiledRule {
  /** Unique among the rules, and stable as long as the rules are. */
  readonly name: string;
  readonly table: TableSchema;
  readonly on: readonly ChangeKind[];
  /** The columns whose values a change keeps, each in the slot of its position. */
  readonly kept: readonly string[];
  /** An update counts when one of these changes; `undefined`: any. */
  readonly watched: readonly string[] | undefined;
  /** Its targets as they are written beside those values. */
  readonly targets: string;
  readonly derive: DerivedRule['derive'] | undefined;
}

const KINDS: readonly ChangeKind[] = ['insert', 'update', 'delete'];
const PROPERTIES = ['targets', 'from', 'derive', 'columns', 'on'];

/** Tables of ours: a feed that watched them would feed itself. */
export const OWN_TABLES = ['cache_changes', 'cache_readers', 'cache_feed'];

/** @throws CacheError `ERR_ARGUMENT_INVALID` with every problem */
export function compileRules(db: FeedDatabase, rules: TableRules): CompiledRule[] {
  const known = readTables(db);
  const compiler = new Compiler();
  const compiled = Object.entries(rules).flatMap(([name, given]) => {
    const table = findTable(db, known, name, compiler);
    return table === undefined ? [] : compiler.table(table, given);
  });
  if (compiler.problems.length > 0) {
    throw new CacheError(
      'ERR_ARGUMENT_INVALID',
      `The tables cannot be watched:\n- ${compiler.problems.join('\n- ')}`,
    );
  }
  return compiled;
}

function findTable(
  db: FeedDatabase,
  known: ReadonlyMap<string, TableKind>,
  asked: string,
  { problems }: Compiler,
): TableSchema | undefined {
  const name = sameName(asked, [...known.keys()]);
  if (name === undefined || OWN_TABLES.includes(name)) {
    const [elsewhere] = schemasOf(db, asked.slice(asked.indexOf('.') + 1));
    if (elsewhere !== undefined) {
      problems.push(
        `There is no table ${JSON.stringify(asked)} in the main database, and those of others cannot be watched: ${elsewhere === 'temp' ? 'it is a temporary one' : `open the file of ${JSON.stringify(elsewhere)} with a connection of its own`}.`,
      );
      return undefined;
    }
    const tables = [...known].filter(([each, kind]) => kind === 'table' && !OWN_TABLES.includes(each));
    problems.push(
      `There is no table ${JSON.stringify(asked)}${didYouMean(
        asked,
        tables.map(([each]) => each),
      )}`,
    );
    return undefined;
  }
  const kind = known.get(name) ?? 'table';
  if (kind !== 'table') {
    problems.push(
      kind === 'view'
        ? `${JSON.stringify(name)} is a view, which nothing writes to: watch the tables that it shows.`
        : `${JSON.stringify(name)} is a virtual table (or a part of one), and SQLite makes no triggers for those: watch the table that it is filled from.`,
    );
    return undefined;
  }
  const table = readSchema(db, name, kind);
  problems.push(...table.problems.map((problem) => `${JSON.stringify(name)}: ${problem}`));
  return table;
}

class Compiler {
  readonly problems: string[] = [];

  table(table: TableSchema, given: TableRule | readonly TableRule[]): CompiledRule[] {
    const list = (Array.isArray(given) ? given : [given]) as readonly TableRule[];
    // Those without conditions are written as one change.
    const bare = list.filter(isTarget);
    const rules: unknown[] = [
      ...(bare.length > 0 ? [{ targets: bare }] : []),
      ...list.filter((rule) => !isTarget(rule)),
    ];
    if (rules.length === 0) this.problems.push(`${table.name}: there is no rule.`);
    return rules.flatMap((rule, i) => {
      const before = this.problems.length;
      const compiled = this.#rule(table, rule, `${table.name}#${i}`);
      return compiled !== undefined && this.problems.length === before ? [compiled] : [];
    });
  }

  #rule(table: TableSchema, rule: unknown, name: string): CompiledRule | undefined {
    if (typeof rule !== 'object' || rule === null) {
      return this.#problem(
        table,
        `a rule is a key, a pattern, { tag }, { targets } or { from, derive }, not ${String(rule)}.`,
      );
    }
    for (const property of Object.keys(rule)) {
      if (PROPERTIES.includes(property)) continue;
      this.#problem(table, `a rule has no ${JSON.stringify(property)}${didYouMean(property, PROPERTIES)}`);
    }
    const { targets, from, derive, columns, on = KINDS } = rule as Partial<TemplateRule & DerivedRule>;
    for (const kind of on) {
      if (!KINDS.includes(kind))
        this.#problem(table, `"on" has no ${JSON.stringify(kind)}${didYouMean(kind, KINDS)}`);
    }
    const watched = columns
      ?.map((column) => this.#column(table, column))
      .filter((column) => column !== undefined);
    const made =
      derive === undefined
        ? this.#templates(table, targets)
        : this.#derived(table, name, { from, derive, hasTargets: targets !== undefined });
    if (made === undefined) return undefined;
    if (made.kept.length > SLOTS.length) {
      return this.#problem(
        table,
        `one rule can name ${SLOTS.length} columns, not ${made.kept.length}: make two of it.`,
      );
    }
    return {
      name,
      table,
      on,
      ...made,
      watched: watched && [...new Set([...watched, ...made.kept])],
    };
  }

  #derived(
    table: TableSchema,
    name: string,
    {
      from,
      derive,
      hasTargets,
    }: { from?: readonly string[] | undefined; derive: unknown; hasTargets: boolean },
  ) {
    if (typeof derive !== 'function') return this.#problem(table, '"derive" is a function of a row.');
    if (hasTargets) return this.#problem(table, 'a rule has "targets" or "derive", not both.');
    if (!Array.isArray(from) || from.length === 0) {
      return this.#problem(table, '"derive" needs "from": the columns that it gets.');
    }
    const kept = from.map((column) => this.#column(table, column)).filter((column) => column !== undefined);
    return { kept, targets: writeDerived(name, kept), derive: derive as DerivedRule['derive'] };
  }

  #templates(table: TableSchema, given: RuleTarget | readonly RuleTarget[] | undefined) {
    const list = (Array.isArray(given) ? given : [given]) as readonly unknown[];
    if (list.length === 0 || !list.every(isTarget)) {
      return this.#problem(table, '"targets" are keys, patterns such as "user::{id}::*", or { tag: "…" }.');
    }
    const kept: string[] = [];
    const slotOf = (asked: string): string => {
      const column = this.#column(table, asked) ?? asked;
      if (!kept.includes(column)) kept.push(column);
      // Beyond the last slot the rule is refused anyway.
      return SLOTS[kept.indexOf(column)] ?? SLOTS[0];
    };
    const before = this.problems.length;
    const targets = writeTargets(list, slotOf);
    if (this.problems.length > before) return undefined;
    try {
      compileTargets(targets);
    } catch (error) {
      return this.#problem(table, errorText(error));
    }
    return { kept, targets, derive: undefined };
  }

  /** The column as the table spells it. */
  #column(table: TableSchema, asked: unknown): string | undefined {
    if (typeof asked !== 'string')
      return this.#problem(table, `a column is named by text, not ${String(asked)}.`);
    const name = sameName(asked, table.columns);
    if (name !== undefined) return name;
    return this.#problem(
      table,
      `there is no column ${JSON.stringify(asked)}${didYouMean(asked, table.columns)}`,
    );
  }

  #problem(table: TableSchema, text: string): undefined {
    this.problems.push(`${table.name}: ${text}`);
    return undefined;
  }
}

function isTarget(rule: unknown): rule is RuleTarget {
  if (typeof rule === 'string') return true;
  return typeof rule === 'object' && rule !== null && 'tag' in rule && typeof rule.tag === 'string';
}

/** SQLite takes names of any case for the same. */
function sameName(asked: string, known: readonly string[]): string | undefined {
  return known.includes(asked) ? asked : known.find((name) => name.toLowerCase() === asked.toLowerCase());
}

function didYouMean(asked: string, known: readonly string[]): string {
  const nearest = nearestName(asked, known);
  if (nearest !== undefined) return `: did you mean ${JSON.stringify(nearest)}?`;
  return known.length === 0
    ? '.'
    : `: there ${known.length === 1 ? 'is' : 'are'} ${known.slice(0, 30).join(', ')}.`;
}
