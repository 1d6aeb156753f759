/** Every way in which SQL changes a row, by this connection and by another: no cached read differs from the database. */
import type Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { unwatchTables } from '../../src/feed/install.ts';
import type { TableRules } from '../../src/feed/rules.ts';
import { makeFolder, openFile, type Watched, watch } from './support.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Shop extends Watched {
  readonly path: string;
  readonly other: Database.Database;
  read(): unknown;
  truth(): unknown;
}

const RULES: TableRules = { things: ['thing::{id}', 'things::all'] };
const THINGS = "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, kind TEXT DEFAULT 'a')";
const ROWS = "INSERT INTO things (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three')";

function begin(schema: string, rules = RULES): Shop {
  const folder = makeFolder();
  cleanups.push(() => folder.remove());
  const path = folder.file();
  const db = openFile(path);
  db.exec(schema);
  const watched = watch(db, rules);
  const other = openFile(path);
  cleanups.push(async () => {
    watched.feed.stop();
    await watched.cache.stop();
    db.close();
    other.close();
  });
  // Prepared anew each time, as by those who keep no statements: a table may be rebuilt.
  const one = (id: number): unknown => db.prepare('SELECT * FROM things WHERE id = ?').get(id);
  const all = (): unknown => db.prepare('SELECT * FROM things ORDER BY id').all();
  const cachedOne = cachedSync(watched.sql.cache, one, { key: 'thing::{0}' });
  const cachedAll = cachedSync(watched.sql.cache, all, { key: 'things::all' });
  const ids = [1, 2, 3, 4];
  return {
    ...watched,
    path,
    other,
    read: () => [cachedAll(), ...ids.map((id) => cachedOne(id))],
    truth: () => [all(), ...ids.map((id) => one(id))],
  };
}

const CHILDREN = `CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
  INSERT INTO owners VALUES (1, 'Ada'), (2, 'Bob');`;
const child = (actions: string) => `${CHILDREN}
  CREATE TABLE things (id INTEGER PRIMARY KEY, owner INTEGER DEFAULT 2 REFERENCES owners ${actions});
  INSERT INTO things VALUES (1, 1), (2, 1), (3, 2);`;

