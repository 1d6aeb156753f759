/** What strangers may fill of the cache: answers share a part of it, whatever clients ask for. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { type CacheResponseOptions, cacheResponse } from '../../src/http/cache-response.ts';
import { silentLogger } from '../../src/logger.ts';
import { handClock } from '../support/hand-clock.ts';

const MAX = 1_000_000;

function api(options: CacheResponseOptions = {}, body = 'x'.repeat(2_000)) {
  const cache = createCache({ maxWeightBytes: MAX, clock: handClock(), logger: silentLogger });
  onTestFinished(() => cache.stop());
  let calls = 0;
  const answer =
    (headers: Record<string, string> = {}) =>
    () => {
      calls++;
      return new Response(body, { headers });
    };
  for (let i = 0; i < 200; i++) cache.set(`user::${i}::profile`, { name: `Person ${i}` });
  const own = () => cache.keys('user::', 500).length;
  const responses = () =>
    cache.stats(0).namespaces.find(({ namespace }) => namespace === 'api')?.weightBytes ?? 0;
  return { cache, own, responses, calls: () => calls, answer, kept: cacheResponse(cache, answer(), options) };
}

describe('answers of an HTTP API', () => {
  it('take no more than their share, however many queries are invented', async () => {
    const { kept, own, responses } = api();
    for (let i = 0; i < 2_000; i++) await kept(new Request(`http://bot/a?q=${i}`));
    expect(responses()).toBeGreaterThan(MAX / 8);
    expect(responses()).toBeLessThanOrEqual(MAX / 4);
    expect(own()).toBe(200);
  });

  it('take no more, however many values a header has that they vary by, from any number of handlers', async () => {
    const { cache, answer, own, responses } = api();
    const handlers = Array.from({ length: 4 }, (_, i) =>
      cacheResponse(cache, answer({ vary: 'x-trace, accept-language' }), { keyPrefix: `h${i}` }),
    );
    for (let i = 0; i < 500; i++) {
      const headers = { 'x-trace': String(i), 'accept-language': `l${i}` };
      for (const kept of handlers) await kept(new Request('http://bot/a', { headers }));
    }
    expect(responses()).toBeLessThanOrEqual(MAX / 4);
    expect(own()).toBe(200);
  });

  it('are one for all names by which a client calls the host', async () => {
    const { kept, calls } = api();
    for (let i = 0; i < 50; i++) {
      await kept(new Request(`http://h${i}.example/a`, { headers: { host: `h${i}.example` } }));
    }
    expect(calls()).toBe(1);
  });

  it('are one a host where the author says that they depend on it', async () => {
    const { kept, calls } = api({ vary: ['Host'] });
    for (const host of ['a.example', 'b.example', 'a.example']) await kept(new Request(`http://${host}/a`));
    expect(calls()).toBe(2);
  });

  it('that were used last stay', async () => {
    const { kept, calls } = api();
    const popular = () => kept(new Request('http://bot/popular'));
    await popular();
    for (let i = 0; i < 500; i++) {
      await kept(new Request(`http://bot/a?q=${i}`));
      await popular();
    }
    expect(calls()).toBe(501);
  });

  it('that alone take more than the share are answered and not kept', async () => {
    const { kept, responses } = api({}, 'x'.repeat(600_000));
    expect(await (await kept(new Request('http://bot/large'))).text()).toHaveLength(600_000);
    expect(responses()).toBe(0);
  });
});
