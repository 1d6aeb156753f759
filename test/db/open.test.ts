import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseError } from '../../src/db/errors.ts';
import { migrate, SCHEMA_VERSION } from '../../src/db/migrations.ts';
import { openDatabase } from '../../src/db/open.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shop-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function refusal(act: () => unknown): DatabaseError {
  try {
    act();
  } catch (error) {
    if (error instanceof DatabaseError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe('openDatabase', () => {
  it('makes the file and its folders, with the settings a bot wants', () => {
    const db = openDatabase(join(folder, 'deep', 'down', 'shop.sqlite'));
    const pragma = (name: string) => db.pragma(name, { simple: true });
    expect([pragma('journal_mode'), pragma('foreign_keys'), pragma('synchronous')]).toEqual(['wal', 1, 1]);
    expect(pragma('busy_timeout')).toBe(5_000);
    expect(pragma('user_version')).toBe(SCHEMA_VERSION);
    db.close();
  });

  it('finds again what was written', () => {
    const path = join(folder, 'shop.sqlite');
    const first = openDatabase(path);
    first.prepare("INSERT INTO users (id, name, created_at) VALUES ('1', 'Nelly', 0)").run();
    first.close();
    const second = openDatabase(path);
    expect(second.prepare('SELECT name FROM users').pluck().get()).toBe('Nelly');
    second.close();
  });

  it('takes an empty file, and a database in memory', () => {
    const path = join(folder, 'empty.sqlite');
    writeFileSync(path, '');
    openDatabase(path).close();
    openDatabase(':memory:').close();
  });

  it('refuses a path that cannot be made', () => {
    writeFileSync(join(folder, 'file'), 'x');
    const error = refusal(() => openDatabase(join(folder, 'file', 'shop.sqlite')));
    expect(error.code).toBe('ERR_DB_PATH');
    expect(error.message).toMatch(/can't be opened .*Check that its folder exists.*DATABASE_PATH/);
  });

  it.each(['', '   '])('refuses the empty path %j', (path) => {
    expect(refusal(() => openDatabase(path)).code).toBe('ERR_DB_PATH');
  });

  it('refuses a folder in place of a file', () => {
    mkdirSync(join(folder, 'shop.sqlite'));
    expect(refusal(() => openDatabase(join(folder, 'shop.sqlite'))).code).toBe('ERR_DB_PATH');
  });

  it('refuses a file that is no database, and leaves it as it is', () => {
    const path = join(folder, 'notes.txt');
    const text = 'Dear diary, this is no database. '.repeat(200);
    writeFileSync(path, text);
    const error = refusal(() => openDatabase(path));
    expect(error.code).toBe('ERR_DB_NOT_A_DATABASE');
    expect(error.message).toMatch(/is no SQLite database.*left as it is.*DATABASE_PATH/);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('refuses another program’s database, and leaves it as it is', () => {
    const path = join(folder, 'other.sqlite');
    const other = new Database(path);
    other.exec('CREATE TABLE notes (text)');
    other.close();
    const before = readFileSync(path);
    expect(refusal(() => openDatabase(path)).code).toBe('ERR_DB_FOREIGN');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses a database from a newer schema, and leaves it as it is', () => {
    const path = join(folder, 'shop.sqlite');
    const db = openDatabase(path);
    db.pragma(`user_version = ${SCHEMA_VERSION + 3}`);
    db.close();
    const before = readFileSync(path);
    const error = refusal(() => openDatabase(path));
    expect(error.code).toBe('ERR_DB_NEWER');
    expect(error.message).toContain(`schema version ${SCHEMA_VERSION + 3}`);
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses a damaged database', () => {
    const path = join(folder, 'shop.sqlite');
    openDatabase(path).close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 100, 4_096);
    writeFileSync(path, bytes);
    expect(refusal(() => openDatabase(path)).code).toBe('ERR_DB_NOT_A_DATABASE');
  });
});

describe('migrate', () => {
  it('does nothing to a database that is up to date', () => {
    const db = openDatabase(':memory:');
    expect(migrate(db)).toBe(0);
    db.close();
  });

  it('undoes a step for which there is no room on the disk, and says so', () => {
    const path = join(folder, 'shop.sqlite');
    const db = new Database(path);
    db.pragma('max_page_count = 5');
    const error = refusal(() => migrate(db));
    expect(error.code).toBe('ERR_DB_FULL');
    expect(error.message).toMatch(/no room left.*free some space/);
    expect(db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get()).toBe(0);
    expect(db.pragma('user_version', { simple: true })).toBe(0);
    db.close();
    openDatabase(path).close();
  });

  it('says when the file cannot be written', () => {
    const path = join(folder, 'shop.sqlite');
    writeFileSync(path, '');
    const db = new Database(path, { readonly: true });
    expect(refusal(() => migrate(db)).code).toBe('ERR_DB_PATH');
    db.close();
  });

  it('says when another process holds the database', () => {
    const path = join(folder, 'shop.sqlite');
    const holder = new Database(path);
    holder.exec('BEGIN EXCLUSIVE');
    const db = new Database(path, { timeout: 0 });
    const error = refusal(() => migrate(db));
    expect(error.code).toBe('ERR_DB_BUSY');
    expect(error.message).toMatch(/another process holds it/);
    db.close();
    holder.close();
  });
});

describe('the schema', () => {
  const NELLY = "INSERT INTO users (id, name, created_at) VALUES ('1', 'Nelly', 0)";
  const GAME = `INSERT INTO products (main_category, sub_category, name, stock, price_cents, created_at, updated_at)
    VALUES ('gaming', 'action', 'Star', 1, 1, 0, 0)`;
  const discount = (columns: string, values: string) =>
    `INSERT INTO discounts (name, percent, valid_from, valid_to${columns}) VALUES ('x', ${values})`;

  it.each([
    ['a wallet below zero', 'UPDATE users SET wallet_cents = -1'],
    ['money that is no whole number', 'UPDATE users SET wallet_cents = 0.5'],
    ['money as text', "UPDATE products SET price_cents = 'free'"],
    ['a stock below zero', 'UPDATE products SET stock = -1'],
    ['an id with letters', "INSERT INTO users (id, name, created_at) VALUES ('1a', 'x', 0)"],
    ['a product without a name', "UPDATE products SET name = ''"],
    ['a discount of nothing', discount(', user_id', "0, 0, NULL, '1'")],
    ['a discount of more than all', discount(', user_id', "101, 0, NULL, '1'")],
    ['a discount for nobody', discount('', '5, 0, NULL')],
    ['a discount for two things', discount(', user_id, vip_tier', "5, 0, NULL, '1', 1")],
    ['a discount that ends before it begins', discount(', user_id', "5, 10, 10, '1'")],
    ['a discount for a person who is not there', discount(', user_id', "5, 0, NULL, '2'")],
    ['a setting that is no JSON', "INSERT INTO settings VALUES ('x', '{', 0)"],
    ['removing a person who has discounts', "DELETE FROM users WHERE id = '1'"],
  ])('refuses %s', (_, sql) => {
    const db = openDatabase(':memory:');
    db.exec(NELLY);
    db.exec(GAME);
    db.exec(discount(', user_id', "5, 0, NULL, '1'"));
    expect(() => db.exec(sql)).toThrow(/constraint|cannot store/);
    db.close();
  });
});
