/** Somebody is forgotten while a warmer is at work: what it has listed or is loading must not bring them back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { cached } from '../../src/cache/wrappers/wrappers.ts';
import { forget } from '../../src/forget.ts';
import { silentLogger } from '../../src/logger.ts';
import { tierOf } from '../cache/support.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { HOUR, MINUTE, task, warmersOf } from './support.ts';

const DAY = 24 * HOUR;
const [LOADING, LISTED, OTHER] = ['101', '102', '103'] as const;

let folder: string;
let clock: HandClock;
const open: Cache[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-forget-warm-'));
  clock = handClock(new Date(2026, 0, 5, 9).getTime());
});
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A process whose loads end when the test says so, once `held` is an array. */
function process() {
  const cache = createCache({
    maxWeightBytes: 10_000_000,
    tiers: [tierOf('query', ['query'], { persist: 'on_change', ttlMs: 30 * MINUTE })],
    cleanupIntervalMs: DAY,
    clock,
    logger: silentLogger,
    disk: { path: join(folder, 'cache.db'), intervalMs: HOUR },
  });
  open.push(cache);
  const loads: string[] = [];
  const held: (() => void)[] = [];
  const state = { isHolding: false };
  const read = cached(
    cache,
    async (id: string) => {
      loads.push(id);
      if (state.isHolding) await new Promise<void>((resolve) => held.push(resolve));
      return `of ${id}`;
    },
    { key: 'query::{0}::orders' },
  );
  return { cache, read, loads, held, state };
}

async function usedBefore(): Promise<void> {
  const { cache, read } = process();
  for (const [id, times] of [
    [LOADING, 40],
    [LISTED, 20],
    [OTHER, 8],
  ] as const)
    for (let i = 0; i < times; i++) await read(id);
  await cache.stop();
}

async function release(held: (() => void)[]): Promise<void> {
  for (let round = 0; round < 5; round++) {
    for (const end of held.splice(0)) end();
    await clock.settle();
  }
}

describe.each([
  ['the hot-key warmer', HOUR, 0],
  ['the predictive warmer', DAY - 30 * MINUTE, 25 * MINUTE],
] as const)('%s', (_, laterMs, inMs) => {
  it('brings nobody back who is forgotten while it loads them, or has them on its list', async () => {
    await usedBefore();
    clock.advance(laterMs);
    const { cache, read, loads, held, state } = process();
    const { warmers } = warmersOf([task('query', [])], {
      clock,
      warmth: cache.warmth,
      config: { concurrency: 1, startupBudgetMs: 0, isPredictive: inMs > 0 },
    });
    state.isHolding = inMs === 0;
    await warmers.start();
    await clock.settle();
    if (inMs > 0) {
      cache.clear();
      loads.length = 0;
      state.isHolding = true;
    }
    await clock.advanceAsync(inMs);
    expect(loads).toEqual([LOADING]);
    expect(await forget(cache, 'user', LOADING)).toMatchObject({ loads: 1, hotKeys: 1 });
    expect(await forget(cache, 'user', LISTED)).toMatchObject({ hotKeys: 1 });
    await release(held);
    expect(loads).toEqual([LOADING, OTHER]);
    expect(cache.keys('', 10)).toEqual([`query::${OTHER}::orders`]);
    await cache.persist();
    expect((await cache.warmth?.hot(10))?.map(({ key }) => key)).toEqual([`query::${OTHER}::orders`]);

    state.isHolding = false;
    expect(await read(LISTED)).toBe(`of ${LISTED}`);
    expect(cache.has(`query::${LISTED}::orders`)).toBe(true);
    await warmers.stop();
  });
});

describe('the user warmer', () => {
  it('leaves off where the person is forgotten, also by the very interaction that set it off', async () => {
    const { cache, read, loads, held, state } = process();
    const tasks = [task('user', ({ userId = '' }) => [read.warm(userId), read.warm(`${userId} more`)])];
    const { warmers } = warmersOf(tasks, { clock, config: { concurrency: 1 } });
    state.isHolding = true;
    const forgetNow = (id: string) => {
      warmers.userForgotten(id);
      return forget(cache, 'user', id);
    };
    warmers.userSeen(LOADING);
    warmers.userSeen(LISTED);
    warmers.userSeen(OTHER);
    await clock.settle();
    expect(loads).toEqual([LOADING]);
    await forgetNow(LOADING);
    await forgetNow(LISTED);
    await forgetNow('104');
    warmers.userSeen('104');
    for (let i = 0; i < 4; i++) await release(held);
    expect(loads).toEqual([LOADING, OTHER, `${OTHER} more`]);
    expect(cache.keys('', 10)).toEqual([`query::${OTHER} more::orders`, `query::${OTHER}::orders`]);
    clock.advance(2 * HOUR);
    state.isHolding = false;
    warmers.userSeen(LISTED);
    await clock.settle();
    expect(loads).toContain(LISTED);
    await warmers.stop();
  });
});
