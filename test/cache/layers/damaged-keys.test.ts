/** Keys whose bytes were damaged in the file: they are no UTF-8 any more, or another row's. Whatever pages by them ends. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forget } from '../../../src/forget.ts';
import { tierOf } from '../support.ts';
import { diskOf, INTERVAL_MS, placeForEach } from './support.ts';

const place = placeForEach();
const tiers = [tierOf('config', ['config'], { persist: 'on_change', ttlMs: 60_000 })];

/** More than a page. */
const MANY = 250;

/** Changes the file behind everybody's back. */
function damage(sql: string): void {
  const db = new Database(place.path);
  db.exec(sql);
  db.close();
}

/** A file of many rows with tags and dependencies, none of which expires before the test says so. */
async function filled(): Promise<void> {
  const cache = place.start({ tiers });
  for (let i = 0; i < MANY; i++) {
    cache.set(`config::a::${i}`, i, { tags: ['all', `tag ${i}`], dependsOn: [`config::root::${i}`] });
    cache.set(`config::😀::${i}`, i, { tags: ['all'] });
  }
  cache.set('config::z', 'last', { tags: ['all', 'user:42'], dependsOn: ['config::z::root'] });
  await cache.stop();
}

const DAMAGES = {
  'high bytes': `CAST(CAST(KEY AS BLOB) || x'ff' || randomblob(4) AS TEXT)`,
  'low bytes': `CAST('config::' || x'80' || substr(KEY, 9) AS TEXT)`,
  'bytes instead of text': 'CAST(KEY AS BLOB)',
} as const;

describe.each(Object.entries(DAMAGES))('keys with %s', (_, damaged) => {
  const of = (column: string) => damaged.replace('KEY', column);

  it('are passed over by every invalidation, and so is nothing else', async () => {
    await filled();
    damage(`UPDATE cache_storage SET key = ${of('key')} WHERE key LIKE 'config::a::%'`);
    const cache = place.start({ tiers });
    cache.invalidate('config::*::1');
    await place.clock.settle();
    expect(cache.has('config::😀::1')).toBe(false);
    expect(cache.has('config::😀::2')).toBe(true);
    cache.invalidate('config::*');
    await place.clock.settle();
    expect(cache.has('config::z')).toBe(false);
    expect(place.rows().filter((key) => /^config::(😀|z)/u.test(key))).toEqual([]);
    expect(await forget(cache, 'user', '42')).toMatchObject({ isUnfinished: false });
  });

  it.each(['key', 'label'])('as a %s of tags and dependencies are passed over, too', async (column) => {
    await filled();
    damage(`UPDATE OR IGNORE cache_links SET ${column} = ${of(column)} WHERE key LIKE 'config::a::%'`);
    const cache = place.start({ tiers });
    await expect(cache.preview({ tag: 'all' })).resolves.toBeDefined();
    cache.invalidate({ tag: 'all' });
    cache.invalidate('config::root::*');
    await place.clock.settle();
    expect(cache.has('config::😀::1')).toBe(false);
    expect(cache.has('config::z')).toBe(false);
    await cache.persist();
  });

  it('leave the file when they expire, or room is needed', async () => {
    await filled();
    damage(`UPDATE cache_storage SET key = ${of('key')} WHERE key LIKE 'config::a::%'`);
    const cache = place.start({ tiers });
    place.clock.advance(61_000);
    await cache.persist();
    expect(place.rows()).toEqual([]);
    await cache.stop();

    await filled();
    damage(`UPDATE cache_storage SET key = ${of('key')} WHERE key LIKE 'config::a::%'`);
    const small = place.start({ tiers, disk: { path: place.path, maxBytes: 60_000 } });
    small.set('config::new', 1);
    await small.persist();
    expect(place.rows()).toContain('config::new');
    expect(diskOf(small).bytes).toBeLessThanOrEqual(60_000);
  });
});

