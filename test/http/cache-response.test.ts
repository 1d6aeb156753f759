/** Answers of the bot's own HTTP API, kept: over real HTTP, under a clock that stands still. */
import { describe, expect, it } from 'vitest';
import { type CacheResponseOptions, cacheResponse } from '../../src/http/cache-response.ts';
import { bench, heldLoader, NEGATIVE_TTL_MS, TTL_MS, tierOf, tiers } from '../cache/support.ts';
import { serve } from '../support/http-client.ts';

type Answer = (request: Request, call: number) => Response | PromiseLike<Response>;

/** A served handler that numbers its calls. */
async function api(answer: Answer, options: CacheResponseOptions = {}, policies = tiers) {
  const { cache, clock } = bench({ tiers: policies });
  const calls: Request[] = [];
  const handler = cacheResponse(
    cache,
    (request) => {
      calls.push(request);
      return answer(request, calls.length);
    },
    { keyPrefix: 'status', ...options },
  );
  return { cache, clock, calls, get: await serve(handler) };
}

const counting: Answer = (_, call) => Response.json({ call });
const textOf = async (response: Promise<Response>) => (await response).text();

describe('a kept answer', () => {
  it('comes from the handler once, and from the cache until its ttl ends', async () => {
    const { get, calls, clock } = await api(counting);
    expect(await textOf(get('/'))).toBe('{"call":1}');
    clock.advance(TTL_MS - 1);
    expect(await textOf(get('/'))).toBe('{"call":1}');
    clock.advance(1);
    expect(await textOf(get('/'))).toBe('{"call":2}');
    expect(calls).toHaveLength(2);
  });

  it('has status, headers and bytes of the handler, whatever they are', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const { get, calls } = await api(
      () =>
        new Response(bytes, { status: 203, headers: { 'content-type': 'image/png', 'x-of': 'the handler' } }),
      { statuses: [200, 203] },
    );
    for (let i = 0; i < 2; i++) {
      const response = await get();
      expect(response.status).toBe(203);
      expect(response.headers.get('content-type')).toBe('image/png');
      expect(response.headers.get('x-of')).toBe('the handler');
      expect(response.headers.get('content-length')).toBe('256');
      expect(await response.bytes()).toEqual(bytes);
    }
    expect(calls).toHaveLength(1);
  });

  it('holds text beyond ASCII', async () => {
    const { get } = await api(() => new Response('Grüße, 世界 🎉'));
    await get();
    expect(await textOf(get())).toBe('Grüße, 世界 🎉');
  });

  it('is an entry: it has a readable key and a tier, and weighs about a byte a byte', async () => {
    const { get, cache } = await api(() => new Response('é'.repeat(5_000)), { tier: 'reference' });
    await get('/api/status?a=1');
    const [key = ''] = cache.keys('api::status::', 5);
    expect(key).toMatch(/^api::status::%h[\w-]{43}$/);
    const report = cache.inspect(key);
    expect(report?.tier).toBe('reference');
    expect(report?.weightBytes).toBeGreaterThan(10_000);
    expect(report?.weightBytes).toBeLessThan(11_500);
  });

  it('is named after its path unless a prefix is given', async () => {
    const { cache } = bench();
    const get = await serve(cacheResponse(cache, () => new Response('x')));
    await get('/api/status?x=1');
    expect(cache.keys('api::', 5)).toEqual([expect.stringMatching(/^api::\/api\/status::%h/)]);
  });

  it('says its age', async () => {
    const { get, clock } = await api(counting);
    expect((await get()).headers.get('age')).toBe('0');
    clock.advance(12_900);
    expect((await get()).headers.get('age')).toBe('12');
  });

  it('is copied whole for each who asks at once, and the handler runs once (I3)', async () => {
    const held = heldLoader<Response>();
    const { cache } = bench();
    const get = await serve(cacheResponse(cache, () => held.load(undefined as never), { keyPrefix: 'a' }));
    const asked = Array.from({ length: 20 }, () => textOf(get()));
    await expect.poll(() => cache.stats().total.joined).toBe(19);
    held.give(new Response('one answer'));
    expect(await Promise.all(asked)).toEqual(Array(20).fill('one answer'));
    expect(held.calls).toBe(1);
  });
});

