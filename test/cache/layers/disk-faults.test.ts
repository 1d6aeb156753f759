import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32, zstdCompressSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import { seededRandom } from '../../../src/db/random.ts';
import { forget } from '../../../src/forget.ts';
import { tierOf } from '../support.ts';
import { diskOf, feedOf, INTERVAL_MS, never, placeForEach } from './support.ts';

const place = placeForEach();
const DAY_MS = 86_400_000;

/** Entries of every kind and size. */
function contentOf(i: number): unknown {
  const kinds = [
    () => `text ${i}`,
    () => ({ id: i, name: 'Ada', at: new Date(i), list: [1, undefined, 2n] }),
    () => Array.from({ length: 40 }, (_, at) => ({ at, text: `a row of some length ${i}` })),
    () => null,
  ];
  return kinds[i % kinds.length]?.();
}

const COUNT = 40;

function fill(cache: Cache, count = COUNT): void {
  for (let i = 0; i < count; i++)
    cache.set(`config::${i}`, contentOf(i), i % 5 === 0 ? { tags: [`t${i}`] } : {});
}

/** Every read gives what was written, or loads. @returns how many were on disk */
function readAll(cache: Cache, count = COUNT): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    let isLoaded = false;
    const load = () => {
      isLoaded = true;
      return contentOf(i);
    };
    expect(cache.getOrLoadSync(`config::${i}`, load, { persist: 'memory' }), `config::${i}`).toEqual(
      contentOf(i),
    );
    if (!isLoaded) found++;
  }
  return found;
}

const aside = () => readdirSync(place.folder).filter((name) => name.includes('.damaged-'));

describe('damage', () => {
  it('I4, I9: of any bit of the file never ends in a crash, nor in a wrong value: 1,000 flips', async () => {
    const first = place.start();
    fill(first);
    first.invalidate('config::1', { tag: 't5' }, 'config::2*');
    await first.stop();
    const sound = readFileSync(place.path);
    const random = seededRandom(4);
    let kept = 0;
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(sound);
      // One to nine at a time: five a round.
      for (let flips = 1 + ((round * 2) % 9); flips > 0; flips--) {
        const at = random.between(0, bytes.length - 1);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.between(0, 7));
      }
      for (const name of readdirSync(place.folder)) rmSync(join(place.folder, name));
      writeFileSync(place.path, bytes);
      const cache = place.start();
      for (let i = 0; i < COUNT; i++) {
        const isGone = i === 1 || i === 5 || `${i}`.startsWith('2');
        const expected = isGone ? 'new' : contentOf(i);
        let isLoaded = false;
        const load = () => {
          isLoaded = true;
          return expected;
        };
        const given = cache.getOrLoadSync(`config::${i}`, load, { persist: 'memory' });
        expect(given, `config::${i}, round ${round}`).toEqual(expected);
        if (!isLoaded) kept++;
      }
      cache.invalidate('config::3*', { tag: 't10' });
      cache.set('config::new', round);
      await cache.persist();
      expect(cache.getOrLoadSync('config::30', () => 'new', { persist: 'memory' })).toBe('new');
      await cache.stop();
    }
    // Most of it is still of use.
    expect(kept).toBeGreaterThan(200 * 12);
  }, 60_000);

  it('of a page in use is met once: the file is set aside, said, and a new one begun', async () => {
    const first = place.start();
    fill(first, 400);
    await first.stop();
    const bytes = readFileSync(place.path);
    // The first page is sound, so that it opens.
    bytes.fill(0xff, 3 * 4_096, bytes.length - 4_096);
    writeFileSync(place.path, bytes);
    const cache = place.start();
    readAll(cache, 400);
    expect(aside()).toHaveLength(1);
    expect(place.said.filter((line) => line.includes('renamed'))).toHaveLength(1);
    cache.set('config::a', 1);
    expect(place.rows()).toContain('config::a');
    expect(diskOf(cache)).toMatchObject({ state: 'ready', setAside: expect.stringContaining('.damaged-') });
  });

  it('leaves three of the files that were set aside', async () => {
    for (let i = 0; i < 6; i++) {
      writeFileSync(place.path, `This is no database, number ${i}. `.repeat(50));
      await place.start().stop();
      place.clock.advance(1_000);
    }
    expect(aside()).toHaveLength(3);
  });

  it('leaves them for a week, and until somebody is forgotten: they may hold anything', async () => {
    const spoil = async () => {
      writeFileSync(place.path, 'This is no database. '.repeat(50));
      const cache = place.start();
      expect(diskOf(cache).setAside).toBeDefined();
      return cache;
    };
    const first = await spoil();
    place.clock.advance(6 * DAY_MS);
    await first.persist();
    expect(aside()).toHaveLength(1);
    place.clock.advance(DAY_MS + 1);
    await first.persist();
    expect(aside()).toEqual([]);
    expect(diskOf(first).setAside).toBeUndefined();
    await first.stop();

    const second = await spoil();
    await forget(second, 'user', '42');
    expect(aside()).toEqual([]);
    await second.stop();
  });

  it('by cutting the file off costs its entries alone', async () => {
    const first = place.start();
    fill(first);
    await first.stop();
    for (const part of [0.9, 0.5, 0.1]) {
      const bytes = readFileSync(place.path);
      truncateSync(place.path, Math.floor(bytes.length * part));
      const cache = place.start();
      readAll(cache);
      cache.set('config::a', 1);
      expect(place.rows()).toContain('config::a');
      await cache.stop();
    }
  });

  it('while the file is open is survived', () => {
    const cache = place.start({ maxWeightBytes: 5_000 });
    fill(cache);
    cache.invalidate('user::1');
    place.connect().pragma('wal_checkpoint(TRUNCATE)');
    truncateSync(place.path, 4_096);
    readAll(cache);
    cache.set('config::a', 1);
    expect(cache.getOrLoadSync('config::a', never)).toBe(1);
  });
});

