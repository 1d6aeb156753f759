/** Bots in several processes: each shard has a cache of its own, and no reply passes for all of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Desk, desk, fillShop } from './desk.ts';

const NOTE = 'Shard 1 of 4 alone: the others have caches of their own.';

describe('on one shard of several', () => {
  let operator: Desk;
  beforeEach(() => {
    operator = desk();
    Object.assign(operator.services, { shard: { ids: [1], count: 4 } });
    fillShop(operator.cache);
  });
  afterEach(() => operator.stop());

  it('statistics say whose they are', async () => {
    await operator.run('cache-stats');
    expect(operator.said).toContain(NOTE);
  });

  it('a clear is not reported as one of all shards', async () => {
    await operator.run('cache-clear', { pattern: 'config::vip_tiers' });
    expect(operator.said).toContain('Cleared');
    expect(operator.said).toContain(NOTE);
  });
});

describe('in one process', () => {
  it('nothing is said of shards', async () => {
    const operator = desk();
    Object.assign(operator.services, { shard: { ids: [0], count: 1 } });
    await operator.run('cache-stats');
    expect(operator.said).not.toContain('Shard');
    await operator.stop();
  });
});
