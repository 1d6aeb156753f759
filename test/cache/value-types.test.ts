/** Classes that an author teaches the cache. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import { createCache } from '../../src/cache/create-cache.ts';
import type { ValueType } from '../../src/cache/values/value-types.ts';
import { bench, tierOf } from './support.ts';

/** As Prisma's: it never changes. */
class Decimal {
  readonly digits: readonly number[];
  constructor(text: string) {
    this.digits = [...text].map(Number);
  }
  plus() {
    return new Decimal('9');
  }
  toString() {
    return this.digits.join('');
  }
}

/** It can be changed. */
class Money {
  cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
}

const decimal: ValueType = {
  type: Decimal,
  copy: 'shared',
  encode: (value: Decimal) => value.toString(),
  decode: (text: string) => new Decimal(text),
};
const money: ValueType = { type: Money, copy: (value: Money) => new Money(value.cents), weigh: () => 40 };

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('a taught class', () => {
  it('whose instances never change is shared by all', async () => {
    const { cache } = bench({ valueTypes: [decimal] });
    const price = new Decimal('12');
    await cache.getOrLoad('products::1', () => ({ price, name: 'a' }));
    const read = cache.get<{ price: Decimal; name: string }>('products::1');
    expect(read?.price).toBe(price);
    expect(read?.price.plus()).toBeInstanceOf(Decimal);
    cache.set('products::2', price);
    expect(cache.get('products::2')).toBe(price);
  });

  it('whose instances can change is copied for each reader, in rows, lists, maps and sets', async () => {
    const { cache } = bench({ valueTypes: [money] });
    const make = () => ({ m: new Money(5), list: [new Money(6)], map: new Map([['a', new Money(7)]]) });
    const given = make();
    await cache.getOrLoad('user::1', () => given);
    given.m.cents = 0;
    for (const _ of [1, 2]) {
      const read = cache.get<ReturnType<typeof make>>('user::1') as ReturnType<typeof make>;
      expect(read).toStrictEqual(make());
      read.m.cents = 0;
      read.list[0] = new Money(0);
      (read.map.get('a') as Money).cents = 0;
    }
  });

  it('is shared within a frozen value where it never changes, else copied into a frozen copy', () => {
    const { cache } = bench({ valueTypes: [decimal, money] });
    const shared = cache.getOrLoadSync('a', () => ({ price: new Decimal('1') }), { values: 'frozen' });
    expect(cache.getOrLoadSync('a', () => ({ price: new Decimal('2') }), { values: 'frozen' })).toBe(shared);
    const first = cache.getOrLoadSync('b', () => ({ m: new Money(1) }), { values: 'frozen' });
    const second = cache.getOrLoadSync('b', () => ({ m: new Money(1) }), { values: 'frozen' });
    expect(first).toStrictEqual(second);
    expect(first.m).not.toBe(second.m);
    expect(Object.isFrozen(second)).toBe(true);
  });

  it('comes back from disk and from compressed entries by encode and decode', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'taught-'));
    folders.push(folder);
    const tiers = [tierOf('query', ['query'], { persist: 'on_change', compressAboveBytes: 2_000 })];
    const options = {
      tiers,
      valueTypes: [decimal],
      disk: { path: join(folder, 'cache.db'), trust: 'wrapped-writes' },
    } as const;
    const rows = () =>
      Array.from({ length: 100 }, (_, i) => ({ price: new Decimal(String(i)), name: 'product' }));
    const before = createCache(options);
    before.set('query::1', { price: new Decimal('12') });
    before.set('query::2', rows());
    expect(before.inspect('query::2')?.uncompressedBytes).toBeGreaterThan(0);
    expect(before.get('query::2')).toStrictEqual(rows());
    await before.stop();
    const after = createCache(options);
    expect(after.get('query::1')).toStrictEqual({ price: new Decimal('12') });
    expect(after.get('query::2')).toStrictEqual(rows());
    await after.stop();
  });

  it('without encode stays in memory, which is told once where it was to be written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'taught-'));
    folders.push(folder);
    const lines: string[] = [];
    const note = (text: string) => void lines.push(text);
    const cache = createCache({
      tiers: [tierOf('query', ['query'], { persist: 'on_change' })],
      valueTypes: [money],
      disk: { path: join(folder, 'cache.db') },
      logger: { debug: note, info: note, warn: note, error: note },
    });
    cache.set('query::1', { m: new Money(5) });
    cache.set('query::2', { m: new Money(5) });
    expect(cache.get('query::1')).toStrictEqual({ m: new Money(5) });
    expect(lines.filter((line) => /not written to disk.*a Money.*encode and decode/.test(line))).toHaveLength(
      1,
    );
    await cache.stop();
  });

  it('does not stand for its subclasses', async () => {
    const { cache } = bench({ valueTypes: [money] });
    class Tip extends Money {}
    expect(cache.set('user::1', { tip: new Tip(1) })).toBe(false);
  });

  it('is weighed by weigh, or by its own fields', () => {
    const { cache } = bench({ valueTypes: [money, decimal] });
    const weightOf = (value: unknown) => {
      cache.set('user::1', value);
      return cache.inspect('user::1')?.weightBytes ?? 0;
    };
    const empty = weightOf([null]);
    expect(weightOf([new Money(1)]) - empty).toBe(40);
    expect(weightOf([new Decimal('1'.repeat(100))]) - empty).toBeGreaterThan(800);
  });

  it('I4: that cannot be copied makes no read fail', async () => {
    const { cache } = bench({
      valueTypes: [
        {
          type: Money,
          copy: () => {
            throw new Error('no');
          },
        },
      ],
    });
    const value = { m: new Money(1) };
    expect(await cache.getOrLoad('user::1', () => value)).toBe(value);
    expect(cache.has('user::1')).toBe(false);
  });
});

