/**
 * Random tables and random statements, made by this connection and by another: no cached read differs from the
 * database. Reads show the type of each value, too, and the rowid of tables that hide it.
 */
import type Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import type { ChangeKind, TableRule, TableRules } from '../../src/feed/rules.ts';
import { makeFolder, openFile, watch } from './support.ts';

const maybe = (...texts: string[]): fc.Arbitrary<string> => fc.constantFrom('', '', '', ...texts);

const value = fc.constantFrom(
  'NULL', 'NULL', '0', '1', '2', '1.0', '0.0', '-0.0', "'1'", "'2'", "'a'", "'A'", "'a '", "x'61'", '-1', '1.5',
); // biome-ignore format: a list

interface Table {
  readonly sql: string;
  readonly names: readonly string[];
  readonly hasHiddenRowid: boolean;
}

const type = fc.constantFrom('', 'INTEGER', 'TEXT', 'REAL', 'NUMERIC', 'BLOB');
const strictType = fc.constantFrom('ANY', 'INTEGER', 'TEXT', 'REAL', 'BLOB');
const settings = (isStrict: boolean) =>
  fc.record({
    type: isStrict ? strictType : type,
    notNull: maybe('NOT NULL', 'NOT NULL', 'NOT NULL ON CONFLICT REPLACE'),
    default: maybe('DEFAULT 1', "DEFAULT 'a'", 'DEFAULT 1.0', 'DEFAULT (1 + 1)', "DEFAULT '1'", 'DEFAULT -1'),
    collate: maybe('COLLATE NOCASE', 'COLLATE RTRIM'),
    unique: maybe('UNIQUE', 'UNIQUE ON CONFLICT REPLACE', 'UNIQUE ON CONFLICT IGNORE'),
    references: maybe(
      'REFERENCES things (id) ON DELETE CASCADE ON UPDATE CASCADE',
      'REFERENCES things (id) ON DELETE SET NULL ON UPDATE SET DEFAULT',
    ),
  });

const index = fc.record({
  terms: fc.uniqueArray(
    fc.constantFrom(
      'a', 'b', 'c', 'd', 'b COLLATE NOCASE', 'lower(b)', 'a || b', 'coalesce(a, c)', 'CASE WHEN a = 1 THEN b END',
      "a = b",  'c + 1', "c > '1'", 'lower(b) COLLATE RTRIM DESC', "abs(/* ) */ a)", 'typeof(d)',
    ), // biome-ignore format: a list
    { minLength: 1, maxLength: 2 },
  ),
  where: maybe('WHERE c IS NOT NULL', "WHERE a = '1'", 'WHERE b > 1 AND c < 2', "where (c = 'a') -- or so"),
});

const table: fc.Arbitrary<Table> = fc.boolean().chain((isStrict) =>
  fc
    .record({
      key: fc.constantFrom(
        'alias',
        'alias',
        'typed',
        'none',
        'composite',
        'without rowid',
        'composite without rowid',
      ),
      id: isStrict ? strictType : type,
      columns: fc.tuple(settings(isStrict), settings(isStrict), settings(isStrict)),
      rowidTaken: fc.boolean(),
      d: fc.record({
        type: isStrict ? strictType : type,
        text: fc.constantFrom('a', 'a + 1', 'a || b', 'coalesce(c, 1)'),
        kind: fc.constantFrom('VIRTUAL', 'STORED'),
      }),
      indices: fc.array(index, { maxLength: 2 }),
    })
    .map(({ key, id, columns, rowidTaken, d, indices }) => {
      const isWithoutRowid = key.endsWith('without rowid');
      const idColumn =
        key === 'alias'
          ? 'id INTEGER PRIMARY KEY'
          : `id ${id} ${key === 'typed' || key === 'without rowid' ? 'PRIMARY KEY' : key === 'none' ? 'UNIQUE' : ''}`;
      const own = ['a', 'b', 'c'].map((name, i) => `${name} ${Object.values(columns[i] ?? {}).join(' ')}`);
      const parts = [
        idColumn,
        ...own,
        `d ${d.type} AS (${d.text}) ${d.kind}`,
        ...(rowidTaken ? [`rowid ${isStrict ? 'ANY' : ''}`] : []),
        ...(key.startsWith('composite') ? ['PRIMARY KEY (id, a)'] : []),
      ];
      const kinds = [...(isStrict ? ['STRICT'] : []), ...(isWithoutRowid ? ['WITHOUT ROWID'] : [])];
      return {
        sql: [
          `CREATE TABLE things (${parts.join(', ')}) ${kinds.join(', ')}`,
          ...indices.map(
            ({ terms, where }, i) =>
              `CREATE UNIQUE INDEX unique_${i} ON things (${terms.join(', ')}) ${where}`,
          ),
        ].join(';\n'),
        names: [
          'id', 'a', 'b', 'c',
          ...(rowidTaken ? ['rowid'] : []),
          ...(isWithoutRowid ? [] : ['_rowid_']),
        ], // biome-ignore format: a list
        hasHiddenRowid: !isWithoutRowid && key !== 'alias',
      };
    }),
);

