import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { sqliteCache } from '../../src/cache/transactions/sqlite.ts';
import { cached, cachedSync, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';
import { brokenLogger } from './support.ts';

const USERS = ['a', 'b', 'c'];
type Args = [id: string, cents: number];

/** A bank of three, with everything that a bot's author would wrap. */
function openBank() {
  const db = new Database(':memory:');
  db.exec('CREATE TABLE wallets (id TEXT PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0)) STRICT');
  for (const id of USERS) db.prepare('INSERT INTO wallets VALUES (?, 100)').run(id);
  const cache = createCache({
    maxWeightBytes: 1e7,
    tiers: [
      {
        tier: 'user',
        label: 'User',
        description: '',
        ttlMs: 60_000,
        negativeTtlMs: 60_000,
        jitterRatio: 0,
        namespaces: ['user', 'query'],
      },
      {
        tier: 'query',
        label: 'Query',
        description: '',
        ttlMs: 60_000,
        negativeTtlMs: 60_000,
        jitterRatio: 0,
        namespaces: [],
      },
    ],
    cleanupIntervalMs: 60_000,
    clock: handClock(),
    logger: silentLogger,
  });
  const warnings: string[] = [];
  const logger = {
    ...silentLogger,
    warn: (message: string) => void warnings.push(message),
    error: (message: string) => void warnings.push(message),
  };
  const sql = sqliteCache(db, cache, { logger });
  const select = db.prepare<[string], { cents: number }>('SELECT cents FROM wallets WHERE id = ?');
  const sum = db.prepare<[], { cents: number }>('SELECT sum(cents) AS cents FROM wallets');
  const update = db.prepare('UPDATE wallets SET cents = cents + ? WHERE id = ?');
  const readWallet = (id: string) => select.get(id)?.cents;
  const readTotal = () => sum.get()?.cents;
  const wallet = cachedSync(sql.cache, readWallet, { key: 'user::{0}::wallet', tags: ['wallets'] });
  const total = cachedSync(sql.cache, readTotal, { key: 'query::total', tags: ['wallets'] });
  // Made from the wallet, so it depends on it.
  const badge = cachedSync(sql.cache, (id: string) => `${readWallet(id)} cents`, {
    key: 'query::badge::{0}',
    dependsOn: ['user::{0}::wallet'],
  });
  const pay = invalidates(
    sql.cache,
    (...[id, cents]: Args) => update.run(cents, id).changes,
    ['user::{0}::*', 'query::total'],
    { parameters: 2 },
  );
  const payByTag = invalidates(
    sql.cache,
    (...[id, cents]: Args) => update.run(cents, id).changes,
    ([id]) => [{ tag: 'wallets' }, `user::${id}::wallet`],
  );
  /** Writes, and puts the new value into the cache instead of only removing the old one. */
  const payAndSet = (...[id, cents]: Args) => {
    update.run(cents, id);
    sql.cache.invalidate('query::total');
    sql.cache.set(`user::${id}::wallet`, readWallet(id), { tags: ['wallets'] });
  };
  return { db, cache, sql, warnings, readWallet, readTotal, wallet, total, badge, pay, payByTag, payAndSet };
}

let bank: ReturnType<typeof openBank>;
beforeEach(() => {
  bank = openBank();
});
afterEach(async () => {
  await bank.cache.stop();
  bank.db.close();
});

/** Runs it and swallows the error it throws on purpose. */
function rolledBack(run: () => unknown): void {
  expect(run).toThrow('roll back');
}
const rollBack = (): never => {
  throw new Error('roll back');
};

/** The targets that reached the cache. */
function heard(cache: Cache): unknown[] {
  const targets: unknown[] = [];
  cache.on('invalidated', ({ target }) => void targets.push(target));
  return targets;
}

describe('I6: a value within a transaction', () => {
  it.each(['kept before it', 'set within it'])('comes as the read asks for it: %s', async (when) => {
    const { sql } = bank;
    const load = () => ({ name: 'Ada' });
    if (when === 'kept before it') sql.cache.set('user::a::profile', load(), { values: 'frozen' });
    const read = sql.transaction(() => {
      if (when !== 'kept before it') sql.cache.set('user::a::profile', load(), { values: 'frozen' });
      const [own, shared] = [
        sql.cache.getOrLoadSync('user::a::profile', load),
        sql.cache.getOrLoadSync('user::a::profile', load, { values: 'frozen' }),
      ];
      return { own, shared };
    });
    const { own, shared } = read();
    own.name = 'Bob';
    expect([own.name, shared.name]).toEqual(['Bob', 'Ada']);
    expect(Object.isFrozen(shared)).toBe(true);
  });
});

describe('a transaction', () => {
  it('I7: invalidates at its commit, not before', () => {
    const { sql, cache, wallet, pay } = bank;
    wallet('a');
    wallet('b');
    const targets = heard(cache);
    sql.transaction(() => {
      pay('a', -30);
      pay('b', 30);
      expect([targets.length, cache.get('user::a::wallet')]).toEqual([0, 100]);
    })();
    expect(targets.length).toBeGreaterThan(0);
    expect([wallet('a'), wallet('b')]).toEqual([70, 130]);
  });

  it('I7: invalidates nothing when it is rolled back', () => {
    const { sql, cache, wallet, pay } = bank;
    wallet('a');
    const targets = heard(cache);
    rolledBack(() =>
      sql.transaction(() => {
        pay('a', -30);
        rollBack();
      })(),
    );
    expect([targets, cache.get('user::a::wallet'), wallet('a')]).toEqual([[], 100, 100]);
  });

  it('I7: invalidates nothing when the database refuses its commit', () => {
    const { sql, db, cache, wallet, pay } = bank;
    db.exec(
      'PRAGMA foreign_keys = ON; CREATE TABLE notes (id TEXT REFERENCES wallets(id) DEFERRABLE INITIALLY DEFERRED)',
    );
    wallet('a');
    const targets = heard(cache);
    expect(() =>
      sql.transaction(() => {
        pay('a', -30);
        db.exec("INSERT INTO notes VALUES ('nobody')");
      })(),
    ).toThrow(/FOREIGN KEY/);
    expect([targets, db.inTransaction, wallet('a')]).toEqual([[], false, 100]);
  });

  it('reads what it has changed from the database, and the rest from the cache', () => {
    const { sql, db, wallet, total, badge, pay } = bank;
    for (const id of USERS) wallet(id);
    badge('a');
    total();
    sql.transaction(() => {
      pay('a', -30);
      db.exec("UPDATE wallets SET cents = 1 WHERE id = 'c'");
      expect([wallet('a'), wallet('b'), total(), badge('a')]).toEqual([70, 100, 171, '70 cents']);
      // A write that nobody told the cache of: a hit, as outside of transactions.
      expect(wallet('c')).toBe(100);
    })();
    expect([wallet('a'), total(), badge('a')]).toEqual([70, 171, '70 cents']);
  });

  it('fills nothing, since what it reads may yet be rolled back', () => {
    const { sql, db, cache, wallet } = bank;
    rolledBack(() =>
      sql.transaction(() => {
        db.exec("UPDATE wallets SET cents = 1 WHERE id = 'a'");
        expect(wallet('a')).toBe(1);
        expect(cache.has('user::a::wallet')).toBe(false);
        rollBack();
      })(),
    );
    expect(wallet('a')).toBe(100);
  });

  it('puts what it set into the cache at its commit, and shows it to its own reads before', () => {
    const { sql, cache, wallet, payAndSet } = bank;
    wallet('a');
    sql.transaction(() => {
      payAndSet('a', 1);
      expect([sql.cache.get('user::a::wallet'), sql.cache.has('user::a::wallet')]).toEqual([101, true]);
      expect(cache.get('user::a::wallet')).toBe(100);
    })();
    expect(cache.get('user::a::wallet')).toBe(101);
    rolledBack(() =>
      sql.transaction(() => {
        payAndSet('a', 1);
        rollBack();
      })(),
    );
    expect(cache.get('user::a::wallet')).toBe(101);
  });

  it('forgets what it set when it invalidates that afterwards, by tag, pattern or clear', () => {
    const { sql } = bank;
    const forget = [{ tag: 'mine' }, 'user::*', 'user::z::wallet'] as const;
    for (const target of forget) {
      sql.transaction(() => {
        sql.cache.set('user::z::wallet', 1, { tags: ['mine'] });
        sql.cache.invalidate(target);
        expect(sql.cache.lookup('user::z::wallet').state).toBe('miss');
      })();
      expect(sql.cache.has('user::z::wallet')).toBe(false);
    }
    sql.transaction(() => {
      sql.cache.set('user::z::wallet', 1);
      sql.cache.clear();
      expect(sql.cache.has('user::z::wallet')).toBe(false);
      sql.cache.set('user::z::wallet', 2);
    })();
    expect(sql.cache.get('user::z::wallet')).toBe(2);
  });

  it('I6: keeps what it set as it was then', () => {
    const { sql } = bank;
    const tags = new Set(['x']);
    sql.transaction(() => {
      sql.cache.set('user::z::tags', tags);
      tags.add('y');
      sql.cache.get<Set<string>>('user::z::tags')?.add('z');
      expect(sql.cache.get('user::z::tags')).toEqual(new Set(['x']));
    })();
    expect(sql.cache.get('user::z::tags')).toEqual(new Set(['x']));
  });

  it('I2: its commit voids loads that were in flight before it', async () => {
    const { sql, pay, readWallet, cache } = bank;
    const gate = Promise.withResolvers<void>();
    const slow = cached(
      sql.cache,
      async (id: string) => {
        const cents = readWallet(id);
        await gate.promise;
        return cents;
      },
      { key: 'user::{0}::slow' },
    );
    const early = slow('a');
    sql.transaction(() => pay('a', -30))();
    gate.resolve();
    expect([await early, cache.has('user::a::slow'), await slow('a')]).toEqual([100, false, 70]);
  });

  it('asks the database in batches, too', async () => {
    const { sql, wallet, pay, readWallet } = bank;
    wallet('a');
    wallet('b');
    const keys = USERS.map((id) => `user::${id}::wallet`);
    const asked: string[][] = [];
    const load = (missing: readonly string[]) => {
      asked.push([...missing]);
      return new Map(missing.map((key) => [key, readWallet(key.split('::')[1] ?? '')]));
    };
    let reading: Promise<Map<string, number | undefined>> | undefined;
    sql.transaction(() => {
      pay('a', 5);
      reading = sql.cache.getOrLoadMany(keys, load);
    })();
    expect([...((await reading)?.entries() ?? [])]).toEqual([
      ['user::a::wallet', 105],
      ['user::b::wallet', 100],
      ['user::c::wallet', 100],
    ]);
    expect(asked).toEqual([['user::a::wallet', 'user::c::wallet']]);
  });

  it("passes arguments, `this` and the result on, in all of better-sqlite3's kinds", () => {
    const { sql, db } = bank;
    const add = sql.transaction(function (this: unknown, a: number, b: number) {
      return [a + b, db.inTransaction, this];
    });
    for (const run of [add, add.default, add.deferred, add.immediate, add.exclusive]) {
      expect(run.call('self' as never, 1, 2)).toEqual([3, true, 'self']);
    }
    expectTypeOf(add.immediate).parameters.toEqualTypeOf<[a: number, b: number]>();
  });

  it('gives all that `db.transaction` gives', () => {
    const { sql, db } = bank;
    const ours = sql.transaction((n: number) => n);
    const theirs = db.transaction((n: number) => n);
    expect(ours.default).toBe(ours);
    for (const variant of [ours, ours.deferred, ours.immediate.exclusive, ours.exclusive.default.deferred]) {
      expect(variant(1)).toBe(1);
      expect(variant.database).toBe(db);
      expect(Object.keys(variant)).toEqual(Object.keys(theirs));
      expect(Object.getOwnPropertyNames(variant).sort()).toEqual(Object.getOwnPropertyNames(theirs).sort());
      expect([variant.length, variant.name]).toEqual([theirs.length, theirs.name]);
      expect(variant.immediate).toBe(ours.immediate);
    }
    expectTypeOf(ours.exclusive.immediate).toEqualTypeOf(ours);
    expectTypeOf(ours.database).toEqualTypeOf(db);
  });

  it("throws better-sqlite3's types of errors", () => {
    const { sql, db } = bank;
    const thrown = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return [(error as Error).constructor, (error as Error).name];
      }
    };
    const all = (transaction: (fn: never) => () => unknown) => [
      thrown(() => transaction(7 as never)),
      thrown(() => transaction(undefined as never)),
      thrown(() => transaction((() => Promise.resolve()) as never)()),
      thrown(() => transaction((() => db.exec('nonsense')) as never)()),
      thrown(() => transaction((() => db.exec('COMMIT')) as never)()),
    ];
    expect(all((fn) => sql.transaction(fn))).toEqual(all((fn) => db.transaction(fn)));
    expect(thrown(() => sql.transaction((async () => undefined) as never))).toEqual([TypeError, 'TypeError']);
  });

  it('refuses asynchronous functions, at once or, rolled back, when they give a promise', () => {
    const { sql, wallet, pay, cache } = bank;
    wallet('a');
    expect(() => sql.transaction(async () => pay('a', 1))).toThrow(
      expect.objectContaining({ code: 'ERR_TRANSACTION' }),
    );
    const targets = heard(cache);
    const hidden = sql.transaction(() => {
      pay('a', 1);
      return Promise.reject(new Error('nobody hears this'));
    });
    expect(hidden).toThrow(expect.objectContaining({ code: 'ERR_TRANSACTION' }));
    expect([targets, wallet('a'), bank.readWallet('a')]).toEqual([[], 100, 100]);
  });

  it('refuses what is no target without failing what was done before', () => {
    const { sql, wallet, pay } = bank;
    wallet('a');
    sql.transaction(() => {
      pay('a', 1);
      expect(() => sql.cache.invalidate('user::b::*', '')).toThrow(
        expect.objectContaining({ code: 'ERR_KEY_INVALID' }),
      );
    })();
    expect(wallet('a')).toBe(101);
  });
});

