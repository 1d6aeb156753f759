import { expect, it } from 'vitest';
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