describe('a row that this version does not know how to read', () => {
  /** Puts a value into the row, with checksums that match. */
  function forge(key: string, value: string | Uint8Array, metadata?: string): void {
    const db = new Database(place.path);
    const row = db.prepare('SELECT * FROM cache_storage WHERE key = ?').get(key) as Record<string, unknown>;
    const { seq, namespace, created_at, updated_at, stale_at, expires_at } = row;
    const told = metadata ?? row.metadata;
    const head = JSON.stringify([seq, namespace, key, told, created_at, updated_at, stale_at, expires_at]);
    const checksum = crc32(value, crc32(head));
    db.prepare('UPDATE cache_storage SET value = ?, metadata = ?, checksum = ? WHERE key = ?').run(
      value,
      told,
      checksum,
      key,
    );
    db.close();
  }

  const zipBomb = () => {
    const bomb = zstdCompressSync(Buffer.alloc(200_000_000, '['));
    const kind = 'cc1jz';
    const checksum = crc32(bomb, crc32(kind)).toString(16).padStart(8, '0');
    return Buffer.concat([Buffer.from(kind + checksum), bomb]);
  };

  it.each([
    ['of a later codec', () => ['cc9j-00000000{"from":"the future"}']],
    ['that would be huge when decompressed', () => [zipBomb()]],
    ['whose metadata is none', () => ['cc1j-00000000{}', 'no JSON']],
    ['that is empty', () => ['']],
  ] as const)('%s is dropped and counted', async (_, forged) => {
    const first = place.start();
    fill(first);
    await first.stop();
    const [value = '', metadata] = forged() as [string | Uint8Array, string?];
    forge('config::7', value, metadata);
    const cache = place.start();
    expect(readAll(cache)).toBe(COUNT - 1);
    expect(diskOf(cache)).toMatchObject({ damaged: 1, failures: 0, state: 'ready' });
    expect(place.rows()).not.toContain('config::7');
  });
});

