/**
 * Transactions that end before their function does (SQLite rolls back by itself, somebody writes COMMIT), values that
 * are set within, and whatever comes after: no cached read differs from the database, with a feed and without one.
 */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { defineTier } from '../../src/cache/tiers/define-tier.ts';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { cachedSync, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { watchTables } from '../../src/feed/watch-tables.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';
import { makeFolder } from './support.ts';

const KINDS = ['wrappers', 'feed', 'feed and disk'] as const;
type Kind = (typeof KINDS)[number];
const IDS = ['1', '2', '3'];

function bank(kind: Kind) {
  const folder = makeFolder();
  const db = new Database(folder.file());
  db.pragma('synchronous = OFF');
  db.exec(`CREATE TABLE users (id TEXT PRIMARY KEY, coins INTEGER); CREATE TABLE single (n UNIQUE); CREATE TABLE strict (n UNIQUE ON CONFLICT ROLLBACK);
    CREATE TRIGGER raised BEFORE DELETE ON single BEGIN SELECT RAISE(ROLLBACK, 'UNIQUE'); END;
    INSERT INTO users VALUES ('1', 1), ('2', 1), ('3', 1); INSERT INTO single VALUES (1); INSERT INTO strict VALUES (1)`);
  const clock = handClock();
  const cache = createCache({
    clock,
    logger: silentLogger,
    ...(kind === 'feed and disk' ? { disk: { path: join(folder.file('cache.db')) } } : {}),
    tiers: [
      defineTier('user', {
        ttlMs: 1e8,
        ...(kind === 'feed and disk' ? { persist: 'on_change' as const } : {}),
      }),
    ],
  });
  const feed =
    kind === 'wrappers'
      ? undefined
      : watchTables(db, cache, { users: 'user::{id}::*' }, { logger: silentLogger });
  if (kind === 'feed and disk' && feed !== undefined) cache.provenBy(feed);
  const sql = sqliteCache(db, cache, { feed, logger: silentLogger });
  const select = db.prepare<[string], number>('SELECT coins FROM users WHERE id = ?').pluck();
  const update = db.prepare<[number, string]>('UPDATE users SET coins = coins + ? WHERE id = ?');
  const truth = (id: string) => select.get(id);
  const coins = cachedSync(sql.cache, truth, { key: 'user::{0}::coins' });
  const add = (id: string, n: number) => update.run(n, id).changes;
  const pay =
    kind === 'wrappers' ? invalidates(sql.cache, add, 'user::{0}::*') : (id: string, n: number) => add(id, n);
  /** Writes and sets what is there by then. */
  const save = (id: string, n: number) =>
    sql.cache.writeSync(`user::${id}::coins`, (truth(id) ?? 0) + n, () => add(id, n));
  const stop = async () => {
    await cache.stop();
    feed?.stop();
    db.close();
    folder.remove();
  };
  return { db, sql, cache, clock, feed, coins, truth, pay, save, stop };
}

function begin(kind: Kind) {
  const made = bank(kind);
  onTestFinished(() => made.stop());
  for (const id of IDS) made.coins(id);
  return made;
}

/** What makes SQLite roll the whole transaction back. */
const ROLLED_BACK = [
  'INSERT OR ROLLBACK INTO single VALUES (1)',
  'UPDATE OR ROLLBACK users SET id = 1',
  'INSERT INTO strict VALUES (1)',
  'DELETE FROM single',
] as const;

const fails = (db: Database.Database, sql: string = ROLLED_BACK[0]) =>
  expect(() => db.exec(sql)).toThrow('UNIQUE');

describe.each(KINDS)('I7: with %s, a transaction that SQLite has rolled back by itself', (kind) => {
  it.each(ROLLED_BACK)('does not take along what another one commits within: %s', (rollback) => {
    const { db, sql, coins, pay } = begin(kind);
    const run = sql.transaction(() => {
      fails(db, rollback);
      expect(db.inTransaction).toBe(false);
      db.transaction(() => pay('1', 5))();
      expect(coins('1')).toBe(6);
      pay('2', 5);
    });
    expect(run).toThrow('no transaction is active');
    expect(IDS.map(coins)).toEqual([6, 6, 1]);
  });

  it('does not take along what is committed by hand within', () => {
    const { db, sql, coins, pay } = begin(kind);
    const run = sql.transaction(() => {
      pay('3', 5);
      fails(db);
      db.exec('BEGIN');
      pay('1', 5);
      db.exec('COMMIT');
    });
    expect(run).toThrow('no transaction is active');
    expect(IDS.map(coins)).toEqual([6, 1, 1]);
  });
});

describe.each(KINDS)('I7: with %s, a transaction that is ended by hand', (kind) => {
  it('invalidates what it has committed, though it fails', () => {
    const { db, sql, coins, pay, save } = begin(kind);
    const run = sql.transaction(() => {
      pay('1', 5);
      save('2', 5);
      db.exec('COMMIT');
      expect(coins('1')).toBe(6);
    });
    expect(run).toThrow('no transaction is active');
    expect(IDS.map(coins)).toEqual([6, 6, 1]);
  });

  it('invalidates what it has committed, though what follows is rolled back', () => {
    const { db, sql, coins, pay } = begin(kind);
    const run = sql.transaction(() => {
      pay('1', 5);
      db.exec('COMMIT; BEGIN');
      pay('2', 5);
      throw new Error('undo');
    });
    expect(run).toThrow('undo');
    expect(IDS.map(coins)).toEqual([6, 1, 1]);
  });

  it('keeps no value that it has set and rolled back, though what follows is committed', () => {
    const { db, sql, coins, save } = begin(kind);
    sql.transaction(() => {
      save('1', 5);
      db.exec('ROLLBACK; BEGIN');
      save('2', 5);
    })();
    expect(IDS.map(coins)).toEqual([1, 6, 1]);
  });
});

describe.each(KINDS)('I7: with %s, a rollback that is certain', (kind) => {
  it('covers nothing, wholly or to a savepoint', () => {
    const { cache, sql, pay, save, db } = begin(kind);
    const targets: unknown[] = [];
    cache.on('invalidated', ({ target }) => targets.push(target));
    const inner = sql.transaction(() => {
      pay('2', 5);
      save('2', 5);
      throw new Error('undo');
    });
    expect(
      sql.transaction(() => {
        expect(inner).toThrow('undo');
        pay('1', 5);
        sql.cache.invalidate('user::3::*');
        throw new Error('undo');
      }),
    ).toThrow('undo');
    expect(
      sql.transaction(() => {
        pay('1', 5);
        fails(db);
      }),
    ).toThrow('no transaction is active');
    expect(IDS.map((id) => cache.has(`user::${id}::coins`))).toEqual([true, true, true]);
    expect(targets).toEqual([]);
  });
});

describe.each(KINDS)('I2, I7: with %s, values that are set in a transaction', (kind) => {
  it('give way to what it writes afterwards, whatever is set before them', () => {
    const { db, sql, coins, truth, save, pay } = begin(kind);
    for (const before of [() => save('1', 5), () => pay('2', 1), () => sql.cache.clear(), () => undefined]) {
      sql.transaction(() => {
        before();
        save('2', 5);
        save('3', 5);
        db.exec('UPDATE users SET coins = coins + 1');
        for (const id of IDS) sql.cache.invalidate(...(kind === 'wrappers' ? [`user::${id}::*`] : []));
      })();
      expect(IDS.map(coins)).toEqual(IDS.map(truth));
    }
  });

  it('are kept where nothing is written after them', () => {
    const { cache, sql, coins, save } = begin(kind);
    sql.transaction(() => void save('2', 5))();
    expect([cache.get('user::2::coins'), coins('2')]).toEqual([6, 6]);
  });
});

type Step =
  | { readonly do: 'pay' | 'save' | 'invalidate' | 'read'; readonly id: string }
  | { readonly do: 'exec'; readonly sql: string }
  | { readonly do: 'clear' | 'all' }
  | {
      readonly do: 'ours' | 'theirs' | 'savepoint';
      readonly fails: boolean;
      readonly steps: readonly Step[];
    };

const { steps } = fc.letrec<{ steps: Step[]; step: Step }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 7 }),
  step: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('pay', 'save', 'invalidate', 'read'),
        id: fc.constantFrom(...IDS),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('exec'),
        sql: fc.constantFrom('BEGIN', 'COMMIT', 'COMMIT', 'ROLLBACK', ...ROLLED_BACK),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom('clear', 'all') }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('ours', 'ours', 'theirs', 'savepoint'),
        fails: fc.boolean(),
        steps: tie('steps'),
      }),
    },
  ),
}));

