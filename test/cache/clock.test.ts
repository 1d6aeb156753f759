import { expect, it } from 'vitest';
import { systemClock } from '../../src/cache/clock.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

it('I12: of several who wait for a turn of the loop, one goes on in each', async () => {
  const clock = systemClock();
  const went: string[] = [];
  for (const name of ['a', 'b', 'c']) void clock.yield().then(() => went.push(name));
  expect(went).toEqual([]);
  for (const expected of [['a'], ['a', 'b'], ['a', 'b', 'c']]) {
    await turn();
    expect(went).toEqual(expected);
  }
  await clock.yield();
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
