/** What may stand between the shop and its database. */
import { describe, expect, it } from 'vitest';
import { createCache } from '../../src/cache/create-cache.ts';
import { parseConfig } from '../../src/config/config.ts';
import { openDatabase } from '../../src/db/open.ts';
import { createShop } from '../../src/db/shop.ts';
import type { SourceOptions } from '../../src/db/source.ts';
import { silentLogger } from '../../src/logger.ts';
import { NELLY } from './shop-fixture.ts';

function shopBehind(source: SourceOptions) {
  const db = openDatabase(':memory:');
  const cache = createCache({ ...parseConfig({}).cache, logger: silentLogger });
  return { cache, shop: createShop(db, cache, { logger: silentLogger, source }) };
}

describe('a source between the shop and its database', () => {
  it('is asked before each statement of reads and writes, and not when a read is a hit', () => {
    let asked = 0;
    const { shop } = shopBehind({ beforeQuery: () => void asked++ });
    shop.ensureUser(NELLY, 'Nelly');
    const before = asked;
    expect(before).toBeGreaterThan(0);
    shop.getUser(NELLY);
    expect(asked).toBe(before);
    shop.updateWallet(NELLY, 100, 'deposit');
    expect(asked).toBeGreaterThan(before);
  });

  it('I7: makes reads and writes fail with what it throws, and nothing is kept or changed', () => {
    let isFailing = false;
    const { shop, cache } = shopBehind({
      beforeQuery: () => {
        if (isFailing) throw new Error('not now');
      },
    });
    shop.ensureUser(NELLY, 'Nelly');
    isFailing = true;
    expect(() => shop.getAllProducts()).toThrow('not now');
    expect(() => shop.updateWallet(NELLY, 100, 'deposit')).toThrow('not now');
    expect(shop.getUser(NELLY)?.walletCents).toBe(0);
    isFailing = false;
    expect(cache.has('products::all')).toBe(false);
    shop.getUser.invalidate(NELLY);
    expect(shop.getUser(NELLY)?.walletCents).toBe(0);
  });

  it('holds the aggregate reads until its gate opens, and no other', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { shop } = shopBehind({ gate: () => gate });
    let answers = 0;
    const reads = [
      shop.getLeaderboard(),
      shop.searchProducts({ text: 'star' }),
      shop.getSalesAnalytics(shop.lastDays(7)),
    ].map((read) => read.then(() => answers++));
    expect(shop.getAllProducts()).toEqual([]);
    await new Promise<void>((resolve) => void setImmediate(resolve));
    expect(answers).toBe(0);
    open();
    await Promise.all(reads);
    expect(answers).toBe(3);
  });
});
