/** Processes with different rules on one database, as while a new release takes the old one's place. */
import type Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import type { TableRules } from '../../src/feed/rules.ts';
import type { WatchOptions } from '../../src/feed/watch-options.ts';
import { makeFolder, openFile, SHOP, type Watched, watch } from './support.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const MINUTE = 60_000;
const OLD: TableRules = { users: ['wallet::{id}', { targets: 'old-richest', columns: ['cents'] }] };
const NEW: TableRules = {
  users: { targets: 'user::{id}::*', columns: ['cents'] },
  products: 'products::{category}',
};

function makeFile(): string {
  const folder = makeFolder();
  cleanups.push(() => folder.remove());
  const db = openFile(folder.file());
  db.exec(`${SHOP}; INSERT INTO users (id, name, cents) VALUES ('1', 'Ada', 100), ('2', 'Bob', 200)`);
  db.close();
  return folder.file();
}

interface Release extends Watched {
  read(): unknown;
  end(): void;
}

/** @param key what the release keeps a wallet under */
function start(path: string, rules: TableRules, key: string, options: WatchOptions = {}): Release {
  const db = openFile(path);
  const watched = watch(db, rules, options);
  const select = db.prepare<[string], number>('SELECT cents FROM users WHERE id = ?').pluck();
  const wallet = cachedSync(watched.sql.cache, (id: string) => select.get(id), { key });
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    watched.feed.stop();
    db.close();
  };
  cleanups.push(end);
  return { ...watched, read: () => [wallet('1'), wallet('2')], end };
}

/** All that falls due at once, and then what waits for a turn of the loop. */
async function turn({ cache: { clock } }: Release, ms: number): Promise<void> {
  clock.advance(ms);
  await clock.settle();
}

const startOld = (path: string, options?: WatchOptions) => start(path, OLD, 'wallet::{0}', options);
const startNew = (path: string, options?: WatchOptions) => start(path, NEW, 'user::{0}::wallet', options);
const pay = (db: Database.Database) => db.exec("UPDATE users SET cents = cents + 1 WHERE id = '1'");
const truth = (db: Database.Database) => db.prepare('SELECT cents FROM users ORDER BY id').pluck().all();
const setsIn = (db: Database.Database) =>
  new Set(
    db
      .prepare(
        "SELECT substr(name, 11, 8) FROM sqlite_schema WHERE type = 'trigger' AND name <> 'cachecord_keep_last'",
      )
      .pluck()
      .all(),
  );
const schemaOf = (db: Database.Database) => db.pragma('schema_version', { simple: true });

describe('two releases at once', () => {
  it('I8: both see every write, by whomever, though only one has a rule for what it keeps', async () => {
    const path = makeFile();
    const [old, fresh] = [startOld(path), startNew(path)];
    const outsider = openFile(path);
    cleanups.push(() => outsider.close());
    for (const release of [old, fresh]) await release.cache.clock.advanceAsync(250);
    for (let round = 0; round < 3; round++) {
      for (const writer of [old.db, fresh.db, outsider]) {
        old.read();
        fresh.read();
        pay(writer);
        if (writer === old.db) expect(old.read()).toEqual(truth(outsider));
        if (writer === fresh.db) expect(fresh.read()).toEqual(truth(outsider));
        for (const release of [old, fresh]) {
          await release.cache.clock.advanceAsync(250);
          expect(release.read()).toEqual(truth(outsider));
        }
      }
    }
    expect([old.gaps, fresh.gaps]).toEqual([['schema'], []]);
    expect([...old.messages, ...fresh.messages]).toEqual([]);
  });

  it('leave each other’s triggers alone, however long both run', async () => {
    const path = makeFile();
    const [old, fresh] = [startOld(path), startNew(path)];
    await old.cache.clock.advanceAsync(250);
    const schema = schemaOf(old.db);
    expect(setsIn(old.db).size).toBe(2);
    for (let minute = 0; minute < 30; minute++) {
      pay(minute % 2 === 0 ? old.db : fresh.db);
      for (const release of [old, fresh]) await turn(release, MINUTE);
    }
    expect(schemaOf(old.db)).toBe(schema);
    expect([old.gaps, fresh.gaps]).toEqual([['schema'], []]);
    expect(old.db.prepare('SELECT count(*) FROM cache_changes').pluck().get()).toBeLessThan(10);
  });

  it('in either order, and with a third that has the rules of the first', async () => {
    const path = makeFile();
    const releases = [startNew(path), startOld(path), startNew(path)];
    for (const release of releases) await release.cache.clock.advanceAsync(250);
    for (const { read } of releases) read();
    pay(releases[2]?.db as Database.Database);
    for (const { read, cache, db } of releases) {
      await cache.clock.advanceAsync(250);
      expect(read()).toEqual(truth(db));
    }
    expect(setsIn(releases[0]?.db as Database.Database).size).toBe(2);
  });

  it('follow rules that are functions, of the same name and with other columns, each its own', async () => {
    const path = makeFile();
    const old = start(path, { users: { from: ['id'], derive: ({ id }) => `wallet::${id}` } }, 'wallet::{0}');
    const fresh = start(
      path,
      { users: { from: ['name', 'id'], derive: ({ id }) => `user::${id}` } },
      'user::{0}',
    );
    for (const release of [old, fresh]) await release.cache.clock.advanceAsync(250);
    for (const writer of [old, fresh]) {
      old.read();
      fresh.read();
      pay(writer.db);
      for (const release of [old, fresh]) {
        await release.cache.clock.advanceAsync(250);
        expect(release.read()).toEqual(truth(writer.db));
      }
    }
    expect([old.gaps, fresh.gaps]).toEqual([['schema'], []]);
  });
});