describe('the key', () => {
  it.each([
    ['the order of parameters', '/?a=1&b=2', '/?b=2&a=1', 1],
    ['how a parameter is escaped', '/?a=x%20y', '/?a=x+y', 1],
    ['the value of a parameter', '/?a=1', '/?a=2', 2],
    ['the order of equally named parameters', '/?a=1&a=2', '/?a=2&a=1', 2],
    ['a parameter in place of another', '/?a=1%26b=2', '/?a=1&b=2', 2],
    ['the path', '/x?a=1', '/y?a=1', 2],
  ])('for %s: %s and %s make %i', async (_, one, other, count) => {
    const { get, calls } = await api(counting);
    await get(one);
    await get(other);
    expect(calls).toHaveLength(count);
  });

  it('holds the request headers that are named in `vary`, and the answer says so', async () => {
    const { get, calls } = await api(
      (request) => new Response(request.headers.get('accept-language'), { headers: { vary: 'Origin' } }),
      { vary: ['Accept-Language', 'Origin'] },
    );
    for (const language of ['de', 'en', 'de']) {
      const response = await get('/', { headers: { 'accept-language': language } });
      expect(await response.text()).toBe(language);
      expect(response.headers.get('vary')).toBe('Origin, Accept-Language');
    }
    expect(calls).toHaveLength(2);
  });

  it('learns from the `Vary` of an answer what it must hold', async () => {
    const { get, calls } = await api(
      (request) =>
        new Response(request.headers.get('accept-language'), { headers: { vary: 'Accept-Language' } }),
    );
    const ask = (language: string) => textOf(get('/', { headers: { 'accept-language': language } }));
    // The first tells of the header, and is kept under no key.
    for (const language of ['de', 'de', 'en', 'de', 'en']) expect(await ask(language)).toBe(language);
    expect(calls).toHaveLength(3);
  });

  it('gives those who wait an answer for their own headers, also while these are learnt', async () => {
    const held = heldLoader<Response>();
    const { get, calls, cache } = await api((request, call) =>
      call === 1
        ? held.load(undefined as never)
        : new Response(request.headers.get('accept-language'), { headers: { vary: 'accept-language' } }),
    );
    const ask = (language: string) => textOf(get('/', { headers: { 'accept-language': language } }));
    const first = ask('de');
    await expect.poll(() => calls.length).toBe(1);
    const others = ['en', 'en', 'fr'].map(ask);
    await expect.poll(() => cache.stats().total.joined).toBe(3);
    held.give(new Response('de', { headers: { vary: 'accept-language' } }));
    expect(await first).toBe('de');
    expect(await Promise.all(others)).toEqual(['en', 'en', 'fr']);
    expect(calls).toHaveLength(3);
  });
});

