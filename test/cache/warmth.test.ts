import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheOptions } from '../../src/cache/cache-options.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import type { WarmJob } from '../../src/cache/warm-job.ts';
import { heated, hitsOf } from '../../src/cache/warmth/heat.ts';
import { MAX_NOTES } from '../../src/cache/warmth/recipes.ts';
import { cachedSyncMethod, keepWarm } from '../../src/cache/wrappers/decorators.ts';
import { cached, cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { forget } from '../../src/forget.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { tierOf } from './support.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const PERSON = '80351110224678912';

let folder: string;
let path: string;
let clock: HandClock;
const open: Cache[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-warmth-'));
  path = join(folder, 'cache.db');
  // At midnight where the tests run, so that hours can be named.
  clock = handClock(new Date(2026, 0, 5).getTime());
});
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Nothing of the entries themselves is on disk by the next start: only how they are loaded. */
const tiers: readonly TierPolicy[] = [
  tierOf('query', ['query'], { persist: 'on_change', ttlMs: 10 * 60_000 }),
  tierOf('reference', ['products'], { persist: 'on_change', ttlMs: 2 * HOUR_MS }),
  tierOf('user', ['user'], { ttlMs: HOUR_MS }),
];

function start(options: Partial<CacheOptions> = {}): Cache {
  const cache = createCache({
    maxWeightBytes: 10_000_000,
    tiers,
    cleanupIntervalMs: 600_000,
    clock,
    logger: silentLogger,
    disk: { path },
    ...options,
  });
  open.push(cache);
  return cache;
}

/** A cached read whose load takes as long as the argument says, and that knows what it was called with. */
function timed(cache: Cache, name = 'query') {
  const calls: unknown[][] = [];
  const read = cachedSync(
    cache,
    (id: string, ms: number) => {
      calls.push([id, ms]);
      clock.advance(ms);
      return `${id} after ${ms}`;
    },
    { key: `${name}::{0}::{1}` },
  );
  return { read, calls };
}

function use(read: () => unknown, times: number): void {
  for (let i = 0; i < times; i++) read();
}

const keys = (jobs: readonly WarmJob[] | undefined) => jobs?.map(({ key }) => key);

async function run(jobs: readonly WarmJob[] | undefined): Promise<void> {
  for (const job of jobs ?? []) if (!job.isFresh()) await job.run();
}

function sql(change: string): unknown[] {
  const db = new Database(path);
  try {
    const statement = db.prepare(change);
    return statement.reader ? statement.all() : [statement.run()];
  } finally {
    db.close();
  }
}

/** Rows of the entries go, so that nothing is fresh but what is loaded anew. */
function loseEntries(): void {
  sql('DELETE FROM cache_storage');
}

