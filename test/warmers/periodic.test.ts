import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextDelayMs, scheduleText } from '../../src/warmers/periodic.ts';
import { HOUR, job, MINUTE, openLoad, task, warmersOf } from './support.ts';

const ORIGIN_AT = Date.UTC(2026, 0, 1);

describe('the periodic warmer', () => {
  it('loads reference anew every six hours, also what is still fresh, so that nobody ever waits', async () => {
    let loads = 0;
    const { warmers, clock } = warmersOf([
      task('reference', [
        job(
          'products::x',
          () => loads++,
          () => loads > 0,
        ),
      ]),
      task('config', []),
    ]);
    await warmers.start();
    expect(loads).toBe(1);
    expect(warmers.status()[1]).toMatchObject({
      warmer: 'periodic',
      schedule: 'every 6 h ± 10 min',
      nextAt: ORIGIN_AT + 6 * HOUR,
      lastRun: null,
      runs: 0,
    });
    await clock.advanceAsync(6 * HOUR);
    expect(loads).toBe(2);
    expect(warmers.status()[1]).toMatchObject({
      nextAt: ORIGIN_AT + 12 * HOUR,
      lastRun: { scope: 'reference', trigger: 'periodic', warmed: 1, skipped: 0 },
      runs: 1,
    });
    await clock.advanceAsync(24 * HOUR);
    expect(loads).toBe(6);
    await warmers.stop();
  });

  it.each([
    [0, 6 * HOUR - 10 * MINUTE],
    [0.5, 6 * HOUR],
    [1, 6 * HOUR + 10 * MINUTE],
  ])('shifts each run by its jitter: with %d it comes after %d ms', async (random, dueMs) => {
    const { warmers, clock } = warmersOf([task('reference', [])], { random: () => random });
    await warmers.start();
    expect(clock.nextTimerInMs).toBe(dueMs);
    await warmers.stop();
  });

  it('never runs twice at once: a run that falls due meanwhile is left out and counted', async () => {
    const load = openLoad();
    let loads = 0;
    const { warmers, clock } = warmersOf(
      [
        task('reference', [
          job('products::x', () => {
            loads++;
            return loads > 1 ? load.run() : undefined;
          }),
        ]),
      ],
      { config: { referenceIntervalMs: 10_000, referenceJitterMs: 0 } },
    );
    await warmers.start();
    await clock.advanceAsync(10_000);
    await clock.advanceAsync(10_000);
    expect(loads).toBe(2);
    expect(warmers.status()[1]).toMatchObject({ runs: 1, dropped: 1, lastRun: { state: 'running' } });
    load.end();
    await clock.advanceAsync(10_000);
    expect(warmers.status()[1]).toMatchObject({ runs: 2, dropped: 1, lastRun: { state: 'done' } });
    await warmers.stop();
  });

  it('keeps its schedule when a run fails', async () => {
    const { warmers, clock } = warmersOf([
      task('reference', () => {
        throw new Error('no database');
      }),
    ]);
    await warmers.start();
    await clock.advanceAsync(12 * HOUR);
    expect(warmers.status()[1]).toMatchObject({ runs: 2, lastRun: { failed: 1 } });
    await warmers.stop();
  });

  it('is off with an interval of 0, and where there is no reference data', async () => {
    for (const { warmers, clock } of [
      warmersOf([task('reference', [])], { config: { referenceIntervalMs: 0 } }),
      warmersOf([task('config', [])]),
    ]) {
      await warmers.start();
      expect(clock.pendingTimers).toBe(0);
      expect(warmers.status()[1]).toMatchObject({ schedule: 'off', nextAt: null });
    }
  });

  it('I13: is due no more after stop', async () => {
    const { warmers, clock } = warmersOf([task('reference', [])]);
    await warmers.start();
    await warmers.stop();
    expect(clock.pendingTimers).toBe(0);
    expect(warmers.status()[1]?.nextAt).toBeNull();
  });

  it('never comes earlier or later than the jitter says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 30 * 24 * HOUR }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (intervalMs, share, random) => {
          const jitterMs = Math.floor(intervalMs * share);
          const delayMs = nextDelayMs({ intervalMs, jitterMs }, random);
          expect(delayMs).toBeGreaterThan(0);
          expect(Math.abs(delayMs - intervalMs)).toBeLessThanOrEqual(jitterMs);
        },
      ),
    );
  });

  it('says its schedule in the largest whole unit', () => {
    expect(scheduleText(6 * HOUR, 10 * MINUTE)).toBe('every 6 h ± 10 min');
    expect(scheduleText(90 * MINUTE, 0)).toBe('every 90 min');
    expect(scheduleText(1_500, 500)).toBe('every 1.5 s ± 0.5 s');
    expect(scheduleText(48 * HOUR, 0)).toBe('every 2 d');
  });
});
