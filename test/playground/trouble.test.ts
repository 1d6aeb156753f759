/** What can be the matter with the shop's database, and the configuration in which that can be watched. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SLOW_MS, Trouble } from '../../playground/trouble.ts';
import { QUERY_TTL_SECONDS, watchable } from '../../playground/watchable-config.ts';
import { parseConfig } from '../../src/config/config.ts';

describe('trouble with the database', () => {
  afterEach(() => void vi.useRealTimers());

  it('is nothing at first: no statement throws and no read waits', () => {
    const { source } = new Trouble();
    expect(() => source.beforeQuery?.()).not.toThrow();
    expect(source.gate?.()).toBeUndefined();
  });

  it('makes every statement throw while it fails, and none afterwards', () => {
    const trouble = new Trouble();
    trouble.set('failing');
    expect(() => trouble.source.beforeQuery?.()).toThrow('The database fails');
    trouble.set('healthy');
    expect(() => trouble.source.beforeQuery?.()).not.toThrow();
  });

  it('holds a read for two seconds while it is slow', async () => {
    vi.useFakeTimers();
    const trouble = new Trouble();
    trouble.set('slow');
    let isThrough = false;
    const waiting = Promise.resolve(trouble.source.gate?.()).then(() => {
      isThrough = true;
    });
    await vi.advanceTimersByTimeAsync(SLOW_MS - 1);
    expect(isThrough).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(isThrough).toBe(true);
    expect(() => trouble.source.beforeQuery?.()).not.toThrow();
  });

  it('holds every read while it is stuck, and lets them go when it is not', async () => {
    const trouble = new Trouble();
    trouble.set('stuck');
    const waiting = [trouble.source.gate?.(), trouble.source.gate?.()];
    trouble.set('healthy');
    await expect(Promise.all(waiting)).resolves.toHaveLength(2);
  });
});

describe('the configuration of the playground', () => {
  it('says in the description of tier query, and so in /cache-info, that its ttl is shortened', () => {
    const description = (ttl_query: number) =>
      tier(watchable(parseConfig({ cache: { ttl_query } })), 'query')?.description;
    expect(description(1_800)).toContain('The playground shortens the ttl, which is 1,800 s in config.json.');
    expect(description(QUERY_TTL_SECONDS)).not.toContain('shortens');
  });

  const tier = (config: ReturnType<typeof watchable>, name: string) =>
    config.cache.tiers.find((each) => each.tier === name);

  it('turns on every policy for bad times in the tiers query and reference', () => {
    const config = watchable(parseConfig({}));
    for (const name of ['query', 'reference']) {
      expect(tier(config, name)).toMatchObject({
        graceMs: 3_600_000,
        staleWhileRevalidateMs: 20_000,
        softTimeoutMs: 300,
        hardTimeoutMs: 2_500,
      });
    }
    expect(tier(config, 'user')?.graceMs).toBeUndefined();
  });

  it('has a tier of its own, as an author may add one, unless config.json says otherwise', () => {
    expect(tier(watchable(parseConfig({})), 'system_status')).toMatchObject({ ttlMs: 5_000 });
    const said = { system_status: { ttl: 2 } };
    expect(tier(watchable(parseConfig({ cache: { tiers: said } })), 'system_status')?.ttlMs).toBe(2_000);
  });

  it('keeps query results fresh for so short that one can watch them grow old, and no longer than is said', () => {
    expect(tier(watchable(parseConfig({})), 'query')?.ttlMs).toBe(QUERY_TTL_SECONDS * 1_000);
    expect(tier(watchable(parseConfig({ cache: { ttl_query: 5 } })), 'query')?.ttlMs).toBe(5_000);
  });

  it('leaves a tier alone of which config.json says something', () => {
    const config = watchable(parseConfig({ cache: { ttl_query: 900, tiers: { query: { grace: 60 } } } }));
    expect(tier(config, 'query')).toMatchObject({ ttlMs: 900_000, graceMs: 60_000 });
    expect(tier(config, 'query')?.softTimeoutMs).toBeUndefined();
    expect(tier(config, 'reference')?.graceMs).toBe(3_600_000);
  });
});
