/** The caching agent as RFC 9111 and RFC 5861 want it: over real HTTP, under clocks that stand still. */
import { describe, expect, it, vi } from 'vitest';
import { heldOrigin, type Origin, outgoing, type Told } from './origin.ts';

/** Says with each answer which call it was, and may be kept for a minute. */
const fresh =
  (headers: Record<string, string | string[]> = {}, status = 200): Origin =>
  (_asked, call) => ({
    status,
    headers: { 'cache-control': 'max-age=60', ...headers },
    body: `answer ${call}`,
  });

/** One answer for each call, the last one again and again. */
const inTurn =
  (...answers: readonly Told[]): Origin =>
  (_asked, call) =>
    answers[Math.min(call, answers.length) - 1];

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toUTCString();

/** How often the origin is asked when the same is asked twice at once, and again after a time. */
async function asksFor(origin: Origin, laterMs = 1_000, headers: Record<string, string> = {}) {
  const { get, asked, advance } = await outgoing(origin);
  await get('/', headers);
  await get('/', headers);
  const atOnce = asked.length;
  advance(laterMs);
  await get('/', headers);
  return { atOnce, later: asked.length };
}

describe('a fresh answer', () => {
  it('comes from the origin once, then from the cache', async () => {
    const { get, asked, advance } = await outgoing(fresh({ 'x-of': 'the origin' }));
    expect((await get('/items')).body).toBe('answer 1');
    advance(59_000);
    const second = await get('/items');
    expect(second).toMatchObject({ status: 200, body: 'answer 1' });
    expect(second.headers).toMatchObject({ 'x-of': 'the origin', age: '59' });
    expect(asked).toHaveLength(1);
    advance(1_001);
    expect((await get('/items')).body).toBe('answer 2');
  });

  it('is fresh for max-age', async () => {
    expect(await asksFor(fresh(), 59_999)).toEqual({ atOnce: 1, later: 1 });
    expect(await asksFor(fresh(), 60_001)).toEqual({ atOnce: 1, later: 2 });
  });

  it('is fresh for s-maxage, where that is said as well', async () => {
    const origin = fresh({ 'cache-control': 'max-age=60, s-maxage=10' });
    expect(await asksFor(origin, 9_000)).toEqual({ atOnce: 1, later: 1 });
    expect(await asksFor(origin, 11_000)).toEqual({ atOnce: 1, later: 2 });
  });

  it('is fresh until Expires', async () => {
    const origin: Origin = () => ({ headers: { expires: inMinutes(10), date: inMinutes(0) } });
    expect(await asksFor(origin, 590_000)).toEqual({ atOnce: 1, later: 1 });
    expect(await asksFor(origin, 601_000)).toEqual({ atOnce: 1, later: 2 });
  });

  it('is as old as the caches before have made it', async () => {
    const origin = fresh({ age: '50' });
    expect(await asksFor(origin, 9_000)).toEqual({ atOnce: 1, later: 1 });
    expect(await asksFor(origin, 11_000)).toEqual({ atOnce: 1, later: 2 });
  });

  it.each([-3_600_000, 3_600_000])('is as fresh as before when the machine is set by %i ms', async (by) => {
    const { get, asked, advance, clock } = await outgoing(fresh());
    await get();
    clock.setWallBy(by);
    vi.setSystemTime(Date.now() + by);
    advance(59_000);
    expect((await get()).headers.age).toBe('59');
    expect(asked).toHaveLength(1);
    advance(2_000);
    expect((await get()).body).toBe('answer 2');
    expect((await get()).body).toBe('answer 2');
  });

  it('is never fresh for longer than maxTtlMs', async () => {
    const { get, asked, advance } = await outgoing(fresh(), { maxTtlMs: 5_000 });
    await get();
    advance(4_000);
    await get();
    expect(asked).toHaveLength(1);
    advance(2_000);
    await get();
    expect(asked).toHaveLength(2);
  });

  it('is not found by guessing: what says nothing about its freshness is validated at each use', async () => {
    const { get, asked, advance } = await outgoing(({ headers }) =>
      headers['if-modified-since'] === undefined
        ? { headers: { 'last-modified': inMinutes(-60 * 24 * 365) }, body: 'old' }
        : { status: 304 },
    );
    for (let i = 0; i < 3; i++) {
      expect((await get()).body).toBe('old');
      advance(1_000);
    }
    expect(asked.map(({ headers }) => headers['if-modified-since'] !== undefined)).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('is kept for defaultTtlMs where its origin says nothing, and not at all without one', async () => {
    const silent: Origin = () => ({ body: 'x' });
    expect(await asksFor(silent)).toEqual({ atOnce: 2, later: 3 });
    const { get, asked, advance } = await outgoing(silent, { defaultTtlMs: 5_000 });
    await get();
    advance(4_000);
    await get();
    expect(asked).toHaveLength(1);
    advance(2_000);
    await get();
    expect(asked).toHaveLength(2);
  });

  it('may be one that says 404, if it says for how long', async () => {
    const { get, asked } = await outgoing(fresh({}, 404));
    await get('/nobody');
    expect(await get('/nobody')).toMatchObject({ status: 404, body: 'answer 1' });
    expect(asked).toHaveLength(1);
  });
});

describe('what is not kept', () => {
  it.each([
    ['no-store', { 'cache-control': 'no-store, max-age=60' }],
    ['private', { 'cache-control': 'private, max-age=60' }],
    ['Set-Cookie', { 'set-cookie': 'id=1' }],
    ['Vary: *', { vary: '*' }],
  ])('is an answer with %s', async (_name, headers) => {
    expect(await asksFor(fresh(headers))).toEqual({ atOnce: 2, later: 3 });
  });

  it('is an answer to a request with Authorization, unless it is public', async () => {
    const as = { authorization: 'Bearer secret' };
    expect(await asksFor(fresh(), 1_000, as)).toEqual({ atOnce: 2, later: 3 });
    const open = fresh({ 'cache-control': 'public, max-age=60' });
    expect(await asksFor(open, 1_000, as)).toEqual({ atOnce: 1, later: 1 });
  });

  it('is an answer to POST, PUT or DELETE', async () => {
    const { ask, asked } = await outgoing(fresh());
    for (const method of ['POST', 'PUT', 'DELETE'] as const) {
      await ask('/', { method });
      await ask('/', { method });
    }
    expect(asked).toHaveLength(6);
  });

  it('is a server error', async () => {
    const { get, asked, figures } = await outgoing(fresh({}, 500));
    await get();
    expect(await get()).toMatchObject({ status: 500, body: 'answer 2' });
    expect(asked).toHaveLength(2);
    expect(figures()).toMatchObject({ failures: 2, entries: 0 });
  });

  it('is what a request with no-store asks for, and it is not asked for what is kept', async () => {
    const { get, asked } = await outgoing(fresh());
    await get('/', { 'cache-control': 'no-store' });
    await get();
    expect((await get('/', { 'cache-control': 'no-store' })).body).toBe('answer 3');
    expect((await get()).body).toBe('answer 2');
    expect(asked).toHaveLength(3);
  });

  it('is a range, which is not taken for the whole either', async () => {
    const { get, asked } = await outgoing(({ headers }) =>
      headers.range === undefined
        ? { headers: { 'cache-control': 'max-age=60' }, body: 'whole' }
        : {
            status: 206,
            headers: { 'cache-control': 'max-age=60', 'content-range': 'bytes 0-0/5' },
            body: 'w',
          },
    );
    const range = { range: 'bytes=0-0' };
    expect(await get('/', range)).toMatchObject({ status: 206, body: 'w' });
    expect(await get()).toMatchObject({ status: 200, body: 'whole' });
    expect(await get('/', range)).toMatchObject({ status: 206, body: 'w' });
    expect(await get()).toMatchObject({ status: 200, body: 'whole' });
    expect(asked).toHaveLength(3);
  });

  it('is the answer of an origin that is not among `origins`', async () => {
    const { get, asked } = await outgoing(fresh(), { origins: ['https://api.example.com'] });
    await get();
    await get();
    expect(asked).toHaveLength(2);
  });
});

describe('a private cache', () => {
  it('keeps what is for one user, by cookie and by token', async () => {
    const { get, asked } = await outgoing(
      ({ headers }) => ({
        headers: { 'cache-control': 'private, max-age=60' },
        body: `for ${headers.cookie}`,
      }),
      { type: 'private' },
    );
    for (let i = 0; i < 2; i++) {
      expect((await get('/me', { cookie: 'ada' })).body).toBe('for ada');
      expect((await get('/me', { cookie: 'bob' })).body).toBe('for bob');
      expect((await get('/me')).body).toBe('for undefined');
    }
    expect(asked).toHaveLength(3);
  });

  it('gives nobody what was kept for another token', async () => {
    const { get } = await outgoing(
      ({ headers }) => ({
        headers: { 'cache-control': 'public, max-age=60' },
        body: `for ${headers.authorization}`,
      }),
      { type: 'private' },
    );
    expect((await get('/me', { authorization: 'a' })).body).toBe('for a');
    expect((await get('/me', { authorization: 'b' })).body).toBe('for b');
    expect((await get('/me')).body).toBe('for undefined');
  });
});

describe('Vary', () => {
  const byLanguage: Origin = ({ headers }) => ({
    headers: { 'cache-control': 'max-age=60', vary: 'Accept-Language' },
    body: `in ${headers['accept-language']}`,
  });

  it('keeps several answers of one address, and gives each to those it is for', async () => {
    const { get, asked } = await outgoing(byLanguage);
    const all = async () => {
      expect((await get('/', { 'accept-language': 'de' })).body).toBe('in de');
      expect((await get('/', { 'accept-language': 'en' })).body).toBe('in en');
      expect((await get('/')).body).toBe('in undefined');
    };
    await all();
    // The first of them was kept before it was known that there are several.
    await all();
    expect(asked.length).toBeLessThanOrEqual(4);
    const before = asked.length;
    await all();
    expect(asked).toHaveLength(before);
  });

  it('gives those who ask at the same time each their own', async () => {
    const { get } = await outgoing(byLanguage);
    const languages = ['de', 'en', 'fr', 'de', 'en'];
    const got = await Promise.all(languages.map((language) => get('/', { 'accept-language': language })));
    expect(got.map(({ body }) => body)).toEqual(languages.map((language) => `in ${language}`));
  });

  it('that names a header which everybody sends alike costs nothing', async () => {
    const { get, asked } = await outgoing(fresh({ vary: 'Accept-Encoding, Origin' }));
    for (let i = 0; i < 3; i++) await get('/', { 'accept-encoding': 'gzip' });
    expect(asked).toHaveLength(1);
  });

  it('forgets all answers of the address together', async () => {
    const { get, ask, asked } = await outgoing(byLanguage);
    for (let i = 0; i < 2; i++) for (const it of ['de', 'en']) await get('/', { 'accept-language': it });
    await ask('/', { method: 'POST' });
    const before = asked.length;
    await get('/', { 'accept-language': 'de' });
    await get('/', { 'accept-language': 'en' });
    expect(asked).toHaveLength(before + 2);
  });
});

describe('validators', () => {
  it('make a stale answer fresh again by a 304, without its body being sent', async () => {
    const { get, asked, advance, figures } = await outgoing(({ headers }) =>
      headers['if-none-match'] === '"one"'
        ? { status: 304, headers: { etag: '"one"', 'cache-control': 'max-age=60', 'x-seen': 'again' } }
        : { headers: { etag: '"one"', 'cache-control': 'max-age=60' }, body: 'the body' },
    );
    await get();
    advance(61_000);
    const confirmed = await get();
    expect(confirmed).toMatchObject({ status: 200, body: 'the body' });
    expect(confirmed.headers).toMatchObject({ 'x-seen': 'again' });
    advance(30_000);
    expect((await get()).headers.age).toBe('30');
    expect(asked).toHaveLength(2);
    expect(figures()).toMatchObject({ hits: 1, misses: 2, loads: 2, entries: 1 });
  });

  it('make it fresh again by its date, too', async () => {
    const modified = new Date(0).toUTCString();
    const { get, asked, advance } = await outgoing(({ headers }) =>
      headers['if-modified-since'] === modified
        ? { status: 304 }
        : { headers: { 'last-modified': modified, 'cache-control': 'max-age=60' }, body: 'the body' },
    );
    await get();
    advance(61_000);
    expect((await get()).body).toBe('the body');
    advance(59_000);
    expect((await get()).body).toBe('the body');
    expect(asked).toHaveLength(2);
  });

  it('bring the new answer in place of the old one where it has changed', async () => {
    const { get, asked, advance } = await outgoing(
      inTurn(
        { headers: { etag: '"one"', 'cache-control': 'max-age=60' }, body: 'one' },
        { headers: { etag: '"two"', 'cache-control': 'max-age=60' }, body: 'two' },
      ),
    );
    await get();
    advance(61_000);
    expect((await get()).body).toBe('two');
    expect((await get()).body).toBe('two');
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['no-cache', 'no-cache'],
    ['max-age=0', 'max-age=0, must-revalidate'],
  ])('are asked at every use of an answer with %s', async (_name, cacheControl) => {
    const { get, asked, advance } = await outgoing(({ headers }) => ({
      status: headers['if-none-match'] === '"one"' ? 304 : 200,
      headers: { etag: '"one"', 'cache-control': cacheControl },
      body: headers['if-none-match'] === '"one"' ? '' : 'the body',
    }));
    for (let i = 0; i < 3; i++) {
      expect(await get()).toMatchObject({ status: 200, body: 'the body' });
      advance(1_000);
    }
    expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"one"', '"one"']);
  });

  it('are asked when the request says no-cache, and the answer is fresh again for others', async () => {
    const { get, asked, advance } = await outgoing(({ headers }) => ({
      status: headers['if-none-match'] === '"one"' ? 304 : 200,
      headers: { etag: '"one"', 'cache-control': 'max-age=60' },
      body: headers['if-none-match'] === '"one"' ? '' : 'the body',
    }));
    await get();
    advance(40_000);
    expect((await get('/', { 'cache-control': 'no-cache' })).body).toBe('the body');
    advance(40_000);
    expect((await get()).body).toBe('the body');
    expect(asked).toHaveLength(2);
  });

  it('of the caller are answered to the caller', async () => {
    const { get } = await outgoing(({ headers }) =>
      headers['if-none-match'] === '"mine"'
        ? { status: 304, headers: { etag: '"mine"' } }
        : { headers: { etag: '"mine"', 'cache-control': 'max-age=60' }, body: 'x' },
    );
    expect((await get('/', { 'if-none-match': '"mine"' })).status).toBe(304);
    expect(await get()).toMatchObject({ status: 200, body: 'x' });
  });

  it('that confirm another answer than the one that is kept bring the whole one', async () => {
    const { get, asked, advance } = await outgoing(
      inTurn(
        { headers: { etag: '"one"', 'cache-control': 'max-age=60' }, body: 'one' },
        { status: 304, headers: { etag: '"two"' } },
        { headers: { etag: '"two"', 'cache-control': 'max-age=60' }, body: 'two' },
      ),
    );
    await get();
    advance(61_000);
    expect((await get()).body).toBe('two');
    expect((await get()).body).toBe('two');
    expect(asked).toHaveLength(3);
  });
});

describe('stale-while-revalidate', () => {
  const cacheControl = 'max-age=60, stale-while-revalidate=30';

  it('serves the old answer at once, to everybody, while one request fetches the new one', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, asked, advance, cache, figures } = await outgoing(origin);
    const first = get();
    await come(1);
    give(0, { headers: { 'cache-control': cacheControl }, body: 'old' });
    await first;
    advance(61_000);
    const got = await Promise.all([get(), get(), get()]);
    expect(got.map(({ body }) => body)).toEqual(['old', 'old', 'old']);
    await come(2);
    const loaded = new Promise((resolve) => cache.on('loaded', resolve));
    give(1, { headers: { 'cache-control': cacheControl }, body: 'new' });
    await loaded;
    expect((await get()).body).toBe('new');
    expect(asked).toHaveLength(2);
    expect(figures().stale).toMatchObject({ revalidating: 3, failed: 0 });
  });

  it.each(['must-revalidate', 'no-cache', 'proxy-revalidate', 's-maxage=60'])(
    'serves nobody who waits what says %s',
    async (said) => {
      const { origin, come, give } = heldOrigin();
      const { get, advance } = await outgoing(origin);
      const headers = { 'cache-control': `${cacheControl}, ${said}`, etag: '"old"' };
      const first = get();
      await come(1);
      give(0, { headers, body: 'old' });
      await first;
      advance(61_000);
      const all = [get(), get(), get()];
      await come(2);
      give(1, { headers: { 'cache-control': 'max-age=60' }, body: 'new' });
      expect((await Promise.all(all)).map(({ body }) => body)).toEqual(['new', 'new', 'new']);
    },
  );

  it('ends with its time', async () => {
    const { get, advance } = await outgoing(fresh({ 'cache-control': cacheControl }));
    await get();
    advance(91_000);
    expect((await get()).body).toBe('answer 2');
  });

  it('I2: serves nothing from before an invalidation', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, advance, cache } = await outgoing(origin);
    const first = get();
    await come(1);
    give(0, { headers: { 'cache-control': cacheControl }, body: 'old' });
    await first;
    advance(61_000);
    expect((await get()).body).toBe('old');
    await come(2);
    cache.invalidate('api:*');
    const after = get();
    await come(3);
    give(2, { body: 'new' });
    expect((await after).body).toBe('new');
    give(1, { body: 'void' });
    expect((await get()).body).toBe('new');
  });
});

