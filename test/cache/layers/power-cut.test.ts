import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCache } from '../../../src/cache/cache.ts';
import { machineStart, noteUse, wasCutOff } from '../../../src/cache/layers/power-cut.ts';
import type { Cache } from '../../../src/cache/types.ts';
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
    const [note = ''] = notes();
    expect(readFileSync(join(folder, note), 'utf8')).toBe(machineStart());
    await first.stop();
    // As if that process had not come to its end, before the machine was started again.
    writeFileSync(join(folder, note), 'an earlier start');
    const second = start();
    expect(second.getOrLoadSync('config::a', () => 2)).toBe(2);
    expect(second.stats().disk).toMatchObject({ state: 'ready', found: 0 });
    expect(said).toEqual([`The machine ended while ${path} was in use, so a new one is begun.`]);
    expect(notes()).toHaveLength(1);
    await second.stop();
    expect(notes()).toEqual([]);
  });

  it('leaves an empty note where that was just being written', () => {
    writeFileSync(`${path}.in-use-1-1-0`, '');
    expect(wasCutOff(path, 'now')).toBe(true);
    expect(wasCutOff(path, 'now')).toBe(false);
  });

  it('takes nothing else along: a database of something else in its place stays', async () => {
    const shop = new Database(path);
    shop.exec('CREATE TABLE users (id)');
    shop.close();
    writeFileSync(`${path}.in-use-1-1-0`, 'an earlier start');
    const cache = start();
    expect(cache.stats().disk).toMatchObject({ state: 'off' });
    const after = new Database(path);
    expect(after.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['users']);
    after.close();
    await cache.stop();
  });
});

describe('a process that ends', () => {
  it('well, takes its note away, and those of others stay', async () => {
    const other = `${path}.in-use-${process.ppid}-1-0`;
    writeFileSync(other, machineStart() ?? '');
    const cache = start();
    cache.set('config::a', 1);
    await cache.stop();
    expect(notes()).toEqual([other.slice(folder.length + 1)]);
    const again = start();
    expect(again.getOrLoadSync('config::a', () => 2)).toBe(1);
    await again.stop();
    expect(said).toEqual([]);
  });

  it('otherwise, loses nothing, and the next one takes its note away', async () => {
    const first = start();
    first.set('config::a', 1);
    await first.stop();
    // No process has so high a number.
    writeFileSync(`${path}.in-use-99999999-1-0`, machineStart() ?? '');
    const second = start();
    expect(second.getOrLoadSync('config::a', () => 2)).toBe(1);
    expect(notes()).toHaveLength(1);
    await second.stop();
    expect(notes()).toEqual([]);
  });

  it('leaves a note under one name only, whole from the beginning', () => {
    const end = noteUse(path, 'now');
    writeFileSync(path, '');
    expect(notes()).toHaveLength(1);
    end();
    expect(notes()).toEqual([]);
  });
});