describe('what is used most', () => {
  it('is known to the next process, with the arguments that load it, most valuable first: uses × load time', async () => {
    const first = timed(start());
    use(() => first.read('often', 1), 40);
    use(() => first.read('slow', 50), 10);
    use(() => first.read('seldom', 1), 3);
    await open[0]?.stop();
    loseEntries();

    const cache = start();
    const second = timed(cache);
    expect(keys(await cache.warmth?.hot(10))).toEqual([
      'query::slow::#50',
      'query::often::#1',
      'query::seldom::#1',
    ]);
    expect(keys(await cache.warmth?.hot(2))).toEqual(['query::slow::#50', 'query::often::#1']);
    await run(await cache.warmth?.hot(2));
    expect(second.calls).toEqual([
      ['slow', 50],
      ['often', 1],
    ]);
    expect(second.read('slow', 50)).toBe('slow after 50');
    expect(cache.stats()).toMatchObject({
      total: { hits: 1, misses: 0, refreshes: 2 },
      warmth: { recipes: 1, keys: 3, start: { warmed: 2, used: 1, unused: 0, precision: 0.5 } },
    });
  });

  it('need not be loaded where the disk still has it', async () => {
    const first = timed(start());
    use(() => first.read('a', 1), 4);
    await open[0]?.stop();
    const cache = start();
    cache.provenBy({ beginning: 'resumed', drain: () => true, position: () => 1, tellsOf: () => true });
    timed(cache);
    // No feed had proven the first process's rows.
    expect((await cache.warmth?.hot(1))?.[0]?.isFresh()).toBe(true);
    expect(cache.stats().warmth?.start.warmed).toBe(0);
  });

  it('fades: a use counts half as much after a day, and what has faded leaves', async () => {
    const cache = start();
    const { read } = timed(cache);
    use(() => read('last week', 1), 200);
    await cache.persist();
    clock.advance(7 * DAY_MS);
    use(() => read('today', 1), 3);
    await cache.persist();
    expect(keys(await cache.warmth?.hot(10))).toEqual(['query::today::#1', 'query::last week::#1']);
    clock.advance(2 * DAY_MS);
    use(() => read('today', 1), 3);
    await cache.persist();
    expect(keys(await cache.warmth?.hot(10))).toEqual(['query::today::#1']);
    expect(sql('SELECT DISTINCT key FROM cache_hours')).toEqual([{ key: 'query::today::#1' }]);
  });

  it('adds up over processes', async () => {
    for (const uses of [5, 9]) {
      const cache = start();
      const { read } = timed(cache);
      use(() => read('a', 1), uses);
      use(() => read('b', 1), 6);
      await cache.stop();
    }
    const cache = start();
    timed(cache);
    expect(keys(await cache.warmth?.hot(10))).toEqual(['query::a::#1', 'query::b::#1']);
    const [{ heat }] = sql("SELECT heat FROM cache_recipes WHERE key LIKE '%::a::%'") as [{ heat: number }];
    expect(hitsOf(heat, clock.epochAt(clock.now()), DAY_MS)).toBeCloseTo(5 + 9, 1);
  });

  it('is found among many that are read once, and gives way to what is used later', async () => {
    const cache = start({ tiers: [tierOf('query', ['query'], { persist: 'on_shutdown', ttlMs: HOUR_MS })] });
    const { read } = timed(cache);
    for (const time of ['early', 'late']) {
      for (let i = 0; i < 600; i++) {
        read(`${time} ${i}`, 0);
        if (i % 100 === 0) use(() => read(`${time} hot`, 1), 5);
        if (i % 100 === 0) await cache.persist();
      }
    }
    await cache.persist();
    expect(keys(await cache.warmth?.hot(2))?.sort()).toEqual(['query::early hot::#1', 'query::late hot::#1']);
  });

  it('is counted once, however often it is written down', async () => {
    const cache = start();
    const { read } = timed(cache);
    use(() => read('a', 1), 11);
    await cache.persist();
    await cache.persist();
    await clock.advanceAsync(60_000);
    const [{ heat }] = sql('SELECT heat FROM cache_recipes') as [{ heat: number }];
    expect(hitsOf(heat, clock.epochAt(clock.now()), DAY_MS)).toBeCloseTo(11, 1);
  });

  it('is left out where its read is no more, is another, or gives another key', async () => {
    const first = start();
    const reads = ['kept', 'gone', 'other'].map((name) => timed(first, `query::${name}`).read);
    for (const read of reads) use(() => read('a', 1), 4);
    const named = cachedSync(first, (id: string) => id, { key: 'query::v1::{0}', recipe: 'by id' });
    use(() => named('a'), 4);
    await first.stop();

    const cache = start();
    timed(cache, 'query::kept');
    cachedSync(cache, (id: string) => id, { key: 'query::v2::{0}', recipe: 'by id' });
    cachedSync(cache, (a: { readonly id: string }) => a, {
      key: ({ id }) => `query::${id.trim()}`,
      recipe: 'query::other::{0}::{1}',
    });
    expect(keys(await cache.warmth?.hot(10))).toEqual(['query::kept::a::#1']);
  });

  it('I4: is as good as not there where a row or its arguments are damaged', async () => {
    const first = timed(start());
    for (const id of ['a', 'b', 'c', 'd']) use(() => first.read(id, 1), 4);
    await open[0]?.stop();
    sql(`UPDATE cache_recipes SET args = replace(args, 'a', 'x') WHERE key LIKE '%::a::%'`);
    sql(`UPDATE cache_recipes SET heat = 'hot' WHERE key LIKE '%::b::%'`);
    sql(`UPDATE cache_recipes SET heat = 1e300 WHERE key LIKE '%::c::%'`);
    const cache = start();
    timed(cache);
    expect(keys(await cache.warmth?.hot(10))).toEqual(['query::d::#1']);
    expect(cache.stats().warmth).toMatchObject({ damaged: 1 });
    await cache.persist();
    expect(sql('SELECT key FROM cache_recipes UNION SELECT key FROM cache_hours')).toEqual([
      { key: 'query::d::#1' },
    ]);
  });

  it('I4: loads what was used or nothing, whichever bytes of the file are damaged', {
    timeout: 60_000,
  }, async () => {
    const first = timed(start());
    for (let i = 0; i < 30; i++) use(() => first.read(`key ${i}`, 1), 4);
    await open[0]?.stop();
    loseEntries();
    sql('PRAGMA wal_checkpoint(TRUNCATE)');
    const sound = readFileSync(path);
    const flips = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(flips, async (changes) => {
        const damaged = Buffer.from(sound);
        for (const [at, mask] of changes) damaged[at] = (damaged[at] ?? 0) ^ mask;
        for (const name of readdirSync(folder)) rmSync(join(folder, name));
        writeFileSync(path, damaged);
        const cache = start();
        const { read, calls } = timed(cache);
        await run(await cache.warmth?.hot(100));
        await run(await cache.warmth?.coming(clock.epochAt(clock.now()), 100));
        for (const call of calls) expect(call).toEqual([expect.stringMatching(/^key [0-9]+$/), 1]);
        use(() => read('key 0', 1), 4);
        await cache.persist();
        await cache.forget('query::key 0::*');
        await cache.stop();
      }),
      { numRuns: 100, seed: 7 },
    );
  });

  it('begins anew where its tables are those of another version', async () => {
    await start().stop();
    sql('DROP TABLE cache_recipes');
    sql('CREATE TABLE cache_recipes (key TEXT)');
    const cache = start();
    const { read } = timed(cache);
    use(() => read('a', 1), 4);
    await cache.persist();
    expect(keys(await cache.warmth?.hot(10))).toEqual(['query::a::#1']);
  });

  it('I4: costs a read nothing where the file cannot be used', async () => {
    const cache = start({ disk: { path: folder } });
    const { read } = timed(cache);
    use(() => read('a', 1), 4);
    await cache.persist();
    expect(await cache.warmth?.hot(10)).toEqual([]);
    expect(read('a', 1)).toBe('a after 1');
  });

  it('is not remembered where there is no disk, and forgotten where nobody wants it remembered', async () => {
    const { disk: _, ...options } = { disk: undefined };
    const without = createCache({
      maxWeightBytes: 1_000,
      tiers,
      cleanupIntervalMs: 1_000,
      clock,
      ...options,
    });
    open.push(without);
    expect(without.warmth).toBeUndefined();
    expect(without.stats().warmth).toBeNull();

    const first = timed(start());
    use(() => first.read('a', 1), 4);
    await open[1]?.stop();
    expect(sql('SELECT key FROM cache_recipes')).toHaveLength(1);
    const off = start({ disk: { path, remembersUse: false } });
    expect(off.warmth).toBeUndefined();
    expect(sql('SELECT key FROM cache_recipes UNION SELECT key FROM cache_hours')).toEqual([]);
  });
});

