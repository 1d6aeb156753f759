import { describe, expect, it } from 'vitest';
import { HOUR, job, openLoad, task, warmersOf } from './support.ts';

/** Warmers whose loads of people stay open until `end` is called, and the people who were begun. */
function people(config: { maxWaiting?: number; againAfterMs?: number; enabled?: boolean } = {}) {
  const begun: string[] = [];
  const load = openLoad();
  const made = warmersOf(
    [
      task('user', ({ userId }) => [
        job(`user::${userId}::profile`, () => {
          begun.push(`${userId}`);
          return load.run();
        }),
      ]),
    ],
    { config: { concurrency: 2, user: { enabled: true, maxWaiting: 100, againAfterMs: HOUR, ...config } } },
  );
  return { ...made, begun, end: load.end };
}

describe('the user warmer', () => {
  it("loads a person's entries on their first interaction", async () => {
    const { warmers, clock, begun, end } = people();
    end();
    warmers.userSeen('123');
    await clock.settle();
    expect(begun).toEqual(['123']);
    expect(warmers.status()[2]).toMatchObject({
      warmer: 'user',
      schedule: 'on first interaction',
      runs: 1,
      dropped: 0,
      lastRun: { scope: 'user', trigger: 'user', warmed: 1 },
    });
  });

  it('does not load them again before the ttl of tier user has passed', async () => {
    const { warmers, clock, begun, end } = people();
    end();
    for (let time = 0; time < 5; time++) warmers.userSeen('123');
    await clock.advanceAsync(HOUR - 1);
    warmers.userSeen('123');
    await clock.settle();
    expect(begun).toEqual(['123']);
    await clock.advanceAsync(1);
    warmers.userSeen('123');
    await clock.settle();
    expect(begun).toEqual(['123', '123']);
  });

  it('warms a few at once, in the order they came', async () => {
    const { warmers, clock, begun, end } = people();
    for (const id of ['1', '2', '3', '4']) warmers.userSeen(id);
    await clock.settle();
    expect(begun).toEqual(['1', '2']);
    end();
    await clock.settle();
    expect(begun).toEqual(['1', '2', '3', '4']);
  });

  it('lets only so many wait; who is left out is counted and may come again', async () => {
    const { warmers, clock, begun, end } = people({ maxWaiting: 1 });
    for (const id of ['1', '2', '3', '4', '5']) warmers.userSeen(id);
    await clock.settle();
    expect(warmers.status()[2]).toMatchObject({ dropped: 2, runs: 2 });
    end();
    await clock.settle();
    warmers.userSeen('5');
    await clock.settle();
    expect(begun).toEqual(['1', '2', '3', '5']);
  });

  it('lets nobody wait with a line of 0, and still warms those there is room for', async () => {
    const { warmers, clock, begun } = people({ maxWaiting: 0 });
    for (const id of ['1', '2', '3']) warmers.userSeen(id);
    await clock.settle();
    expect(begun).toEqual(['1', '2']);
    expect(warmers.status()[2]?.dropped).toBe(1);
  });

  it.each([
    ['it is turned off', { enabled: false }],
    ['the ttl is 0, since nothing would be kept', { againAfterMs: 0 }],
  ])('does nothing where %s', async (_, config) => {
    const { warmers, clock, begun } = people(config);
    warmers.userSeen('123');
    await clock.settle();
    expect(begun).toEqual([]);
    expect(warmers.status()[2]).toMatchObject({ schedule: 'off', runs: 0 });
  });

  it('never throws, whoever is seen and whatever fails', async () => {
    const { warmers, clock } = warmersOf([
      task('user', () => {
        throw new Error('no database');
      }),
    ]);
    for (const id of ['', '__proto__', '1'.repeat(10_000), '1']) warmers.userSeen(id);
    await clock.settle();
    expect(warmers.status()[2]).toMatchObject({ runs: 3, lastRun: { failed: 1 } });
  });
});
