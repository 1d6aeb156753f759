import { describe, expect, it } from 'vitest';
import { CacheError } from '../../src/cache/errors.ts';
import type { LoadContext } from '../../src/cache/loading/load-context.ts';
import { fails, INVALIDATIONS, KEY, LINKS, noUnhandledRejections, withPolicy } from './policy-support.ts';
import { heldLoader, TTL_MS } from './support.ts';

const HARD_MS = 1_000;
const GRACE_MS = 300_000;
const POLICY = { hardTimeoutMs: HARD_MS };
const TIMEOUT = expect.objectContaining({ code: 'ERR_TIMEOUT', key: KEY });

noUnhandledRejections();

describe('the hard timeout is off', () => {
  it('unless asked for: a load may take as long as it likes', async () => {
    const { cache, clock } = withPolicy();
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(20 * 60_000);
    expect(loader.contexts[0]?.signal.aborted).toBe(false);
    loader.give('at last');
    expect(await read).toBe('at last');
  });

  it('for a call that says Infinity', async () => {
    const { cache, clock } = withPolicy(POLICY);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load, { hardTimeoutMs: Number.POSITIVE_INFINITY });
    await clock.advanceAsync(HARD_MS * 10);
    loader.give('at last');
    expect(await read).toBe('at last');
  });

  it('for a synchronous loader, which nothing can interrupt: its value is served and kept', () => {
    const { cache, clock } = withPolicy(POLICY);
    const slow = () => {
      clock.advance(HARD_MS * 10);
      return 'slow';
    };
    expect(cache.getOrLoadSync(KEY, slow)).toBe('slow');
    expect(cache.getOrLoadSync(KEY, fails)).toBe('slow');
  });
});

describe('the hard timeout', () => {
  it('rejects with a `CacheError` that names the key, at that instant and not before', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load).catch((error: unknown) => error);
    await clock.advanceAsync(HARD_MS - 1);
    expect(figures().timeouts).toBe(0);
    await clock.advanceAsync(1);
    const error = await read;
    expect(error).toBeInstanceOf(CacheError);
    expect(error).toEqual(TIMEOUT);
    expect(String(error)).toContain('took over 1000 ms');
    expect(figures()).toMatchObject({ misses: 1, loads: 1, failures: 1, timeouts: 1 });
    expect(cache.stats().lastFailure).toMatchObject({ key: KEY });
  });

  it('fires the `signal` of the load with the same error, also for a loader that looks at it only then', async () => {
    const { cache, clock } = withPolicy(POLICY);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load).catch((error: unknown) => error);
    const reasons: unknown[] = [];
    const { signal } = loader.contexts[0] as LoadContext;
    signal.addEventListener('abort', () => reasons.push(signal.reason));
    const looksLate = heldLoader();
    const other = cache.getOrLoad('query::late', looksLate.load).catch((error: unknown) => error);
    await clock.advanceAsync(HARD_MS);
    expect(reasons).toEqual([await read]);
    expect(looksLate.contexts[0]?.signal.aborted).toBe(true);
    expect(looksLate.contexts[0]?.signal.reason).toBe(await other);
  });

  it('says the same when the loader answers its signal by rejecting: one failure, counted once', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    const obedient = ({ signal }: LoadContext) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const read = cache.getOrLoad(KEY, obedient).catch((error: unknown) => error);
    await clock.advanceAsync(HARD_MS);
    expect(await read).toEqual(TIMEOUT);
    expect(figures()).toMatchObject({ failures: 1, timeouts: 1 });
  });

  it('leaves a quicker load alone, and no timer behind', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    const timers = clock.pendingTimers;
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load);
    await clock.advanceAsync(HARD_MS - 1);
    loader.give('in time');
    expect(await read).toBe('in time');
    expect(clock.pendingTimers).toBe(timers);
    await clock.advanceAsync(HARD_MS);
    expect(loader.contexts[0]?.signal.aborted).toBe(false);
    expect(figures()).toMatchObject({ failures: 0, timeouts: 0, fills: 1 });
  });

  it('drops what the load still gives, or throws', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    for (const end of ['give', 'fail'] as const) {
      const loader = heldLoader();
      const read = cache.getOrLoad(KEY, loader.load).catch((error: unknown) => error);
      await clock.advanceAsync(HARD_MS);
      expect(await read).toEqual(TIMEOUT);
      loader[end]('too late');
      await clock.settle();
      expect(cache.inspect(KEY)).toBeUndefined();
    }
    expect(figures()).toMatchObject({ loads: 2, failures: 2, timeouts: 2, fills: 0 });
  });

  it('I3: those who wait share it, and the next read loads anew', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    const loader = heldLoader();
    const reads = [1, 2, 3].map(() => cache.getOrLoad(KEY, loader.load).catch((error: unknown) => error));
    await clock.advanceAsync(HARD_MS);
    const errors = await Promise.all(reads);
    expect(errors).toEqual([TIMEOUT, TIMEOUT, TIMEOUT]);
    expect(new Set(errors).size).toBe(1);
    expect(await cache.getOrLoad(KEY, () => 'new')).toBe('new');
    loader.give('too late');
    await clock.settle();
    expect(cache.get(KEY)).toBe('new');
    expect(figures()).toMatchObject({ loads: 2, failures: 1, joined: 2 });
  });

  it('counts from the beginning of the load, for whoever joins it', async () => {
    const { cache, clock } = withPolicy(POLICY);
    const loader = heldLoader();
    const first = cache.getOrLoad(KEY, loader.load).catch((error: unknown) => error);
    await clock.advanceAsync(HARD_MS - 1);
    const last = cache.getOrLoad(KEY, loader.load).catch((error: unknown) => error);
    await clock.advanceAsync(1);
    expect(await Promise.all([first, last])).toEqual([TIMEOUT, TIMEOUT]);
  });

  it('holds for a batch, whose one load is dropped for all its keys', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, string>>();
    const read = cache.getOrLoadMany([KEY, 'query::y'], () => promise).catch((error: unknown) => error);
    await clock.advanceAsync(HARD_MS);
    expect(await read).toEqual(TIMEOUT);
    resolve(new Map([[KEY, 'too late']]));
    await clock.settle();
    expect(cache.has(KEY)).toBe(false);
    expect(figures()).toMatchObject({ loads: 2, failures: 2, timeouts: 2 });
  });

  it('may be asked for by a call alone', async () => {
    const { cache, clock } = withPolicy();
    const read = cache
      .getOrLoad(KEY, heldLoader().load, { hardTimeoutMs: 5 })
      .catch((error: unknown) => error);
    await clock.advanceAsync(5);
    expect(await read).toEqual(TIMEOUT);
  });

  it('ends a forced load too, and leaves the value that is there', async () => {
    const { cache, clock } = withPolicy(POLICY);
    cache.set(KEY, 'old');
    const forced = cache.getOrLoad(KEY, heldLoader().load, { fresh: true }).catch((error: unknown) => error);
    await clock.advanceAsync(HARD_MS);
    expect(await forced).toEqual(TIMEOUT);
    expect(cache.get(KEY)).toBe('old');
  });

  it('ends a load behind, of which nobody needs to hear but the log', async () => {
    const { cache, clock, said, figures } = withPolicy({ ...POLICY, staleWhileRevalidateMs: GRACE_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const loader = heldLoader();
    expect(await cache.getOrLoad(KEY, loader.load)).toBe('old');
    await clock.advanceAsync(HARD_MS);
    expect(said).toEqual(['A value could not be loaded anew; the old one goes on being served.']);
    expect(figures()).toMatchObject({ timeouts: 1, stale: { revalidating: 1, slow: 0 } });
  });
});

