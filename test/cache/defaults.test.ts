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
