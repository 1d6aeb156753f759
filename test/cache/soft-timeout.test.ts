import { describe, expect, it } from 'vitest';
import {
  Down,
  fails,
  INVALIDATIONS,
  KEY,
  LINKS,
  noUnhandledRejections,
  withPolicy,
} from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';

const SOFT_MS = 200;
const GRACE_MS = 300_000;
const POLICY = { softTimeoutMs: SOFT_MS, graceMs: GRACE_MS };

noUnhandledRejections();

/** A cache whose entry has just gone stale. */
function stale(policy: Parameters<typeof withPolicy>[0] = POLICY) {
  const made = withPolicy(policy);
  made.cache.set(KEY, 'old', LINKS);
  made.clock.advance(TTL_MS);
  return { ...made, loader: heldLoader() };
}

/** What a promise has come to by now. */
async function soFar(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, new Promise((resolve) => setImmediate(resolve, 'waiting'))]);
}

describe('the soft timeout is off', () => {
  it('unless asked for: whoever reads a stale entry waits for the load, however long', async () => {
    const { cache, clock, loader } = stale({ graceMs: GRACE_MS });
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(GRACE_MS / 2);
    expect(await soFar(read)).toBe('waiting');
    loader.give('new');
    expect(await read).toBe('new');
  });

  it('without grace, and says so once where a call asks for it', async () => {
    const { cache, said } = withPolicy({});
    for (const key of [KEY, `${KEY}::2`])
      await cache.getOrLoad(key, () => 1, { softTimeoutMs: SOFT_MS, staleWhileRevalidateMs: 1_000 });
    await cache.getOrLoad(`${KEY}::3`, () => 1, { softTimeoutMs: SOFT_MS, graceMs: GRACE_MS });
    expect(said).toEqual([expect.stringContaining('softTimeoutMs of a call does nothing without graceMs')]);
  });

  it('for a call that says Infinity', async () => {
    const { cache, clock, loader } = stale();
    const read = cache.getOrLoad(KEY, loader.load, { softTimeoutMs: Number.POSITIVE_INFINITY });
    await clock.advanceAsync(SOFT_MS * 10);
    expect(await soFar(read)).toBe('waiting');
    loader.give('new');
    expect(await read).toBe('new');
  });

  it('where there is no old value: a first load is waited for', async () => {
    const { cache, clock } = withPolicy(POLICY);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(SOFT_MS * 10);
    expect(await soFar(read)).toBe('waiting');
    loader.give('first');
    expect(await read).toBe('first');
  });

  it('where grace allows the old value no more: a call without grace waits', async () => {
    const { cache, clock, loader } = stale();
    const read = cache.getOrLoad(KEY, loader.load, { graceMs: 0 });
    await clock.advanceAsync(SOFT_MS * 10);
    expect(await soFar(read)).toBe('waiting');
    loader.give('new');
    expect(await read).toBe('new');
  });

  it('for who forces a load: he wants the new value and no other', async () => {
    const { cache, clock, loader } = stale();
    const forced = cache.getOrLoad(KEY, loader.load, { fresh: true });
    await clock.advanceAsync(SOFT_MS * 10);
    expect(await soFar(forced)).toBe('waiting');
    loader.give('new');
    expect(await forced).toBe('new');
  });

  it('for a synchronous loader, during which nobody can be answered', () => {
    const { cache, clock } = stale();
    const slow = () => {
      clock.advance(SOFT_MS * 10);
      return 'new';
    };
    expect(cache.getOrLoadSync(KEY, slow)).toBe('new');
  });
});