describe('stale-if-error', () => {
  const kept = {
    headers: { 'cache-control': 'max-age=60, stale-if-error=600' },
    body: 'old',
  };

  it('serves the old answer when the origin fails, and counts the failure', async () => {
    const { get, asked, advance, figures } = await outgoing(inTurn(kept, { status: 503 }));
    await get();
    advance(61_000);
    expect(await get()).toMatchObject({ status: 200, body: 'old' });
    expect(asked).toHaveLength(2);
    expect(figures()).toMatchObject({ failures: 1, stale: { failed: 1, revalidating: 0 } });
  });

  it('serves it when the connection breaks', async () => {
    const { get, advance } = await outgoing((_asked, call, response) => {
      if (call === 1) return kept;
      response.destroy();
      return undefined;
    });
    await get();
    advance(61_000);
    expect(await get()).toMatchObject({ status: 200, body: 'old' });
  });

  it('is given for staleIfErrorMs where the origin does not say, and what must be revalidated never', async () => {
    const told = (cacheControl: string) =>
      outgoing(inTurn({ headers: { 'cache-control': cacheControl }, body: 'old' }, { status: 503 }), {
        staleIfErrorMs: 600_000,
      });
    const silent = await told('max-age=60');
    await silent.get();
    silent.advance(659_000);
    expect(await silent.get()).toMatchObject({ status: 200, body: 'old' });
    silent.advance(2_000);
    expect((await silent.get()).status).toBe(503);
    const says = await told('max-age=60, stale-if-error=10');
    await says.get();
    says.advance(71_000);
    expect((await says.get()).status).toBe(503);
    const forbids = await told('max-age=60, must-revalidate');
    await forbids.get();
    forbids.advance(61_000);
    expect((await forbids.get()).status).toBe(503);
  });

  it('ends with its time, and is not given where it is not said', async () => {
    const ended = await outgoing(inTurn(kept, { status: 503 }));
    await ended.get();
    ended.advance(661_000);
    expect((await ended.get()).status).toBe(503);
    const without = await outgoing(inTurn({ headers: { 'cache-control': 'max-age=60' } }, { status: 503 }));
    await without.get();
    without.advance(61_000);
    expect((await without.get()).status).toBe(503);
    expect(without.figures()).toMatchObject({ failures: 1, stale: { failed: 0 } });
  });
});

