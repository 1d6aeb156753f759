import { describe, expect, it } from 'vitest';
import type { WarmReport } from '../../src/warmers/types.ts';
import { handClock } from '../support/hand-clock.ts';
import { job, openLoad, task, warmersOf } from './support.ts';

describe('a run', () => {
  it('loads every job of the scope and reports exactly what it did', async () => {
    const clock = handClock();
    const jobs = [
      job('products::games', () => clock.advance(3)),
      job('products::books', undefined, () => true),
      job('products::vr', () => {
        throw new Error('SQLITE_BUSY');
      }),
    ];
    const { warmers } = warmersOf([task('reference', jobs, 'products'), task('config', [job('config::x')])], {
      clock,
    });
    const run = warmers.run({ scope: 'reference', trigger: 'command' });
    expect(run.joined).toBe(false);
    expect(await run.done).toMatchObject({
      scope: 'reference',
      trigger: 'command',
      state: 'done',
      startedAt: Date.UTC(2026, 0, 1),
      ms: 3,
      total: 3,
      warmed: 1,
      skipped: 1,
      failed: 1,
      tasks: [
        {
          task: 'products',
          state: 'done',
          total: 3,
          warmed: 1,
          skipped: 1,
          failures: [{ key: 'products::vr', message: 'SQLITE_BUSY' }],
          ms: 3,
        },
      ],
    });
    expect(run.report()).toBe(await run.done);
  });

  it('reloads what is fresh, too, when it is forced', async () => {
    const { warmers } = warmersOf([task('config', [job('config::x', undefined, () => true)])]);
    expect(await warmers.run({ scope: 'config', trigger: 'command' }).done).toMatchObject({
      warmed: 0,
      skipped: 1,
    });
    expect(await warmers.run({ scope: 'config', trigger: 'command', force: true }).done).toMatchObject({
      warmed: 1,
      skipped: 0,
    });
  });

  it('loads nothing in the turn of the event loop that asked for it', async () => {
    const loaded: string[] = [];
    const { warmers } = warmersOf([task('config', [job('config::x', () => loaded.push('x'))])]);
    const run = warmers.run({ scope: 'config', trigger: 'command' });
    await Promise.resolve();
    expect(loaded).toEqual([]);
    await run.done;
    expect(loaded).toEqual(['x']);
  });

  it('leaves out people when it warms all', async () => {
    const { warmers } = warmersOf([
      task('config', [job('config::x')]),
      task('user', [job('user::1::profile')]),
      task('query', [job('query::top')]),
    ]);
    expect(
      (await warmers.run({ scope: 'all', trigger: 'command' }).done).tasks.map((each) => each.scope),
    ).toEqual(['config', 'query']);
  });

  it('hands the person to the tasks of scope user, and refuses the scope without one', async () => {
    const seen: unknown[] = [];
    const { warmers } = warmersOf([
      task('user', ({ userId }) => {
        seen.push(userId);
        return [job(`user::${userId}::profile`)];
      }),
    ]);
    await warmers.run({ scope: 'user', userId: '42', trigger: 'command' }).done;
    expect(seen).toEqual(['42']);
    expect(() => warmers.run({ scope: 'user', trigger: 'command' })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT_INVALID' }),
    );
  });

  it('is done at once for a scope without tasks', async () => {
    const { warmers } = warmersOf([]);
    expect(await warmers.run({ scope: 'query', trigger: 'command' }).done).toMatchObject({
      state: 'done',
      total: 0,
    });
  });

  it('loads no more at once than the configuration allows, over all runs together', async () => {
    let running = 0;
    let most = 0;
    const loads = Array.from({ length: 12 }, openLoad);
    const jobs = loads.map((load, index) =>
      job(`k${index}`, async () => {
        most = Math.max(most, ++running);
        await load.run();
        running--;
      }),
    );
    const { warmers, clock } = warmersOf(
      [task('config', jobs.slice(0, 6)), task('reference', jobs.slice(6))],
      {
        config: { concurrency: 3 },
      },
    );
    const runs = [
      warmers.run({ scope: 'config', trigger: 'command' }),
      warmers.run({ scope: 'reference', trigger: 'command' }),
    ];
    await clock.settle();
    for (const load of loads) load.end();
    expect(await Promise.all(runs.map(({ done }) => done))).toMatchObject([{ warmed: 6 }, { warmed: 6 }]);
    expect(most).toBe(3);
  });

  it('tells of its progress, not with every job, and at the end; a listener that throws harms nothing', async () => {
    const clock = handClock();
    const jobs = Array.from({ length: 100 }, (_, index) => job(`k${index}`, () => clock.advance(10)));
    const { warmers } = warmersOf([task('config', jobs)], { clock });
    const reports: WarmReport[] = [];
    const run = warmers.run({
      scope: 'config',
      trigger: 'command',
      onProgress: (report) => reports.push(report),
    });
    warmers.run({
      scope: 'config',
      trigger: 'command',
      onProgress: () => {
        throw new Error('a bad listener');
      },
    });
    await run.done;
    expect(reports.length).toBeGreaterThan(3);
    expect(reports.length).toBeLessThan(8);
    expect(reports.at(-1)).toMatchObject({ state: 'done', warmed: 100 });
    expect(reports.map(({ warmed }) => warmed)).toEqual(
      [...reports.map(({ warmed }) => warmed)].sort((a, b) => a - b),
    );
  });
});