describe('the soft timeout', () => {
  it('gives the old value when the load is slower, at that instant and not before', async () => {
    const { cache, clock, loader, figures } = stale();
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(SOFT_MS - 1);
    expect(await soFar(read)).toBe('waiting');
    await clock.advanceAsync(1);
    expect(await soFar(read)).toBe('old');
    expect(figures()).toMatchObject({
      lookups: 1,
      hits: 0,
      misses: 1,
      loads: 1,
      failures: 0,
      stale: { slow: 1 },
    });
  });

  it('gives the new value to who reads a quicker load, and leaves no timer', async () => {
    const { cache, clock, loader, figures } = stale();
    const timers = clock.pendingTimers;
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(SOFT_MS - 1);
    loader.give('new');
    expect(await read).toBe('new');
    expect(clock.pendingTimers).toBe(timers);
    expect(figures().stale.slow).toBe(0);
  });

  it('lets the load go on: it fills, and the next reads hit', async () => {
    const { cache, clock, loader, figures } = stale();
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(SOFT_MS);
    expect(await read).toBe('old');
    expect(loader.contexts[0]?.signal.aborted).toBe(false);
    await clock.advanceAsync(SOFT_MS * 10);
    loader.give('new');
    await clock.settle();
    expect(await cache.getOrLoad(KEY, fails)).toBe('new');
    expect(figures()).toMatchObject({ hits: 1, misses: 1, loads: 1, fills: 1 });
  });

  it('holds for a batch, each key by itself', async () => {
    const { cache, clock } = stale();
    cache.set('query::fresh', 'fresh');
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, string>>();
    const read = cache.getOrLoadMany([KEY, 'query::fresh'], () => promise);
    await clock.advanceAsync(SOFT_MS);
    expect(await read).toEqual(
      new Map([
        [KEY, 'old'],
        ['query::fresh', 'fresh'],
      ]),
    );
    resolve(new Map([[KEY, 'new']]));
    await clock.settle();
    expect(cache.get(KEY)).toBe('new');
  });

  it('may be asked for by a call alone, on a tier with grace', async () => {
    const { cache, clock, loader } = stale({ graceMs: GRACE_MS });
    const read = cache.getOrLoad(KEY, loader.load, { softTimeoutMs: 50 });
    await clock.advanceAsync(50);
    expect(await read).toBe('old');
    loader.give('new');
  });

  it('I3: those who wait share one load and are answered together, each counted once', async () => {
    const { cache, clock, loader, figures } = stale();
    const early = [1, 2, 3].map(() => cache.getOrLoad(KEY, loader.load));
    await clock.advanceAsync(SOFT_MS / 2);
    const later = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(SOFT_MS / 2);
    expect(await Promise.all([...early, later])).toEqual(['old', 'old', 'old', 'old']);
    expect(loader.calls).toBe(1);
    expect(figures()).toMatchObject({ lookups: 4, misses: 4, joined: 3, loads: 1, stale: { slow: 4 } });
    loader.give('new');
  });

  it('I3: who comes after it is given the old value at once, and no second load begins', async () => {
    const { cache, clock, loader, figures } = stale();
    const first = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(SOFT_MS);
    expect(await first).toBe('old');
    expect(await soFar(cache.getOrLoad(KEY, loader.load))).toBe('old');
    expect(loader.calls).toBe(1);
    expect(figures()).toMatchObject({ lookups: 2, joined: 1, loads: 1, stale: { slow: 2 } });
    loader.give('new');
  });

  it('gives the old value no longer than grace: who comes after that waits for the load', async () => {
    const { cache, clock, loader } = stale();
    const first = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(GRACE_MS);
    expect(await first).toBe('old');
    const late = cache.getOrLoad(KEY, loader.load);
    expect(await soFar(late)).toBe('waiting');
    loader.give('new');
    expect(await late).toBe('new');
    expect(loader.calls).toBe(1);
  });

  it('says nothing more to its callers when the load fails afterwards, and leaves the source alone for a while', async () => {
    const { cache, clock, loader, figures } = stale({ ...POLICY, graceBackoffMs: 5_000 });
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(SOFT_MS);
    expect(await read).toBe('old');
    loader.fail(new Down());
    await clock.settle();
    expect(await cache.getOrLoad(KEY, () => 'new')).toBe('old');
    expect(figures()).toMatchObject({ failures: 1, stale: { slow: 1, failed: 0, 'backing-off': 1 } });
    clock.advance(5_000);
    expect(await cache.getOrLoad(KEY, () => 'new')).toBe('new');
  });

  it('I1 and I6: gives a stored null, and to each a Date of his own', async () => {
    const { cache, clock } = withPolicy(POLICY);
    cache.set(KEY, null);
    cache.set('query::date', new Date(1));
    clock.advance(TTL_MS);
    const loader = heldLoader<Date | null>();
    const nothing = cache.getOrLoad<Date | null>(KEY, loader.load);
    const dates = [1, 2].map(() => cache.getOrLoad<Date | null>('query::date', loader.load));
    await clock.advanceAsync(SOFT_MS);
    expect(await nothing).toBeNull();
    (await dates[0])?.setTime(9);
    expect(await dates[1]).toEqual(new Date(1));
  });
});

describe('an invalidation while a slow load runs', () => {
  it.each(INVALIDATIONS)(
    'I2: by %s takes the old value away before the soft timeout: those who wait get what the load gives',
    async (_name, invalidate) => {
      const { cache, clock, loader } = stale();
      const read = cache.getOrLoad(KEY, loader.load, LINKS);
      invalidate(cache);
      await clock.advanceAsync(SOFT_MS);
      expect(await soFar(read)).toBe('waiting');
      loader.give('asked before the invalidation');
      expect(await read).toBe('asked before the invalidation');
      expect(cache.has(KEY)).toBe(false);
    },
  );

  it.each(INVALIDATIONS)(
    'I2: by %s after the soft timeout: who comes then loads anew, and the slow load fills nothing',
    async (_name, invalidate) => {
      const { cache, clock, loader } = stale();
      const read = cache.getOrLoad(KEY, loader.load, LINKS);
      await clock.advanceAsync(SOFT_MS);
      expect(await read).toBe('old');
      invalidate(cache);
      expect(await cache.getOrLoad(KEY, () => 'new', LINKS)).toBe('new');
      loader.give('asked before the invalidation');
      await clock.settle();
      expect(cache.get(KEY)).toBe('new');
    },
  );

  it('a newer `set` is what the soft timeout gives, and it is not counted as stale', async () => {
    const { cache, clock, loader, figures } = stale();
    const read = cache.getOrLoad(KEY, loader.load);
    cache.set(KEY, 'written');
    await clock.advanceAsync(SOFT_MS);
    expect(await read).toBe('written');
    loader.give('loaded');
    await clock.settle();
    expect(cache.get(KEY)).toBe('written');
    expect(figures().stale.slow).toBe(0);
  });

  it('I13: `stop` ends its timer; who waits is answered by the load', async () => {
    const { cache, clock, loader } = stale();
    const read = cache.getOrLoad(KEY, loader.load);
    await cache.stop();
    expect(clock.pendingTimers).toBe(0);
    loader.give('new');
    expect(await read).toBe('new');
  });
});

describe('with a hard timeout', () => {
  it('the old value at the soft one, and the end of the load at the hard one', async () => {
    const { cache, clock, loader, figures } = stale({ ...POLICY, hardTimeoutMs: SOFT_MS * 5 });
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(SOFT_MS);
    expect(await read).toBe('old');
    const { signal } = loader.contexts[0] ?? {};
    await clock.advanceAsync(SOFT_MS * 4);
    expect(signal?.aborted).toBe(true);
    loader.give('too late');
    await clock.settle();
    expect(cache.lookup(KEY)).toEqual({ state: 'miss' });
    expect(figures()).toMatchObject({ failures: 1, timeouts: 1, fills: 0, stale: { slow: 1 } });
  });
});