describe('the arguments', () => {
  it('come back as they were, of every kind that the codec keeps', async () => {
    const args = [new Date(7), 10n, undefined, { deep: [new Map([['a', Number.NaN]]), -0] }, null] as const;
    const read = (cache: Cache, seen: unknown[]) =>
      cachedSync(
        cache,
        (...given: readonly unknown[]) => {
          seen.push(...given);
          return 1;
        },
        { keyPrefix: 'query', name: 'kinds', parameters: 5 },
      );
    const first = start();
    use(() => read(first, [])(...args), 3);
    await first.stop();
    loseEntries();
    const cache = start();
    const seen: unknown[] = [];
    read(cache, seen);
    await run(await cache.warmth?.hot(1));
    expect(seen).toEqual(args);
    expect(Object.is((seen[3] as { deep: unknown[] }).deep[1], -0)).toBe(true);
  });

  it('are kept as they were at the call, whatever the caller does with them later', async () => {
    const cache = start();
    const read = cachedSync(cache, (page: { n: number }) => page.n, { key: 'query::page::{0.n}' });
    const page = { n: 1 };
    use(() => read(page), 3);
    page.n = 2;
    await cache.persist();
    expect(keys(await cache.warmth?.hot(1))).toEqual(['query::page::#1']);
  });

  it.each([
    ['a function', () => 1],
    ['a class instance', new (class Handle {})()],
    ['a symbol', Symbol('x')],
    ['a long text', 'x'.repeat(600)],
    ['a large object', { list: Array.from({ length: 300 }, (_, i) => i) }],
  ])('are not kept where there is %s among them: the value is', async (_, argument) => {
    const cache = start();
    const read = cachedSync(cache, (given: unknown) => typeof given, {
      key: () => 'query::odd',
      recipe: 'odd',
    });
    use(() => read(argument), 4);
    await cache.persist();
    expect(cache.has('query::odd')).toBe(true);
    expect(await cache.warmth?.hot(10)).toEqual([]);
  });

  it('may be anything plain', () => {
    const cache = start();
    const read = cachedSync(cache, (given: unknown) => given === undefined, {
      key: 'query::any::{0}',
    });
    fc.assert(
      fc.property(fc.anything({ withDate: true, withMap: true, withBigInt: true }), (argument) => {
        read(argument);
      }),
      { numRuns: 100 },
    );
  });

  it('are noted of a bounded number of keys, those that are used most among them', async () => {
    const cache = start();
    const { read } = timed(cache);
    use(() => read('hot', 0), 20);
    for (let i = 0; i < 3 * MAX_NOTES; i++) read(`once ${i}`, 0);
    expect(cache.recipes.notes).toBe(MAX_NOTES);
    await cache.persist();
    expect(keys(await cache.warmth?.hot(10))).toEqual(['query::hot::#0']);
  });
});