type Bank = ReturnType<typeof bank>;

/** What SQLite and better-sqlite3 refuse changes nothing but what they say. */
function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Undone) && !(error instanceof Database.SqliteError)) throw error;
  }
}

class Undone extends Error {}

function follow(made: Bank, kind: Kind, list: readonly Step[]): void {
  const { db, sql, coins, truth, pay, save } = made;
  for (const step of list) {
    if (step.do === 'pay') pay(step.id, 1);
    else if (step.do === 'save') save(step.id, 1);
    else if (step.do === 'invalidate') sql.cache.invalidate(`user::${step.id}::*`);
    else if (step.do === 'clear') sql.cache.clear();
    else if (step.do === 'exec') attempt(() => db.exec(step.sql));
    else if (step.do === 'all') {
      db.exec('UPDATE users SET coins = coins * 2');
      if (kind === 'wrappers') sql.cache.invalidate('user::*');
    } else if ('steps' in step) {
      const body = () => {
        follow(made, kind, step.steps);
        if (step.fails) throw new Undone();
      };
      if (step.do === 'savepoint') {
        attempt(() => db.exec('SAVEPOINT mine'));
        attempt(body);
        attempt(() => db.exec(step.fails ? 'ROLLBACK TO mine; RELEASE mine' : 'RELEASE mine'));
      } else attempt(() => (step.do === 'ours' ? sql.transaction(body) : db.transaction(body))());
    }
    for (const id of IDS) expect(coins(id)).toBe(truth(id));
  }
}

describe.each(KINDS)('I7: with %s, whatever ends a transaction', (kind) => {
  it('every read equals the database, within and after it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const made = bank(kind);
        const { db, cache, truth } = made;
        try {
          for (const id of IDS) made.coins(id);
          follow(made, kind, list);
          attempt(() => db.exec('ROLLBACK'));
          for (const id of IDS) expect(made.coins(id)).toBe(truth(id));
          // What is in the cache itself, too.
          for (const id of IDS) expect([undefined, truth(id)]).toContain(cache.get(`user::${id}::coins`));
        } finally {
          await made.stop();
        }
      }),
      { numRuns: Number(process.env.RUNS ?? 150), seed: Number(process.env.SEED ?? 1) },
    );
  }, 600_000);
});