describe('a key that is damaged in its row, and not where it is looked up', () => {
  it('ends no less', async () => {
    await filled();
    const bytes = readFileSync(place.path);
    // The columns lie one behind the other.
    for (const { index } of bytes.toString('latin1').matchAll(/configconfig::a::7(?!\d)/g)) {
      bytes.write('b', index + 'configconfig::'.length);
    }
    writeFileSync(place.path, bytes);
    const cache = place.start({ tiers });
    expect(cache.get('config::a::7') ?? 7).toBe(7);
    place.clock.advance(61_000);
    await cache.persist();
    await place.clock.advanceAsync(INTERVAL_MS);
    expect(diskOf(cache)).toMatchObject({ state: 'ready' });
    expect(place.rows()).toEqual([]);
  });
});

describe('pages that cannot be read', () => {
  it('I4: keep nobody from forgetting, or from asking what would go: the file is set aside, and goes, too', async () => {
    await filled();
    const sound = readFileSync(place.path);
    for (let page = 1; page < sound.length / 4_096; page += 3) {
      for (const name of readdirSync(place.folder)) rmSync(join(place.folder, name));
      writeFileSync(place.path, Buffer.from(sound).fill(0xff, page * 4_096, (page + 1) * 4_096));
      const cache = place.start({ tiers });
      if (page % 2 === 1) {
        await expect(cache.preview('config::*')).resolves.toBeDefined();
        await expect(cache.preview({ tag: 'all' })).resolves.toBeDefined();
      }
      // What the damage is met by, is tried again.
      const { isUnfinished } = await forget(cache, 'user', '42', ['config::*']);
      if (isUnfinished) await cache.persist();
      expect(readdirSync(place.folder).filter((name) => name.includes('.damaged-'))).toEqual([]);
      expect(place.rows()).toEqual([]);
      expect(await forget(cache, 'user', '42')).toMatchObject({ isUnfinished: false });
      await cache.stop();
    }
  });
});

describe('names of the most used keys', () => {
  it('whose bytes are damaged are forgotten with the rest', async () => {
    const cache = place.start({ tiers });
    await cache.stop();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 200 }),
        async (keys) => {
          const db = new Database(place.path);
          const insert = db.prepare(
            `INSERT OR REPLACE INTO cache_recipes VALUES (CAST(? AS TEXT), 't', 'r', '[42]', '{}', 1, 1.0, 1.0, 7)`,
          );
          for (const key of keys) insert.run(Buffer.from(key));
          db.close();
          const next = place.start({ tiers });
          expect(await forget(next, 'user', '42')).toMatchObject({ isUnfinished: false });
          await next.stop();
          const after = new Database(place.path);
          expect(after.prepare('SELECT count(*) FROM cache_recipes').pluck().get()).toBe(0);
          after.close();
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });
});

it('a lookup of a key that is no well-formed text leaves the row alone that SQLite would find instead', async () => {
  const first = place.start({ tiers });
  first.set('config::\ufffd', 'kept');
  await first.stop();
  const cache = place.start({ tiers });
  expect(cache.stored?.inspect('config::\ud800')).toBeUndefined();
  expect(cache.get('config::\ud800')).toBeUndefined();
  expect(diskOf(cache)).toMatchObject({ damaged: 0 });
  expect(cache.get('config::\ufffd')).toBe('kept');
});

it('I2: a pattern that ends within a character covers on disk what it covers in memory', async () => {
  const first = place.start({ tiers });
  first.set('config::\u{1f600}', 'old');
  for (let i = 0; i < 150; i++) first.set(`config::\ufffd${i}`, i);
  first.set('config::d', 'old', { dependsOn: ['config::\u{1f601}'] });
  await first.stop();
  const cache = place.start({ tiers });
  cache.invalidate('config::\ud83d*');
  expect(cache.get('config::\u{1f600}')).toBeUndefined();
  expect(cache.get('config::d')).toBeUndefined();
  expect(cache.get('config::\ufffd1')).toBe(1);
  await place.clock.settle();
  expect(place.rows()).toHaveLength(150);
});