describe('value types that make no sense', () => {
  it.each<[string, unknown]>([
    ['valueTypes of createCache is a list', {}],
    ['type of valueTypes[0] is the class itself', [{ type: 'Decimal', copy: 'shared' }]],
    ['type of valueTypes[0] is the class itself', [{ type: () => 1, copy: 'shared' }]],
    ['type of valueTypes[0] is Date, which the cache knows', [{ type: Date, copy: 'shared' }]],
    ['type of valueTypes[0] is Uint8Array, which the cache knows', [{ type: Uint8Array, copy: 'shared' }]],
    ['type of valueTypes[0] is Object, which the cache knows', [{ type: Object, copy: 'shared' }]],
    ['copy of valueTypes[0] is a function', [{ type: Money }]],
    ['copy of valueTypes[0] is a function', [{ type: Money, copy: 'share' }]],
    ['weigh of valueTypes[0] is a function', [{ ...money, weigh: 40 }]],
    ['needs both encode and decode', [{ ...money, encode: String }]],
    ['is a second "Money"', [money, money]],
    ['there is no option "clone"', [{ type: Money, clone: 'shared' }]],
    ['needs a name', [{ type: class {}, copy: 'shared', name: '' }]],
  ])('are refused: %s', (message, valueTypes) => {
    expect(() => createCache({ valueTypes: valueTypes as never })).toThrow(message);
  });
});

describe('I4: a taught class that cannot copy what is kept', () => {
  /** It copies what is taken, and fails for readers while `fails` is set. */
  const shaky = () => {
    const state = { fails: false, loads: 0 };
    const type: ValueType = {
      type: Money,
      copy: (value: Money) => {
        if (state.fails) throw new Error('out of order');
        return new Money(value.cents);
      },
      weigh: () => 40,
    };
    const load = () => ({ m: new Money(++state.loads) });
    return { state, load, ...bench({ valueTypes: [type] }) };
  };
  type Row = { readonly m: Money };

  it.each<[string, (cache: Cache, load: () => Row) => Row | Promise<Row>]>([
    ['getOrLoad', (cache, load) => cache.getOrLoad('user::1', load)],
    ['getOrLoadSync', (cache, load) => cache.getOrLoadSync('user::1', load)],
    [
      'getOrLoadMany',
      async (cache, load) =>
        (await cache.getOrLoadMany(['user::1'], () => new Map([['user::1', load()]]))).get('user::1') as Row,
    ],
  ])('is answered by %s with what the loader gives', async (_name, read) => {
    const { cache, load, state } = shaky();
    cache.getOrLoadSync('user::1', load);
    state.fails = true;
    expect((await read(cache, load)).m.cents).toBe(2);
    state.fails = false;
    expect((await read(cache, load)).m.cents).toBeGreaterThanOrEqual(2);
  });

  it('is a miss for get and lookup', () => {
    const { cache, load, state } = shaky();
    cache.getOrLoadSync('user::1', load);
    state.fails = true;
    expect(cache.lookup('user::1')).toEqual({ state: 'miss' });
    expect(cache.get('user::1')).toBeUndefined();
  });

  it('lets each of those who joined a load ask the source', async () => {
    const { cache, load, state } = shaky();
    state.fails = true;
    const reads = [1, 2, 3].map(() => cache.getOrLoad('user::1', async () => load()));
    const values = (await Promise.all(reads)).map(({ m }) => m.cents);
    expect(new Set(values).size).toBe(3);
  });
});
