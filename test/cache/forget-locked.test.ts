/** Forgetting while the file does not let: another program has it locked, reads an older state of it, or it is away. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { compileTarget } from '../../src/cache/keys/target.ts';
import { DiskFile } from '../../src/cache/layers/disk/file.ts';
import { Forgettings } from '../../src/cache/warmth/forgettings.ts';
import { UsageFile } from '../../src/cache/warmth/usage-file.ts';
import { cachedSync } from '../../src/cache/wrappers/wrappers.ts';
import { forget } from '../../src/forget.ts';
import { INTERVAL_MS, never, placeForEach } from './layers/support.ts';
import { tierOf } from './support.ts';

const PERSON = '80351110224678912';
const place = placeForEach();
const tiers = [tierOf('query', ['query'], { persist: 'on_change' })];

/** A process in which the person's orders and somebody else's were read often. */
async function used() {
  const cache = place.start({ tiers });
  const { read } = readsOf(cache);
  for (let i = 0; i < 4; i++) {
    read(PERSON);
    read('other');
  }
  await cache.persist();
  return { cache, read };
}

function readsOf(cache: Cache) {
  const loads: string[] = [];
  const read = cachedSync(
    cache,
    (id: string) => {
      loads.push(id);
      return `orders of ${id}`;
    },
    { key: 'query::orders::{0}', tags: ['user:{0}'] },
  );
  return { read, loads };
}

const hotKeys = async (cache: Cache) => (await cache.warmth?.hot(10))?.map(({ key }) => key);

function remembered(): unknown[] {
  const db = new Database(place.path, { readonly: true });
  try {
    return db.prepare('SELECT key FROM cache_recipes UNION SELECT key FROM cache_hours').pluck().all();
  } finally {
    db.close();
  }
}

/** Whether the id is anywhere in what lies in the folder. */
function isFoundInBytes(): boolean {
  return readdirSync(place.folder).some((name) => readFileSync(join(place.folder, name)).includes(PERSON));
}

function lock() {
  const writer = place.connect();
  writer.exec('BEGIN IMMEDIATE');
  return writer;
}

describe('forgetting a person while another program has the file locked', () => {
  it('says that it is unfinished, counts only what is gone, and uses nothing of them meanwhile', async () => {
    const { cache } = await used();
    const writer = lock();
    expect(await forget(cache, 'user', PERSON)).toMatchObject({
      entries: 1,
      stored: 0,
      hotKeys: 0,
      isUnfinished: true,
    });
    expect(cache.has(`query::orders::${PERSON}`)).toBe(false);
    expect(await hotKeys(cache)).toEqual(['query::orders::other']);
    const soon = cache.clock.epochAt(cache.clock.now());
    expect((await cache.warmth?.coming(soon, 10))?.map(({ key }) => key)).toEqual(['query::orders::other']);
    writer.exec('ROLLBACK');
  });

  it('ends as soon as it lets go: rows, names and bytes, and nothing is hot after a restart', async () => {
    const { cache } = await used();
    const writer = lock();
    await forget(cache, 'user', PERSON);
    await cache.persist();
    expect(remembered()).toContain(`query::orders::${PERSON}`);
    writer.exec('ROLLBACK');
    await place.clock.advanceAsync(5_000);
    await cache.persist();
    expect(remembered()).toEqual(['query::orders::other']);
    expect(place.rows()).toEqual(['query::orders::other']);
    expect(isFoundInBytes()).toBe(false);
    expect(await forget(cache, 'user', PERSON)).toMatchObject({ stored: 0, hotKeys: 0, isUnfinished: false });
    await cache.stop();
    const next = place.start({ tiers });
    readsOf(next);
    expect(await hotKeys(next)).toEqual(['query::orders::other']);
  });

  it('writes nothing of them before it has ended, though they are back', async () => {
    const { cache, read } = await used();
    const writer = lock();
    await forget(cache, 'user', PERSON);
    for (let i = 0; i < 4; i++) read(PERSON);
    await cache.persist();
    writer.exec('ROLLBACK');
    await cache.persist();
    await place.clock.advanceAsync(INTERVAL_MS);
    // What was read since is theirs again, and has begun anew.
    const db = place.connect();
    expect(db.prepare('SELECT heat FROM cache_recipes ORDER BY key').pluck().all()).toHaveLength(2);
    expect(await forget(cache, 'user', PERSON)).toMatchObject({ hotKeys: 1, isUnfinished: false });
  });

  it('forgets everything where it is asked too often meanwhile', async () => {
    let isLocked = true;
    const file = new DiskFile(place.path, (path) => new Database(path));
    const tables = new UsageFile(file);
    const kept = { tier: 'query', recipe: 'r', args: '[]', links: '{}', load_micros: 1, heat: 1, worth: 1 };
    for (const key of ['a', 'b']) tables.write({ ...kept, key });
    const forgettings = new Forgettings({
      clock: place.clock,
      read: (work) => (isLocked ? undefined : work(tables)),
      onRemoved: () => undefined,
    });
    const forgetKey = (key: string) => forgettings.add([compileTarget(key)], new Set());
    for (let i = 0; i < 200; i++) forgetKey(`key ${i}`);
    expect(forgettings.isForgotten({ key: 'a', links: '{}' }, forgettings.position)).toBe(false);
    const last = forgetKey('one more');
    expect(forgettings.isForgotten({ key: 'a', links: '{}' }, forgettings.position)).toBe(true);
    isLocked = false;
    expect(await last()).toEqual({ keys: 2, isFinished: true });
    expect(tables.size).toBe(0);
    // A list from before what is remembered may name anybody.
    expect(forgettings.isForgotten({ key: 'a', links: '{}' }, 0)).toBe(true);
    expect(forgettings.isForgotten({ key: 'a', links: '{}' }, forgettings.position)).toBe(false);
    file.close();
  });

  it('deletes the file at the end where it is locked until then, and says so', async () => {
    const { cache } = await used();
    const writer = lock();
    await forget(cache, 'user', PERSON);
    await cache.stop();
    expect(existsSync(place.path)).toBe(false);
    expect(isFoundInBytes()).toBe(false);
    expect(place.said).toContainEqual(expect.stringContaining('went with it'));
    writer.exec('ROLLBACK');
    writer.close();
    expect(isFoundInBytes()).toBe(false);
  });

  it('keeps the file where it lets go before the end', async () => {
    const { cache } = await used();
    const writer = lock();
    await forget(cache, 'user', PERSON);
    writer.exec('ROLLBACK');
    await cache.stop();
    expect(remembered()).toEqual(['query::orders::other']);
    expect(isFoundInBytes()).toBe(false);
  });
});

