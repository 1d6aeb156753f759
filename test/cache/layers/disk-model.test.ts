/**
 * Memory, disk and change feed against a plain Map: two bots on one database and one cache file, and somebody who edits
 * the database without them. Bots stop, are killed, also between a commit and its invalidation, and start again; loads
 * take as long as they like. Whatever happens, no cached read differs from the Map.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import { createCache } from '../../../src/cache/create-cache.ts';
import { type SqliteCache, sqliteCache } from '../../../src/cache/transactions/sqlite.ts';
import { cachedSync } from '../../../src/cache/wrappers/wrappers.ts';
import type { FeedPosition } from '../../../src/feed/readers.ts';
import type { TableRules } from '../../../src/feed/rules.ts';
import { type Feed, watchTables } from '../../../src/feed/watch-tables.ts';
import { silentLogger } from '../../../src/logger.ts';
import { type HandClock, handClock } from '../../support/hand-clock.ts';
import { tierOf } from '../support.ts';

const IDS = ['1', '2', '3'] as const;
const NAMES = ['Ada', 'Bob'] as const;
const POLL_MS = 250;
const PERSIST_MS = 30_000;
const BEGAN_AT = Date.UTC(2026, 0, 1);

const RULES: TableRules = {
  users: [
    'user::{id}::*',
    { targets: 'query::richest', columns: ['id', 'cents'] },
    { targets: { tag: 'name:{name}' }, columns: ['id', 'name', 'cents'] },
  ],
};

const TIERS = [
  tierOf('user', ['user'], { persist: 'on_change', ttlMs: 600_000, negativeTtlMs: 600_000 }),
  tierOf('query', ['query', 'sum'], { persist: 'periodic', ttlMs: 600_000, negativeTtlMs: 600_000 }),
  tierOf('config', ['config'], { persist: 'on_shutdown', ttlMs: 600_000, negativeTtlMs: 600_000 }),
];

interface Person {
  readonly name: string;
  readonly cents: number;
}
type Id = (typeof IDS)[number];
type People = Map<Id, Person>;

/** What each read gives, worked out from the Map. */
const expected = {
  person: (people: People, id: Id): unknown => {
    const person = people.get(id);
    return person === undefined ? null : { id, ...person };
  },
  richest: (people: People): unknown =>
    [...people]
      .sort(([a, one], [b, other]) => other.cents - one.cents || (a < b ? -1 : 1))
      .slice(0, 2)
      .map(([id]) => id),
  sum: (people: People, name: string): unknown =>
    [...people.values()].reduce((sum, each) => sum + (each.name === name ? each.cents : 0), 0),
  greeting: (people: People): unknown => `Hello ${people.get('1')?.name ?? 'you'}`,
};

/** One process: all of it is gone when it is killed. */
class Bot {
  readonly clock: HandClock;
  readonly db: Database.Database;
  readonly cache: Cache;
  readonly feed: Feed;
  readonly sql: SqliteCache;
  /** Somebody else has written since it last looked. */
  isBehind = false;
  readonly #store: Database.Database[] = [];
  readonly #reads;

  constructor(folder: string, at: number) {
    this.clock = handClock(at);
    this.db = connect(folder);
    this.cache = createCache({
      // About five entries, so that reads come from disk.
      maxWeightBytes: 2_500,
      tiers: TIERS,
      cleanupIntervalMs: 60_000,
      clock: this.clock,
      logger: silentLogger,
      disk: {
        path: join(folder, 'cache.db'),
        intervalMs: PERSIST_MS,
        open: (path) => {
          const db = new Database(path);
          this.#store.push(db);
          return db;
        },
      },
    });
    const startAt = this.cache.feedPosition as FeedPosition | undefined;
    this.feed = watchTables(this.db, this.cache, RULES, {
      pollIntervalMs: POLL_MS,
      resumable: true,
      logger: silentLogger,
      ...(startAt === undefined ? {} : { startAt }),
    });
    this.cache.provenBy(this.feed);
    this.sql = sqliteCache(this.db, this.cache, { feed: this.feed, logger: silentLogger });
    const { cache } = this.sql;
    const person = this.db.prepare<[string]>('SELECT id, name, cents FROM users WHERE id = ?');
    const richest = this.db.prepare<[]>('SELECT id FROM users ORDER BY cents DESC, id LIMIT 2').pluck();
    const sum = this.db.prepare<[string]>('SELECT coalesce(sum(cents), 0) FROM users WHERE name = ?').pluck();
    const personOf = cachedSync(cache, (id: string): unknown => person.get(id) ?? null, {
      key: 'user::{0}::profile',
    });
    this.#reads = {
      person: personOf,
      richest: cachedSync(cache, (): unknown => richest.all(), { key: 'query::richest' }),
      sum: cachedSync(cache, (name: string): unknown => sum.get(name), {
        key: 'sum::{0}',
        tags: ['name:{0}'],
      }),
      greeting: cachedSync(
        cache,
        (): unknown => `Hello ${(person.get('1') as Person | undefined)?.name ?? 'you'}`,
        { key: 'config::greeting', dependsOn: ['user::1::profile'] },
      ),
    };
  }

  /** Reads everything, and looks at what slow loads have left. */
  compare(people: People): void {
    const reads = this.#reads;
    const found = {
      people: IDS.map((id) => reads.person(id)),
      richest: reads.richest(),
      sums: NAMES.map((name) => reads.sum(name)),
      greeting: reads.greeting(),
    };
    expect(found).toEqual({
      people: IDS.map((id) => expected.person(people, id)),
      richest: expected.richest(people),
      sums: NAMES.map((name) => expected.sum(people, name)),
      greeting: expected.greeting(people),
    });
    for (const id of IDS) {
      const slow = this.sql.cache.lookup(slowKey(id));
      if (slow.state === 'hit') expect(slow.value).toEqual(expected.person(people, id));
    }
  }

  async stop(): Promise<void> {
    await this.cache.stop();
    this.feed.stop();
    this.db.close();
  }

  /** Nothing more is written, and its clock stands still. */
  kill(): void {
    for (const db of this.#store) db.close();
    this.db.close();
  }
}