describe('runs that overlap', () => {
  it('joins a run of the same scope that is under way', async () => {
    const load = openLoad();
    let loads = 0;
    const { warmers, clock } = warmersOf([
      task('config', [
        job('config::x', () => {
          loads++;
          return load.run();
        }),
      ]),
    ]);
    const first = warmers.run({ scope: 'config', trigger: 'startup' });
    await clock.settle();
    const second = warmers.run({ scope: 'config', trigger: 'command' });
    expect(second.joined).toBe(true);
    load.end();
    expect(await second.done).toBe(await first.done);
    expect(loads).toBe(1);
    expect(warmers.run({ scope: 'config', trigger: 'command' }).joined).toBe(false);
  });

  it('keeps people apart: only a run for the same person is joined', () => {
    const { warmers } = warmersOf([task('user', [job('k')])]);
    warmers.run({ scope: 'user', userId: '1', trigger: 'user' });
    expect(warmers.run({ scope: 'user', userId: '2', trigger: 'user' }).joined).toBe(false);
    expect(warmers.run({ scope: 'user', userId: '1', trigger: 'command' }).joined).toBe(true);
  });

  it('shares the work of a task between `all` and `reference`, and both report it', async () => {
    const load = openLoad();
    let loads = 0;
    const { warmers, clock } = warmersOf([
      task('reference', [
        job('products::x', () => {
          loads++;
          return load.run();
        }),
      ]),
      task('config', [job('config::x')]),
    ]);
    const all = warmers.run({ scope: 'all', trigger: 'command' });
    await clock.settle();
    const reference = warmers.run({ scope: 'reference', trigger: 'command' });
    expect(reference.joined).toBe(false);
    load.end();
    expect(await all.done).toMatchObject({ warmed: 2, scope: 'all' });
    expect(await reference.done).toMatchObject({ warmed: 1, scope: 'reference' });
    expect(loads).toBe(1);
  });

  it('goes on for the others when one of the runs that share a task is stopped', async () => {
    const load = openLoad();
    const { warmers, clock } = warmersOf([task('reference', [job('products::x', load.run)])]);
    const all = warmers.run({ scope: 'all', trigger: 'command' });
    const reference = warmers.run({ scope: 'reference', trigger: 'command' });
    await clock.settle();
    all.stop();
    expect(await all.done).toMatchObject({ state: 'stopped', warmed: 0 });
    load.end();
    expect(await reference.done).toMatchObject({ state: 'done', warmed: 1 });
  });

  it('does not pass an unforced run off as a forced one: the forced one follows it', async () => {
    const loads: string[] = [];
    const first = openLoad();
    const jobs = [
      job('a', first.run),
      job(
        'b',
        () => loads.push('b'),
        () => true,
      ),
    ];
    const { warmers, clock } = warmersOf([task('config', jobs)]);
    const unforced = warmers.run({ scope: 'config', trigger: 'command' });
    await clock.settle();
    const forced = warmers.run({ scope: 'config', trigger: 'command', force: true });
    expect(forced.joined).toBe(false);
    await clock.settle();
    expect(loads).toEqual([]);
    first.end();
    expect(await unforced.done).toMatchObject({ warmed: 1, skipped: 1 });
    expect(await forced.done).toMatchObject({ warmed: 2, skipped: 0 });
  });
});