describe('what a request says', () => {
  it('max-age=0 asks the origin again', async () => {
    const { get } = await outgoing(fresh());
    await get();
    expect((await get('/', { 'cache-control': 'max-age=0' })).body).toBe('answer 2');
    expect((await get()).body).toBe('answer 2');
  });

  it('max-stale leaves no load behind, whoever asks at the same time', async () => {
    const { get, asked, advance, cache, figures } = await outgoing(fresh());
    await get();
    advance(90_000);
    const stale = { 'cache-control': 'max-stale' };
    const got = await Promise.all([get('/', stale), get('/', stale), get(), get('/', stale)]);
    expect([got[0]?.body, got[1]?.body, got[3]?.body]).toEqual(['answer 1', 'answer 1', 'answer 1']);
    expect(got[2]?.body).toBe('answer 2');
    expect(asked).toHaveLength(2);
    expect((await get('/', stale)).body).toBe('answer 2');
    expect(cache.stats().loading).toBe(0);
    expect(figures()).toMatchObject({ failures: 0, entries: 1 });
  });

  it('only-if-cached never asks the origin', async () => {
    const { get, asked } = await outgoing(fresh());
    const only = { 'cache-control': 'only-if-cached' };
    expect((await get('/', only)).status).toBe(504);
    expect(asked).toHaveLength(0);
    await get();
    expect(await get('/', only)).toMatchObject({ status: 200, body: 'answer 1' });
    expect(asked).toHaveLength(1);
  });
});

