/** What the disk layer tells of itself, for people to see what a restart brought back, and what not. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { silentLogger } from '../../src/logger.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { FEED, TTL_MS, tierOf } from './support.ts';

let folder: string;
let clock: HandClock;
const open: Cache[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-disk-'));
  clock = handClock();
});
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(missed: (cache: Cache) => void = () => undefined): Cache {
  const cache = createCache({
    maxWeightBytes: 1_000_000,
    tiers: [tierOf('config', ['config'], { persist: 'on_change' })],
    cleanupIntervalMs: 600_000,
    clock,
    logger: silentLogger,
    disk: { path: join(folder, 'cache.db') },
  });
  open.push(cache);
  missed(cache);
  cache.provenBy(FEED);
  return cache;
}

it('tells what the process found, and what of it was believed, not proven and expired', async () => {
  const first = start();
  for (const name of ['a', 'b', 'told-by-nobody', 'late']) first.set(`config::${name}`, name);
  expect(first.stats().disk).toMatchObject({ found: 0, restored: 0, entries: 4, setAside: undefined });
  first.set('config::late', 'late', { ttlMs: 1_000 });
  await first.stop();
  clock.advance(2_000);

  const second = start();
  second.set('config::of-today', 1);
  for (const name of ['a', 'told-by-nobody', 'late', 'of-today', 'never-seen']) second.get(`config::${name}`);
  expect(second.stats().disk).toMatchObject({ found: 4, hits: 1, restored: 1, unproven: 1, expired: 1 });
});

it('tells how much of it had been changed meanwhile', async () => {
  const first = start();
  for (const name of ['a', 'b', 'c']) first.set(`config::${name}`, name);
  await first.stop();
  const second = start((cache) => void cache.invalidate('config::a', 'config::of-tomorrow'));
  expect(second.stats().disk).toMatchObject({ found: 3, outdated: 1, entries: 2 });
  second.invalidate('config::b');
  expect(second.stats().disk).toMatchObject({ outdated: 1 });
});

it('counts what takes longer to remove as it goes, and nothing that is cleared afterwards', async () => {
  const first = start();
  for (let i = 0; i < 250; i++) first.set(`config::list::${i}`, i);
  first.set('config::a', 1);
  await first.stop();
  const second = start((cache) => void cache.invalidate('config::list::*'));
  await expect.poll(() => second.stats().disk).toMatchObject({ found: 251, outdated: 250 });
  for (let i = 0; i < 250; i++) second.set(`config::list::${i}`, i);
  expect(await second.forget('config::list::*')).toMatchObject({ stored: 250 });
  expect(second.stats().disk).toMatchObject({ outdated: 250 });
});

it('does not take for restored what was written since', async () => {
  const cache = start();
  cache.set('config::a', 'x'.repeat(1_000));
  clock.advance(1);
  // Pushed out of memory, and read from disk again.
  for (let i = 0; i < 2_000; i++)
    cache.set(`config::more::${i}`, 'y'.repeat(1_000), { persist: 'memory', ttlMs: TTL_MS });
  expect(cache.get('config::a')).toBeDefined();
  expect(cache.stats().disk).toMatchObject({ hits: 1, restored: 0 });
});

it('tells where a damaged file went', () => {
  writeFileSync(join(folder, 'cache.db'), 'This is no database. '.repeat(100));
  expect(start().stats().disk).toMatchObject({
    state: 'ready',
    setAside: expect.stringContaining('damaged'),
  });
});

it('counts the entries on disk in a preview, those in memory and those that are not', async () => {
  const first = start();
  for (const name of ['a', 'b', 'c']) first.set(`config::${name}`, name);
  await first.stop();
  const second = start();
  second.get('config::a');
  expect(await second.preview('config::*')).toMatchObject({ entries: 1, stored: 3 });
  expect(await second.preview('config::b')).toMatchObject({ entries: 0, stored: 1 });
  second.invalidate('config::b');
  expect(await second.preview('config::*')).toMatchObject({ entries: 1, stored: 2 });
});