describe('a disk that is full', () => {
  it('I4: leaves the cache in memory, says so once, and takes up again when there is room', async () => {
    const files: Database.Database[] = [];
    const open = (path: string) => {
      const db = new Database(path);
      files.push(db);
      return db;
    };
    const cache = place.start({ disk: { path: place.path, open } });
    fill(cache);
    files[0]?.pragma(`max_page_count = ${files[0].pragma('page_count', { simple: true })}`);
    for (let i = 0; i < 500; i++) cache.set(`config::more::${i}`, 'x'.repeat(200));
    expect(cache.getOrLoadSync('config::more::499', never)).toBe('x'.repeat(200));
    expect(diskOf(cache)).toMatchObject({ state: 'failing', problem: expect.stringContaining('full') });
    expect(place.said).toEqual([expect.stringContaining('memory goes on')]);
    files[0]?.pragma('max_page_count = 1000000');
    place.clock.advance(INTERVAL_MS);
    await place.clock.settle();
    expect(diskOf(cache)).toMatchObject({ state: 'ready', problem: undefined });
    expect(place.rows()).toContain('config::more::499');
  });

  it.runIf(canMount())('I4, I9: is the same on a real one, where not even a row can be removed', async () => {
    const mounted = join(place.folder, 'tiny');
    mkdirSync(mounted);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mounted]);
    try {
      const path = join(mounted, 'cache.db');
      const cache = place.start({ disk: { path } });
      cache.set('config::a', 'old');
      expect(() => {
        for (let i = 0; ; i++) writeFileSync(join(mounted, `filler-${i}`), Buffer.alloc(16_384));
      }).toThrow('ENOSPC');
      for (let i = 0; i < 2_000; i++) cache.set(`config::${i}`, `${i}`.padEnd(2_000, 'x'));
      expect(diskOf(cache)).toMatchObject({ state: 'failing', problem: expect.stringMatching(/full|I\/O/) });
      cache.invalidate('config::a');
      expect(cache.getOrLoadSync('config::a', () => 'new', { persist: 'memory' })).toBe('new');
      place.kill(cache);
      // The change is told again by the feed, which goes on where the file stands.
      const next = place.start({ disk: { path } }, null);
      next.invalidate('config::a');
      next.provenBy(feedOf());
      expect(next.getOrLoadSync('config::a', () => 'new', { persist: 'memory' })).toBe('new');
      await next.stop();
    } finally {
      execFileSync('umount', ['-l', mounted]);
    }
  });
});

describe('a file that cannot be written', () => {
  it('I4: serves what it holds where it may be read, and nothing that is invalidated', async () => {
    const first = place.start();
    fill(first);
    await first.stop();
    let isReadOnly = false;
    const open = (path: string) => {
      const db = new Database(path);
      isReadOnly = true;
      return db;
    };
    const cache = place.start({ disk: { path: place.path, open } });
    expect(isReadOnly).toBe(true);
    const writer = place.connect();
    writer.exec('BEGIN IMMEDIATE');
    cache.invalidate('config::3');
    expect(cache.getOrLoadSync('config::3', () => 'new', { persist: 'memory' })).toBe('new');
    expect(cache.getOrLoadSync('config::4', never)).toEqual(contentOf(4));
    writer.exec('ROLLBACK');
  });

  it('I4: as one that may only be read is read, and memory goes on', async () => {
    const first = place.start();
    fill(first);
    await first.stop();
    const open = (path: string) => new Database(path, { readonly: true });
    const cache = place.start({ disk: { path: place.path, open } });
    cache.set('config::a', 1);
    expect(cache.getOrLoadSync('config::a', never)).toBe(1);
    readAll(cache);
    expect(diskOf(cache)).toMatchObject({
      state: 'failing',
      problem: expect.stringContaining('readonly'),
    });
    expect(place.said).toHaveLength(1);
  });

  it('in a place that is no folder is taken up once it is one, and believes nothing from before', async () => {
    const first = place.start();
    first.set('config::a', 'old');
    await first.stop();
    const hidden = `${place.path}.hidden`;
    renameSync(place.path, hidden);
    mkdirSync(place.path);
    const cache = place.start();
    expect(diskOf(cache)).toMatchObject({ state: 'off' });
    for (let i = 0; i < 5; i++) await cache.persist();
    expect(place.said).toHaveLength(1);
    rmSync(place.path, { recursive: true });
    renameSync(hidden, place.path);
    await cache.persist();
    expect(diskOf(cache)).toMatchObject({ state: 'ready', problem: undefined });
    // It may have been changed while nobody could be told.
    expect(cache.getOrLoadSync('config::a', () => 'new', { persist: 'memory' })).toBe('new');
    cache.set('config::b', 1);
    expect(place.rows()).toContain('config::b');
  });

  it('I4, I13: whose place cannot be looked at is let go of, said once, and taken up again', async () => {
    const folder = join(place.folder, 'sub');
    mkdirSync(folder);
    const cache = place.start({ disk: { path: join(folder, 'cache.db') } });
    cache.set('config::a', 'old', { ttlMs: 600_000 });
    renameSync(folder, `${folder}-moved`);
    symlinkSync(folder, folder);
    for (let i = 0; i < 5; i++) await place.clock.advanceAsync(INTERVAL_MS);
    await cache.persist();
    expect(cache.get('config::a')).toBe('old');
    expect(diskOf(cache)).toMatchObject({ state: 'off', problem: expect.any(String) });
    expect(place.said).toEqual([expect.stringContaining('memory alone')]);
    rmSync(folder);
    renameSync(`${folder}-moved`, folder);
    await place.clock.advanceAsync(INTERVAL_MS);
    expect(diskOf(cache)).toMatchObject({ state: 'ready', problem: undefined });
    renameSync(folder, `${folder}-moved`);
    symlinkSync(folder, folder);
    await cache.stop();
  });

  it('I2: and is not there for a while does not give back what was invalidated meanwhile, nor as a stale value', async () => {
    const hidden = `${place.path}.hidden`;
    const tiers = [tierOf('user', ['user'], { persist: 'on_change', staleWhileRevalidateMs: 600_000 })];
    const cache = place.start({ tiers });
    for (const key of ['user::a', 'user::b', 'user::c']) cache.set(key, 'old', { ttlMs: 600_000 });
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(place.path + suffix)) renameSync(place.path + suffix, hidden + suffix);
    }
    mkdirSync(place.path);
    await cache.persist();
    expect(diskOf(cache)).toMatchObject({ state: 'off' });
    cache.invalidate('user::a', 'user::b');
    rmSync(place.path, { recursive: true });
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(hidden + suffix)) renameSync(hidden + suffix, place.path + suffix);
    }
    await cache.persist();
    expect(diskOf(cache)).toMatchObject({ state: 'ready' });
    const load = () => 'new';
    expect(cache.getOrLoadSync('user::a', load, { persist: 'memory' })).toBe('new');
    expect(cache.getOrLoadSync('user::b', load, { persist: 'memory' })).toBe('new');
    expect(place.rows()).toEqual(['user::c']);
  });

  it('I4, I12: since somebody else has it for long holds up nobody, and is written afterwards', async () => {
    const cache = place.start();
    const writer = place.connect();
    writer.exec('BEGIN IMMEDIATE');
    const beganAt = performance.now();
    for (let i = 0; i < 200; i++) cache.set(`config::${i}`, i, { ttlMs: 600_000 });
    expect(performance.now() - beganAt).toBeLessThan(500);
    await place.clock.advanceAsync(3 * INTERVAL_MS);
    expect(place.said).toEqual([expect.stringContaining('memory goes on')]);
    writer.exec('ROLLBACK');
    await place.clock.advanceAsync(INTERVAL_MS);
    expect(place.rows()).toHaveLength(200);
    expect(diskOf(cache)).toMatchObject({ state: 'ready' });
  });

  it('since it was deleted or moved away is begun anew, and said once', async () => {
    const cache = place.start();
    cache.set('config::a', 'old');
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(place.path + suffix)) rmSync(place.path + suffix);
    }
    cache.set('config::b', 1);
    cache.invalidate('config::a');
    await cache.persist();
    cache.set('config::c', 2);
    expect(place.rows()).toEqual(['config::b', 'config::c']);
    expect(place.said).toEqual([expect.stringContaining('moved away')]);
  });
});

