/** I14: bots as they are written, each with the cache on and off, with the same outcome. */
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import type { Cache } from '../../src/cache/cache.ts';
import type { ValueType } from '../../src/cache/values/value-types.ts';
import { cached, cachedSync, invalidates } from '../../src/cache/wrappers/wrappers.ts';
import { bench } from './support.ts';

const require = createRequire(import.meta.url);

type Bot = (cache: Cache) => unknown;

async function outcomes(
  bot: Bot,
  valueTypes: readonly ValueType[] = [],
): Promise<[on: unknown, off: unknown]> {
  const ran: unknown[] = [];
  for (const enabled of [true, false]) {
    const { cache } = bench({ enabled, valueTypes });
    ran.push(await bot(cache));
    await cache.stop();
  }
  return [ran[0], ran[1]];
}

/** A table whose rows are made anew for each read, as better-sqlite3 does. */
function tableOf<R extends { id: string }>(rows: readonly R[]) {
  const stored = new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
  return {
    get: (id: string) => JSON.parse(stored.get(id) ?? 'null') as R,
    all: () => [...stored.values()].map((row) => JSON.parse(row) as R),
    save: (row: R) => void stored.set(row.id, JSON.stringify(row)),
    end: () => [...stored.values()],
  };
}

class Decimal {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  plus(other: Decimal) {
    return new Decimal(this.cents + other.cents);
  }
}

const decimal: ValueType = { type: Decimal, copy: 'shared' };

/** A Prisma-like client: rows with Decimals, which are never changed in place. */
const prismaBot: Bot = async (cache) => {
  const table = new Map([['1', { id: '1', price: 500 }]]);
  const read = cached(
    cache,
    async (id: string) => ({ id, price: new Decimal(table.get(id)?.price ?? 0), at: new Date(0) }),
    { key: 'products::item::{0}' },
  );
  const raise = invalidates(
    cache,
    async (id: string, price: Decimal) => void table.set(id, { id, price: price.cents }),
    'products::item::{0}',
  );
  const seen: number[] = [];
  for (let times = 0; times < 3; times++) {
    const [row, other] = await Promise.all([read('1'), read('1')]);
    seen.push(row.price.cents, other.price.plus(new Decimal(1)).cents);
    row.price = row.price.plus(new Decimal(10));
    row.at.setTime(5);
    await raise('1', row.price);
  }
  return [seen, [...table.values()]];
};

describe('I14: a bot does with the cache what it does without', () => {
  it('in sloppy CommonJS, which changes the rows that it reads', async () => {
    const sloppyBot = require('./fixtures/sloppy-bot.cjs') as (...functions: unknown[]) => unknown;
    const [on, off] = await outcomes((cache) => {
      const table = tableOf(['1', '2'].map((id) => ({ id, coins: 100, history: [1], temporary: true })));
      const outcome = sloppyBot(
        cachedSync(cache, table.get, { key: 'user::{0}::row' }),
        invalidates(cache, table.save, ['user::{0.id}::*', 'query::users']),
        cachedSync(cache, table.all, { key: 'query::users' }),
      );
      return [outcome, table.end()];
    });
    expect(on).toEqual(off);
    expect(on).toMatchObject([[150, 200, 105, '1'], {}]);
  });

  it('on documents like mongoose’s, which save themselves', async () => {
    class Document {
      readonly #save: (row: { id: string; coins: number }) => void;
      readonly id: string;
      coins: number;
      constructor(row: { id: string; coins: number }, save: (row: { id: string; coins: number }) => void) {
        this.#save = save;
        this.id = row.id;
        this.coins = row.coins;
      }
      save() {
        this.#save({ id: this.id, coins: this.coins });
      }
    }
    const [on, off] = await outcomes(async (cache) => {
      const table = tableOf([{ id: '1', coins: 1 }]);
      const find = cached(cache, async (id: string) => new Document(table.get(id), table.save), {
        key: 'user::{0}',
      });
      for (let times = 0; times < 3; times++) {
        const [document, other] = await Promise.all([find('1'), find('1')]);
        document.coins += 10;
        document.save();
        other.coins = 0; // never saved
      }
      return [(await find('1')).coins, table.end()];
    });
    expect(on).toEqual(off);
  });

  it('on rows like Prisma’s with Decimals, taught or not', async () => {
    const [on, off] = await outcomes(prismaBot);
    expect(on).toEqual(off);
    const [taught] = await outcomes(prismaBot, [decimal]);
    expect(taught).toEqual(off);
  });

  it('on a JSON file, whose objects are changed through a function that invalidates', async () => {
    const [on, off] = await outcomes((cache) => {
      const store: Record<string, { prefix: string; roles: string[] }> = { '1': { prefix: '?', roles: [] } };
      let file = JSON.stringify(store);
      const read = (id: string) => store[id] ?? { prefix: '!', roles: [] };
      const getGuild = cachedSync(cache, read, { key: 'guild::{0}' });
      const setPrefix = invalidates(
        cache,
        (id: string, prefix: string) => {
          const guild = read(id);
          guild.prefix = prefix;
          guild.roles.push(prefix);
          file = JSON.stringify(store);
        },
        'guild::{0}',
      );
      const seen: unknown[] = [];
      for (const prefix of ['!', '$', '%']) {
        seen.push(getGuild('1').prefix, getGuild('1').prefix);
        setPrefix('1', prefix);
      }
      return [seen, getGuild('1'), file];
    });
    expect(on).toEqual(off);
    expect(on).toMatchObject([['?', '?', '!', '!', '$', '$'], { prefix: '%' }, {}]);
  });
});