describe('nested transactions', () => {
  it('drop what an inner one changed when it alone is rolled back', () => {
    const { sql, cache, wallet, pay } = bank;
    for (const id of USERS) wallet(id);
    const inner = sql.transaction(() => {
      pay('b', 5);
      expect(wallet('b')).toBe(105);
      rollBack();
    });
    sql.transaction(() => {
      pay('a', 5);
      rolledBack(inner);
      expect([wallet('a'), wallet('b')]).toEqual([105, 100]);
    })();
    expect([
      cache.has('user::a::wallet'),
      cache.has('user::b::wallet'),
      cache.has('user::c::wallet'),
    ]).toEqual([false, true, true]);
    expect(wallet('a')).toBe(105);
  });

  it('apply what an inner one changed at the outermost commit only', () => {
    const { sql, cache, wallet, pay } = bank;
    wallet('a');
    const inner = sql.transaction(() => pay('a', 5));
    sql.transaction(() => {
      inner();
      expect(cache.get('user::a::wallet')).toBe(100);
    })();
    expect(wallet('a')).toBe(105);
    rolledBack(() =>
      sql.transaction(() => {
        inner();
        rollBack();
      })(),
    );
    expect(cache.get('user::a::wallet')).toBe(105);
  });
});

describe('a transaction begun elsewhere', () => {
  it('is reported once, and nothing it wrote is served stale after its commit', () => {
    const { db, wallet, pay, warnings } = bank;
    wallet('a');
    db.exec('BEGIN');
    pay('a', 5);
    expect(wallet('a')).toBe(105);
    db.exec('COMMIT');
    expect([wallet('a'), wallet('a')]).toEqual([105, 105]);
    expect(warnings).toEqual([expect.stringMatching(/begin it with transaction\(\)/)]);
  });

  it('leaves nothing of what it wrote behind after its rollback', () => {
    const { db, cache, wallet, payAndSet } = bank;
    db.exec('BEGIN');
    payAndSet('a', 5);
    expect([wallet('a'), cache.has('user::a::wallet')]).toEqual([105, false]);
    db.exec('ROLLBACK');
    expect(wallet('a')).toBe(100);
  });

  it('may hold one of ours, which then waits for it', () => {
    const { db, sql, cache, wallet, payAndSet } = bank;
    wallet('a');
    db.exec('BEGIN');
    sql.transaction(() => payAndSet('a', 5))();
    expect([wallet('a'), cache.has('user::a::wallet')]).toEqual([105, false]);
    db.exec('ROLLBACK');
    expect(wallet('a')).toBe(100);
  });

  it('SQLite may also end one of ours by itself, after an error that is caught', () => {
    const { db, sql, wallet, pay } = bank;
    wallet('a');
    wallet('b');
    expect(() =>
      sql.transaction(() => {
        pay('a', 5);
        expect(() => db.exec("INSERT OR ROLLBACK INTO wallets VALUES ('a', 0)")).toThrow(/UNIQUE/);
        // From here on each write is committed at once.
        pay('b', 5);
      })(),
    ).toThrow();
    expect([wallet('a'), wallet('b')]).toEqual([100, 105]);
  });
});