const conflict = fc.constantFrom(
  '',
  'OR REPLACE',
  'OR REPLACE',
  'OR REPLACE',
  'OR IGNORE',
  'OR FAIL',
  'OR ROLLBACK',
);

function statementsOf({ names }: Table): fc.Arbitrary<string> {
  const column = fc.constantFrom(...names);
  const some = fc.dictionary(column, value, { minKeys: 1 });
  const where = fc
    .tuple(column, fc.constantFrom('IS', '=', '>', 'IS NOT'), value)
    .map(([name, operator, to]) => `WHERE ${name} ${operator} ${to}`);
  const set = some.map((row) => `SET ${Object.entries(row).map(([name, to]) => `${name} = ${to}`).join(', ')}`); // biome-ignore format: one line
  const insert = fc.tuple(conflict, some).map(([or, row]) => `INSERT ${or} INTO things (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).join(', ')})`); // biome-ignore format: one line
  return fc.oneof(
    { arbitrary: insert, weight: 4 },
    fc.tuple(insert, set).map(([text, to]) => `${text} ON CONFLICT DO UPDATE ${to}`),
    fc.tuple(conflict, some).map(([or, row]) => `INSERT ${or} INTO things (${Object.keys(row).join(', ')}) SELECT ${Object.entries(row).map(([name, to]) => `coalesce(${to}, ${name})`).join(', ')} FROM things`), // biome-ignore format: one line
    {
      arbitrary: fc.tuple(conflict, set, where).map(([or, to, of]) => `UPDATE ${or} things ${to} ${of}`),
      weight: 4,
    },
    where.map((of) => `DELETE FROM things ${of}`),
    fc.constant('DELETE FROM things'),
  );
}

const KEYS = [null, 0, -0, 1, 2, -1, 1.5, '1', '2', 'a', 'A', 'a ', '1.0', '0.0', Buffer.from('a')] as const;
type Key = (typeof KEYS)[number];
const isKey = (key: Key, found: unknown) =>
  Buffer.isBuffer(key) ? key.equals(found as Buffer) : Object.is(key, found);

/** Rules for some kinds of changes each, which say together what one for all says. */
const parts: fc.Arbitrary<readonly (readonly ChangeKind[])[]> = fc.constantFrom(
  [['insert', 'update', 'delete']],
  [['insert', 'update', 'delete']],
  [['insert'], ['update', 'delete']],
  [['insert', 'delete'], ['update']],
  [['insert', 'update'], ['delete']],
  [['insert'], ['update'], ['delete']],
);

const rulesOf = (kinds: readonly (readonly ChangeKind[])[]): TableRules => ({
  things: kinds.flatMap((on): TableRule[] => [
    { targets: 'thing::{id}', on },
    { targets: 'by_a::{a}', on },
    { targets: 'some::{id}', columns: ['b'], on },
    { targets: { tag: 'd:{d}' }, columns: ['c', 'd'], on },
  ]),
});

