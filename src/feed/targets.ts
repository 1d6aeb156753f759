/**
 * How the targets of a rule stand in a row of `cache_changes`, and how they are read from there.
 *
 * A row is complete in itself, so that any version of the rules can apply it: the templates as JSON, with the names of
 * the slots (`a` to `h`) in which the row holds the values, as SQLite had them: `["user::{a}::*",{"tag":"vip:{b}"}]`.
 * Values become segments here, by the code that makes keys, and not in SQL. A derived rule is named, with its columns.
 */
import { compileTargetTemplate, compileTemplate } from '../cache/keys/key-template.ts';
import type { InvalidationTarget } from '../cache/keys/target.ts';
import type { SqliteValue } from './database.ts';
import type { RuleTarget } from './rules.ts';

/** The columns of `cache_changes` that hold values. */
export const SLOTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
export type Slot = (typeof SLOTS)[number];

/** What a change's values cover. Values are as better-sqlite3 gives them with `safeIntegers`. */
export interface ChangeTargets {
  of(values: readonly SqliteValue[]): readonly InvalidationTarget[];
  /** What covers every row of the rule, whatever its values; `undefined` when only everything would. */
  readonly widened: readonly InvalidationTarget[] | undefined;
}

/** Finds what a derived rule does by its text; `undefined` for rules of other releases. */
export type FindDerived = (
  text: string,
) =>
  | ((row: Readonly<Record<string, SqliteValue>>) => InvalidationTarget | readonly InvalidationTarget[])
  | undefined;

const PLACEHOLDER = /\{([^{}]*)\}/g;

/** @param slotOf finds the slot of a column */
export function writeTargets(targets: readonly RuleTarget[], slotOf: (column: string) => string): string {
  const inSlots = (template: string) =>
    template.replace(PLACEHOLDER, (_, text: string) => {
      const [, column = text, kind] = /^(.*):(text|bigint)$/s.exec(text) ?? [];
      return `{${slotOf(column)}${kind === undefined ? '' : `:${kind}`}}`;
    });
  return JSON.stringify(
    targets.map((target) => (typeof target === 'string' ? inSlots(target) : { tag: inSlots(target.tag) })),
  );
}

export function writeDerived(name: string, columns: readonly string[]): string {
  return JSON.stringify({ derive: name, columns });
}

/** What `writeTargets` wrote, with a star in each place of a value. */
export function widenTargets(text: string): RuleTarget[] {
  const wide = (template: string) => template.replace(PLACEHOLDER, '*');
  const written = JSON.parse(text) as readonly RuleTarget[];
  return written.map((target) => (typeof target === 'string' ? wide(target) : { tag: wide(target.tag) }));
}

/**
 * Compiles what `writeTargets` or `writeDerived` wrote.
 * @throws CacheError for templates that can give no target, SyntaxError or TypeError for what neither wrote
 */
export function compileTargets(text: string, findDerived: FindDerived = () => undefined): ChangeTargets {
  const written: unknown = JSON.parse(text);
  if (Array.isArray(written)) return compileTemplates(written);
  const { derive: name, columns } = written as { derive?: unknown; columns?: unknown };
  if (typeof name !== 'string' || !Array.isArray(columns)) throw new TypeError(`${text} names no targets.`);
  const derive = findDerived(text);
  // Another release's rule: what is cached here has rules of its own, whose triggers tell the same change.
  if (derive === undefined) return { of: () => [], widened: undefined };
  return {
    of(values) {
      const row = Object.fromEntries(
        columns.map((column, i) => [String(column), plainNumber(values[i] ?? null)]),
      );
      const made = derive(row);
      return (Array.isArray(made) ? made : [made]) as readonly InvalidationTarget[];
    },
    widened: undefined,
  };
}

function compileTemplates(written: readonly unknown[]): ChangeTargets {
  const targets = written.map((target) =>
    typeof target === 'string'
      ? {
          render: compileSlots(target, compileTargetTemplate),
          wide: target.replace(PLACEHOLDER, '*'),
          isTag: false,
        }
      : compileTag((target as { tag: string }).tag),
  );
  return {
    of: (values) => targets.map(({ render, isTag }) => (isTag ? { tag: render(values) } : render(values))),
    widened: targets.every(({ wide }) => wide !== undefined)
      ? targets.map(({ wide = '*', isTag }) => (isTag ? { tag: wide } : wide))
      : undefined,
  };
}

function compileTag(template: string) {
  const isFixed = !template.includes('{');
  return {
    render: compileSlots(template, compileTemplate),
    wide: isFixed ? template : undefined,
    isTag: true,
  };
}

/** A template over slots, by the compiler of all templates: that one counts arguments, and knows no kinds. */
function compileSlots(
  template: string,
  compile: typeof compileTemplate,
): (values: readonly SqliteValue[]) => string {
  const getters: ((values: readonly SqliteValue[]) => unknown)[] = [];
  const counted = template.replace(PLACEHOLDER, (_, text: string) => {
    const [slot = '', kind = ''] = text.split(':');
    const position = SLOTS.indexOf(slot as Slot);
    if (position === -1) throw new TypeError(`${template} names ${text}, which is no slot.`);
    getters.push((values) => asKind(values[position] ?? null, kind));
    return `{${getters.length - 1}}`;
  });
  const scope = { functionName: 'the table', length: 0, parameters: getters.length };
  const render = compile(counted, scope);
  return (values) => render(getters.map((get) => get(values)));
}

function asKind(value: SqliteValue, kind: string): unknown {
  if (kind === 'bigint') return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (kind === 'text' && (typeof value === 'bigint' || typeof value === 'number')) return String(value);
  return plainNumber(value);
}

/** An INTEGER as better-sqlite3 gives it unless asked otherwise: a number, rounded where it is beyond 2^53. */
function plainNumber(value: SqliteValue): SqliteValue {
  return typeof value === 'bigint' ? Number(value) : value;
}
