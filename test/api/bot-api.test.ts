/** The reference bot's HTTP API, over real HTTP and a real shop in memory. */
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createBotApi } from '../../src/api/bot-api.ts';
import { statusRead } from '../../src/api/kept-reads.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import { defineTier } from '../../src/cache/tiers/define-tier.ts';
import type { Logger } from '../../src/logger.ts';
import { silentLogger } from '../../src/logger.ts';
import { type Fixture, MARK, NELLY, newProduct, smallShop, tiers } from '../db/shop-fixture.ts';
import { parseExposition } from '../metrics/exposition.ts';
import { type Client, serve } from '../support/http-client.ts';

let fixture: Fixture;
let get: Client;
let stop: () => void;
let online: boolean;
let hasDatabase: boolean;
const logged: string[] = [];

beforeEach(async () => {
  fixture = smallShop();
  online = true;
  hasDatabase = true;
  logged.length = 0;
  const logger: Logger = { ...silentLogger, error: (message) => void logged.push(message) };
  const api = createBotApi({
    ...fixture,
    logger,
    bot: () => ({ online, guilds: 3 }),
    checkDatabase: () => {
      if (!hasDatabase) throw new Error('gone');
      fixture.db.pragma('user_version');
    },
  });
  stop = api.stop;
  get = await serve(api.handle);
});

afterEach(async () => {
  stop();
  await fixture.end();
});

interface Answer {
  readonly products: readonly { readonly id: number; readonly stock: number | null }[];
  readonly people: readonly object[];
}

const json = async (path: string) => (await (await get(path)).json()) as Answer; // as its test expects it
const stockOf = async (path: string, id: number) =>
  (await json(path)).products.find((product) => product.id === id)?.stock;

describe('GET /api/products', () => {
  it('lists what is for sale, all of it or a category', async () => {
    expect((await json('/api/products')).products).toHaveLength(3);
    expect(await json('/api/products?category=music')).toEqual({
      category: 'music',
      products: [
        {
          id: 3,
          name: 'Late Trains',
          category: 'music',
          subCategory: 'jazz',
          description: 'A game about ships.',
          priceCents: 1_000,
          stock: null,
        },
      ],
    });
  });

  it('is kept in the tier of reference data, and read from the database once', async () => {
    await json('/api/products?category=gaming');
    await json('/api/products?category=gaming');
    const [key = ''] = fixture.cache.keys('api::products', 5);
    expect(fixture.cache.inspect(key)).toMatchObject({ tier: 'reference', hits: 1 });
  });

  it.each(['/api/products', '/api/products?category=gaming'])(
    'shows what a purchase leaves, at once: %s',
    async (path) => {
      const before = await get(path);
      expect(await stockOf(path, 1)).toBe(5);
      expect(fixture.shop.purchase(NELLY, 1, 2).ok).toBe(true);
      expect(await stockOf(path, 1)).toBe(3);
      const etag = before.headers.get('etag') ?? '';
      const after = await get(path, { headers: { 'if-none-match': etag } });
      expect(after.status).toBe(200);
      expect(after.headers.get('etag')).not.toBe(etag);
    },
  );

  it('keeps what a purchase does not change', async () => {
    await json('/api/products?category=music');
    fixture.shop.purchase(NELLY, 1);
    await json('/api/products?category=music');
    const [key = ''] = fixture.cache.keys('api::products', 5);
    expect(fixture.cache.inspect(key)?.hits).toBe(1);
  });

  it('shows new, changed and deleted products at once', async () => {
    await json('/api/products');
    const made = fixture.shop.createProduct(newProduct({ name: 'New Tides' }));
    expect(await stockOf('/api/products', made.id)).toBe(5);
    fixture.shop.updateProduct(made.id, { stock: 9 });
    expect(await stockOf('/api/products', made.id)).toBe(9);
    fixture.shop.deleteProduct(made.id);
    expect(await stockOf('/api/products', made.id)).toBeUndefined();
  });

  it('shows nothing of a purchase that was rolled back', async () => {
    await json('/api/products');
    const roll = fixture.shop.transaction(() => {
      fixture.shop.purchase(NELLY, 1);
      throw new Error('roll back');
    });
    expect(() => roll()).toThrow('roll back');
    expect(await stockOf('/api/products', 1)).toBe(5);
  });

  it('lets a CDN hold it for a moment, and a browser not at all', async () => {
    expect((await get('/api/products')).headers.get('cache-control')).toBe('public, max-age=0, s-maxage=10');
  });

  it('says which categories there are where it knows none of that name, and keeps nothing for it', async () => {
    const response = await get('/api/products?category=gamign');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: 'There is no category "gamign": there are gaming, music.',
    });
    expect(fixture.cache.keys('api', 5)).toEqual([]);
  });
});

