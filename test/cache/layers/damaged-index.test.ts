/** I9: a pattern that is applied to a damaged file removes what an exact look-up would still find, or the damage is noticed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileTarget, covers, type InvalidationTarget } from '../../../src/cache/keys/target.ts';
import { DiskFile } from '../../../src/cache/layers/disk/file.ts';
import { openWithBetterSqlite3 } from '../../../src/cache/layers/disk/open-sqlite.ts';
import { keysFrom, keysLabelled, labelsFrom } from '../../../src/cache/layers/disk/paging.ts';
import {
  isDamage,
  type OpenDatabase,
  type StoreDatabase,
} from '../../../src/cache/layers/disk/store-database.ts';
import { coveredKeys, labelsOf, removeCovered } from '../../../src/cache/layers/disk/targets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-index-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Every third row is covered by each of the targets below; the covered ones lie among others. */
const ROWS = Array.from({ length: 600 }, (_, i) => ({
  // Every other id is written as a number, which has a label of its own.
  key: `${['config', 'user', 'zone'][i % 3]}::${i % 2 === 0 ? '#' : ''}${i}::profile`,
  tags: i % 3 === 1 ? ['people'] : [],
  dependsOn: i % 3 === 1 ? ['source::1'] : ['source::2'],
}));

/** Small pages, so that the indexes are several levels deep. */
function openSmallPages(path: string): StoreDatabase {
  const db = openWithBetterSqlite3(path);
  db.pragma('page_size = 512');
  return db;
}

function fill(path: string, open: OpenDatabase): void {
  const file = new DiskFile(path, open);
  file.transaction(() => {
    for (const { key, tags, dependsOn } of ROWS) {
      const row = { namespace: 'x', key, value: '1', metadata: JSON.stringify({ tags, dependsOn }) };
      const times = { created_at: 1, updated_at: 1, stale_at: null, expires_at: null };
      file.write({ ...row, ...times }, labelsOf(key, { tags, dependsOn }));
    }
  });
  file.tidy();
  file.close();
}

/** The pages of a table or index, from SQLite's own statistics of the file. */
function pagesOf(
  path: string,
  names: readonly string[],
): { readonly pages: number[]; readonly pageBytes: number } {
  const db = new Database(path, { readonly: true });
  const pageBytes = Number(db.pragma('page_size', { simple: true }));
  const bytes = readFileSync(path);
  const roots = names.map((name) =>
    Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').pluck().get(name)),
  );
  db.close();
  const pages: number[] = [];
  // The children of an interior page of an index (type 2) are named by its cells and its header.
  for (let page = roots.pop(); page !== undefined; page = roots.pop()) {
    pages.push(page);
    const at = (page - 1) * pageBytes;
    if (bytes[at] !== 2) continue;
    roots.push(bytes.readUInt32BE(at + 8));
    for (let cell = 0; cell < bytes.readUInt16BE(at + 3); cell++) {
      roots.push(bytes.readUInt32BE(at + bytes.readUInt16BE(at + 12 + 2 * cell)));
    }
  }
  return { pages, pageBytes };
}

/** Keys that an exact look-up finds after the target was applied, though it covers them. */
function missed(path: string, target: InvalidationTarget): string[] {
  let file: DiskFile | undefined;
  try {
    const opened = new DiskFile(path, openWithBetterSqlite3);
    file = opened;
    const compiled = compileTarget(target);
    for (const key of [...coveredKeys(opened, compiled)]) if (key !== undefined) removeCovered(opened, key);
    return ROWS.filter((row) => covers(compiled, row.key, row, undefined))
      .filter(({ key }) => typeof opened.read(key) === 'object')
      .filter((row) => opened.isLinked(row.key, labelsOf(row.key, row)))
      .map(({ key }) => key);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return []; // The file is set aside.
  } finally {
    file?.close();
  }
}

/** The indexes by which rows are found. */
const KEYS = 'sqlite_autoindex_cache_storage_1';
const LABELS = 'cache_links';

describe.each([
  ['two levels', openWithBetterSqlite3],
  ['more levels', openSmallPages],
] as const)('I9: one flipped bit in an index of %s', (_, open) => {
  it.each<[InvalidationTarget, string]>([
    ['user::*', KEYS],
    ['user::1*', KEYS],
    ['user::1*', LABELS],
    ['user::400::profile', LABELS],
    [{ tag: 'people' }, LABELS],
    ['source::1', LABELS],
    ['source::1*', LABELS],
  ])('leaves nothing that %j covers and a read would believe: %s', (target, index) => {
    const path = join(folder, 'sound.db');
    fill(path, open);
    const sound = readFileSync(path);
    const { pages, pageBytes } = pagesOf(path, [index]);
    const damaged = join(folder, 'damaged.db');
    const findings: string[] = [];
    let seed = SEED;
    for (let round = 0; round < ROUNDS; round++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      const page = pages[seed % pages.length] as number; // there is at least one
      const bit = Math.floor(seed / 8) % (pageBytes * 8);
      const bytes = Buffer.from(sound);
      const at = (page - 1) * pageBytes + (bit >> 3);
      bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7)); // within the page
      writeFileSync(damaged, bytes);
      const left = missed(damaged, target);
      for (const suffix of ['-wal', '-shm']) rmSync(damaged + suffix, { force: true });
      if (left.length > 0) findings.push(`page ${page}, bit ${bit}: ${left.length} rows such as ${left[0]}`);
    }
    expect(findings).toEqual([]);
  });
});

it('keys of any texts are found by their beginning, and a sound file is never taken for a damaged one', () => {
  const unit = fc.constantFrom('a', 'b', ':', '\u007f', 'é', '\ud7ff', '\ue000', '\ufffd', '\uffff', '😀');
  const text = fc.string({ unit, minLength: 1, maxLength: 4 });
  let file = 0;
  fc.assert(
    fc.property(
      fc.uniqueArray(text, { maxLength: 60 }),
      fc.string({ unit, maxLength: 2 }),
      (keys, prefix) => {
        const opened = new DiskFile(join(folder, `${file++}.db`), openWithBetterSqlite3);
        const row = { namespace: 'x', value: '1', metadata: '{}', created_at: 1, updated_at: 1 };
        opened.transaction(() => {
          for (const key of keys)
            opened.write({ ...row, key, stale_at: null, expires_at: null }, [`t:${key}`, 't:']);
        });
        const expected = keys.filter((key) => key.startsWith(prefix)).sort();
        expect([...keysFrom(opened, prefix)].sort()).toEqual(expected);
        const labels = [...labelsFrom(opened, `t:${prefix}`)].filter((label) => label !== 't:');
        expect(labels.map((label) => label.slice(2)).sort()).toEqual(expected);
        expect([...keysLabelled(opened, 't:')].sort()).toEqual([...keys].sort());
        opened.close();
      },
    ),
    { numRuns: 40, seed: 1 },
  );
});

/** By environment variables, to look further than `npm test` has the time for. */
const ROUNDS = Number(process.env.FLIPS ?? 40);
const SEED = Number(process.env.FLIPS_SEED ?? 7);