type Step =
  | { do: 'read' | 'badge'; id: string }
  | { do: 'total' }
  | { do: 'clear' }
  | { do: 'pay' | 'payByTag' | 'payAndSet'; id: string; cents: number }
  | { do: 'ours' | 'theirs'; commits: boolean; steps: Step[] };

const id = fc.constantFrom(...USERS);
const cents = fc.integer({ min: -60, max: 60 });
const { steps } = fc.letrec<{ steps: Step[]; step: Step }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 8 }),
  step: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('read' as const, 'badge' as const), id }) },
    { weight: 1, arbitrary: fc.constantFrom({ do: 'total' as const }, { do: 'clear' as const }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('pay' as const, 'payByTag' as const, 'payAndSet' as const),
        id,
        cents,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom('ours' as const, 'ours' as const, 'theirs' as const),
        commits: fc.boolean(),
        steps: tie('steps'),
      }),
    },
  ),
}));

describe('any nesting of transactions, commits, rollbacks, writes and reads', () => {
  it('I7: every read shows what the database holds, and the cache holds only what is committed', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const { db, cache, sql, wallet, total, badge, readWallet, readTotal, ...writes } = openBank();
        const check = () => {
          for (const id of USERS) {
            expect(wallet(id)).toBe(readWallet(id));
            expect(badge(id)).toBe(`${readWallet(id)} cents`);
          }
          expect(total()).toBe(readTotal());
        };
        const run = (program: Step[]): void => {
          for (const step of program) {
            switch (step.do) {
              case 'read':
                expect(wallet(step.id)).toBe(readWallet(step.id));
                break;
              case 'badge':
                expect(badge(step.id)).toBe(`${readWallet(step.id)} cents`);
                break;
              case 'total':
                expect(total()).toBe(readTotal());
                break;
              case 'clear':
                sql.cache.clear();
                break;
              case 'ours':
                try {
                  sql.transaction(() => {
                    run(step.steps);
                    if (!step.commits) rollBack();
                  })();
                } catch (error) {
                  if (!String(error).includes('roll back')) throw error;
                }
                break;
              case 'theirs':
                if (db.inTransaction) {
                  db.exec('SAVEPOINT theirs');
                  run(step.steps);
                  db.exec(step.commits ? 'RELEASE theirs' : 'ROLLBACK TO theirs; RELEASE theirs');
                  break;
                }
                db.exec('BEGIN');
                run(step.steps);
                db.exec(step.commits ? 'COMMIT' : 'ROLLBACK');
                break;
              default:
                try {
                  writes[step.do](step.id, step.cents);
                } catch (error) {
                  // The wallet would have gone below zero: refused, and nothing has changed.
                  if (!String(error).includes('CHECK')) throw error;
                }
            }
            check();
            // What lies in the cache itself is what the database holds, when no transaction is open.
            if (db.inTransaction) continue;
            for (const id of USERS) {
              const resident = cache.lookup(`user::${id}::wallet`);
              if (resident.state === 'hit') expect(resident.value).toBe(readWallet(id));
            }
          }
        };
        run(program);
        await cache.stop();
        db.close();
      }),
      { numRuns: 300 },
    );
  });

  it('I7: what is rolled back as a whole leaves the cache as it was', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const { db, cache, sql, wallet, total, badge, payByTag, payAndSet, pay } = openBank();
        for (const id of USERS) wallet(id);
        total();
        const targets = heard(cache);
        const writes = { pay, payByTag, payAndSet };
        const run = (program: Step[]): void => {
          for (const step of program) {
            if (step.do === 'ours' || step.do === 'theirs') {
              try {
                sql.transaction(() => {
                  run(step.steps);
                  if (!step.commits) rollBack();
                })();
              } catch (error) {
                if (!String(error).includes('roll back')) throw error;
              }
            } else if (step.do === 'clear') sql.cache.clear();
            else if (step.do === 'total') total();
            else if ('cents' in step) {
              try {
                writes[step.do](step.id, step.cents);
              } catch (error) {
                if (!String(error).includes('CHECK')) throw error;
              }
            } else if (step.do === 'read') wallet(step.id);
            else if (step.do === 'badge') badge(step.id);
          }
        };
        rolledBack(() =>
          sql.transaction(() => {
            run(program);
            rollBack();
          })(),
        );
        expect(targets).toEqual([]);
        expect(USERS.map((id) => cache.get(`user::${id}::wallet`))).toEqual([100, 100, 100]);
        expect(cache.stats().total.entries).toBe(4);
        await cache.stop();
        db.close();
      }),
      { numRuns: 100 },
    );
  });
});