describe('GET /api/leaderboard', () => {
  it('tells who has spent most, without their ids, and a purchase at once', async () => {
    expect(await json('/api/leaderboard')).toEqual({ people: [] });
    fixture.shop.updateWallet(MARK, 50_00, 'deposit');
    fixture.shop.purchase(MARK, 3);
    expect(await json('/api/leaderboard')).toEqual({
      people: [{ rank: 1, name: 'Mark', spentCents: 1_000, orders: 1 }],
    });
    fixture.shop.purchase(NELLY, 1);
    expect((await json('/api/leaderboard?limit=1')).people).toMatchObject([{ name: 'Nelly' }]);
    fixture.shop.ensureUser(NELLY, 'Nelly the second');
    expect((await json('/api/leaderboard?limit=1')).people).toMatchObject([{ name: 'Nelly the second' }]);
  });

  it.each(['0', '101', 'ten', '1.5', ''])('refuses a limit of "%s"', async (limit) => {
    const response = await get(`/api/leaderboard?limit=${limit}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: `"limit" is "${limit}": give a whole number from 1 to 100.`,
    });
  });
});

describe('GET /api/status', () => {
  it('tells how the bot is, for five seconds', async () => {
    expect(await json('/api/status')).toMatchObject({ online: true, guilds: 3, products: 3 });
    online = false;
    fixture.clock.advance(4_999);
    const kept = await get('/api/status');
    expect(await kept.json()).toMatchObject({ online: true, startedAt: '2026-06-15T12:00:00.000Z' });
    expect(kept.headers.get('age')).toBe('4');
    expect(kept.headers.get('cache-control')).toBe('public, max-age=5, s-maxage=5');
    fixture.clock.advance(1);
    expect(await json('/api/status')).toMatchObject({ online: false });
  });

  it('is kept as a tier named system_status says, where there is one', async () => {
    const cache = createCache({
      maxWeightBytes: 1_000_000,
      tiers: [...tiers(), defineTier('system_status', { ttlMs: 2_000, jitterRatio: 0 })],
      cleanupIntervalMs: 60_000,
      clock: fixture.clock,
      logger: silentLogger,
    });
    onTestFinished(() => cache.stop());
    let guilds = 3;
    const read = statusRead(cache, fixture.shop, () => ({ online: true, guilds }));
    const status = async () => (await read(new Request('http://localhost/api/status'))).json();
    expect(await status()).toMatchObject({ guilds: 3 });
    guilds = 4;
    fixture.clock.advance(1_999);
    expect(await status()).toMatchObject({ guilds: 3 });
    expect(cache.stats(0).tiers.find(({ tier }) => tier === 'system_status')).toMatchObject({ entries: 1 });
    fixture.clock.advance(1);
    expect(await status()).toMatchObject({ guilds: 4 });
  });

  it('counts a new product at once', async () => {
    await json('/api/status');
    fixture.shop.createProduct(newProduct({ name: 'New Tides' }));
    expect(await json('/api/status')).toMatchObject({ products: 4 });
  });
});

describe('GET /healthz', () => {
  it.each([
    [true, true, 200, 'ok'],
    [false, true, 503, 'failing'],
    [true, false, 503, 'failing'],
  ])('with Discord %s and the database %s is %i', async (discord, database, status, words) => {
    online = discord;
    hasDatabase = database;
    const response = await get('/healthz');
    expect(response.status).toBe(status);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ status: words, discord, database });
  });
});

describe('GET /metrics', () => {
  it('is what Prometheus reads, and counts what the API itself is answered from', async () => {
    await json('/api/products');
    await json('/api/products');
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = parseExposition(await response.text());
    const hits = families.get('cachecord_hits_total')?.series;
    expect(hits?.find(({ labels }) => labels.tier === 'reference')).toMatchObject({
      labels: { tier: 'reference', layer: 'memory' },
      value: 1,
    });
  });
});

describe('an address', () => {
  it('that is not there is answered with those that are', async () => {
    const response = await get('/api/prodcuts');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error:
        'There is nothing at "/api/prodcuts": there is /api/status, /api/products, /api/leaderboard, /healthz, /metrics.',
    });
  });

  it('is only read', async () => {
    const response = await get('/api/products', { method: 'POST', body: '{}' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it.each(['/api/status', '/api/products', '/api/leaderboard', '/healthz', '/metrics', '/nowhere'])(
    'answers HEAD without a body, and nobody may guess its type: %s',
    async (path) => {
      const head = await get(path, { method: 'HEAD' });
      expect(head.status).toBe((await get(path)).status);
      expect(head.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await head.text()).toBe('');
    },
  );

  it.each([
    ['/api/products?catgory=music', 'There is no parameter "catgory": did you mean "category"?'],
    ['/api/products?zzz=1', 'There is no parameter "zzz": this address takes "category".'],
    ['/api/status?a=1', 'There is no parameter "a": leave it out, this address takes none.'],
    ['/api/products?category=a&category=b', '"category" is given twice: give it once.'],
    [
      '/api/leaderboard?limit=1&__proto__=1',
      'There is no parameter "__proto__": this address takes "limit".',
    ],
  ])('refuses a query that makes no sense and says what to do: %s', async (path, error) => {
    const response = await get(path);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ error });
    expect(fixture.cache.stats().namespaces.map(({ namespace }) => namespace)).not.toContain('api');
  });

  it('whose answer fails says so and leaves the reason to the log', async () => {
    fixture.db.close();
    const response = await get('/api/leaderboard');
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error: "That failed, and the bot's log says why: try again later.",
    });
    expect(logged).toEqual(['A request to the HTTP API failed.']);
  });
});