describe('an unsafe request', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'invalidates its address when %s succeeds',
    async (method) => {
      const { get, ask } = await outgoing(fresh());
      await get('/items');
      await ask('/items', { method });
      expect((await get('/items')).body).toBe('answer 3');
    },
  );

  it('invalidates what Location and Content-Location name, at the same origin', async () => {
    const { get, ask, asked } = await outgoing(({ method }) =>
      method === 'POST'
        ? { status: 201, headers: { location: '/items/1', 'content-location': '/items/2' } }
        : { headers: { 'cache-control': 'max-age=60' } },
    );
    const paths = ['/items', '/items/1', '/items/2', '/others'];
    for (const path of paths) await get(path);
    await ask('/items', { method: 'POST' });
    asked.length = 0;
    for (const path of paths) await get(path);
    expect(asked.map(({ path }) => path)).toEqual(['/items', '/items/1', '/items/2']);
  });

  it('invalidates nothing when it fails', async () => {
    const { get, ask } = await outgoing(({ method }, call) =>
      method === 'POST'
        ? { status: 400 }
        : { headers: { 'cache-control': 'max-age=60' }, body: `answer ${call}` },
    );
    await get();
    await ask('/', { method: 'POST' });
    expect((await get()).body).toBe('answer 1');
  });

  it('I2: keeps the answer out that was under way', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, ask } = await outgoing(origin);
    const early = get();
    await come(1);
    const post = ask('/', { method: 'POST' });
    await come(2);
    give(1);
    await post;
    give(0, { body: 'before' });
    expect((await early).body).toBe('before');
    const late = get();
    await come(3);
    give(2, { body: 'after' });
    expect((await late).body).toBe('after');
  });
});