describe('failures', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('no such table');
      },
      'no such table',
    ],
    ['rejects', () => Promise.reject(new Error('no such table')), 'no such table'],
    ['gives no list', () => 7 as never, /iterable/],
    [
      'gives a list that breaks off',
      function* () {
        yield job('a');
        throw new Error('gone');
      },
      'gone',
    ],
  ] as const)('a task whose listing %s fails alone', async (_, jobs, message) => {
    const { warmers } = warmersOf([
      task('config', jobs, 'broken'),
      task('config', [job('config::x')], 'sound'),
    ]);
    expect(await warmers.run({ scope: 'config', trigger: 'command' }).done).toMatchObject({
      state: 'done',
      total: 2,
      warmed: 1,
      failed: 1,
      tasks: [
        { state: 'failed', failures: [{ key: 'broken', message: expect.stringMatching(message) }] },
        { state: 'done' },
      ],
    });
  });

  it.each([
    ['rejects with no error', job('a', () => Promise.reject(null))],
    ['rejects with what has no text', job('a', () => Promise.reject(Object.create(null)))],
    ['has a key without text', job(Object.create(null), () => Promise.reject(new Error()))],
    ['is no job at all', null as never],
  ])('a job that %s is one failure', async (_, bad) => {
    const { warmers } = warmersOf([task('config', [bad, job('b')])]);
    expect(await warmers.run({ scope: 'config', trigger: 'command' }).done).toMatchObject({
      warmed: 1,
      failed: 1,
    });
  });

  it('gives up a job that never answers after 30 s, and lets nobody wait behind it', async () => {
    const { warmers, clock } = warmersOf(
      [task('config', [job('hangs', () => new Promise(() => {})), job('after')])],
      { config: { concurrency: 1 } },
    );
    const run = warmers.run({ scope: 'config', trigger: 'command' });
    await clock.advanceAsync(30_000);
    expect(await run.done).toMatchObject({
      warmed: 1,
      failed: 1,
      tasks: [{ failures: [{ key: 'hangs', message: 'no answer within 30 s' }] }],
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives up a listing that never answers, while the other tasks go on', async () => {
    const { warmers, clock } = warmersOf([
      task('config', () => new Promise<never>(() => {}), 'hangs'),
      task('config', [job('config::x')], 'sound'),
    ]);
    const run = warmers.run({ scope: 'config', trigger: 'command' });
    await clock.settle();
    expect(run.report().tasks).toMatchObject([{ state: 'running' }, { state: 'done', warmed: 1 }]);
    await clock.advanceAsync(30_000);
    expect(await run.done).toMatchObject({ state: 'done', failed: 1 });
  });

  it('counts every failure and keeps the first hundred in words', async () => {
    const jobs = Array.from({ length: 150 }, (_, index) =>
      job(`k${index}`, () => {
        throw new Error('x'.repeat(1000));
      }),
    );
    const { warmers } = warmersOf([task('config', jobs)]);
    const report = await warmers.run({ scope: 'config', trigger: 'command' }).done;
    expect(report).toMatchObject({ total: 150, failed: 150, tasks: [{ state: 'failed' }] });
    expect(report.tasks[0]?.failures).toHaveLength(100);
    expect(report.tasks[0]?.failures[0]?.message).toHaveLength(300);
  });
});