describe('I7, I8: a read is right after', () => {
  const ways: [what: string, schema: string, sql: string][] = [
    ['an upsert by its id', `${THINGS}; ${ROWS}`, "INSERT INTO things (id, name) VALUES (1, 'uno') ON CONFLICT (id) DO UPDATE SET name = excluded.name"],
    ['an upsert by another uniqueness', `${THINGS}; ${ROWS}`, "INSERT INTO things (id, name) VALUES (9, 'one') ON CONFLICT (name) DO UPDATE SET kind = 'b'"],
    ['an upsert that changes the id', `${THINGS}; ${ROWS}`, "INSERT INTO things (id, name) VALUES (1, 'x') ON CONFLICT DO UPDATE SET id = 4"],
    ['a replacement by its id', `${THINGS}; ${ROWS}`, "REPLACE INTO things (id, name) VALUES (1, 'uno')"],
    ['a replacement of two rows at once', `${THINGS}; ${ROWS}`, "REPLACE INTO things (id, name) VALUES (1, 'two')"],
    ['a replacement by an update', `${THINGS}; ${ROWS}`, "UPDATE OR REPLACE things SET name = 'two' WHERE id = 1"],
    ['a replacement by a change of the id', `${THINGS}; ${ROWS}`, 'UPDATE OR REPLACE things SET id = 2 WHERE id = 1'],
    ['a replacement that the constraint asks for', `CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE ON CONFLICT REPLACE); ${ROWS}`, "UPDATE things SET name = 'two' WHERE id = 1"],
    ['a replacement in a table WITHOUT ROWID', `CREATE TABLE things (id INTEGER, name TEXT UNIQUE, PRIMARY KEY (id)) WITHOUT ROWID; ${ROWS}`, "REPLACE INTO things (id, name) VALUES (4, 'two')"],
    ['a replacement by a key of two columns', "CREATE TABLE things (id INTEGER, name TEXT, kind TEXT, UNIQUE (name, kind)); INSERT INTO things VALUES (1, 'one', 'a'), (2, 'one', 'b'), (3, NULL, 'a')", "REPLACE INTO things VALUES (4, 'one', 'b'), (4, NULL, 'a')"],
    ['a replacement by a uniqueness that takes no account of case', `CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE COLLATE NOCASE); ${ROWS}`, "REPLACE INTO things (id, name) VALUES (4, 'ONE')"],
    ["a replacement through a column's default", "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL DEFAULT 'one'); INSERT INTO things VALUES (1, 'one')", 'INSERT OR REPLACE INTO things VALUES (3, NULL)'],
    ["an update that replaces through a column's default", "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL DEFAULT 'one'); INSERT INTO things VALUES (1, 'one'), (2, 'two')", 'UPDATE OR REPLACE things SET name = NULL WHERE id = 2'],
    ['a replacement through a default that its constraint asks for', "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL ON CONFLICT REPLACE DEFAULT 'one' UNIQUE ON CONFLICT REPLACE); INSERT INTO things VALUES (1, 'one')", 'INSERT INTO things VALUES (3, NULL)'],
    ['a replacement through a default that is computed', "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL DEFAULT (lower('ONE'))); INSERT INTO things VALUES (1, 'one')", 'INSERT OR REPLACE INTO things VALUES (3, NULL)'],
    ['a replacement through a default of another type than its column', 'CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL DEFAULT 1); INSERT INTO things (id) VALUES (1)', 'INSERT OR REPLACE INTO things VALUES (3, NULL)'],
    ['a replacement through what is generated from a default', 'CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 1, name AS (n + 1) UNIQUE); INSERT INTO things (id) VALUES (1)', 'INSERT OR REPLACE INTO things VALUES (3, NULL)'],
    ['a replacement through a default in a key WITHOUT ROWID', "CREATE TABLE things (id INTEGER, name TEXT DEFAULT 'one', PRIMARY KEY (name)) WITHOUT ROWID; INSERT INTO things VALUES (1, 'one')", 'INSERT OR REPLACE INTO things VALUES (3, NULL)'],
    ['a replacement through a rowid that is no column', "CREATE TABLE things (id INTEGER, name TEXT); INSERT INTO things VALUES (1, 'one')", "INSERT OR REPLACE INTO things (rowid, id, name) VALUES (1, 2, 'two')"],
    ['a replacement through a rowid under another of its names', "CREATE TABLE things (id INTEGER, rowid TEXT, oid TEXT); INSERT INTO things VALUES (1, 'one', 'x')", "INSERT OR REPLACE INTO things (_rowid_, id) VALUES (1, 2)"],
    ['an update that replaces through a rowid that is no column', "CREATE TABLE things (id INTEGER, name TEXT); INSERT INTO things VALUES (1, 'one'), (2, 'two')", 'UPDATE OR REPLACE things SET rowid = 1 WHERE id = 2'],
    ['a replacement through a partial index', `${THINGS}; CREATE UNIQUE INDEX one_kind ON things (kind) WHERE name IS NOT NULL; INSERT INTO things VALUES (1, 'one', 'a')`, "REPLACE INTO things VALUES (3, 'three', 'a')"],
    ['an update that only enters a partial index', "CREATE TABLE things (id INTEGER PRIMARY KEY, kind TEXT, isActive INTEGER); CREATE UNIQUE INDEX one_active ON things (kind) WHERE isActive = '1'; INSERT INTO things VALUES (1, 'a', 1), (2, 'a', 0)", 'UPDATE OR REPLACE things SET isActive = 1 WHERE id = 2'],
    ['a replacement through an index over an expression', `${THINGS}; CREATE UNIQUE INDEX by_lower ON things (lower(name) /* , ) */ DESC, kind); INSERT INTO things VALUES (1, 'one', 'a')`, "REPLACE INTO things VALUES (3, 'ONE', 'a')"],
    ['an update that replaces through an expression', `${THINGS}; CREATE UNIQUE INDEX by_case ON things (CASE WHEN kind = 'b' THEN lower(name) END) -- only b; INSERT INTO things VALUES (1, 'one', 'b'), (2, 'ONE', 'a')`.replace('; INSERT', '\n; INSERT'), "UPDATE OR REPLACE things SET kind = 'b' WHERE id = 2"],
    ['a replacement through an expression that compares by affinity', "CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER, name TEXT); CREATE UNIQUE INDEX by_case ON things (CASE WHEN n = '1' THEN name END); INSERT INTO things VALUES (1, 1, 'one')", "REPLACE INTO things VALUES (3, 1, 'one')"],
    ['a replacement through an expression, by a value of another type than its column', "CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER, name TEXT); CREATE UNIQUE INDEX by_case ON things (CASE WHEN n < 'z' THEN 'y' END); INSERT INTO things VALUES (1, 'x', 'one')", "REPLACE INTO things VALUES (3, 'w', 'three')"],
    ['a replacement by a uniqueness that takes no account of blanks', "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE COLLATE RTRIM); INSERT INTO things VALUES (1, 'one')", "REPLACE INTO things VALUES (3, 'one  ')"],
    ['a replacement by a generated column', 'CREATE TABLE things (id INTEGER PRIMARY KEY, n INTEGER, half INTEGER AS (n / 2) UNIQUE); INSERT INTO things VALUES (1, 4)', 'REPLACE INTO things VALUES (3, 5)'],
    ['a replacement by the rows of a SELECT', `${THINGS}; ${ROWS}`, "REPLACE INTO things (id, name) SELECT id + 1, name FROM things"],
    ['a replacement whose delete cascades in its own table', "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, parent INTEGER REFERENCES things ON DELETE CASCADE); INSERT INTO things VALUES (1, 'one', NULL), (2, 'two', 1), (3, 'three', 2)", "REPLACE INTO things VALUES (4, 'one', NULL)"],
    ['text that becomes bytes', 'CREATE TABLE things (id INTEGER PRIMARY KEY, name); INSERT INTO things VALUES (1, \'a\')', "UPDATE things SET name = x'61'"],
    ['another case where case does not count', `CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE COLLATE NOCASE); ${ROWS}`, "UPDATE things SET name = 'ONE' WHERE id = 1"],
    ['0.0 that becomes -0.0', 'CREATE TABLE things (id INTEGER PRIMARY KEY, n); INSERT INTO things VALUES (1, 0.0)', 'UPDATE things SET n = -0.0'],
    ['a change of the id', `${THINGS}; ${ROWS}`, 'UPDATE things SET id = 4 WHERE id = 1'],
    ['a change of all ids', `${THINGS}; ${ROWS}`, 'UPDATE things SET id = -id; UPDATE things SET id = 5 + id'],
    ['a change of the rowid by its own name', `${THINGS}; ${ROWS}`, 'UPDATE things SET rowid = 4 WHERE rowid = 1'],
    ['a DELETE without WHERE', `${THINGS}; ${ROWS}`, 'DELETE FROM things'],
    ['an UPDATE … FROM', `${THINGS}; ${ROWS}; CREATE TABLE names (id INTEGER, name TEXT); INSERT INTO names VALUES (1, 'uno')`, 'UPDATE things SET name = names.name FROM names WHERE names.id = things.id'],
    ['a change through a trigger of a view', `${THINGS}; ${ROWS}; CREATE VIEW shown AS SELECT * FROM things; CREATE TRIGGER written INSTEAD OF UPDATE ON shown BEGIN UPDATE things SET name = NEW.name WHERE id = NEW.id; END`, "UPDATE shown SET name = 'uno' WHERE id = 1"],
    ['a change by a trigger of another table', `${THINGS}; ${ROWS}; CREATE TABLE log (id INTEGER); CREATE TRIGGER logged AFTER INSERT ON log BEGIN DELETE FROM things WHERE id = NEW.id; END`, 'INSERT INTO log VALUES (2)'],
    ['a change of what a generated column comes from', "CREATE TABLE things (base INTEGER, id INTEGER AS (base + 1), name TEXT AS (base || 'th') STORED); INSERT INTO things VALUES (0), (1)", 'UPDATE things SET base = 3 WHERE base = 0'],
    ['a delete that cascades', child('ON DELETE CASCADE'), 'DELETE FROM owners WHERE id = 1'],
    ['a delete that sets NULL', child('ON DELETE SET NULL'), 'DELETE FROM owners WHERE id = 1'],
    ['a delete that sets a default', child('ON DELETE SET DEFAULT'), 'DELETE FROM owners WHERE id = 1'],
    ['an update that cascades', child('ON UPDATE CASCADE'), 'UPDATE owners SET id = 3 WHERE id = 1'],
    ['a replacement whose delete cascades', child('ON DELETE CASCADE'), "REPLACE INTO owners VALUES (9, 'Ada')"],
    ['a statement that fails half-way, and keeps what it has done', `${THINGS}; ${ROWS}`, "UPDATE OR FAIL things SET name = 'four'"],
  ]; // biome-ignore format: a table

  const connections: [who: string, pragma: string, isOwn: boolean][] = [
    ['this connection', '', true],
    ['another', '', false],
    ['another, with recursive triggers', 'PRAGMA recursive_triggers = ON', false],
  ];
  for (const [who, pragma, isOwn] of connections) {
    it.each(ways)(`%s, by ${who}`, async (_, schema, sql) => {
      const shop = begin(schema);
      const writer = isOwn ? shop.db : shop.other;
      writer.exec(`PRAGMA foreign_keys = ON; ${pragma}`);
      const before = shop.read();
      try {
        writer.exec(sql);
      } catch (error) {
        expect(String(error)).toContain('UNIQUE');
      }
      if (!isOwn) await shop.cache.clock.advanceAsync(250);
      expect(shop.read()).toEqual(shop.truth());
      expect(shop.truth()).not.toEqual(before);
      expect([shop.gaps, shop.messages]).toEqual([[], []]);
    });
  }
});