describe('the triggers of a release', () => {
  it.each([
    ['left', { resumable: false }],
    ['left to come back', { resumable: true }],
  ])('go within a minute of the last process that needs them, which has %s', async (_, options) => {
    const path = makeFile();
    const [first, second, fresh] = [startOld(path, options), startOld(path, options), startNew(path)];
    first.end();
    await fresh.cache.clock.advanceAsync(MINUTE);
    expect(setsIn(fresh.db).size).toBe(2);
    second.end();
    await fresh.cache.clock.advanceAsync(MINUTE);
    expect(setsIn(fresh.db).size).toBe(1);
    await fresh.cache.clock.advanceAsync(MINUTE);
    // What the old release has left in a shared cache file is told of no longer.
    expect([fresh.gaps, fresh.messages]).toEqual([['schema'], []]);
    fresh.read();
    pay(fresh.db);
    expect(fresh.read()).toEqual(truth(fresh.db));
  });

  it('stay where nobody with other rules comes, and the next start goes on', () => {
    const path = makeFile();
    const old = startOld(path, { resumable: true });
    old.end();
    const outsider = openFile(path);
    pay(outsider);
    outsider.close();
    expect(startOld(path, { startAt: old.feed.position() }).feed.stats()).toMatchObject({
      beginning: 'resumed',
      changes: 2,
    });
  });

  it('I9: that were taken away prove nothing to a release that is rolled back to', async () => {
    const path = makeFile();
    const old = startOld(path, { resumable: true });
    old.end();
    const fresh = startNew(path);
    pay(fresh.db);
    expect(startOld(path, { startAt: old.feed.position() }).feed.beginning).toBe('gap');
  });

  it('I8: that were taken from a process which slept for too long are put back when it wakes, once', async () => {
    const path = makeFile();
    const HOUR = 60 * MINUTE;
    const options = { pollIntervalMs: HOUR, reportIntervalMs: HOUR };
    const [old, fresh] = [startOld(path, options), startNew(path, options)];
    await turn(old, HOUR);
    old.read();
    await turn(fresh, 48 * HOUR);
    expect(setsIn(fresh.db).size).toBe(1);
    pay(fresh.db);
    old.cache.clock.setWallBy(47 * HOUR);
    await turn(old, HOUR);
    expect(old.read()).toEqual(truth(old.db));
    pay(fresh.db);
    await turn(old, HOUR);
    expect(old.read()).toEqual(truth(old.db));
    const schema = schemaOf(old.db);
    for (let hours = 0; hours < 30; hours++) {
      for (const release of [fresh, old]) await turn(release, HOUR);
    }
    expect(schemaOf(old.db)).toBe(schema);
    expect([old.gaps.length, fresh.gaps.length]).toEqual([2, 2]);
  });
});