describe('a client that has a copy', () => {
  it('gets 304 and no body for its strong ETag, with what the copy is to be refreshed by', async () => {
    const { get, calls, clock } = await api(counting, { vary: ['Accept-Language'], edgeMaxAgeMs: 5_000 });
    const first = await get();
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{27}"$/);
    clock.advance(3_000);
    const second = await get('/', { headers: { 'if-none-match': etag } });
    expect(second.status).toBe(304);
    expect(await second.text()).toBe('');
    expect(Object.fromEntries(second.headers)).toMatchObject({
      etag,
      age: '3',
      vary: 'Accept-Language',
      'cache-control': 'public, max-age=0, s-maxage=8',
    });
    expect(second.headers.has('content-type')).toBe(false);
    expect(calls).toHaveLength(1);
  });

  it.each([
    ['*', 304],
    ['"other", W/"mine" , "third"', 304],
    ['W/"mine"', 304],
    ['"with, comma", "mine"', 304],
    ['"other"', 200],
    ['mine', 200],
    ['', 200],
  ])('is answered to If-None-Match: %s with %i', async (header, status) => {
    const { get } = await api(() => new Response('x', { headers: { etag: '"mine"' } }));
    const response = await get('/', { headers: { 'if-none-match': header } });
    expect(response.status).toBe(status);
    expect(response.headers.get('etag')).toBe('"mine"');
  });

  it('is compared weakly with a weak ETag of the handler', async () => {
    const { get } = await api(() => new Response('x', { headers: { etag: 'W/"mine"' } }));
    expect((await get('/', { headers: { 'if-none-match': '"mine"' } })).status).toBe(304);
  });

  it('does not make the handler answer it alone: what all share is asked for unconditionally', async () => {
    const { get, calls } = await api(counting);
    await get('/', {
      method: 'HEAD',
      headers: { 'if-none-match': '"a"', 'if-modified-since': new Date(0).toUTCString(), 'x-other': 'stays' },
    });
    expect(calls[0]?.method).toBe('GET');
    expect([...(calls[0]?.headers.keys() ?? [])].filter((name) => name.startsWith('if-'))).toEqual([]);
    expect(calls[0]?.headers.get('x-other')).toBe('stays');
  });

  it('gets another ETag for other bytes and for another type, and the same for the same', async () => {
    const answers = [
      ['a', 'text/plain'],
      ['b', 'text/plain'],
      ['a', 'text/html'],
      ['a', 'text/plain'],
    ] as const;
    const { get, cache } = await api((_, call) => {
      const [body, type] = answers[call - 1] ?? ['', ''];
      return new Response(body, { headers: { 'content-type': type } });
    });
    const etags: (string | null)[] = [];
    for (const _ of answers) {
      etags.push((await get()).headers.get('etag'));
      cache.invalidate('api:*');
    }
    expect(new Set(etags).size).toBe(3);
    expect(etags[3]).toBe(etags[0]);
  });
});