describe('I7: a value counts with its type', () => {
  it.each(['n', 'n ANY) STRICT; --', 'n BLOB'])('in a column declared as %s', (column) => {
    const shop = begin(
      `CREATE TABLE things (id INTEGER PRIMARY KEY, ${column});\n INSERT INTO things VALUES (1, 1)`.replace(
        ') STRICT; --);',
        ') STRICT;',
      ),
    );
    const read = cachedSync(
      shop.sql.cache,
      (id: number) => shop.db.prepare('SELECT typeof(n), n / 2 AS half FROM things WHERE id = ?').get(id),
      { key: 'thing::{0}' },
    );
    expect(read(1)).toEqual({ 'typeof(n)': 'integer', half: 0 });
    shop.db.exec('UPDATE things SET n = 1.0');
    expect(read(1)).toEqual({ 'typeof(n)': 'real', half: 0.5 });
    shop.told();
    shop.db.exec('UPDATE things SET n = 1.0');
    read(1);
    expect(shop.told()).toEqual([]);
  });

  it('and a rowid that is no column counts with all columns', () => {
    const shop = begin('CREATE TABLE things (id INTEGER); INSERT INTO things VALUES (1)');
    const read = cachedSync(
      shop.sql.cache,
      (id: number) => shop.db.prepare('SELECT rowid FROM things WHERE id = ?').pluck().get(id),
      { key: 'thing::{0}' },
    );
    expect(read(1)).toBe(1);
    shop.db.exec('UPDATE things SET rowid = 7');
    expect(read(1)).toBe(7);
  });
});