describe('what goes wrong beside a transaction', () => {
  it('I4: a logger that throws fails no read within one begun elsewhere', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { db, cache } = bank;
    const sql = sqliteCache(db, cache, { logger: brokenLogger });
    db.exec('BEGIN');
    expect(await sql.cache.getOrLoad('user::a', () => 1)).toBe(1);
    db.exec('ROLLBACK');
    expect(warnings).toHaveBeenCalledOnce();
    warnings.mockRestore();
  });

  it('I4: a value whose bytes are gone is not kept, and nothing is rolled back for it', () => {
    const { db, sql, cache, readWallet } = bank;
    const bytes = new ArrayBuffer(8);
    const views = [new DataView(bytes), new Uint8Array(bytes), bytes];
    structuredClone(bytes, { transfer: [bytes] });
    for (const view of views) {
      sql.transaction(() => {
        sql.cache.writeSync('user::a', view, () => db.exec('UPDATE wallets SET cents = cents + 1'));
      })();
    }
    expect(readWallet('a')).toBe(103);
    expect(cache.has('user::a')).toBe(false);
  });

  it('I7: `writeSync` refuses a save that gives a promise, and keeps nothing', async () => {
    const { sql, cache } = bank;
    cache.set('user::a', 'old');
    const write = sql.transaction(() => sql.cache.writeSync('user::a', 'new', async () => 1));
    expect(write).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT_INVALID' }));
    await Promise.resolve();
    expect(cache.get('user::a')).not.toBe('new');
  });
});
