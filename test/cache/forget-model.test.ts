/**
 * Forgetting among everything else that happens to the file, in any order: locks, readers of an older state, ends,
 * kills, damage. Who is forgotten is not served, not warmed and, once that is said to be finished, nowhere in the bytes.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { forget } from '../../src/forget.ts';
import { placeForEach } from './layers/support.ts';
import { tierOf } from './support.ts';

const place = placeForEach();
const tiers = [
  tierOf('query', ['query'], { persist: 'on_change', ttlMs: 3_600_000, graceMs: 3_600_000 }),
  tierOf('reference', ['products'], { persist: 'periodic', ttlMs: 3_600_000 }),
];

const PEOPLE = [0, 1, 2] as const;
const idOf = (person: number) => `8035111022467891${person}`;
const aPerson = fc.constantFrom(...PEOPLE);

type Step =
  | { readonly do: 'use' | 'forget'; readonly person: number }
  | {
      readonly do:
        | 'persist'
        | 'lock'
        | 'unlock'
        | 'read'
        | 'warm'
        | 'list'
        | 'run'
        | 'wait'
        | 'stop'
        | 'kill';
    }
  | { readonly do: 'damage'; readonly at: number; readonly bit: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('use' as const), person: aPerson }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('forget' as const), person: aPerson }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'persist',
          'lock',
          'unlock',
          'read',
          'warm',
          'list',
          'run',
          'wait',
          'stop',
          'kill',
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('damage' as const),
        at: fc.double({ min: 0, max: 0.999, noNaN: true }),
        bit: fc.nat(7),
      }),
    },
  ),
  { minLength: 5, maxLength: 40 },
) as fc.Arbitrary<Step[]>;

class World {
  cache!: Cache;
  loads: string[] = [];
  #read!: (id: string) => string;
  #page!: (id: string) => string;
  /** Timers of a process that was killed do nothing. */
  #isAlive = { is: true };
  #locks: Database.Database[] = [];
  #jobs: (() => unknown)[] = [];
  /** Forgotten, and not asked for since. */
  readonly gone = new Set<number>();
  /** Of those, who is still in the file as far as was said. */
  readonly unfinished = new Set<number>();
  isDamaged = false;

  start(): void {
    this.#isAlive.is = false;
    const alive = { is: true };
    this.#isAlive = alive;
    const { clock } = place;
    const whileAlive = (run: () => void) => () => {
      if (alive.is) run();
    };
    this.cache = place.start({
      tiers,
      clock: {
        ...clock,
        after: (ms, run) => clock.after(ms, whileAlive(run)),
        every: (ms, run) => clock.every(ms, whileAlive(run)),
      },
    });
    this.#read = cachedSync(
      this.cache,
      (id: string) => {
        this.loads.push(id);
        return `Secret orders of ${id}`;
      },
      { key: 'query::{0}::orders' },
    );
    this.#page = cachedSync(
      this.cache,
      (id: string) => {
        this.loads.push(id);
        return `A page that names ${id}`;
      },
      { key: 'products::page::{0}', tags: ['user:{0}'] },
    );
    this.#jobs = [];
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'use':
        this.gone.delete(step.person);
        this.unfinished.delete(step.person);
        for (let i = 0; i < 3; i++) for (const read of [this.#read, this.#page]) read(idOf(step.person));
        return;
      case 'forget': {
        const { isUnfinished } = await forget(this.cache, 'user', idOf(step.person));
        this.gone.add(step.person);
        if (isUnfinished) this.unfinished.add(step.person);
        else this.unfinished.delete(step.person);
        return;
      }
      case 'persist':
        return this.cache.persist();
      case 'lock':
        return this.#open('BEGIN IMMEDIATE');
      case 'read':
        return this.#open('BEGIN; SELECT count(*) FROM cache_storage');
      case 'unlock':
        return this.#unlock();
      case 'warm':
        await this.#list();
        return this.#run();
      case 'list':
        return this.#list();
      case 'run':
        return this.#run();
      case 'wait':
        return place.clock.advanceAsync(60_000);
      case 'stop':
        await this.cache.stop();
        // What the file did not give up until then went with it.
        this.unfinished.clear();
        return this.start();
      case 'kill':
        place.kill(this.cache);
        // What was not finished, may be there again.
        for (const person of this.unfinished) this.gone.delete(person);
        this.unfinished.clear();
        return this.start();
      case 'damage':
        return this.#damage(step);
    }
  }

  check(): void {
    for (const person of this.gone) {
      for (const key of [`query::${idOf(person)}::orders`, `products::page::${idOf(person)}`]) {
        expect(this.cache.has(key), `${key} is there`).toBe(false);
      }
      if (!this.unfinished.has(person) && !this.isDamaged) {
        expect(this.filesWith(idOf(person)), `${person} is in the bytes`).toEqual([]);
      }
    }
  }

  /** All locks are over and some time has passed: everything is finished. */
  async checkEnd(): Promise<void> {
    this.#unlock();
    for (let i = 0; i < 3; i++) {
      await place.clock.advanceAsync(60_000);
      await this.cache.persist();
    }
    this.unfinished.clear();
    this.check();
    await this.take({ do: 'warm' });
    this.check();
    await this.cache.stop();
    this.check();
  }

  filesWith(id: string): string[] {
    return readdirSync(place.folder).filter((name) => readFileSync(join(place.folder, name)).includes(id));
  }

  #open(sql: string): void {
    if (this.#locks.length >= 2) return;
    const db = place.connect();
    db.pragma('busy_timeout = 0');
    try {
      db.exec(sql);
      this.#locks.push(db);
    } catch {
      db.close(); // somebody has it already, or it is damaged
    }
  }

  #unlock(): void {
    for (const db of this.#locks.splice(0)) db.close();
  }

  async #list(): Promise<void> {
    const { warmth, clock } = this.cache;
    const lists = [await warmth?.hot(20), await warmth?.coming(clock.epochAt(clock.now()), 20)];
    this.#jobs = lists.flatMap((jobs) => jobs ?? []).map((job) => () => job.isFresh() || job.run());
  }

  async #run(): Promise<void> {
    this.loads.length = 0;
    for (const job of this.#jobs) await job();
    for (const person of this.gone) expect(this.loads).not.toContain(idOf(person));
  }

  async #damage({ at, bit }: { readonly at: number; readonly bit: number }): Promise<void> {
    this.#unlock();
    await this.cache.stop();
    this.unfinished.clear();
    try {
      const bytes = readFileSync(place.path);
      const index = Math.floor(at * bytes.length);
      bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
      writeFileSync(place.path, bytes);
      this.isDamaged = true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    this.start();
  }
}

describe('whatever happens to the file', () => {
  it('who is forgotten is not served nor warmed, and not in the bytes once that is said', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        for (const name of readdirSync(place.folder)) rmSync(join(place.folder, name));
        const world = new World();
        world.start();
        try {
          for (const step of all) {
            await world.take(step);
            world.check();
          }
          await world.checkEnd();
        } finally {
          await world.cache.stop();
        }
      }),
      {
        numRuns: 12,
        timeout: 60_000,
        // The entries were out of the file before the names of what was used were.
        examples: [
          [[{ do: 'use', person: 0 }, { do: 'persist' }, { do: 'lock' }, { do: 'forget', person: 0 }]],
        ],
      },
    );
  });
});
