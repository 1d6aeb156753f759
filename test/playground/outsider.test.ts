import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Outsider } from '../../playground/outsider.ts';
import { actionSchema } from '../../playground/protocol.ts';
import { watchable } from '../../playground/watchable-config.ts';
import { parseConfig } from '../../src/config/config.ts';
import { generateShop } from '../../src/db/generator.ts';
import { openDatabase } from '../../src/db/open.ts';

const ADA = { id: '80351110224678912', name: 'Ada' };

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cachecord-outsider-'));
  path = join(folder, 'shop.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function fill(): void {
  const db = openDatabase(path);
  generateShop(db, { products: 200, users: 20, orders: 50 });
  db.close();
}

/** What the database says, read by somebody else. */
function read<T>(sql: string): T {
  const db = openDatabase(path);
  const value = db.prepare(sql).pluck().get() as T;
  db.close();
  return value;
}

describe('who changes the database behind the bot', () => {
  it('is offered the products that people see first in each category, as they are now', () => {
    fill();
    const { products, walletCents } = new Outsider(path).changeable(ADA);
    expect(walletCents).toBe(0);
    const [first] = products;
    expect(read(`SELECT price_cents FROM products WHERE id = ${first?.id}`)).toBe(first?.cents);
    const byCategory = Map.groupBy(products, ({ category }) => category);
    expect(byCategory.size).toBe(read('SELECT count(DISTINCT main_category) FROM products'));
    for (const [, some] of byCategory) expect(some.length).toBeLessThanOrEqual(8);
  });

  it('changes a price, and is told what it was', () => {
    fill();
    const outsider = new Outsider(path);
    const [first] = outsider.changeable(ADA).products;
    const productId = first?.id ?? 0;
    expect(outsider.change({ what: 'price', productId, cents: 123 }, ADA)).toEqual({
      what: 'price',
      name: first?.name,
      category: first?.category,
      before: first?.cents,
      cents: 123,
    });
    expect(read(`SELECT price_cents FROM products WHERE id = ${productId}`)).toBe(123);
  });

  it('fills the wallet of somebody whom the shop does not know yet, and changes it again', () => {
    fill();
    const outsider = new Outsider(path);
    expect(outsider.change({ what: 'wallet', cents: 500 }, ADA)).toMatchObject({ name: 'Ada', before: 0 });
    expect(outsider.change({ what: 'wallet', cents: 700 }, ADA)).toMatchObject({ before: 500, cents: 700 });
    expect(outsider.changeable(ADA).walletCents).toBe(700);
  });

  it('is told where there is no database yet, or no such product', () => {
    expect(() => new Outsider(path).changeable(ADA)).toThrow('the bot makes it when it starts');
    fill();
    expect(() => new Outsider(path).change({ what: 'price', productId: 9_999, cents: 1 }, ADA)).toThrow(
      'This product is gone.',
    );
  });

  it('is told to try again while the bot writes, and that an empty file is no database yet', () => {
    fill();
    const bot = openDatabase(path);
    bot.exec('BEGIN IMMEDIATE');
    expect(() => new Outsider(path, 1).change({ what: 'wallet', cents: 1 }, ADA)).toThrow(
      'Try again in a moment.',
    );
    bot.exec('ROLLBACK');
    bot.close();
    const empty = join(folder, 'empty.sqlite');
    writeFileSync(empty, '');
    expect(() => new Outsider(empty).changeable(ADA)).toThrow('There is no database yet');
  });

  it.each([-1, 0.5, 100_000_001, Number.NaN, '1'])('cannot write an amount of %s cents', (cents) => {
    const action = { as: ADA.id, locale: 'de', do: 'change', change: { what: 'wallet', cents } };
    expect(actionSchema.safeParse(action).success).toBe(false);
  });
});

describe("the playground's configuration", () => {
  it('writes to disk within seconds what config.json has written after half a minute', () => {
    const config = watchable(parseConfig({ cache: { disk_path: 'cache.db' } }));
    expect(config.cache.disk).toMatchObject({ path: 'cache.db', intervalMs: 2_000 });
    expect(Object.fromEntries(config.cache.tiers.map(({ tier, persist }) => [tier, persist]))).toMatchObject({
      config: 'periodic',
      query: 'periodic',
      user: 'memory',
    });
  });

  it('has no disk layer where config.json has none, and keeps a shorter interval', () => {
    expect(watchable(parseConfig({})).cache.disk).toBeUndefined();
    const quick = parseConfig({ cache: { disk_path: 'cache.db', persist_interval: 1 } });
    expect(watchable(quick).cache.disk?.intervalMs).toBe(1_000);
  });
});
