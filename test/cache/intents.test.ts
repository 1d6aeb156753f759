/** Mutations of a database without triggers, and what a crash in the middle of one leaves behind. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { DiskOptions } from '../../src/cache/cache-options.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { sealed } from '../../src/cache/layers/disk/sealed.ts';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';
import { tierOf } from './support.ts';

let folder: string;
let db: Database.Database;
const open: Cache[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-intents-'));
  db = new Database(join(folder, 'bot.db'));
  db.pragma('journal_mode = WAL');
  db.exec(
    "CREATE TABLE users (id TEXT PRIMARY KEY, cents INTEGER); INSERT INTO users VALUES ('1', 1), ('2', 2)",
  );
});
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.stop();
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(disk: Partial<DiskOptions> = { trust: 'wrapped-writes' }): Cache {
  const cache = createCache({
    maxWeightBytes: 1_000_000,
    tiers: [tierOf('user', ['user'], { persist: 'on_change' })],
    cleanupIntervalMs: 600_000,
    clock: handClock(Date.now()),
    logger: silentLogger,
    disk: { path: join(folder, 'cache.db'), ...disk },
  });
  open.push(cache);
  return cache;
}

function read(cache: Cache, id: string): unknown {
  return cache.getOrLoadSync(`user::${id}::profile`, () =>
    db.prepare('SELECT cents FROM users WHERE id = ?').get(id),
  );
}

/** What is written down at the moment, in short. */
function writtenDown(): string[] {
  const file = new Database(join(folder, 'cache.db'), { readonly: true });
  try {
    return file
      .prepare<[], string>('SELECT targets FROM cache_intents')
      .pluck()
      .all()
      .map((text) => text.slice(9));
  } finally {
    file.close();
  }
}

function runAndKill(where: string, how: string): void {
  const script = resolve('test/cache/fixtures/killed-process.ts');
  const { signal, stderr } = spawnSync(process.execPath, [script, folder, where, how]);
  expect(signal, String(stderr)).toBe('SIGKILL');
}

describe('a process that is killed', () => {
  const HOW = ['wrapped', 'awaited', 'by its result', 'written', 'transaction'];

  it.each(HOW)('I9: between the commit and the invalidation, leaves nothing old (%s)', (how) => {
    runAndKill('after', how);
    expect(writtenDown()).toHaveLength(1);
    const cache = start();
    expect(read(cache, '1')).toEqual({ cents: 5 });
    expect(read(cache, '2')).toEqual({ cents: 2 });
    // What depends on the result is not known before: then nothing is believed.
    expect(cache.stats().total.loads).toBe(how === 'by its result' ? 2 : 1);
    expect(writtenDown()).toEqual([]);
  });

  it.each(HOW)('before the commit, costs a load (%s)', (how) => {
    runAndKill('before', how);
    const cache = start();
    expect([read(cache, '1'), read(cache, '2')]).toEqual([{ cents: 1 }, { cents: 2 }]);
  });

  it.each(HOW)('I9: later on, leaves entries that are believed, and the new value (%s)', (how) => {
    runAndKill('later', how);
    expect(writtenDown()).toEqual([]);
    const cache = start();
    expect([read(cache, '1'), read(cache, '2')]).toEqual([{ cents: 5 }, { cents: 2 }]);
    expect(cache.stats()).toMatchObject({
      total: { loads: how === 'written' ? 0 : 1 },
      disk: { proof: 'resumed', unproven: 0 },
    });
  });
});

