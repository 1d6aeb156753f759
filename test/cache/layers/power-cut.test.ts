import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../../src/cache/cache.ts';
import { createCache } from '../../../src/cache/create-cache.ts';
import { openWithBetterSqlite3 } from '../../../src/cache/layers/disk/open-sqlite.ts';
import { machineStart, noteUse, wasCutOff } from '../../../src/cache/layers/disk/power-cut.ts';
import { tierOf } from '../support.ts';
import { feedOf } from './support.ts';

let folder: string;
let path: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-power-'));
  path = join(folder, 'cache.db');
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open: Database.Database[] = [];
afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Another process that uses the file. */
async function processInUse(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('../fixtures/process-in-use.ts', import.meta.url)), [path]);
  children.push(child);
  await once(child, 'message');
  return child;
}

/** The note that a process of an earlier start of the machine has left. */
const EARLIER = '.in-use-an-earlier-start-0123456789abcdef01';

const notes = () => readdirSync(folder).filter((name) => name.includes('.in-use-'));

function start(): Cache {
  const say = (message: string) => void said.push(message);
  const cache = createCache({
    maxWeightBytes: 1_000_000,
    cleanupIntervalMs: 600_000,
    tiers: [tierOf('config', ['config'], { persist: 'on_change' })],
    logger: { debug: say, info: say, warn: say, error: say },
    disk: { path },
  });
  cache.provenBy(feedOf());
  return cache;
}

describe('I9: a machine that ends while the cache file is in use', () => {
  it('leaves a note of another start, and the file is begun anew, said once', async () => {
    const first = start();
    first.set('config::a', 1);
    expect(notes()).toHaveLength(1);
    expect(notes()[0]).toContain(machineStart());
    await first.stop();
    // As if that process had not come to its end, before the machine was started again.
    writeFileSync(path + EARLIER, '');
    const second = start();
    expect(second.getOrLoadSync('config::a', () => 2)).toBe(2);
    expect(second.stats().disk).toMatchObject({ state: 'ready', found: 0 });
    expect(said).toEqual([`The machine ended while ${path} was in use, so a new one is begun.`]);
    expect(notes()).toHaveLength(1);
    await second.stop();
    expect(notes()).toEqual([]);
  });

  it('is seen by a note of another form, too', () => {
    writeFileSync(`${path}.in-use-1-1-0`, '');
    expect(wasCutOff(path, 'now')).toBe(true);
    expect(wasCutOff(path, 'now')).toBe(false);
  });

  it('takes nothing else along: a database of something else in its place stays', async () => {
    const shop = new Database(path);
    shop.exec('CREATE TABLE users (id)');
    shop.close();
    writeFileSync(path + EARLIER, '');
    const cache = start();
    expect(cache.stats().disk).toMatchObject({ state: 'off' });
    const after = new Database(path);
    expect(after.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['users']);
    after.close();
    await cache.stop();
  });
});

describe('a process that ends', () => {
  it('well, removes its note, and those of live processes stay, whatever their numbers', async () => {
    await processInUse();
    const [other] = notes();
    const cache = start();
    cache.set('config::a', 1);
    expect(notes()).toHaveLength(2);
    await cache.stop();
    expect(notes()).toEqual([other]);
    const again = start();
    expect(again.getOrLoadSync('config::a', () => 2)).toBe(1);
    await again.stop();
    expect(notes()).toEqual([other]);
    expect(said).toEqual([]);
  });

  it('by a kill, loses nothing, and the next one removes its note', async () => {
    const first = start();
    first.set('config::a', 1);
    await first.stop();
    const child = await processInUse();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(notes()).toHaveLength(1);
    const second = start();
    expect(second.getOrLoadSync('config::a', () => 2)).toBe(1);
    expect(notes()).toHaveLength(1);
    await second.stop();
    expect(notes()).toEqual([]);
    expect(said).toEqual([]);
  });

  it('while it leaves its note leaves a draft, which the next one removes', async () => {
    writeFileSync(`${path}.note-0123456789abcdef01`, '');
    const cache = start();
    cache.set('config::a', 1);
    await cache.stop();
    expect(readdirSync(folder).filter((name) => name.includes('.note-'))).toEqual([]);
    expect(said).toEqual([]);
  });

  it('leaves no draft where the note cannot be left', () => {
    const longest = join(folder, 'x'.repeat(240));
    expect(() => noteUse(longest, 'now', openWithBetterSqlite3)).toThrow();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('holds its note under one name only, which no other file stands beside', async () => {
    const note = noteUse(path, 'now', openWithBetterSqlite3);
    writeFileSync(path, '');
    expect(readdirSync(folder).sort()).toEqual(['cache.db', `cache.db.in-use-now-${note.owner}`]);
    await note.end();
    expect(notes()).toEqual([]);
  });
});

describe('I4: a folder that may only be read', () => {
  /** As root may write everywhere, another process does it as nobody. */
  function readIn(place: string): {
    readonly said: string[];
    readonly value: unknown;
    readonly state: string;
  } {
    const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    const script = fileURLToPath(new URL('../fixtures/read-only-folder.ts', import.meta.url));
    const output = execFileSync(process.execPath, [script, place], { ...nobody, encoding: 'utf8' });
    return JSON.parse(output);
  }

  async function filled(): Promise<void> {
    const cache = start();
    cache.set('config::a', 1);
    await cache.stop();
    said.length = 0;
  }

  it.each([
    ['without a file', async () => undefined],
    ['with one that was left well', filled],
    [
      'with one that is in use',
      async () => {
        await filled();
        const db = new Database(path);
        db.pragma('journal_mode = WAL');
        db.exec("INSERT OR REPLACE INTO cache_meta VALUES ('x', 'y')");
        for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o666);
        open.push(db);
      },
    ],
    [
      'with the note of an earlier start of the machine',
      async () => {
        await filled();
        writeFileSync(path + EARLIER, '');
        for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o666);
      },
    ],
  ])('%s is said once, and memory goes on', async (_, prepare) => {
    await prepare();
    chmodSync(folder, 0o555);
    const { said: warned, value } = readIn(path);
    chmodSync(folder, 0o755);
    expect(warned).toEqual([
      expect.stringMatching(/cannot be used: the cache works in memory alone|No note can be left/),
    ]);
    expect(value).toBe(2);
  });
});
