/** Hot keys and prediction: over a real cache and file, so that what they load is what was used. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { cached } from '../../src/cache/wrappers/wrappers.ts';
import type { Config } from '../../src/config/config.ts';
import { silentLogger } from '../../src/logger.ts';
import { nextHourAt, nextRunAt } from '../../src/warmers/prediction.ts';
import { tierOf } from '../cache/support.ts';
import { type HandClock, handClock } from '../support/hand-clock.ts';
import { HOUR, job, MINUTE, task, warmersOf } from './support.ts';

const DAY = 24 * HOUR;

let folder: string;
let clock: HandClock;
const open: Cache[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-ahead-'));
  clock = handClock(new Date(2026, 0, 5).getTime());
});
afterEach(async () => {
  for (const cache of open.splice(0)) await cache.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A process with one cached read, whose loads end when the test says so where `hold` is given. */
function process(hold: () => Promise<unknown> = () => Promise.resolve()) {
  const cache = createCache({
    maxWeightBytes: 10_000_000,
    tiers: [tierOf('query', ['query'], { persist: 'periodic', ttlMs: 30 * MINUTE })],
    cleanupIntervalMs: DAY,
    clock,
    logger: silentLogger,
    disk: { path: join(folder, 'cache.db'), intervalMs: 10 * MINUTE },
  });
  open.push(cache);
  const loads: string[] = [];
  const read = cached(
    cache,
    async (id: string) => {
      loads.push(id);
      await hold();
      return id;
    },
    { key: 'query::{0}' },
  );
  return { cache, read, loads };
}

async function use(read: (id: string) => Promise<unknown>, id: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await read(id);
}

/** A process that has used `a` most, then `b`, then `c`, and has ended long enough ago that nothing is fresh. */
async function usedBefore(): Promise<void> {
  const { cache, read } = process();
  for (const [id, times] of [
    ['c', 5],
    ['a', 50],
    ['b', 20],
  ] as const)
    await use(read, id, times);
  await cache.stop();
  clock.advance(HOUR);
}

/** Turns the clock in steps that no run is longer than: faster than a turn of the loop for every timer of a day. */
async function turnTo(instant: number): Promise<void> {
  while (clock.now() < instant) {
    clock.advance(Math.min(MINUTE, instant - clock.now()));
    await clock.settle();
  }
}

function warmersFor(cache: Cache, config: Partial<Config['warmers']> = {}, tasks = [task('query', [])]) {
  return warmersOf(tasks, { clock, warmth: cache.warmth, config: { concurrency: 1, ...config } }).warmers;
}