describe('methods', () => {
  class Shop {
    readonly cache: Cache;
    loads = 0;
    constructor(cache: Cache) {
      this.cache = cache;
    }
    page(n: number): number {
      this.loads++;
      return n;
    }
  }
  const name = 'page';
  const decorate = cachedSyncMethod<[number]>({ key: 'query::page::{0}' });
  const descriptor = Object.getOwnPropertyDescriptor(Shop.prototype, name);
  if (descriptor !== undefined)
    Object.defineProperty(Shop.prototype, name, decorate(Shop.prototype, name, descriptor));

  it('are known once their object is kept warm, or has loaded', async () => {
    const first = new Shop(start());
    use(() => first.page(1), 4);
    await first.cache.persist();
    expect(keys(await first.cache.warmth?.hot(1))).toEqual(['query::page::#1']);
    await first.cache.stop();
    loseEntries();

    const cache = start();
    const shop = new Shop(cache);
    expect(await cache.warmth?.hot(1)).toEqual([]);
    expect(keepWarm(shop)).toBe(shop);
    await run(await cache.warmth?.hot(1));
    expect(shop.loads).toBe(1);
  });
});

describe('privacy', () => {
  it('nothing is written of entries that are not written to disk, nor loaded once they are not any more', async () => {
    const first = start();
    const profile = cachedSync(first, (id: string) => ({ id }), { key: 'user::{0}::profile' });
    const hidden = cachedSync(first, (id: string) => ({ id }), {
      key: 'query::hidden::{0}',
      persist: 'memory',
    });
    const shown = cachedSync(first, (id: string) => ({ id }), { key: 'query::shown::{0}' });
    for (const read of [profile, hidden, shown]) use(() => read(PERSON), 8);
    await first.stop();
    expect(sql('SELECT key FROM cache_recipes UNION SELECT key FROM cache_hours')).toEqual([
      { key: `query::shown::${PERSON}` },
    ]);
    const cache = start({ tiers: [tierOf('query', ['query'])] });
    cachedSync(cache, (id: string) => ({ id }), { key: 'query::shown::{0}' });
    expect(await cache.warmth?.hot(10)).toEqual([]);
    expect(sql('SELECT key FROM cache_recipes UNION SELECT key FROM cache_hours')).toEqual([]);
  });

  it('forgetting a person removes what is remembered of them, by key and by tag, from file and memory', async () => {
    const cache = start();
    const orders = cachedSync(cache, (id: string) => id, { key: 'query::orders::{0}::recent' });
    const search = cachedSync(cache, (of: { readonly person: string }) => of.person, {
      key: 'query::search::{0}',
      tags: ['user:{0.person}'],
    });
    const others = cachedSync(cache, () => 1, { key: 'query::others' });
    for (let i = 0; i < 4; i++) {
      orders(PERSON);
      search({ person: PERSON });
      others();
    }
    await cache.persist();
    expect(readFileSync(`${path}-wal`).includes(PERSON)).toBe(true);
    // What is not of them stays, also where its entry has left.
    cache.invalidate('query::others');
    search({ person: PERSON });
    expect(await forget(cache, 'user', PERSON)).toMatchObject({ hotKeys: 2, entries: 2 });
    await cache.persist();
    expect(keys(await cache.warmth?.hot(10))).toEqual(['query::others']);
    await cache.stop();
    expect(readFileSync(path).includes(PERSON)).toBe(false);
  });
});