describe('with grace', () => {
  it('gives the old value in place of the error, counted as slow, and leaves the source alone for a while', async () => {
    const { cache, clock, figures } = withPolicy({ ...POLICY, graceMs: GRACE_MS });
    cache.set(KEY, 'old');
    clock.advance(TTL_MS);
    const loader = heldLoader();
    const reads = [1, 2].map(() => cache.getOrLoad(KEY, loader.load));
    await clock.advanceAsync(HARD_MS);
    expect(await Promise.all(reads)).toEqual(['old', 'old']);
    expect(await cache.getOrLoad(KEY, fails)).toBe('old');
    expect(figures()).toMatchObject({ timeouts: 1, stale: { slow: 2, failed: 0, 'backing-off': 1 } });
  });

  it.each(INVALIDATIONS)(
    'I2: gives the error where %s has taken the old value',
    async (_name, invalidate) => {
      const { cache, clock } = withPolicy({ ...POLICY, graceMs: GRACE_MS });
      cache.set(KEY, 'old', LINKS);
      clock.advance(TTL_MS);
      const read = cache.getOrLoad(KEY, heldLoader().load, LINKS).catch((error: unknown) => error);
      invalidate(cache);
      await clock.advanceAsync(HARD_MS);
      expect(await read).toEqual(TIMEOUT);
    },
  );
});

describe('a load that an invalidation has voided', () => {
  it.each(INVALIDATIONS)(
    'I2 and I3: is still ended, after %s, and what began after it is not touched',
    async (_name, invalidate) => {
      const { cache, clock } = withPolicy(POLICY);
      const first = heldLoader();
      const second = heldLoader();
      const before = cache.getOrLoad(KEY, first.load, LINKS).catch((error: unknown) => error);
      await clock.advanceAsync(HARD_MS / 2);
      invalidate(cache);
      const after = cache.getOrLoad(KEY, second.load, LINKS);
      await clock.advanceAsync(HARD_MS / 2);
      expect(await before).toEqual(TIMEOUT);
      const joined = cache.getOrLoad(KEY, fails);
      second.give('new');
      expect(await Promise.all([after, joined])).toEqual(['new', 'new']);
      expect(first.contexts[0]?.signal.aborted).toBe(true);
      expect(second.contexts[0]?.signal.aborted).toBe(false);
    },
  );
});

describe('`stop`', () => {
  it('I13: ends the timer and fires the signal; a timeout is not what it is called', async () => {
    const { cache, clock, figures } = withPolicy(POLICY);
    const loader = heldLoader();
    const read = cache.getOrLoad(KEY, loader.load).catch((error: unknown) => error);
    const { signal } = loader.contexts[0] as LoadContext;
    await cache.stop();
    expect(signal.reason).toMatchObject({ code: 'ERR_CLOSED' });
    expect(clock.pendingTimers).toBe(0);
    loader.fail(signal.reason);
    expect(await read).toMatchObject({ code: 'ERR_CLOSED' });
    expect(figures().timeouts).toBe(0);
  });
});