describe('HEAD', () => {
  it('is kept by itself, and is not taken for GET', async () => {
    const { ask, get, asked } = await outgoing(fresh({ 'content-length': '8' }));
    const head = await ask('/', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '8' } });
    expect(await ask('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect(asked).toHaveLength(1);
    expect((await get()).body).toBe('answer 2');
  });
});

describe('the same request, many times at once', () => {
  it('I3: goes to the origin once; the others wait for its answer', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, asked, figures } = await outgoing(origin);
    const all = Array.from({ length: 20 }, () => get('/items'));
    await come(1);
    give(0, { body: 'one for all' });
    expect(new Set((await Promise.all(all)).map(({ body }) => body))).toEqual(new Set(['one for all']));
    expect(asked).toHaveLength(1);
    expect(figures()).toMatchObject({ misses: 20, joined: 19, loads: 1, entries: 1 });
  });

  it('goes once to validate an answer that has become stale', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, asked, advance } = await outgoing(origin);
    const headers = { etag: '"one"', 'cache-control': 'max-age=60' };
    const first = get();
    await come(1);
    give(0, { headers, body: 'the body' });
    await first;
    advance(61_000);
    const all = Array.from({ length: 20 }, () => get());
    await come(2);
    give(1, { status: 304, headers });
    expect(new Set((await Promise.all(all)).map(({ body }) => body))).toEqual(new Set(['the body']));
    expect(asked).toHaveLength(2);
  });

  it('goes once for each where the answer may not be shared, as soon as that is known', async () => {
    const { origin, come, give, response } = heldOrigin();
    const { get } = await outgoing(origin);
    const all = [get(), get(), get()];
    await come(1);
    // Its head alone: nobody waits for the body.
    response(0).writeHead(200, { 'cache-control': 'no-store' }).write('1');
    await come(3);
    give(1, { headers: { 'cache-control': 'no-store' }, body: '2' });
    give(2, { headers: { 'cache-control': 'no-store' }, body: '3' });
    response(0).end();
    expect((await Promise.all(all)).map(({ body }) => body).sort()).toEqual(['1', '2', '3']);
  });

  it('goes once more when the first of them fails', async () => {
    const { origin, come, give, response } = heldOrigin();
    const { get } = await outgoing(origin);
    const first = get();
    await come(1);
    const second = get();
    response(0).destroy();
    await expect(first).rejects.toThrow();
    await come(2);
    give(1, { body: 'works' });
    expect((await second).body).toBe('works');
    expect((await get()).body).toBe('works');
  });

  it('waits no longer than maxWaitMs, and after that nobody waits for the slow one', async () => {
    const { origin, come, give } = heldOrigin();
    const { get } = await outgoing(origin, { maxWaitMs: 0 });
    const slow = get();
    await come(1);
    const quick = get();
    await come(2);
    give(1, { body: 'quick' });
    expect((await quick).body).toBe('quick');
    const next = get();
    await come(3);
    give(2, { body: 'next' });
    expect((await next).body).toBe('next');
    give(0, { body: 'slow' });
    expect((await slow).body).toBe('slow');
  });

  it('lets who waits give up at once', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, ask, asked } = await outgoing(origin);
    const first = get();
    await come(1);
    const giveUp = new AbortController();
    const second = ask('/', { signal: giveUp.signal });
    giveUp.abort();
    await expect(second).rejects.toThrow('aborted');
    give(0, { body: 'one' });
    expect((await first).body).toBe('one');
    expect(asked).toHaveLength(1);
  });

  it('I2: does not wait for an answer from before an invalidation', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, cache } = await outgoing(origin);
    const before = get();
    await come(1);
    cache.invalidate('api:*');
    const after = get();
    await come(2);
    give(0, { body: 'before' });
    give(1, { body: 'after' });
    expect((await before).body).toBe('before');
    expect((await after).body).toBe('after');
    expect((await get()).body).toBe('after');
  });

  it('fetches anew for who waited for a load that was invalidated meanwhile', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, cache } = await outgoing(origin, { tags: ['weather'] });
    const first = get();
    await come(1);
    cache.invalidate({ tag: 'other' });
    const second = get();
    cache.invalidate({ tag: 'weather' });
    give(0, { body: 'before' });
    expect((await first).body).toBe('before');
    await come(2);
    give(1, { body: 'after' });
    expect((await second).body).toBe('after');
    expect((await get()).body).toBe('after');
  });
});