describe('the coming hour', () => {
  const at = (hour: number, day = 0) => day * DAY_MS + hour * HOUR_MS;
  function turnTo(instant: number): void {
    clock.advance(instant - clock.now());
  }
  const comingAt = (cache: Cache, hour: number, day: number) =>
    cache.warmth?.coming(clock.epochAt(at(hour, day)), 10);

  it('is what the last days used at that hour, more of it lately, and nothing that was used once', async () => {
    const cache = start();
    const { read } = timed(cache);
    for (let day = 0; day < 5; day++) {
      turnTo(at(9, day));
      use(() => read('morning', 1), 10);
      if (day === 0) use(() => read('first day', 1), 30);
      if (day === 2) use(() => read('once', 1), 2);
      await cache.persist();
      turnTo(at(20, day));
      use(() => read('evening', 1), 10);
      await cache.persist();
    }
    expect(keys(await comingAt(cache, 9, 5))).toEqual(['query::morning::#1', 'query::first day::#1']);
    expect(keys(await comingAt(cache, 20, 5))).toEqual(['query::evening::#1']);
    expect(await comingAt(cache, 3, 5)).toEqual([]);
    expect(keys(await comingAt(cache, 9, 12))).toEqual(['query::morning::#1']);
  });

  it('is also what is read but once a day, and so never hits', async () => {
    const cache = start();
    const { read } = timed(cache);
    for (let day = 0; day < 3; day++) {
      turnTo(at(9, day));
      read('report', 3_000);
      if (day === 1) read('chance', 1);
      await cache.persist();
    }
    expect(cache.stats().total.hits).toBe(0);
    expect(keys(await comingAt(cache, 9, 3))).toEqual(['query::report::#3000']);
  });

  it('needs no loading of what will be fresh throughout, or was loaded a moment ago', async () => {
    const cache = start();
    const { read: short } = timed(cache, 'query');
    const { read: long } = timed(cache, 'products');
    turnTo(at(9));
    for (const read of [short, long]) use(() => read('a', 0), 10);
    await cache.persist();

    turnTo(at(9, 1) - 5 * 60_000);
    const isFresh = async () =>
      Object.fromEntries((await comingAt(cache, 9, 1))?.map((job) => [job.key, job.isFresh()]) ?? []);
    expect(await isFresh()).toEqual({ 'query::a::#0': false, 'products::a::#0': false });
    short('a', 0);
    long('a', 0);
    expect(await isFresh()).toEqual({ 'query::a::#0': true, 'products::a::#0': true });
    // Ten minutes it is fresh, and six of them are over.
    turnTo(at(9, 1) + 60_000);
    expect(await isFresh()).toEqual({ 'query::a::#0': false, 'products::a::#0': true });
  });

  it('is measured: of what was loaded for it, how much was read before it left', async () => {
    const cache = start();
    const { read } = timed(cache);
    turnTo(at(9));
    for (const id of ['read', 'unread', 'read late', 'waiting']) use(() => read(id, 1), 10);
    await cache.persist();
    turnTo(at(9, 1) - 60_000);
    await run(await comingAt(cache, 9, 1));
    expect(cache.stats().warmth?.predicted).toEqual({ warmed: 4, used: 0, unused: 0, precision: 0 });
    read('read', 1);
    read('read', 1);
    expect(cache.stats().warmth?.predicted).toEqual({ warmed: 4, used: 1, unused: 0, precision: 0.25 });
    cache.invalidate('query::read::*', 'query::unread::*', 'query::read late::*');
    read('read late', 1);
    expect(cache.stats().warmth?.predicted).toEqual({ warmed: 4, used: 1, unused: 2, precision: 0.25 });
    read('waiting', 1);
    cache.clear();
    expect(cache.stats().warmth?.predicted).toEqual({ warmed: 4, used: 2, unused: 2, precision: 0.5 });
  });

  it('counts nothing that failed to load, or was loaded by somebody else meanwhile', async () => {
    const cache = start();
    let isDown = false;
    const read = cached(
      cache,
      (id: string) => (isDown ? Promise.reject(new Error('down')) : Promise.resolve(id)),
      {
        key: 'query::async::{0}',
      },
    );
    turnTo(at(9));
    for (let i = 0; i < 4; i++) await read('a');
    await cache.persist();
    turnTo(at(9, 1) - 60_000);
    isDown = true;
    await expect(run(await comingAt(cache, 9, 1))).rejects.toThrow('down');
    expect(cache.stats().warmth?.predicted.warmed).toBe(0);
    isDown = false;
    const job = (await comingAt(cache, 9, 1))?.[0];
    const loading = read('a');
    expect(job?.isFresh()).toBe(true);
    await loading;
  });
});

describe('heat', () => {
  it('adds up uses that fade by half in each half-life, in whatever order it is asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 1_000 })), {
          minLength: 1,
        }),
        (uses) => {
          const origin = Date.UTC(2026, 0, 1);
          const inOrder = [...uses].sort(([a], [b]) => a - b);
          let heat: number | undefined;
          for (const [day, hits] of inOrder) heat = heated(heat, hits, origin + day * DAY_MS, DAY_MS);
          const expected = uses.reduce((sum, [day, hits]) => sum + hits * 2 ** (day - 31), 0);
          expect(hitsOf(heat ?? 0, origin + 31 * DAY_MS, DAY_MS) / expected).toBeCloseTo(1, 6);
        },
      ),
    );
  });

  it('is worth nothing where a clock once showed a date far ahead', () => {
    const heat = heated(undefined, 1, Date.UTC(2126, 0, 1), DAY_MS);
    expect(hitsOf(heat, Date.UTC(2026, 0, 1), DAY_MS)).toBe(0);
  });
});
