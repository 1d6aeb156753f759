/** The playground's exchange-rate API: it says how long its answers hold, counts, and can be troubled. */
import { afterEach, expect, it, vi } from 'vitest';
import { RATES_TTL_SECONDS, RatesApi, type RatesStatus } from '../../playground/rates-api.ts';
import { SLOW_MS } from '../../playground/trouble.ts';

afterEach(() => void vi.useRealTimers());

const url = RatesApi.urlOn('http://127.0.0.1:4780');

function open() {
  const told: RatesStatus[] = [];
  const api = new RatesApi((status) => told.push(status));
  return {
    api,
    told,
    ask: (headers: Readonly<Record<string, string>> = {}) => api.handle(new Request(url, { headers })),
  };
}

it('says how long its rates hold, and confirms those of somebody who has them; each request counts', async () => {
  const { ask, told } = open();
  const answer = await ask();
  expect(answer?.headers.get('cache-control')).toBe(`max-age=${RATES_TTL_SECONDS}`);
  expect(await answer?.json()).toMatchObject({ base: 'USD', rates: { EUR: expect.any(Number) } });
  const again = await ask({ 'if-none-match': answer?.headers.get('etag') ?? '' });
  expect(again?.status).toBe(304);
  expect(told.at(-1)).toEqual({ requests: 2, notModified: 1, trouble: 'healthy' });
});

it('takes nothing that is not its own', async () => {
  const { api, told } = open();
  expect(await api.handle(new Request(new URL('/page/events', url)))).toBeNull();
  expect(await api.handle(new Request(url, { method: 'POST' }))).toBeNull();
  expect(told).toEqual([]);
});

it('fails, is slow or stuck when it is told to, and counts what reached it all the same', async () => {
  vi.useFakeTimers();
  const { api, ask } = open();
  api.setTrouble('failing');
  expect((await ask())?.status).toBe(503);
  api.setTrouble('slow');
  const slow = ask();
  await vi.advanceTimersByTimeAsync(SLOW_MS);
  expect((await slow)?.status).toBe(200);
  api.setTrouble('stuck');
  const stuck = ask();
  api.setTrouble('healthy');
  expect((await stuck)?.status).toBe(200);
  expect(api.status.requests).toBe(3);
});
