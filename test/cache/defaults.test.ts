import { expect, it } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { parseConfig } from '../../src/config/config.ts';
import { handClock } from '../support/hand-clock.ts';

it('a cache without options is the one that an empty config.json makes', async () => {
  const plain = createCache({ clock: handClock() });
  const configured = createCache({ ...parseConfig({}).cache, clock: handClock() });
  for (const name of ['enabled', 'maxWeightBytes', 'cleanupIntervalMs', 'tiers'] as const) {
    expect(plain[name]).toEqual(configured[name]);
  }
  expect(plain.getOrLoadSync('config::vip_tiers', () => 'gold')).toBe('gold');
  expect(plain.inspect('config::vip_tiers')).toMatchObject({ tier: 'config' });
  await plain.stop();
  await configured.stop();
});

it('an option that is undefined is as good as left out', async () => {
  const cache = createCache({ clock: handClock(), tiers: undefined, disk: undefined, logger: undefined });
  const none = { tier: undefined, ttlMs: undefined, tags: undefined, dependsOn: undefined, fresh: undefined };
  expect(cache.getOrLoadSync('user::1::profile', () => 1, none)).toBe(1);
  expect(cache.inspect('user::1::profile')).toMatchObject({ tier: 'user', tags: [], dependsOn: [] });
  await cache.stop();
});