describe('the hot-key warmer', () => {
  it('loads at the start what the last process used most, most valuable first', async () => {
    await usedBefore();
    const { cache, read, loads } = process();
    const warmers = warmersFor(cache, { hotKeys: 2 });
    await warmers.start();
    expect(loads).toEqual(['a', 'b']);
    expect(warmers.status()[3]).toMatchObject({
      warmer: 'hot_keys',
      schedule: 'once at start',
      lastRun: { scope: 'hot keys', trigger: 'startup', state: 'done', total: 2, warmed: 2, skipped: 0 },
      nextAt: null,
    });
    await read('a');
    expect(loads).toHaveLength(2);
    expect(warmers.status()[3]?.precision).toEqual({ warmed: 2, used: 1, unused: 0, precision: 0.5 });
    await warmers.stop();
  });

  it('leaves alone what is fresh, or loading', async () => {
    await usedBefore();
    const { cache, read, loads } = process();
    await read('a');
    const waiting = read('b');
    const warmers = warmersFor(cache);
    await Promise.all([warmers.start(), waiting]);
    expect(loads).toEqual(['a', 'b', 'c']);
    expect(warmers.status()[3]?.lastRun).toMatchObject({ total: 3, warmed: 1, skipped: 2 });
    await warmers.stop();
  });

  it('ends with the startup budget: what is not loaded by then is left', async () => {
    await usedBefore();
    const held: (() => void)[] = [];
    const { cache, loads } = process(() => new Promise<void>((resolve) => held.push(resolve)));
    const warmers = warmersFor(cache, { startupBudgetMs: 2_000 });
    let isStarted = false;
    void warmers.start().then(() => {
      isStarted = true;
    });
    await clock.advanceAsync(1_000);
    held.shift()?.();
    await clock.advanceAsync(999);
    expect(loads).toEqual(['a', 'b']);
    expect(isStarted).toBe(false);
    await clock.advanceAsync(1);
    expect(isStarted).toBe(true);
    held.shift()?.();
    await clock.settle();
    expect(loads).toEqual(['a', 'b']);
    expect(warmers.status()[3]?.lastRun).toMatchObject({ state: 'stopped', warmed: 2 });
    await warmers.stop();
  });

  it('holds up no login where the budget is 0', async () => {
    await usedBefore();
    const held: (() => void)[] = [];
    const { cache, loads } = process(() => new Promise<void>((resolve) => held.push(resolve)));
    const warmers = warmersFor(cache, { startupBudgetMs: 0 });
    await warmers.start();
    await clock.settle();
    expect(loads).toEqual(['a']);
    await clock.advanceAsync(10_000);
    for (const end of held) end();
    await clock.settle();
    expect(warmers.status()[3]?.lastRun).toMatchObject({ state: 'stopped', warmed: 1 });
    await warmers.stop();
  });

  it.each([
    ['where there is no disk', undefined, 200],
    ['with 0 hot keys', 'disk', 0],
  ])('is not there %s', async (_, disk, hotKeys) => {
    const { cache } = process();
    const { warmers } = warmersOf([task('config', [])], {
      clock,
      warmth: disk === undefined ? undefined : cache.warmth,
      config: { hotKeys },
    });
    await warmers.start();
    expect(warmers.status().map(({ warmer }) => warmer)).toEqual(['startup', 'periodic', 'user']);
    await warmers.stop();
  });

  it('is no scope that anybody asks for: neither one by name, nor a part of everything', async () => {
    await usedBefore();
    const { cache, loads } = process();
    const warmers = warmersFor(cache, { hotKeys: 2 }, [task('query', [job('query::x')])]);
    expect(warmers.scopes).toEqual(['query']);
    expect(await warmers.run({ scope: 'all', trigger: 'command' }).done).toMatchObject({ total: 1 });
    expect(await warmers.run({ scope: 'hot keys', trigger: 'command' }).done).toMatchObject({ total: 0 });
    expect(loads).toEqual([]);
    await warmers.stop();
  });
});