describe('I7: names that need quotes', () => {
  it('are followed in tables, columns, indices and their conditions', () => {
    const shop = begin(
      `CREATE TABLE "we're ""odd"" (x)" ("i d" INTEGER PRIMARY KEY, "a""b" TEXT, [where, (y] TEXT, \`select\` NOT NULL DEFAULT 'a, )');
       CREATE UNIQUE INDEX "in, (dex" ON "we're ""odd"" (x)" (lower("a""b" || ', )'), [where, (y] /* WHERE */) WHERE \`select\` = 'a, )';
       CREATE TABLE things (id); INSERT INTO "we're ""odd"" (x)" VALUES (1, 'one', 'x', 'a, )'), (2, 'TWO', 'x', 'a, )')`,
      { 'we\'re "odd" (x)': 'odd::{i d}::{a"b}', things: 'thing::{id}' },
    );
    shop.db.exec(`REPLACE INTO "we're ""odd"" (x)" VALUES (3, 'ONE', 'x', NULL)`);
    shop.feed.drain();
    expect(shop.told()).toEqual(['odd::1::one', 'odd::3::ONE']);
    shop.db.exec(`UPDATE OR REPLACE "we're ""odd"" (x)" SET "a""b" = 'two' WHERE "i d" = 3`);
    shop.feed.drain();
    expect(shop.told().sort()).toEqual(['odd::2::TWO', 'odd::3::ONE', 'odd::3::two']);
  });
});

describe('I14: a table whose replaced rows cannot be looked up', () => {
  it('is refused, with the reason and what to do', () => {
    const folder = makeFolder();
    cleanups.push(() => folder.remove());
    const [db, other] = [openFile(folder.file()), openFile(folder.file())];
    cleanups.push(() => {
      db.close();
      other.close();
    });
    other.function('slug', { deterministic: true }, (name) => String(name).toLowerCase());
    other.exec(`${THINGS}; CREATE UNIQUE INDEX by_slug ON things (slug(name))`);
    expect(() => watch(db, RULES)).toThrow(
      /"things": rows that are replaced through the unique index "by_slug" cannot be noticed \(no such function: slug\)\. Make/,
    );
    expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'cache%'").pluck().get()).toBe(0);
  });
});

