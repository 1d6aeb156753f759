import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/cache/clock.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Holds the loop as a slice does. */
function work(): void {
  for (const endsAt = performance.now() + 2.1; performance.now() < endsAt; );
}

it('I12: of several who wait for a turn of the loop to do a slice each, one goes on in each', async () => {
  const clock = systemClock();
  const went: string[] = [];
  for (const name of ['a', 'b', 'c']) {
    void clock.yield().then(() => {
      work();
      went.push(name);
    });
  }
  expect(went).toEqual([]);
  for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
    await turn();
    expect(went).toEqual(expected);
  }
  await clock.yield();
});

it('lets thousands who have little to do go on in few turns, in their order', async () => {
  const clock = systemClock();
  const went: number[] = [];
  for (let n = 0; n < 2_000; n++) void clock.yield().then(() => went.push(n));
  let turns = 0;
  while (went.length < 2_000) {
    await turn();
    turns++;
  }
  expect(turns).toBeLessThan(200);
  expect(went).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
});

it('lets who waits in a turn go on in a later one', async () => {
  const clock = systemClock();
  let turns = 0;
  const worker = (async () => {
    while (turns < 5) {
      await clock.yield();
      turns++;
    }
  })();
  await turn();
  expect(turns).toBe(1);
  await worker;
});

it('lets the loop turn each time that somebody waits, however often that is', async () => {
  const clock = systemClock();
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  for (let waits = 0; waits < 50; waits++) await clock.yield();
  isOver = true;
  expect(turns).toBeGreaterThanOrEqual(49);
});

describe("the machine's clock", () => {
  afterEach(() => void vi.useRealTimers());

  it('is followed where it is set forward or was asleep, so that nothing on disk counts as younger than it is', () => {
    const before = Date.now();
    const clock = systemClock();
    const at = clock.now();
    vi.useFakeTimers({ toFake: ['Date'], now: before + 86_400_000 });
    expect(clock.epochAt(at) - before).toBeGreaterThanOrEqual(86_400_000 - 100);
    expect(clock.now() - at).toBeLessThan(60_000);
  });

  it('is not followed where it is set back: times that were told stay in their order', () => {
    const clock = systemClock();
    const told = clock.epochAt(clock.now());
    vi.useFakeTimers({ toFake: ['Date'], now: told - 3_600_000 });
    expect(clock.epochAt(clock.now())).toBeGreaterThanOrEqual(told);
  });

  it('tells the same of an instant each time, as long as nobody sets it', () => {
    const clock = systemClock();
    const told = new Set<number>();
    for (let times = 0; times < 1_000; times++) told.add(clock.epochAt(5));
    expect([...told]).toHaveLength(1);
  });
});

describe('timers', () => {
  afterEach(() => void vi.useRealTimers());

  it('longer than Node can wait for do not fire at once', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ran: string[] = [];
    const clock = systemClock();
    const days = 86_400_000;
    clock.after(60 * days, () => ran.push('after'));
    const cancel = clock.every(40 * days, () => ran.push('every'));
    clock.after(Number.POSITIVE_INFINITY, () => ran.push('never'));
    vi.advanceTimersByTime(39 * days);
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(22 * days);
    expect(ran).toEqual(['every', 'after']);
    cancel();
    vi.advanceTimersByTime(200 * days);
    expect(ran).toEqual(['every', 'after']);
  });
});
