/** Who may use the agent, where its answers lie in the cache, and what happens when the cache is no help. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REST } from '@discordjs/rest';
import { Agent, getGlobalDispatcher, interceptors, setGlobalDispatcher, fetch as undiciFetch } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TierPolicy } from '../../src/cache/tiers/tier.ts';
import { type CachingAgentOptions, cachingAgent } from '../../src/http/caching-agent.ts';
import { apiPattern } from '../../src/http/outgoing-key.ts';
import { silentLogger } from '../../src/logger.ts';
import { bench, tierOf, tiers } from '../cache/support.ts';
import { ask, heldOrigin, type Origin, outgoing, startOrigin } from './origin.ts';

const counted: Origin = (_asked, call) => ({
  headers: { 'cache-control': 'max-age=60', 'content-type': 'application/json' },
  body: JSON.stringify({ call }),
});

describe('the agent', () => {
  it("serves Node's own fetch", async () => {
    const { url, agent, asked } = await outgoing(counted);
    // Node's types of fetch are those of an older undici.
    const init = { dispatcher: agent } as unknown as RequestInit;
    expect(await (await fetch(url, init)).json()).toEqual({ call: 1 });
    const kept = await fetch(url, init);
    expect(await kept.json()).toEqual({ call: 1 });
    expect(kept.headers.get('age')).toBe('0');
    expect(asked).toHaveLength(1);
  });

  it("serves undici's fetch", async () => {
    const { url, agent, asked } = await outgoing(counted);
    for (let i = 0; i < 2; i++) {
      expect(await (await undiciFetch(url, { dispatcher: agent })).json()).toEqual({ call: 1 });
    }
    expect(asked).toHaveLength(1);
  });

  it('may be the dispatcher of the whole process', async () => {
    const { url, agent, asked } = await outgoing(counted);
    const before = getGlobalDispatcher();
    onTestFinished(() => setGlobalDispatcher(before));
    setGlobalDispatcher(agent);
    for (let i = 0; i < 2; i++) expect(await (await fetch(url)).json()).toEqual({ call: 1 });
    expect(asked).toHaveLength(1);
  });

  it('serves a 304 to fetch as the whole answer', async () => {
    const { url, agent, asked, advance } = await outgoing(({ headers }) => ({
      status: headers['if-none-match'] === '"1"' ? 304 : 200,
      headers: { 'cache-control': 'max-age=60', etag: '"1"' },
      body: headers['if-none-match'] === '"1"' ? '' : 'the body',
    }));
    const init = { dispatcher: agent } as unknown as RequestInit; // as above
    await (await fetch(url, init)).text();
    advance(61_000);
    const confirmed = await fetch(url, init);
    expect(confirmed.status).toBe(200);
    expect(await confirmed.text()).toBe('the body');
    expect(asked).toHaveLength(2);
  });

  it('serves the REST of discord.js', async () => {
    const { url, agent, asked } = await outgoing(counted);
    const rest = new REST({ api: url }).setAgent(agent as unknown as Parameters<REST['setAgent']>[0]);
    for (let i = 0; i < 2; i++) expect(await rest.get('/gateway', { auth: false })).toEqual({ call: 1 });
    expect(asked).toHaveLength(1);
    rest.clearHandlerSweeper();
    rest.clearHashSweeper();
  });

  it("keeps nothing of Discord's own answers, which say nothing of caching and are for one bot alone", async () => {
    const { url, agent, asked, cache } = await outgoing(
      (_asked, call) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify({ call }) }),
      { defaultTtlMs: 60_000 },
    );
    const rest = new REST({ api: url })
      .setToken('token')
      .setAgent(agent as unknown as Parameters<REST['setAgent']>[0]);
    expect(await rest.get('/users/@me')).toEqual({ call: 1 });
    expect(await rest.get('/users/@me')).toEqual({ call: 2 });
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(['Bot token', 'Bot token']);
    expect(cache.stats().total.entries).toBe(0);
    rest.clearHandlerSweeper();
    rest.clearHashSweeper();
  });

  it('goes through a dispatcher of your own, whose redirects are followed', async () => {
    const own = new Agent().compose(interceptors.redirect({ maxRedirections: 1 }));
    const { get, asked } = await outgoing(
      ({ path }) =>
        path === '/from'
          ? { status: 301, headers: { location: '/to', 'cache-control': 'max-age=60' } }
          : { headers: { 'cache-control': 'max-age=60' }, body: 'here' },
      { dispatcher: own },
    );
    for (let i = 0; i < 2; i++) expect((await get('/from')).body).toBe('here');
    expect(asked.map(({ path }) => path)).toEqual(['/from', '/to']);
  });

  it('refuses options that make no sense', () => {
    const { cache } = bench();
    expect(() => cachingAgent(cache, { maxTtlMs: -1 })).toThrow('maxTtlMs is -1');
    expect(() => cachingAgent(cache, { maxEntryBytes: 1.5 })).toThrow('maxEntryBytes is 1.5');
    expect(() => cachingAgent(cache, { maxWaitMs: Number.NaN })).toThrow('maxWaitMs is NaN');
    expect(() => cachingAgent(cache, { tier: 'nobody' })).toThrow('there are config, reference, user, query');
    expect(() => cachingAgent(cache, { type: 'public' as 'shared' })).toThrow('"shared" or "private"');
    for (const [given, told] of [
      [{ origins: 'https://x' }, "origins is a text, expected a list: origins: ['https://api.example.com']"],
      [{ origins: /x/ }, 'expected a list'],
      [{ origins: [7] }, 'origins holds a number'],
      [{ origins: ['https://x.example/'] }, "write 'https://x.example'"],
      [{ origins: ['https://x.example/v1'] }, "write 'https://x.example'"],
      [{ origins: ['x.example'] }, 'is no origin'],
      [{ origins: [] }, 'origins is empty, so that nothing is cached'],
      [{ maxTtlMs: '5' }, 'maxTtlMs is a text; it is a number from 0 up'],
      [{ tags: 'weather' }, 'tags is a text, expected a list'],
      [{ tags: [7] }, 'tags holds a number'],
      [{ dispatcher: {} }, 'dispatcher is an empty object'],
      [{ logger: {} }, 'logger is an empty object without debug'],
    ] as const) {
      expect(() => cachingAgent(cache, given as unknown as CachingAgentOptions)).toThrow(told);
    }
    const misspelt = { maxTtl: 5 } as CachingAgentOptions;
    expect(() => cachingAgent(cache, misspelt)).toThrow(
      'no option "maxTtl" (times are given in milliseconds, as maxTtlMs)',
    );
  });
});

describe('in the cache', () => {
  it('an answer lies under api, its origin, and its method and path', async () => {
    const { url, get, cache } = await outgoing(counted);
    await get('/v1/items/42');
    const { port } = new URL(url);
    expect(cache.keys('api', 9)).toEqual([`api::http%3A//127.0.0.1%3A${port}::GET /v1/items/42`]);
  });

  it('no secret is part of a key: neither queries nor what is as long as a token', async () => {
    const { get, cache } = await outgoing(counted);
    await get('/items?key=secret-1');
    await get('/items?key=secret-2');
    await get(`/webhooks/1/${'secret'.repeat(12)}/messages`);
    const keys = cache.keys('api', 9);
    expect(keys).toHaveLength(3);
    expect(keys.join()).not.toContain('secret');
  });

  it('different addresses never share a key', async () => {
    const { get, asked } = await outgoing(counted);
    const paths = ['/a', '/a?b', '/a%3Fb', '/a/b', '/a%2Fb', '/a::b', '/a*', '/A', '/a/'];
    for (let i = 0; i < 2; i++) for (const path of paths) await get(path);
    expect(asked).toHaveLength(paths.length);
  });

  it('it shows in the statistics, in bytes, with its lookups and its load', async () => {
    const { get, figures } = await outgoing(counted);
    for (let i = 0; i < 5; i++) await get();
    expect(figures()).toMatchObject({ lookups: 5, hits: 4, misses: 1, loads: 1, fills: 1, entries: 1 });
    expect(figures().weightBytes).toBeGreaterThan(100);
    expect(figures().loadTimes?.count).toBe(1);
  });

  it('it belongs to the tier that is named, else to that of `api`', async () => {
    const { cache } = bench();
    const { url } = await startOrigin(counted);
    const agent = cachingAgent(cache, { tier: 'reference' });
    onTestFinished(() => agent.close());
    await ask(agent, url);
    expect(cache.stats().tiers.find(({ tier }) => tier === 'reference')?.entries).toBe(1);
  });

  it('it leaves by pattern, by origin and path, and by tag', async () => {
    const { url, get, cache, asked } = await outgoing(counted, { tags: ['weather'] });
    const asks = async (forget: () => void) => {
      for (const path of ['/a/1', '/a/2', '/b']) await get(path);
      asked.length = 0;
      forget();
      for (const path of ['/a/1', '/a/2', '/b']) await get(path);
      return asked.map(({ path }) => path);
    };
    const all = ['/a/1', '/a/2', '/b'];
    expect(await asks(() => cache.invalidate('api:*'))).toEqual(all);
    expect(await asks(() => cache.invalidate({ tag: 'weather' }))).toEqual(all);
    expect(await asks(() => cache.invalidate(apiPattern(url)))).toEqual(all);
    expect(await asks(() => cache.invalidate(apiPattern(url, '/a/*')))).toEqual(['/a/1', '/a/2']);
    expect(await asks(() => cache.invalidate(apiPattern(url, '/b')))).toEqual(['/b']);
    expect(await asks(() => cache.invalidate(apiPattern('http://elsewhere.example')))).toEqual([]);
  });

  it('what somebody else put under its key is not taken for an answer', async () => {
    const { get, cache } = await outgoing(counted);
    await get();
    const [key = ''] = cache.keys('api', 1);
    for (const odd of [null, 'text', { form: 'answer' }, { form: 'answer', text: '', headers: {} }]) {
      cache.set(key, odd);
      expect((await get()).status).toBe(200);
    }
  });
});

describe('on disk', () => {
  it('I9: an answer outlives the process, and is validated before it is believed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cachecord-agent-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { url, asked } = await startOrigin(({ headers }) => ({
      status: headers['if-none-match'] === '"1"' ? 304 : 200,
      headers: { 'cache-control': 'max-age=60', etag: '"1"' },
      body: headers['if-none-match'] === '"1"' ? '' : 'the body',
    }));
    for (let process = 1; process <= 2; process++) {
      const { cache } = bench({
        tiers: [...tiers, tierOf('api', ['api'], { persist: 'on_change', graceMs: 60_000 })],
        disk: { path: join(folder, 'cache.db') },
      });
      const agent = cachingAgent(cache, { logger: silentLogger });
      for (let i = 0; i < 2; i++)
        expect(await ask(agent, url)).toMatchObject({ status: 200, body: 'the body' });
      await agent.close();
      await cache.stop();
    }
    expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"']);
  });
});

describe('the policies of its tier', () => {
  const withPolicy = (policy: Partial<TierPolicy>) => ({ tiers: [...tiers, tierOf('api', ['api'], policy)] });

  it('compress what is kept, if they say so', async () => {
    const body = 'the same again and again '.repeat(400);
    const origin: Origin = () => ({ headers: { 'cache-control': 'max-age=60' }, body });
    const { get, asked, figures } = await outgoing(origin, {}, withPolicy({ compressAboveBytes: 1_000 }));
    for (let i = 0; i < 3; i++) expect((await get()).body).toBe(body);
    expect(asked).toHaveLength(1);
    expect(figures().weightBytes).toBeLessThan(body.length / 2);
  });

  it('end a load that takes too long, and not its request', async () => {
    const { origin, come, give } = heldOrigin();
    const { get, clock, figures } = await outgoing(origin, {}, withPolicy({ hardTimeoutMs: 1_000 }));
    const slow = get();
    await come(1);
    clock.advance(1_001);
    const next = get();
    await come(2);
    give(0, { body: 'slow' });
    expect((await slow).body).toBe('slow');
    give(1, { body: 'next' });
    expect((await next).body).toBe('next');
    expect((await get()).body).toBe('next');
    expect(figures()).toMatchObject({ timeouts: 1, entries: 1 });
  });

  it('neither shorten nor lengthen what the origin says', async () => {
    const policy = { ttlMs: 1, jitterRatio: 1, staleWhileRevalidateMs: 60_000, refreshAheadRatio: 0.1 };
    const { get, asked, advance } = await outgoing(counted, {}, withPolicy(policy));
    await get();
    advance(59_000);
    await get();
    expect(asked).toHaveLength(1);
    advance(2_000);
    expect((await get()).body).toBe('{"call":2}');
  });
});

describe('I4: a request works as without the agent', () => {
  it('when the cache is off', async () => {
    const { get, asked } = await outgoing(counted, {}, { enabled: false });
    await get();
    expect((await get()).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('when the cache has been stopped', async () => {
    const { get, cache, asked } = await outgoing(counted);
    await get();
    await cache.stop();
    expect((await get()).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it('when the cache is stopped while it is under way', async () => {
    const { url } = await startOrigin(counted);
    const { cache } = bench({ tiers: [...tiers, tierOf('api', ['api'])] });
    const agent = cachingAgent(cache, { logger: silentLogger });
    onTestFinished(() => agent.close());
    const asking = ask(agent, url);
    await cache.stop();
    expect((await asking).status).toBe(200);
  });

  it('when the cache fails', async () => {
    const { cache } = bench();
    const { url, asked } = await startOrigin(counted);
    const warnings: unknown[] = [];
    const failing = () => {
      throw new Error('The cache is broken.');
    };
    // A cache whose every way in is broken, as none of ours is.
    const broken = new Proxy(cache, {
      get: (target, name) =>
        ['has', 'get', 'getOrLoad', 'inspect', 'invalidate'].includes(String(name))
          ? failing
          : Reflect.get(target, name, target),
    });
    const agent = cachingAgent(broken, {
      logger: { ...silentLogger, warn: (...line: unknown[]) => warnings.push(line) },
    });
    onTestFinished(() => agent.close());
    expect((await ask(agent, url)).status).toBe(200);
    expect((await ask(agent, url, { method: 'POST' })).status).toBe(200);
    expect(asked).toHaveLength(2);
    expect(warnings.length).toBeGreaterThan(0);
  });

  it('an origin that cannot be reached is an error for all who ask, and asked again by the next', async () => {
    const { agent, figures } = await outgoing(counted);
    const nowhere = 'http://127.0.0.1:1';
    const all = await Promise.allSettled([ask(agent, nowhere), ask(agent, nowhere)]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(figures().failures).toBeGreaterThan(0);
    await expect(ask(agent, nowhere)).rejects.toThrow();
  });
});