describe('the predictive warmer', () => {
  it('loads before each hour what the last days used in it, and says how much of it was used', async () => {
    const { cache, read, loads } = process();
    const warmers = warmersFor(cache);
    await warmers.start();
    const at = (day: number, hour: number) => turnTo(day * DAY + hour * HOUR);
    for (let day = 0; day < 3; day++) {
      await at(day, 9);
      await use(read, 'breakfast', 20);
      await at(day, 20);
      await use(read, 'supper', 20);
    }
    loads.length = 0;
    await at(3, 8.9);
    expect(loads).toEqual([]);
    await turnTo(clock.now() + 2 * MINUTE);
    expect(loads).toEqual(['breakfast']);
    expect(warmers.status()[4]).toMatchObject({
      warmer: 'prediction',
      schedule: 'before each hour',
      lastRun: { scope: 'coming hour', trigger: 'periodic', total: 1, warmed: 1 },
      nextAt: clock.epochAt(3 * DAY + 10 * HOUR - 5 * MINUTE),
    });
    await at(3, 9);
    await read('breakfast');
    await at(3, 19.99);
    expect(loads).toEqual(['breakfast', 'supper']);
    await at(3, 22);
    // Day 1 and 2 were predicted, too, and each entry read once or more; supper of day 3 left unread.
    expect(warmers.status()[4]?.precision).toMatchObject({ warmed: 6, used: 5 });
    await warmers.stop();
  });

  it('goes on over a restart', async () => {
    for (let day = 0; day < 2; day++) {
      const { cache, read } = process();
      clock.advance(day * DAY + 9 * HOUR - clock.now());
      await use(read, 'breakfast', 20);
      await cache.stop();
    }
    const { cache, loads } = process();
    clock.advance(2 * DAY + 8.5 * HOUR - clock.now());
    const warmers = warmersFor(cache, { hotKeys: 5 });
    await warmers.start();
    loads.length = 0;
    cache.clear();
    await turnTo(clock.now() + 29 * MINUTE);
    expect(loads).toEqual(['breakfast']);
    await warmers.stop();
  });

  it('ends with its budget: what is not loaded by then is left', async () => {
    const held: (() => void)[] = [];
    let isHolding = false;
    const { cache, read, loads } = process(() =>
      isHolding ? new Promise<void>((resolve) => held.push(resolve)) : Promise.resolve(),
    );
    for (const id of ['a', 'b']) await use(read, id, 20);
    await cache.persist();
    clock.advance(DAY - 30 * MINUTE);
    const warmers = warmersFor(cache, { startupBudgetMs: 10_000, hotKeys: 2 });
    await warmers.start();
    clock.advance(25 * MINUTE - 1);
    cache.clear();
    loads.length = 0;
    isHolding = true;
    await clock.advanceAsync(1);
    await clock.advanceAsync(9_999);
    expect(loads).toEqual(['a']);
    expect(warmers.status()[4]?.lastRun).toMatchObject({ state: 'running' });
    await clock.advanceAsync(1);
    for (const end of held) end();
    await clock.settle();
    expect(warmers.status()[4]?.lastRun).toMatchObject({ state: 'stopped', total: 2, warmed: 1 });
    expect(loads).toEqual(['a']);
    await warmers.stop();
  });

  it('never runs twice at once: a run that falls due meanwhile is left out and counted', async () => {
    let isDown = false;
    const { cache, read } = process(() => (isDown ? new Promise(() => undefined) : Promise.resolve()));
    for (let i = 0; i < 80; i++) await use(read, `${i}`, 5);
    await cache.persist();
    clock.advance(DAY - 10 * MINUTE);
    const warmers = warmersFor(cache, { startupBudgetMs: 2 * HOUR });
    await warmers.start();
    cache.clear();
    isDown = true;
    // One of 80 loads is given up in each of these minutes.
    await turnTo(clock.now() + 70 * MINUTE);
    expect(warmers.status()[4]).toMatchObject({ dropped: 1, lastRun: { state: 'running', total: 80 } });
    const stopped = warmers.stop();
    await clock.advanceAsync(MINUTE);
    await stopped;
  });

  it('is not there where it is turned off, and leaves no timer behind', async () => {
    const { cache } = process();
    const off = warmersFor(cache, { isPredictive: false });
    await off.start();
    expect(off.status().map(({ warmer }) => warmer)).toEqual(['startup', 'periodic', 'user', 'hot_keys']);
    await off.stop();
    const on = warmersFor(cache);
    await on.start();
    const timers = clock.pendingTimers;
    await on.stop();
    expect(clock.pendingTimers).toBe(timers - 1);
  });

  it('runs two to eight minutes before each hour, once for each', () => {
    const at = (hour: number, minute: number) => new Date(2026, 0, 5, hour, minute).getTime();
    expect(nextHourAt(at(9, 0))).toBe(at(10, 0));
    expect(nextHourAt(at(9, 59) + 59_999)).toBe(at(10, 0));
    expect(nextRunAt(at(9, 0), 0)).toBe(at(9, 58));
    expect(nextRunAt(at(9, 0), 0.5)).toBe(at(9, 55));
    expect(nextRunAt(at(9, 0), 1)).toBe(at(9, 52));
    expect(nextRunAt(at(9, 51), 1)).toBe(at(9, 52));
    for (const minute of [52, 55, 58]) expect(nextRunAt(at(9, minute), 0.5)).toBe(at(10, 55));
  });
});