describe('I8: databases under other names', () => {
  it('are followed where another connection writes through an attached one', async () => {
    const shop = begin(`${THINGS}; ${ROWS}`);
    const writer = openFile(':memory:');
    cleanups.push(() => writer.close());
    writer.exec(`ATTACH '${shop.path}' AS bot; CREATE TABLE things (id)`);
    shop.read();
    writer.exec("UPDATE bot.things SET name = 'uno' WHERE id = 1; INSERT INTO things VALUES (1)");
    await shop.cache.clock.advanceAsync(250);
    expect(shop.read()).toEqual(shop.truth());
    expect(shop.gaps).toEqual([]);
  });

  it('are followed at the next poll where this connection writes to its own file through an attached one', async () => {
    const shop = begin(`${THINGS}; ${ROWS}`);
    shop.db.exec(`ATTACH '${shop.path}' AS again`);
    shop.read();
    shop.db.exec("UPDATE again.things SET name = 'uno' WHERE id = 1");
    await shop.cache.clock.advanceAsync(250);
    expect(shop.read()).toEqual(shop.truth());
    expect(shop.gaps).toEqual([]);
  });

  it.each([
    ['table', 'CREATE TEMP TABLE things (id INTEGER PRIMARY KEY, name)', ['Temporary tables hide']],
    ['view', 'CREATE TEMP VIEW things AS SELECT 1 AS id', []],
  ])('are not taken for the watched table: a temporary %s made before', async (_, sql, told) => {
    const folder = makeFolder();
    cleanups.push(() => folder.remove());
    const [db, other] = [openFile(folder.file()), openFile(folder.file())];
    db.exec(`${THINGS}; ${ROWS}; ${sql}`);
    const shop = watch(db, RULES);
    cleanups.push(() => {
      shop.feed.stop();
      db.close();
      other.close();
    });
    const read = cachedSync(
      shop.sql.cache,
      (id: number) => db.prepare('SELECT name FROM main.things WHERE id = ?').pluck().get(id),
      { key: 'thing::{0}' },
    );
    expect(read(1)).toBe('one');
    db.exec("UPDATE main.things SET name = 'uno' WHERE id = 1");
    expect(read(1)).toBe('uno');
    other.exec("UPDATE things SET name = 'eins' WHERE id = 1");
    await shop.cache.clock.advanceAsync(250);
    expect(read(1)).toBe('eins');
    expect(shop.gaps).toEqual([]);
    expect(shop.messages).toEqual(told.map((text) => expect.stringContaining(text)));
  });

  it('are refused by their own names, with what to do', () => {
    const shop = begin(`${THINGS}; ${ROWS}`);
    shop.db.exec("ATTACH ':memory:' AS more; CREATE TABLE more.notes (id); CREATE TEMP TABLE jots (id)");
    for (const [name, where] of [
      ['more.notes', 'open the file of "more" with a connection of its own'],
      ['notes', 'open the file of "more" with a connection of its own'],
      ['temp.jots', 'it is a temporary one'],
    ] as const) {
      expect(() => watch(shop.db, { [name]: 'note::{id}' })).toThrow(
        `There is no table "${name}" in the main database, and those of others cannot be watched: ${where}.`,
      );
    }
  });

  it('and temporary tables of the same name are left alone', () => {
    const shop = begin(`${THINGS}; ${ROWS}`);
    shop.read();
    shop.db.exec(
      'CREATE TEMP TABLE cache_changes (position INTEGER PRIMARY KEY, targets, a, b, c, d, e, f, g, h, token)',
    );
    shop.db.exec("UPDATE main.things SET name = 'uno' WHERE id = 1");
    expect(shop.read()).toEqual(shop.truth());
  });
});

