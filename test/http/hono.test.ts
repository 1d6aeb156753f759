/** The middleware in a real Hono app behind real HTTP. */
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import { describe, expect, it } from 'vitest';
import { cacheResponse as cacheHandler } from '../../src/http/cache-response.ts';
import { cacheResponse } from '../../src/http/hono.ts';
import { bench, heldLoader, TTL_MS, tierOf } from '../cache/support.ts';
import { serve } from '../support/http-client.ts';

describe('cacheResponse as Hono’s middleware', () => {
  it('answers from the cache, with ETag, Age, 304 and HEAD', async () => {
    const { cache, clock } = bench();
    let calls = 0;
    const app = new Hono().get('/status', cacheResponse(cache, { keyPrefix: 'status' }), (c) =>
      c.json({ call: ++calls }),
    );
    const get = await serve(app.fetch);
    const first = await get('/status?b=2&a=1');
    expect(await first.json()).toEqual({ call: 1 });
    expect(first.headers.get('content-type')).toBe('application/json');
    clock.advance(2_000);
    const second = await get('/status?a=1&b=2');
    expect(await second.json()).toEqual({ call: 1 });
    expect(second.headers.get('age')).toBe('2');
    const etag = first.headers.get('etag') ?? '';
    expect((await get('/status?a=1&b=2', { headers: { 'if-none-match': etag } })).status).toBe(304);
    const head = await get('/status?a=1&b=2', { method: 'HEAD' });
    expect(head.headers.get('etag')).toBe(etag);
    expect(calls).toBe(1);
    expect(cache.keys('api', 5)).toEqual([expect.stringMatching(/^api::status::/)]);
  });

  it('runs the handlers once for all who ask at once (I3)', async () => {
    const held = heldLoader<string>();
    const { cache } = bench();
    const app = new Hono().get('/', cacheResponse(cache), async (c) =>
      c.text(await held.load(undefined as never)),
    );
    const get = await serve(app.fetch);
    const asked = Array.from({ length: 10 }, async () => (await get()).text());
    await expect.poll(() => cache.stats().total.joined).toBe(9);
    held.give('for all');
    expect(await Promise.all(asked)).toEqual(Array(10).fill('for all'));
    expect(held.calls).toBe(1);
  });

  it('leaves the headers of other middleware to each request', async () => {
    const { cache } = bench();
    let request = 0;
    let calls = 0;
    const app = new Hono()
      .use(cors({ origin: (origin) => origin }))
      .use(async (c, next) => {
        c.header('x-request', String(++request));
        await next();
        c.header('x-after', String(request));
      })
      .get('/', cacheResponse(cache, { vary: ['Origin'] }), (c) => c.text(`call ${++calls}`));
    const get = await serve(app.fetch);
    for (const origin of ['https://a.example', 'https://b.example', 'https://a.example']) {
      const response = await get('/', { headers: { origin } });
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('x-after')).toBe(String(request));
      expect(response.headers.get('vary')?.toLowerCase()).toContain('origin');
      expect(response.headers.get('etag')).toMatch(/^"/);
    }
    expect(calls).toBe(2);
  });

  it('passes on what is not kept: other methods, cookies, errors and pages that are not there', async () => {
    const { cache } = bench();
    const app = new Hono()
      .use(cacheResponse(cache))
      .post('/', async (c) => c.text(await c.req.text()))
      .get('/cookie', (c) => c.text('x', 200, { 'set-cookie': 'a=b' }))
      .get('/refused', () => {
        throw new HTTPException(403, { message: 'no' });
      })
      .get('/broken', () => {
        throw new HTTPException(500, { message: 'broken' });
      });
    const get = await serve(app.fetch);
    expect(await (await get('/', { method: 'POST', body: 'a body' })).text()).toBe('a body');
    expect((await get('/cookie')).headers.getSetCookie()).toEqual(['a=b']);
    const statuses = await Promise.all(
      ['/refused', '/broken', '/nowhere'].map(async (path) => (await get(path)).status),
    );
    expect(statuses).toEqual([403, 500, 404]);
    expect(cache.stats().total.entries).toBe(0);
    expect(cache.stats().total.failures).toBe(1);
  });

  it('gives those who wait for an answer to one alone an answer of their own', async () => {
    const held = heldLoader<string>();
    const { cache } = bench();
    let calls = 0;
    const app = new Hono().get('/', cacheResponse(cache), async (c) => {
      const call = ++calls;
      if (call === 1) await held.load(undefined as never);
      return c.text(`for request ${call}`, 200, { 'cache-control': 'private' });
    });
    const get = await serve(app.fetch);
    const first = get();
    await expect.poll(() => calls).toBe(1);
    const others = [get(), get()];
    await expect.poll(() => cache.stats().total.joined).toBe(2);
    held.give('');
    const texts = await Promise.all([first, ...others].map(async (response) => (await response).text()));
    expect(texts.sort()).toEqual(['for request 1', 'for request 2', 'for request 3']);
  });

  it.each(['staleWhileRevalidateMs', 'softTimeoutMs', 'refreshAheadRatio', 'earlyRefreshBeta'])(
    'refuses %s, which would load behind an answer',
    (name) => {
      const options: object = { [name]: 0.5 };
      expect(() => cacheResponse(bench().cache, options)).toThrow(`Hono cannot honour ${name}`);
    },
  );

  it('loads nothing behind an answer by the policy of its tier either', async () => {
    const policies = [
      tierOf('query', ['query'], {
        staleWhileRevalidateMs: 60_000,
        refreshAheadRatio: 0.1,
        softTimeoutMs: 5,
      }),
    ];
    const { cache, clock } = bench({ tiers: policies });
    let calls = 0;
    const app = new Hono().get('/', cacheResponse(cache), (c) => c.json(++calls));
    const get = await serve(app.fetch);
    await get();
    clock.advance(TTL_MS - 1);
    expect(await (await get()).json()).toBe(1);
    clock.advance(1);
    expect(await (await get()).json()).toBe(2);
    expect(calls).toBe(2);
  });
});

describe('cacheResponse around a whole app', () => {
  it('keeps what its routes answer', async () => {
    const { cache } = bench();
    let calls = 0;
    const app = new Hono().get('/a', (c) => c.json(++calls));
    const get = await serve(cacheHandler(cache, (request) => app.fetch(request)));
    await get('/a');
    expect(await (await get('/a')).json()).toBe(1);
    expect((await get('/b')).status).toBe(404);
    expect(cache.keys('api', 5)).toHaveLength(1);
  });
});