describe('forgetting a person', () => {
  it('I13: ends where very many are forgotten at once', async () => {
    const { cache } = await used();
    const ids = Array.from({ length: 300 }, (_, i) => String(i));
    const receipts = await Promise.all([PERSON, ...ids].map((id) => forget(cache, 'user', id)));
    expect(receipts.filter(({ isUnfinished }) => isUnfinished)).toEqual([]);
    expect(remembered()).toEqual([]);
  });

  it('while another program reads an older state ends once that is over: the log held what was removed', async () => {
    const { cache } = await used();
    const reader = place.connect();
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM cache_storage').get();
    expect(await forget(cache, 'user', PERSON)).toMatchObject({ stored: 1, hotKeys: 1, isUnfinished: true });
    expect(isFoundInBytes()).toBe(true);
    reader.exec('ROLLBACK');
    await place.clock.advanceAsync(INTERVAL_MS);
    expect(isFoundInBytes()).toBe(false);
  });

  it('while the file is away reaches it when it is back', async () => {
    const first = (await used()).cache;
    await first.stop();
    const hidden = `${place.path}.hidden`;
    renameSync(place.path, hidden);
    mkdirSync(place.path);
    const cache = place.start({ tiers });
    readsOf(cache);
    expect(await forget(cache, 'user', PERSON)).toMatchObject({ isUnfinished: true });
    rmSync(place.path, { recursive: true });
    renameSync(hidden, place.path);
    await cache.persist();
    await place.clock.advanceAsync(INTERVAL_MS);
    expect(remembered()).toEqual(['query::orders::other']);
    expect(place.rows()).not.toContain(`query::orders::${PERSON}`);
    expect(isFoundInBytes()).toBe(false);
  });

  it('deletes no database of something else, however long that is in the place of the file', async () => {
    const shop = new Database(place.path);
    shop.exec('CREATE TABLE users (id)');
    shop.close();
    const cache = place.start({ tiers });
    expect(await forget(cache, 'user', PERSON)).toMatchObject({ isUnfinished: true });
    await cache.stop();
    expect(existsSync(place.path)).toBe(true);
  });

  it('of a cache that was stopped says that it is unfinished', async () => {
    const { cache } = await used();
    await cache.stop();
    expect(await forget(cache, 'user', PERSON)).toMatchObject({ entries: 0, isUnfinished: true });
  });
});

describe('a person who is forgotten while they are warmed', () => {
  it('is not loaded by a list that was made before, until somebody asks for them', async () => {
    const { cache } = await used();
    await cache.stop();
    place.clock.advance(3_600_000);
    const next = place.start({ tiers });
    const { read, loads } = readsOf(next);
    const jobs = (await next.warmth?.hot(10)) ?? [];
    expect(jobs.map((job) => job.isFresh())).toEqual([false, false]);
    await forget(next, 'user', PERSON);
    expect(Object.fromEntries(jobs.map((job) => [job.key, job.isFresh()]))).toEqual({
      [`query::orders::${PERSON}`]: true,
      'query::orders::other': false,
    });
    for (const job of jobs) await job.run();
    expect(loads).toEqual(['other']);
    expect(place.rows()).not.toContain(`query::orders::${PERSON}`);
    expect(read(PERSON)).toBe(`orders of ${PERSON}`);
    expect(read(PERSON)).toBe(`orders of ${PERSON}`);
    expect(loads).toEqual(['other', PERSON]);
    expect(next.getOrLoadSync(`query::orders::${PERSON}`, never)).toBe(`orders of ${PERSON}`);
  });

  it('is not noted by a load that ran behind and had not begun yet', async () => {
    const cache = place.start({
      tiers: [
        tierOf('query', ['query'], {
          persist: 'on_change',
          ttlMs: 1_000,
          graceMs: 60_000,
          staleWhileRevalidateMs: 60_000,
        }),
      ],
    });
    const { read, loads } = readsOf(cache);
    read(PERSON);
    place.clock.advance(2_000);
    read(PERSON);
    await forget(cache, 'user', PERSON);
    await place.clock.settle();
    expect(loads).toEqual([PERSON, PERSON]);
    expect(cache.recipes.notes).toBe(0);
    expect(cache.keys('', 10)).toEqual([]);
  });
});
