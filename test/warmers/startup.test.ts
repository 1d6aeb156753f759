import { describe, expect, it } from 'vitest';
import { job, openLoad, task, warmersOf } from './support.ts';

describe('the startup warmer', () => {
  it('loads config and reference, leaves out the rest and what is fresh already', async () => {
    const { warmers } = warmersOf([
      task('config', [job('config::x')]),
      task('reference', [job('products::x'), job('products::fresh', undefined, () => true)]),
      task('query', [job('query::x')]),
      task('user', [job('user::x')]),
    ]);
    await warmers.start();
    expect(warmers.status()[0]).toMatchObject({
      warmer: 'startup',
      schedule: 'once at start',
      runs: 1,
      nextAt: null,
      lastRun: { trigger: 'startup', state: 'done', total: 3, warmed: 2, skipped: 1 },
    });
    await warmers.stop();
  });

  it('loads the tiers that the configuration names instead', async () => {
    const { warmers } = warmersOf(
      [task('config', [job('config::x')]), task('character', [job('character::x'), job('character::y')])],
      { config: { startupScopes: ['character'] } },
    );
    await warmers.start();
    const report = warmers.status()[0]?.lastRun;
    expect(report?.tasks.map(({ scope }) => scope)).toEqual(['character']);
    expect(report).toMatchObject({ warmed: 2 });
    await warmers.stop();
  });

  it('holds back the login no longer than its budget, and goes on after it', async () => {
    const load = openLoad();
    const { warmers, clock } = warmersOf([task('config', [job('config::x', load.run)])], {
      config: { startupBudgetMs: 10_000 },
    });
    let isStarted = false;
    const started = warmers.start().then(() => {
      isStarted = true;
    });
    await clock.advanceAsync(9_999);
    expect(isStarted).toBe(false);
    await clock.advanceAsync(1);
    await started;
    expect(warmers.status()[0]?.lastRun).toMatchObject({ state: 'running', warmed: 0 });
    load.end();
    await clock.settle();
    expect(warmers.status()[0]?.lastRun).toMatchObject({ state: 'done', warmed: 1 });
    await warmers.stop();
  });

  it('does not wait at all with a budget of 0', async () => {
    const { warmers } = warmersOf([task('config', [job('config::x', () => new Promise(() => {}))])], {
      config: { startupBudgetMs: 0, referenceIntervalMs: 0 },
    });
    await warmers.start();
    expect(warmers.status()[0]?.lastRun).toMatchObject({ state: 'running' });
  });

  it('lets the bot start when everything fails', async () => {
    const { warmers } = warmersOf([
      task('config', () => {
        throw new Error('no database');
      }),
    ]);
    await warmers.start();
    expect(warmers.status()[0]?.lastRun).toMatchObject({ state: 'done', failed: 1 });
  });

  it('runs once, however often it is started', async () => {
    const { warmers } = warmersOf([task('config', [job('config::x')])]);
    expect(warmers.start()).toBe(warmers.start());
    await warmers.start();
    expect(warmers.status()[0]?.runs).toBe(1);
    await warmers.stop();
  });

  it('I13: leaves no timer of its budget behind', async () => {
    const { warmers, clock } = warmersOf([task('config', [job('config::x')])]);
    await warmers.start();
    expect(clock.pendingTimers).toBe(0);
  });

  it('names the scopes that have tasks', () => {
    const { warmers } = warmersOf([task('config', []), task('guild', []), task('config', [], 'more')]);
    expect(warmers.scopes).toEqual(['config', 'guild']);
  });
});