describe('its bound', () => {
  it('holds in bytes, whatever is written: the oldest entries leave first', async () => {
    const maxBytes = 400_000;
    const cache = place.start({ disk: { path: place.path, maxBytes } });
    for (let i = 0; i < 3_000; i++) cache.set(`config::${i}`, { i, text: `${i}`.repeat(40) });
    for (let i = 0; i < 40; i++) cache.set(`products::${i}`, randomText(30_000));
    await cache.persist();
    cache.set('config::last', 1);
    for (let i = 0; i < 40; i++) await cache.persist();
    const db = place.connect();
    const pages = Number(db.pragma('page_count', { simple: true }));
    const free = Number(db.pragma('freelist_count', { simple: true }));
    expect((pages - free) * 4_096).toBeLessThan(maxBytes * 1.2);
    expect(diskOf(cache).evicted).toBeGreaterThan(1_000);
    expect(place.rows()).not.toContain('config::1');
  });

  it('refuses a value that would take a quarter of it', () => {
    const cache = place.start({ disk: { path: place.path, maxBytes: 400_000 } });
    cache.set('config::a', randomText(150_000));
    expect(place.rows()).toEqual([]);
    expect(diskOf(cache)).toMatchObject({ refused: 1, failures: 0 });
  });
});

/** Text that does not become smaller. */
function randomText(length: number): string {
  const random = seededRandom(length);
  return Array.from({ length }, () => String.fromCharCode(random.between(33, 126))).join('');
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const at = join('/tmp', `cachecord-mount-${process.pid}`);
  mkdirSync(at, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at], { stdio: 'ignore' });
    execFileSync('umount', [at], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(at, { recursive: true, force: true });
  }
}
