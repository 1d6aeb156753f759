import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/cache/clock.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { silentLogger } from '../../src/logger.ts';

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

describe.each([
  ['all', {}],
  ['Date alone', { toFake: ['Date'] }],
  ['performance alone', { toFake: ['performance'] }],
  ['timers alone', { toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] }],
  [
    'queueMicrotask, too',
    { toFake: ['setTimeout', 'setImmediate', 'performance', 'Date', 'queueMicrotask'] },
  ],
] as const)('fake timers of a test (%s)', (_name, { toFake }: { toFake?: readonly string[] }) => {
  afterEach(() => void vi.useRealTimers());
  const fake = () =>
    vi.useFakeTimers({ now: Date.now() + 3_600_000, ...(toFake && { toFake: [...toFake] as never }) });

  it.each(['before', 'while', 'after'])(
    'leave a clock made %s they are there going when they are removed',
    (made) => {
      const early = systemClock();
      early.now();
      fake();
      const middle = systemClock();
      for (const clock of [early, middle]) for (let reads = 0; reads < 3; reads++) clock.now();
      vi.advanceTimersByTime(0);
      vi.useRealTimers();
      const clock = made === 'before' ? early : made === 'while' ? middle : systemClock();
      for (let rounds = 0; rounds < 5; rounds++) {
        const at = clock.now();
        const precise = clock.precise();
        work();
        expect(clock.precise() - precise).toBeGreaterThan(2);
        // One reading may serve as long as the loop is held, and 64 reads at most.
        let now = at;
        for (let reads = 0; reads < 64; reads++) now = clock.now();
        expect(now - at).toBeGreaterThanOrEqual(2);
        expect(now - at).toBeLessThan(60_000);
      }
      // Date alone looks like the machine's clock, which is not followed where it is set back.
      const limit = toFake?.join() === 'Date' ? 3_605_000 : 5_000;
      expect(Math.abs(clock.epochAt(clock.now()) - Date.now())).toBeLessThan(limit);
    },
  );

  it('never turn time back, and end nothing before its time', () => {
    const clock = systemClock();
    const times = [clock.now()];
    fake();
    times.push(clock.now(), clock.now());
    vi.useRealTimers();
    times.push(clock.now());
    fake();
    times.push(clock.now());
    vi.useRealTimers();
    times.push(clock.now());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(1_000);
  });

  it('do not keep a timer that was set while they were there, nor a turn of the loop', async () => {
    const clock = systemClock();
    fake();
    const ran: string[] = [];
    clock.after(1, () => ran.push('after'));
    const cancel = clock.every(1, () => ran.push('every'));
    const cancelled = clock.after(1, () => ran.push('cancelled'));
    const turned = clock.yield();
    vi.useRealTimers();
    cancelled();
    await turned;
    await clock.yield();
    while (!ran.includes('after') || !ran.includes('every')) {
      clock.now();
      await turn();
    }
    cancel();
    expect(ran).not.toContain('cancelled');
  });
});

it('are those of a test that turns them: entries end when it says so', async () => {
  const cache = createCache({ logger: silentLogger });
  let loads = 0;
  const read = () => cache.getOrLoad('query::x', () => ++loads, { ttlMs: 60_000 });
  vi.useFakeTimers();
  try {
    await read();
    vi.advanceTimersByTime(50_000);
    expect(await read()).toBe(1);
    vi.advanceTimersByTime(15_000);
    expect(await read()).toBe(2);
  } finally {
    vi.useRealTimers();
  }
  expect(await read()).toBe(2);
  await cache.stop();
});

it.each(['before', 'while'])('outlives the mock timers of node:test (cache made %s)', (made) => {
  const script = `
    import { mock } from 'node:test';
    const { createCache, silentLogger } = await import(${JSON.stringify(pathToFileURL(resolve('src/index.ts')).href)});
    const options = { logger: silentLogger };
    let cache = createCache(options);
    cache.clock.now();
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'] });
    if (${JSON.stringify(made)} === 'while') cache = createCache(options);
    const { clock } = cache;
    clock.now();
    let ran = false;
    clock.after(1, () => { ran = true; });
    const turned = clock.yield();
    mock.timers.reset();
    await turned;
    const at = clock.now();
    while (clock.now() - at < 2 || !ran) await clock.yield();
    console.log('went on');
    await cache.stop();
  `;
  const args = ['--input-type=module', '--no-warnings', '-e', script];
  expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 })).toBe('went on\n');
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