describe('HEAD', () => {
  it('has the headers of GET and no body, and shares its entry', async () => {
    const { get, calls } = await api(() => new Response('twelve bytes'));
    const head = await get('/', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe('12');
    expect(await head.text()).toBe('');
    const full = await get();
    expect(await full.text()).toBe('twelve bytes');
    expect(full.headers.get('etag')).toBe(head.headers.get('etag'));
    expect(calls).toHaveLength(1);
  });

  it('has no body where the answer is not kept either', async () => {
    const { get } = await api(() => new Response('mine', { headers: { 'set-cookie': 'a=b' } }));
    const head = await get('/', { method: 'HEAD' });
    expect(head.headers.get('set-cookie')).toBe('a=b');
    expect(await head.text()).toBe('');
  });
});

describe('Cache-Control', () => {
  const controlOf = async (options: CacheResponseOptions, policies = tiers) => {
    const { get } = await api(counting, options, policies);
    return (await get()).headers.get('cache-control');
  };

  it('lets nobody else keep an answer fresh unless told to: no invalidation reaches copies elsewhere', async () => {
    expect(await controlOf({})).toBe('public, max-age=0, s-maxage=0');
    expect(await controlOf({ staleWhileRevalidateMs: 5_000 })).toBe('public, max-age=0, s-maxage=0');
  });

  it('says how long browsers and CDNs may keep it, and the policies, the tier’s included', async () => {
    expect(
      await controlOf({ browserMaxAgeMs: 1_000, edgeMaxAgeMs: 20_000, staleWhileRevalidateMs: 5_000 }, [
        tierOf('query', ['query'], { graceMs: 90_000, staleWhileRevalidateMs: 1_000 }),
      ]),
    ).toBe('public, max-age=1, s-maxage=20, stale-while-revalidate=5, stale-if-error=90');
  });

  it('counts from now on, and never beyond the ttl', async () => {
    const { get, clock } = await api(counting, { edgeMaxAgeMs: 20_000 });
    await get();
    const left: (string | undefined)[] = [];
    for (const ageMs of [0, 30_000, 25_000]) {
      clock.advance(ageMs);
      left.push(/s-maxage=(\d+)/.exec((await get()).headers.get('cache-control') ?? '')?.[1]);
    }
    expect(left).toEqual(['20', '50', '60']);
  });

  it('is the handler’s where it wrote one, and shortens the ttl then', async () => {
    const { get, calls, clock } = await api(
      () => new Response('x', { headers: { 'cache-control': 'public, max-age=100, s-maxage=10' } }),
    );
    expect((await get()).headers.get('cache-control')).toBe('public, max-age=100, s-maxage=10');
    clock.advance(9_999);
    await get();
    expect(calls).toHaveLength(1);
    clock.advance(1);
    await get();
    expect(calls).toHaveLength(2);
  });
});

describe('what is not kept', () => {
  it.each([
    ['Authorization', { authorization: 'Bearer secret' }],
    ['Cookie', { cookie: 'session=1' }],
    ['Range', { range: 'bytes=0-1' }],
  ])('is the answer to a request with %s', async (_, headers) => {
    const { get, calls, cache } = await api(counting);
    await get();
    expect(await textOf(get('/', { headers }))).toBe('{"call":2}');
    expect(await textOf(get('/', { headers }))).toBe('{"call":3}');
    expect(await textOf(get())).toBe('{"call":1}');
    expect(calls).toHaveLength(3);
    expect(cache.stats().total.entries).toBe(1);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])(
    'is the answer to %s, which the handler gets as it is',
    async (method) => {
      const { get, cache } = await api(
        async (request) => new Response(`${request.method} ${await request.text()}`),
      );
      const body = method === 'POST' ? 'a body' : null;
      expect(await textOf(get('/', { method, body }))).toBe(`${method} ${body ?? ''}`);
      expect(cache.stats().total.lookups).toBe(0);
    },
  );

  it.each([
    ['Set-Cookie', { 'set-cookie': 'session=1' }],
    ['Cache-Control: no-store', { 'cache-control': 'No-Store' }],
    ['Cache-Control: private', { 'cache-control': 'max-age=60, private="x-name"' }],
    ['Cache-Control: no-cache', { 'cache-control': 'no-cache' }],
    ['Vary: *', { vary: 'Origin, *' }],
  ])('is an answer with %s, and those who wait get none of it', async (_, headers) => {
    const held = heldLoader<Response>();
    const { get, cache, calls } = await api((__, call) =>
      call === 1 ? held.load(undefined as never) : new Response(`for request ${call}`, { headers }),
    );
    const first = textOf(get());
    await expect.poll(() => calls.length).toBe(1);
    const others = [textOf(get()), textOf(get())];
    await expect.poll(() => cache.stats().total.joined).toBe(2);
    held.give(new Response('for request 1', { headers }));
    expect(await first).toBe('for request 1');
    expect((await Promise.all(others)).sort()).toEqual(['for request 2', 'for request 3']);
    expect(cache.stats().total.entries).toBe(0);
  });

  it('is an answer whose status is not allowed', async () => {
    const { get, calls } = await api((_, call) => new Response(`${call}`, { status: 404 }));
    const response = await get();
    expect(response.status).toBe(404);
    expect(response.headers.has('etag')).toBe(false);
    expect(response.headers.has('cache-control')).toBe(false);
    await get();
    expect(calls).toHaveLength(2);
  });

  it('is, after the negative ttl, an error that is allowed', async () => {
    const { get, calls, clock } = await api(() => new Response('none', { status: 404 }), {
      statuses: [200, 404],
    });
    await get();
    clock.advance(NEGATIVE_TTL_MS - 1);
    expect((await get()).status).toBe(404);
    expect(calls).toHaveLength(1);
    clock.advance(1);
    await get();
    expect(calls).toHaveLength(2);
  });

  it('is a failure: those who wait each get the answer that says so, and the next request asks again', async () => {
    const held = heldLoader<Response>();
    const { get, cache, calls } = await api((_, call) =>
      call === 1 ? held.load(undefined as never) : new Response('well again'),
    );
    const asked = [get(), get(), get()];
    await expect.poll(() => cache.stats().total.joined).toBe(2);
    held.give(new Response('down', { status: 503, headers: { 'retry-after': '5' } }));
    for (const response of await Promise.all(asked)) {
      expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([
        503,
        '5',
        'down',
      ]);
    }
    expect(cache.stats().total.failures).toBe(1);
    expect(await textOf(get())).toBe('well again');
    expect(calls).toHaveLength(2);
  });

  it('is what a handler throws: it reaches each who waits', async () => {
    const held = heldLoader<Response>();
    const { cache } = bench();
    const handler = cacheResponse(cache, () => held.load(undefined as never));
    const request = () => handler(new Request('http://127.0.0.1/'));
    const asked = [request(), request()];
    held.fail(new Error('broken'));
    for (const each of await Promise.allSettled(asked)) {
      expect(each).toMatchObject({ status: 'rejected', reason: { message: 'broken' } });
    }
    void request();
    expect(held.calls).toBe(2);
  });

  it('is a body over the bound: it streams through, never whole in memory, and each who waits gets one', async () => {
    const chunks = 64;
    let made = 0;
    const long = () => {
      let left = chunks;
      return new Response(
        new ReadableStream({
          pull(controller) {
            made++;
            controller.enqueue(new Uint8Array(16_384).fill(65 + (left % 26)));
            if (--left === 0) controller.close();
          },
        }),
      );
    };
    const { cache } = bench();
    const handler = cacheResponse(cache, long, { maxBodyBytes: 40_000 });
    const [one, other] = [new Request('http://127.0.0.1/'), new Request('http://127.0.0.1/')];
    const [first, second] = await Promise.all([handler(one), handler(other)]);
    // Two or three chunks fill the bound; streams read one or two ahead.
    expect(made).toBeLessThan(8);
    const text = await first.text();
    expect(text.length).toBe(chunks * 16_384);
    expect(await second.text()).toBe(text);
    expect(cache.stats().total.entries).toBe(0);
  });

  it('is a body that says it is over the bound, which is not even begun', async () => {
    const { get, cache } = await api(
      () => new Response('a'.repeat(100), { headers: { 'content-length': '100' } }),
      { maxBodyBytes: 99 },
    );
    expect((await textOf(get())).length).toBe(100);
    expect(cache.stats().total.entries).toBe(0);
  });

  it('is a stream of events, which is passed on as it comes', async () => {
    const { get } = await api(
      () =>
        new Response(
          new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('data: 1\n\n')) }),
          { headers: { 'content-type': 'text/event-stream' } },
        ),
    );
    const reader = (await get()).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n');
    await reader?.cancel();
  });

  it('is anything with the cache switched off; ETags work all the same', async () => {
    const { cache } = bench({ enabled: false });
    let calls = 0;
    const get = await serve(
      cacheResponse(cache, () => {
        calls++;
        return new Response('same');
      }),
    );
    const etag = (await get()).headers.get('etag') ?? '';
    expect((await get('/', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect(calls).toBe(2);
  });
});

describe('an identity', () => {
  const identity = (request: Request) => request.headers.get('authorization') ?? undefined;
  const mine: Answer = (request, call) =>
    new Response(`${request.headers.get('authorization') ?? 'nobody'} ${call}`);
  const as = (who: string): RequestInit => ({ headers: { authorization: who } });

  it('gives each person answers of their own, which only their browser may keep', async () => {
    const { get } = await api(mine, { identity, browserMaxAgeMs: 5_000, edgeMaxAgeMs: 5_000 });
    expect(await textOf(get('/', as('ada')))).toBe('ada 1');
    expect(await textOf(get('/', as('grace')))).toBe('grace 2');
    const again = await get('/', as('ada'));
    expect(await again.text()).toBe('ada 1');
    expect(again.headers.get('cache-control')).toBe('private, max-age=5');
    expect(again.headers.get('vary')).toBe('Authorization, Cookie');
  });

  it('is no part of a key that people can read', async () => {
    const { get, cache } = await api(mine, { identity });
    await get('/', as('secret-token'));
    expect(cache.keys('api', 5).join()).not.toContain('secret');
  });

  it('that is not known leaves a request with a cookie to the handler', async () => {
    const { get } = await api(mine, { identity });
    expect(await textOf(get('/', { headers: { cookie: 'a=b' } }))).toBe('nobody 1');
    expect(await textOf(get('/', { headers: { cookie: 'a=b' } }))).toBe('nobody 2');
  });
});

describe('an invalidation', () => {
  it.each(['api:*', 'api::status::*'])('by %s removes answers', async (pattern) => {
    const { get, cache } = await api(counting);
    await get();
    expect(cache.invalidate(pattern).entries).toBe(1);
    expect(await textOf(get())).toBe('{"call":2}');
  });

  it('by tag or by what the answer depends on, stated for each request', async () => {
    const { get, cache } = await api(counting, {
      tags: ['shop'],
      dependsOn: (request) => [`products::${new URL(request.url).searchParams.get('category')}`],
    });
    const ask = () => Promise.all([textOf(get('/?category=a')), textOf(get('/?category=b'))]);
    const before = await ask();
    cache.invalidate('products::a');
    const [a, b] = await ask();
    expect(a).not.toBe(before[0]);
    expect(b).toBe(before[1]);
    cache.invalidate({ tag: 'shop' });
    const after = await ask();
    expect(after[0]).not.toBe(a);
    expect(after[1]).not.toBe(b);
  });

  it.each([
    ['a pattern', 'api:*'],
    ['a tag', { tag: 'shop' }],
    ['a dependency', 'products::all'],
  ])(
    'I2: by %s while the handler runs keeps nothing, and whoever comes later asks anew',
    async (_, target) => {
      const held = heldLoader<Response>();
      const { get, cache, calls } = await api(
        (__, call) => (call === 1 ? held.load(undefined as never) : new Response('new')),
        { tags: ['shop'], dependsOn: ['products::all'] },
      );
      const first = textOf(get());
      await expect.poll(() => calls.length).toBe(1);
      cache.invalidate(target);
      expect(await textOf(get())).toBe('new');
      held.give(new Response('old'));
      expect(await first).toBe('old');
      expect(await textOf(get())).toBe('new');
      expect(calls).toHaveLength(2);
    },
  );
});

describe('the options', () => {
  it.each<[string, CacheResponseOptions, RegExp]>([
    ['a ttl', { ttlMs: -1 }, /ttlMs is -1/],
    ['a bound', { maxBodyBytes: Number.NaN }, /maxBodyBytes is NaN/],
    ['an age', { edgeMaxAgeMs: -5 }, /edgeMaxAgeMs is -5/],
    ['a prefix', { keyPrefix: '' }, /keyPrefix is empty/],
    ['a status', { statuses: [200, 304] }, /statuses holds 304/],
    ['a policy', { graceMs: -1 }, /graceMs of cacheResponse is -1/],
    [
      'a name',
      { edgeMaxAge: 5 } as CacheResponseOptions,
      /there is no option "edgeMaxAge" \(times are given in milliseconds, as edgeMaxAgeMs\)/,
    ],
    ['a tier', { tier: 'refrence' }, /tier is "refrence"; there are config, reference, user, query/],
  ])('with %s that makes no sense are refused at once', (_, options, message) => {
    const { cache } = bench();
    expect(() => cacheResponse(cache, () => new Response(''), options)).toThrow(message);
  });

  it('honour zero: with a ttl of 0 those who wait share an answer and nothing is kept', async () => {
    const { get, calls } = await api(counting, { ttlMs: 0 });
    await get();
    await get();
    expect(calls).toHaveLength(2);
  });
});

it('a client that leaves takes nobody’s answer along', async () => {
  const held = heldLoader<Response>();
  const { get, cache, calls } = await api(() => held.load(undefined as never));
  const leaving = new AbortController();
  const left = get('/', { signal: leaving.signal });
  await expect.poll(() => calls.length).toBe(1);
  const stays = textOf(get());
  await expect.poll(() => cache.stats().total.joined).toBe(1);
  leaving.abort();
  await expect(left).rejects.toThrow();
  held.give(new Response('for all'));
  expect(await stays).toBe('for all');
  expect(calls[0]?.signal.aborted).toBe(false);
});