describe('stopping', () => {
  it('ends a run after the jobs in hand; what was loaded stays counted', async () => {
    const load = openLoad();
    const { warmers, clock } = warmersOf([task('config', [job('a'), job('b', load.run), job('c')])], {
      config: { concurrency: 1 },
    });
    const run = warmers.run({ scope: 'config', trigger: 'command' });
    await clock.settle();
    run.stop();
    run.stop();
    expect(warmers.run({ scope: 'config', trigger: 'command' }).joined).toBe(false);
    load.end();
    expect(await run.done).toMatchObject({
      state: 'stopped',
      total: 3,
      warmed: 2,
      tasks: [{ state: 'stopped' }],
    });
  });

  it('is done, not stopped, when the job in hand was the last', async () => {
    const load = openLoad();
    const { warmers, clock } = warmersOf([task('config', [job('a', load.run)])]);
    const run = warmers.run({ scope: 'config', trigger: 'command' });
    await clock.settle();
    run.stop();
    load.end();
    expect(await run.done).toMatchObject({ state: 'done', warmed: 1 });
  });

  it('tells the listing through its signal, and waits for no listing', async () => {
    let signal: AbortSignal | undefined;
    const { warmers, clock } = warmersOf([
      task('config', (context) => {
        signal = context.signal;
        return new Promise<never>(() => {});
      }),
    ]);
    const run = warmers.run({ scope: 'config', trigger: 'command' });
    await clock.settle();
    run.stop();
    expect(await run.done).toMatchObject({ state: 'stopped', failed: 0 });
    expect(signal?.aborted).toBe(true);
  });

  it('I13: stop ends within two seconds whatever the jobs do, and leaves no timer', async () => {
    const { warmers, clock } = warmersOf([
      task('config', [job('hangs', () => new Promise(() => {}))]),
      task('reference', () => new Promise<never>(() => {})),
      task('user', [job('hangs', () => new Promise(() => {}))]),
    ]);
    const begun = warmers.start();
    for (let id = 1; id <= 20; id++) warmers.userSeen(String(id));
    await clock.settle();
    const stopped = warmers.stop();
    await clock.advanceAsync(2_000);
    await stopped;
    await begun;
    expect(warmers.status()[0]?.lastRun).toMatchObject({ state: 'stopped' });
    expect(clock.pendingTimers).toBe(0);
    expect(warmers.stop()).toBe(stopped);
  });

  it('runs nothing after stop, and says so', async () => {
    const { warmers, clock } = warmersOf([task('config', [job('a')]), task('user', [job('b')])]);
    await warmers.stop();
    warmers.userSeen('1');
    await warmers.start();
    expect(await warmers.run({ scope: 'config', trigger: 'command' }).done).toMatchObject({
      state: 'stopped',
      total: 0,
    });
    expect(warmers.status()).toMatchObject([{ runs: 0 }, { runs: 0, nextAt: null }, { runs: 0 }]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('I12: the event loop', () => {
  it('turns between jobs that take a millisecond, however many run at once', async () => {
    const clock = handClock();
    let heldSince = 0;
    let longestMs = 0;
    const turning = {
      ...clock,
      async yield() {
        await clock.yield();
        heldSince = clock.precise();
      },
    };
    const jobs = Array.from({ length: 200 }, (_, index) =>
      job(`k${index}`, () => {
        clock.advance(1);
        longestMs = Math.max(longestMs, clock.precise() - heldSince);
      }),
    );
    const { warmers } = warmersOf([task('config', jobs), task('reference', jobs)], {
      clock: turning,
      config: { concurrency: 16 },
    });
    const runs = (['config', 'reference'] as const).map((scope) =>
      warmers.run({ scope, trigger: 'command' }),
    );
    await Promise.all(runs.map(({ done }) => done));
    expect(longestMs).toBeLessThanOrEqual(4);
  });

  it('turns while a long list is read and skipped', async () => {
    const clock = handClock();
    const { warmers } = warmersOf(
      [
        task('config', function* () {
          for (let index = 0; index < 10_000; index++) yield job(`k${index}`, undefined, () => true);
        }),
      ],
      { clock },
    );
    expect(await warmers.run({ scope: 'config', trigger: 'command' }).done).toMatchObject({
      skipped: 10_000,
    });
    expect(clock.yields).toBeGreaterThan(70);
  });
});
