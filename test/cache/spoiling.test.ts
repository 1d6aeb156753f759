import { describe, expect, it } from 'vitest';
import { bench, heldLoader } from './support.ts';

/** Plain data, and kinds that cannot be frozen. */
const make = () => ({
  name: 'Ada',
  wallet: { coins: 10, history: [{ at: 1 }, { at: 2 }] },
});
const makeCopied = () => ({
  ...make(),
  bornAt: new Date(0),
  roles: new Set(['vip']),
  counts: new Map([['a', { n: 1 }]]),
  avatar: Buffer.from([1, 2, 3]),
});
type Copied = ReturnType<typeof makeCopied>;

function spoil(value: ReturnType<typeof make>): void {
  value.name = 'Eve';
  value.wallet.coins = 0;
  (value.wallet.history[0] as { at: number }).at = 9;
  value.wallet.history.push({ at: 3 });
}

function spoilCopied(value: Copied): void {
  value.bornAt.setTime(1);
  value.roles.add('admin');
  value.counts.set('b', { n: 2 });
  const first = value.counts.get('a');
  if (first !== undefined && !Object.isFrozen(first)) first.n = 99;
  value.avatar[0] = 255;
  if (!Object.isFrozen(value)) value.name = 'Eve';
  if (!Object.isFrozen(value.wallet)) value.wallet.coins = 0;
}

describe('I6: no caller can change a value for the next one', () => {
  it('plain data is copied for the first caller, who joined, and later ones', async () => {
    const { cache } = bench();
    const loader = heldLoader<ReturnType<typeof make>>();
    const reads = [cache.getOrLoad('user::1', loader.load), cache.getOrLoad('user::1', loader.load)];
    loader.give(make());
    for (const value of await Promise.all(reads)) {
      expect(value).toEqual(make());
      spoil(value);
    }
    spoil(cache.get('user::1') as ReturnType<typeof make>);
    expect(cache.get('user::1')).toEqual(make());
    expect(cache.get('user::1')).not.toBe(cache.get('user::1'));
  });

  it("the loader's own result and what is written are given back as they are, and never frozen", async () => {
    const { cache } = bench();
    const given = Array.from({ length: 5 }, make);
    expect(await cache.getOrLoad('user::1', () => given[0])).toBe(given[0]);
    expect(cache.getOrLoadSync('user::2', () => given[1])).toBe(given[1]);
    cache.set('user::3', given[2]);
    cache.writeSync('user::4', given[3], () => undefined);
    await cache.write('user::5', given[4], async () => undefined);
    for (const value of given) spoil(value as ReturnType<typeof make>);
    for (const id of [1, 2, 3, 4, 5]) expect(cache.get(`user::${id}`)).toEqual(make());
  });

  it('kinds that cannot be frozen are copied for everyone', async () => {
    const { cache } = bench();
    const loader = heldLoader<Copied>();
    const reads = [1, 2, 3].map(() => cache.getOrLoad('user::1', loader.load));
    loader.give(makeCopied());
    for (const value of await Promise.all(reads)) {
      expect(value).toEqual(makeCopied());
      spoilCopied(value);
    }
    for (let times = 0; times < 2; times++) {
      const value = cache.get<Copied>('user::1') as Copied;
      expect(value).toEqual(makeCopied());
      expect(Buffer.isBuffer(value.avatar)).toBe(true);
      spoilCopied(value);
    }
  });

  it('what the loader or the writer keeps hold of cannot reach into the cache', async () => {
    const { cache } = bench();
    const loaded = makeCopied();
    await cache.getOrLoad('user::1', () => loaded);
    const written = makeCopied();
    cache.set('user::2', written);
    const synchronous = makeCopied();
    cache.getOrLoadSync('user::3', () => synchronous);
    const batched = makeCopied();
    await cache.getOrLoadMany(['user::4'], () => new Map([['user::4', batched]]));
    for (const held of [loaded, written, synchronous, batched]) spoilCopied(held);
    for (const id of [1, 2, 3, 4]) expect(cache.get(`user::${id}`)).toEqual(makeCopied());
  });

  it('holds among those who share a load whose value is not kept', async () => {
    const { cache } = bench();
    const loader = heldLoader<Copied>();
    const reads = [1, 2, 3].map(() => cache.getOrLoad('user::1', loader.load, { ttlMs: 0 }));
    cache.invalidate('user::1');
    loader.give(makeCopied());
    for (const read of reads) {
      const value = await read;
      expect(value).toEqual(makeCopied());
      spoilCopied(value);
    }
  });

  it('what was given frozen comes back as a copy that may be changed', () => {
    const { cache } = bench();
    cache.set('user::1', Object.freeze({ inner: Object.freeze({ n: 1 }) }));
    const value = cache.get<{ inner: { n: number } }>('user::1') as { inner: { n: number } };
    value.inner.n = 2;
    expect(cache.get('user::1')).toEqual({ inner: { n: 1 } });
  });

  it('what an expression with named groups has found is served and not kept: its groups could be changed', async () => {
    const { cache } = bench();
    const find = () => 'abc'.match(/(?<found>b)/);
    const first = await cache.getOrLoad('user::1', find);
    if (first?.groups !== undefined) first.groups.found = 'spoilt';
    expect((await cache.getOrLoad('user::1', find))?.groups).toEqual({ found: 'b' });
  });

  it('a field named __proto__ is data like any other', () => {
    const { cache } = bench();
    cache.set('user::1', JSON.parse('{"__proto__": {"admin": true}, "at": 1}'));
    const value = cache.get<object>('user::1') as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect(JSON.stringify(value)).toBe('{"__proto__":{"admin":true},"at":1}');
  });
});
