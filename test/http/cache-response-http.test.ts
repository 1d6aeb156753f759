/** What `cacheResponse` takes from the headers of a handler's answer, as RFC 9111 and RFC 9213 have them. */
import { describe, expect, it } from 'vitest';
import { type CacheResponseOptions, cacheResponse } from '../../src/http/cache-response.ts';
import { bench, tierOf, tiers } from '../cache/support.ts';

const TTL_MS = 3_600_000;

/** How often the handler is called when the same is asked twice, the second time after a while. */
async function parts(headers: (now: number) => Record<string, string>) {
  const { cache, clock } = bench({ tiers: [...tiers, tierOf('api', ['api'], { ttlMs: TTL_MS })] });
  let calls = 0;
  const handler = cacheResponse(cache, () => {
    calls++;
    return new Response('body', { headers: headers(clock.epochAt(clock.now())) });
  });
  const get = (path = '/', init: RequestInit = {}) => handler(new Request(`http://bot.example${path}`, init));
  return { clock, get, calls: () => calls };
}

const date = (ms: number) => new Date(ms).toUTCString();

describe('how long a handler lets its answer be kept', () => {
  it.each<[string, (now: number) => Record<string, string>, seconds: number]>([
    ['max-age', () => ({ 'cache-control': 'max-age=60' }), 60],
    ['max-age in quotes', () => ({ 'cache-control': 'max-age="60"' }), 60],
    ['max-age in capitals', () => ({ 'cache-control': 'MAX-AGE=60' }), 60],
    ['s-maxage before max-age', () => ({ 'cache-control': 'max-age=5, s-maxage=60' }), 60],
    ['the lesser of two', () => ({ 'cache-control': 'max-age=60, max-age=90' }), 60],
    ['max-age less Age', () => ({ 'cache-control': 'max-age=100', age: '40' }), 60],
    ['max-age less an old Date', (now) => ({ 'cache-control': 'max-age=100', date: date(now - 40_000) }), 60],
    ['Expires', (now) => ({ expires: date(now + 60_000) }), 60],
    ['Expires less Age', (now) => ({ expires: date(now + 100_000), age: '40' }), 60],
    ['max-age before Expires', (now) => ({ expires: date(now), 'cache-control': 'max-age=60' }), 60],
    ['CDN-Cache-Control', () => ({ 'cdn-cache-control': 'max-age=60', 'cache-control': 'no-store' }), 60],
    [
      'CDN-Cache-Control before Expires',
      (now) => ({ 'cdn-cache-control': 'max-age=60', expires: date(now) }),
      60,
    ],
    ['the last of CDN-Cache-Control', () => ({ 'cdn-cache-control': 'max-age=5, max-age=60;x=1' }), 60],
    [
      'nothing of a malformed CDN-Cache-Control',
      () => ({ 'cdn-cache-control': 'max-age=, ,', 'cache-control': 'max-age=60' }),
      60,
    ],
    [
      'nothing of an empty CDN-Cache-Control',
      () => ({ 'cdn-cache-control': '', 'cache-control': 'max-age=60' }),
      60,
    ],
    [
      'no word that only holds one',
      () => ({ 'cache-control': 'x-no-store-y, ext="no-store, private", max-age=60' }),
      60,
    ],
  ])('is read from %s', async (_name, headers, seconds) => {
    const { get, clock, calls } = await parts(headers);
    await get();
    clock.advance(seconds * 1_000 - 1);
    await get();
    expect(calls()).toBe(1);
    clock.advance(1);
    await get();
    expect(calls()).toBe(2);
  });

  it.each<[string, (now: number) => Record<string, string>]>([
    ['Expires in the past', (now) => ({ expires: date(now - 1_000) })],
    ['Expires: 0', () => ({ expires: '0' })],
    ['max-age=0', () => ({ 'cache-control': 'max-age=0' })],
    ['max-age that is no time', () => ({ 'cache-control': 'max-age=soon' })],
    ['max-age below Age', () => ({ 'cache-control': 'max-age=60', age: '61' })],
    ['NO-STORE', () => ({ 'cache-control': 'NO-STORE' })],
    ['private for a field', () => ({ 'cache-control': 'private="x-a"' })],
    ['no-store for CDNs', () => ({ 'cdn-cache-control': 'no-store', 'cache-control': 'max-age=60' })],
    ['private for CDNs', () => ({ 'cdn-cache-control': 'private, max-age=60' })],
  ])('is not at all with %s', async (_name, headers) => {
    const { get, calls } = await parts(headers);
    await get();
    await get();
    expect(calls()).toBe(2);
  });
});

describe('what is kept of an answer', () => {
  it('is told with the age that it came with', async () => {
    const { get, clock } = await parts(() => ({ 'cache-control': 'max-age=100', age: '40' }));
    expect((await get()).headers.get('age')).toBe('40');
    clock.advance(10_000);
    expect((await get()).headers.get('age')).toBe('50');
  });

  it('is no header that Connection names', async () => {
    const { get } = await parts(() => ({ connection: 'X-Hop, close', 'x-hop': 'secret', 'x-end': 'yes' }));
    for (let i = 0; i < 2; i++) {
      const { headers } = await get();
      expect([headers.get('connection'), headers.get('x-hop'), headers.get('x-end')]).toEqual([
        null,
        null,
        'yes',
      ]);
    }
  });
});

describe('the key', () => {
  it.each([
    ['/?q=%ff', '/?q=%fe', 2],
    ['/?x', '/?x=', 2],
    ['/?x=', '/?x==', 2],
    ['/?q=%ff', '/?q=%25ff', 2],
    ['/?q=%ef%bf%bd', '/?q=%ff', 2],
    ['/?', '/', 2],
    ['/?a=1&b=2', '/?b=2&a=1', 1],
    ['/?a=1&a=2', '/?a=2&a=1', 2],
    ['/?a=x+y', '/?a=x%20y', 1],
    ['/?a=b%26c', '/?a=b&c', 2],
    ['/?a=1#part', '/?a=1', 1],
  ])('tells %s and %s apart where a handler may: %i', async (one, other, count) => {
    const { get, calls } = await parts(() => ({}));
    await get(one);
    await get(other);
    expect(calls()).toBe(count);
  });
});

it('an unsafe request goes to the handler, and what it changes is told by dependsOn or a tag, not by its address', async () => {
  const { get, calls } = await parts(() => ({}));
  await get();
  await get('/', { method: 'POST', body: 'x' });
  await get();
  expect(calls()).toBe(2);
});

it.each([
  [{ vary: 'Host' }, 'vary is a text, expected a list'],
  [{ vary: [7] }, 'vary holds a number, expected texts'],
  [{ tags: 'weather' }, 'tags is a text, expected a list'],
  [{ dependsOn: 'products::all' }, 'dependsOn is a text, expected a list'],
  [{ statuses: 200 }, 'statuses is a number, expected a list'],
  [{ identity: 'user' }, 'identity is a text, expected a function'],
  [{ keyPrefix: 7 }, 'keyPrefix is a number, expected a text'],
  [{ ttlMs: '5' }, 'ttlMs is a text; it is a number from 0 up'],
])('%o is refused', (options, told) => {
  const { cache } = bench();
  const make = () => cacheResponse(cache, () => new Response(''), options as unknown as CacheResponseOptions);
  expect(make).toThrow(told);
});