describe('I8, I9: a change of the schema', () => {
  const REBUILD = `BEGIN; CREATE TABLE fresh (id INTEGER PRIMARY KEY, name TEXT UNIQUE, kind TEXT);
    INSERT INTO fresh SELECT id, upper(name), kind FROM things; DROP TABLE things;
    ALTER TABLE fresh RENAME TO things;`;
  const changes: [what: string, change: string | ((db: Database.Database) => void)][] = [
    ['VACUUM', 'VACUUM'],
    ['REINDEX and ANALYZE', 'REINDEX; ANALYZE'],
    ['a column that is added', "ALTER TABLE things ADD COLUMN price TEXT DEFAULT 'free'"],
    [
      'a column that is dropped, which SQLite allows once no trigger names it',
      (db) => {
        expect(() => db.exec('ALTER TABLE things DROP COLUMN kind')).toThrow('error in trigger');
        unwatchTables(db);
        db.exec('ALTER TABLE things DROP COLUMN kind');
      },
    ],
    ['another column that is renamed', 'ALTER TABLE things RENAME COLUMN kind TO sort'],
    ['a table that is dropped and made anew', `DROP TABLE things; ${THINGS}; ${ROWS}; UPDATE things SET name = 'new' WHERE id = 1`],
    ['a table that is dropped and made anew, otherwise', "DROP TABLE things; CREATE TABLE things (id TEXT PRIMARY KEY, title TEXT) WITHOUT ROWID; INSERT INTO things VALUES (1, 'new')"],
    ['a table that takes the place of another', `ALTER TABLE things RENAME TO old; ${THINGS}; INSERT INTO things (id, name) VALUES (1, 'new')`],
    ['a table that is rebuilt', `${REBUILD} COMMIT`],
    [
      'a table that is rebuilt with its triggers put back at once',
      (db) => {
        const triggers = db.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'things'").pluck().all();
        db.exec(`${REBUILD} ${triggers.join('; ')}; COMMIT`);
      },
    ],
    ['a unique index, and a replacement by it', "CREATE UNIQUE INDEX by_kind ON things (kind, name); REPLACE INTO things (id, name) VALUES (4, 'one')"],
  ]; // biome-ignore format: a table

  const INDICES =
    'CREATE UNIQUE INDEX by_lower ON things (lower(name)); CREATE UNIQUE INDEX some ON things (name) WHERE id > 0';
  for (const [isOwn, indices, told] of [
    [true, '', ''],
    [false, '', ''],
    [false, INDICES, ', with indices over expressions'],
  ] as const) {
    it.each(changes)(
      `by ${isOwn ? 'this connection' : 'another'}${told} is followed at the next poll: %s`,
      async (_, change) => {
        const shop = begin(`${THINGS}; ${indices}; ${ROWS}`);
        const writer = isOwn ? shop.db : shop.other;
        shop.read();
        if (typeof change === 'string') writer.exec(change);
        else change(writer);
        await shop.cache.clock.advanceAsync(250);
        expect(shop.read()).toEqual(shop.truth());
        writer.exec('DELETE FROM things WHERE id = 2');
        writer.exec('UPDATE things SET id = 4 WHERE id = 1');
        if (!isOwn) await shop.cache.clock.advanceAsync(250);
        expect(shop.read()).toEqual(shop.truth());
        expect(new Set(shop.gaps)).toEqual(new Set(['schema']));
      },
    );
  }

  it('that the rules do not fit any more clears the cache at each poll, and says so once, until they do', async () => {
    const shop = begin(`${THINGS}; ${ROWS}`, { things: ['thing::{id}', 'things::all', 'kind::{kind}'] });
    shop.read();
    shop.other.exec(
      "ALTER TABLE things RENAME COLUMN kind TO sort; UPDATE things SET name = 'uno' WHERE id = 1",
    );
    await shop.cache.clock.advanceAsync(250);
    for (const writer of [shop.other, shop.db]) {
      expect(shop.read()).toEqual(shop.truth());
      writer.exec("UPDATE things SET name = name || '!'");
      await shop.cache.clock.advanceAsync(250);
    }
    expect(shop.read()).toEqual(shop.truth());
    expect(shop.feed.drain()).toBe(false);
    expect(shop.messages).toEqual([expect.stringContaining('no column "kind"')]);
    shop.other.exec('ALTER TABLE things RENAME COLUMN sort TO kind');
    await shop.cache.clock.advanceAsync(250);
    shop.read();
    shop.db.exec("UPDATE things SET name = 'eins' WHERE id = 1");
    expect(shop.read()).toEqual(shop.truth());
    expect(shop.feed.drain()).toBe(true);
  });

  it('that takes a table away leaves those that stay right', async () => {
    const shop = begin(`${THINGS}; ${ROWS}; CREATE TABLE others (id)`, { ...RULES, others: 'other::{id}' });
    shop.other.exec('DROP TABLE others');
    await shop.cache.clock.advanceAsync(250);
    shop.read();
    shop.other.exec("UPDATE things SET name = 'uno' WHERE id = 1");
    await shop.cache.clock.advanceAsync(250);
    expect(shop.read()).toEqual(shop.truth());
  });
});
