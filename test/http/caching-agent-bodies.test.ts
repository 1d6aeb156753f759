/** Bodies of other APIs' answers: they stream, what is kept of them is bounded, and a part is never kept. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../../src/cache/values/codec.ts';
import { heldOrigin, type Origin, outgoing } from './origin.ts';

const KEPT = { 'cache-control': 'max-age=60' };
const KIB = 1_024;

describe('a body', () => {
  it('reaches the caller while it is still being sent', async () => {
    const { origin, come, response } = heldOrigin();
    const { url, agent, get } = await outgoing(origin);
    const asking = request(url, { dispatcher: agent });
    await come(1);
    response(0).writeHead(200, KEPT).write('first');
    const { body } = await asking;
    const chunks = body.setEncoding('utf8')[Symbol.asyncIterator]();
    expect((await chunks.next()).value).toBe('first');
    response(0).end('last');
    expect((await chunks.next()).value).toBe('last');
    expect((await chunks.next()).done).toBe(true);
    expect((await get()).body).toBe('firstlast');
  });

  it('of any bytes comes back as it was', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 * KIB }, (_, i) => (i * 7) % 256));
    const { url, agent, asked } = await outgoing(() => ({ headers: KEPT, body: bytes }));
    for (let i = 0; i < 2; i++) {
      const { body } = await request(url, { dispatcher: agent });
      expect(Buffer.compare(Buffer.from(await body.arrayBuffer()), bytes)).toBe(0);
    }
    expect(asked).toHaveLength(1);
  });

  it('that is empty is kept, too', async () => {
    const { get, asked } = await outgoing(() => ({ status: 204, headers: KEPT }));
    await get();
    expect(await get()).toMatchObject({ status: 204, body: '' });
    expect(asked).toHaveLength(1);
  });

  it('that is compressed is kept as it came', async () => {
    const { get, asked } = await outgoing(() => ({
      headers: { ...KEPT, 'content-encoding': 'gzip' },
      body: 'as if compressed',
    }));
    await get();
    const kept = await get();
    expect(kept).toMatchObject({ body: 'as if compressed', headers: { 'content-encoding': 'gzip' } });
    expect(asked).toHaveLength(1);
  });

  it('larger than maxEntryBytes streams through and is not kept, whether its length is told or not', async () => {
    for (const told of [true, false]) {
      const origin: Origin = (_asked, _call, response) => {
        response.writeHead(200, told ? { ...KEPT, 'content-length': 8 * KIB } : KEPT);
        response.write('x'.repeat(4 * KIB));
        response.end('x'.repeat(4 * KIB));
        return undefined;
      };
      const { get, asked, cache, figures } = await outgoing(origin, { maxEntryBytes: 5 * KIB });
      expect((await get()).body).toHaveLength(8 * KIB);
      expect((await get()).body).toHaveLength(8 * KIB);
      expect(asked).toHaveLength(2);
      expect(cache.stats().total.entries).toBe(0);
      expect(figures().refusals['not-wanted']).toBe(2);
    }
  });

  it('exactly as large as maxEntryBytes is kept', async () => {
    const { get, asked } = await outgoing(() => ({ headers: KEPT, body: 'x'.repeat(KIB) }), {
      maxEntryBytes: KIB,
    });
    await get();
    await get();
    expect(asked).toHaveLength(1);
  });

  it('is not collected beyond the bound of the cache', async () => {
    const { get, cache } = await outgoing(
      () => ({ headers: KEPT, body: 'x'.repeat(200 * KIB) }),
      {},
      { maxWeightBytes: 100 * KIB },
    );
    expect((await get()).body).toHaveLength(200 * KIB);
    expect(cache.stats().total).toMatchObject({ entries: 0, refusals: { 'too-large': 0 } });
  });

  it('I5: weighs what it takes, and leaves when there is no more room', async () => {
    const size = 100 * KIB;
    const { get, cache } = await outgoing(
      () => ({ headers: KEPT, body: Buffer.alloc(size, 0xe9) }),
      {},
      { maxWeightBytes: 10 * size },
    );
    await get('/0');
    const { weightBytes } = cache.stats().total;
    expect(weightBytes).toBeGreaterThan(size);
    expect(weightBytes).toBeLessThan(size * 1.1);
    for (let i = 1; i < 20; i++) await get(`/${i}`);
    const { total } = cache.stats();
    expect(total.weightBytes).toBeLessThanOrEqual(10 * size);
    expect(total.removals.evicted).toBeGreaterThan(0);
  });
});

describe('a body that ends too early', () => {
  it('since the origin breaks off, is an error for its caller and not kept', async () => {
    const { origin, come, response, give } = heldOrigin();
    const { url, agent, get, figures } = await outgoing(origin);
    const asking = request(url, { dispatcher: agent });
    await come(1);
    response(0)
      .writeHead(200, { ...KEPT, 'content-length': 100 })
      .write('a part');
    const { body } = await asking;
    response(0).destroy();
    await expect(body.text()).rejects.toThrow();
    expect(figures()).toMatchObject({ entries: 0 });
    const again = get();
    await come(2);
    give(1, { body: 'the whole' });
    expect((await again).body).toBe('the whole');
  });

  it('since the caller wants no more, is not kept, and the next one fetches it', async () => {
    const { origin, come, response, give } = heldOrigin();
    const { url, agent, get, figures } = await outgoing(origin);
    const giveUp = new AbortController();
    const asking = request(url, { dispatcher: agent, signal: giveUp.signal });
    await come(1);
    response(0).writeHead(200, KEPT).write('a part');
    const { body } = await asking;
    giveUp.abort();
    await expect(body.text()).rejects.toThrow();
    expect(figures()).toMatchObject({ entries: 0, failures: 0 });
    const again = get();
    await come(2);
    give(1, { body: 'the whole' });
    expect((await again).body).toBe('the whole');
    expect((await get()).body).toBe('the whole');
  });

  it('is fetched by those who waited for it', async () => {
    const { origin, come, response, give } = heldOrigin();
    const { url, agent, get } = await outgoing(origin);
    const giveUp = new AbortController();
    const asking = request(url, { dispatcher: agent, signal: giveUp.signal });
    await come(1);
    const waiting = get();
    response(0).writeHead(200, KEPT).write('a part');
    const { body } = await asking;
    giveUp.abort();
    await expect(body.text()).rejects.toThrow();
    await come(2);
    give(1, { body: 'the whole' });
    expect((await waiting).body).toBe('the whole');
  });

  it('since its reader stops, holds nobody up who reads the kept one', async () => {
    const { url, agent, get } = await outgoing(() => ({ headers: KEPT, body: 'x'.repeat(500 * KIB) }));
    await get();
    const { body } = await request(url, { dispatcher: agent });
    for await (const _chunk of body) break;
    await nextTurn();
    expect((await get()).body).toHaveLength(500 * KIB);
  });
});

describe('I6: what a caller gets', () => {
  it('is his own', async () => {
    const { url, agent, get } = await outgoing(() => ({
      headers: { ...KEPT, 'x-list': ['a'] },
      body: 'abc',
    }));
    await get();
    const { body, headers } = await request(url, { dispatcher: agent });
    new Uint8Array(await body.arrayBuffer()).fill(0);
    headers['x-list'] = 'spoilt';
    expect(await get()).toMatchObject({ body: 'abc', headers: { 'x-list': 'a' } });
  });
});

describe('on disk', () => {
  it('an answer comes back as it was', async () => {
    const { get, cache } = await outgoing(() => ({
      headers: { ...KEPT, vary: 'Accept', etag: '"1"', 'x-list': ['a', 'b'] },
      body: Buffer.from([0, 1, 127, 128, 255]),
    }));
    await get();
    const [key = ''] = cache.keys('api', 1);
    const kept = cache.get(key);
    expect(kept).toMatchObject({ form: 'answer', vary: { accept: null } });
    expect(decode(encode(kept).bytes)).toEqual(kept);
  });
});