describe('what is written down', () => {
  it('stands there while a mutation runs, and is crossed out when it has succeeded or failed', async () => {
    const cache = start();
    const gate = Promise.withResolvers<void>();
    const save = invalidates(cache, (_id: string) => gate.promise, ['user::{0}::*', { tag: 'rich' }]);
    const saved = save('1');
    expect(writtenDown()).toEqual(['["{\\"pattern\\":\\"user::1::*\\"}","{\\"tag\\":\\"rich\\"}"]']);
    gate.resolve();
    await saved;
    expect(writtenDown()).toEqual([]);
    const fail = invalidates(cache, (_id: string) => Promise.reject(new Error('not now')), 'user::{0}::*');
    await expect(fail('1')).rejects.toThrow('not now');
    const throwing = invalidates(
      cache,
      (_id: string) => {
        expect(writtenDown()).toHaveLength(1);
        throw new Error('nor now');
      },
      'user::{0}::*',
    );
    expect(() => throwing('1')).toThrow('nor now');
    expect(writtenDown()).toEqual([]);
  });

  it('is what a transaction covers, of nested ones too, just before its commit; nothing when it is rolled back', () => {
    const cache = start();
    const sql = sqliteCache(db, cache);
    const seen: string[][] = [];
    cache.on('invalidated', () => seen.push(writtenDown()));
    const inner = sql.transaction((id: string) => sql.cache.invalidate(`user::${id}::profile`));
    sql.transaction(() => {
      inner('1');
      sql.cache.set('user::2::profile', { cents: 3 });
      expect(writtenDown()).toEqual([]);
    })();
    expect(seen).toEqual([['["{\\"key\\":\\"user::1::profile\\"}","{\\"key\\":\\"user::2::profile\\"}"]']]);
    const undone = sql.transaction(() => {
      inner('1');
      throw new Error('undone');
    });
    expect(undone).toThrow('undone');
    expect(writtenDown()).toEqual([]);
  });

  it('is nothing where a change feed tells of changes', () => {
    const cache = start({});
    cache.provenBy({ beginning: 'new', drain: () => true, position: () => 1, tellsOf: () => true });
    invalidates(cache, (_id: string) => expect(writtenDown()).toEqual([]), 'user::{0}::*')('1');
    expect.assertions(1);
  });

  it('and nothing where there is no disk: the targets are not even made', () => {
    const cache = createCache({
      maxWeightBytes: 1_000_000,
      tiers: [tierOf('user', ['user'])],
      cleanupIntervalMs: 600_000,
      logger: silentLogger,
    });
    open.push(cache);
    cache.intend(() => expect.unreachable())();
  });

  it('of a process that is alive stays there, and is carried out all the same', async () => {
    const one = start();
    read(one, '1');
    const gate = Promise.withResolvers<void>();
    const saved = invalidates(one, (_id: string) => gate.promise, 'user::{0}::*')('1');
    const other = start();
    expect(writtenDown()).toHaveLength(1);
    expect(other.stats().disk?.found).toBe(0);
    gate.resolve();
    await saved;
    expect(writtenDown()).toEqual([]);
  });

  it('of a process that is gone, or from long ago, goes with the first start; of a process that could leave no note it stays', async () => {
    await start().stop();
    const file = new Database(join(folder, 'cache.db'));
    const now = Date.now();
    for (const [id, owner, at] of [
      ['gone', '0123456789abcdef01', now],
      ['of a process without a note', '', now],
      ['long ago', '', now - 2 * 86_400_000],
    ])
      file.prepare('INSERT INTO cache_intents VALUES (?, ?, ?, ?)').run(id, owner, at, sealed('[]'));
    file.close();
    start();
    expect(writtenDown()).toHaveLength(1);
  });

  it.each([
    ['for longer', () => undefined],
    ['for a moment', (cache: Cache, end: () => void) => cache.on('invalidated', end)],
  ])('I9: stays there as long as the disk does not take the invalidation, locked %s', (_, prepare) => {
    const blocker = new Database(join(folder, 'cache.db'));
    const cache = start();
    read(cache, '1');
    const unlock = () => blocker.inTransaction && blocker.exec('ROLLBACK');
    prepare(cache, unlock);
    invalidates(
      cache,
      (id: string) => {
        db.prepare('UPDATE users SET cents = 9 WHERE id = ?').run(id);
        blocker.exec('BEGIN IMMEDIATE');
      },
      'user::{0}::*',
    )('1');
    unlock();
    blocker.close();
    // As if the first were killed here.
    expect(read(start(), '1')).toEqual({ cents: 9 });
  });

  it('I4: keeps no mutation from being made when the disk does not take it', () => {
    const blocker = new Database(join(folder, 'cache.db'));
    const cache = start();
    blocker.exec('BEGIN IMMEDIATE');
    let isMade = false;
    invalidates(
      cache,
      (_id: string) => {
        isMade = true;
      },
      'user::{0}::*',
    )('1');
    expect(isMade).toBe(true);
    blocker.exec('ROLLBACK');
    blocker.close();
  });

  describe('where the file is locked', () => {
    let blocker: Database.Database;
    let cache: Cache;
    let pay: (id: string) => unknown;

    beforeEach(() => {
      blocker = new Database(join(folder, 'cache.db'));
      cache = start();
      read(cache, '1');
      read(cache, '2');
      const update = db.prepare('UPDATE users SET cents = 9 WHERE id = ?');
      pay = invalidates(cache, (id: string) => update.run(id), 'user::{0}::*');
      blocker.exec('BEGIN IMMEDIATE');
    });
    afterEach(() => {
      blocker.close();
    });

    it('I12: is not waited for by each of many mutations', () => {
      for (let i = 0; i < 100; i++) pay('1');
      expect(cache.stats().disk?.failures).toBe(1);
    });

    it('I9: is made up for, should the process be killed: then nothing of before is believed', () => {
      pay('1');
      blocker.exec('ROLLBACK');
      // As if the first were killed here.
      const next = start();
      expect([read(next, '1'), read(next, '2')]).toEqual([{ cents: 9 }, { cents: 2 }]);
      expect(next.stats()).toMatchObject({ total: { loads: 2 }, disk: { proof: 'new' } });
    });

    it('costs nothing after a clean end, since the invalidation was carried out', async () => {
      pay('1');
      blocker.exec('ROLLBACK');
      await cache.stop();
      const next = start();
      expect([read(next, '1'), read(next, '2')]).toEqual([{ cents: 9 }, { cents: 2 }]);
      expect(next.stats()).toMatchObject({ total: { loads: 1 }, disk: { proof: 'resumed' } });
    });

    it('I9: is made up for where the mutation goes on after the end', async () => {
      const gate = Promise.withResolvers<void>();
      const saved = invalidates(
        cache,
        async (id: string) => {
          await gate.promise;
          db.prepare('UPDATE users SET cents = 9 WHERE id = ?').run(id);
        },
        'user::{0}::*',
      )('1');
      blocker.exec('ROLLBACK');
      await cache.stop();
      gate.resolve();
      await saved;
      expect(read(start(), '1')).toEqual({ cents: 9 });
    });
  });
});

describe('the author’s word that all writes are wrapped', () => {
  it('counts from the start that was given it: what was there before is not believed', async () => {
    const before = start({});
    read(before, '1');
    await before.stop();
    db.exec("UPDATE users SET cents = 9 WHERE id = '1'");
    const first = start();
    expect(first.stats().disk).toMatchObject({ proof: 'new', found: 1 });
    expect(read(first, '1')).toEqual({ cents: 9 });
    await first.stop();
    const second = start();
    expect(read(second, '1')).toEqual({ cents: 9 });
    expect(second.stats()).toMatchObject({ total: { loads: 0 }, disk: { proof: 'resumed', restored: 1 } });
  });

  it('is refused in other words', () => {
    expect(() => start({ trust: 'me' as 'wrapped-writes' })).toThrow(/'wrapped-writes', not me/);
  });
});
