/** The disk layer on a host's connections that give every integer as BigInt (`defaultSafeIntegers`). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import type { OpenDatabase } from '../../src/cache/layers/disk/store-database.ts';
import type { Logger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';
import { FEED, TTL_MS, tierOf } from './support.ts';

const safe: OpenDatabase = (path) => new Database(path).defaultSafeIntegers(true);

it('serves after a restart, invalidates, expires, counts and forgets as on any other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cachecord-safe-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const said: string[] = [];
  const note = (text: string) => void said.push(text);
  const logger: Logger = { debug: () => undefined, info: () => undefined, warn: note, error: note };
  const clock = handClock();
  const start = (open?: OpenDatabase) => {
    const cache = createCache({
      clock,
      logger,
      tiers: [tierOf('config', ['config'], { persist: 'on_change' })],
      disk: { path: join(folder, 'cache.db'), ...(open && { open }) },
    });
    cache.provenBy(FEED);
    return cache;
  };
  // Written plainly and read so, and the other way round.
  for (const [first, second] of [
    [undefined, safe],
    [safe, safe],
    [safe, undefined],
  ] as const) {
    const before = start(first);
    before.set('config::big', { id: 420000000000000042n, coins: 7 });
    before.set('config::user::7', 1, { tags: ['user:7'] });
    before.set('config::of-big', 2, { dependsOn: ['config::big'] });
    before.set('config::short', 3, { ttlMs: 10 });
    before.get('config::big');
    await before.stop();
    const after = start(second);
    expect(after.get('config::big')).toEqual({ id: 420000000000000042n, coins: 7 });
    expect(after.stored?.list('config::', 10).map(({ key }) => key)).toContain('config::user::7');
    expect(after.stats().disk).toMatchObject({ entries: 4, damaged: 0 });
    clock.advance(20);
    expect(after.has('config::short')).toBe(false);
    after.invalidate({ tag: 'user:7' }, 'config::big');
    expect(after.has('config::user::7') || after.has('config::of-big')).toBe(false);
    after.set('config::user::8', 1);
    expect(await after.forget('config::user::8')).toMatchObject({ entries: 1, isUnfinished: false });
    clock.advance(TTL_MS);
    await after.stop();
  }
  expect(said).toEqual([]);
});