/** What is cached of the table: all that a row shows, some of it, and by another column. */
function readsOf(db: Database.Database, { names }: Table) {
  const shown = (columns: readonly string[]) =>
    columns.flatMap((name) => [name, `typeof(${name}) AS ${name}_type`]).join(', ');
  const select = (columns: readonly string[], by: string) => {
    const text = `SELECT ${by} AS shown_by, ${shown(columns)} FROM things ORDER BY ${columns.join(', ')}`;
    return (key: Key): unknown =>
      (db.prepare(text).all() as { shown_by: unknown }[]).filter((row) =>
        Buffer.isBuffer(key) && !Buffer.isBuffer(row.shown_by) ? false : isKey(key, row.shown_by),
      );
  };
  return {
    thing: select([...names, 'd'], 'id'),
    byA: select([...names, 'd'], 'a'),
    some: select(['id', 'b'], 'id'),
    byD: select(['c', 'd'], 'd'),
  };
}

/** What the database refuses changes nothing, or as much as it says. */
function run(db: Database.Database, sql: string): void {
  try {
    db.exec(sql);
  } catch (error) {
    const code = String(Reflect.get(error as object, 'code'));
    // SQLite itself fails where a foreign key of a table to itself replaces the row that is being updated.
    fc.pre(code !== 'SQLITE_CORRUPT');
    expect(code).toMatch(/^SQLITE_(?:CONSTRAINT|MISMATCH|ERROR)/);
    if (String(error).includes('cachecord')) throw error;
  }
}

const story = table.chain((made) =>
  fc.record({
    table: fc.constant(made),
    recursive: fc.boolean(),
    kinds: parts,
    first: fc.array(statementsOf(made), { minLength: 2, maxLength: 4 }),
    steps: fc.array(fc.record({ isOwn: fc.boolean(), sql: statementsOf(made) }), {
      minLength: 1,
      maxLength: 10,
    }),
  }),
);

describe('I7, I8: whatever the table and the statement', () => {
  it('every cached read equals the database', () => {
    fc.assert(
      fc.property(story, ({ table: made, recursive, kinds, first, steps }) => {
        const folder = makeFolder();
        const db = openFile(folder.file());
        const other = openFile(folder.file());
        try {
          db.pragma('synchronous = OFF');
          try {
            db.exec(made.sql);
          } catch (error) {
            // Not every draft is a table.
            expect(String(Reflect.get(error as object, 'code'))).toBe('SQLITE_ERROR');
            fc.pre(false);
          }
          for (const sql of first) run(db, sql);
          const { sql, feed, gaps, messages } = watch(db, rulesOf(kinds));
          for (const each of [db, other]) {
            each.pragma('foreign_keys = ON');
            each.pragma(`recursive_triggers = ${recursive ? 'ON' : 'OFF'}`);
          }
          const reads = readsOf(db, made);
          const cached: typeof reads = {
            thing: cachedSync(sql.cache, reads.thing, { key: 'thing::{0}' }),
            byA: cachedSync(sql.cache, reads.byA, { key: 'by_a::{0}' }),
            some: cachedSync(sql.cache, reads.some, { key: 'some::{0}' }),
            byD: cachedSync(sql.cache, reads.byD, { key: 'by_d::{0}', tags: ['d:{0}'] }),
          };
          const all = (from: typeof reads) => Object.values(from).map((read) => KEYS.map((key) => read(key)));
          expect(all(cached)).toEqual(all(reads));
          for (const step of steps) {
            run(step.isOwn ? db : other, step.sql);
            if (!step.isOwn) feed.drain();
            expect(all(cached), step.sql).toEqual(all(reads));
          }
          expect([gaps, messages]).toEqual([[], []]);
          feed.stop();
        } finally {
          db.close();
          other.close();
          folder.remove();
        }
      }),
      { numRuns: Number(process.env.RUNS ?? 150), seed: Number(process.env.SEED ?? 1) },
    );
  }, 600_000);
});