const slowKey = (id: Id) => `user::${id}::slow`;

function connect(folder: string): Database.Database {
  const db = new Database(join(folder, 'bot.sqlite'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = OFF');
  return db;
}

interface Model {
  people: People;
}

class World {
  readonly folder = mkdtempSync(join(tmpdir(), 'cachecord-model-'));
  readonly outsider = connect(this.folder);
  readonly scheduler: fc.Scheduler;
  readonly bots: (Bot | undefined)[];
  restored = 0;
  #at = BEGAN_AT;

  constructor(scheduler: fc.Scheduler) {
    this.scheduler = scheduler;
    this.outsider.exec(
      'CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL, cents INTEGER NOT NULL)',
    );
    this.bots = [new Bot(this.folder, this.#at), new Bot(this.folder, this.#at)];
  }

  start(which: number): void {
    this.bots[which] ??= new Bot(this.folder, this.#at);
  }

  end(which: number): Bot | undefined {
    const bot = this.bots[which];
    this.bots[which] = undefined;
    this.restored += bot?.cache.stats(0).disk?.restored ?? 0;
    return bot;
  }

  async pass(ms: number): Promise<void> {
    this.#at += ms;
    for (const bot of this.bots) {
      await bot?.clock.advanceAsync(ms);
      if (bot !== undefined && ms >= POLL_MS) bot.isBehind = false;
    }
  }

  written(by: Bot | undefined): void {
    for (const bot of this.bots) if (bot !== undefined && bot !== by) bot.isBehind = true;
  }

  compare({ people }: Model): void {
    for (const bot of this.bots) if (bot?.isBehind === false) bot.compare(people);
  }

  async close(): Promise<void> {
    for (const which of [0, 1]) await this.end(which)?.stop();
    this.outsider.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// ---- what people and bots write ----

type Write =
  | { readonly kind: 'put'; readonly id: Id; readonly name: string; readonly cents: number }
  | { readonly kind: 'pay'; readonly id: Id; readonly cents: number }
  | { readonly kind: 'delete'; readonly id: Id };

const idOf = fc.constantFrom(...IDS);
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({
    kind: fc.constant('put' as const),
    id: idOf,
    name: fc.constantFrom(...NAMES),
    cents: fc.nat(9),
  }),
  fc.record({ kind: fc.constant('pay' as const), id: idOf, cents: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('delete' as const), id: idOf }),
);

function run(db: Database.Database, written: Write): void {
  if (written.kind === 'delete') db.prepare('DELETE FROM users WHERE id = ?').run(written.id);
  else if (written.kind === 'pay')
    db.prepare('UPDATE users SET cents = cents + ? WHERE id = ?').run(written.cents, written.id);
  else {
    const sql =
      'INSERT INTO users VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET name = excluded.name, cents = excluded.cents';
    db.prepare(sql).run(written.id, written.name, written.cents);
  }
}

function note(people: People, written: Write): void {
  const { id } = written;
  const person = people.get(id);
  if (written.kind === 'delete') people.delete(id);
  else if (written.kind === 'put') people.set(id, { name: written.name, cents: written.cents });
  else if (person !== undefined) people.set(id, { ...person, cents: person.cents + written.cents });
}

// ---- commands ----

class Step implements fc.AsyncCommand<Model, World> {
  readonly #name: string;
  readonly #run: (world: World, model: Model) => unknown;

  constructor(name: string, step: (world: World, model: Model) => unknown) {
    this.#name = name;
    this.#run = step;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, world: World): Promise<void> {
    await this.#run(world, model);
    world.compare(model);
  }

  toString(): string {
    return this.#name;
  }
}

const whichBot = fc.constantFrom(0, 1);
const told = (work: unknown) => JSON.stringify(work);

class Undone extends Error {}

const persist = whichBot.map(
  (which) => new Step(`bot ${which} persists`, (world) => world.bots[which]?.cache.persist()),
);

const steps: fc.Arbitrary<Step>[] = [
  persist,
  persist,
  persist,
  fc.tuple(whichBot, write).map(
    ([which, written]) =>
      new Step(`bot ${which} writes ${told(written)}`, (world, { people }) => {
        const bot = world.bots[which];
        if (bot === undefined) return;
        run(bot.db, written);
        note(people, written);
        world.written(bot);
      }),
  ),
  fc.tuple(whichBot, fc.array(write, { minLength: 1, maxLength: 3 }), fc.boolean()).map(
    ([which, work, fails]) =>
      new Step(`bot ${which} ${fails ? 'rolls back' : 'commits'} ${told(work)}`, (world, { people }) => {
        const bot = world.bots[which];
        if (bot === undefined) return;
        const transaction = bot.sql.transaction(() => {
          for (const written of work) run(bot.db, written);
          if (fails) throw new Undone();
        });
        if (fails) {
          expect(transaction).toThrow(Undone);
          return;
        }
        transaction();
        for (const written of work) note(people, written);
        world.written(bot);
      }),
  ),
  write.map(
    (written) =>
      new Step(`somebody writes ${told(written)}`, (world, { people }) => {
        run(world.outsider, written);
        note(people, written);
        world.written(undefined);
      }),
  ),
  fc.tuple(whichBot, write).map(
    ([which, written]) =>
      new Step(`bot ${which} dies after the commit of ${told(written)}`, (world, { people }) => {
        const bot = world.end(which);
        if (bot === undefined) return;
        run(bot.db, written);
        note(people, written);
        bot.kill();
        world.written(undefined);
      }),
  ),
  whichBot.map((which) => new Step(`bot ${which} is killed`, (world) => world.end(which)?.kill())),
  whichBot.map((which) => new Step(`bot ${which} stops`, (world) => world.end(which)?.stop())),
  whichBot.map((which) => new Step(`bot ${which} starts`, (world) => world.start(which))),
  whichBot.map(
    (which) =>
      new Step(`bot ${which} is killed and starts`, (world) => {
        world.end(which)?.kill();
        world.start(which);
      }),
  ),
  whichBot.map(
    (which) =>
      new Step(`bot ${which} stops and starts`, async (world) => {
        await world.end(which)?.stop();
        world.start(which);
      }),
  ),
  whichBot.map(
    (which) =>
      new Step(`bot ${which} looks for changes`, ({ bots }) => {
        const bot = bots[which];
        bot?.feed.drain();
        if (bot !== undefined) bot.isBehind = false;
      }),
  ),
  fc
    .constantFrom(10, POLL_MS, 1_000, PERSIST_MS, 300_000)
    .map((ms) => new Step(`${ms} ms pass`, (world) => world.pass(ms))),
  fc
    .tuple(whichBot, fc.constantFrom('user::*', 'query::richest', '*', 'user::1::profile'))
    .map(
      ([which, target]) =>
        new Step(`bot ${which} invalidates ${target}`, (world) =>
          world.bots[which]?.cache.invalidate(target),
        ),
    ),
  fc.tuple(whichBot, idOf).map(
    ([which, id]) =>
      new Step(`bot ${which} begins a slow load of ${id}`, ({ bots, scheduler }) => {
        const bot = bots[which];
        if (bot === undefined) return;
        const select = bot.db.prepare('SELECT id, name, cents FROM users WHERE id = ?');
        const load = async () => {
          const row = select.get(id) ?? null;
          await scheduler.schedule(Promise.resolve(), `slow load of ${id}`);
          return row;
        };
        // Who waits gets what was asked for then; what is kept of it is looked at afterwards. A bot may die meanwhile.
        bot.sql.cache.getOrLoad(slowKey(id), load).catch(() => undefined);
      }),
  ),
];

it('I2, I7, I8, I9: two bots, killed and started again, never serve what the database does not hold', async () => {
  let restored = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.commands(steps, { maxCommands: 60 }), async (scheduler, commands) => {
      const world = new World(scheduler);
      try {
        await fc.scheduledModelRun(
          scheduler,
          () => ({ model: { people: new Map() }, real: world }),
          commands,
        );
      } finally {
        await world.close();
        restored += world.restored;
      }
    }),
    { numRuns: 60 },
  );
  // Not by reading everything anew.
  expect(restored).toBeGreaterThan(50);
}, 120_000);
