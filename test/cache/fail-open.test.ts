import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { bench } from './support.ts';

describe('I4: what goes wrong beside a read does not make it fail', () => {
  const hostile: readonly [string, () => unknown][] = [
    [
      'a revoked proxy',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return { proxy };
      },
    ],
    [
      'a proxy whose every trap throws',
      () => ({
        at: new Proxy(
          {},
          new Proxy(
            {},
            {
              get: () => () => {
                throw new Error('trap');
              },
            },
          ),
        ),
      }),
    ],
    [
      'a getter that throws',
      () => ({
        get field() {
          throw new Error('getter');
        },
      }),
    ],
    ['a function', () => ({ run: () => 1 })],
    [
      'a class instance',
      () =>
        new (class Person {
          name = 'Ada';
        })(),
    ],
    ['a promise inside', () => ({ later: Promise.resolve(1) })],
  ];

  it.each(hostile)('serves %s and keeps nothing', async (_, make) => {
    const { cache } = bench();
    const value = make();
    const served = await cache.getOrLoad('query::x', () => [value]);
    expect(served[0] === value).toBe(true);
    expect(cache.getOrLoadSync('query::x', () => [value])[0] === value).toBe(true);
    expect(cache.set('query::x', [value])).toBe(false);
    expect(cache.has('query::x')).toBe(false);
    expect(cache.stats().total).toMatchObject({ entries: 0, weightBytes: 0, refusals: { unsafe: 3 } });
  });

  it('a listener that throws', async () => {
    const warn = vi.fn();
    const { cache } = bench({ logger: { ...silentLogger, warn } });
    const heard: string[] = [];
    for (const event of ['loaded', 'failed', 'refused', 'invalidated'] as const) {
      cache.on(event, () => {
        throw new Error('listener');
      });
      cache.on(event, () => heard.push(event));
    }
    expect(await cache.getOrLoad('query::x', () => 1)).toBe(1);
    await expect(cache.getOrLoad('query::y', () => Promise.reject(new Error('down')))).rejects.toThrow(
      'down',
    );
    await cache.getOrLoad('query::z', ({ skip }) => skip());
    cache.invalidate('query::x');
    expect(heard).toEqual(['loaded', 'failed', 'refused', 'loaded', 'invalidated']);
    expect(warn).toHaveBeenCalledTimes(4);
  });

  it('a listener that is asynchronous and rejects', async () => {
    const warn = vi.fn();
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    const { cache } = bench({ logger: { ...silentLogger, warn } });
    cache.on('loaded', () => Promise.reject(new Error('listener')));
    expect(await cache.getOrLoad('query::x', () => 1)).toBe(1);
    await new Promise(setImmediate);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(warn).toHaveBeenCalledOnce();
  });

  it('a logger that throws', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { cache } = bench({
      logger: {
        ...silentLogger,
        warn() {
          throw new Error('logger');
        },
      },
    });
    cache.on('loaded', () => {
      throw new Error('listener');
    });
    expect(await cache.getOrLoad('query::x', () => () => 1)).toBeTypeOf('function');
    expect(cache.getOrLoadSync('query::*', () => 2)).toBe(2);
    expect(cache.stats().loading).toBe(0);
    expect(warnings).toHaveBeenCalled();
    warnings.mockRestore();
  });

  it.each([
    ['empty', ''],
    ['with a star', 'query::*'],
    ['with a control character', 'query::\u0000'],
    ['too long', `query::${'x'.repeat(2_000)}`],
  ])('a key that cannot be one (%s): its loader serves it, nothing is kept', async (_, key) => {
    const { cache } = bench();
    expect(await cache.getOrLoad(key, () => 1)).toBe(1);
    expect(cache.getOrLoadSync(key, () => 2)).toBe(2);
    expect(cache.stats().total.entries).toBe(0);
  });
});

describe('arguments that make no sense', () => {
  it.each([Number.NaN, -1, '60' as unknown as number, null as unknown as number])(
    'a ttl of %o is refused, by a rejection where the read is asynchronous',
    async (ttlMs) => {
      const { cache } = bench();
      const refusal = { code: 'ERR_ARGUMENT_INVALID' };
      await expect(cache.getOrLoad('query::x', () => 1, { ttlMs })).rejects.toMatchObject(refusal);
      await expect(cache.getOrLoad('query::x', () => 1, { negativeTtlMs: ttlMs })).rejects.toMatchObject(
        refusal,
      );
      await expect(cache.getOrLoadMany(['query::x'], () => new Map(), { ttlMs })).rejects.toMatchObject(
        refusal,
      );
      await expect(cache.getOrLoad('query::x', ({ setTtl }) => setTtl(ttlMs))).rejects.toMatchObject(refusal);
      expect(() => cache.getOrLoadSync('query::x', () => 1, { ttlMs })).toThrow();
      expect(() => cache.set('query::x', 1, { ttlMs })).toThrow();
      expect(() => bench({ tiers: [{ ...cache.tiers[0], ttlMs } as never] })).toThrow();
      expect(cache.stats().loading).toBe(0);
    },
  );

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('a bound of %o is refused', (bound) => {
    expect(() => bench({ maxWeightBytes: bound })).toThrow();
    expect(() => bench({ cleanupIntervalMs: bound })).toThrow();
  });

  it('a tier that does not exist is refused and named, with those there are', async () => {
    const { cache } = bench();
    await expect(cache.getOrLoad('query::x', () => 1, { tier: 'usr' })).rejects.toThrow(
      /"usr".*config.*user/,
    );
  });

  it('deletes one key and never reads it as a pattern', () => {
    const { cache } = bench();
    cache.set('user::1::profile', 1);
    expect(() => cache.delete('user::*')).toThrow();
    expect(cache.has('user::1::profile')).toBe(true);
    expect(cache.delete('user::1::profile')).toBe(true);
    expect(cache.delete('user::1::profile')).toBe(false);
  });
});
