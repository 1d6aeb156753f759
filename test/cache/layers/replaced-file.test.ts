/** I9: a cache file that somebody puts a copy over, or in the place of, while it is open: nothing in it is believed. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import { diskOf, INTERVAL_MS, placeForEach } from './support.ts';

const place = placeForEach();
const SUFFIXES = ['', '-wal', '-shm'];

const loaded = (cache: Cache, key: string) => cache.getOrLoadSync(key, () => 'loaded', { persist: 'memory' });

/** As a backup tool or a person with `cp` would do it. */
function copyAway(): void {
  mkdirSync(join(place.folder, 'backup'), { recursive: true });
  for (const suffix of SUFFIXES) {
    const copy = join(place.folder, 'backup', `cache.db${suffix}`);
    rmSync(copy, { force: true });
    if (existsSync(place.path + suffix)) copyFileSync(place.path + suffix, copy);
  }
}

function copyOver(suffixes = SUFFIXES): void {
  for (const suffix of suffixes) {
    const copy = join(place.folder, 'backup', `cache.db${suffix}`);
    if (existsSync(copy)) copyFileSync(copy, place.path + suffix);
  }
}

/** A file whose copy holds entries that were invalidated, or replaced, after it was made. */
function withOldCopy(): Cache {
  const cache = place.start();
  for (const key of ['a', 'b', 'c']) cache.set(`config::${key}`, 'old');
  copyAway();
  cache.invalidate('config::a', 'config::b*');
  cache.set('config::c', 'new');
  return cache;
}

async function expectNothingOld(cache: Cache): Promise<void> {
  expect(loaded(cache, 'config::a')).toBe('loaded');
  expect(loaded(cache, 'config::b')).toBe('loaded');
  await cache.persist();
  await cache.stop();
  const next = place.start();
  for (const key of ['a', 'b', 'c']) expect(loaded(next, `config::${key}`)).not.toBe('old');
  expect(diskOf(next)).toMatchObject({ state: 'ready' });
}

describe('a copy of the cache file', () => {
  it('that is written over it with its log is noticed by the next read', async () => {
    const cache = withOldCopy();
    copyOver();
    await expectNothingOld(cache);
    expect(place.said).toEqual([expect.stringContaining('renamed')]);
  });

  it('that is written over it is noticed by the next write, before anything of it is confirmed', async () => {
    const cache = withOldCopy();
    copyOver();
    cache.set('config::d', 1);
    await expectNothingOld(cache);
  });

  it('that is written over it is noticed by a process that only ends', async () => {
    const cache = withOldCopy();
    copyOver();
    await cache.stop();
    const next = place.start();
    for (const key of ['a', 'b', 'c']) expect(loaded(next, `config::${key}`)).not.toBe('old');
  });

  it('that is put in its place is noticed by the next write', async () => {
    const cache = withOldCopy();
    for (const suffix of SUFFIXES) rmSync(place.path + suffix, { force: true });
    for (const name of readdirSync(join(place.folder, 'backup')))
      renameSync(join(place.folder, 'backup', name), join(place.folder, name));
    cache.set('config::d', 1);
    await expectNothingOld(cache);
    expect(place.said[0]).toContain('moved away or replaced');
  });

  it('without its log, the log having been removed, is noticed by the next write', async () => {
    const first = place.start();
    for (const key of ['a', 'b', 'c']) first.set(`config::${key}`, 'old');
    await first.stop();
    copyAway();
    const cache = place.start();
    cache.invalidate('config::a', 'config::b*');
    cache.set('config::c', 'new');
    for (const suffix of ['-wal', '-shm']) rmSync(place.path + suffix);
    copyOver(['']);
    cache.set('config::d', 1);
    await expectNothingOld(cache);
  });

  it('of the file as two processes use it is noticed by each that has written, or seen, something since', async () => {
    const one = place.start();
    const other = place.start();
    for (const key of ['a', 'b', 'c']) one.set(`config::${key}`, 'old');
    copyAway();
    other.invalidate('config::a', 'config::b', 'config::c');
    // It finds nothing more to remove.
    one.invalidate('config::a', 'config::b', 'config::c');
    copyOver();
    await other.stop();
    await expectNothingOld(one);
  });

  it('that is the file itself changes nothing', async () => {
    const cache = withOldCopy();
    copyAway();
    copyOver();
    expect(loaded(cache, 'config::c')).toBe('new');
    cache.set('config::d', 1);
    await cache.persist();
    await cache.stop();
    const next = place.start();
    expect(loaded(next, 'config::c')).toBe('new');
    expect(loaded(next, 'config::d')).toBe(1);
    expect(place.said).toEqual([]);
  });
});

describe('processes that share the file', () => {
  it('are not taken for a copy, however many have come and gone', async () => {
    const cache = place.start();
    cache.set('config::mine', 1);
    for (let i = 0; i < 150; i++) {
      const other = place.start();
      other.set(`config::${i}`, i);
      if (i % 2 === 0) await other.stop();
      else place.kill(other);
      if (i % 40 === 0) await place.clock.advanceAsync(2 * INTERVAL_MS);
    }
    expect(loaded(cache, 'config::149')).toBe(149);
    cache.set('config::mine', 2);
    expect(diskOf(cache)).toMatchObject({ state: 'ready', failures: 0 });
    // Those that were killed here cannot be cleaned up, in this process.
    expect(place.said.filter((line) => /renamed|moved away/.test(line))).toEqual([]);
  });
});
