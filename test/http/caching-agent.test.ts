/** The caching agent as RFC 9111 wants it: over real HTTP, under clocks that stand still. */
import { describe, expect, it } from 'vitest';
import { type Origin, outgoing } from './origin.ts';

const fresh =
  (headers: Record<string, string> = {}): Origin =>
  (_asked, call) => ({
    headers: { 'cache-control': 'max-age=60', ...headers },
    body: `answer ${call}`,
  });

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
});

describe('Vary', () => {
  it('keeps several answers of one address', async () => {
    const { get, asked } = await outgoing(({ headers }) => ({
      headers: { 'cache-control': 'max-age=60', vary: 'Accept-Language' },
      body: `in ${headers['accept-language']}`,
    }));
    for (let i = 0; i < 3; i++) {
      expect((await get('/', { 'accept-language': 'de' })).body).toBe('in de');
      expect((await get('/', { 'accept-language': 'en' })).body).toBe('in en');
      expect((await get('/')).body).toBe('in undefined');
    }
    expect(asked).toHaveLength(3);
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
});
